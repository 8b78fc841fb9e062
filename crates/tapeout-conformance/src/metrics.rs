//! The areas `metrics.*`, `util.filter` and `util.matching_wildcards`: names of metrics, totals, comparison, and patterns.

use serde_json::{Map, Value as Json, json};
use tapeout_model::{
    Change, Decimal, Difference, Filter, Metric, MetricName, Metrics, Preference, Show, Tolerances, Value, aggregated,
    compared,
};

use crate::encoding::{decode, encode};
use crate::outcome::{Outcome, Refusal};
use crate::place::Place;
use crate::run::{entry, only, text};

/// `metrics.modifiers`: a name taken apart.
pub(crate) fn modifiers(input: &Json, _: &Place<'_>) -> Result<Outcome, String> {
    let name = MetricName::new(input.as_str().ok_or("the input is not a name")?);
    let modifiers: Map<String, Json> =
        name.modifiers().iter().map(|(modifier, value)| ((*modifier).to_owned(), json!(value))).collect();
    Ok(Outcome::Accepted(json!([name.base(), modifiers])))
}

/// `metrics.aggregate`: metrics with their totals.
pub(crate) fn aggregate(input: &Json, _: &Place<'_>) -> Result<Outcome, String> {
    let entries = input.as_object().ok_or("the input is not a map")?;
    let given = entries.iter().map(|(name, value)| Ok((name.clone(), metric(value)?)));
    let metrics = aggregated(&given.collect::<Result<Metrics, String>>()?);
    Ok(Outcome::Accepted(metrics.iter().map(|(name, metric)| (name.clone(), encoded(metric))).collect()))
}

/// `metrics.compare`: two values of a metric.
pub(crate) fn compare(input: &Json, _: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["metric", "gold", "new", "significant_figures"])?;
    let name = text(input, "metric")?;
    let (before, after) = (metric(entry(input, "gold")?)?, metric(entry(input, "new")?)?);
    let figures = entry(input, "significant_figures")?.as_u64().and_then(|figures| usize::try_from(figures).ok());
    let figures = figures.ok_or("`significant_figures` is not a count")?;
    let counts = matches!((&before, &after), (Metric::Int(_), Metric::Int(_)));
    let difference = Difference::new(name, Some(before.clone()), Some(after.clone()));
    let number = |number: Option<Decimal>, is_count: bool| match number {
        Some(number) if is_count => number.to_i64().map_or(Json::Null, Json::from),
        Some(number) => encode(&Value::Decimal(number)),
        None => Json::Null,
    };
    // There, what stays the same is good.
    let better = match (difference.change, MetricName::new(name).preference()) {
        (Change::Same, Some(Preference::Higher | Preference::Lower)) | (Change::Better, _) => Some(true),
        (Change::Worse, _) => Some(false),
        _ => None,
    };
    let formatted = [before.figures(figures), after.figures(figures), difference.delta_text(figures)];
    Ok(Outcome::Accepted(json!({
        "delta": number(difference.delta(), counts),
        "delta_pct": number(difference.percent(), false),
        "better": better,
        "critical": difference.critical && difference.change != Change::Same,
        "formatted": formatted,
    })))
}

/// What the files hold that the cases of `metrics.cli` name: they say what became worse, and no more.
const FILES: [(&str, &[(&str, f64)]); 2] = [
    ("m1.json", &[("power__total", 0.5), ("timing__setup_vio__count", 0.0)]),
    ("m2.json", &[("power__total", 0.75), ("timing__setup_vio__count", 1.0)]),
];

/// `metrics.cli`: the command that compares two files. What it lists, and how it ends.
pub(crate) fn command(input: &Json, _: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["module_args"])?;
    let words: Vec<&str> =
        entry(input, "module_args")?.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let [_, "compare", before, after] = words[..] else { return Err("the command is not `compare A B`".to_owned()) };
    let metrics = |file: &str| -> Result<Metrics, String> {
        let (_, content) = FILES.iter().find(|(name, _)| *name == file).ok_or(format!("there is no file `{file}`"))?;
        Ok(content.iter().map(|(name, value)| ((*name).to_owned(), Metric::Float(*value))).collect())
    };
    let everything = Filter::new(["*"]).map_err(|error| error.to_string())?;
    let differences = compared(&metrics(before)?, &metrics(after)?, &everything);
    let has_regressions = differences.iter().any(|difference| difference.is_regression(&Tolerances::default()));
    let shown = differences.iter().filter(|difference| difference.is_shown(Show::Changed));
    Ok(Outcome::Accepted(json!({
        "exit": i32::from(has_regressions),
        "raw_traceback": false,
        "rows": shown.map(|difference| difference.name.as_str()).collect::<Vec<_>>(),
    })))
}

/// `util.filter`: the names that pass.
pub(crate) fn filter(input: &Json, _: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["filters", "inputs"])?;
    let inputs: Vec<&str> = texts(input, "inputs")?;
    of_filter(input, |filter| inputs.iter().filter(|name| filter.allows(name)).copied().collect())
}

/// `util.matching_wildcards`: the patterns that a name matches.
pub(crate) fn matching(input: &Json, _: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["filters", "input"])?;
    let name = text(input, "input")?;
    of_filter(input, |filter| filter.allowing(name).map(str::to_owned).collect())
}

fn of_filter(input: &Json, of: impl Fn(&Filter) -> Json) -> Result<Outcome, String> {
    Ok(match Filter::new(texts(input, "filters")?) {
        Ok(filter) => Outcome::Accepted(of(&filter)),
        Err(error) => Outcome::Refused(Refusal { text: error.to_string(), errors: 1 }),
    })
}

fn texts<'a>(input: &'a Json, key: &str) -> Result<Vec<&'a str>, String> {
    let items = entry(input, key)?.as_array().ok_or_else(|| format!("`{key}` is not a list"))?;
    items.iter().map(|item| item.as_str().ok_or_else(|| format!("`{key}` holds something else than text"))).collect()
}

/// The measurement that a case file writes.
fn metric(encoded: &Json) -> Result<Metric, String> {
    Ok(match decode(encoded)? {
        Value::Int(count) => Metric::Int(count),
        Value::Decimal(number) => Metric::Float(number.to_f64()),
        Value::Str(text) => Metric::Text(text),
        other => return Err(format!("a metric is {}", other.kind())),
    })
}

/// How a case file writes the measurement.
fn encoded(metric: &Metric) -> Json {
    match (metric, metric.to_decimal()) {
        (Metric::Float(_), Some(number)) => encode(&Value::Decimal(number)),
        _ => metric.to_json(),
    }
}
