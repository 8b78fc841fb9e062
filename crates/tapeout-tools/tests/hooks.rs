//! Hooks around every section of the built-in steps, on real tools: each is found, what it calls is called, and a hook that
//! adds nothing changes nothing. Steps that go on from a checkpoint come to the same.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::env;
use std::fs;
use std::path::Path;

use libtest_mimic::{Arguments, Trial};
use tapeout_config::{Loader, SourceMap};
use tapeout_engine::{Engine, Options, Toolbox};
use tapeout_flow::hooks::HookCx;
use tapeout_flow::{Again, Ended, Failure, Hook, Plan, Range, Registry, Run};

const COUNTER: &str = "module counter(input clk, input reset, output reg [3:0] count);\n  always @(posedge clk)\n    if (reset) \
                       count <= 0; else count <= count + 1;\nendmodule\n";

const BENCH: &str = "module counter_tb;\n  reg clk = 0, reset = 1;\n  wire [3:0] count;\n  counter dut(clk, reset, count);\n  \
                     always #5 clk = !clk;\n  initial begin\n    #20 reset = 0;\n    #40 if (count != 4) $fatal;\n    \
                     $finish;\n  end\nendmodule\n";

const PINS: &str =
    "set_io clk 21\nset_io reset 78\nset_io count[0] 99\nset_io count[1] 98\nset_io count[2] 97\nset_io count[3] 96\n";

/// What any of the languages of tools takes for its own.
const ODD: [&str; 8] = ["a  b;", ">x", "$HOME", "it's", "[x]", "{", "\"q\" #h", "|"];

/// A design with benches, and the words of its configuration that are not the same for all.
struct Design(tempfile::TempDir);

impl Design {
    fn new(more: &str) -> Self {
        let design = Self(tempfile::tempdir().unwrap());
        let config = format!(
            "DESIGN_NAME: counter\nVERILOG_FILES: [counter.v]\nTEST_BENCHES: [counter_tb.v]\nCLOCK_PORT: clk\n\
             CLOCK_PERIOD: 20\n{more}"
        );
        let files =
            [("counter.v", COUNTER), ("counter_tb.v", BENCH), ("counter.pcf", PINS), ("config.yaml", config.as_str())];
        for (name, text) in files {
            fs::write(design.0.path().join(name), text).unwrap();
        }
        design
    }

    /// Runs it with these hooks.
    fn run(&self, hooks: Vec<Hook>) -> Ended {
        self.run_part(hooks, &Range::default())
    }

    /// Runs it from this section to the end of the section's step.
    fn go_on(&self, step: &str, section: &str) -> Ended {
        let from = Some(format!("{step}/{section}"));
        self.run_part(Vec::new(), &Range { from, to: Some(step.to_owned()), ..Range::default() })
    }

    fn run_part(&self, hooks: Vec<Hook>, range: &Range) -> Ended {
        let mut registry = tapeout_tools::registry();
        for hook in hooks {
            registry.add_hook(hook);
        }
        let dir = self.0.path().canonicalize().unwrap();
        let loader =
            Loader { files: vec![dir.join("config.yaml")], pdks: tapeout_tools::pdk::PDKS, ..Loader::default() };
        let plan = Plan::load(&registry, loader, None, &mut SourceMap::new());
        let mut plan = plan.unwrap_or_else(|errors| panic!("{errors:#?}"));
        let toolbox = Toolbox::new(registry.tools().cloned(), plan.config.tools());
        let engine = Engine::open(&dir, toolbox, Options::cores(2)).unwrap();
        plan.select(range).unwrap();
        plan.hold(&engine, "default").unwrap();
        let ended = Run::new(&plan, &engine, "default").unwrap().execute(|_| Again::No, |_, _| ()).unwrap();
        assert_eq!(ended.failures.len(), 0, "{:#?}", ended.failures);
        ended
    }
}

/// Adds a remark to a script; beside a call, or behind a step, nothing.
fn remark(cx: &mut HookCx<'_, '_, '_>) -> Result<(), Failure> {
    match cx.script_name() {
        Some(_) => cx.append(&format!("# {} was here", cx.name())),
        None => Ok(()),
    }
}

