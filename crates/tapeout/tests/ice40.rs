//! The flow `Ice40` with the real tools: what it makes, what an edit makes run again, and what it says of designs that
//! do not do what they should.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs itself, says what it skips, and fails by panic"
)]

mod support;

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;
use support::{COUNTER, Ran, TestSpace, fast_only, has, has_flow};

const LINT: &str = "Verilator.Lint";
const SIMULATE: &str = "Icarus.Simulate";
const SYNTH: &str = "Yosys.SynthIce40";
const ROUTE: &str = "Nextpnr.Ice40";
const PACK: &str = "Icestorm.Pack";
const TIME: &str = "Icestorm.Time";
const READ_BACK: &str = "Icestorm.ReadBack";
const POST_LAYOUT: &str = "Icestorm.PostLayoutSimulate";
const TIMING: &str = "Checker.SetupViolations";

/// A configuration of the flow for hx1k in tq144, without benches unless there are some in `tb`.
fn config(design: &str, more: &str) -> String {
    format!(
        "meta: {{version: 2, flow: Ice40}}\nDESIGN_NAME: {design}\nCLOCK_PERIOD: 20\nICE40_DEVICE: hx1k\n\
         ICE40_PACKAGE: tq144\n{more}"
    )
}

#[test]
fn a_design_becomes_a_bitstream_once() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    let Ran { out, err, .. } = space.run().exits(0);
    assert!(out.starts_with("Ice40 of counter, run default\n"), "{out}");
    for (step, word) in [("Ghdl.ToVerilog", "left out"), (SYNTH, "done"), (POST_LAYOUT, "done"), (TIMING, "done")] {
        let row = out.lines().find(|line| line.trim_start().starts_with(step)).unwrap_or_else(|| panic!("{out}"));
        assert!(row[step.len()..].contains(word), "{row}");
    }
    assert!(out.ends_with("\nresults: runs/default/final\n"), "{out}");
    assert!(!err.contains("error") && !err.contains("warning"), "{err}");
    assert_eq!(space.bytes("runs/default/final/bitstream/counter.bin").len(), 32_220);

    let summary = space.summary();
    let facts = ["flow", "design", "tag", "class"].map(|key| summary[key].clone());
    assert_eq!(facts, [Value::from("Ice40"), "counter".into(), "default".into(), Value::Null]);
    for step in summary["steps"].as_array().unwrap().iter().filter(|step| step["status"] != "left_out") {
        assert_eq!((&step["status"], &step["reused"]), (&"done".into(), &false.into()), "{step}");
        let dir = space.path("runs/default").join(step["dir"].as_str().unwrap());
        let has_log = step["log"].as_str().is_some_and(|log| space.path("runs/default").join(log).is_file());
        assert!(has_log || step["id"] == TIMING, "{step}");
        for file in ["state_in.json", "state_out.json", "config.json"] {
            assert!(dir.join(file).is_file(), "{file} of {step}");
        }
        assert_eq!(dir.join("COMMANDS").is_file(), has_log, "{step}");
    }
    assert_eq!(summary["metrics"]["bitstream__size"], 32_220);
    assert!(summary["metrics"]["timing__fmax__clock:clk"].as_f64().unwrap() > 50.0, "{summary:#}");
    let metrics: Value = serde_json::from_str(&space.read("runs/default/final/metrics.json")).unwrap();
    assert_eq!(metrics, summary["metrics"]);

    let Ran { out, .. } = space.run().exits(0);
    assert!(out.contains("reused"), "{out}");
    assert_eq!(space.repeated(), [""; 0]);
    assert_eq!(space.status(ROUTE), "reused");
    space.is_quiet();
}

#[test]
fn warnings_are_counted_by_code_and_can_be_waived_without_running_again() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    space.edit("src/counter.v", "endmodule", "wire [3:0] spare = 4'd3;\nendmodule");
    let Ran { out, .. } = space.run().exits(0);
    assert!(out.contains("verilator.UNUSEDSIGNAL  ×1  src/counter.v:"), "{out}");
    assert!(out.contains("'spare'"), "{out}");
    let Ran { out, .. } = space.tapeout(&["run", "-c", "WAIVED_ALERTS=[verilator.UNUSED*]"]).exits(0);
    assert!(out.contains("\n1 alert waived\n") && !out.contains("'spare'"), "{out}");
    assert_eq!(space.repeated(), [""; 0]);
}

