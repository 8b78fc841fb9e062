//! In which order the sections of a step stand after its hooks, and which of them run in a part of it. Owns positions and
//! names, and nothing of what sections and hooks do.
//!
//! Hooks apply one after the other, and each sees what those before it have made. Every section and hook has a slot. A
//! hook that replaces takes over the slot: the old name and the new one both mean it, and what stands relative to it stays.
//! A hook that is inserted lands directly beside its target, so that of several the last one is nearest. A hook that
//! removes empties the slot; its names are free again, and what is already placed relative to it stays there.
//!
//! Persistent hooks stand in a list of their own, as they run at the start of a part or behind their target, whichever it
//! is. What is inserted beside one, or replaces one, is persistent in the same way, and in the same place among the others.

use std::collections::HashMap;
use std::ops::Range;

use tapeout_config::nearest;

use super::{HookKind, Layer};

/// The place of a section or a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotId(u32);

/// What stands in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occupant {
    /// A section of the step, by its number.
    Section(usize),
    /// A hook, by its number.
    Hook(usize),
}

/// When what stands in a slot runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// In its place, where that is within the part.
    InPlace,
    /// At the start of every part.
    AtStart,
    /// At the start of a part, unless the slot stands before the part.
    AtStartBefore(SlotId),
    /// At the start of a part, where the slot stands before it; directly behind the slot, where that is in the part.
    After(SlotId),
}

/// A place, with what is and was in it.
#[derive(Clone, Debug)]
pub struct Slot {
    /// What it is called.
    pub name: String,
    /// What else it was called before it was replaced.
    pub former: Vec<String>,
    /// What stands there.
    pub occupant: Occupant,
    /// What stood there before, the oldest first.
    pub replaced: Vec<Occupant>,
    /// The hook that has emptied it.
    pub removed_by: Option<usize>,
    /// When it runs.
    pub runs: Runs,
    /// The section that it stands in place of, or around; nothing at the start.
    pub section: Option<usize>,
    /// Among which layer's it runs at the start: that of the first hook there, or of what it stands beside.
    layer: Layer,
    before: u32,
    after: u32,
}

impl Slot {
    /// What stood there first: a section, or the hook that made the place.
    #[must_use]
    pub fn origin(&self) -> Occupant {
        self.replaced.first().copied().unwrap_or(self.occupant)
    }
}

/// A hook, as far as order goes.
#[derive(Clone, Copy, Debug)]
pub struct Placing<'a> {
    /// What it is called.
    pub name: &'a str,
    /// What it does.
    pub kind: HookKind,
    /// The section or hook that it does this to; nothing for [`HookKind::Persistent`].
    pub target: &'a str,
    /// Where it comes from.
    pub layer: Layer,
}

/// Why a hook, or the end of a part, has no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// Nothing has that name.
    Missing {
        /// The name.
        target: String,
        /// What may be meant.
        nearest: Option<String>,
    },
    /// What had that name is removed by this hook.
    Removed {
        /// The name.
        target: String,
        /// The hook, by its number.
        by: usize,
    },
    /// Another one has that name.
    Taken {
        /// The name.
        name: String,
        /// Who has it.
        by: Occupant,
    },
    /// It would be persistent relative to something persistent, which has no place of its own.
    OnPersistent {
        /// The persistent hook.
        target: String,
    },
    /// A part cannot begin or end at a persistent hook.
    EndsAtPersistent {
        /// The persistent hook.
        target: String,
    },
    /// The part has no section.
    Empty {
        /// The first one, as given.
        first: String,
        /// The last one, as given.
        last: String,
    },
    /// It stands only behind what has failed to find its own place: no news.
    Follows,
}

/// Sections and hooks in their order.
#[derive(Clone, Debug)]
pub struct Arrangement {
    /// The ends of both lists, and the slots behind.
    slots: Vec<Slot>,
    names: HashMap<String, u32>,
    /// The hooks that removed what had these names.
    removed: HashMap<String, usize>,
    /// The names of hooks that found no place.
    homeless: Vec<String>,
    /// How many hooks there were.
    hooks: usize,
}

/// The ends of the lists: sections in their places, and persistent hooks.
const IN_PLACE: u32 = 0;
const PERSISTENT: u32 = 1;

/// An end of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The section or hook.
    pub name: String,
    /// Whether it belongs to the part.
    pub included: bool,
}

