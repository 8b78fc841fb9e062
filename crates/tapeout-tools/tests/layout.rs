//! The native steps of layout on cells of Debian's osu035, one after the other, with a placer that throws cells anywhere:
//! what comes out is legal, the same each time, and complete.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use libtest_mimic::{Arguments, Trial};
use tapeout_config::{Loader, SourceMap};
use tapeout_engine::{Engine, Options, Toolbox};
use tapeout_flow::{
    Again, Completed, Ended, Failure, InitialState, Plan, Run, Session, Step, StepCx, StepInfo, StepResult,
};
use tapeout_formats::def::{self, Def, PinPort, Placement, Status};
use tapeout_formats::geometry::{Orientation, Point, Rect};
use tapeout_formats::lef::{self, Lef};
use tapeout_formats::spice;

const TECH: &str = "/usr/share/qflow/tech/osu035/osu035_stdcells.lef";

/// Places whatever has no place, at random over the die: cells overlap and are on no site, pins are on no track.
struct Anywhere;

impl Step for Anywhere {
    fn info(&self) -> StepInfo {
        StepInfo::new("Test.Anywhere", "Anywhere", "Puts cells anywhere.", "1").needs("def").makes(&["def"])
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let view = cx.view_file("def")?;
        let mut def = def::parse(&cx.output_text(&view)?).unwrap();
        let die = def.die().unwrap();
        let mut state = 1_u64;
        let mut random = |below: i64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as i64 % below
        };
        for component in def.components.iter_mut().filter(|component| component.placement.is_none()) {
            let at = Point::new(random(die.width()), random(die.height()));
            component.placement = Some(Placement { status: Status::Placed, at, orientation: Orientation::N });
        }
        for pin in def.pins.iter_mut().filter(|pin| !["vdd", "gnd"].contains(&pin.name.as_str())) {
            let at = Point::new(random(die.width()), random(die.height()));
            let placement = Some(Placement { status: Status::Placed, at, orientation: Orientation::N });
            pin.ports = vec![PinPort { placement, ..PinPort::default() }];
        }
        let written = cx.write("top.def", def::write(&def).as_bytes())?;
        let result = StepResult { written: vec![written], ..StepResult::default() };
        Ok(result.view("def", "top.def"))
    }
}

/// Inverters in a row, the first of which has a constant; and instances of a macro. JSON as Yosys writes it.
fn netlist(gates: usize, macros: usize) -> String {
    let mut cells = String::new();
    for gate in 0..gates {
        let (a, y) = (if gate == 0 { "\"1\"".to_owned() } else { (9 + gate).to_string() }, 10 + gate);
        let (cell, more) = [("INVX1", ""), ("NAND2X1", r#", "B": [2]"#), ("DFFPOSX1", "")][gate % 3];
        let (input, output) = if cell == "DFFPOSX1" { ("D", "Q") } else { ("A", "Y") };
        let more = if cell == "DFFPOSX1" { r#", "CLK": [3]"# } else { more };
        let _ = write!(
            cells,
            r#""$g{gate}": {{"type": "{cell}", "connections": {{"{input}": [{a}]{more}, "{output}": [{y}]}}}},"#
        );
    }
    for index in 0..macros {
        let _ = write!(cells, r#""ram{index}": {{"type": "ram", "connections": {{"d": [{}]}}}},"#, 11 + index);
    }
    let cells = cells.trim_end_matches(',');
    format!(
        r#"{{"modules": {{"top": {{"ports": {{
            "en": {{"direction": "input", "bits": [2]}}, "clk": {{"direction": "input", "bits": [3]}},
            "q": {{"direction": "output", "bits": [{}, {}, {}, {}]}}}}, "cells": {{{cells}}}}}}}}}"#,
        10 + gates - 1,
        10 + gates - 2,
        10 + gates - 3,
        10 + gates - 4,
    )
}

