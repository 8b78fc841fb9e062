//! GDSII files: what reads comes back from what is written of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tapeout_formats::gds;

fuzz_target!(|data: &[u8]| {
    let _ = gds::set_dates(&mut data.to_vec(), gds::Dates::default());
    let names = gds::structure_names(data);
    let Ok(library) = gds::read(data) else { return };
    assert_eq!(names.map(|names| names.len()), Ok(library.structures.len()), "structures without a name are refused");
    // A text that ends with two zeros reads, and has no place in a file of ours.
    if let Ok(written) = gds::write(&library) {
        let back = gds::read(&written).expect("what was written reads");
        assert!(back == library || format!("{library:?}").contains("NaN"), "another library comes back");
    }
});
