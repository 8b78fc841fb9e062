//! What the interpreter of a Tcl configuration answers, and behind `==> script` the script that it is about.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tapeout_config::{SourceMap, TclLimits, TclScripts};
use tapeout_fuzz::schema::Parrot;
use tapeout_fuzz::{DESIGN, check, confine, sections, write};

fuzz_target!(init: confine(), |data: &[u8]| {
    let mut answer = String::new();
    let mut script = write("g.tcl", b"set ::env(A) 1\n");
    for (name, text) in sections(data, b"answer") {
        match name {
            b"answer" => answer = String::from_utf8_lossy(text).into_owned(),
            _ => script = write("g.tcl", text),
        }
    }
    let interpreter = Parrot(answer);
    let scripts = TclScripts { interpreter: &interpreter, dir: &DESIGN, roots: &[], limits: TclLimits::default() };
    let mut sources = SourceMap::new();
    match scripts.evaluate(&script, &[("GIVEN".to_owned(), "1".to_owned())], &mut sources) {
        Ok(environment) => {
            check::places(&environment.variables, &sources);
            for key in &environment.removed {
                assert!(sources.text(key.span.file).get(key.span.start..key.span.end).is_some());
            }
        }
        Err(diagnostic) => check::refusal(&[diagnostic], &sources),
    }
});
