//! Libraries of cells: what is read is written so that it reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tapeout_formats::lef;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(read) = lef::parse(text) else { return };
    assert_eq!(lef::parse(&lef::write(&read)).as_ref(), Ok(&read));
});
