//! The command line: a `-c` on each line, `-c --NAME` for an option of its own.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tapeout_config::{Loader, NamedOption, Value};
use tapeout_fuzz::{DESIGN, check, confine, leads_out};

const NAMES: [&str; 4] = ["SEEDS", "DESIGN_NAME", "CLOCK_PERIOD", "stages.syn.run"];

fuzz_target!(init: confine(), |text: &str| {
    if leads_out(text.as_bytes()) {
        return;
    }
    let (options, sets): (Vec<&str>, Vec<&str>) = text.split('\n').partition(|line| line.starts_with("--"));
    let options = options.into_iter().map(|option| {
        let (name, value) = option.split_once(' ').unwrap_or((option, ""));
        // The names of options are the program's.
        let variable = NAMES.into_iter().find(|known| name[2..] == **known).unwrap_or("nothing");
        NamedOption { option: "--option", variable, value: value.to_owned() }
    });
    check::configuration(Loader {
        sets: sets.into_iter().map(str::to_owned).collect(),
        options: options.collect(),
        ..Loader::from_mapping(Value::Map(Vec::new()), &*DESIGN)
    });
});
