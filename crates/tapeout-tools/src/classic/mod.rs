//! The flow Classic, OpenLane's from RTL to GDS, and the vocabulary of it and its relatives: the steps that are not there
//! yet, and every variable that its configurations may set. Names, types, defaults and units are those of LibreLane 3.0, so
//! that existing configurations mean here what they mean there. What a variable does is for the steps to say that will
//! read it.

mod checkers;
mod cts;
mod deprecated;
mod design;
mod floorplan;
mod flow;
mod gates;
mod klayout;
mod lvs;
mod magic;
mod pads;
mod pdk;
mod pins;
mod placement;
mod power;
mod removed;
mod repair;
mod resizer;
mod routing;
mod steps;
mod synthesis;
mod timing;
mod types;
mod verilog;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use tapeout_config::Variable;
use tapeout_flow::{Registry, Vocabulary};

pub(crate) use flow::SIGN_OFF_GATES;
use removed::REMOVED;

/// Names that configurations have for OpenLane's other flows and steps, and names that belong to the choice of the PDK.
const ELSEWHERE: &[&str] = &[
    "ERROR_ON_KLAYOUT_ANTENNA",
    "ERROR_ON_KLAYOUT_DENSITY",
    "GHDL_ARGUMENTS",
    "INSERT_ECO_BUFFERS",
    "INSERT_ECO_DIODES",
    "KLAYOUT_ANTENNA_DEFINES",
    "KLAYOUT_ANTENNA_OPTIONS",
    "KLAYOUT_ANTENNA_RUNSET",
    "KLAYOUT_DENSITY_DEFINES",
    "KLAYOUT_DENSITY_OPTIONS",
    "KLAYOUT_DENSITY_RUNSET",
    "KLAYOUT_DENSITY_THREADS",
    "KLAYOUT_EDITOR_MODE",
    "KLAYOUT_FILLER_DEFINES",
    "KLAYOUT_FILLER_OPTIONS",
    "KLAYOUT_FILLER_SCRIPT",
    "KLAYOUT_GUI_USE_GDS",
    "KLAYOUT_LVS_OPTIONS",
    "KLAYOUT_LVS_SCRIPT",
    "KLAYOUT_PRIORITIZE_GDS",
    "KLAYOUT_SEALRING_SCRIPT",
    "MAGIC_FILLER_OPTIONS",
    "MAGIC_FILLER_SCRIPT",
    "MAGIC_GUI_USE_GDS",
    "MAGIC_RCX_CTHRESH",
    "MAGIC_RCX_DO_CAPACITANCE",
    "MAGIC_RCX_DO_RESISTANCE",
    "MAGIC_RCX_EXTRACT_STYLE",
    "OPENROAD_LEF_BLOAT_OCCUPIED_LAYERS",
    "PAD_CELL_LIBRARY",
    "PAD_CFG",
    "PAD_EAST",
    "PAD_NORTH",
    "PAD_SOUTH",
    "PAD_WEST",
    "PDKPATH",
    "STD_CELL_LIBRARY_OPT",
    "VHDL_FILES",
];

/// What the vocabulary is called.
const VOCABULARY: &str = "OpenLane";

pub(crate) fn register(registry: &mut Registry) {
    registry.add_flow(flow::flow()).add_vocabulary(Vocabulary {
        name: VOCABULARY,
        steps: steps::steps,
        variables,
        removed: REMOVED,
        knows,
    });
}

/// The variable of that name, for the steps that are there to read it.
///
/// # Panics
/// When there is none of that name.
pub(crate) fn variable(name: &str) -> Variable {
    static VARIABLES: LazyLock<HashMap<String, Variable>> =
        LazyLock::new(|| variables().into_iter().map(|variable| (variable.name.to_string(), variable)).collect());
    VARIABLES.get(name).cloned().unwrap_or_else(|| panic!("steps name variables of the vocabulary, not {name}"))
}

/// The variables of its checkers.
pub(crate) fn checker_variables() -> Vec<Variable> {
    checkers::variables()
}

/// All variables of the flow, those of former times included.
fn variables() -> Vec<Variable> {
    [
        design::variables,
        pdk::variables,
        pads::variables,
        gates::variables,
        verilog::variables,
        synthesis::variables,
        timing::variables,
        floorplan::variables,
        pins::variables,
        power::variables,
        placement::variables,
        repair::variables,
        cts::variables,
        resizer::variables,
        routing::variables,
        magic::variables,
        klayout::variables,
        lvs::variables,
        checkers::variables,
        deprecated::variables,
    ]
    .into_iter()
    .flat_map(|variables| variables())
    .collect()
}

