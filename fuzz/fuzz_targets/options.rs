//! The command line: a `-c` on each line, `-c --NAME` for an option of its own.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tapeout_config::{GivenOption, Loader, Options, Value};
use tapeout_fuzz::{DESIGN, check, confine, leads_out};

fuzz_target!(init: confine(), |text: &str| {
    if leads_out(text.as_bytes()) {
        return;
    }
    let (options, sets): (Vec<&str>, Vec<&str>) = text.split('\n').partition(|line| line.starts_with("--"));
    let mut given = Options::default();
    for option in options {
        let mut words = option.split(' ');
        let name = words.next().unwrap_or_default();
        let start = given.text.len();
        given.text.push_str(option);
        let mut at = start + name.len();
        let words = words.map(|word| {
            at += 1;
            let place = at..at + word.len();
            at = place.end;
            (word.to_owned(), place)
        });
        let words = words.collect();
        given.given.push(GivenOption { name: name[2..].to_owned(), at: start..start + name.len(), words });
        given.text.push(' ');
    }
    check::configuration(Loader {
        sets: sets.into_iter().map(str::to_owned).collect(),
        options: Some(given),
        ..Loader::from_mapping(Value::Map(Vec::new()), &*DESIGN)
    });
});