#[test]
fn an_edit_repeats_the_steps_that_it_reaches_and_no_more() {
    if fast_only() || !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    space.write("README.md", "A counter.\n");
    space.run().exits(0);

    space.edit("src/counter.v", "`STEP;", "`STEP; // up");
    space.repeats("the netlist is the same, so nothing after synthesis runs", &[LINT, SIMULATE, SYNTH]);
    space.edit("src/step.vh", "4'd1", "4'd1\n// one");
    space.repeats("an included header is an input", &[LINT, SIMULATE, SYNTH]);
    space.edit("tb/counter_tb.v", "repeat (20)", "repeat (21)");
    space.repeats("a bench runs on the source and on the netlist", &[SIMULATE, POST_LAYOUT]);
    space.edit("src/counter.pcf", "set_io clk 21", "set_io clk 21 # 12 MHz");
    space.repeats("the pins are the same, so the layout is", &[ROUTE, READ_BACK]);
    space.edit("config.yaml", "CLOCK_PERIOD: 20", "CLOCK_PERIOD: 20  # ns");
    space.repeats("a comment in the configuration", &[]);
    space.edit("README.md", "A counter", "The counter");
    space.repeats("a file that nothing reads", &[]);
    fs::remove_dir_all(space.path("runs")).unwrap();
    space.repeats("runs/ can be made again from what is recorded", &[]);
    assert_eq!(space.bytes("runs/default/final/bitstream/counter.bin").len(), 32_220);

    space.tapeout(&["run", "-c", "PNR_SEED=2"]).exits(0);
    let after = space.repeated();
    assert_eq!((after[0].as_str(), after.contains(&PACK.to_owned())), (ROUTE, true), "{after:?}");
    assert!(!after.iter().any(|step| [LINT, SIMULATE, SYNTH].contains(&step.as_str())), "{after:?}");
    space.repeats("what was there before is still known", &[]);

    space.edit("src/step.vh", "4'd1", "4'd3");
    let wrong = space.run().exits(1).says(&["Icarus.Simulate", "expected 1, got 3"]);
    assert!(wrong.out.contains("check failed"), "{}", wrong.out);
    space.edit("src/step.vh", "4'd3", "4'd1");
    space.repeats("an edit that was taken back", &[]);
}

#[test]
fn memory_files_are_inputs_wherever_their_names_start() {
    if fast_only() || !has_flow() {
        return;
    }
    for name in ["mem/gray.hex", "gray.hex"] {
        let space = TestSpace::with(COUNTER);
        // In `src/mem/gray.hex` the name starts at the source's directory, in `gray.hex` at the design's.
        let file = if name.contains('/') { format!("src/{name}") } else { name.to_owned() };
        space.write(
            "src/counter.v",
            format!(
                "module counter (input wire clk, output reg [3:0] count);\n\
                 reg [3:0] next [0:15];\n\
                 initial begin count = 0; $readmemh(\"{name}\", next); end\n\
                 always @(posedge clk) count <= next[count];\nendmodule\n"
            ),
        );
        space.write(&file, "1 2 3 4 5 6 7 8 9 a b c d e f 0\n");
        space.run().exits(0);
        space.write(&file, "1 2 3 4 5 6 7 8 9 a b c d e f 0 // 4 bits\n");
        space.repeats(name, &[LINT, SIMULATE, SYNTH]);
        space.write(&file, "1 2 3 4 5 6 7 8 9 a b c d e f 1\n");
        space.run().exits(1).says(&["expected 0, got 1"]);
    }
}

