//! A model of Hammer's hooks, written from a description of them and of what its document wants: lists of names, to which
//! hooks are applied one by one. Each way in which the program departs from the document is a [`Quirk`]. With all of
//! them, the model does what Hammer did in the cases; without any, what tapeout does. So it says of a case by which of
//! them the two differ.

use std::collections::HashMap;

use serde_json::{Value as Json, json};
use tapeout_flow::Layer;

use super::given::{End, Given, GivenHook};
use crate::outcome::Outcome;

/// A way of Hammer's that is not its document's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quirk {
    /// Hooks of the tool apply before those of the technology.
    ToolFirst,
    /// The name of what is replaced is forgotten.
    OldNames,
    /// What is persistent relative to something that is then replaced or removed never runs.
    Orphans,
    /// What is persistent before the first of all steps runs in every part.
    FirstAlways,
    /// What replaces may have the name of another.
    Duplicates,
    /// A part without steps is run, and does nothing.
    EmptyParts,
    /// Of several options on one end of a part, one counts.
    Precedence,
    /// At the start, kinds count more than layers.
    StartOrder,
    /// What is removed stays as a step that does nothing.
    Dummies,
    /// That the tool failed is ignored.
    IgnoredFailure,
    /// A hook changes settings while it runs.
    Settings,
}

impl Quirk {
    const ALL: [Self; 11] = [
        Self::ToolFirst,
        Self::OldNames,
        Self::Orphans,
        Self::FirstAlways,
        Self::Duplicates,
        Self::EmptyParts,
        Self::Precedence,
        Self::StartOrder,
        Self::Dummies,
        Self::IgnoredFailure,
        Self::Settings,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::ToolFirst => "tool_first",
            Self::OldNames => "old_names",
            Self::Orphans => "orphans",
            Self::FirstAlways => "first_always",
            Self::Duplicates => "duplicates",
            Self::EmptyParts => "empty_parts",
            Self::Precedence => "precedence",
            Self::StartOrder => "start_order",
            Self::Dummies => "dummies",
            Self::IgnoredFailure => "ignored_failure",
            Self::Settings => "settings",
        }
    }

    /// The one of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|quirk| quirk.name() == name)
    }
}

/// By which ways of the peer's what it does with a case differs from what we do: the fewest that explain it. None, where
/// the two are alike or the difference is another.
pub(crate) fn quirks(input: &Json, expected: &Json, outcome: &Outcome) -> Vec<Quirk> {
    let Ok(given) = Given::of(input) else { return Vec::new() };
    let theirs = told(expected);
    if !played(&given, &[]).is(&ours(outcome)) {
        return Vec::new();
    }
    let explains = |quirks: &[Quirk]| played(&given, quirks).is(&theirs);
    let subsets = (0..1_u32 << Quirk::ALL.len()).map(|bits| {
        let of_bits = |(at, quirk): (usize, Quirk)| (bits >> at & 1 == 1).then_some(quirk);
        Quirk::ALL.into_iter().enumerate().filter_map(of_bits).collect::<Vec<_>>()
    });
    subsets.filter(|quirks| explains(quirks)).min_by_key(Vec::len).unwrap_or_default()
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ended {
    /// The names that the error has; without any, they are not known.
    Refused(Vec<String>),
    Ran {
        ran: Vec<String>,
        good: bool,
        saw: Vec<String>,
    },
}

impl Ended {
    /// Whether both are the same, as far as is known.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Refused(ours), Self::Refused(theirs)) => ours.is_empty() || theirs.is_empty() || ours == theirs,
            _ => self == other,
        }
    }
}

fn told(expected: &Json) -> Ended {
    let list = |items: &Json| {
        let items = items.as_array().into_iter().flatten();
        items.filter_map(Json::as_str).map(str::to_owned).collect()
    };
    let Some(told) = expected.get("ok") else { return Ended::Refused(list(&expected["error"]["mentions"])) };
    Ended::Ran { ran: list(&told["ran"]), good: told["good"] == json!(true), saw: list(&told["saw"]) }
}

fn ours(outcome: &Outcome) -> Ended {
    match outcome {
        Outcome::Accepted(told_here) => told(&json!({ "ok": told_here })),
        Outcome::Refused(_) => Ended::Refused(Vec::new()),
    }
}

/// A step or a hook in one of the two lists.
struct Item<'a> {
    id: usize,
    name: &'a str,
    gone: bool,
    body: Body<'a>,
    /// When it runs, where it is persistent.
    persistence: Option<Persistence<'a>>,
}

#[derive(Clone, Copy)]
struct Persistence<'a> {
    kind: Kind,
    /// Its target: the item, and the name that this had.
    target: (usize, &'a str),
    rank: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Always,
    Pre,
    Post,
}

