//! Stream-out and sign-off of a small routed design with the real tools: what they make, that it is the same twice, and
//! that seeded errors are found. The cells are Debian's (`qflow-tech-osu035`), which come without layouts: those are taken
//! from the directory in `TAPEOUT_OSU_GDS`, if there is one.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs itself, says what it skips, and fails by panic"
)]

mod support;

use std::path::Path;

use serde_json::Value;
use support::{TestSpace, has};

const PDK: &str = "/usr/share/qflow/tech/osu035";
const DEF: &str = include_str!("data/pair.def");
const CDL: &str = include_str!("data/pair.cdl");

/// As the layers are numbered in `SCN4M_SUBM.20.tech`.
const LAYERS: &str = "\
metal1 NET,SPNET,PIN,VIA,LEFPIN,LEFOBS 49 0
via1 NET,SPNET,PIN,VIA,LEFPIN,LEFOBS 50 0
metal2 NET,SPNET,PIN,VIA,LEFPIN,LEFOBS 51 0
via2 NET,SPNET,PIN,VIA,LEFPIN,LEFOBS 61 0
metal3 NET,SPNET,PIN,VIA,LEFPIN,LEFOBS 62 0
via3 NET,SPNET,PIN,VIA,LEFPIN,LEFOBS 30 0
metal4 NET,SPNET,PIN,VIA,LEFPIN,LEFOBS 31 0
";

const STEPS: [&str; 16] = [
    "Magic.StreamOut",
    "KLayout.StreamOut",
    "KLayout.Render",
    "Magic.WriteLEF",
    "KLayout.XOR",
    "Checker.XOR",
    "Magic.DRC",
    "KLayout.DRC",
    "Checker.MagicDRC",
    "Checker.KLayoutDRC",
    "Magic.SpiceExtraction",
    "Checker.IllegalOverlap",
    "Netgen.LVS",
    "KLayout.LVS",
    "Checker.LVS",
    "Misc.ReportManufacturability",
];

/// Whether the tools and the cells are here.
fn can_run() -> bool {
    let there = Path::new(PDK).is_dir();
    if !there {
        println!("skipped: no {PDK}");
    }
    there && has(&["magic", "klayout", "netgen-lvs"])
}

/// A design in a directory of its own.
fn design(def: &str, cdl: &str, steps: &[&str]) -> TestSpace {
    let file = |name: &str| format!("{PDK}/{name}");
    let config = serde_json::json!({
        "meta": {"version": 2, "flow": steps},
        "DESIGN_NAME": "pair",
        "DEFAULT_CORNER": "nom_tt_025C_3v30",
        "TECH_LEFS": {"*": file("osu035_stdcells.lef")},
        "CELL_LEFS": [file("osu035_stdcells.lef")],
        "CELL_GDS": [],
        "CELL_SPICE_MODELS": [file("osu035_stdcells.sp")],
        "MAGICRC": file("osu035.magicrc"),
        "MAGIC_TECH": file("SCN4M_SUBM.20.tech"),
        "NETGEN_SETUP": file("osu035_setup.tcl"),
        "KLAYOUT_DEF_LAYER_MAP": "dir::layers.map",
        "PRIMARY_GDSII_STREAMOUT_TOOL": "magic",
    });
    TestSpace::with(&[
        ("config.json", &config.to_string()),
        ("layers.map", LAYERS),
        ("pair.def", def),
        ("pair.cdl", cdl),
    ])
}

fn run(space: &TestSpace, more: &[&str]) -> support::Ran {
    space.tapeout(&[&["run", "config.json", "-e", "def=pair.def", "-e", "cdl=pair.cdl"], more].concat())
}

fn metrics(space: &TestSpace, names: &[&str]) -> Vec<Value> {
    let summary = space.summary();
    names.iter().map(|name| summary["metrics"][name].clone()).collect()
}

const IN_ORDER: [&str; 4] = [
    "magic__drc_error__count",
    "magic__illegal_overlap__count",
    "design__lvs_error__count",
    "design__xor_difference__count",
];

