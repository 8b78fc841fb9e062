//! Hooks of PDKs: those that the known ones publish, on the real tools, and those of a manifest of one's own.
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

const ADDER: &str = "\
module adder (input wire clk, input wire [3:0] a, output reg [3:0] q);
    always @(posedge clk) q <= q + (a ^ {q[0], q[3:1]});
endmodule
";

/// A design on a PDK, for these steps.
fn design(pdk: &str, steps: &str, more: &str) -> TestSpace {
    let config = format!(
        "meta: {{flow: [{steps}]}}\nPDK: {pdk}\nDESIGN_NAME: adder\nVERILOG_FILES: [dir::adder.v]\nCLOCK_PORT: clk\n\
         CLOCK_PERIOD: 10\n{more}"
    );
    TestSpace::with(&[("config.yaml", &config), ("adder.v", ADDER)])
}

fn has_pdk(tools: &[&str]) -> bool {
    let dir = Path::new("/usr/share/qflow/tech/osu018");
    if !dir.is_dir() {
        println!("skipped: no {}", dir.display());
    }
    dir.is_dir() && has(tools)
}

/// The least slack before layout, in ns.
fn slack(space: &TestSpace) -> f64 {
    let state: Value = serde_json::from_str(&space.read_of("opensta-prepnr", "state_out.json")).unwrap();
    state["metrics"]["timing__setup__ws"].as_f64().unwrap()
}

#[test]
fn a_published_hook_acts_where_it_is_asked_for() {
    if !has_pdk(&["yosys", "sta"]) {
        return;
    }
    let space = design("osu018", "Yosys.Synthesis, OpenSTA.PrePnR", "HOOKS: []\n");
    space.run().exits(0);
    let without = slack(&space);
    let listed = space.tapeout(&["list", "hooks", "config.yaml"]).exits(0);
    listed.prints(&["osu018.wires_by_fanout", "with sta", "published: not asked for"]);
    assert!(!space.tapeout(&["plan"]).exits(0).out.contains("wires_by_fanout"));

    space.edit("config.yaml", "HOOKS: []", "HOOKS: [osu018.wires_by_fanout]");
    let plan = space.tapeout(&["plan"]).exits(0);
    plan.prints(&[
        "wires_by_fanout  technology hook, <PDK osu018>:",
        ", and at the start of what begins behind `read`",
    ]);
    space.run().exits(0);
    assert_eq!(space.repeated(), ["OpenSTA.PrePnR"]);
    let with = slack(&space);
    space.edit("config.yaml", "[osu018.wires_by_fanout]", "[{hook: osu018.wires_by_fanout, capacitance: 20}]");
    space.run().exits(0);
    let slower = slack(&space);
    assert!(without > with && with > slower, "{without} {with} {slower}");
    let listed = space.tapeout(&["list", "hooks", "config.yaml"]).exits(0);
    listed.prints(&["acts in OpenSTA.PrePnR"]);

    let faults = [
        (
            "osu018.wires_by_fanuot",
            "there is no hook `osu018.wires_by_fanuot`",
            "did you mean `osu018.wires_by_fanout`?",
        ),
        ("{hook: osu018.wires_by_fanout, capacity: 1}", "has no parameter `capacity`", "did you mean `capacitance`?"),
        ("{hook: osu018.wires_by_fanout, capacitance: much}", "is decimal, and cannot be much", "in fF"),
        ("osu035.longer_pins", "there is no hook `osu035.longer_pins`", "did you mean `osu018.longer_pins`?"),
    ];
    space.edit("config.yaml", "[{hook: osu018.wires_by_fanout, capacitance: 20}]", "[osu018.longer_pins]");
    let listed = space.tapeout(&["list", "hooks", "config.yaml"]).exits(0);
    listed.prints(&["its steps are not in this flow"]);
    let mut asked = "osu018.longer_pins".to_owned();
    for (hook, message, help) in faults {
        space.edit("config.yaml", &format!("[{asked}]"), &format!("[{hook}]"));
        space.tapeout(&["plan"]).exits(2).says(&["config.yaml:7:8", message, help]);
        asked = hook.to_owned();
    }
}