#[derive(Clone, Copy)]
enum Body<'a> {
    Step(usize),
    Hook(&'a GivenHook),
}

struct Model<'a> {
    given: &'a Given,
    quirks: &'a [Quirk],
    /// The steps in order, and what is persistent.
    lists: [Vec<Item<'a>>; 2],
    names: HashMap<&'a str, usize>,
}

const STEPS: usize = 0;
const SIDE: usize = 1;
/// What the peer calls a step that was removed.
const DUMMY: &str = "dummy_step";

fn played(given: &Given, quirks: &[Quirk]) -> Ended {
    Model::run(given, quirks).unwrap_or_else(|Refused(names)| Ended::Refused(names))
}

/// An error, with the names that it has.
struct Refused(Vec<String>);

impl Refused {
    fn naming(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }
}

impl<'a> Model<'a> {
    fn run(given: &'a Given, quirks: &'a [Quirk]) -> Result<Ended, Refused> {
        if let Some(twice) = given.repeated() {
            return Err(Refused::naming(twice));
        }
        if given.hooks.iter().any(|hook| hook.not_callable) {
            return Err(Refused(Vec::new()));
        }
        let mut model = Self { given, quirks, lists: [Vec::new(), Vec::new()], names: HashMap::new() };
        for (id, step) in given.steps.iter().enumerate() {
            let item = Item { id, name: &step.name, gone: false, body: Body::Step(id), persistence: None };
            model.lists[STEPS].push(item);
            model.names.insert(&step.name, id);
        }
        let layers = if model.has(Quirk::ToolFirst) {
            [Layer::Tool, Layer::Technology, Layer::User]
        } else {
            [Layer::Technology, Layer::Tool, Layer::User]
        };
        for (number, hook) in given.placed(&layers).into_iter().enumerate() {
            let rank = layers.iter().position(|layer| *layer == hook.layer).unwrap_or_default();
            model.apply(given.steps.len() + number, hook, rank)?;
        }
        let (first, stop) = model.part()?;
        Ok(model.execute(first, stop))
    }

    fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// The list and the position of what has that name.
    fn find(&self, name: &str) -> Result<(usize, usize), Refused> {
        let id = *self.names.get(name).ok_or_else(|| Refused::naming(name))?;
        let by_name = |item: &Item<'_>| !item.gone && item.name == name;
        let by_id = |item: &Item<'_>| item.id == id;
        let position = |list: usize, is_it: &dyn Fn(&Item<'_>) -> bool| {
            self.lists[list].iter().position(is_it).map(|position| (list, position))
        };
        let named = position(STEPS, &by_name).or_else(|| position(SIDE, &by_name));
        let found = named.or_else(|| position(STEPS, &by_id)).or_else(|| position(SIDE, &by_id));
        found.ok_or_else(|| Refused::naming(name))
    }

    fn is_new(&self, name: &str) -> Result<(), Refused> {
        if self.names.contains_key(name) { Err(Refused::naming(name)) } else { Ok(()) }
    }

    fn apply(&mut self, id: usize, hook: &'a GivenHook, rank: usize) -> Result<(), Refused> {
        let name = hook.name.as_str();
        let mut item = Item { id, name, gone: false, body: Body::Hook(hook), persistence: None };
        let always = Persistence { kind: Kind::Always, target: (usize::MAX, ""), rank };
        let (list, at) = if hook.kind == "persistent" { (SIDE, 0) } else { self.find(&hook.target)? };
        match hook.kind.as_str() {
            "pre_insertion" | "post_insertion" => {
                self.is_new(name)?;
                item.persistence = self.lists[list][at].persistence;
                self.lists[list].insert(at + usize::from(hook.kind == "post_insertion"), item);
                self.names.insert(name, id);
            }
            "persistent" | "pre_persistent" | "post_persistent" => {
                self.is_new(name)?;
                let kind = match hook.kind.as_str() {
                    "persistent" => Kind::Always,
                    "pre_persistent" => Kind::Pre,
                    _ => Kind::Post,
                };
                item.persistence = Some(always);
                if kind != Kind::Always {
                    if list == SIDE {
                        return Err(Refused(Vec::new()));
                    }
                    let target = &self.lists[STEPS][at];
                    item.persistence = Some(Persistence { kind, target: (target.id, target.name), rank });
                }
                self.lists[SIDE].push(item);
                self.names.insert(name, id);
            }
            "replacement" => {
                let own = self.lists[list][at].id;
                if !self.has(Quirk::Duplicates) && self.names.get(name).is_some_and(|holder| *holder != own) {
                    return Err(Refused::naming(name));
                }
                let (forgets, untargetable) = (self.has(Quirk::OldNames), self.has(Quirk::Dummies) && name == DUMMY);
                let replaced = &mut self.lists[list][at];
                let old = std::mem::replace(&mut replaced.name, name);
                replaced.body = item.body;
                if forgets {
                    self.names.remove(old);
                }
                if !untargetable {
                    self.names.insert(name, own);
                }
            }
            "removal" => {
                let removed = &mut self.lists[list][at];
                removed.gone = true;
                let (id, name) = (removed.id, removed.name);
                self.names.remove(name);
                if !self.has(Quirk::Duplicates) {
                    self.names.retain(|_, holder| *holder != id);
                }
            }
            _ => return Err(Refused(Vec::new())),
        }
        Ok(())
    }

