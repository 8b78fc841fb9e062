//! The PDKs that tapeout knows: manifests as data, for technologies whose packages have none. What the form of a manifest
//! is, and how one is found, is `tapeout-config`'s.

use tapeout_config::{Config, PdkManifests, Type, Value, Variable};

use crate::classic;
use crate::views::of_corner;

/// The name of each PDK and its manifest.
pub const PDKS: PdkManifests = &[
    ("ihp-sg13g2", include_str!("../pdks/ihp-sg13g2.toml")),
    ("osu018", include_str!("../pdks/osu018.toml")),
    ("osu035", include_str!("../pdks/osu035.toml")),
    ("osu050", include_str!("../pdks/osu050.toml")),
];

/// The variables that choose the PDK, for every step that reads something of it. No result depends on them.
pub(crate) fn choice() -> [Variable; 3] {
    ["PDK_ROOT", "PDK", "STD_CELL_LIBRARY"].map(classic::variable)
}

/// The cells that synthesis leaves alone, for a PDK that has no file of them.
pub(crate) fn excluded_cells() -> Variable {
    Variable::new(
        "SYNTH_EXCLUDED_CELLS",
        Type::list(Type::Str),
        "Cells that synthesis must not pick, names or patterns, beside those of `SYNTH_EXCLUDED_CELL_FILE`.",
    )
    .default(Vec::<String>::new())
    .from_pdk()
}

/// An entry of a map, null where there is none.
pub(crate) fn entry<'v>(map: &'v Value, name: &str) -> &'v Value {
    match map {
        Value::Map(entries) => entries.iter().find(|(key, _)| key == name).map_or(&Value::Null, |(_, value)| value),
        _ => &Value::Null,
    }
}

/// What a plan says of a corner for which the PDK has no Liberty file. Where there is no `LIB` at all, the configuration
/// has said so or is for planning only.
pub(crate) fn check_corners(config: &Config, corners: &[&str]) -> Result<(), (&'static str, String)> {
    let Some(libs) = config.get("LIB") else { return Ok(()) };
    let missing = corners.iter().find(|corner| of_corner(libs, corner).is_empty());
    let Some(corner) = missing else { return Ok(()) };
    let patterns = match libs {
        Value::Map(entries) => entries.iter().map(|(pattern, _)| format!("`{pattern}`")).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    let there = if patterns.is_empty() { "it is empty".to_owned() } else { format!("it has {}", patterns.join(", ")) };
    Err(("LIB", format!("no Liberty file for the corner `{corner}`: {there}. Add one, or leave the corner out")))
}

#[cfg(test)]
mod tests {
    use tapeout_config::{Pdks, SourceMap};

    use super::*;

    #[test]
    fn manifests_are_right_and_their_variables_are_there() {
        let registry = crate::registry();
        let vocabularies = || registry.vocabularies().flat_map(|vocabulary| (vocabulary.variables)());
        let of_steps = || registry.steps().flat_map(|step| step.variables.clone());
        let pdks = Pdks::new(PDKS, None);
        for name in pdks.names() {
            let info = pdks.info(&name, &mut SourceMap::new()).unwrap_or_else(|error| panic!("{name}: {error:?}"));
            let variables = info.libraries.iter().flat_map(|library| &library.variables).chain(&info.variables);
            for set in variables {
                let known = vocabularies().chain(of_steps()).any(|variable| variable.name == set.name);
                let elsewhere = registry.vocabularies().any(|vocabulary| (vocabulary.knows)(&set.name));
                assert!(known || elsewhere, "{name}: {}", set.name);
            }
            assert!(!info.corners.is_empty() && info.doc.ends_with('.'), "{name}");
        }
    }
}
