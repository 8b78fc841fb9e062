//! PDKs as scripts in Tcl: what they give, how strong it is, and what configurations in Tcl see of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::fs;
use std::sync::Arc;

use tapeout_config::{Config, Loader, Schema, Type, Variable};

use crate::design::Design;
use crate::tcl::{Tclsh, has_tclsh};

fn schema() -> Schema {
    let given = |name: &'static str| Variable::new(name, Type::Str, "From the PDK.").from_pdk();
    Schema::new([
        Variable::new("PDK", Type::Str, "The PDK.").optional(),
        Variable::new("PDK_ROOT", Type::Str, "Where PDKs are.").env("PDK_ROOT").optional(),
        Variable::new("STD_CELL_LIBRARY", Type::Str, "The cells.").optional(),
        given("CELLS"),
        given("LAYERS").default("none"),
        Variable::new("DENSITY", Type::Decimal, "A number of the design.").default(1i64),
        Variable::new("SEEN", Type::Str, "What the script sees.").optional(),
    ])
    .unwrap()
}

/// Two PDKs, one of them with two libraries.
const PDKS: [(&str, &str); 5] = [
    (
        "pdks/sky/libs.tech/openlane/config.tcl",
        "if {![info exists ::env(STD_CELL_LIBRARY)]} {set ::env(STD_CELL_LIBRARY) hd}\n\
         set ::env(LAYERS) sky-layers\nset ::env(CELLS) of-the-pdk\nset ::env(DENSITY) 9\n",
    ),
    ("pdks/sky/libs.tech/openlane/hd/config.tcl", "set ::env(CELLS) $::env(PDK)-hd\n"),
    ("pdks/sky/libs.tech/openlane/hs/config.tcl", "set ::env(CELLS) $::env(PDK)-hs\n"),
    ("pdks/gf/libs.tech/librelane/config.tcl", "set ::env(STD_CELL_LIBRARY) 7t\nset ::env(LAYERS) gf-layers\n"),
    ("pdks/gf/libs.tech/librelane/7t/config.tcl", "set ::env(CELLS) gf-7t\n"),
];

fn design(files: &[(&str, &str)]) -> Design {
    let design = Design::new(&PDKS);
    for (name, text) in files {
        fs::create_dir_all(design.path(name).parent().unwrap()).unwrap();
        let text = text.replace("@PDKS@", design.path("pdks").to_str().unwrap());
        fs::write(design.path(name), text).unwrap();
    }
    design
}

fn resolve(design: &Design, file: &str, sets: &[&str]) -> Result<Config, String> {
    let root = design.path("pdks").to_str().unwrap().to_owned();
    let loader = Loader {
        sets: sets.iter().map(|&set| set.to_owned()).collect(),
        env: vec![("PDK_ROOT".to_owned(), root)],
        tcl: Some(Arc::new(Tclsh)),
        ..design.loader(&[file])
    };
    design.resolve_as(loader, &schema()).map(|(config, _)| config)
}

/// `CELLS LAYERS DENSITY`, and who gave the first two.
fn shown(config: &Config) -> String {
    let of = |name: &str| config.setting(name);
    let [cells, layers] = ["CELLS", "LAYERS"].map(|name| of(name).origin.source.to_string());
    format!("{} {} {}: {cells}, {layers}", of("CELLS").shown(), of("LAYERS").shown(), of("DENSITY").shown())
}