#[test]
fn cells_without_layouts_are_black_boxes_and_two_runs_give_the_same_files() {
    if !can_run() {
        return;
    }
    let space = design(DEF, CDL, &STEPS);
    run(&space, &[]).exits(0).prints(&["this GDS cannot be manufactured: 5 kinds of cells have no layout"]);
    assert_eq!(metrics(&space, &IN_ORDER), [0, 0, 0, 0]);
    assert_eq!(metrics(&space, &["design__gds__abstract_cells"]), [5]);
    assert_eq!(space.status("KLayout.DRC"), "not_checked");
    assert_eq!(space.status("Checker.LVS"), "done");
    let report = space.read_of("misc-reportmanufacturability", "manufacturability.rpt");
    assert!(report.contains("\nLVS: in order\n") && report.contains("\nLayouts of cells: NOT in order\n"), "{report}");
    let lef = space.read("runs/default/final/lef/pair.lef");
    assert!(lef.contains("SIZE 107.200 BY 52.000 ;") && lef.contains("\n  OBS\n    LAYER metal1 ;\n"), "{lef}");

    let views =
        ["gds/pair.gds", "klayout_gds/pair.klayout.gds", "mag/pair.layout.mag", "lef/pair.lef", "render/pair.png"];
    let all = |space: &TestSpace| views.map(|view| space.bytes(&format!("runs/default/final/{view}")));
    let first = all(&space);
    run(&space, &["--fresh"]).exits(0);
    for (view, (first, second)) in views.iter().zip(first.iter().zip(&all(&space))) {
        assert!(first == second, "{view} is another one the second time");
    }
}

#[test]
fn wires_that_are_too_close_are_found() {
    if !can_run() {
        return;
    }
    let stripes = "SPECIALNETS 7 ;\n- s1\n+ FIXED metal2 600 ( 2000 10000 ) ( * 40000 )\n ;\n\
                   - s2\n+ FIXED metal2 600 ( 3000 10000 ) ( * 40000 )\n ;\n";
    let space =
        design(&DEF.replace("SPECIALNETS 5 ;\n", stripes), CDL, &["Magic.StreamOut", "Magic.DRC", "Checker.MagicDRC"]);
    let rule = "design rules are violated: Metal2 spacing < 3 (Mosis #9.2) (×1)";
    run(&space, &[]).exits(1).prints(&[rule]).says(&["Checker.MagicDRC: violations of design rules by Magic: 1"]);
    assert_eq!(space.read_of("magic-drc", "drc.rpt").lines().count(), 4);
}

#[test]
fn a_netlist_that_the_layout_is_not_is_found() {
    if !can_run() {
        return;
    }
    let steps = ["Magic.SpiceExtraction", "Netgen.LVS", "Checker.LVS"];
    let inverted = CDL.replace("Xu5_BUFX2 vdd gnd n9 n12", "Xu5_BUFX2 vdd gnd n12 n9");
    let space = design(DEF, &inverted, &steps);
    let words = "of `pair` in the layout has no counterpart; the net `n";
    run(&space, &[]).exits(1).prints(&[words]).says(&["Checker.LVS: differences between layout and netlist"]);
    // Netgen itself calls these matching.
    space.write("pair.cdl", CDL.replace(" z ", " q "));
    let words = "the pin `z` of `pair` in the layout is `q` in the netlist";
    run(&space, &[]).exits(1).prints(&[words]).says(&["Checker.LVS: differences between layout and netlist: 1\n"]);
}

#[test]
fn a_cell_that_no_lef_has_is_named() {
    if !can_run() {
        return;
    }
    let space = design(&DEF.replace(" NAND2X1 +", " NANDX +"), CDL, &["Magic.StreamOut"]);
    run(&space, &[])
        .exits(5)
        .says(&["Cell NANDX is not defined", "try: a cell of the layout is in none of `CELL_LEFS`"]);
}

#[test]
fn with_the_layouts_of_the_cells_the_gds_is_whole_and_its_transistors_are_the_netlist() {
    if !can_run() {
        return;
    }
    let Ok(folder) = std::env::var("TAPEOUT_OSU_GDS") else {
        println!("skipped: TAPEOUT_OSU_GDS does not name the directory with the layouts of the OSU cells");
        return;
    };
    let space = design(DEF, CDL, &STEPS);
    let layouts = format!("CELL_GDS=[\"{folder}/osu035_stdcells.gds2\"]");
    run(&space, &["-c", &layouts, "-c", "MAGIC_EXT_USE_GDS=true"]).exits(0);
    assert_eq!(metrics(&space, &IN_ORDER), [0, 0, 0, 0]);
    assert_eq!(metrics(&space, &["design__gds__abstract_cells"]), [0]);
    assert!(space.read("runs/default/final/spice/pair.spice").contains(" nfet "));
    let report = space.read_of("misc-reportmanufacturability", "manufacturability.rpt");
    assert!(report.contains("\nLayouts of cells: in order\n"), "{report}");
}
