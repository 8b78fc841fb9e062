//! What the design is: its name, its clocks and supplies, its macros.

use tapeout_config::{Type, Variable};

use super::types::macro_type;

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new(
            "DESIGN_NAME",
            Type::Str,
            "The name of the top module. Also the stem of the files that are made.",
        ),
        Variable::new(
            "PDK_ROOT",
            Type::Dir,
            "The directory that holds the installed PDKs. Normally given on the command line or by the \
             environment.",
        )
        .optional()
        .env("PDK_ROOT"),
        Variable::new("PDK", Type::Str, "The PDK to build with, by the name of its directory below `PDK_ROOT`.")
            .default("sky130A")
            .env("PDK"),
        Variable::new("STD_CELL_LIBRARY", Type::Str, "The standard cell library, by the name it has in the PDK.")
            .from_pdk()
            .env("STD_CELL_LIBRARY"),
        Variable::new(
            "CLOCK_PORT",
            Type::union([Type::Str, Type::list(Type::Str)]),
            "The port, or ports, at which clocks enter the design. Without it the design counts as combinational.",
        )
        .optional(),
        Variable::new(
            "CLOCK_NET",
            Type::union([Type::Str, Type::list(Type::Str)]),
            "The net, or nets, at which a clock tree begins, where that is not the port of the clock.",
        )
        .optional(),
        Variable::new("VDD_NETS", Type::list(Type::Str), "The power nets of the design, one for each power domain.")
            .optional(),
        Variable::new(
            "GND_NETS",
            Type::list(Type::Str),
            "The ground nets of the design, in the order of the power nets that they belong to.",
        )
        .optional(),
        Variable::new(
            "MACROS",
            Type::map(macro_type()),
            "The hard macros that the design instantiates, by module name: their views, and where each instance \
             goes.",
        )
        .optional(),
        Variable::new(
            "EXTRA_LEFS",
            Type::list(Type::Path),
            "LEF files that are read wherever the LEFs of cells are, for macros that `MACROS` does not describe.",
        )
        .optional(),
        Variable::new(
            "EXTRA_VERILOG_MODELS",
            Type::list(Type::Path),
            "Verilog files that declare the modules of macros, so that synthesis takes those as black boxes.",
        )
        .optional()
        .formerly("VERILOG_FILES_BLACKBOX"),
        Variable::new(
            "EXTRA_SPICE_MODELS",
            Type::list(Type::Path),
            "SPICE netlists of macros that are read together with those of the cells.",
        )
        .optional(),
        Variable::new(
            "EXTRA_CDLS",
            Type::list(Type::Path),
            "CDL netlists of macros that are read together with those of the cells.",
        )
        .optional(),
        Variable::new(
            "EXTRA_LIBS",
            Type::list(Type::Path),
            "Liberty files of macros. Every timing corner reads all of them.",
        )
        .optional(),
        Variable::new(
            "EXTRA_GDS",
            Type::list(Type::Path),
            "GDS files of macros, to be merged into the layout when it is streamed out.",
        )
        .optional()
        .formerly("EXTRA_GDS_FILES"),
        Variable::new(
            "EXTRA_EXCLUDED_CELLS",
            Type::list(Type::Str),
            "Library cells that neither synthesis nor any later step may pick. `*` stands for any text.",
        )
        .optional()
        .formerly("RSZ_DONT_USE_CELLS")
        .formerly("DONT_USE_CELLS"),
    ]
}
