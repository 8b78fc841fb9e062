//! The netlist of library cells as the steps of layout read it.

use tapeout_config::Variable;
use tapeout_flow::{Failure, StepCx, design_name};
use tapeout_formats::netlist::Netlist;
use tapeout_model::Class;

use crate::pdk;

/// The variables that it depends on.
pub(crate) fn variables() -> impl Iterator<Item = Variable> {
    [design_name()].into_iter().chain(pdk::supply_variables())
}

/// The netlist in the view `json`.
pub(crate) fn netlist(cx: &mut StepCx<'_, '_>) -> Result<Netlist, Failure> {
    let view = cx.view_file("json")?;
    let text = cx.output_text(&view)?;
    let (power, ground) = pdk::supplies(cx.config);
    Netlist::from_yosys(&text, cx.config.str("DESIGN_NAME"), &[&power, &ground])
        .map_err(|error| Failure::new(Class::Input, format!("`{}`: {error}", view.path)))
}