/// A macro whose supplies are on its left and right, with something in front of the middle of one.
const RAM: &str = "MACRO ram\n CLASS BLOCK ;\n ORIGIN -0.5 -0.6 ;\n SIZE 100 BY 61 ;\n
    PIN d DIRECTION INPUT ; PORT LAYER metal3 ; RECT 0.5 30 2 31 ; END END d
    PIN vdd USE POWER ; PORT LAYER metal1 ; RECT 10 5 11.2 55 ; END END vdd
    PIN gnd USE GROUND ; PORT LAYER metal1 ; RECT 90 5 91.2 55 ; END END gnd
    OBS LAYER metal1 ; RECT 2 25 8 35 ; END\nEND ram\n";

const FLOW: &str = "Layout.Floorplan, Layout.PlacePins, Test.Anywhere, Layout.Legalise, Layout.Fill, Layout.PowerGrid, \
    Layout.WriteNetlists";

fn run(dir: &Path, gates: usize, macros: usize, more: &str) -> Ended {
    let config = format!(
        "meta: {{version: 2, flow: [{FLOW}]}}\nDESIGN_NAME: top\nPDK: osu035\nVERILOG_FILES: []\nCLOCK_PORT: clk\n\
         BOTTOM_MARGIN_MULT: 1\nTOP_MARGIN_MULT: 1\nFP_CORE_UTIL: 70\nIO_PIN_ORDER_CFG: pins.cfg\n"
    );
    fs::write(dir.join("config.yaml"), config).unwrap();
    fs::write(dir.join("more.yaml"), more).unwrap();
    fs::write(dir.join("top.json"), netlist(gates, macros)).unwrap();
    fs::write(dir.join("ram.lef"), RAM).unwrap();
    fs::write(dir.join("pins.cfg"), "#W\nen\nclk\n#E\nq.*\n").unwrap();
    let mut registry = tapeout_tools::registry();
    registry.add_step(Anywhere);
    let loader = Loader {
        files: ["config.yaml", "more.yaml"].map(|name| dir.join(name)).into(),
        pdks: tapeout_tools::pdk::PDKS,
        ..Loader::default()
    };
    let views = [("json".to_owned(), dir.join("top.json"))];
    let (initial, errors) = InitialState::read(&[], &views, dir);
    assert!(errors.is_empty(), "{errors:?}");
    let plan = Plan::load_from(&registry, loader, None, initial, &mut SourceMap::new());
    let plan = plan.unwrap_or_else(|errors| panic!("{errors:#?}"));
    let toolbox = Toolbox::new(registry.tools().cloned(), plan.config.tools());
    let engine = Engine::open(dir, toolbox, Options::cores(2)).unwrap();
    Run::new(&plan, &engine, "default").unwrap().execute(|_| Again::No, |_, _| ()).unwrap()
}

fn file(ended: &Ended, step: &str, name: &str) -> String {
    let step = ended.summary.steps.iter().find(|known| known.id == step).unwrap();
    let path = ended.dir.join(&step.dir).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn metric(ended: &Ended, name: &str) -> f64 {
    ended.summary.metrics.get(name).and_then(|metric| metric.as_f64()).unwrap_or_else(|| panic!("no {name}"))
}

fn library() -> Lef {
    let mut library = lef::parse(&fs::read_to_string(TECH).unwrap()).unwrap();
    library.merge(lef::parse(RAM).unwrap());
    library
}

/// The placed cells, each with its outline.
fn outlines<'d>(design: &'d Def, library: &Lef) -> Vec<(&'d def::Component, Rect<i64>)> {
    let outline = |component: &'d def::Component| {
        let placement = component.placement.unwrap();
        let size = library.cell(&component.cell).unwrap().size;
        let size = Point::new((size.x * 1000.0).round() as i64, (size.y * 1000.0).round() as i64);
        (component, Rect::with_size(placement.at, placement.orientation.size(size)))
    };
    design.components.iter().map(outline).collect()
}

