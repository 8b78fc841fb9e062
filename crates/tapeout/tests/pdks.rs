//! PDKs on the command line, and what synthesis and timing make of Debian's osu035: by the real tools.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs itself, says what it skips, and fails by panic"
)]

mod support;

use support::{TestSpace, has};

const CONFIG: &str =
    "meta: {flow: [Yosys.Synthesis, Checker.YosysUnmappedCells, OpenSTA.PrePnR, Checker.SetupViolations]}
DESIGN_NAME: top
VERILOG_FILES: [dir::top.v]
CLOCK_PORT: clk
CLOCK_PERIOD: 10
PDK: osu035
";

/// Registers, a latch, a tri-state buffer and a wire from port to port.
const TOP: &str =
    "module top(input clk, input en, input [7:0] a, output reg [7:0] sum, output reg held, output off, output through);
always @(posedge clk) sum <= sum + a;
always @* if (!en) held = a[0];
assign off = en ? a[1] : 1'bz;
assign through = a[2];
endmodule
";

fn space() -> TestSpace {
    TestSpace::with(&[("config.yaml", CONFIG), ("top.v", TOP)])
}

#[test]
fn known_pdks_are_listed_and_shown() {
    let space = TestSpace::new();
    space.tapeout(&["list", "pdks"]).exits(0).prints(&["ihp-sg13g2", "osu018", "osu035", "osu050"]);
    space.tapeout(&["show", "pdk", "osu050"]).exits(0).prints(&[
        "nom_tt_025C_5v00",
        "5.0 V",
        "library osu050_stdcells",
    ]);
    space.tapeout(&["show", "pdk", "osu35"]).exits(2).says(&["did you mean `osu035`?"]);
    let own =
        "doc = 'Mine.'\n[tools]\nmagic = '9.1'\n[libraries.cells.variables]\nLIB = { '*' = ['pdk_dir::no.lib'] }\n";
    space.write_all(&[("pdks/mine/pdk.toml", own)]);
    let space = space.env("PDK_ROOT", "pdks");
    let shown = space.tapeout(&["show", "pdks", "mine"]).exits(0);
    shown.prints(&["magic 9.1 or newer", "there is no `no.lib`"]);
    let json: serde_json::Value =
        serde_json::from_str(&space.tapeout(&["show", "pdks", "mine", "--json"]).out).unwrap();
    assert_eq!(json["libraries"][0]["variables"][0]["files"][0]["there"], false);
}

#[test]
fn what_is_wrong_with_a_pdk_is_said_before_anything_starts() {
    let space = space();
    space.edit("config.yaml", "PDK: osu035\n", "");
    space.tapeout(&["plan"]).exits(2).says(&["the flow needs a PDK", "`tapeout list pdks`"]);
    space.edit("config.yaml", "CLOCK_PORT", "PDK: osu035\nCLOCK_PORT");
    space.tapeout(&["plan", "--pdk", "osu35"]).exits(2).says(&["there is no PDK `osu35`", "did you mean `osu035`?"]);
    let elsewhere = "with `--pdk-root DIR` where it is";
    space.tapeout(&["plan", "--pdk", "ihp-sg13g2"]).exits(2).says(&["the PDK `ihp-sg13g2` is not there", elsewhere]);
    if !has(&["yosys", "sta"]) {
        return;
    }
    let corner = space.tapeout(&["plan", "-c", "STA_CORNERS=nom_ss"]).exits(2);
    corner.says(&["`LIB`: no Liberty file for the corner `nom_ss`: it has `*_tt_025C_3v30`"]);
    // A PDK of one's own that demands a tool newer than any.
    let manifest = "[tools]\nyosys = '99.0'\n[variables]\nDEFAULT_CORNER = 'tt'\nSTA_CORNERS = ['tt']\n\
                    TIMING_VIOLATION_CORNERS = ['*']\n[libraries.cells.variables]\nLIB = { '*' = ['pdk_dir::a.lib'] }\n\
                    VDD_PIN = 'vdd'\nGND_PIN = 'gnd'\n";
    space.write_all(&[("pdks/new/pdk.toml", manifest), ("pdks/new/a.lib", "library (a) { }\n")]);
    let too_old = space.tapeout(&["run", "--pdk", "new", "--pdk-root", "pdks"]).exits(3);
    too_old.says(&["`yosys` is version", "at least 99.0 is needed by the PDK `new`"]);
}

#[test]
fn a_design_becomes_cells_of_the_library_with_timing() {
    if !has(&["yosys", "sta"]) {
        return;
    }
    let space = space();
    space.run().exits(0);
    let netlist = space.read("runs/default/final/nl/top.nl.v");
    for cell in ["DFFPOSX1 ", "LATCH ", "TBUFX1 ", "BUFX2 "] {
        assert!(netlist.contains(cell), "{cell}: {netlist}");
    }
    assert!(!netlist.contains("assign") && !netlist.contains("CLKBUF") && !netlist.contains("PAD"), "{netlist}");
    let timing = space.read_of("opensta-prepnr", "summary.rpt");
    assert!(timing.contains("The clock is ideal") && timing.contains("nom_tt_025C_3v30"), "{timing}");
    let sdf = space.read("runs/default/final/sdf/nom_tt_025C_3v30/top.sdf");
    assert!(sdf.contains("DFFPOSX1") && !sdf.contains("DATE"), "{sdf}");
    space.tapeout(&["run"]).exits(0);
    assert_eq!(space.repeated(), [""; 0]);

    let clock = space.tapeout(&["run", "--tag", "clock", "-c", "CLOCK_PORT=clock"]).exits(2);
    clock.says(&["there is no input port `clock`, which `CLOCK_PORT` names; there are a[0], a[1]", "set `CLOCK_PORT`"]);
    let fast = space.tapeout(&["run", "--tag", "fast", "-c", "CLOCK_PERIOD=0.5", "-c", "SYNTH_STRATEGY=DELAY 3"]);
    fast.exits(1).says(&["Checker.SetupViolations: setup is violated in nom_tt_025C_3v30"]);
    let latches = ["run", "--tag", "none", "-c", "EXTRA_EXCLUDED_CELLS=LATCH"];
    let unmapped = space.tapeout(&latches).exits(1);
    unmapped.says(&["Yosys.Synthesis: the library has no cell for 1 `$_DLATCH_N_`", "`SYNTH_LATCH_MAP`"]);
}