#[test]
fn of_several_benches_the_failing_one_is_named_and_its_waves_are_kept() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    let bench = space.read("tb/counter_tb.v").replace("counter_tb", "wrong_tb");
    space.write("tb/wrong_tb.v", bench.replace("expected = 0", "expected = 5"));
    let Ran { err, .. } = space.run().exits(1).says_once(&[
        "Icarus.Simulate: 1 of 2 benches failed: `wrong_tb`",
        "wrong_tb says:",
        "expected 6, got 1",
        "wrong_tb.vcd",
        "log: runs/default/03-icarus-simulate/icarus-simulate.log",
    ]);
    assert!(!err.contains("counter_tb"), "{err}");
    let waves = space.read("runs/default/03-icarus-simulate/wrong_tb.vcd");
    assert!(waves.contains("$enddefinitions") && waves.contains("expected"), "{waves}");
    assert!(!space.path("runs/default/03-icarus-simulate/counter_tb.vcd").exists());
    assert_eq!((space.status(SIMULATE).as_str(), space.summary()["class"].as_str()), ("check_failed", Some("check")));
    assert_ne!(space.status(PACK), "done", "a design that fails its bench does not become a bitstream");

    space.run().exits(1).says(&["expected 6, got 1", "this result was recorded earlier"]);
    assert_eq!(space.step(SIMULATE)["reused"], true);

    space.edit("tb/wrong_tb.v", "expected = 5", "expected = 0");
    space.run().exits(0);
    assert!(!space.path("runs/default/03-icarus-simulate/wrong_tb.vcd").exists());
}

#[test]
fn missed_timing_fails_the_run_and_leaves_its_bitstream() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    // What the user tells the router does not move the target.
    space.edit("src/counter.pcf", "set_io clk 21", "set_frequency clk 1\nset_io clk 21");
    space.run().exits(0);
    let Ran { err, .. } = space
        .tapeout(&["run", "-c", "CLOCK_PERIOD=1"])
        .exits(1)
        .says_once(&["Checker.SetupViolations: `clk` reaches ", " MHz, its target is 1000.00 MHz"]);
    let reached: f64 = err.split("reaches ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((50.0..1000.0).contains(&reached), "{err}");
    assert_eq!(space.bytes("runs/default/final/bitstream/counter.bin").len(), 32_220);
    assert_eq!(space.status(TIMING), "check_failed");
    let metrics = &space.summary()["metrics"];
    assert_eq!(metrics["timing__setup_vio__count"], 1);
    assert!(metrics["timing__setup__ws"].as_f64().unwrap() < 0.0, "{metrics}");
}

#[test]
fn each_clock_has_its_own_target() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::with(&[
        ("config.yaml", &config("pair", "VERILOG_FILES: 'dir::pair.v'\nCLOCK_PERIODS: {slow: 1000, fast: 1}\n")),
        (
            "pair.v",
            "module pair (input wire slow, input wire fast, output reg [7:0] a, output reg [7:0] b);\n\
             always @(posedge slow) a <= a + 8'd1;\nalways @(posedge fast) b <= b + 8'd3;\nendmodule\n",
        ),
    ]);
    let Ran { err, .. } = space.run().exits(1).says_once(&["`fast` reaches ", "its target is 1000.00 MHz"]);
    assert!(!err.contains("`slow`"), "{err}");
    let metrics = &space.summary()["metrics"];
    assert_eq!(metrics["timing__setup_vio__count"], 1);
    assert!(metrics["timing__setup__ws__clock:slow"].as_f64().unwrap() > 900.0, "{metrics}");
    assert!(metrics["timing__setup__ws__clock:fast"].as_f64().unwrap() < 0.0, "{metrics}");

    space.tapeout(&["run", "-c", "CLOCK_PERIODS={slow: 1000, fast: 20}"]).exits(0);
}

#[test]
fn sources_are_systemverilog_with_file_lists() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    fs::remove_file(space.path("src/counter.v")).unwrap();
    fs::remove_file(space.path("src/step.vh")).unwrap();
    space.write_all(&[
        ("rtl/files.f", "// of the counter\n+incdir+include +define+STEP=4'd1\ncounter.sv\n-f sub/files.f\n"),
        ("rtl/sub/files.f", "adder.sv\n"),
        ("rtl/include/width.svh", "localparam int Width = 4;\n"),
        (
            "rtl/counter.sv",
            "module counter (input logic clk, output logic [3:0] count);\n  `include \"width.svh\"\n  \
             logic [Width-1:0] next;\n  adder #(.Width(Width)) adder (.a(count), .b(`STEP), .sum(next));\n  \
             initial count = '0;\n  always_ff @(posedge clk) count <= next;\nendmodule\n",
        ),
        (
            "rtl/sub/adder.sv",
            "module adder #(parameter int Width = 1) (input logic [Width-1:0] a, b, output logic [Width-1:0] sum);\n  \
             always_comb sum = a + b;\nendmodule\n",
        ),
    ]);
    space.edit(
        "config.yaml",
        "VERILOG_FILES: 'dir::src/*.v'\nVERILOG_INCLUDE_DIRS: ['dir::src']",
        "VERILOG_FILES: 'dir::rtl/files.f'",
    );
    space.passes();
    space.edit("rtl/files.f", "// of the counter", "// of this counter");
    space.repeats("a comment in a file list", &[]);
    space.edit("rtl/include/width.svh", "= 4;", "= 4; // bits");
    space.repeats("an include that a file list makes visible", &[LINT, SIMULATE, SYNTH]);
    space.edit("rtl/files.f", "4'd1", "4'd2");
    space.run().exits(1).says(&["expected 1, got 2"]);
}

