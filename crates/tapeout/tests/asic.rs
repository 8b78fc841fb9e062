//! The flow `OpenAsic` with the real tools: what it makes, that it makes it once and the same each time, and what it says of
//! designs and settings that cannot become a layout. The cells are Debian's, which come without layouts.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs itself, says what it skips, and fails by panic"
)]

mod support;

use std::fs;
use std::path::Path;

use support::{TestSpace, has};

/// A design of a few dozen cells.
const SMALL: &str = "\
module adder (input wire clk, input wire [3:0] a, output reg [3:0] q);
    always @(posedge clk) q <= q + (a ^ {q[0], q[3:1]});
endmodule
";

/// Whether tools and PDKs are here.
fn can_run() -> bool {
    let pdks = ["osu035", "osu050"].map(|name| format!("/usr/share/qflow/tech/{name}"));
    if let Some(missing) = pdks.iter().find(|pdk| !Path::new(pdk).is_dir()) {
        println!("skipped: no {missing}");
        return false;
    }
    has(&["yosys", "verilator", "iverilog", "vvp", "sta", "graywolf", "qrouter", "magic", "netgen-lvs", "klayout"])
}

/// A design on osu035, without the steps of KLayout, which take seconds each.
fn design(name: &str, verilog: &str, more: &str) -> TestSpace {
    let config = format!(
        "meta: {{version: 2, flow: OpenAsic}}\nPDK: osu035\nDESIGN_NAME: {name}\nVERILOG_FILES: 'dir::src/*.v'\n\
         CLOCK_PERIOD: 10\nRUN_LINTER: false\nRUN_KLAYOUT_STREAMOUT: false\nRUN_RENDER: false\n{more}"
    );
    TestSpace::with(&[("config.yaml", &config), ("src/design.v", verilog)])
}

fn small(more: &str) -> TestSpace {
    design("adder", SMALL, &format!("CLOCK_PORT: clk\n{more}"))
}

#[test]
fn spm_becomes_a_layout_once() {
    if !can_run() {
        return;
    }
    let space = TestSpace::example("spm");
    let ran = space.run().exits(0).says(&["not checked: KLayout.DRC: `KLAYOUT_DRC_RUNSET` is not set"]);
    let ran = ran.prints(&["this GDS cannot be manufactured: 8 kinds of cells have no layout"]);
    let alerts = ran.out.split_once("\nalerts\n").unwrap().1.split_once("\n\n").unwrap().0;
    assert_eq!(alerts.lines().count(), 1, "{alerts}");
    let summary = space.summary();
    for metric in [
        "route__net__failed__count",
        "magic__drc_error__count",
        "magic__illegal_overlap__count",
        "design__lvs_error__count",
        "design__xor_difference__count",
        "timing__setup_vio__count",
        "timing__hold_vio__count",
    ] {
        assert_eq!(summary["metrics"][metric], 0, "{metric}");
    }
    assert_eq!(summary["metrics"]["design__gds__abstract_cells"], 8);
    let length = summary["metrics"]["route__wirelength"].to_string();
    assert!(length.split_once('.').is_none_or(|(_, decimals)| decimals.len() <= 3), "{length}");
    for step in ["Netgen.LVS", "Icarus.GateLevel", "Yosys.Equivalence", "KLayout.XOR", "KLayout.Render"] {
        assert_eq!(space.status(step), "done", "{step}");
    }
    for view in ["gds/spm.gds", "klayout_gds/spm.klayout.gds", "lef/spm.lef", "render/spm.png", "spice/spm.spice"] {
        assert!(!space.bytes(&format!("runs/default/final/{view}")).is_empty());
    }

    space.tapeout(&["run", "-n"]).exits(0).prints(&["\nnothing would run\n"]);
    space.run().exits(0);
    assert_eq!(space.repeated(), [""; 0]);
    space.tapeout(&["why", "Qrouter.Route"]).exits(0).prints(&["would not run: nothing that it reads has changed"]);
    space.is_quiet();

    let viewers = space.path("viewers");
    for viewer in ["klayout", "magic"] {
        space.script(&format!("viewers/{viewer}"), &format!("echo {viewer} \"$@\"\n"));
    }
    let space = space.env("PATH", viewers.to_str().unwrap()).env("DISPLAY", ":7");
    let shown = |format: &str| space.tapeout(&["open", "-f", format]).exits(0).out;
    assert!(shown("gds").starts_with("klayout ") && shown("gds").ends_with("/spm.gds\n"), "{}", shown("gds"));
    let layout = shown("mag");
    assert!(layout.starts_with("magic -rcfile /") && layout.contains("/osu035.magicrc "), "{layout}");
}