/// What of a step is to run. All of it, unless something is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Where it begins.
    pub first: Option<Bound>,
    /// Where it ends.
    pub last: Option<Bound>,
}

/// What runs of an arrangement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// What runs first, whatever the part: persistent hooks.
    pub start: Vec<SlotId>,
    /// What stands before the part.
    pub skipped: Vec<SlotId>,
    /// The part, with persistent hooks behind what they belong to.
    pub part: Vec<SlotId>,
}

impl Bounds {
    /// The part from a section, or from behind one, to a section, or until one; or one section only.
    ///
    /// # Errors
    /// In words: two of these say where it begins, or where it ends.
    pub fn of(
        from: Option<&str>,
        after: Option<&str>,
        to: Option<&str>,
        until: Option<&str>,
        only: Option<&str>,
    ) -> Result<Self, String> {
        let given = [("from", from), ("after", after), ("to", to), ("until", until)];
        if let (Some(_), Some((other, _))) = (only, given.iter().find(|(_, name)| name.is_some())) {
            return Err(format!(
                "`only` says where the part begins and where it ends, and so does `{other}`: give one"
            ));
        }
        let bound = |including: (&str, Option<&str>), beside: (&str, Option<&str>), what: &str| {
            let (name, included) = match (including.1.or(only), beside.1) {
                (Some(_), Some(_)) => {
                    return Err(format!(
                        "`{}` and `{}` both say where the part {what}: give one",
                        including.0, beside.0
                    ));
                }
                (Some(name), None) => (name, true),
                (None, Some(name)) => (name, false),
                (None, None) => return Ok(None),
            };
            Ok(Some(Bound { name: name.to_owned(), included }))
        };
        Ok(Self { first: bound(given[0], given[1], "begins")?, last: bound(given[2], given[3], "ends")? })
    }
}