#[test]
fn vhdl_is_a_part_of_a_verilog_design() {
    if !has_flow() || !has(&["ghdl"]) {
        return;
    }
    let space = TestSpace::counter();
    space.write(
        "src/step.vhd",
        "library ieee; use ieee.std_logic_1164.all; use ieee.numeric_std.all;\n\
         entity step is port (a : in std_logic_vector(3 downto 0); y : out std_logic_vector(3 downto 0)); end;\n\
         architecture rtl of step is begin y <= std_logic_vector(unsigned(a) + 1); end;\n",
    );
    space.write(
        "src/counter.v",
        "module counter (input wire clk, output reg [3:0] count);\nwire [3:0] next;\ninitial count = 0;\n\
         step step (.a(count), .y(next));\nalways @(posedge clk) count <= next;\nendmodule\n",
    );
    space.edit(
        "config.yaml",
        "VERILOG_INCLUDE_DIRS",
        "VHDL_FILES: ['dir::src/step.vhd']\nVHDL_TOP: step\nVERILOG_INCLUDE_DIRS",
    );
    space.passes();
    assert_eq!(space.status("Ghdl.ToVerilog"), "done");
    space.write("src/step.vhd", space.read("src/step.vhd") + "-- the end\n");
    space.repeats("GHDL's netlist is the same", &["Ghdl.ToVerilog"]);
    space.edit("src/step.vhd", "+ 1", "+ 2");
    space.run().exits(1).says(&["expected 1, got 2"]);
    space.edit("src/step.vhd", "+ 2", "+ nothing");
    space.run().exits(5).says_once(&["Ghdl.ToVerilog", "src/step.vhd:", "nothing"]);
}

/// A counter that reads its counts from a block RAM, whose model comes with Yosys.
const BLOCK_RAM: &str = "\
module counter (input wire clk, output reg [3:0] count);
    reg [3:0] ram [0:511];
    reg [8:0] at;
    integer i;
    initial begin
        at = 1;
        count = 0;
        for (i = 0; i < 512; i = i + 1) ram[i] = i[3:0];
    end
    always @(posedge clk) begin
        at <= at + 9'd1;
        count <= ram[at];
    end
endmodule
";

#[test]
fn block_ram_is_checked_after_layout() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    space.write("src/counter.v", BLOCK_RAM);
    space.passes();
    let metrics = &space.summary()["metrics"];
    assert_eq!(metrics["design__instance__count__cell:SB_RAM40_4K"], 1, "{metrics:#}");
    assert_eq!(space.status(POST_LAYOUT), "done");
}

#[test]
fn what_a_bitstream_does_not_show_is_not_checked_and_said() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    space.edit("tb/counter_tb.v", "count !== expected", "dut.count !== expected");
    space.edit(
        "src/counter.v",
        "initial count = 0;",
        "reg [3:0] hidden; initial hidden = 0; always @(*) count = hidden;",
    );
    space.edit("src/counter.v", "count <= count +", "hidden <= hidden +");
    space.edit("tb/counter_tb.v", "dut.count", "dut.hidden");
    space.run().exits(0).says(&["not checked: Icestorm.PostLayoutSimulate: the bench `counter_tb` looks inside"]);
    assert_eq!((space.status(SIMULATE), space.status(POST_LAYOUT)), ("done".into(), "not_checked".into()));
    space.run().exits(0).says(&["looks inside the design"]);
    assert_eq!(space.repeated(), [""; 0]);

    let space = TestSpace::counter();
    space.edit("src/counter.v", "module counter (", "module counter #(parameter STEP = 4'd3) (");
    space.edit("src/counter.v", "`STEP", "STEP");
    space.edit("tb/counter_tb.v", "counter dut", "counter #(.STEP(4'd1)) dut");
    space.run().exits(0).says(&["not checked: Icestorm.PostLayoutSimulate", "`counter_tb` sets parameters"]);
    assert_eq!(space.status(POST_LAYOUT), "not_checked");
    assert!(space.reason(POST_LAYOUT).contains("sets parameters"));
}

