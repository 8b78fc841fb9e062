//! RAD-Gen's command line: one word a line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tapeout_config::SourceMap;
use tapeout_fuzz::{DESIGN, check, confine};
use tapeout_radgen::{Request, Surroundings, resolve};

fuzz_target!(init: confine(), |data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let words: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut sources = SourceMap::new();
    let surroundings = Surroundings { dir: DESIGN.to_path_buf(), env: Vec::new() };
    match resolve(&words, &surroundings, &mut sources) {
        Ok(Request::Help(_)) => {}
        Ok(Request::Run(resolved)) => {
            // What was resolved can be given by one command line, which comes to the same.
            let line = resolved.to_command_line();
            match resolve(&line, &surroundings, &mut SourceMap::new()) {
                Ok(Request::Run(again)) => assert_eq!(again.to_json(), resolved.to_json(), "{line:?}"),
                _ => panic!("{line:?} is refused"),
            }
        }
        Err(diagnostics) => check::refusal(&diagnostics, &sources),
    }
});