impl Arrangement {
    /// Sections in their order, without hooks.
    #[must_use]
    pub fn new<'a>(sections: impl IntoIterator<Item = &'a str>) -> Self {
        let end = |at: u32| Slot {
            name: String::new(),
            former: Vec::new(),
            occupant: Occupant::Section(0),
            replaced: Vec::new(),
            removed_by: None,
            runs: Runs::InPlace,
            section: None,
            layer: Layer::Section,
            before: at,
            after: at,
        };
        let mut arrangement = Self {
            slots: vec![end(IN_PLACE), end(PERSISTENT)],
            names: HashMap::new(),
            removed: HashMap::new(),
            homeless: Vec::new(),
            hooks: 0,
        };
        for (number, name) in sections.into_iter().enumerate() {
            let last = arrangement.slot(IN_PLACE).before;
            let (occupant, stands) = (Occupant::Section(number), (Runs::InPlace, Some(number), Layer::Section));
            arrangement.insert(name, occupant, last, stands);
        }
        arrangement
    }

    /// Gives the next hook its place.
    ///
    /// # Errors
    /// There is none. Hooks that stand relative to it then have none either, which is [no news](NoPlace::Follows).
    pub fn place(&mut self, hook: Placing<'_>) -> Result<(), NoPlace> {
        let number = self.hooks;
        self.hooks += 1;
        let placed = self.try_place(number, hook);
        if placed.is_err() && hook.kind != HookKind::Remove {
            self.homeless.push(hook.name.to_owned());
        }
        placed
    }

    fn try_place(&mut self, number: usize, hook: Placing<'_>) -> Result<(), NoPlace> {
        let at = if hook.kind == HookKind::Persistent { PERSISTENT } else { self.find(hook.target)? };
        let holder = self.names.get(hook.name).copied();
        let taken = holder.filter(|holder| !(hook.kind == HookKind::Replace && *holder == at));
        if let (Some(holder), true) = (taken, hook.kind != HookKind::Remove) {
            return Err(NoPlace::Taken { name: hook.name.to_owned(), by: self.slot(holder).occupant });
        }
        let Slot { runs, section, layer, before, .. } = *self.slot(at);
        let occupant = Occupant::Hook(number);
        let last = self.slot(PERSISTENT).before;
        match hook.kind {
            HookKind::Before => self.insert(hook.name, occupant, before, (runs, section, layer)),
            HookKind::After => self.insert(hook.name, occupant, at, (runs, section, layer)),
            HookKind::Persistent => self.insert(hook.name, occupant, last, (Runs::AtStart, None, hook.layer)),
            HookKind::PrePersistent | HookKind::PostPersistent if runs != Runs::InPlace => {
                return Err(NoPlace::OnPersistent { target: self.slot(at).name.clone() });
            }
            HookKind::PrePersistent => {
                self.insert(hook.name, occupant, last, (Runs::AtStartBefore(SlotId(at)), None, hook.layer));
            }
            HookKind::PostPersistent => {
                self.insert(hook.name, occupant, last, (Runs::After(SlotId(at)), section, hook.layer));
            }
            HookKind::Replace => {
                self.names.insert(hook.name.to_owned(), at);
                let slot = &mut self.slots[at as usize];
                let former = std::mem::replace(&mut slot.occupant, occupant);
                slot.replaced.push(former);
                if slot.name != hook.name {
                    let former = std::mem::replace(&mut slot.name, hook.name.to_owned());
                    slot.former.push(former);
                }
            }
            HookKind::Remove => {
                let slot = &mut self.slots[at as usize];
                slot.removed_by = Some(number);
                for name in slot.former.iter().chain([&slot.name]) {
                    self.names.remove(name);
                    self.removed.insert(name.clone(), number);
                }
            }
        }
        Ok(())
    }

    fn insert(
        &mut self,
        name: &str,
        occupant: Occupant,
        behind: u32,
        (runs, section, layer): (Runs, Option<usize>, Layer),
    ) {
        // A step has some dozens of sections and hooks.
        let at = self.slots.len() as u32;
        let next = self.slot(behind).after;
        self.slots.push(Slot {
            name: name.to_owned(),
            former: Vec::new(),
            occupant,
            replaced: Vec::new(),
            removed_by: None,
            runs,
            section,
            layer,
            before: behind,
            after: next,
        });
        self.slots[behind as usize].after = at;
        self.slots[next as usize].before = at;
        self.names.insert(name.to_owned(), at);
        self.removed.remove(name);
    }

    fn slot(&self, at: u32) -> &Slot {
        &self.slots[at as usize]
    }

    fn find(&self, target: &str) -> Result<u32, NoPlace> {
        if let Some(at) = self.names.get(target) {
            return Ok(*at);
        }
        if let Some(by) = self.removed.get(target) {
            return Err(NoPlace::Removed { target: target.to_owned(), by: *by });
        }
        if self.homeless.iter().any(|name| name == target) {
            return Err(NoPlace::Follows);
        }
        let nearest = nearest(target, self.names.keys().map(String::as_str)).map(str::to_owned);
        Err(NoPlace::Missing { target: target.to_owned(), nearest })
    }

    fn list(&self, end: u32) -> impl Iterator<Item = u32> {
        let mut at = end;
        std::iter::from_fn(move || {
            at = self.slot(at).after;
            (at != end).then_some(at)
        })
    }

    /// What stands in a slot.
    #[must_use]
    pub fn get(&self, slot: SlotId) -> &Slot {
        self.slot(slot.0)
    }

    /// All slots in their places, the emptied ones included.
    pub fn in_place(&self) -> impl Iterator<Item = &Slot> {
        self.list(IN_PLACE).map(|at| self.slot(at))
    }

    /// All persistent hooks, the removed ones included.
    pub fn persistent(&self) -> impl Iterator<Item = &Slot> {
        self.list(PERSISTENT).map(|at| self.slot(at))
    }

    /// What runs of a part, and in which order.
    ///
    /// At the start stand, of each layer, the hooks that are always persistent, those that are before their target, and
    /// those whose target is skipped; each in the order in which they were written. What a user's hook sets stands behind
    /// what one of the technology sets.
    ///
    /// # Errors
    /// The part is empty, or begins or ends at what there is not or what is persistent.
    pub fn order(&self, bounds: &Bounds) -> Result<Order, NoPlace> {
        let slots: Vec<u32> = self.list(IN_PLACE).collect();
        let mut position = vec![0; self.slots.len()];
        for (index, at) in slots.iter().enumerate() {
            position[*at as usize] = index;
        }
        let part = self.part(bounds, &position, slots.len())?;
        let runs = |at: &u32| self.slot(*at).removed_by.is_none();
        if !slots.iter().any(runs) {
            // A tool that has nothing to do is not started.
            return Ok(Order::default());
        }
        let mut starting: Vec<(Layer, u8, u32)> = Vec::new();
        let mut following: HashMap<u32, Vec<u32>> = HashMap::new();
        for at in self.list(PERSISTENT).filter(runs) {
            let slot = self.slot(at);
            let group = match slot.runs {
                Runs::InPlace | Runs::AtStart => 0,
                Runs::AtStartBefore(target) if position[target.0 as usize] >= part.start => 1,
                Runs::After(target) if position[target.0 as usize] < part.start => 2,
                Runs::After(target) if position[target.0 as usize] < part.end => {
                    following.entry(target.0).or_default().push(at);
                    continue;
                }
                Runs::AtStartBefore(_) | Runs::After(_) => continue,
            };
            starting.push((slot.layer, group, at));
        }
        starting.sort_by_key(|(layer, group, _)| (*layer, *group));
        let behind = |at: u32| following.get(&at).into_iter().flatten().copied();
        let inside = slots[part.clone()].iter();
        Ok(Order {
            start: starting.into_iter().map(|(.., at)| SlotId(at)).collect(),
            skipped: slots[..part.start].iter().copied().filter(runs).map(SlotId).collect(),
            part: inside.flat_map(|at| Some(*at).filter(runs).into_iter().chain(behind(*at))).map(SlotId).collect(),
        })
    }

    /// The positions of a part.
    fn part(&self, bounds: &Bounds, position: &[usize], length: usize) -> Result<Range<usize>, NoPlace> {
        let end = |bound: &Bound| {
            let at = self.find(&bound.name)?;
            match self.slot(at).runs {
                Runs::InPlace => Ok(position[at as usize]),
                _ => Err(NoPlace::EndsAtPersistent { target: bound.name.clone() }),
            }
        };
        let first = match &bounds.first {
            Some(bound) => end(bound)? + usize::from(!bound.included),
            None => 0,
        };
        let stop = match &bounds.last {
            Some(bound) => end(bound)? + usize::from(bound.included),
            None => length,
        };
        let runs = |at: u32| self.slot(at).removed_by.is_none();
        if *bounds != Bounds::default() && !self.list(IN_PLACE).take(stop).skip(first).any(runs) {
            let shown = |bound: &Option<Bound>| bound.as_ref().map(|bound| bound.name.clone()).unwrap_or_default();
            return Err(NoPlace::Empty { first: shown(&bounds.first), last: shown(&bounds.last) });
        }
        Ok(first..stop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [&str; 4] = ["init", "place", "route", "write"];

    fn hook<'a>(kind: HookKind, target: &'a str, name: &'a str) -> Placing<'a> {
        Placing { name, kind, target, layer: Layer::User }
    }

    fn arranged(hooks: &[Placing<'_>]) -> Arrangement {
        let mut arrangement = Arrangement::new(STEPS);
        for hook in hooks {
            arrangement.place(*hook).unwrap();
        }
        arrangement
    }

    fn names(arrangement: &Arrangement, from: Option<&str>, to: Option<&str>) -> Result<String, NoPlace> {
        let bound = |name: &str| Bound { name: name.to_owned(), included: true };
        let order = arrangement.order(&Bounds { first: from.map(bound), last: to.map(bound) })?;
        let all = order.start.iter().chain(&order.part);
        Ok(all.map(|slot| arrangement.get(*slot).name.as_str()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn later_hooks_stand_nearer() {
        use HookKind::{After, Before};
        let arrangement = arranged(&[
            hook(After, "place", "a"),
            hook(After, "place", "b"),
            hook(Before, "place", "c"),
            hook(Before, "place", "d"),
            hook(Before, "a", "e"),
        ]);
        assert_eq!(names(&arrangement, None, None).unwrap(), "init c d place b e a route write");
        assert_eq!(names(&arrangement, Some("place"), Some("a")).unwrap(), "place b e a");
    }

    #[test]
    fn what_is_replaced_keeps_its_place_and_its_name() {
        use HookKind::{After, PostPersistent, Replace};
        let arrangement = arranged(&[
            hook(PostPersistent, "place", "settings"),
            hook(Replace, "place", "mine"),
            hook(Replace, "mine", "better"),
            hook(After, "place", "x"),
        ]);
        assert_eq!(names(&arrangement, None, None).unwrap(), "init better settings x route write");
        assert_eq!(names(&arrangement, Some("route"), None).unwrap(), "settings route write");
        assert_eq!(names(&arrangement, Some("mine"), Some("place")).unwrap(), "better settings");
    }

    #[test]
    fn what_is_taken_out_leaves_what_stands_around_it() {
        use HookKind::{After, PostPersistent, Remove};
        let mut arrangement = arranged(&[
            hook(PostPersistent, "place", "settings"),
            hook(After, "place", "x"),
            hook(Remove, "place", ""),
        ]);
        assert_eq!(names(&arrangement, None, None).unwrap(), "init settings x route write");
        let removed = NoPlace::Removed { target: "place".to_owned(), by: 2 };
        assert_eq!(names(&arrangement, Some("place"), None), Err(removed.clone()));
        assert_eq!(arrangement.place(hook(After, "place", "y")), Err(removed));
        // The name is free again.
        arrangement.place(hook(After, "init", "place")).unwrap();
        assert_eq!(names(&arrangement, Some("place"), Some("x")).unwrap(), "place settings x");
    }

    #[test]
    fn persistence_is_taken_on() {
        use HookKind::{After, Before, Persistent, PrePersistent, Replace};
        let arrangement = arranged(&[
            hook(PrePersistent, "route", "p"),
            hook(Persistent, "", "q"),
            hook(Before, "p", "before"),
            hook(After, "q", "after"),
            hook(Replace, "q", "other"),
        ]);
        assert_eq!(names(&arrangement, Some("place"), Some("place")).unwrap(), "other after before p place");
        assert_eq!(names(&arrangement, Some("write"), None).unwrap(), "other after write");
        let end = NoPlace::EndsAtPersistent { target: "p".to_owned() };
        assert_eq!(names(&arrangement, Some("p"), None), Err(end));
    }

    #[test]
    fn what_stands_beside_a_persistent_hook_stays_there() {
        use HookKind::{After, Before, Persistent, Replace};
        let of = |layer, kind, target, name| Placing { name, kind, target, layer };
        let arrangement = arranged(&[
            of(Layer::Technology, Persistent, "", "p"),
            of(Layer::Technology, Persistent, "", "q"),
            of(Layer::User, Persistent, "", "mine"),
            of(Layer::User, Before, "p", "before"),
            of(Layer::User, After, "q", "after"),
            of(Layer::User, Replace, "p", "other"),
        ]);
        assert_eq!(names(&arrangement, Some("write"), None).unwrap(), "before other q after mine write");
    }

    #[test]
    fn a_part_has_one_beginning_and_one_end() {
        let part = Bounds::of(None, Some("a"), Some("b"), None, None).unwrap();
        let bound = |name: &str, included| Some(Bound { name: name.to_owned(), included });
        assert_eq!(part, Bounds { first: bound("a", false), last: bound("b", true) });
        let one = Bounds::of(None, None, None, None, Some("a")).unwrap();
        assert_eq!(one, Bounds { first: bound("a", true), last: bound("a", true) });
        assert_eq!(Bounds::of(None, None, None, None, None).unwrap(), Bounds::default());
        assert!(Bounds::of(Some("a"), Some("a"), None, None, None).unwrap_err().contains("`from` and `after`"));
        assert!(Bounds::of(None, None, Some("a"), Some("b"), None).unwrap_err().contains("`to` and `until`"));
        assert!(Bounds::of(None, None, None, Some("b"), Some("a")).unwrap_err().contains("`only`"));
    }

    #[test]
    fn what_has_no_place_says_why() {
        use HookKind::{After, Persistent, PostPersistent, Replace};
        let mut arrangement = arranged(&[hook(Persistent, "", "p")]);
        let missing = NoPlace::Missing { target: "rout".to_owned(), nearest: Some("route".to_owned()) };
        assert_eq!(arrangement.place(hook(After, "rout", "x")), Err(missing));
        // Only the first of those that hang together is of interest.
        assert_eq!(arrangement.place(hook(After, "x", "y")), Err(NoPlace::Follows));
        let taken = |by| NoPlace::Taken { name: "init".to_owned(), by };
        assert_eq!(arrangement.place(hook(After, "route", "init")), Err(taken(Occupant::Section(0))));
        assert_eq!(arrangement.place(hook(Replace, "route", "init")), Err(taken(Occupant::Section(0))));
        let on = NoPlace::OnPersistent { target: "p".to_owned() };
        assert_eq!(arrangement.place(hook(PostPersistent, "p", "z")), Err(on));
        let empty = NoPlace::Empty { first: "write".to_owned(), last: "init".to_owned() };
        assert_eq!(names(&arrangement, Some("write"), Some("init")), Err(empty));
    }
}
