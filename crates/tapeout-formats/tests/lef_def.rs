//! LEF and DEF as real tools and libraries write them are read without loss, and written so that they read the same.

use std::fs;

use tapeout_formats::geometry::{Orientation, Point, Rect};
use tapeout_formats::lef::{Direction, LayerKind, PinDirection, Use};
use tapeout_formats::{def, lef};

const PROCESSES: [&str; 3] = ["osu018", "osu035", "osu050"];
const ROUTED: &str = include_str!("data/qrouter-1.4.71-routed.def");
const SMALL_LEF: &str = include_str!("data/small.lef");
const SMALL_DEF: &str = include_str!("data/small.def");

/// The LEF file of a process, as Debian has it.
fn installed(process: &str) -> String {
    let path = format!("/usr/share/qflow/tech/{process}/{process}_stdcells.lef");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}; install qflow-tech-{process}"))
}

/// All words of a text in order of the alphabet, numbers in one form. What comments say does not count.
fn words(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().replace(';', " ; "));
    let mut words: Vec<String> = lines
        .flat_map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .map(|word| word.parse::<f64>().map_or(word.clone(), |number| number.to_string()))
        .collect();
    words.sort();
    words
}

#[test]
fn libraries_of_cells_are_read_without_loss() {
    for process in PROCESSES {
        let text = installed(process);
        let library = lef::parse(&text).unwrap();
        let written = lef::write(&library);
        assert_eq!(lef::parse(&written).unwrap(), library, "{process}");
        // The order of corners and the keyword of a unit are the writer's.
        let same = |text: &str| words(&text.replace("END LIBRARY", "").replace("RPERSQ", ""));
        assert_eq!(same(&written), same(&text), "{process}");
    }
}

#[test]
fn a_library_says_what_placement_and_routing_need() {
    let library = lef::parse(&installed("osu035")).unwrap();
    assert_eq!((library.database_units, library.manufacturing_grid), (Some(1000), Some(0.1)));
    let routing: Vec<_> = library.routing_layers().map(|layer| layer.name.as_str()).collect();
    assert_eq!(routing, ["metal1", "metal2", "metal3", "metal4"]);
    let metal4 = library.layer("metal4").unwrap();
    assert_eq!((metal4.kind.clone(), metal4.direction), (LayerKind::Routing, Some(Direction::Vertical)));
    assert_eq!((metal4.pitch, metal4.offset), (Some(Point::new(3.2, 3.2)), Some(Point::new(1.6, 1.6))));
    assert_eq!((metal4.width, metal4.resistance, metal4.capacitance), (Some(1.2), Some(0.04), Some(4e-6)));
    assert_eq!(library.site("core").unwrap().size, Point::new(1.6, 20.0));
    let and = library.cell("AND2X1").unwrap();
    assert_eq!((and.class.join(" "), and.size, and.is_core()), ("CORE".to_owned(), Point::new(6.4, 20.0), true));
    let names: Vec<_> = and.pins.iter().map(|pin| (pin.name.as_str(), pin.direction, pin.usage)).collect();
    let (input, output, both) = (PinDirection::Input, PinDirection::Output, PinDirection::Inout);
    assert_eq!(names[0], ("A", Some(input), None));
    assert_eq!(names[2], ("gnd", Some(both), Some(Use::Ground)));
    assert_eq!(names[3], ("Y", Some(output), None));
    let (layer, rect) = and.pin("B").unwrap().rects().next().unwrap();
    assert_eq!((layer, *rect), ("metal1", Rect::new(Point::new(2.6, 9.8), Point::new(3.4, 11.4))));
    assert_eq!(and.obstructions[0].rects().count(), 9);
}

#[test]
fn files_merge_and_the_first_word_counts() {
    let mut library = lef::parse(&installed("osu035")).unwrap();
    let (layers, cells) = (library.layers.len(), library.cells.len());
    library.merge(lef::parse(SMALL_LEF).unwrap());
    assert_eq!((library.layers.len(), library.cells.len()), (layers + 3, cells + 1));
    assert_eq!(library.layer("metal1").unwrap().pitch, Some(Point::new(2.0, 2.0)));
    assert_eq!(library.version.as_deref(), Some("5.4"));
    let once = library.clone();
    library.merge(once.clone());
    assert_eq!(library, once);
}

