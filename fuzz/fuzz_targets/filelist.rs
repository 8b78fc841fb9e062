//! File lists: the first, and behind `==> b.f` another one that it may name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tapeout_config::{Loader, Value};
use tapeout_fuzz::{DESIGN, check, confine, leads_out, sections, write};

fuzz_target!(init: confine(), |data: &[u8]| {
    if leads_out(data) {
        return;
    }
    write("b.f", b"");
    for (name, text) in sections(data, b"a.f") {
        write(if name == b"a.f" { "a.f" } else { "b.f" }, text);
    }
    let given = Value::Map(vec![("VERILOG_FILES".to_owned(), Value::from(vec!["a.f"]))]);
    check::configuration(Loader {
        env: vec![("SRC".to_owned(), "src".to_owned()), ("B".to_owned(), "b.f".to_owned())],
        ..Loader::from_mapping(given, &*DESIGN)
    });
});
