//! Liberty: any text, and the text without its cells, which must still be a library.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tapeout_formats::liberty;

fuzz_target!(|text: &str| {
    if liberty::parse(text).is_ok() {
        let rest = liberty::without_cells(text, |_| true).expect("what reads reads once more");
        if let Ok(rest) = liberty::parse(&rest) {
            assert!(rest.cells.is_empty());
        }
    }
});
