//! The PDKs that tapeout knows: manifests as data, for technologies whose packages have none. What the form of a manifest
//! is, and how one is found, is `tapeout-config`'s.

use tapeout_config::{PdkManifests, Type, Variable};

use crate::classic;

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
