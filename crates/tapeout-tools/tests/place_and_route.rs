//! Graywolf and qrouter on cells of Debian's osu035: a small netlist is placed and routed, what cannot be routed is named,
//! and all of it comes out the same again.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use libtest_mimic::{Arguments, Trial};
use tapeout_config::{Loader, SourceMap};
use tapeout_engine::{Engine, Options, Toolbox};
use tapeout_flow::{
    Again, Completed, Ended, Failure, InitialState, Plan, Run, Session, Step, StepCx, StepInfo, StepResult,
};
use tapeout_formats::def::{self, Def, Status};
use tapeout_formats::{lef, spef};

const TECH: &str = "/usr/share/qflow/tech/osu035/osu035_stdcells.lef";
/// Database units of a micrometre.
const UNITS: i64 = 1000;
/// Sites, rows and the room around them, in database units. Sites are on the tracks of metal2.
const SITE: i64 = 1600;
const ROW: i64 = 20_000;
const MARGIN: i64 = 16_000;

/// A netlist of gates in a long row, each of which takes what two before it give: JSON as Yosys writes it.
fn netlist(gates: usize) -> String {
    let mut cells = String::new();
    // The bits 2 to 9 are the inputs.
    for gate in 0..gates {
        let (a, b, y) = (2 + gate, 2 + (gate * 7 + 3) % (gate + 8), 10 + gate);
        let cell = ["NAND2X1", "NOR2X1", "XOR2X1"][gate % 3];
        let comma = if gate == 0 { "" } else { "," };
        let _ = write!(
            cells,
            r#"{comma}"$g{gate}": {{"hide_name": 1, "type": "{cell}", "connections": {{"A": [{a}], "B": [{b}], "Y": [{y}]}}}}"#
        );
    }
    let outputs: Vec<String> = (10 + gates - 4..10 + gates).map(|bit| bit.to_string()).collect();
    format!(
        r#"{{"modules": {{"top": {{"ports": {{
            "a": {{"direction": "input", "bits": [2, 3, 4, 5, 6, 7, 8, 9]}},
            "left": {{"direction": "output", "bits": [{}]}}}}, "cells": {{{cells}}}}}}}}}"#,
        outputs.join(", ")
    )
}

/// A floorplan of so many rows and sites, with the pins on the left and on top.
fn floorplan(gates: usize, rows: i64, sites: i64) -> String {
    let json = netlist(gates);
    let netlist = tapeout_formats::netlist::Netlist::from_yosys(&json, "top", &["vdd", "gnd"]).unwrap();
    let (width, height) = (sites * SITE + 2 * MARGIN, rows * ROW + 2 * MARGIN);
    let mut text = format!(
        "VERSION 5.6 ;\nDIVIDERCHAR \"/\" ;\nBUSBITCHARS \"[]\" ;\nDESIGN top ;\nUNITS DISTANCE MICRONS {UNITS} ;\n\
         DIEAREA ( 0 0 ) ( {width} {height} ) ;\n"
    );
    for row in 0..rows {
        let (y, turned) = (MARGIN + row * ROW, if row % 2 == 0 { "N" } else { "FS" });
        let _ = writeln!(text, "ROW row_{row} core {MARGIN} {y} {turned} DO {sites} BY 1 STEP {SITE} 0 ;");
    }
    for (axis, layer, start, step, end) in [
        ('Y', "metal1", 1000, 2000, height),
        ('X', "metal2", 800, 1600, width),
        ('Y', "metal3", 1000, 2000, height),
        ('X', "metal4", 1600, 3200, width),
    ] {
        let count = (end - start) / step;
        let _ = writeln!(text, "TRACKS {axis} {start} DO {count} STEP {step} LAYER {layer} ;");
    }
    let _ = writeln!(text, "COMPONENTS {} ;", netlist.instances.len());
    for instance in &netlist.instances {
        let _ = writeln!(text, "- {} {} ;", instance.name, instance.cell);
    }
    let _ = writeln!(text, "END COMPONENTS\nPINS {} ;", netlist.ports.len());
    for (index, port) in (0..).zip(&netlist.ports) {
        let (direction, layer, x, y) = if port.name.starts_with('a') {
            ("INPUT", "metal3", 800, 1000 + MARGIN + (index + 1) * 6000)
        } else {
            let x = 800 + MARGIN / 1600 * 1600 + (index - 6) * 9600;
            ("OUTPUT", "metal2", x, (height - 1000) / 2000 * 2000 - 1000)
        };
        let net = match port.signal {
            tapeout_formats::netlist::Signal::Net(net) => netlist.net(net),
            other => panic!("{other:?}"),
        };
        let _ = writeln!(
            text,
            "- {} + NET {net} + DIRECTION {direction} + LAYER {layer} ( -300 -300 ) ( 300 300 ) + PLACED ( {x} {y} ) N ;",
            port.name
        );
    }
    let _ = writeln!(text, "END PINS\nNETS {} ;", netlist.nets.len());
    for (name, ends) in netlist.nets.iter().zip(netlist.ends()) {
        let _ = write!(text, "- {name}");
        for end in ends {
            let _ = match end {
                tapeout_formats::netlist::End::Port(port) => write!(text, " ( PIN {} )", netlist.ports[port].name),
                tapeout_formats::netlist::End::Pin(instance, pin) => {
                    let instance = &netlist.instances[instance];
                    write!(text, " ( {} {} )", instance.name, instance.pins[pin].name)
                }
            };
        }
        text.push_str(" ;\n");
    }
    text.push_str("END NETS\nEND DESIGN\n");
    text
}

