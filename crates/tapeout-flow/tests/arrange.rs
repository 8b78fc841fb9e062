//! Laws of the order of hooks, whatever the hooks are.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use tapeout_flow::hooks::arrange::{Arrangement, Bounds, Order, Placing, Runs};
use tapeout_flow::{HookKind, Layer};

const SECTIONS: [&str; 5] = ["read", "synth", "map", "clean", "write"];
const LAYERS: [Layer; 3] = [Layer::Technology, Layer::Tool, Layer::User];

/// An arrangement of hooks of any kinds on what there is, those without a place left out; and each name that was taken
/// over, with the one that took over.
fn arranged(hooks: &[(Index, Index, Index)]) -> (Arrangement, Vec<(String, String)>) {
    let mut arrangement = Arrangement::new(SECTIONS);
    let mut names: Vec<String> = SECTIONS.map(str::to_owned).into();
    let mut taken_over = Vec::new();
    for (number, (kind, target, layer)) in hooks.iter().enumerate() {
        let (kind, target) = (*kind.get(&HookKind::ALL), target.get(&names).clone());
        let name = format!("h{number}");
        let placing = Placing { name: &name, kind, target: &target, layer: *layer.get(&LAYERS) };
        if arrangement.place(placing).is_err() {
            continue;
        }
        if kind == HookKind::Replace {
            taken_over.push((target, name.clone()));
        }
        if kind != HookKind::Remove {
            names.push(name);
        }
    }
    (arrangement, taken_over)
}

fn names<'a>(arrangement: &'a Arrangement, slots: &[tapeout_flow::hooks::arrange::SlotId]) -> Vec<&'a str> {
    slots.iter().map(|slot| arrangement.get(*slot).name.as_str()).collect()
}

/// What of an order stands in its place, persistent hooks left out.
fn in_place<'a>(arrangement: &'a Arrangement, order: &Order) -> Vec<&'a str> {
    let mut part = order.part.clone();
    part.retain(|slot| arrangement.get(*slot).runs == Runs::InPlace);
    names(arrangement, &part)
}

fn hooks() -> impl Strategy<Value = Vec<(Index, Index, Index)>> {
    vec(any::<(Index, Index, Index)>(), 0..24)
}

fn only(name: &str) -> Bounds {
    Bounds::of(None, None, None, None, Some(name)).unwrap()
}

proptest! {
    #[test]
    fn each_runs_once(hooks in hooks()) {
        let (arrangement, _) = arranged(&hooks);
        let order = arrangement.order(&Bounds::default()).unwrap();
        let ran: Vec<&str> = [names(&arrangement, &order.start), names(&arrangement, &order.part)].concat();
        let left = |slot: &&tapeout_flow::hooks::arrange::Slot| slot.removed_by.is_none();
        let mut there: Vec<&str> = arrangement.in_place().filter(left).map(|slot| slot.name.as_str()).collect();
        if !there.is_empty() {
            there.extend(arrangement.persistent().filter(left).map(|slot| slot.name.as_str()));
        }
        prop_assert_eq!(ran.len(), there.len());
        prop_assert_eq!(ran.into_iter().collect::<BTreeSet<_>>(), there.into_iter().collect::<BTreeSet<_>>());
        prop_assert!(order.skipped.is_empty());
    }

    #[test]
    fn a_former_name_means_the_same(hooks in hooks()) {
        let (arrangement, taken_over) = arranged(&hooks);
        for (old, new) in taken_over {
            let (old, new) = (arrangement.order(&only(&old)), arrangement.order(&only(&new)));
            match (old, new) {
                (Ok(old), Ok(new)) => prop_assert_eq!(old, new),
                (old, new) => prop_assert_eq!(old.is_err(), new.is_err()),
            }
        }
    }

    #[test]
    fn parts_make_up_the_whole(hooks in hooks(), at in any::<Index>()) {
        let (arrangement, _) = arranged(&hooks);
        let whole = arrangement.order(&Bounds::default()).unwrap();
        let all = in_place(&arrangement, &whole);
        prop_assume!(all.len() > 1);
        let cut = all[1 + at.index(all.len() - 1)];
        let before = arrangement.order(&Bounds::of(None, None, None, Some(cut), None).unwrap()).unwrap();
        let behind = arrangement.order(&Bounds::of(Some(cut), None, None, None, None).unwrap()).unwrap();
        prop_assert_eq!([in_place(&arrangement, &before), in_place(&arrangement, &behind)].concat(), all);
        prop_assert_eq!(names(&arrangement, &behind.skipped), in_place(&arrangement, &before));
        // What a persistent hook sets holds in each part behind its target.
        let ran = [&behind.start[..], &behind.part[..]].concat();
        for slot in whole.part.iter().filter(|slot| matches!(arrangement.get(**slot).runs, Runs::After(_))) {
            prop_assert!(ran.contains(slot));
        }
    }
}
