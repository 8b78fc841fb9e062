//! Optimising: the smallest netlist, implemented at a target that is hard to reach; and at the usual one if that fails.

use tapeout_config::Config;
use tapeout_flow::{CustomFlow, Flow, FlowCx, FlowError, FlowState, Type, Variable};
use tapeout_model::{Decimal, Value};

use super::exploration::explore;
use super::gated;
use super::strategies::{AREA, Kit};
use crate::nextpnr::positive;

pub(super) struct Optimizing {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) kit: Kit,
    pub(super) implementation: Implementation,
}

/// How a netlist is implemented, and what is demanded of it first.
#[derive(Clone, Copy)]
pub(super) struct Implementation {
    /// Its steps.
    pub(super) steps: &'static [&'static str],
    /// What to call the hard target.
    pub(super) stage: &'static str,
    /// The variables by which the target is set.
    pub(super) variables: fn() -> Vec<Variable>,
    /// The overrides of the hard target; the configuration as it is, is the fallback.
    pub(super) hard: fn(&Config) -> Vec<(String, Value)>,
}

/// iCE40: place and route for a shorter period.
pub(super) const ICE40: Implementation = Implementation {
    steps: &["Nextpnr.Ice40", "Icestorm.Pack", "Icestorm.Time", "Checker.SetupViolations"],
    stage: "Implementation for the hard period",
    variables: || {
        vec![
            Variable::new(
                "HARD_CLOCK_PERIOD",
                Type::Decimal,
                "The period of the clock that is tried first. Without it, seven tenths of `CLOCK_PERIOD`.",
            )
            .units("ns")
            .check(positive)
            .optional(),
        ]
    },
    hard: |config| {
        let tenths = |period: Decimal| period * Decimal::from(7).shift(-1);
        let seven_tenths = || config.opt_decimal("CLOCK_PERIOD").map(tenths);
        let period = config.opt_decimal("HARD_CLOCK_PERIOD").or_else(seven_tenths);
        period.map(|period| ("CLOCK_PERIOD".to_owned(), Value::from(period))).into_iter().collect()
    },
};

/// A cell library: cells packed as tightly as `HARD_CORE_UTIL` says, up to their legal places.
pub(super) const CELL_LIBRARY: Implementation = Implementation {
    steps: &["Layout.Floorplan", "Layout.PlacePins", "Graywolf.Place", "Layout.Legalise"],
    stage: "Placement at the high utilisation",
    variables: || {
        let doc = "The utilisation of the core that is tried first; `FP_CORE_UTIL` is the one to fall back to.";
        vec![Variable::new("HARD_CORE_UTIL", Type::Decimal, doc).units("%").check(positive).default("99")]
    },
    hard: |config| {
        let utilisation = config.opt_decimal("HARD_CORE_UTIL");
        utilisation.map(|utilisation| ("FP_CORE_UTIL".to_owned(), Value::from(utilisation))).into_iter().collect()
    },
};

impl CustomFlow for Optimizing {
    fn name(&self) -> &str {
        self.name
    }

    fn doc(&self) -> &str {
        self.doc
    }

    fn steps(&self) -> Vec<&str> {
        [self.kit.before, self.kit.synthesis, self.implementation.steps].concat()
    }

    fn describe(&self, flow: Flow) -> Flow {
        gated(flow).variables((self.implementation.variables)())
    }

    fn run(&self, cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
        cx.set_max_stage_count(2);
        cx.start_stage("Synthesis exploration");
        let smallest = explore(cx, &self.kit, AREA, &initial)?;
        cx.end_stage();

        let Implementation { steps, stage, hard, .. } = self.implementation;
        cx.start_stage(stage);
        let hard = cx.labelled("hard").with(hard(cx.config()))?.may_fail().at_once();
        let implemented = match hard.sequence(steps, &smallest) {
            Ok(state) => state,
            Err(error) => {
                let what = if error.is_failed_check() { "target is out of reach" } else { "try failed" };
                cx.say(format!("the hard {what}, the target of the configuration is next ({error})"));
                cx.sequence(steps, &smallest)?
            }
        };
        cx.end_stage();
        Ok(implemented)
    }
}
