//! The netlist of library cells as the steps of place and route read it, and the names of its supplies.

use tapeout_config::{Config, Variable};
use tapeout_flow::{Failure, StepCx, design_name};
use tapeout_formats::netlist::Netlist;
use tapeout_model::Class;

use crate::classic::variable;

/// The variables that it depends on.
pub(crate) fn variables() -> [Variable; 5] {
    [design_name(), variable("VDD_NETS"), variable("GND_NETS"), variable("VDD_PIN"), variable("GND_PIN")]
}

/// The names of the power net and of the ground net: the design's own, else those of the pins of the cells.
pub(crate) fn supplies(config: &Config) -> (String, String) {
    let name = |nets: &str, pin: &str| {
        let of_design = config.strings(nets).first().map(|net| (*net).to_owned());
        of_design.unwrap_or_else(|| config.str(pin).to_owned())
    };
    (name("VDD_NETS", "VDD_PIN"), name("GND_NETS", "GND_PIN"))
}

/// The netlist in the view `json`.
pub(crate) fn netlist(cx: &mut StepCx<'_, '_>) -> Result<Netlist, Failure> {
    let view = cx.view_file("json")?;
    let text = cx.output_text(&view)?;
    let (power, ground) = supplies(cx.config);
    Netlist::from_yosys(&text, cx.config.str("DESIGN_NAME"), &[&power, &ground])
        .map_err(|error| Failure::new(Class::Input, format!("`{}`: {error}", view.path)))
}
