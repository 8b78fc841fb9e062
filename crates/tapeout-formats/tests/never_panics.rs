//! Whatever a tool leaves behind, cut off or damaged, the readers answer with a value or an error.

use tapeout_formats::*;

const SAMPLES: [&str; 14] = [
    include_str!("data/nextpnr-0.4-pll.log"),
    include_str!("data/icetime-hx4k.rpt"),
    include_str!("data/yosys-0.23-ports.json"),
    include_str!("data/small.lef"),
    include_str!("data/small.def"),
    include_str!("data/yosys-0.23-gates.json"),
    ".subckt a b\n+ c=1 $ é\nXu a b / c m = 2\nM1 a b c\n.ends\n* x\n.include \"y\"\n.end\n",
    "n1 1 u1/Y 3 ( 1.5 0.002 ( 2 1e-3 u2/A , ( 3 0 PIN/q[0] ) ) , ( 0 0 ERROR ) , ( 4 1e-05 u3/B ) )\n",
    "i_a -399 -200  1521 1800  3 1\ntwpin_a[0] 1 2 3 4 0 -3\nFinal: Failed net routes: 2\nList of failed nets follows:\n n1\n",
    "a\\ b.o c:d : x.h \\\r\n y$$z\\#.h # w\n\nset_io -nowarn -pullup yes q[1] A2\nset_frequency c 1e3\nM a.v\nI b.vh\n",
    "%Warning-WIDTH: a.v:1:2: x 'é'\n[5] %Error: a.v:2: y\na.v:3: error: port ``c'' is (not\n\
     a.vhd:1:2:@5ns:(assertion error): bad\n/usr/bin/ghdl:error: x\nb.v:1: Warning: `\\z' is\n// Warning: d\n: : ': ('\n",
    "%OL_CREATE_REPORT a/../b.rpt\nx\n%OL_METRIC_I n 1\n%OL_METRIC_F m 1e3\n%OL_METRIC t a b\n%OL_END_REPORT\n[WARNING A-1] x\n",
    "library(a) { nom_voltage : 1.8; /* é */ cell (\"b\") { area : 1\n pin(A, B) { direction : input; } latch(Q,N) {\
     enable : \"!C\"; } bus(d) { pin(d[0]) { capacitance : 1e-3; } } t (x) { v (\"1, \\\n 2\"); } } } // c\n",
    "@bit_major\n@ min_distance = 0.5\n#NR\na\\[1\\] $3\n#S @bus_major\n.*é\n",
];

fn read_with_all(text: &str) {
    let _ = nextpnr::parse(text);
    let _ = pcf::parse(text).map(|pcf| pcf.to_plain());
    let _ = yosys_stat::parse(text);
    let _ = yosys_netlist::parse(text).map(|netlist| {
        netlist.modules.values().flat_map(|m| &m.ports).for_each(|(name, port)| drop(port.bit_names(name)));
    });
    let _ = netlist::Netlist::from_yosys(text, "t", &["vdd"]).map(|netlist| {
        let _ = netlist.to_spice(&netlist::Powered::default());
        netlist.to_verilog(Some(&netlist::Powered::default())).len() + netlist.ends().len()
    });
    if let Ok(spice) = spice::parse(text) {
        let again = spice::parse(&spice::write(&spice)).expect("what is written reads");
        assert_eq!(again.subckts.len(), spice.subckts.len());
    }
    let _ = graywolf::pl1::parse(text);
    let _ = qrouter::log::parse(text);
    if let Ok(nets) = qrouter::rc::parse(text) {
        let nets = nets.iter().map(spef::Net::from_tree).collect();
        assert!(spef::write(&spef::Spef { design: "t".into(), nets }).starts_with("*SPEF"));
    }
    let _ = icetime::parse(text);
    let _ = asc::parse(text);
    let _ = makefile_deps::parse(text).map(|rules| makefile_deps::prerequisites(&rules).len());
    let _ = liberty::without_cells(text, |_| true).map(|rest| liberty::parse(&rest));
    let _ = pin_order::parse(text);
    let _ = (opensta::power(text), opensta::violations(text));
    read_with_all_layouts(text);
    let _ = protocol::parse(text.as_bytes());
    for alerts in [
        alerts::verilator,
        alerts::yosys,
        alerts::nextpnr,
        alerts::icepack,
        alerts::icetime,
        alerts::iverilog,
        alerts::vvp,
        alerts::ghdl,
        alerts::graywolf,
        alerts::qrouter,
        alerts::openroad,
        alerts::opensta,
    ] {
        assert!(alerts(text).iter().all(|alert| alert.count > 0 && alert.code.contains('.')));
    }
}

#[test]
fn cut_at_every_place() {
    for sample in SAMPLES {
        for (at, _) in sample.char_indices() {
            // The last lines are enough: what is before them reads as before.
            let from = sample[..at].char_indices().rev().nth(200).map_or(0, |(from, _)| from);
            read_with_all(&sample[from..at]);
        }
    }
}

#[test]
fn with_every_character_replaced() {
    for sample in &SAMPLES[6..] {
        for (at, old) in sample.char_indices() {
            for new in ["", ":", "'", "`", "(", "\\", "\n", " ", "é", "0"] {
                read_with_all(&format!("{}{new}{}", &sample[..at], &sample[at + old.len_utf8()..]));
            }
        }
    }
}

#[test]
fn ports_at_the_ends_of_the_numbers() {
    let text = r#"{"modules": {"a": {"ports": {"p": {"direction": "input", "bits": [0, 1], "offset": 2147483647},
        "q": {"direction": "input", "bits": [], "offset": 1, "upto": 1}}}}}"#;
    read_with_all(text);
}

#[test]
fn layouts_with_every_word_replaced() {
    for sample in [include_str!("data/small.lef"), include_str!("data/small.def")] {
        let starts = sample.match_indices(char::is_whitespace).map(|(at, _)| at + 1);
        for start in starts {
            let end = sample[start..].find(char::is_whitespace).map_or(sample.len(), |length| start + length);
            for new in ["", ";", "+", "*", "9007199254740991"] {
                read_with_all_layouts(&format!("{}{new}{}", &sample[..start], &sample[end..]));
            }
        }
    }
}

/// What is read is written so that it reads the same.
fn read_with_all_layouts(text: &str) {
    if let Ok(library) = lef::parse(text) {
        let written = lef::write(&library);
        assert_eq!(lef::parse(&written).as_ref(), Ok(&library), "{written}");
    }
    if let Ok(design) = def::parse(text) {
        let written = def::write(&design);
        assert_eq!(def::parse(&written).as_ref(), Ok(&design), "{written}");
        let _ = (design.die(), design.nets.iter().map(def::Net::wire_length).max());
        design.rows.iter().for_each(|row| assert!(row.area(row.at).width() >= 0));
    }
}