/// Has a program say odd words.
fn say(cx: &mut HookCx<'_, '_, '_>) -> Result<(), Failure> {
    match cx.script_name() {
        Some(_) => cx.run(["printf", "<%s>\\n"].iter().chain(&ODD).copied()),
        None => Ok(()),
    }
}

/// Remarks before and after each section of these steps, by its name.
fn remarks(registry: &Registry, steps: &[&str]) -> Vec<Hook> {
    let mut hooks = Vec::new();
    for id in steps {
        for section in registry.step(id).unwrap().sections.iter().map(|section| section.name).chain(["outputs"]) {
            let place = format!("{id}/{section}");
            hooks.push(Hook::after(&place, &format!("{section}_after"), ("1", remark)));
            if section != "outputs" {
                hooks.push(Hook::before(&place, &format!("{section}_before"), ("1", remark)));
            }
        }
    }
    hooks
}

/// The scripts of a step: what they say beside the remarks, and how many there are of these.
fn scripts(ended: &Ended, id: &str) -> (String, usize) {
    let step = ended.summary.steps.iter().find(|known| known.id == id).unwrap();
    let mut files: Vec<_> =
        fs::read_dir(ended.dir.join(&step.dir)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let is_script = |path: &&std::path::PathBuf| {
        path.extension().is_some_and(|end| ["ys", "tcl", "rb", "py"].iter().any(|known| end == *known))
    };
    let text: String = files.iter().filter(is_script).map(|path| fs::read_to_string(path).unwrap()).collect();
    let remarks = text.lines().filter(|line| line.starts_with("# ") && line.ends_with(" was here")).count();
    (text, remarks)
}

/// A file of a step.
fn file(ended: &Ended, id: &str, name: &str) -> String {
    let step = ended.summary.steps.iter().find(|known| known.id == id).unwrap();
    let path = ended.dir.join(&step.dir).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// That the step goes on from a checkpoint before this section, and comes to the same.
fn goes_on(design: &Design, whole: &Ended, step: &str, section: &str, made: &[&str]) {
    let log = |ended| file(ended, step, &format!("{}.log", step.to_lowercase().replace('.', "-")));
    let before: Vec<String> = made.iter().map(|name| file(whole, step, name)).collect();
    let all = log(whole);
    let part = design.go_on(step, section);
    assert!(log(&part).len() < all.len(), "{step}/{section}: {}", log(&part));
    for (name, before) in made.iter().zip(before) {
        assert!(file(&part, step, name) == before, "{step}/{section}: {name} differs");
    }
    // As it was, for what comes next.
    design.run(Vec::new());
}

fn metrics(ended: &Ended) -> String {
    format!("{:#?}", ended.summary.metrics)
}

fn every_section_of_an_fpga_flow_can_be_hooked() {
    let more = "meta: {version: 2, flow: Ice40}\nICE40_DEVICE: hx1k\nICE40_PACKAGE: tq144\nPCF_FILE: counter.pcf\n";
    let registry = tapeout_tools::registry();
    let steps = [
        "Verilator.Lint",
        "Icarus.Simulate",
        "Yosys.SynthIce40",
        "Nextpnr.Ice40",
        "Icestorm.Pack",
        "Icestorm.Time",
        "Icestorm.ReadBack",
        "Icestorm.PostLayoutSimulate",
    ];
    let designs = [Design::new(more), Design::new(more)];
    let plain = designs[0].run(Vec::new());
    let hooked = designs[1].run(remarks(&registry, &steps));
    assert_eq!(metrics(&plain), metrics(&hooked));
    assert_eq!(scripts(&hooked, "Yosys.SynthIce40").1, 26);
    // A script that nothing is in is not there.
    assert_eq!((scripts(&plain, "Nextpnr.Ice40").1, scripts(&hooked, "Nextpnr.Ice40").1), (0, 8));
    let bitstream = |ended: &Ended| fs::read(ended.dir.join("final/bitstream/counter.bin"));
    assert!(bitstream(&plain).is_ok() && bitstream(&plain).ok() == bitstream(&hooked).ok());
}

fn every_section_of_an_asic_flow_can_be_hooked() {
    let more = "meta: {version: 2, flow: OpenAsic}\nPDK: osu035\n";
    let registry = tapeout_tools::registry();
    let flow = registry.flow("OpenAsic").unwrap();
    let steps: Vec<&str> = flow.steps.iter().map(String::as_str).collect();
    let designs = [Design::new(more), Design::new(more)];
    let plain = designs[0].run(Vec::new());
    let ran = |id: &&&str| plain.summary.steps.iter().any(|step| step.id == **id);
    let mut steps: Vec<&str> = steps.iter().filter(ran).copied().collect();
    steps.dedup();
    let mut hooks = remarks(&registry, &steps);
    // In each language: Yosys, and Tcl of OpenSTA, qrouter, Magic and Netgen.
    let first = [
        "Yosys.Synthesis/read",
        "OpenSTA.PrePnR/setup",
        "Qrouter.Route/read_lef",
        "Magic.DRC/settings",
        "Magic.StreamOut/write",
        "Netgen.LVS/read",
        "KLayout.StreamOut/settings",
    ];
    hooks.extend(first.map(|place| Hook::before(place, "say", ("1", say))));
    for (step, section, made) in [
        ("Magic.DRC", "check", ["drc.rpt", "abstracts.rpt"]),
        ("Magic.SpiceExtraction", "spice", ["counter.spice", "feedback.txt"]),
        ("Magic.WriteLEF", "write", ["counter.lef", "full.lef"]),
    ] {
        goes_on(&designs[0], &plain, step, section, &made);
    }
    let hooked = designs[1].run(hooks);
    assert_eq!(metrics(&plain), metrics(&hooked));
    let said: String = ODD.iter().map(|word| format!("<{word}>\n")).collect();
    for place in first {
        let id = place.split('/').next().unwrap();
        let (_, remarks) = scripts(&hooked, id);
        let sections = registry.step(id).unwrap().sections.len();
        assert!(remarks >= 2 * sections, "{id}: {remarks} of {sections}");
        let step = hooked.summary.steps.iter().find(|step| step.id == id).unwrap();
        let log = hooked.dir.join(&step.dir).join(format!("{}.log", id.to_lowercase().replace('.', "-")));
        let log = fs::read_to_string(log).unwrap();
        assert!(log.contains(&said), "{id}: {log}");
    }
}

fn synthesis_goes_on_from_where_it_was() {
    let ice40 = Design::new("meta: {version: 2, flow: [Yosys.SynthIce40]}\nICE40_DEVICE: hx1k\nICE40_PACKAGE: tq144\n");
    let whole = ice40.run(Vec::new());
    for section in ["map_cells", "check"] {
        goes_on(&ice40, &whole, "Yosys.SynthIce40", section, &["stat.json"]);
    }
    let cells = Design::new("meta: {version: 2, flow: [Yosys.Synthesis]}\nPDK: osu035\n");
    let whole = cells.run(Vec::new());
    for section in ["tristate_cells", "clean"] {
        goes_on(&cells, &whole, "Yosys.Synthesis", section, &["check.rpt", "stat.json"]);
    }
}

/// Not the usual harness: the test program is also its own guard, which must be the only thread of its process.
fn main() {
    tapeout_engine::serve_if_asked();
    let path = env::var_os("PATH").unwrap_or_default();
    for tool in ["yosys", "nextpnr-ice40", "iverilog", "sta", "magic", "netgen-lvs", "klayout", "qrouter", "graywolf"] {
        let is_here = env::split_paths(&path).any(|folder| folder.join(tool).is_file());
        assert!(is_here, "these tests need `{tool}`, of Debian's package of that name");
    }
    assert!(
        Path::new("/usr/share/qflow/tech/osu035").is_dir(),
        "these tests need Debian's package `qflow-tech-osu035`"
    );
    let tests: [(&str, fn()); 3] = [
        ("synthesis_goes_on_from_where_it_was", synthesis_goes_on_from_where_it_was),
        ("every_section_of_an_fpga_flow_can_be_hooked", every_section_of_an_fpga_flow_can_be_hooked),
        ("every_section_of_an_asic_flow_can_be_hooked", every_section_of_an_asic_flow_can_be_hooked),
    ];
    let trials = tests.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit()
}
