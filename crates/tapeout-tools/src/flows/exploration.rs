//! `SynthesisExploration`: all strategies of synthesis side by side, and the best of them.

use tapeout_flow::{Candidate, Comparison, CustomFlow, Flow, FlowCx, FlowError, FlowState, Placing, Type, Variable};

use super::gated;
use super::strategies::{Kit, Measure, Strategy};

pub(super) struct SynthesisExploration {
    pub(super) kit: Kit,
}

impl CustomFlow for SynthesisExploration {
    fn name(&self) -> &str {
        "SynthesisExploration"
    }

    fn doc(&self) -> &str {
        "Synthesises a design by every strategy there is, side by side, and compares cells, area and delay. The result is \
         the netlist that is best by `EXPLORE_BY`."
    }

    fn steps(&self) -> Vec<&str> {
        [self.kit.before, self.kit.synthesis].concat()
    }

    fn describe(&self, flow: Flow) -> Flow {
        let objectives = Type::choice(["area", "delay", "cells"]);
        let doc = "What the best strategy has least of.";
        gated(flow).variables([Variable::new("EXPLORE_BY", objectives, doc).default("area")])
    }

    fn run(&self, cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
        cx.set_max_stage_count(1);
        cx.start_stage("Synthesis exploration");
        let by = match cx.config().str("EXPLORE_BY") {
            "delay" => self.kit.delay,
            "cells" => self.kit.cells,
            _ => self.kit.area,
        };
        let best = explore(cx, &self.kit, by, &initial)?;
        cx.end_stage();
        Ok(best)
    }
}

/// A strategy by name, with the state after it and what was measured of that; nothing if it failed.
type Tried<'n> = (&'n str, Option<(FlowState, [f64; 3])>);

/// Synthesises by all strategies side by side; gives the state with the least of something, and shows all of them.
///
/// # Errors
/// When no strategy gives a netlist.
pub(super) fn explore(cx: &FlowCx<'_>, kit: &Kit, by: Measure, initial: &FlowState) -> Result<FlowState, FlowError> {
    let sources = cx.sequence_async(kit.before, initial);
    let synthesise = |strategy: &Strategy| {
        let switches = strategy.switches.iter().map(|switch| (*switch, true));
        let cx = cx.labelled(strategy.name).with(switches)?.may_fail();
        Ok(cx.sequence_async(kit.synthesis, &sources))
    };
    let tried: Vec<FlowState> = kit.strategies.iter().map(synthesise).collect::<Result<_, FlowError>>()?;
    let measures = [kit.cells, kit.area, kit.delay];
    let mut tries: Vec<Tried<'_>> = Vec::new();
    let mut failed = None;
    for (strategy, state) in kit.strategies.iter().zip(tried) {
        match measured(cx, &state, measures) {
            Ok(values) => tries.push((strategy.name, Some((state, values)))),
            Err(error) => {
                failed.get_or_insert(error);
                tries.push((strategy.name, None));
            }
        }
    }
    let judged = measures.iter().position(|measure| measure.metric == by.metric).unwrap_or_default();
    let values = tries.iter().map(|(_, tried)| tried.as_ref().map(|(_, values)| values[judged]));
    let best = least(values);
    let row = |(index, (name, tried)): (usize, &Tried)| {
        let standing = match tried {
            None => Placing::Failed,
            Some(_) if best == Some(index) => Placing::Best,
            Some(_) => Placing::Also,
        };
        let value =
            |place: usize| tried.as_ref().map_or_else(|| "–".to_owned(), |(_, values)| values[place].to_string());
        Candidate { cells: vec![(*name).to_owned(), value(0), value(1), value(2)], standing }
    };
    let columns = ["strategy", kit.cells.heading, kit.area.heading, kit.delay.heading];
    cx.compared(Comparison {
        title: "synthesis exploration".to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: tries.iter().enumerate().map(row).collect(),
    });
    match best.and_then(|best| tries[best].1) {
        Some((state, _)) => Ok(state),
        None => {
            cx.say(format!("none of the {} strategies gives a netlist", tries.len()));
            Err(failed.unwrap_or_else(|| FlowError::new("there is no strategy to synthesise by")))
        }
    }
}

/// What is measured of a netlist. What no step counted is not there.
fn measured(cx: &FlowCx<'_>, state: &FlowState, measures: [Measure; 3]) -> Result<[f64; 3], FlowError> {
    let mut values = [0.0; 3];
    for (value, measure) in values.iter_mut().zip(measures) {
        *value = cx.number(state, measure.metric)?.unwrap_or(0.0);
    }
    Ok(values)
}

/// The place of the least value; of equal ones, the first.
pub(super) fn least(values: impl Iterator<Item = Option<f64>>) -> Option<usize> {
    let there = values.enumerate().filter_map(|(index, value)| Some((index, value?)));
    there.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_of_what_is_there_wins_and_the_first_of_equal_ones() {
        assert_eq!(least([None, Some(3.0), Some(1.0), Some(1.0)].into_iter()), Some(2));
        assert_eq!(least([None, None].into_iter()), None);
    }
}