/// Puts the cells of each row side by side on sites, in their order: what routing needs of a legaliser.
struct Rows;

impl Step for Rows {
    fn info(&self) -> StepInfo {
        StepInfo::new("Test.Rows", "Rows", "Puts cells on sites.", "1").needs("def").makes(&["def"])
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let view = cx.view_file("def")?;
        let mut def = def::parse(&cx.output_text(&view)?).unwrap();
        let lef = lef::parse(&fs::read_to_string(TECH).unwrap()).unwrap();
        for row in def.rows.clone() {
            let in_row = def.components.iter_mut().filter(|c| c.placement.unwrap().at.y == row.at.y);
            let mut cells: Vec<_> = in_row.collect();
            cells.sort_by_key(|cell| cell.placement.unwrap().at.x);
            let mut site = 0;
            let count = cells.len() as i64;
            for (index, cell) in (0..).zip(cells) {
                let placement = cell.placement.as_mut().unwrap();
                assert_eq!((placement.status, placement.at.x >= MARGIN), (Status::Placed, true));
                let width = (lef.cell(&cell.cell).unwrap().size.x * 1000.0) as i64 / SITE;
                site = site.max(index * row.count.x / count - width / 2);
                placement.at.x = row.at.x + site * SITE;
                site += width;
            }
            assert!(site <= row.count.x, "the row is too short: {site} of {}", row.count.x);
        }
        let written = cx.write("top.def", def::write(&def).as_bytes())?;
        let result = StepResult { written: vec![written], ..StepResult::default() };
        Ok(result.view("def", "top.def"))
    }
}

fn run(dir: &Path, gates: usize, rows: i64, sites: i64, more: &str) -> Ended {
    run_on(dir, gates, &floorplan(gates, rows, sites), more)
}

fn run_on(dir: &Path, gates: usize, floorplan: &str, more: &str) -> Ended {
    let config = format!(
        "meta: {{version: 2, flow: [Graywolf.Place, Test.Rows, Qrouter.Route, Qrouter.Parasitics]}}\nDESIGN_NAME: top\n\
         PDK: osu035\nVERILOG_FILES: []\n{more}"
    );
    fs::write(dir.join("config.yaml"), config).unwrap();
    fs::write(dir.join("top.json"), netlist(gates)).unwrap();
    fs::write(dir.join("top.def"), floorplan).unwrap();
    let mut registry = tapeout_tools::registry();
    registry.add_step(Rows);
    let loader = Loader { files: vec![dir.join("config.yaml")], pdks: tapeout_tools::pdk::PDKS, ..Loader::default() };
    let views = ["json", "def"].map(|format| (format.to_owned(), dir.join(format!("top.{format}"))));
    let (initial, errors) = InitialState::read(&[], &views, dir);
    assert!(errors.is_empty(), "{errors:?}");
    let plan = Plan::load_from(&registry, loader, None, initial, &mut SourceMap::new());
    let plan = plan.unwrap_or_else(|errors| panic!("{errors:#?}"));
    let toolbox = Toolbox::new(registry.tools().cloned(), plan.config.tools());
    let engine = Engine::open(dir, toolbox, Options::cores(2)).unwrap();
    Run::new(&plan, &engine, "default").unwrap().execute(|_| Again::No, |_, _| ()).unwrap()
}

/// The one file that a step wrote with this ending.
fn file(ended: &Ended, step: &str, ending: &str) -> String {
    let step = ended.summary.steps.iter().find(|known| known.id == step).unwrap();
    let dir = ended.dir.join(&step.dir);
    let mut files = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.to_string_lossy().ends_with(ending)).unwrap_or_else(|| {
        panic!("no {ending} in {}", dir.display());
    });
    fs::read_to_string(file).unwrap()
}

fn metric(ended: &Ended, name: &str) -> f64 {
    ended.summary.metrics.get(name).and_then(|metric| metric.as_f64()).unwrap_or_else(|| panic!("no {name}"))
}

