//! `SeedSweep`: the flow `Ice40` with many seeds of placement side by side. The layout with the fastest slowest clock
//! wins.

use tapeout_flow::{CustomFlow, Flow, FlowCx, FlowError, FlowState, Type, Variable};
use tapeout_model::Value;

use super::tried::{Better, Tried, best};
use super::{ICE40, gated};

pub(super) struct SeedSweep;

const LAYOUT: &str = "Nextpnr.Ice40";

/// What the clocks reach, in MHz, is measured under names that begin like this.
const FMAX: &str = "timing__fmax__clock:";

impl SeedSweep {
    /// The steps before and after layout.
    fn around() -> (&'static [&'static str], &'static [&'static str]) {
        let at = ICE40.iter().position(|step| *step == LAYOUT).unwrap_or_default();
        (&ICE40[..at], &ICE40[at + 1..])
    }
}

impl CustomFlow for SeedSweep {
    fn name(&self) -> &str {
        "SeedSweep"
    }

    fn doc(&self) -> &str {
        "The flow `Ice40`, in which layout is done with `SWEEP_SEEDS` seeds side by side, from `PNR_SEED` on. The layout \
         whose slowest clock is the fastest goes on."
    }

    fn steps(&self) -> Vec<&str> {
        ICE40.to_vec()
    }

    fn describe(&self, flow: Flow) -> Flow {
        let doc = "How many seeds are tried.";
        gated(flow).variables([Variable::new("SWEEP_SEEDS", Type::Int, doc).default(8_i64).check(within_reason)])
    }

    fn run(&self, cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
        let (before, after) = Self::around();
        let first = cx.config().int("PNR_SEED");
        let count = cx.config().int("SWEEP_SEEDS");
        cx.set_max_stage_count(3);
        cx.start_stage("Synthesis");
        let netlist = cx.sequence(before, &initial)?;
        cx.end_stage();

        cx.start_stage("Layout with many seeds");
        let mut tried = Vec::new();
        for seed in (0..count).map(|more| first.wrapping_add(more)) {
            let cx = cx.labelled(&format!("seed{seed}")).with([("PNR_SEED", seed)])?.may_fail();
            tried.push((seed, cx.start_async(LAYOUT, &netlist)));
        }
        let tries = tried.into_iter().map(|(seed, state)| Tried {
            name: seed.to_string(),
            outcome: slowest_mhz(cx, &state).map(|mhz| (state, vec![mhz])),
        });
        let columns = [("slowest clock (MHz)", Better::More)];
        let layout = best(cx, "seeds", "seed", &columns, 0, tries.collect())?;
        cx.end_stage();

        cx.start_stage("Bitstream");
        let last = cx.sequence(after, &layout)?;
        cx.end_stage();
        Ok(last)
    }
}

/// More layouts than this are no sweep but a mistyped number.
const MOST_SEEDS: i64 = 10_000;

fn within_reason(seeds: &Value) -> Result<(), String> {
    match seeds {
        Value::Int(count) if !(1..=MOST_SEEDS).contains(count) => Err(format!("must be from 1 to {MOST_SEEDS}")),
        _ => Ok(()),
    }
}

/// What the slowest clock of a layout reaches, if there is a clock.
fn slowest_mhz(cx: &FlowCx<'_>, state: &FlowState) -> Result<Option<f64>, FlowError> {
    let metrics = cx.state(state)?.metrics;
    let clocks = metrics.iter().filter(|(name, _)| name.starts_with(FMAX)).filter_map(|(_, metric)| metric.as_f64());
    Ok(clocks.min_by(f64::total_cmp))
}