/// Every row is full from end to end with cells that stand as it does, none of which overlap.
fn check_rows(design: &Def, library: &Lef) {
    let mut left = 0;
    for row in &design.rows {
        let area = row.area(Point::new(1600, 20_000));
        let mut inside: Vec<_> = outlines(design, library).into_iter().filter(|(_, o)| o.overlaps(&area)).collect();
        inside.sort_by_key(|(_, outline)| outline.low.x);
        let mut end = area.low.x;
        for (component, outline) in &inside {
            assert_eq!(
                (outline.low, component.placement.unwrap().orientation),
                (Point::new(end, area.low.y), row.orientation)
            );
            end = outline.high.x;
        }
        assert_eq!(end, area.high.x, "{}", row.name);
        left += inside.len();
    }
    let macros = design.components.iter().filter(|component| component.cell == "ram").count();
    assert_eq!(left + macros, design.components.len());
}

fn cells_thrown_anywhere_become_a_legal_layout_the_same_each_time() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let runs = dirs.each_ref().map(|dir| run(dir.path(), 90, 0, "FP_ASPECT_RATIO: 1\n"));
    for ended in &runs {
        assert_eq!(ended.failures.len(), 0, "{:#?}", ended.failures);
    }
    for (step, name) in
        [("Layout.PowerGrid", "top.def"), ("Layout.WriteNetlists", "top.cdl"), ("Layout.WriteNetlists", "top.pnl.v")]
    {
        assert_eq!(file(&runs[0], step, name), file(&runs[1], step, name));
    }
    let (ended, library) = (&runs[0], library());
    let design = def::parse(&file(ended, "Layout.PowerGrid", "top.def")).unwrap();
    check_rows(&design, &library);
    let fillers = metric(ended, "design__instance__count__class:fill_cell") as usize;
    assert_eq!((design.components.len(), metric(ended, "design__instance__count")), (90 + fillers, 90.0));
    assert!((0.6..=0.7).contains(&metric(ended, "design__instance__utilization__stdcell")));
    assert!(metric(ended, "design__instance__displacement__total") > 90.0);

    // Pins are on crossings of tracks, reach the edge of the die and stand apart.
    let die = design.die().unwrap();
    let ports: Vec<_> = design.pins.iter().filter(|pin| !["vdd", "gnd"].contains(&pin.name.as_str())).collect();
    assert_eq!(ports.len(), 6);
    let mut places = BTreeSet::new();
    for pin in ports {
        let port = &pin.ports[0];
        let at = port.placement.unwrap().at;
        assert!((at.x - 800) % 1600 == 0 && (at.y - 1000) % 2000 == 0 && places.insert(at), "{pin:?}");
        let rect = port.shapes[0].rect.moved(at);
        let is_at_edge = rect.low.x == die.low.x
            || rect.low.y == die.low.y
            || rect.high.x == die.high.x
            || rect.high.y == die.high.y;
        assert!(is_at_edge && die.contains(rect.low) && die.contains(rect.high), "{rect:?}");
    }

    // A tooth for each rail: power where odd rows begin, ground where even ones do.
    let heights = |net: &str| {
        let net = design.special_nets.iter().find(|special| special.name == net).unwrap();
        let teeth = net.wires().skip(1).map(|wire| match wire.path[0] {
            def::Step::To(at, _) => at.y,
            _ => panic!("{wire:?}"),
        });
        teeth.collect::<BTreeSet<i64>>()
    };
    let rows = design.rows.len() as i64;
    let rails = |of: i64| (0..=rows).filter(|level| level % 2 == of).map(|level| 20_000 + level * 20_000).collect();
    assert_eq!((heights("gnd"), heights("vdd")), (rails(0), rails(1)));
    let constant = design.nets.iter().find(|net| net.name == "vdd").unwrap();
    assert_eq!(constant.pins.len(), 1);

    let schematic = spice::parse(&file(ended, "Layout.WriteNetlists", "top.cdl")).unwrap();
    let top = schematic.subckt("top").unwrap();
    assert_eq!((top.elements.len(), top.ports.len()), (90 + fillers, 8));
    let verilog = file(ended, "Layout.WriteNetlists", "top.pnl.v");
    assert_eq!(verilog.matches(".vdd(vdd), .gnd(gnd)").count(), 90 + fillers);
}

