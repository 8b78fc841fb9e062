//! `step_result` and `alert`: what came out of a step, as its function says it.

use std::collections::BTreeMap;

use starlark::values::Value;
use starlark::values::dict::DictRef;
use starlark::values::list::ListRef;
use tapeout_flow::{Alert, View};
use tapeout_model::{Metrics, Verdict};

use super::plain::plain_value;
use super::session::StepFileValue;
use crate::complaint::{complaint, complaint_with};
use crate::data::{named, to_metric};

plain_value!(
    /// The value of `alert(…)`.
    AlertValue(Alert), "alert", |alert| format!("<alert {}>", alert.code)
);

/// What came out of a step. Files that its function wrote are known elsewhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResultDecl {
    pub(crate) views: BTreeMap<String, View<String>>,
    pub(crate) metrics: Metrics,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) verdict: Verdict,
}

plain_value!(
    /// The value of `step_result(…)`.
    StepResultValue(ResultDecl), "step_result", |_| "<step result>".to_owned()
);

fn dict<'v>(value: Value<'v>, what: &str) -> starlark::Result<Vec<(&'v str, Value<'v>)>> {
    let Some(dict) = DictRef::from_value(value) else {
        return Err(complaint(format!("`{what}` must be a dict, found {}", named(value))));
    };
    let entry = |(key, value): (Value<'v>, Value<'v>)| match key.unpack_str() {
        Some(key) => Ok((key, value)),
        None => Err(complaint(format!("the keys of `{what}` must be strings, found {}", named(key)))),
    };
    dict.iter().map(entry).collect()
}

/// Views by format.
pub(crate) fn views(value: Value<'_>) -> starlark::Result<BTreeMap<String, View<String>>> {
    dict(value, "views")?.into_iter().map(|(format, files)| Ok((format.to_owned(), view(format, files)?))).collect()
}

fn view(format: &str, value: Value<'_>) -> starlark::Result<View<String>> {
    if let Some(file) = StepFileValue::from_value(value) {
        return Ok(View::File(file.0.shown().to_owned()));
    }
    if let Some(path) = value.unpack_str() {
        return Ok(View::File(path.to_owned()));
    }
    if let Some(list) = ListRef::from_value(value) {
        return list.iter().map(|item| view(format, item)).collect::<Result<_, _>>().map(View::Files);
    }
    if DictRef::from_value(value).is_some() {
        let entries =
            dict(value, "views")?.into_iter().map(|(name, files)| Ok((name.to_owned(), view(format, files)?)));
        return entries.collect::<starlark::Result<_>>().map(View::Named);
    }
    Err(complaint_with(
        format!("the view `{format}` must be a file, found {}", named(value)),
        "a view is a file that a session or `ctx.write` gave, its path, or a list or a dict of these",
    ))
}

/// Metrics by name.
pub(crate) fn metrics(value: Value<'_>) -> starlark::Result<Metrics> {
    let metric = |(name, value): (&str, Value<'_>)| match to_metric(value) {
        Some(metric) => Ok((name.to_owned(), metric)),
        None => Err(complaint(format!("metric `{name}` must be a number or a string, found {}", named(value)))),
    };
    dict(value, "metrics")?.into_iter().map(metric).collect()
}

/// The alerts of a list.
pub(crate) fn alerts(value: Value<'_>) -> starlark::Result<Vec<Alert>> {
    let Some(list) = ListRef::from_value(value) else {
        return Err(complaint(format!("alerts are given as a list, found {}", named(value))));
    };
    let alert = |value: Value<'_>| match AlertValue::from_value(value) {
        Some(alert) => Ok(alert.0.clone()),
        None => Err(complaint_with(
            format!("an alert is expected, found {}", named(value)),
            "alert(\"what the tool said\", code = \"tool.CODE\")",
        )),
    };
    list.iter().map(alert).collect()
}