#[test]
fn a_wrong_netlist_does_not_pass() {
    if !has_flow() {
        return;
    }
    // Simulators take the macro, synthesis does not.
    let space = TestSpace::counter();
    space.edit("src/counter.v", "`STEP;", "`STEP;\n`ifdef SYNTHESIS\n    wire unused;\n`endif");
    space.edit(
        "src/counter.v",
        "count <= count + `STEP;",
        "count <=\n`ifdef SYNTHESIS\n  count + 4'd2;\n`else\n  count + 4'd1;\n`endif\n",
    );
    space.run().exits(1).says_once(&["Icestorm.PostLayoutSimulate", "counter_tb", "expected 1, got 2"]);
    assert_eq!((space.status(SIMULATE), space.status(POST_LAYOUT)), ("done".into(), "check_failed".into()));
    assert!(space.path("runs/default/final/bitstream/counter.bin").is_file());
}

/// The ports of the counter around a hard block, which takes part in nothing that the bench looks at.
fn around(block: &str) -> String {
    format!(
        "module counter (input wire clk, output reg [3:0] count, output wire extra);\ninitial count = 0;\n\
         always @(posedge clk) count <= count + 4'd1;\n{block}\nendmodule\n"
    )
}

#[test]
fn hard_blocks_are_packed_and_not_checked() {
    if fast_only() || !has_flow() {
        return;
    }
    let pll = "wire fast;\nSB_PLL40_CORE #(.FEEDBACK_PATH(\"SIMPLE\"), .DIVR(4'd0), .DIVF(7'd63), .DIVQ(3'd5), \
               .FILTER_RANGE(3'd1)) pll (.REFERENCECLK(clk), .PLLOUTCORE(fast), .RESETB(1'b1), .BYPASS(1'b0));\n\
               reg t; always @(posedge fast) t <= ~t;\nassign extra = t;";
    let multiplier = "wire [31:0] o;\nSB_MAC16 #(.TOPOUTPUT_SELECT(2'b11), .BOTOUTPUT_SELECT(2'b11)) mac \
                      (.CLK(clk), .CE(1'b1), .A({12'd0, count}), .B({12'd0, count}), .O(o));\n\
                      assign extra = o[0];";
    let memory = "wire [15:0] o;\nSB_SPRAM256KA ram (.ADDRESS({10'd0, count}), .DATAIN({12'd0, count}), \
                  .MASKWREN(4'hf), .WREN(count[0]), .CHIPSELECT(1'b1), .CLOCK(clk), .STANDBY(1'b0), .SLEEP(1'b0), \
                  .POWEROFF(1'b1), .DATAOUT(o));\nassign extra = o[0];";
    let hx1k = (
        "hx1k",
        "tq144",
        "set_io clk 21\nset_io count[0] 99\nset_io count[1] 98\nset_io count[2] 97\nset_io count[3] 96\nset_io extra 95\n",
        32_220,
    );
    let up5k = (
        "up5k",
        "sg48",
        "set_io clk 35\nset_io count[0] 2\nset_io count[1] 3\nset_io count[2] 4\nset_io count[3] 6\nset_io extra 9\n",
        104_090,
    );
    for (block, text, (device, package, pins, size)) in
        [("SB_PLL40_CORE", pll, hx1k), ("SB_MAC16", multiplier, up5k), ("SB_SPRAM256KA", memory, up5k)]
    {
        let space = TestSpace::counter();
        space.write("src/counter.v", around(text));
        space.write("src/counter.pcf", pins);
        // The hard blocks have no model that the simulator of the sources knows.
        space.edit(
            "config.yaml",
            "ICE40_DEVICE: hx1k\nICE40_PACKAGE: tq144",
            &format!("ICE40_DEVICE: {device}\nICE40_PACKAGE: {package}\nTEST_FILES: ['dir::model.v']"),
        );
        space.write("model.v", hard_block_models());
        space.run().exits(0).says(&["not checked: Icestorm.ReadBack: the design uses ", block]);
        assert_eq!((space.status(READ_BACK), space.status(POST_LAYOUT)), ("not_checked".into(), "not_checked".into()));
        assert_eq!(space.bytes("runs/default/final/bitstream/counter.bin").len(), size, "{block}");
    }
}

