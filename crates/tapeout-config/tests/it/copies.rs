//! Copies keep what their overrides do not concern, and work out the rest again.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::fs;

use tapeout_config::{Config, Loader};
use tapeout_model::Value;

use crate::design::Design;

const CONFIG: &str = "\
DESIGN_NAME: counter
VERILOG_FILES: [dir::src/*.v, list.f]
SEED: 3
CLOCK_PERIOD: expr::$SEED * 2
SEEDS: [1, 2]
VERILOG_DEFINES: [A]
";

fn config(design: &Design) -> Config {
    let env = vec![("PDK_ROOT".to_owned(), "pdks".to_owned())];
    design.resolve(Loader { env, ..design.loader(&["c.yaml"]) }).unwrap().0
}

fn design() -> Design {
    let design = Design::with_config("c.yaml", CONFIG);
    fs::write(design.path("list.f"), "src/alu.v +define+B\n").unwrap();
    design
}

#[test]
fn a_copy_without_overrides_is_the_same() {
    let design = design();
    let config = config(&design);
    assert_eq!(config.copy(Vec::<(String, Value)>::new()).unwrap(), config);
}

#[test]
fn what_refers_to_an_override_follows_it_and_the_rest_stays() {
    let design = design();
    let config = config(&design);
    let copy = config.copy([("SEED", 5i64)]).unwrap();
    assert_eq!((copy.int("SEED"), copy.decimal("CLOCK_PERIOD").to_string()), (5, "10".to_owned()));
    assert_eq!(copy.setting("SEED").beaten.last().unwrap().1, Value::Int(3));
    for name in ["SEEDS", "VERILOG_FILES", "VERILOG_DEFINES", "PDK_ROOT", "STRATEGY"] {
        assert_eq!(copy.setting(name), config.setting(name), "{name}");
    }
    // A copy of a copy: what the first one gave, and what it beat.
    let again = copy.copy([("SEEDS", vec![7i64])]).unwrap();
    assert_eq!((again.int("SEED"), again.decimal("CLOCK_PERIOD").to_string()), (5, "10".to_owned()));
    assert_eq!(again.get("SEEDS"), Some(&Value::from(vec![7i64])));
    // What an override gives in place of lists of files, too.
    let other = config.copy([("VERILOG_DEFINES", vec!["C"])]).unwrap();
    assert_eq!(other.strings("VERILOG_DEFINES"), ["C", "B"]);
}
