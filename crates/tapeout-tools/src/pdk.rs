//! The PDKs that tapeout knows: manifests as data, for technologies whose packages have none. What the form of a manifest
//! is, and how one is found, is `tapeout-config`'s.

use tapeout_config::{PdkManifests, Type, Variable};

use crate::classic;

/// The name of each PDK and its manifest.
pub const PDKS: PdkManifests = &[
    ("ihp-sg13g2", include_str!("../pdks/ihp-sg13g2.toml")),
    ("osu018", concat!(include_str!("../pdks/osu018.toml"), include_str!("../pdks/osu-hooks.toml"))),
    ("osu035", concat!(include_str!("../pdks/osu035.toml"), include_str!("../pdks/osu-hooks.toml"))),
    ("osu050", concat!(include_str!("../pdks/osu050.toml"), include_str!("../pdks/osu-hooks.toml"))),
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
    use tapeout_flow::StepInfo;
    use tapeout_flow::hooks::technology_hooks;

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

    #[test]
    fn hooks_of_manifests_name_sections_that_there_are() {
        let registry = crate::registry();
        let pdks = Pdks::new(PDKS, None);
        let mut count = 0;
        for name in pdks.names() {
            let mut sources = SourceMap::new();
            let info = pdks.info(&name, &mut sources).unwrap_or_else(|error| panic!("{name}: {error:?}"));
            let hooks = technology_hooks(&name, &info.hooks);
            for hook in hooks.unwrap_or_else(|errors| panic!("{}", errors[0].one_line(&sources))) {
                let tool = |step: &StepInfo| hook.tool.as_deref().is_none_or(|tool| step.tools.contains(&tool));
                let has = |step: &StepInfo| match &hook.at.section {
                    Some(section) => step.sections.iter().any(|own| own.name == section),
                    None => true,
                };
                let mut steps = registry.steps().filter(|step| hook.at.means(step.id, step.action));
                assert!(steps.any(|step| tool(step) && has(step)), "{}", hook.words());
                assert!(hook.doc.ends_with('.') && hook.published_by.is_some(), "{}", hook.words());
                count += 1;
            }
        }
        assert!(count > 0, "no manifest has a hook");
    }
}