/// Just enough for a simulator to bind the instances of the test above.
fn hard_block_models() -> &'static str {
    "module SB_PLL40_CORE #(parameter FEEDBACK_PATH = \"\", DIVR = 0, DIVF = 0, DIVQ = 0, FILTER_RANGE = 0) (input \
     REFERENCECLK, output PLLOUTCORE, input RESETB, input BYPASS);\nassign PLLOUTCORE = REFERENCECLK;\nendmodule\n\
     module SB_MAC16 #(parameter TOPOUTPUT_SELECT = 0, BOTOUTPUT_SELECT = 0) (input CLK, input CE, input [15:0] A, \
     input [15:0] B, output [31:0] O);\nassign O = A * B;\nendmodule\n\
     module SB_SPRAM256KA (input [13:0] ADDRESS, input [15:0] DATAIN, input [3:0] MASKWREN, input WREN, CHIPSELECT, \
     CLOCK, STANDBY, SLEEP, POWEROFF, output [15:0] DATAOUT);\nassign DATAOUT = DATAIN;\nendmodule\n"
}

#[test]
fn every_device_is_placed_packed_and_timed() {
    if fast_only() || !has_flow() {
        return;
    }
    let devices = [
        ("lp384", "cm36", 7_334),
        ("lp1k", "cb121", 32_220),
        ("hx1k", "cb132", 32_220),
        ("lp4k", "bg121", 135_100),
        ("hx4k", "bg121", 135_100),
        ("lp8k", "bg121", 135_100),
        ("hx8k", "bg121", 135_100),
        ("up3k", "sg48", 104_090),
        ("up5k", "sg48", 104_090),
        ("u1k", "sg48", 71_260),
        ("u2k", "sg48", 71_260),
        ("u4k", "sg48", 71_260),
    ];
    let source =
        ("blink.v", "module blink (input wire clk, output reg led);\nalways @(posedge clk) led <= ~led;\nendmodule\n");
    let files = "VERILOG_FILES: 'dir::blink.v'\nCLOCK_PORT: clk\n";
    let space = TestSpace::with(&[("config.yaml", &config("blink", files)), source]);
    for (device, package, size) in devices {
        let [device_is, package_is] = [format!("ICE40_DEVICE={device}"), format!("ICE40_PACKAGE={package}")];
        space.tapeout(&["run", "-c", &device_is, "-c", &package_is]).exits(0);
        let statuses = [PACK, TIME, READ_BACK].map(|step| space.status(step));
        assert!(["done", "reused"].contains(&statuses[0].as_str()), "{device}: {statuses:?}");
        assert_eq!(statuses[2], "left_out", "{device}: there is no bench");
        let fmax = &space.summary()["metrics"]["timing__icetime__fmax"];
        assert!(fmax.as_f64().is_some_and(|fmax| fmax > 1.0), "{device}: {fmax}");
        assert_eq!(space.bytes("runs/default/final/bitstream/blink.bin").len(), size, "{device}");
    }
}

#[test]
fn a_wrapper_is_a_tool_by_its_content() {
    if fast_only() || !has_flow() {
        return;
    }
    let space = TestSpace::counter().env("TAPEOUT_YOSYS", "bin/yosys");
    space.write("src/counter.v", BLOCK_RAM);
    space.script("bin/yosys", "exec yosys \"$@\"\n");
    space.passes();
    assert_eq!(space.status(POST_LAYOUT), "done");
    space.run().exits(0);
    assert_eq!(space.repeated(), [""; 0]);
    space.script("bin/yosys", "# checked\nexec yosys \"$@\"\n");
    // The models of the cells come with Yosys.
    space.repeats("another wrapper is another tool, with the same netlist", &[SYNTH, POST_LAYOUT]);
}