/// Whether any of OpenLane's flows has a variable of that name, or had it under that name.
fn knows(name: &str) -> bool {
    static NAMES: LazyLock<HashSet<Cow<'static, str>>> = LazyLock::new(|| {
        let own = variables().into_iter().flat_map(|variable| {
            let former = variable.former.into_owned();
            former.into_iter().chain([variable.name])
        });
        own.chain(ELSEWHERE.iter().map(|name| Cow::Borrowed(*name))).collect()
    });
    NAMES.contains(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tapeout_config::{Role, Schema, Type};
    use tapeout_model::Value;

    use super::*;

    fn find(name: &str) -> Variable {
        variables().into_iter().find(|variable| variable.name == name).unwrap_or_else(|| panic!("there is no {name}"))
    }

    #[test]
    fn there_are_409_variables_and_15_of_former_times() {
        let (former, present): (Vec<_>, Vec<_>) =
            variables().into_iter().partition(|variable| matches!(variable.role, Role::Deprecated(_)));
        assert_eq!((present.len(), former.len()), (409, 15));
        assert_eq!(present.iter().filter(|variable| variable.from_pdk).count(), 135);
        let schema = Schema::new(present.into_iter().chain(former)).unwrap();
        assert_eq!(schema.iter().count(), 424);
    }

    #[test]
    fn every_name_stands_once() {
        let mut names = BTreeSet::new();
        for variable in variables() {
            for name in variable.former.iter().chain([&variable.name]) {
                assert!(names.insert(name.to_string()), "{name}");
                assert!(knows(name), "{name}");
            }
        }
        for (name, _) in REMOVED {
            assert!(names.insert((*name).to_owned()), "{name}");
            assert!(!knows(name), "{name}");
        }
        for name in ELSEWHERE {
            assert!(names.insert((*name).to_owned()), "{name}");
            assert!(knows(name), "{name}");
        }
        assert!(!knows("NO_SUCH_VARIABLE") && !knows("fp_core_util"));
    }

    #[test]
    fn every_variable_is_described_by_sentences() {
        for variable in variables() {
            assert!(variable.doc.len() > 15 && variable.doc.ends_with('.'), "{}", variable.name);
            assert!(!variable.doc.contains("  "), "{}", variable.name);
            for word in variable.doc.split('`').skip(1).step_by(2) {
                let is_name = word.contains('_') && word.chars().all(|c| c.is_ascii_uppercase() || "_".contains(c));
                let is_form = ["CELL_", "INSTANCE_", "GATED_"].iter().any(|form| word.starts_with(form));
                assert!(!is_name || is_form || knows(word), "{} speaks of {word}", variable.name);
            }
        }
    }

    #[test]
    fn a_user_must_give_the_name_and_the_sources_and_the_pdk_the_rest() {
        let required = |from_pdk| {
            let required = variables().into_iter().filter(|v| v.is_required() && v.from_pdk == from_pdk);
            required.map(|variable| variable.name.into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(required(false), ["DESIGN_NAME", "VERILOG_FILES"]);
        assert_eq!(required(true).len(), 65);
    }

    #[test]
    fn some_are_as_everybody_knows_them() {
        let period = find("CLOCK_PERIOD");
        assert_eq!((period.ty, period.default, period.units), (Type::Decimal, Some("10.0".into()), Some("ns")));
        assert_eq!(find("PDK").default, Some("sky130A".into()));
        assert_eq!(find("CLOCK_PORT").ty.to_string(), "a string or a list of strings");
        assert!(find("CLOCK_PORT").optional);
        assert_eq!(find("DIE_AREA").ty.to_string(), "tuple of a decimal, a decimal, a decimal and a decimal");
        assert_eq!(find("MACROS").ty.to_string(), "map of Macros");
        assert_eq!(find("RUN_ANTENNA_REPAIR").former.as_ref(), ["GRT_REPAIR_ANTENNAS"]);
        let power = find("VERILOG_POWER_DEFINE");
        assert!(power.optional && power.default == Some(Value::from("USE_POWER_PINS")));
        assert!(find("PDN_VPITCH").is_required() && find("PDN_VPITCH").from_pdk);
    }

    #[test]
    fn a_clock_gate_has_four_parts() {
        let check = find("SYNTH_CLOCKGATE_POSEDGE_ICG").check.clone().unwrap();
        assert!(check.of(&"sky130_fd_sc_hd__dlclkp_1/GATE/CLK/GCLK".into()).is_ok());
        for wrong in ["cell", "cell/a/b", "cell/a/b/c/d", "cell//b/c"] {
            assert!(check.of(&wrong.into()).is_err(), "{wrong}");
        }
    }
}
