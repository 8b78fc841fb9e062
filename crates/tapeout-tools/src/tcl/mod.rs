//! Tcl's interpreter, which no step runs: configurations in Tcl are evaluated by it.

use tapeout_flow::{Registry, Tool};

pub(crate) fn register(registry: &mut Registry) {
    registry.add_tool(Tool {
        name: "tclsh",
        summary: "Tcl interpreter, for configurations in Tcl",
        package: "tcl",
        // It has no option that asks for it.
        version_args: &[],
        minimum: None,
        companions: &[],
    });
}