fn macros_stand_clear_of_rows_and_have_supplies() {
    let dir = tempfile::tempdir().unwrap();
    let ended = run(dir.path(), 90, 2, "EXTRA_LEFS: [ram.lef]\n");
    assert_eq!(ended.failures.len(), 0, "{:#?}", ended.failures);
    let library = library();
    let design = def::parse(&file(&ended, "Layout.PowerGrid", "top.def")).unwrap();
    check_rows(&design, &library);
    let macros: Vec<_> = outlines(&design, &library).into_iter().filter(|(c, _)| c.cell == "ram").collect();
    assert_eq!(macros.len(), 2);
    for (component, outline) in &macros {
        assert_eq!(component.placement.unwrap().status, Status::Fixed);
        let pins = |name: &str| {
            let (_, rect) = library.cell("ram").unwrap().pin(name).unwrap().rects().next().unwrap();
            let by = |um: f64| (um * 1000.0).round() as i64;
            let low = Point::new(by(rect.low.x - 0.5), by(rect.low.y - 0.6));
            let high = Point::new(by(rect.high.x - 0.5), by(rect.high.y - 0.6));
            Rect::new(low, high).moved(outline.low)
        };
        for name in ["vdd", "gnd"] {
            let special = design.special_nets.iter().find(|net| net.name == name).unwrap();
            let is_reached = special.wires().any(|wire| {
                wire.path.iter().any(|step| matches!(step, def::Step::To(at, _) if pins(name).contains(*at)))
            });
            assert!(is_reached, "{name} {special:#?}");
        }
        // The macro's own tracks are those of the design: its origin is on the grid.
        assert_eq!(((outline.low.x + 500) % 1600, (outline.low.y + 600) % 2000), (0, 0));
    }
    let verilog = file(&ended, "Layout.WriteNetlists", "top.pnl.v");
    assert!(verilog.contains("ram ram1 (.d(n12), .vdd(vdd), .gnd(gnd));"), "{verilog}");
}

fn what_is_wrong_is_said_with_a_remedy() {
    let cases = BTreeMap::from([
        (
            "CLOCK_PORT: clock\n",
            "`CLOCK_PORT` is `clock`, and the design has no such input; its inputs are `en`, `clk`",
        ),
        ("PLACE_SITE: unit\n", "no site `unit` (`PLACE_SITE`); they have `corner`, `IO`, `core`"),
        (
            "FP_SIZING: absolute\nDIE_AREA: [0, 0, 150, 150]\n",
            "the cells need 510 sites, and the 5 rows have 345: a utilisation of 147.8 %",
        ),
        ("FILL_CELLS: [NONE]\n", "no cell as high as a row that `FILL_CELLS` means, which is `NONE`"),
        ("LEFT_MARGIN_MULT: 1\n", "beside the core are 1.6 µm, and the supplies need 2.4 µm"),
        ("IO_PIN_MIN_DISTANCE: 300\n", "edge has room for 1 pins that are"),
        ("EXTRA_LEFS: []\n", "the LEF files have no cell `ram`"),
    ]);
    for (more, message) in cases {
        let dir = tempfile::tempdir().unwrap();
        let ended = run(dir.path(), 90, usize::from(more.starts_with("EXTRA_LEFS")), more);
        let failure = &ended.failures.first().unwrap_or_else(|| panic!("{more} is no failure")).1;
        assert!(failure.message.contains(message), "{more}{failure:#?}");
    }
}

/// Not the usual harness: the test program is also its own guard, which must be the only thread of its process.
fn main() {
    tapeout_engine::serve_if_asked();
    assert!(Path::new(TECH).is_file(), "these tests need Debian's package `qflow-tech-osu035`");
    let tests: [(&str, fn()); 3] = [
        (
            "cells_thrown_anywhere_become_a_legal_layout_the_same_each_time",
            cells_thrown_anywhere_become_a_legal_layout_the_same_each_time,
        ),
        ("macros_stand_clear_of_rows_and_have_supplies", macros_stand_clear_of_rows_and_have_supplies),
        ("what_is_wrong_is_said_with_a_remedy", what_is_wrong_is_said_with_a_remedy),
    ];
    let trials = tests.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit()
}
