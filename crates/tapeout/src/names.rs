//! How people name steps: regardless of case, by the beginning, by a pattern; and what they meant when they err.

use tapeout_config::nearest;
use tapeout_flow::{StepPattern, nearest_step};

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
            .details(several.iter().map(|name| (*name).to_owned()).collect())
            .hint("write the whole name of the one that is meant")),
    }
}

/// There is no such thing, and what was probably meant.
pub(crate) fn unknown(kind: &str, text: &str, names: &[&str]) -> CliError {
    let error = CliError::input(format!("there is no {kind} `{text}`"));
    let whole = |text| match kind {
        "step" => nearest_step(text, names.iter().copied()),
        _ => nearest(text, names.iter().copied()),
    };
    match whole(text).or_else(|| nearest_part(text, names)) {
        Some(name) => error.hint(format!("did you mean `{name}`?")),
        None if names.is_empty() => error,
        // Views of a run have no list of their own.
        None if names.len() <= LISTED || kind == "view" => error.hint(format!("there are `{}`", names.join("`, `"))),
        None => match family(text, names) {
            family if (1..=LISTED).contains(&family.len()) => {
                error.hint(format!("there are `{}`", family.join("`, `")))
            }
            _ => error.hint(format!("`tapeout list {kind}s` shows them all")),
        },
    }
}

/// How many names a hint lists at most.
const LISTED: usize = 12;

/// The names with the same word before the dot.
fn family<'a>(text: &str, names: &[&'a str]) -> Vec<&'a str> {
    let family = |name: &str| name.split_once('.').map(|(family, _)| family.to_lowercase());
    names.iter().filter(|name| family(text).is_some() && family(name) == family(text)).copied().collect()
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
        let whole = "write the whole name of the one that is meant".to_owned();
        assert_eq!(error("icarus"), ("`icarus` may be any of 2 steps".into(), 2, whole));
        let nearest = "did you mean `NextPNR.PlaceRoute`?".to_owned();
        assert_eq!(error("placerute"), ("there is no step `placerute`".into(), 0, nearest));
        let many: Vec<String> = (0..20).map(|number| format!("Many.S{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).chain(STEPS).collect();
        let hint = |text| unknown("step", text, &many).hint.unwrap_or_default();
        assert_eq!(hint("Icarus.Nope"), "there are `Icarus.Simulate`, `Icarus.SimulatePostLayout`");
        assert_eq!(hint("Many.Nope"), "`tapeout list steps` shows them all");
        assert_eq!(hint("Nope"), "`tapeout list steps` shows them all");
        assert_eq!(error("[").0, "`[` is not a pattern: invalid range pattern");
    }
}