    /// The first position of a part and the one behind its last.
    fn part(&self) -> Result<(usize, usize), Refused> {
        let mut ends: Vec<(End, usize)> = Vec::new();
        let precedence: &[End] = if self.has(Quirk::Precedence) { &End::ALL } else { &[] };
        let has = |end: End| self.given.ends.iter().any(|(known, _)| *known == end);
        let yields = |end: End| match end {
            End::From | End::To => has(End::Only),
            End::After => has(End::From) || has(End::Only),
            End::Until => has(End::To) || has(End::Only),
            End::Only => false,
        };
        let of_hooks = self.given.hooks.iter().filter(|hook| hook.end.is_some()).count();
        for (number, (end, name)) in self.given.ends.iter().enumerate() {
            if number >= of_hooks && precedence.contains(end) && yields(*end) {
                continue;
            }
            let (list, at) = self.find(name)?;
            if list == SIDE {
                return Err(Refused(Vec::new()));
            }
            ends.push((*end, at));
        }
        let one = |which: [End; 2], behind: End, or: usize| {
            let mut of = ends.iter().filter(|(end, _)| which.contains(end) || *end == End::Only);
            match (of.next(), of.next()) {
                (Some(_), Some(_)) => Err(Refused(Vec::new())),
                (Some((end, at)), None) => Ok(at + usize::from(*end == behind || (*end == End::Only && or > 0))),
                (None, _) => Ok(or),
            }
        };
        let first = one([End::From, End::After], End::After, 0)?;
        // An empty list ends where it begins.
        let all = self.lists[STEPS].len();
        let stop = if all == 0 { 0 } else { one([End::To, End::Until], End::To, all)? };
        let part = self.lists[STEPS].get(first..stop.max(first)).unwrap_or_default();
        let is_empty = part.iter().all(|item| item.gone && !self.has(Quirk::Dummies));
        let refused = is_empty && !self.given.ends.is_empty() && !self.has(Quirk::EmptyParts);
        if refused {
            return Err(Refused(Vec::new()));
        }
        Ok(if is_empty { (0, 0) } else { (first, stop) })
    }

    /// The position of what something is persistent relative to.
    fn target(&self, persistence: &Persistence<'_>) -> Option<usize> {
        let (id, name) = persistence.target;
        let steps = &self.lists[STEPS];
        if self.has(Quirk::Orphans) {
            return steps.iter().position(|item| !item.gone && item.name == name);
        }
        steps.iter().position(|item| item.id == id)
    }

    fn execute(&self, first: usize, stop: usize) -> Ended {
        let mut playing = Playing { model: self, ran: Vec::new(), settings: HashMap::new(), saw: Vec::new() };
        let good = first == stop || self.bodies(first, stop).into_iter().all(|body| playing.plays(body));
        let tool = !self.given.tool_fails || self.has(Quirk::IgnoredFailure);
        let Playing { ran, saw, .. } = playing;
        Ended::Ran { ran, good: good && tool && !self.given.outputs_fail, saw }
    }

    fn bodies(&self, first: usize, stop: usize) -> Vec<Body<'a>> {
        let persistent = self.lists[SIDE].iter().filter(|item| !item.gone);
        let persistent: Vec<(Persistence<'_>, Option<usize>, Body<'_>)> = persistent
            .filter_map(|item| Some((item.persistence?, self.target(&item.persistence?), item.body)))
            .collect();
        // The first of all steps, even if it is not in the part.
        let is_first = |target: usize| target == 0;
        let mut start = Vec::new();
        for (persistence, target, body) in &persistent {
            let group = match (persistence.kind, target) {
                (Kind::Always, _) => 0,
                (Kind::Pre, Some(target)) if is_first(*target) => {
                    if *target < first && !self.has(Quirk::FirstAlways) {
                        continue;
                    }
                    if self.has(Quirk::StartOrder) { 1 } else { 2 }
                }
                (Kind::Pre, Some(target)) if *target >= first => 2,
                (Kind::Post, Some(target)) if *target < first => 3,
                _ => continue,
            };
            let layer = if self.has(Quirk::StartOrder) { 0 } else { persistence.rank };
            start.push((layer, group, *body));
        }
        start.sort_by_key(|(layer, group, _)| (*layer, *group));
        let mut bodies: Vec<Body<'_>> = start.into_iter().map(|(.., body)| body).collect();
        for (at, item) in self.lists[STEPS].iter().enumerate().take(stop).skip(first) {
            bodies.extend((!item.gone).then_some(item.body));
            let behind = persistent.iter().filter(|(of, target, _)| of.kind == Kind::Post && *target == Some(at));
            bodies.extend(behind.map(|(.., body)| *body));
        }
        bodies
    }
}

