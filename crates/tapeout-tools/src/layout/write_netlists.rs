//! `Layout.WriteNetlists`: the netlist of what is placed, with supplies and fill cells, as Verilog and as SPICE.

use std::collections::{BTreeMap, HashSet};

use tapeout_config::Config;
use tapeout_flow::{Completed, Failure, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_formats::def::Def;
use tapeout_formats::lef::Lef;
use tapeout_formats::netlist::{Instance, Netlist, Powered, Supply};
use tapeout_formats::spice::{self, Spice, Subckt};

use crate::classic::variable;
use crate::design_files::{self, Supplies, input};
use crate::names::some;

pub(super) struct WriteNetlists;

impl Step for WriteNetlists {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Layout.WriteNetlists",
            "Write netlists",
            "Writes the netlist of the layout with its supplies and fill cells: as Verilog, and as SPICE for comparison \
             with what is extracted from the layout. Cells have their pins in the order of `CELL_SPICE_MODELS`, or of LEF \
             where they have no model; a macro without a model is an empty subcircuit.",
            env!("IMPLEMENTATION"),
        )
        .needs("json")
        .needs("def")
        .makes(&["nl", "pnl", "cdl"])
        .variables(design_files::netlist_variables())
        .variables(design_files::lef_variables())
        .variables(design_files::spice_variables())
        .variables(["SCL_POWER_PINS", "SCL_GROUND_PINS"].map(variable))
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let library = design_files::library(cx)?;
        let netlist = design_files::netlist(cx)?;
        let design = design_files::layout(cx)?;
        let models = design_files::models(cx)?;
        let extra = extra(&netlist, &design)?;
        let cells = netlist.instances.iter().chain(&extra).map(|instance| instance.cell.as_str());
        let cell_ports = cell_ports(cells.collect(), &library, &models);
        let stubs = stubs(&cell_ports, &library, &models);
        let supplies = Supplies::of(cx.config);
        let powered = Powered {
            power: supply(cx.config, supplies.power, "VDD_PIN", "SCL_POWER_PINS"),
            ground: supply(cx.config, supplies.ground, "GND_PIN", "SCL_GROUND_PINS"),
            extra,
            cell_ports,
        };
        let subckt = netlist.to_spice(&powered).map_err(|error| input(error.to_string()))?;
        let subckts = stubs.into_iter().chain([subckt]).collect();
        let schematic = spice::write(&Spice { statements: Vec::new(), subckts });
        let mut result = StepResult::default();
        for (format, extension, text) in [
            ("nl", "nl.v", netlist.to_verilog(None)),
            ("pnl", "pnl.v", netlist.to_verilog(Some(&powered))),
            ("cdl", "cdl", schematic),
        ] {
            let path = format!("{}.{extension}", netlist.name);
            result.written.push(cx.write(&path, text.as_bytes())?);
            result = result.view(format, path);
        }
        Ok(result)
    }
}

/// What the layout has beyond the netlist.
fn extra(netlist: &Netlist, design: &Def) -> Result<Vec<Instance>, Failure> {
    let placed: HashSet<&str> = design.components.iter().map(|component| component.name.as_str()).collect();
    let missing = netlist.instances.iter().filter(|instance| !placed.contains(instance.name.as_str()));
    let missing: Vec<&str> = missing.map(|instance| instance.name.as_str()).collect();
    if !missing.is_empty() {
        return Err(input(format!("the layout lacks {} cells of the netlist: {}", missing.len(), some(&missing)))
            .hint("netlist and layout must be of the same run"));
    }
    let known: HashSet<&str> = netlist.instances.iter().map(|instance| instance.name.as_str()).collect();
    let beyond = design.components.iter().filter(|component| !known.contains(component.name.as_str()));
    Ok(beyond.map(|component| Instance::filler(&component.name, &component.cell)).collect())
}

/// The pins of these cells in the order of their models, called as in LEF; without a model, in the order of LEF.
fn cell_ports(cells: HashSet<&str>, library: &Lef, models: &Spice) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for name in cells {
        let of_lef = library.cell(name).map(|cell| cell.pins.iter().map(|pin| pin.name.clone()).collect::<Vec<_>>());
        let of_lef = of_lef.unwrap_or_default();
        let ports = match models.subckt(name) {
            // SPICE does not tell upper from lower case.
            Some(model) => model
                .ports
                .iter()
                .map(|port| of_lef.iter().find(|pin| pin.eq_ignore_ascii_case(port)).unwrap_or(port).clone())
                .collect(),
            None if of_lef.is_empty() => continue,
            None => of_lef,
        };
        all.insert(name.to_owned(), ports);
    }
    all
}

/// Empty subcircuits of the macros that have no model: without one, a comparison would not know the names of their pins.
fn stubs(cell_ports: &BTreeMap<String, Vec<String>>, library: &Lef, models: &Spice) -> Vec<Subckt> {
    let is_macro = |name: &str| library.cell(name).is_some_and(|cell| !cell.is_core());
    let without_model = cell_ports.iter().filter(|(name, _)| is_macro(name) && models.subckt(name).is_none());
    without_model
        .map(|(name, ports)| Subckt { name: name.clone(), ports: ports.clone(), ..Subckt::default() })
        .collect()
}

fn supply(config: &Config, net: String, pin: &str, more: &str) -> Supply {
    let mut pins = vec![config.str(pin).to_owned()];
    // A macro of this flow has pins called as its supply nets.
    for name in config.strings(more).into_iter().chain([net.as_str()]) {
        if !pins.iter().any(|known| known == name) {
            pins.push(name.to_owned());
        }
    }
    Supply { net, pins }
}

#[cfg(test)]
mod tests {
    use tapeout_formats::lef;

    use super::*;

    #[test]
    fn pins_are_in_the_order_of_the_model_and_called_as_in_lef() {
        let library = lef::parse(
            "MACRO inv SIZE 1 BY 1 ; PIN A END A PIN Y END Y END inv MACRO fill SIZE 1 BY 1 ; PIN V END V END fill",
        )
        .unwrap();
        let models = spice::parse(".subckt INV y VDD a\n.ends\n").unwrap();
        let ports = cell_ports(["inv", "fill", "none"].into(), &library, &models);
        let of = |cell: &str| ports.get(cell).map(|pins| pins.join(" "));
        assert_eq!((of("inv").as_deref(), of("fill").as_deref(), of("none")), (Some("Y VDD A"), Some("V"), None));
    }

    #[test]
    fn a_macro_without_a_model_is_an_empty_subcircuit() {
        let library = lef::parse(
            "MACRO inv CLASS CORE ; SIZE 1 BY 1 ; PIN A END A END inv MACRO ram CLASS BLOCK ; SIZE 1 BY 1 ; PIN D END D END ram",
        )
        .unwrap();
        let ports = cell_ports(["inv", "ram"].into(), &library, &Spice::default());
        let of = |models: &str| stubs(&ports, &library, &spice::parse(models).unwrap());
        assert_eq!(
            of("").iter().map(|stub| format!("{} {:?}", stub.name, stub.ports)).collect::<Vec<_>>(),
            ["ram [\"D\"]"]
        );
        assert_eq!(of(".subckt RAM d\n.ends\n"), []);
    }
}