#[test]
fn the_configuration_says_how_tools_start() {
    if fast_only() || !has_flow() || !has(&["nice", "bash"]) {
        return;
    }
    for setting in ["tools: {yosys: {prefix: [nice]}}\n", "tools: {yosys: {setup: 'export X=1'}}\n"] {
        let space = TestSpace::counter();
        space.write("src/counter.v", BLOCK_RAM);
        let plain = space.passes();
        space.write("config.yaml", space.read("config.yaml") + setting);
        assert_eq!(space.passes(), plain, "{setting}");
        assert_eq!(space.repeated()[0], SYNTH, "{setting}");
        let commands = space.read("runs/default/04-yosys-synthice40/COMMANDS");
        let word = if setting.contains("prefix") { "nice yosys -E" } else { "export X=1" };
        assert!(commands.contains(word), "{commands}");
        assert!(paste(&space, "04-yosys-synthice40"), "{setting}");
        space.repeats(setting, &[]);
    }
}

/// Whether the commands of a step run where they are shown.
fn paste(space: &TestSpace, dir: &str) -> bool {
    let mut sh = Command::new("sh");
    sh.args(["-e", "COMMANDS"]).current_dir(space.path("runs/default").join(dir));
    let output = sh.stdin(Stdio::null()).output().unwrap();
    if !output.status.success() {
        println!("{dir}: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    output.status.success()
}

#[test]
fn the_commands_of_every_step_can_be_pasted() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    space.edit(
        "src/counter.v",
        "initial count = 0;",
        "initial count = 0; reg [3:0] rom [0:1]; initial $readmemh(\"rom.hex\", rom);",
    );
    space.edit("src/counter.v", "+ `STEP", "+ rom[0]");
    space.write("src/rom.hex", "1 1\n");
    space.passes();
    let summary = space.summary();
    // The checker has no tools.
    let ran = |step: &&Value| step["status"] != "left_out" && step["id"] != TIMING;
    let steps = summary["steps"].as_array().unwrap().iter().filter(ran);
    let mut pasted = 0;
    for step in steps {
        assert!(paste(&space, step["dir"].as_str().unwrap()), "{step:#}");
        pasted += 1;
    }
    assert_eq!(pasted, 8);
    space.repeats("what is done in runs/ is not what is recorded", &[]);
}

#[test]
fn a_flow_is_a_list_of_steps_in_the_configuration() {
    if !has(&["yosys", "nextpnr-ice40"]) {
        return;
    }
    let space = TestSpace::counter();
    space.edit("config.yaml", "flow: Ice40", "flow: [Yosys.SynthIce40, Nextpnr.Ice40, Checker.SetupViolations]");
    let Ran { out, .. } = space.run().exits(0);
    assert!(out.contains(TIMING) && !out.contains(PACK), "{out}");
    let summary = space.summary();
    let ids: Vec<&str> = summary["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [SYNTH, ROUTE, TIMING]);
    space.edit("config.yaml", "Nextpnr.Ice40", "Nextpnr.Ice4");
    space.run().exits(2).says(&["there is no step `Nextpnr.Ice4`", "config.yaml:1:", "did you mean `Nextpnr.Ice40`?"]);
    space.edit("config.yaml", "Yosys.SynthIce40, Nextpnr.Ice4", "Nextpnr.Ice40");
    space.run().exits(2).says(&["`Nextpnr.Ice40` needs a view `json`"]);
}

#[test]
fn the_soc_passes_and_knows_its_firmware_and_header() {
    if fast_only() || !has_flow() {
        return;
    }
    let space = TestSpace::example("riscv-soc");
    space.run().exits(0);
    assert_eq!(space.bytes("runs/default/final/bitstream/soc.bin").len(), 135_100);
    assert_eq!(space.status(POST_LAYOUT), "done");

    space.write("firmware/firmware.hex", space.read("firmware/firmware.hex") + "00000000\n");
    space.repeats(
        "a word of RAM that is zero instead of unknown: no other layout",
        &[LINT, SIMULATE, SYNTH, ROUTE, READ_BACK],
    );
    let header = space.read("src/soc_map.vh");
    space.write("src/soc_map.vh", header + "// the end\n");
    space.repeats("the memory map", &[LINT, SIMULATE, SYNTH]);
}