fn a_netlist_is_placed_and_routed_the_same_each_time() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let runs = dirs.each_ref().map(|dir| run(dir.path(), 60, 4, 90, ""));
    for ended in &runs {
        assert_eq!(ended.failures.len(), 0, "{:#?}", ended.failures);
        assert_eq!(metric(ended, "route__net__failed__count"), 0.0);
        assert!(metric(ended, "route__wirelength") > 1000.0 && metric(ended, "route__vias") > 100.0);
    }
    for (step, ending) in [
        ("Graywolf.Place", ".def"),
        ("Qrouter.Route", "qrouter.def"),
        ("Qrouter.Route", ".rc"),
        ("Qrouter.Parasitics", ".spef"),
    ] {
        assert!(file(&runs[0], step, ending) == file(&runs[1], step, ending), "{step}: {ending} differs");
    }
    let placed: Def = def::parse(&file(&runs[0], "Graywolf.Place", ".def")).unwrap();
    // Cells with pins on the left are nearer to it than the others are.
    let mean = |cells: &[i64]| cells.iter().sum::<i64>() / cells.len() as i64;
    let near: BTreeSet<&str> = (placed.nets.iter().filter(|net| net.name.starts_with("a[")))
        .flat_map(|net| net.pins.iter().filter_map(|pin| pin.instance.as_deref()))
        .collect();
    let (near, far): (Vec<_>, Vec<_>) = placed.components.iter().partition(|cell| near.contains(cell.name.as_str()));
    let x =
        |cells: Vec<&def::Component>| mean(&cells.iter().map(|cell| cell.placement.unwrap().at.x).collect::<Vec<_>>());
    let (near, far) = (x(near), x(far));
    assert!(near < far, "{near} {far}");
    let spef = file(&runs[0], "Qrouter.Parasitics", ".spef");
    assert!(spef.contains("\n*D_NET a[0] ") && spef.contains("\n*P left[3] O\n"), "{spef}");
    assert_eq!(spef.lines().next(), spef::write(&spef::Spef::default()).lines().next());
}

fn nets_without_a_way_are_named() {
    let dir = tempfile::tempdir().unwrap();
    // Half a site beside the tracks, some pins of cells have no place for a via.
    let off_tracks = &floorplan(60, 4, 90).replace(&format!("core {MARGIN} "), &format!("core {} ", MARGIN + SITE / 2));
    let ended = run_on(dir.path(), 60, off_tracks, "");
    let route = ended.summary.steps.iter().find(|step| step.id == "Qrouter.Route").unwrap();
    let reason = route.reason.as_deref().unwrap_or_default();
    assert!(reason.contains(" of 64 nets are not routed: `n"), "{route:#?}");
    assert!(route.hint.as_deref().is_some_and(|hint| hint.contains("`FP_CORE_UTIL`")), "{route:#?}");
    assert!(metric(&ended, "route__net__failed__count") > 0.0);
}

fn pins_that_cannot_be_reached_are_named_though_the_router_says_nothing_failed() {
    let dir = tempfile::tempdir().unwrap();
    let ended = run(dir.path(), 60, 4, 90, "RT_MAX_LAYER: metal2\n");
    let message = &ended.failures[0].1.message;
    assert!(message.contains("8 pins of the design lie on metal3: `a[0]`, "), "{message}");

    // Without a shape, a pin is nowhere.
    let dir = tempfile::tempdir().unwrap();
    let plan = floorplan(60, 4, 90);
    let begin = plan.find("- a[7] ").unwrap();
    let end = begin + plan[begin..].find('\n').unwrap();
    let plan = format!("{}- a[7] + NET a[7] + DIRECTION INPUT ;{}", &plan[..begin], &plan[end..]);
    let ended = run_on(dir.path(), 60, &plan, "");
    let failure = &ended.failures[0].1;
    assert!(failure.message.contains("could not use all of its input"), "{failure:#?}");
    assert!(failure.words.iter().any(|word| word.contains("Pin a[7] is defined outside")), "{failure:#?}");
    assert!(failure.hint.as_deref().is_some_and(|hint| hint.contains("RT_MAX_LAYER")), "{failure:#?}");
}

fn a_cell_that_lef_does_not_have_is_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("less.lef"), fs::read_to_string(TECH).unwrap().replace("XOR2X1", "YOR2X1")).unwrap();
    let ended = run(dir.path(), 10, 2, 40, "CELL_LEFS: [less.lef]\nTECH_LEFS: {'*': less.lef}\n");
    let message = &ended.failures[0].1.message;
    assert!(message.contains("the cell `XOR2X1`, of which `u2_XOR2X1` is one, is in no LEF file"), "{message}");
}

/// Not the usual harness: the test program is also its own guard, which must be the only thread of its process.
fn main() {
    tapeout_engine::serve_if_asked();
    let path = env::var_os("PATH").unwrap_or_default();
    for tool in ["graywolf", "qrouter"] {
        let is_here = env::split_paths(&path).any(|folder| folder.join(tool).is_file());
        assert!(is_here, "these tests need `{tool}`, of Debian's package of that name");
    }
    assert!(Path::new(TECH).is_file(), "these tests need Debian's package `qflow-tech-osu035`");
    let tests: [(&str, fn()); 4] = [
        ("a_netlist_is_placed_and_routed_the_same_each_time", a_netlist_is_placed_and_routed_the_same_each_time),
        ("nets_without_a_way_are_named", nets_without_a_way_are_named),
        (
            "pins_that_cannot_be_reached_are_named_though_the_router_says_nothing_failed",
            pins_that_cannot_be_reached_are_named_though_the_router_says_nothing_failed,
        ),
        ("a_cell_that_lef_does_not_have_is_named", a_cell_that_lef_does_not_have_is_named),
    ];
    let trials = tests.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit()
}
