//! Values that refer to others, and sections for some PDKs.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use tapeout_config::{Config, Loader, Schema, Type, Variable};
use tapeout_model::Value;

use crate::design::Design;

/// Variables that take anything, so that what references make of values is seen as it is.
fn anything(names: &[&'static str]) -> Schema {
    Schema::new(names.iter().map(|name| Variable::new(*name, Type::Any, "A value.").optional())).unwrap()
}

const NAMES: [&str; 8] = ["A", "B", "C", "D", "M", "PDK", "PDK_ROOT", "STD_CELL_LIBRARY"];

fn load(text: &str, sets: &[&str]) -> Result<(Design, Config), String> {
    let design = Design::with_config("c.yaml", text);
    let loader = Loader { sets: sets.iter().map(|&set| set.to_owned()).collect(), ..design.loader(&["c.yaml"]) };
    let config = design.resolve_as(loader, &anything(&NAMES))?.0;
    Ok((design, config))
}

fn value(text: &str, sets: &[&str], name: &str) -> String {
    let (design, config) = load(text, sets).unwrap_or_else(|error| panic!("{error}"));
    design.strip(&config.get(name).map_or("(none)".to_owned(), Value::to_string))
}

fn refused(text: &str, sets: &[&str]) -> String {
    match load(text, sets) {
        Ok((_, config)) => panic!("accepted as {config:?}"),
        Err(error) => error,
    }
}

#[test]
fn references_take_what_stands_above_or_is_stronger() {
    let cases: [(&str, &[&str], &str); 15] = [
        ("B: text\nA: ref::$B", &[], "text"),
        ("B: text\nA: ref::$B/x.v", &[], "text/x.v"),
        ("B: ~\nA: ref::$B", &[], "(none)"),
        ("B: 40\nA: expr::($B + 10.0)", &[], "50.0"),
        ("B: 40\nA: expr::$B\nC: 1\npdk::x: {B: 3}", &[], "40"),
        // A layer that is stronger than the file replaces what the file gives.
        ("B: 40\nA: expr::$B / 2", &["B=5"], "2.5"),
        ("A: expr::$B / 2", &["B=5"], "2.5"),
        ("B: 2\nA: expr::$B * 3", &["A=expr::$A + 1"], "7"),
        ("M: {a: [1, {b: 7}], c: 'expr::$M.a[1].b * 2'}\nA: expr::$M.c", &[], "14"),
        ("M.a: 3\nA: expr::$M.a", &[], "3"),
        ("B: true\nA: expr::$B + 1", &[], "2"),
        ("A: dir::src/*.v", &[], r#"["src/alu.v","src/counter.v"]"#),
        ("A: [dir::src/*.v, plain, ~]", &[], r#"[["src/alu.v","src/counter.v"],"plain"]"#),
        ("A: refg::$DESIGN_DIR/src/c*.v", &[], r#"["src/counter.v"]"#),
        ("B: nowhere\nA: refg::$B", &[], r#"["nowhere"]"#),
    ];
    for (text, sets, expected) in cases {
        assert_eq!(value(text, sets, "A"), expected, "{text} {sets:?}");
    }
}

#[test]
fn sections_hold_for_the_pdk_and_its_library_only() {
    let text = "
PDK: sky130A
STD_CELL_LIBRARY: sky130_fd_sc_hd
A: 1
pdk::sky130*:
  A: 2
  scl::*_hd: {A: 3, B: in}
  scl::*_hs: {A: 4}
pdk::gf180*: {A: 5}
C: ref::$B
D: pdk_dir::x.lef
PDK_ROOT: /pdks
";
    assert_eq!(value(text, &[], "A"), "3");
    assert_eq!(value(text, &[], "C"), "in");
    assert_eq!(value(text, &[], "D"), r#"["/pdks/sky130A/x.lef"]"#);
    assert_eq!(value(text, &["STD_CELL_LIBRARY=sky130_fd_sc_hs", "B=x"], "A"), "4");
    assert_eq!(value(text, &["PDK=gf180mcuD", "B=x"], "A"), "5");
    assert!(refused("pdk::x: 5", &[]).starts_with("error: the section `pdk::x` must be a map, not an integer"));
}

#[test]
fn references_that_lead_nowhere() {
    let cases: [(&str, &[&str], &str); 9] = [
        (
            "A: ref::$B\nB: x",
            &[],
            "\
error: `B` is given only below
 --> c.yaml:1:4
  |
1 | A: ref::$B
  |    ^^^^^^^ refers to it
2 | B: x
  | - given here
  |
  = help: a reference sees what stands above it: move one of the two",
        ),
        (
            "A: expr::$B + 1\nB: expr::$C * 2\nC: ['expr::$A']",
            &[],
            "\
error: references go round in a circle: `A` → `B` → `C` → `A`
 --> c.yaml:1:4
  |
1 | A: expr::$B + 1
  |    ^^^^^^^^^^^^ begins here
2 | B: expr::$C * 2
  |    ------------ leads on
3 | C: ['expr::$A']
  |    ------------ leads on
  |
  = help: give one of them a value of its own",
        ),
        (
            "B: 1\nA: expr::$B",
            &["B=expr::$A"],
            "\
error: references go round in a circle: `A` → `B` → `A`
 --> c.yaml:2:4
  |
2 | A: expr::$B
  |    ^^^^^^^^ begins here
  |
 ::: <command line>:1:6
  |
1 | -c B=expr::$A
  |      -------- leads on
  |
  = help: give one of them a value of its own",
        ),
        (
            "B: 4\nA: ref::$B",
            &[],
            "\
error: `ref::` takes text, and `B` is an integer
 --> c.yaml:2:4
  |
1 | B: 4
  |    - an integer
2 | A: ref::$B
  |    ^^^^^^^ used here
  |
  = help: for a number write `expr::$B`",
        ),
        (
            "B: four\nA: expr::$B",
            &[],
            "\
error: an expression takes numbers, and `B` is a string
 --> c.yaml:2:10
  |
1 | B: four
  |    ---- a string
2 | A: expr::$B
  |          ^^ used here",
        ),
        (
            "A: ref::$DESIGN_DRI/x",
            &[],
            "\
error: there is no value `DESIGN_DRI` to refer to
 --> c.yaml:1:4
  |
1 | A: ref::$DESIGN_DRI/x
  |    ^^^^^^^^^^^^^^^^^^ refers to it
  |
  = help: did you mean `$DESIGN_DIR`?",
        ),
        (
            "A: ref::B",
            &[],
            "\
error: `ref::B` refers to nothing
 --> c.yaml:1:4
  |
1 | A: ref::B
  |    ^^^^^^ expected `$` and a name
  |
  = help: write for instance `ref::$DESIGN_DIR/src`",
        ),
        (
            "A: pdk_dir::x",
            &[],
            "\
error: `pdk_dir::` stands for `$PDKPATH`, and no PDK is chosen
 --> c.yaml:1:4
  |
1 | A: pdk_dir::x
  |    ^^^^^^^^^^ used here
  |
  = help: choose one with `--pdk NAME` and `--pdk-root DIR`",
        ),
        (
            "A: expr::1 / 0",
            &[],
            "\
error: `1 / 0` divides by zero
 --> c.yaml:1:10",
        ),
    ];
    for (text, sets, expected) in cases {
        let error = refused(text, sets);
        assert!(error.starts_with(expected), "{text}:\n{error}");
    }
}

#[test]
fn long_chains_and_crowds_of_references_end() {
    let names: Vec<String> = (0..300).map(|n| format!("K{n}")).collect();
    let chain: String = (1..300).map(|n| format!("K{n}: expr::$K{} + 1\n", n - 1)).collect();
    let schema =
        Schema::new(names.iter().map(|name| Variable::new(name.clone(), Type::Any, "A value.").optional())).unwrap();
    let design = Design::with_config("c.yaml", &format!("K0: 1\n{chain}"));
    let config = design.resolve_as(design.loader(&["c.yaml"]), &schema).unwrap().0;
    assert_eq!(config.get("K299").unwrap().to_string(), "300");
    // Each value needs the two before it: without memory this would take 2^90 steps.
    let doubled: String = (1..90).map(|n| format!(", 'expr::($M[{}] + $M[{}]) / 2'", n - 1, n - 1)).collect();
    assert_eq!(value(&format!("M: [1{doubled}]\nA: expr::$M[89]"), &[], "A"), "1");
    // Many paths in one text, which need each other across files.
    let many = |name: &str, of: &str| format!("meta: {{version: 1}}\n{name}: ref::${of} ref::${of}\n");
    let design = Design::new(&[("a.yaml", &many("A", "B")), ("b.yaml", &many("B", "A"))]);
    let error = design.resolve_as(design.loader(&["a.yaml", "b.yaml"]), &anything(&NAMES)).map(|_| ()).unwrap_err();
    assert!(error.starts_with("error: references go round in a circle: `A` → `B` → `A`"), "{error}");
    let crowd: String = (1..60).map(|n| format!("K{n}: ref::$K{} ref::$K{}\n", n - 1, n - 1)).collect();
    let design = Design::with_config("c.yaml", &format!("meta: {{version: 1}}\nK0: a\n{crowd}"));
    let error = design.resolve_as(design.loader(&["c.yaml"]), &schema).map(|_| ()).unwrap_err();
    assert!(error.starts_with("error: `ref::` takes text, and `K1` is a list"), "{error}");
}
