//! `SynthesisExploration`: all strategies of synthesis side by side, and the best of them.

use tapeout_flow::{CustomFlow, Flow, FlowCx, FlowError, FlowState, Type, Variable};

use super::gated;
use super::strategies::{AREA, CELLS, DELAY, Kit, Strategy};
use super::tried::{Tried, best};

pub(super) struct SynthesisExploration {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) kit: Kit,
}

impl CustomFlow for SynthesisExploration {
    fn name(&self) -> &str {
        self.name
    }

    fn doc(&self) -> &str {
        self.doc
    }

    fn steps(&self) -> Vec<&str> {
        [self.kit.before, self.kit.synthesis].concat()
    }

    fn describe(&self, flow: Flow) -> Flow {
        let objectives = Type::choice(["area", "delay", "cells"]);
        let doc = "By what the best strategy is chosen: the least area (of iCE40, lookup tables), the shortest delay, or the \
                   fewest cells.";
        gated(flow).variables([Variable::new("EXPLORE_BY", objectives, doc).default("area")])
    }

    fn run(&self, cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
        cx.set_max_stage_count(1);
        cx.start_stage("Synthesis exploration");
        let by = match cx.config().str("EXPLORE_BY") {
            "delay" => DELAY,
            "cells" => CELLS,
            _ => AREA,
        };
        let best = explore(cx, &self.kit, by, &initial)?;
        cx.end_stage();
        Ok(best)
    }
}

/// Synthesises by all strategies side by side; shows all of them, and gives the state that is best by what is measured in
/// one place.
///
/// # Errors
/// When no strategy gives a netlist.
pub(super) fn explore(cx: &FlowCx<'_>, kit: &Kit, by: usize, initial: &FlowState) -> Result<FlowState, FlowError> {
    let sources = cx.sequence_async(kit.before, initial);
    let synthesise = |strategy: &Strategy| {
        let cx = cx.labelled(strategy.name).with(strategy.overrides.iter().copied())?.may_fail();
        Ok(cx.sequence_async(kit.synthesis, &sources))
    };
    let asked: Vec<FlowState> = kit.strategies.iter().map(synthesise).collect::<Result<_, FlowError>>()?;
    let measured = |state: FlowState| {
        let values = kit.measures.iter().map(|measure| cx.number(&state, measure.metric));
        Ok((state, values.collect::<Result<_, FlowError>>()?))
    };
    let tried =
        |(strategy, state): (&Strategy, FlowState)| Tried { name: strategy.name.to_owned(), outcome: measured(state) };
    let tries = kit.strategies.iter().zip(asked).map(tried).collect();
    let columns = kit.measures.map(|measure| (measure.heading, measure.better));
    best(cx, "synthesis exploration", "strategy", &columns, by, tries)
}
