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
            "error: `pdks/bare` is no PDK for this flow\n = help: looked for `pdk.toml`, `libs.tech/librelane/config.tcl`",
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

/// A manifest that the program knows, of a PDK that is found by two files.
const KNOWN: &[(&str, &str)] = &[(
    "osu",
    "doc = 'x'\ndefault_library = 'b'\n[found]\npackage = 'osu-package'\nbelow_root = ['tech/osu']\n\
     files = ['a.lef', 'b.lef']\n[tools]\nmagic = '8.3.306'\n[variables]\nLAYERS = 'known'\nDENSITY = 3\n\
     [libraries.a.variables]\nCELLS = 'of-a'\n[libraries.b.variables]\nCELLS = 'pdk_dir::a.lef'\n\
     [libraries.b.if_there]\nSEEN = 'pdk_dir::b.gds'\n",
)];

fn with_known(design: &Design, sets: &[&str]) -> Result<Config, String> {
    let root = format!("PDK_ROOT={}", design.path("pdks").to_str().unwrap());
    let sets = sets.iter().map(|set| (*set).to_owned()).chain([root]).collect();
    let loader = Loader { sets, pdks: KNOWN, ..design.loader(&["d/c.yaml"]) };
    design.resolve_as(loader, &schema().needing_pdk()).map(|(config, _)| config)
}

#[test]
fn a_manifest_gives_what_scripts_would_and_more() {
    let design = design(&[("d/c.yaml", "SEEN: x"), ("pdks/tech/osu/a.lef", ""), ("pdks/tech/osu/b.lef", "")]);
    let config = with_known(&design, &["PDK=osu"]).unwrap();
    // Its values are for any variable.
    let cells = design.path("pdks/tech/osu/a.lef").display().to_string();
    assert_eq!(shown(&config), format!("{cells} known 3: cell library, PDK"));
    assert_eq!(config.opt_str("STD_CELL_LIBRARY"), Some("b"));
    assert_eq!(config.pdk().unwrap().tools, [("magic".to_owned(), "8.3.306".to_owned())]);
    let other = with_known(&design, &["PDK=osu", "STD_CELL_LIBRARY=a"]).unwrap();
    assert_eq!(shown(&other), "of-a known 3: cell library, PDK");
    // A PDK with a manifest of its own beats one of that name that the program knows.
    fs::create_dir_all(design.path("pdks/osu")).unwrap();
    fs::write(design.path("pdks/osu/pdk.toml"), "[libraries.own.variables]\nCELLS = 'own'\n").unwrap();
    assert_eq!(shown(&with_known(&design, &["PDK=osu"]).unwrap()), "own none 1: cell library, built-in default");
}

#[test]
fn what_is_given_if_it_is_there_is_given_only_then() {
    let design = design(&[("d/c.yaml", "{}"), ("pdks/osu/a.lef", ""), ("pdks/osu/b.lef", "")]);
    assert_eq!(with_known(&design, &["PDK=osu"]).unwrap().opt_str("SEEN"), None);
    fs::write(design.path("pdks/osu/b.gds"), "").unwrap();
    let gds = design.path("pdks/osu/b.gds").display().to_string();
    assert_eq!(with_known(&design, &["PDK=osu"]).unwrap().opt_str("SEEN"), Some(gds.as_str()));
}

#[test]
fn a_pdk_that_is_nowhere_is_said_to_be_once() {
    let design = design(&[("d/c.yaml", "{}"), ("pdks/osu/a.lef", ""), ("pdks/bad/pdk.toml", "[libraries]\nx = 1")]);
    let cases = [
        (
            "PDK=osu",
            "error: the PDK `osu` is not there: `a.lef` is not in `pdks/osu`, `pdks/tech/osu`\n = help: apt-get install \
             osu-package; or say with `--pdk-root DIR` where it is",
        ),
        ("PDK=osuu", "error: there is no PDK `osuu` in `pdks`\n = help: did you mean `osu`?"),
        ("PDK=bad", "error: the library `x` must be a table, not an integer\n --> pdks/bad/pdk.toml:2:5"),
    ];
    for (set, expected) in cases {
        let error = with_known(&design, &[set]).map(|config| shown(&config)).unwrap_err();
        assert!(error.starts_with(expected) && error.matches("error:").count() == 1, "{set}: {error}");
    }
    let none = Loader { pdks: KNOWN, ..design.loader(&["d/c.yaml"]) };
    let error = design.resolve_as(none, &schema().needing_pdk()).map(|(config, _)| shown(&config)).unwrap_err();
    assert!(error.starts_with("error: the flow needs a PDK, which gives `CELLS` and others, and none"), "{error}");
}
