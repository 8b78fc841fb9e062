//! Resistances and capacitances of qrouter: what is read can be written as SPEF, one net for each.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tapeout_formats::{qrouter, spef};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = qrouter::log::parse(text);
    let Ok(trees) = qrouter::rc::parse(text) else { return };
    let nets: Vec<_> = trees.iter().map(spef::Net::from_tree).collect();
    for (tree, net) in trees.iter().zip(&nets) {
        assert_eq!((net.resistances.len(), net.capacitances.len()), (tree.pieces.len(), tree.pieces.len()));
    }
    let written = spef::write(&spef::Spef { design: "t".into(), nets });
    assert_eq!(written.matches("\n*END\n").count(), trees.len());
});
