//! The standard cells and the technology, which the PDK describes.

use tapeout_config::{Type, Variable};

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new(
            "TECH_LEFS",
            Type::map(Type::Path),
            "The technology LEFs by interconnect corner, a pattern such as `nom_*`. They define layers, vias and \
             sites.",
        )
        .from_pdk(),
        Variable::new(
            "LIB",
            Type::map(Type::list(Type::Path)),
            "The Liberty files of the cells by timing corner, a pattern such as `*_tt_025C_1v80`.",
        )
        .from_pdk(),
        Variable::new("CELL_LEFS", Type::list(Type::Path), "The LEF files with the abstracts of the cells.")
            .formerly("CELLS_LEF")
            .from_pdk(),
        Variable::new("CELL_GDS", Type::list(Type::Path), "The GDS files with the layouts of the cells.")
            .formerly("GDS_FILES")
            .formerly("CELLS_GDS")
            .from_pdk(),
        Variable::new(
            "CELL_VERILOG_MODELS",
            Type::list(Type::Path),
            "Verilog models of the cells that simulate what they do.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "CELL_BB_VERILOG_MODELS",
            Type::list(Type::Path),
            "Verilog files that declare the ports of the cells and nothing else.",
        )
        .optional()
        .from_pdk(),
        Variable::new("CELL_SPICE_MODELS", Type::list(Type::Path), "SPICE netlists of the cells.")
            .optional()
            .from_pdk(),
        Variable::new("CELL_CDLS", Type::list(Type::Path), "CDL netlists of the cells.")
            .optional()
            .formerly("STD_CELL_LIBRARY_CDL")
            .from_pdk(),
        Variable::new(
            "CELL_MAGS",
            Type::list(Type::Path),
            "Layouts of cells in Magic's format, for cells that the GDS files lack.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "CELL_MAGLEFS",
            Type::list(Type::Path),
            "Abstracts of cells in Magic's format, for cells that are missing where cells are black boxes.",
        )
        .optional()
        .from_pdk(),
        Variable::new("VDD_PIN", Type::Str, "The pin by which cells are connected to power.").from_pdk(),
        Variable::new("GND_PIN", Type::Str, "The pin by which cells are connected to ground.").from_pdk(),
        Variable::new(
            "SCL_POWER_PINS",
            Type::list(Type::Str),
            "All pins of cells that belong to power, the well's included.",
        )
        .formerly("STD_CELL_POWER_PINS")
        .from_pdk(),
        Variable::new(
            "SCL_GROUND_PINS",
            Type::list(Type::Str),
            "All pins of cells that belong to ground, the substrate's included.",
        )
        .formerly("STD_CELL_GROUND_PINS")
        .from_pdk(),
        Variable::new("PLACE_SITE", Type::Str, "The site in the LEF files from which rows of cells are made.")
            .from_pdk(),
        Variable::new(
            "TRISTATE_CELLS",
            Type::list(Type::Str),
            "Names or patterns of the cells with a high-impedance output.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "FILL_CELLS",
            Type::list(Type::Str),
            "Names or patterns of the cells that close the gaps in rows.",
        )
        .formerly("FILL_CELL")
        .from_pdk(),
        Variable::new(
            "DECAP_CELLS",
            Type::list(Type::Str),
            "Names or patterns of the cells that close gaps in rows and are capacitors between the supplies.",
        )
        .formerly("DECAP_CELL")
        .from_pdk(),
        Variable::new(
            "WELLTAP_CELL",
            Type::Str,
            "The cell that ties wells to the supplies. Without it no taps are inserted.",
        )
        .optional()
        .formerly("FP_WELLTAP_CELL")
        .from_pdk(),
        Variable::new("ENDCAP_CELL", Type::Str, "The cell that stands at either end of a row.")
            .optional()
            .formerly("FP_ENDCAP_CELL")
            .from_pdk(),
        Variable::new(
            "DIODE_CELL",
            Type::Str,
            "The cell that protects a gate from charge during manufacture, as `CELL/PIN`. Without it no diodes \
             are inserted.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "CELL_PAD_EXCLUDE",
            Type::list(Type::Str),
            "Cells that get no empty sites beside them in placement, such as taps.",
        )
        .from_pdk(),
        Variable::new(
            "SYNTH_EXCLUDED_CELL_FILE",
            Type::Path,
            "A text file with the cells that synthesis must not pick, one name or pattern a line.",
        )
        .formerly("NO_SYNTH_CELL_LIST")
        .formerly("SYNTH_EXCLUSION_CELL_LIST")
        .from_pdk(),
        Variable::new(
            "PNR_EXCLUDED_CELL_FILE",
            Type::Path,
            "A text file with the cells that neither synthesis nor place and route may pick, one name or pattern \
             a line.",
        )
        .formerly("DRC_EXCLUDE_CELL_LIST")
        .formerly("PNR_EXCLUSION_CELL_LIST")
        .from_pdk(),
        Variable::new(
            "SYNTH_DRIVING_CELL",
            Type::Str,
            "The cell that is taken to drive the input ports, as `CELL/PIN`.",
        )
        .from_pdk(),
        Variable::new(
            "SYNTH_CLK_DRIVING_CELL",
            Type::Str,
            "The cell that is taken to drive the clock ports, as `CELL/PIN`. Otherwise that is \
             `SYNTH_DRIVING_CELL`.",
        )
        .optional()
        .from_pdk(),
        Variable::new("SYNTH_TIEHI_CELL", Type::Str, "The cell that supplies a constant 1, as `CELL/PIN`.").from_pdk(),
        Variable::new("SYNTH_TIELO_CELL", Type::Str, "The cell that supplies a constant 0, as `CELL/PIN`.").from_pdk(),
        Variable::new(
            "SYNTH_BUFFER_CELL",
            Type::Str,
            "The buffer for wires that go straight from port to port, as `CELL/INPUT/OUTPUT`.",
        )
        .from_pdk(),
        Variable::new(
            "PRIMARY_GDSII_STREAMOUT_TOOL",
            Type::Str,
            "The tool whose GDS is the one to tape out: `magic` or `klayout`.",
        )
        .formerly("PRIMARY_SIGNOFF_TOOL")
        .from_pdk(),
    ]
}
