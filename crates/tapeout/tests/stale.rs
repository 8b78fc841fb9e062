//! Nothing stale is ever served, and nothing of the user's is ever touched: what designs read in ways of their own.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs itself, says what it skips, and fails by panic"
)]
#![allow(dead_code, reason = "the support is shared with other tests")]

mod support;

use std::fs;
use std::os::unix::fs::symlink;

use support::{TestSpace, has_flow};

/// A design whose bench prints what it has read and fails unless it is 1.
fn space(source: &str, more: &str) -> TestSpace {
    let config = format!(
        "meta: {{version: 2, flow: [Icarus.Simulate]}}\nDESIGN_NAME: d\nVERILOG_FILES: 'dir::src/*.v'\n\
         TEST_BENCHES: 'dir::tb/*.v'\n{more}"
    );
    let bench = "module tb;\n  wire [7:0] q;\n  d dut (q);\n  initial begin\n    #1 if (q !== 1) begin $display(\"ERROR: \
                 q is %0d\", q); $fatal(1); end\n    $finish;\n  end\nendmodule\n";
    TestSpace::with(&[("config.yaml", config.as_str()), ("src/d.v", source), ("tb/tb.v", bench)])
}

#[test]
fn an_include_that_appears_in_an_earlier_place_counts() {
    if !has_flow() {
        return;
    }
    let direct = "`include \"v.vh\"\nmodule d(output [7:0] q); assign q = `V; endmodule\n";
    let by_macro = "`define NAME \"v.vh\"\n`include `NAME\nmodule d(output [7:0] q); assign q = `V; endmodule\n";
    for source in [direct, by_macro] {
        let space = space(source, "VERILOG_INCLUDE_DIRS: ['dir::a', 'dir::b']\n");
        space.write("a/other.vh", "");
        space.write("b/v.vh", "`define V 1\n");
        space.run().exits(0);
        space.repeats("nothing changed", &[]);
        space.write("a/v.vh", "`define V 2\n");
        space.run().exits(1).says(&["q is 2"]);
        fs::remove_file(space.path("a/v.vh")).unwrap();
        space.run().exits(0);
        space.write("src/v.vh", "`define V 3\n");
        space.run().exits(1).says(&["q is 3"]);
    }
}

#[test]
fn an_include_that_was_missing_can_be_supplied() {
    if !has_flow() {
        return;
    }
    let space = space("`include \"v.vh\"\nmodule d(output [7:0] q); assign q = `V; endmodule\n", "");
    space.run().exits(5).says(&["v.vh"]);
    space.write("src/v.vh", "`define V 1\n");
    space.run().exits(0);
}

#[test]
fn an_include_behind_a_link_counts_where_it_really_is() {
    if !has_flow() {
        return;
    }
    let space = space(
        "`include \"a.vh\"\nmodule d(output [7:0] q); assign q = `V; endmodule\n",
        "VERILOG_INCLUDE_DIRS: ['dir::inc']\n",
    );
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir(elsewhere.path().join("inc")).unwrap();
    fs::write(elsewhere.path().join("inc/a.vh"), "`include \"../v.vh\"\n").unwrap();
    fs::write(elsewhere.path().join("v.vh"), "`define V 1\n").unwrap();
    symlink(elsewhere.path().join("inc"), space.path("inc")).unwrap();
    space.run().exits(0);
    fs::write(elsewhere.path().join("v.vh"), "`define V 2\n").unwrap();
    space.run().exits(1).says(&["q is 2"]);
}

#[test]
fn memory_files_count_however_they_are_named() {
    if !has_flow() {
        return;
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("m.hex");
    let absolute = file.to_str().unwrap();
    let cases = [("./m.hex", "m.hex"), ("m.hex", "src/m.hex"), ("../../../fw/m.hex", "fw/m.hex"), (absolute, absolute)];
    for (name, place) in cases {
        let source = format!(
            "module d(output [7:0] q); reg [7:0] m [0:0]; assign q = m[0]; initial $readmemh(\"{name}\", m); endmodule\n"
        );
        let space = space(&source, "");
        let place = space.path(place);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, "01\n").unwrap();
        space.run().exits(0);
        fs::write(&place, "02\n").unwrap();
        space.run().exits(1).says(&["q is 2"]);
    }
}

#[test]
fn a_bench_that_dumps_waves_does_not_overwrite_those_of_the_user() {
    if !has_flow() {
        return;
    }
    let space = space("module d(output [7:0] q); assign q = 1; endmodule\n", "");
    space.edit("tb/tb.v", "initial begin", "initial begin\n    $dumpfile(\"tb.vcd\"); $dumpvars;");
    space.write("tb.vcd", "precious\n");
    space.run().exits(0);
    assert_eq!(space.read("tb.vcd"), "precious\n");
}

#[test]
fn the_directory_of_a_project_may_have_any_name() {
    if !has_flow() {
        return;
    }
    let parent = tempfile::tempdir().unwrap();
    for name in ["sp ace", "q'uote", "p(1)", "a&b", "do$l"] {
        let dir = parent.path().canonicalize().unwrap().join(name);
        fs::create_dir(&dir).unwrap();
        let space = TestSpace::at(&dir);
        space.write_all(support::COUNTER);
        space.edit("config.yaml", "flow: Ice40", "flow: [Icarus.Simulate, Yosys.SynthIce40]");
        space.run().exits(0);
    }
}
