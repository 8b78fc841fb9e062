//! Placements of graywolf: each line is one cell or pad at most.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tapeout_formats::graywolf::pl1;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(placement) = pl1::parse(text) else { return };
    assert!(placement.cells.len() + placement.pads.len() <= text.lines().count());
    for placed in placement.cells.iter().chain(&placement.pads) {
        assert!(placed.left <= placed.right && placed.bottom <= placed.top && placed.orientation < 8);
    }
});