/// All files below a directory, by their names in it.
fn files(space: &TestSpace, dir: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(space.path(&dir)).unwrap() {
            let path = format!("{dir}/{}", entry.unwrap().file_name().to_str().unwrap());
            if space.path(&path).is_dir() {
                pending.push(path);
            } else {
                let bytes = space.bytes(&path);
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn two_runs_give_the_same_bytes() {
    if !can_run() {
        return;
    }
    let made = || {
        let space = small("");
        space.run().exits(0);
        files(&space, "runs/default/final")
    };
    let (first, second) = (made(), made());
    assert!(first.len() > 12, "{}", first.len());
    for ((name, first), (other, second)) in first.iter().zip(&second) {
        assert!(name == other && first == second, "{name} is another one the second time");
    }
}

#[test]
fn what_cannot_become_a_layout_is_told_of_before_anything_starts() {
    if !can_run() {
        return;
    }
    let space = small("");
    for (set, words) in [
        ("FP_CORE_UTIL=120", "`FP_CORE_UTIL`: cells cannot fill 120 % of the rows"),
        ("DIE_AREA=[0, 0, 500, 500]", "`DIE_AREA`: it has no effect as long as `FP_SIZING` is `relative`"),
        ("MAGIC_EXT_USE_GDS=true", "from the layouts of cells, and `CELL_GDS` names none"),
        ("STA_CORNERS=[nom_ss_100C_1v60]", "`LIB`: no Liberty file for the corner `nom_ss_100C_1v60`"),
        ("MAGICRC=/nowhere/rc", "`MAGICRC`: `/nowhere/rc` does not exist"),
        ("CELL_LEFS=[/nowhere/cells.lef]", "`CELL_LEFS[0]`: `/nowhere/cells.lef` does not exist"),
        ("CELL_GDS=[/nowhere/cells.gds]", "`CELL_GDS[0]`: `/nowhere/cells.gds` does not exist"),
    ] {
        space.tapeout(&["run", "-c", set]).exits(2).says(&[words, "1 error in the configuration; nothing was started"]);
    }
    space.tapeout(&["run", "--pdk", "nopdk"]).exits(2).says(&["the PDK `nopdk` is chosen", "tapeout list pdks"]);
    space.write(
        "pdks/late/pdk.toml",
        "doc = 'Asks for a Magic that is not there.'\ndefault_library = 'small'\n[tools]\nmagic = '99.0'\n\
         [libraries.small.variables]\n",
    );
    space.edit("config.yaml", "PDK: osu035", "PDK: late");
    let all = space.tapeout(&["run", "--pdk-root", "pdks"]).exits(2);
    all.says(&["the PDK `late` does not give all that the flow needs"]);
    let old = "case \"$*\" in *--version*) echo 8.2.1;; *) exit 1;; esac\n";
    space.script("old/magic", old);
    space.edit("config.yaml", "PDK: late", "PDK: osu035");
    let reversed = ["run", "-c", "FP_SIZING=absolute", "-c", "DIE_AREA=[290, 280, 0, 0]"];
    let words = "`DIE_AREA`: expected the lower left corner and then the upper right one, found `290 280 0 0`";
    space.tapeout(&reversed).exits(2).says(&[words]);
    let path = format!("{}:{}", space.path("old").display(), std::env::var("PATH").unwrap());
    let space = space.env("PATH", path);
    space.run().exits(3).says_once(&["`magic` is version 8.2.1, at least 8.3.105 is needed", "apt-get install magic"]);
    let started =
        fs::read_dir(space.path("runs/default")).into_iter().flatten().map(|entry| entry.unwrap().file_name());
    let steps = started.filter(|name| name.to_str().unwrap().starts_with(|c: char| c.is_ascii_digit()));
    assert_eq!(steps.count(), 0);
}

#[test]
fn what_a_step_cannot_go_on_with_is_told_of_once() {
    if !can_run() {
        return;
    }
    let space = small("");
    for (set, code, words) in [
        (
            vec!["FP_SIZING=absolute", "DIE_AREA=[0, 0, 90, 80]"],
            2,
            vec!["Layout.Floorplan: the cells need ", "try: give a larger `DIE_AREA`"],
        ),
        (
            vec!["FP_SIZING=absolute", "DIE_AREA=[0, 0, 290.03, 280]"],
            2,
            vec!["`DIE_AREA`: 290.03 µm is not on the manufacturing grid, which is 0.1 µm"],
        ),
        (vec!["CLOCK_PORT=clock"], 2, vec!["`CLOCK_PORT`", "`clk`, `a[0]`"]),
        (vec!["CLOCK_PORT=a[0]"], 2, vec!["the clock `a[0]` reaches no register: 4 registers have no clock"]),
        (vec!["EXTRA_EXCLUDED_CELLS=[\"DFF*\"]"], 5, vec!["D flip-flops are not supported", "`EXTRA_EXCLUDED_CELLS`"]),
        (vec!["RT_MAX_LAYER=metal2"], 2, vec!["of the design lie on metal3: ", "`IO_PIN_H_LAYER`"]),
        (vec!["FILL_CELLS=[FILLX]"], 2, vec!["`FILL_CELLS` means, which is `FILLX`"]),
        (vec!["PLACE_SITE=unit"], 2, vec!["no site `unit` (`PLACE_SITE`); they have `corner`, `IO`, `core`"]),
    ] {
        let overrides = set.iter().flat_map(|set| ["-c", *set]);
        space.tapeout(&["run"].into_iter().chain(overrides).collect::<Vec<_>>()).exits(code).says_once(&words);
    }
    let lef = fs::read_to_string("/usr/share/qflow/tech/osu035/osu035_stdcells.lef").unwrap();
    space.write("cells.lef", lef.replace("DFFPOSX1", "DFFX"));
    let files = ["-c", "CELL_LEFS=[dir::cells.lef]", "-c", "TECH_LEFS={\"*\": \"dir::cells.lef\"}"];
    let words = ["the LEF files have no cell `DFFPOSX1`; read were `cells.lef`", "try: name the LEF file that has it"];
    space.tapeout(&[&["run"][..], &files].concat()).exits(2).says_once(&words);
    space.edit("config.yaml", "CLOCK_PORT: clk\n", "");
    let words = ["`CLOCK_PORT` is not set, and 4 registers have no clock", "try: set `CLOCK_PORT`"];
    space.run().exits(2).says_once(&words);
}

#[test]
fn designs_that_have_no_layout_are_told_why() {
    if !can_run() {
        return;
    }
    let latch = "module d(input wire clk, a, output reg q); always @* if (clk) q = a; endmodule\n";
    let set = "EXTRA_EXCLUDED_CELLS: [LATCH]";
    for (verilog, set, code, words) in [
        (latch, set, 1, "the library has no cell for 1 `$_DLATCH_P_`"),
        ("module d(input wire clk); endmodule\n", "", 2, "nothing is left of `d`"),
        (
            "module d(input wire clk, VDD, output wire q); assign q = ~(clk & VDD); endmodule\n",
            "",
            2,
            "the port `VDD` cannot be named in all of Verilog, DEF and SPICE: it is the name of a supply",
        ),
        (
            "module d(input wire clk, pin, output wire q); assign q = ~(clk & pin); endmodule\n",
            "",
            2,
            "it is a reserved word in one of them; rename it in the sources",
        ),
        (
            "module d(input wire clk, a, A, output wire q); assign q = ~(clk & A) ^ a; endmodule\n",
            "",
            2,
            "another port differs from it only in upper and lower case; rename it in the sources",
        ),
    ] {
        let space = design("d", verilog, &format!("CLOCK_PORT: clk\n{set}\n"));
        space.run().exits(code).says_once(&[words]);
    }
}

#[test]
fn the_smallest_designs_become_layouts_too() {
    if !can_run() {
        return;
    }
    // One cell, no registers, a pin that nothing reads; and two cells, on which graywolf never ends.
    let inverter = "module d(input wire clk, a, output wire q); assign q = ~a; endmodule\n";
    let shift = "module d(input wire clk, a, output reg q, r); always @(posedge clk) {r, q} <= {q, a}; endmodule\n";
    for verilog in [inverter, shift] {
        let space = design("d", verilog, "CLOCK_PORT: clk\n");
        space.run().exits(0);
        let summary = space.summary();
        for metric in ["magic__drc_error__count", "design__lvs_error__count"] {
            assert_eq!(summary["metrics"][metric], 0, "{metric}");
        }
    }
}

#[test]
fn nets_without_a_way_are_named_when_the_time_is_up() {
    if !can_run() {
        return;
    }
    let space = TestSpace::example("spm");
    let set = ["RT_MAX_LAYER=metal2", "IO_PIN_H_LAYER=metal1", "FP_CORE_UTIL=98", "ROUTING_TIME_LIMIT=2"];
    let set: Vec<&str> = set.iter().flat_map(|set| ["-c", *set]).collect();
    let steps = ["run", "-T", "Qrouter.Route", "-S", "*.Lint*", "-S", "Icarus.*", "-S", "OpenSTA.*"];
    let ran = space.tapeout(&[&steps[..], &set].concat()).exits(5).says_once(&[
        "Qrouter.Route: `qrouter` ran longer than its time limit of 2 s",
        " nets were left, `",
        "a higher `RT_MAX_LAYER`",
    ]);
    assert!(ran.err.contains("or raise `ROUTING_TIME_LIMIT`"), "{}", ran.err);
    space.is_quiet();
}

/// A layout with two wires of metal 2 too close to each other.
fn with_wires_too_close(def: &str, distance: i64) -> String {
    let begin = def.find("\nSPECIALNETS ").unwrap() + 1;
    let end = begin + def[begin..].find('\n').unwrap();
    let count: usize = def[begin..end].split_whitespace().nth(1).unwrap().parse().unwrap();
    let second = 2000 + distance;
    format!(
        "{}SPECIALNETS {} ;\n- s1\n  + FIXED metal2 900 ( 2000 10000 ) ( * 40000 ) ;\n- s2\n  \
         + FIXED metal2 900 ( {second} 10000 ) ( * 40000 ) ;{}",
        &def[..begin],
        count + 2,
        &def[end..]
    )
}

#[test]
fn seeded_errors_are_found() {
    if !can_run() {
        return;
    }
    let space = small("");
    space.run().exits(0);
    let (def, cdl) = ("runs/default/final/def/adder.routed.def", "runs/default/final/cdl/adder.cdl");
    space.write("bad.def", with_wires_too_close(&space.read(def), 1200));
    let netlist = space.read(cdl);
    let instance = netlist.lines().find(|line| line.ends_with(" INVX1")).unwrap();
    let words: Vec<&str> = instance.split_whitespace().collect();
    let swapped = [words[0], words[2], words[1], words[3], words[4], words[5]].join(" ");
    space.write("bad.cdl", netlist.replace(instance, &swapped));
    space.write("good.def", space.read(def));
    let of_layout = ["run", "--tag", "drc", "-F", "Magic.StreamOut", "-T", "Checker.MagicDRC", "-e", "def=bad.def"];
    space
        .tapeout(&of_layout)
        .exits(1)
        .prints(&["design rules are violated: Metal2 spacing < 3 (Mosis #9.2)"])
        .says_once(&["Checker.MagicDRC: violations of design rules by Magic: "]);
    let of_netlist = ["run", "--tag", "lvs", "-F", "Magic.SpiceExtraction", "-T", "Checker.LVS", "-S", "KLayout.LVS"];
    let views = ["-e", "def=good.def", "-e", "cdl=bad.cdl"];
    let ran = space.tapeout(&[&of_netlist[..], &views].concat()).exits(1);
    ran.says_once(&["Checker.LVS: differences between layout and netlist: "]);
}

#[test]
fn a_wrong_netlist_fails_the_bench_and_the_proof() {
    if !can_run() {
        return;
    }
    let counter = "module d (input wire clk, rst, output reg [1:0] q);\n  always @(posedge clk) q <= rst ? 2'd0 : q + 2'd1;\n\
                   endmodule\n";
    let space = design("d", counter, "CLOCK_PORT: clk\nTEST_BENCHES: 'dir::tb/d_tb.v'\n");
    let bench = "module d_tb;\n  reg clk = 0, rst = 1;\n  wire [1:0] q;\n  integer n;\n  d dut (.clk(clk), .rst(rst), .q(q));\n\
                 always #5 clk = ~clk;\n  initial begin\n    repeat (2) @(negedge clk);\n    rst = 0;\n\
                 for (n = 0; n < 8; n = n + 1) begin\n      if (q !== n[1:0]) $fatal(1, \"expected %0d, got %0d\", n[1:0], q);\n\
                 @(negedge clk);\n    end\n    $finish;\n  end\nendmodule\n";
    space.write("tb/d_tb.v", bench);
    let synthesis = ["run", "-T", "Yosys.Synthesis"];
    space.tapeout(&synthesis).exits(0);
    let netlist = space.read_of("yosys-synthesis", "d.nl.v");
    space.write("good.json", space.read_of("yosys-synthesis", "d.json"));
    let part = ["run", "--tag", "function", "--keep-going", "-F", "Icarus.GateLevel", "-T", "Yosys.Equivalence"];
    let checked = |netlist: &str| {
        space.write("netlist.v", netlist);
        space.tapeout(&[&part[..], &["-e", "nl=netlist.v", "-e", "json=good.json"]].concat())
    };
    checked(&netlist).exits(0);
    assert!(netlist.contains(" NAND2X1 "), "{netlist}");
    checked(&netlist.replacen(" NAND2X1 ", " NOR2X1 ", 1)).exits(1).says(&[
        "Icarus.GateLevel: 1 of 1 benches failed",
        "Yosys.Equivalence: ",
        "registers and outputs could not be proved to be equal: `q`",
    ]);
}

#[test]
fn timing_without_wires_is_not_judged_as_that_of_the_layout() {
    if !can_run() {
        return;
    }
    let space = small("");
    let judged = |set: &str| {
        let plan = space.tapeout(&["plan", "-c", set]).exits(0).out;
        plan.contains("timing__setup_vio__count")
    };
    assert!(judged("RUN_MCSTA=true"));
    assert!(!judged("RUN_MCSTA=false") && !judged("RUN_SPEF_EXTRACTION=false"));
}

#[test]
fn what_only_abstracts_of_cells_break_is_not_the_designs() {
    if !can_run() {
        return;
    }
    let space = small("");
    space.edit("config.yaml", "PDK: osu035", "PDK: osu050");
    let words = "violations of design rules are left out, as they lie in the abstracts of cells";
    space.run().exits(0).prints(&[words, "`CELL_GDS`"]);
    let metric = |name: &str| space.summary()["metrics"][name].as_i64().unwrap();
    let in_abstracts = metric("design__gds__abstract_violations");
    assert!(in_abstracts > 10 && metric("magic__drc_error__count") == 0, "{in_abstracts}");
    assert!(space.read_of("magic-drc", "drc.rpt").contains(words));

    space.write("bad.def", with_wires_too_close(&space.read("runs/default/final/def/adder.routed.def"), 1500));
    let part = ["run", "-F", "Magic.StreamOut", "-T", "Checker.MagicDRC", "-e", "def=bad.def"];
    for from_gds in ["true", "false"] {
        let set = format!("MAGIC_DRC_USE_GDS={from_gds}");
        let ran = space.tapeout(&[&part[..], &["-c", &set]].concat()).exits(1);
        ran.prints(&["design rules are violated: Metal2 spacing < 3"]);
        let metric = |name: &str| space.summary()["metrics"][name].as_i64().unwrap();
        assert_eq!(metric("design__gds__abstract_violations"), in_abstracts);
    }
}

#[test]
fn optimizing_packs_tightly_where_it_can() {
    if !can_run() {
        return;
    }
    let space = small("");
    space.edit("config.yaml", "flow: OpenAsic", "flow: Optimizing");
    space.edit("config.yaml", "RUN_KLAYOUT_STREAMOUT: false\nRUN_RENDER: false\n", "");
    let utilisation = || space.summary()["metrics"]["design__instance__utilization"].as_f64().unwrap();
    space.run().exits(0).prints(&["synthesis exploration", "best"]);
    assert!(utilisation() > 0.95, "{}", utilisation());
    assert_eq!(space.status("Layout.Legalise-hard"), "done");
    let ran = space.tapeout(&["run", "-c", "HARD_CORE_UTIL=120"]).exits(0);
    ran.says(&["the hard try failed, the target of the configuration is next", "cells cannot fill 120 % of the rows"]);
    assert!(utilisation() < 0.9, "{}", utilisation());
    assert_eq!(space.status("Layout.Legalise"), "done");
}
