//! Several tries of one thing: which is the best, and a table of all.

use std::cmp::Ordering;

use tapeout_flow::{Candidate, Comparison, FlowCx, FlowError, FlowState, Placing};

/// One of several tries.
pub(super) struct Tried {
    pub(super) name: String,
    /// The state it came to and what was measured of it, in the order of the columns; `None` where nothing was.
    pub(super) outcome: Result<(FlowState, Vec<Option<f64>>), FlowError>,
}

/// Which of two numbers is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Less,
    More,
}

/// Shows all tries and gives the state of the best. `names`: the heading of the names; `columns`: those of the
/// measurements, and which numbers are the better ones; `by`: the place of the measurement that decides. Where that is
/// equal, the others do, and then the order.
///
/// # Errors
/// That of the first try, when none came to a state.
pub(super) fn best(
    cx: &FlowCx<'_>,
    title: &str,
    names: &str,
    columns: &[(&str, Better)],
    by: usize,
    tries: Vec<Tried>,
) -> Result<FlowState, FlowError> {
    let values: Vec<Option<&[Option<f64>]>> =
        tries.iter().map(|tried| tried.outcome.as_ref().ok().map(|(_, values)| values.as_slice())).collect();
    let better: Vec<Better> = columns.iter().map(|(_, better)| *better).collect();
    let best = place_of_best(&values, by, &better);
    let row = |(index, tried): (usize, &Tried)| {
        let measured: Vec<String> = match &tried.outcome {
            Ok((_, values)) => values.iter().map(|value| value.map_or_else(|| NOTHING.to_owned(), shown)).collect(),
            Err(_) => vec![NOTHING.to_owned(); columns.len()],
        };
        let standing = match &tried.outcome {
            Err(_) => Placing::Failed,
            Ok(_) if best == Some(index) => Placing::Best,
            Ok(_) => Placing::Also,
        };
        Candidate { cells: [vec![tried.name.clone()], measured].concat(), standing }
    };
    cx.compared(Comparison {
        title: title.to_owned(),
        columns: [names].into_iter().chain(columns.iter().map(|(heading, _)| *heading)).map(str::to_owned).collect(),
        rows: tries.iter().enumerate().map(row).collect(),
    });
    if best.is_none() {
        cx.say(format!("none of the {} tries came to a result", tries.len()));
    }
    let mut outcomes = tries.into_iter().map(|tried| tried.outcome);
    match best {
        Some(best) => outcomes.nth(best).map(|outcome| outcome.map(|(state, _)| state)),
        None => outcomes.next().map(|outcome| outcome.map(|(state, _)| state)),
    }
    .unwrap_or_else(|| Err(FlowError::new("there is nothing to try")))
}

/// What stands for a measurement that there is not.
const NOTHING: &str = "–";

/// To the hundredth or, below one, the thousandth: finer differences are chance.
fn shown(value: f64) -> String {
    let decimals = if value.fract() == 0.0 {
        0
    } else if value < 100.0 {
        3
    } else {
        2
    };
    format!("{value:.decimals$}")
}

fn place_of_best(tries: &[Option<&[Option<f64>]>], by: usize, better: &[Better]) -> Option<usize> {
    // What was not measured is worse than any number.
    let compare = |a: Option<f64>, b: Option<f64>, better: Better| match (a, b, better) {
        (Some(a), Some(b), Better::Less) => a.total_cmp(&b),
        (Some(a), Some(b), Better::More) => b.total_cmp(&a),
        (Some(_), None, _) => Ordering::Less,
        (None, Some(_), _) => Ordering::Greater,
        (None, None, _) => Ordering::Equal,
    };
    let there = tries.iter().enumerate().filter_map(|(index, values)| Some((index, (*values)?)));
    let first = there.min_by(|(_, a), (_, b)| {
        let order = std::iter::once(by).chain(0..a.len().min(b.len()));
        order
            .map(|place| compare(a[place], b[place], better[place]))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    });
    first.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_measurement_decides_then_the_others_then_the_order() {
        let place = |tries: &[Option<[Option<f64>; 2]>], by, better: Better| {
            let tries: Vec<Option<&[Option<f64>]>> = tries.iter().map(|tried| tried.as_ref().map(|t| &t[..])).collect();
            place_of_best(&tries, by, &[better, Better::Less])
        };
        let of = |a: f64, b: f64| Some([Some(a), Some(b)]);
        assert_eq!(place(&[None, of(3.0, 1.0), of(1.0, 9.0), of(1.0, 2.0), of(1.0, 2.0)], 0, Better::Less), Some(3));
        assert_eq!(place(&[of(3.0, 1.0), of(1.0, 9.0)], 1, Better::More), Some(0));
        assert_eq!(place(&[of(3.0, 1.0), of(4.0, 1.0)], 0, Better::More), Some(1));
        assert_eq!(place(&[Some([None, Some(1.0)]), of(4.0, 1.0)], 0, Better::More), Some(1));
        assert_eq!(place(&[None, None], 0, Better::Less), None);
    }

    #[test]
    fn numbers_are_as_fine_as_they_mean_something() {
        assert_eq!([29.0, 2.998, 180.7013, 0.5].map(shown), ["29", "2.998", "180.70", "0.500"]);
    }
}