/// The layers that an abstract shows of a pin, and how deep the pin is, in µm.
fn pin(space: &TestSpace) -> (Vec<String>, f64) {
    let lef = space.read("runs/default/final/lef/adder.lef");
    let pin = lef.split_once("PIN a[0]\n").unwrap().1.split_once("END a[0]").unwrap().0;
    let of = |word: &'static str| pin.lines().filter_map(move |line| line.trim().strip_prefix(word));
    let layers = of("LAYER ").map(str::to_owned).collect();
    let numbers = of("RECT ").map(|rect| rect.split_whitespace().filter_map(|word| word.parse::<f64>().ok()).collect());
    let rects: Vec<Vec<f64>> = numbers.collect();
    let extent = |low: usize| {
        let least = rects.iter().map(|rect| rect[low]).fold(f64::INFINITY, f64::min);
        rects.iter().map(|rect| rect[low + 2]).fold(f64::NEG_INFINITY, f64::max) - least
    };
    (layers, extent(0).max(extent(1)))
}

#[test]
fn pins_of_an_abstract_get_longer() {
    if !has_pdk(&["yosys", "graywolf", "qrouter", "magic"]) {
        return;
    }
    let steps = "Yosys.Synthesis, Layout.Floorplan, Graywolf.Place, Layout.Legalise, Layout.Fill, Layout.PowerGrid, \
                 Qrouter.Route, Magic.WriteLEF";
    let space = design("osu018", steps, "HOOKS: []\n");
    space.run().exits(0);
    let short = pin(&space);
    space.edit("config.yaml", "HOOKS: []", "HOOKS: [{hook: osu018.longer_pins, length: 5}]");
    space.run().exits(0);
    assert_eq!(space.repeated(), ["Magic.WriteLEF"]);
    let long = pin(&space);
    assert_eq!(short.0, long.0);
    assert!(short.1 < 1.0 && (4.0..=5.0).contains(&long.1), "{short:?} {long:?}");
}

/// A PDK of one's own with the cells of another.
const MANIFEST: &str = r#"[variables]
DEFAULT_CORNER = "tt"
[libraries.cells.variables]
LIB = { "*" = ["/usr/share/qflow/tech/osu018/osu018_stdcells.lib"] }
VDD_PIN = "vdd"
GND_PIN = "gnd"

[[sections]]
name = "tidy"
doc = "Looks over what is mapped."
after = "synthesis/abc"
tool = "yosys"
text = "opt_clean"

[[hooks]]
name = "tidier"
replace = "synthesis/tidy"
file = "tidy.ys"

[[hooks]]
name = "say"
persistent = "Yosys.Synthesis"
text = "log of {{DESIGN_NAME}}"

[[hooks]]
remove = "Yosys.Synthesis/undefined"
"#;

fn own(manifest: &str) -> TestSpace {
    let space = design("mine", "Yosys.Synthesis", "");
    space.write_all(&[("pdks/mine/pdk.toml", manifest), ("pdks/mine/tidy.ys", "log first\n")]);
    space.env("PDK_ROOT", "pdks")
}