/// Bodies as they run.
struct Playing<'m, 'a> {
    model: &'m Model<'a>,
    ran: Vec<String>,
    settings: HashMap<&'a str, &'a str>,
    saw: Vec<String>,
}

impl<'a> Playing<'_, 'a> {
    /// Whether it went well.
    fn plays(&mut self, body: Body<'a>) -> bool {
        match body {
            Body::Step(number) => {
                let step = &self.model.given.steps[number];
                self.ran.push(step.name.clone());
                for setting in &step.reads {
                    let value = self.settings.get(setting.as_str());
                    self.saw.extend(value.map(|value| format!("{setting}={value}")));
                }
                !step.fails
            }
            Body::Hook(hook) => {
                self.ran.push(hook.name.clone());
                if self.model.has(Quirk::Settings) {
                    self.settings.extend(hook.sets.iter().map(|(name, value)| (name.as_str(), value.as_str())));
                }
                !hook.fails
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::place::Place;
    use crate::suites;

    fn here(input: &Json) -> Outcome {
        let none = Json::Null;
        super::super::order(input, &Place::new(&none).unwrap()).unwrap()
    }

    #[test]
    fn the_model_is_the_peer_with_its_quirks_and_we_without() {
        let suites = suites::read(&crate::own_dir()).unwrap();
        let cases = suites.iter().filter(|suite| suite.name == "hammer_hook").flat_map(|suite| &suite.cases);
        for case in cases {
            let given = Given::of(&case.input).unwrap();
            let (peer, here) = (played(&given, &Quirk::ALL), here(&case.input));
            assert!(peer.is(&told(&case.expected)), "{}: {}: {peer:?}", case.name, case.input);
            let document = played(&given, &[]);
            assert!(document.is(&ours(&here)), "{}: {}: {document:?}, and {here:?}", case.name, case.input);
        }
    }

    /// Numbers that are the same each time.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, count: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % count
        }

        fn one<'a>(&mut self, items: &[&'a str]) -> &'a str {
            items[self.below(items.len())]
        }
    }

    /// A case in which most hooks are on what there is, and most have a name of their own.
    fn random(numbers: &mut Numbers) -> Json {
        let kinds =
            ["pre_insertion", "post_insertion", "replacement", "persistent", "pre_persistent", "post_persistent"];
        let mut names: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).into();
        let mut input = Map::from_iter([("steps".to_owned(), json!(names))]);
        for layer in ["tech_hooks", "tool_hooks", "user_hooks"] {
            let mut hooks = Vec::new();
            for _ in 0..numbers.below(4) {
                let target = names[numbers.below(names.len())].clone();
                let own = format!("h{}", names.len());
                let name = if numbers.below(16) == 0 { names[numbers.below(names.len())].clone() } else { own };
                hooks.push(match numbers.below(7) {
                    6 => json!({ "kind": "removal", "target": target }),
                    3 => json!({ "kind": "persistent", "name": name }),
                    kind => json!({ "kind": kinds[kind], "name": name, "target": target }),
                });
                names.push(name);
            }
            input.insert(layer.to_owned(), hooks.into());
        }
        for end in [["from", "after"], ["to", "until"]] {
            if numbers.below(2) == 0 {
                input.insert(numbers.one(&end).to_owned(), json!(names[numbers.below(names.len())]));
            }
        }
        input.into()
    }

    #[test]
    fn hooks_at_random_come_out_alike() {
        let mut numbers = Numbers(8);
        let mut accepted = 0;
        for _ in 0..600 {
            let input = random(&mut numbers);
            let (model, outcome) = (played(&Given::of(&input).unwrap(), &[]), here(&input));
            assert!(model.is(&ours(&outcome)), "{input}: {model:?}, and {outcome:?}");
            accepted += u32::from(matches!(model, Ended::Ran { .. }));
        }
        assert!(accepted > 150, "most cases have no order: {accepted}");
    }
}
