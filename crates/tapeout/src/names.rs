//! How people name steps: regardless of case, by the beginning, by a pattern; and what they meant when they err.

use tapeout_config::nearest;
use tapeout_flow::StepPattern;

use crate::error::CliError;

/// A pattern over names: `*`, `?` and `[…]` as in file names.
#[derive(Clone, Debug)]
pub(crate) struct Glob(StepPattern);

impl Glob {
    pub(crate) fn new(text: &str) -> Result<Self, CliError> {
        StepPattern::new(text).map(Self).map_err(CliError::input)
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        self.0.matches(name)
    }
}

/// The one name that is meant: itself, a beginning of it or of its second half, or a pattern, when only one has it.
pub(crate) fn find<'a>(kind: &str, text: &str, names: &[&'a str]) -> Result<&'a str, CliError> {
    if let Some(name) = names.iter().find(|name| name.eq_ignore_ascii_case(text)) {
        return Ok(name);
    }
    let beginning = text.to_lowercase();
    let begins = |name: &str| name.to_lowercase().starts_with(&beginning);
    let mut found: Vec<&str> = names.iter().filter(|name| begins(name)).copied().collect();
    if found.is_empty() {
        let second_begins = |name: &str| name.split_once('.').is_some_and(|(_, second)| begins(second));
        found = names.iter().filter(|name| second_begins(name)).copied().collect();
    }
    if found.is_empty() {
        let glob = Glob::new(text)?;
        found = names.iter().filter(|name| glob.matches(name)).copied().collect();
    }
    match found.as_slice() {
        [name] => Ok(name),
        [] => Err(unknown(kind, text, names)),
        several => Err(CliError::input(format!("`{text}` may be any of {} {kind}s", several.len()))
            .details(several.iter().map(|name| (*name).to_owned()).collect())),
    }
}

/// There is no such thing, and what was probably meant.
pub(crate) fn unknown(kind: &str, text: &str, names: &[&str]) -> CliError {
    let error = CliError::input(format!("there is no {kind} `{text}`"));
    match nearest(text, names.iter().copied()).or_else(|| nearest_part(text, names)) {
        Some(name) => error.hint(format!("did you mean `{name}`?")),
        None if names.is_empty() => error,
        None if names.len() <= 12 => error.hint(format!("there are `{}`", names.join("`, `"))),
        None => error.hint(format!("`tapeout list {kind}s` shows them all")),
    }
}

/// `placeroute` for `NextPNR.PlaceRoute`: people remember the second half of a step's id.
fn nearest_part<'a>(text: &str, names: &[&'a str]) -> Option<&'a str> {
    let parts = names.iter().filter_map(|name| Some((*name, name.split_once('.')?.1)));
    let (whole, halves): (Vec<&str>, Vec<&str>) = parts.unzip();
    let half = nearest(text, halves.iter().copied())?;
    whole.get(halves.iter().position(|candidate| *candidate == half)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [&str; 4] = ["Yosys.SynthIce40", "NextPNR.PlaceRoute", "Icarus.Simulate", "Icarus.SimulatePostLayout"];

    #[test]
    fn a_step_is_found_by_id_beginning_or_pattern() {
        let cases = [
            ("yosys.synthice40", "Yosys.SynthIce40"),
            ("nextpnr", "NextPNR.PlaceRoute"),
            ("synth", "Yosys.SynthIce40"),
            // The whole id comes before the beginning of another.
            ("icarus.simulate", "Icarus.Simulate"),
            ("*layout", "Icarus.SimulatePostLayout"),
        ];
        for (text, step) in cases {
            assert_eq!(find("step", text, &STEPS).unwrap(), step);
        }
    }

    #[test]
    fn what_is_not_found_or_not_unique_is_explained() {
        let error = |text| {
            let CliError { message, details, hint, .. } = find("step", text, &STEPS).unwrap_err();
            (message, details.len(), hint.unwrap_or_default())
        };
        assert_eq!(error("icarus"), ("`icarus` may be any of 2 steps".into(), 2, String::new()));
        let nearest = "did you mean `NextPNR.PlaceRoute`?".to_owned();
        assert_eq!(error("placerute"), ("there is no step `placerute`".into(), 0, nearest));
        assert_eq!(error("[").0, "`[` is not a pattern: invalid range pattern");
    }
}