#[test]
fn a_library_beats_its_pdk_and_files_beat_both() {
    if !has_tclsh() {
        return;
    }
    let cases: [(&str, &[&str], &str); 8] = [
        ("PDK: sky", &[], "sky-hd sky-layers 1: cell library, PDK"),
        ("PDK: other\nPDK_ROOT: more", &["PDK_ROOT=../more"], "other-x none 1: cell library, built-in default"),
        ("PDK: other\nPDK_ROOT: more", &["PDK_ROOT=dir::../more"], "other-x none 1: cell library, built-in default"),
        ("PDK: sky\nSTD_CELL_LIBRARY: hs", &[], "sky-hs sky-layers 1: cell library, PDK"),
        ("PDK: sky", &["STD_CELL_LIBRARY=hs"], "sky-hs sky-layers 1: cell library, PDK"),
        ("PDK: sky", &["PDK=gf"], "gf-7t gf-layers 1: cell library, PDK"),
        ("PDK: sky\nCELLS: mine\nDENSITY: 2", &[], "mine sky-layers 2: file, PDK"),
        ("PDK: sky\n'pdk::gf': {LAYERS: a}\n'scl::h*': {LAYERS: b}", &[], "sky-hd b 1: cell library, file"),
    ];
    for (text, sets, expected) in cases {
        let design = design(&[
            ("d/c.yaml", text),
            ("more/other/libs.tech/openlane/config.tcl", "set ::env(STD_CELL_LIBRARY) x"),
            ("more/other/libs.tech/openlane/x/config.tcl", "set ::env(CELLS) other-x"),
        ]);
        let config = resolve(&design, "d/c.yaml", sets).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(shown(&config), expected, "{text}");
    }
}

#[test]
fn a_script_sees_the_pdk_whoever_chose_it() {
    if !has_tclsh() {
        return;
    }
    let script = "set ::env(SEEN) \"$::env(PDK) $::env(STD_CELL_LIBRARY) $::env(LAYERS)\"";
    let own = format!("set ::env(PDK) gf\nif {{$::env(PDK) ne {{}} && [info exists ::env(LAYERS)]}} {{{script}}}");
    let project = "PDK: sky\nPDK_ROOT: @PDKS@\nSTD_CELL_LIBRARY: hs\n";
    let cases: [(&str, &str, &[&str], &str); 4] = [
        ("{}", script, &["PDK=sky"], "sky hd sky-layers"),
        (project, script, &[], "sky hs sky-layers"),
        (project, script, &["STD_CELL_LIBRARY=hd"], "sky hd sky-layers"),
        ("{}", &own, &[], "gf 7t gf-layers"),
    ];
    for (project, script, sets, expected) in cases {
        let design = design(&[("tapeout.yaml", project), ("d/config.tcl", script)]);
        let config = resolve(&design, "d/config.tcl", sets).unwrap_or_else(|error| panic!("{script}: {error}"));
        assert_eq!(config.opt_str("SEEN"), Some(expected), "{project}: {script}");
    }
}

#[test]
fn pdks_that_are_not_there_or_give_too_little() {
    if !has_tclsh() {
        return;
    }
    let cases = [
        ("PDK: skyy", "error: there is no PDK `skyy` in `pdks`\n = help: did you mean `sky`?"),
        (
            "PDK: sky\nSTD_CELL_LIBRARY: hdd",
            "error: the PDK `sky` has no cell library `hdd`\n = help: did you mean `hd`?",
        ),
        ("PDK: sky\nCELLS: null", "error: `CELLS` cannot be null\n --> d/c.yaml:2:8\n"),
        (
            "PDK: bare",
            "error: `pdks/bare` is no PDK for this flow\n = help: looked for `libs.tech/librelane/config.tcl`",
        ),
        ("PDK: poor", "error: the PDK `poor` does not give all that the flow needs: `CELLS`\n"),
    ];
    for (text, expected) in cases {
        let design = design(&[
            ("d/c.yaml", text),
            ("pdks/bare/readme", ""),
            ("pdks/poor/libs.tech/openlane/config.tcl", "set ::env(STD_CELL_LIBRARY) x"),
            ("pdks/poor/libs.tech/openlane/x/config.tcl", "set ::env(OTHER) 1"),
        ]);
        let error = resolve(&design, "d/c.yaml", &[]).map(|config| shown(&config)).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn what_is_wrong_in_a_pdk_is_shown_for_a_configuration_in_tcl() {
    if !has_tclsh() {
        return;
    }
    let design = design(&[("pdks/bad/libs.tech/openlane/config.tcl", "nonsense\n"), ("c.tcl", "set ::env(SEEN) x\n")]);
    let error = resolve(&design, "c.tcl", &["PDK=bad"]).unwrap_err();
    assert!(error.contains("pdks/bad/libs.tech/openlane/config.tcl:1:1"), "{error}");
}