#[test]
fn a_manifest_has_sections_and_hooks() {
    if !has_pdk(&["yosys"]) {
        return;
    }
    let space = own(MANIFEST);
    let plan = space.tapeout(&["plan"]).exits(0);
    plan.prints(&[
        "\n  sections  say             technology hook, ",
        "/pdk.toml:20:1, at the start of every run\n            read            step\n",
        "\n            abc             step\n            tidier          technology hook, ",
        "/pdk.toml:15:1, in place of `tidy`\n            undefined       step, taken out by the removal of \
         `Yosys.Synthesis/undefined` (",
    ]);
    let json: Value = serde_json::from_str(&space.tapeout(&["plan", "--json"]).exits(0).out).unwrap();
    let sections = json["steps"][0]["sections"].as_array().unwrap();
    let of = |name: &str| sections.iter().find(|section| section["name"] == name).unwrap();
    assert_eq!(of("tidier")["former"][0], "tidy");
    assert_eq!(of("tidier")["layer"], "technology");
    assert_eq!(of("say")["runs"], "at_start");
    assert!(of("undefined")["removed_by"].as_str().unwrap().contains("pdk.toml:25:1"));
    space.tapeout(&["list", "hooks", "config.yaml"]).exits(0).prints(&[
        "technology section  after synthesis/abc",
        "with yosys  acts in Yosys.Synthesis",
        "remove Yosys.Synthesis/undefined",
    ]);
    space.tapeout(&["show", "hook", "tidy"]).exits(0).prints(&["Looks over what is mapped.", "after synthesis/abc"]);

    space.run().exits(0);
    let script = space.read_of("yosys-synthesis", "yosys-synthesis.ys");
    assert!(script.starts_with("# section say\nlog of adder\n"), "{script}");
    assert!(script.contains("# section tidier\nlog first\n") && !script.contains("section undefined"), "{script}");
    space.run().exits(0);
    assert_eq!(space.repeated(), [""; 0]);
    space.write("pdks/mine/tidy.ys", "log second\n");
    space.tapeout(&["why", "Yosys.Synthesis"]).exits(0).prints(&["the hook `tidier` changed"]);
    space.run().exits(0);
    assert_eq!(space.repeated(), ["Yosys.Synthesis"]);

    // From a later section on: what is persistent is said again behind the checkpoint, what was mapped is not mapped again.
    let whole = space.read_of("yosys-synthesis", "yosys-synthesis.log");
    space.tapeout(&["run", "--from", "Yosys.Synthesis/abc"]).exits(0);
    let script = space.read_of("yosys-synthesis", "yosys-synthesis.ys");
    let begin = "# section restore synth\nread_rtlil checkpoint-synth.il\n# section say\nlog of adder\n";
    assert!(script.starts_with(begin), "{script}");
    let part = space.read_of("yosys-synthesis", "yosys-synthesis.log");
    assert!(whole.contains("Executing PROC pass") && !part.contains("Executing PROC pass"), "{part}");
    space.edit("pdks/mine/pdk.toml", "log of", "log about");
    let refused = space.tapeout(&["run", "--from", "Yosys.Synthesis/abc"]).exits(2);
    refused.says(&["the checkpoint behind `synth`", "`say` is not what it was then"]);
}

#[test]
fn what_is_wrong_with_hooks_of_a_manifest_is_said_before_anything_starts() {
    if !has_pdk(&["yosys"]) {
        return;
    }
    let cases = [
        (
            "persistent = \"Yosys.Synthesis\"",
            "before = \"Yosys.Synthesis\"",
            "the lists of steps are not the PDK's to edit",
        ),
        (
            "remove = \"Yosys.Synthesis/undefined\"",
            "remove = \"Yosys.Synthesis\"",
            "name a section: `Yosys.Synthesis/SECTION`",
        ),
        ("persistent = \"Yosys.Synthesis\"", "after = \"Yosys.Synthesis\"", "there is no script for a text"),
        ("after = \"synthesis/abc\"", "after = \"synthesis/flip_flop\"", "did you mean `flip_flops`?"),
        ("tidy.ys", "tidi.ys", "/mine/tidy.ys`?"),
        ("{{DESIGN_NAME}}", "{{DESIGN}}", "`{{DESIGN}}` is no parameter of the hook and no variable"),
    ];
    for (right, wrong, words) in cases {
        let space = own(&MANIFEST.replace(right, wrong));
        space.tapeout(&["run"]).exits(2).says(&["pdk.toml", words]);
    }
}