#[test]
fn a_routed_design_is_read_without_loss() {
    let design = def::parse(ROUTED).unwrap();
    let written = def::write(&design);
    assert_eq!(def::parse(&written).unwrap(), design);
    // qrouter counts more special nets than it writes, and puts special wires without an announcement.
    let same = |text: &str| words(&text.replace("SPECIALNETS 7", "SPECIALNETS 5"));
    assert_eq!(same(&written), same(ROUTED));
    assert!(written.find("\nNETS").unwrap() < written.find("\nSPECIALNETS").unwrap());

    assert_eq!((design.design.as_str(), design.units), ("tiny", 1000));
    assert_eq!(design.die(), Some(Rect::new(Point::new(0, 0), Point::new(99_200, 72_000))));
    assert_eq!((design.tracks.len(), design.components.len(), design.pins.len()), (4, 33, 7));
    let fill = design.component("FILL_1_0").unwrap();
    assert_eq!((fill.cell.as_str(), fill.placement.unwrap().at), ("FILL", Point::new(16_000, 16_000)));
    let net = design.nets.iter().find(|net| net.name == "n18").unwrap();
    assert_eq!(net.pins[0].instance.as_deref(), Some("u7_DFFPOSX1"));
    assert_eq!((net.wires().count(), net.wire_length()), (4, 1_600 + 17_600 + 2_000));
    assert_eq!(net.wires().flat_map(def::Wire::vias).collect::<Vec<_>>(), ["M2_M1", "M3_M2", "M3_M2", "M2_M1"]);
    let power = design.special_nets.iter().find(|net| net.name == "vdd").unwrap();
    assert_eq!(power.wires().next().unwrap().width, Some(1200));
}

#[test]
fn rare_statements_read_back() {
    let library = lef::parse(SMALL_LEF).unwrap();
    let written = lef::write(&library);
    assert_eq!(lef::parse(&written).unwrap(), library, "{written}");
    assert_eq!(words(&written), words(SMALL_LEF));
    let pin = &library.cells[0].pins[0];
    assert_eq!(pin.antennas[1].model.as_deref(), Some("OXIDE2"));
    assert_eq!(library.layers[0].width, Some(0.5));

    let design = def::parse(SMALL_DEF).unwrap();
    let written = def::write(&design);
    assert_eq!(def::parse(&written).unwrap(), design, "{written}");
    assert_eq!(words(&written), words(SMALL_DEF));
    assert_eq!(design.rows[0].area(Point::new(10, 100)), Rect::new(Point::new(0, 0), Point::new(110, 100)));
    assert_eq!(design.components[1].placement, None);
    assert_eq!(design.components[0].placement.unwrap().orientation, Orientation::FS);
    assert_eq!(design.pins[1].ports.len(), 2);
}

#[test]
fn errors_say_where_and_what() {
    let lef = |text: &str| lef::parse(text).unwrap_err().to_string();
    let message = "LEF, line 2, column 23: expected a distance in µm, found `x`";
    assert_eq!(lef("MACRO a\n SIZE 1 BY 2 ; ORIGIN x 1 ;\nEND a"), message);
    assert_eq!(lef("MACRO a\nEND b\n"), "LEF, line 2, column 5: expected `a` behind `END`, found `b`");
    assert_eq!(lef("MACRO a\nEND a\n"), "LEF, line 2, column 5: expected `SIZE` in the cell a, found `a`");
    assert_eq!(lef("LAYER m\n TYPE CUT"), "LEF: expected `;`, not found in 2 lines");
    let def = |text: &str| def::parse(text).unwrap_err().to_string();
    assert_eq!(def("DESIGN a ;\n"), "DEF: expected `END DESIGN`, not found in 1 lines");
    assert_eq!(
        def("NETS 1 ;\n- n ( u1 A )\n + ROUTED m1 ( * 3 ) ;\nEND NETS"),
        "DEF, line 3, column 16: expected a coordinate: `*` stands for that of the point before, and there is none, \
         found `*`"
    );
    assert_eq!(def("NETS 1 ;\n( a ) ;"), "DEF, line 2, column 1: expected `-` or `END NETS`, found `(`");
    assert_eq!(
        def("UNITS DISTANCE MICRONS 0 ;"),
        "DEF, line 1, column 24: expected how many units are 1 µm, at least 1, found `0`"
    );
}
