//! JSON files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tapeout_fuzz::{check, confine, write};

fuzz_target!(init: confine(), |data: &[u8]| check::file(&write("c.json", data)));
