//! The one command line that does a run again: what was given by options and by the environment is in it, what files say
//! stays in the files.

use std::path::Path;

use tapeout_config::{ConfigSource, Role, Schema};
use tapeout_flow::{Plan, Registry};
use tapeout_model::{Value, shell_quoted};

use crate::args::{PartArgs, ThingArgs};
use crate::error::CliError;
use crate::{initial, project};

/// The line for a shell in the design directory.
pub(crate) fn run_command(
    registry: &Registry,
    plan: &Plan,
    args: &ThingArgs,
    part: &PartArgs,
    tag: &str,
) -> Result<String, CliError> {
    let range = &part.range;
    let design_dir = plan.config.design_dir();
    let file = project::find_config(args.thing.as_deref())?;
    let mut words = vec!["tapeout".to_owned(), "run".to_owned(), seen_from(design_dir, &file)];
    let overlay = &args.overlay;
    for with in &overlay.with {
        words.extend(["--with".to_owned(), seen_from(design_dir, with)]);
    }
    if let Some(flow) = &overlay.flow {
        words.extend(["--flow".to_owned(), flow.clone()]);
    }
    if overlay.design_dir.is_some() {
        words.extend(["--design-dir".to_owned(), ".".to_owned()]);
    }
    for (name, setting) in plan.config.iter() {
        if setting.origin.source == ConfigSource::Environment && !setting.secret {
            let value = setting.value.as_ref().map_or_else(|| "null".to_owned(), Value::to_string);
            words.extend(["-c".to_owned(), format!("{name}={value}")]);
        }
    }
    let pdk_root = overlay.pdk_root.as_ref().map(|root| seen_from(design_dir, root));
    for (option, value) in [("--pdk", &overlay.pdk), ("--scl", &overlay.scl), ("--pdk-root", &pdk_root)] {
        words.extend(value.iter().flat_map(|value| [option.to_owned(), value.clone()]));
    }
    for set in overlay.set.iter().filter(|set| !sets_secret(plan.config.schema(), set)) {
        words.extend(["-c".to_owned(), set.clone()]);
    }
    let ends = [
        ("--from", &range.from),
        ("--after", &range.after),
        ("--to", &range.to),
        ("--until", &range.until),
        ("--only", &range.only),
    ];
    for (option, step) in ends {
        words.extend(step.iter().flat_map(|step| [option.to_owned(), step.clone()]));
    }
    words.extend(range.skip.iter().flat_map(|glob| ["--skip".to_owned(), glob.clone()]));
    for state in &part.initial.initial_state {
        words.extend(["-i".to_owned(), seen_from(design_dir, &initial::state_file(registry, state)?)]);
    }
    for (format, path) in &part.initial.initial_view {
        words.extend(["-e".to_owned(), format!("{format}={}", seen_from(design_dir, path))]);
    }
    if tag != "default" {
        words.extend(["--tag".to_owned(), tag.to_owned()]);
    }
    Ok(words.iter().map(|word| shell_quoted(word)).collect::<Vec<_>>().join(" "))
}

/// Whether an option gives a secret, which nothing keeps.
fn sets_secret(schema: &Schema, set: &str) -> bool {
    let name = set.split_once('=').map_or(set, |(name, _)| name);
    let variable = schema.find(name).map(|(variable, _)| variable).or_else(|| schema.formerly(name));
    variable.is_some_and(|variable| matches!(variable.role, Role::Secret))
}

/// The path from the directory, where it lies in it, so that the directory may be moved.
fn seen_from(dir: &Path, path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let dir = dir.components().collect::<std::path::PathBuf>();
    absolute.strip_prefix(&dir).unwrap_or(&absolute).display().to_string()
}

#[cfg(test)]
mod tests {
    use tapeout_config::{Type, Variable};

    use super::*;

    #[test]
    fn secrets_are_found_by_each_name() -> Result<(), tapeout_config::SchemaError> {
        let schema = Schema::new([
            Variable::new("KEYS", Type::map(Type::Str), "Licences.").optional().formerly("LICENCES").secret(),
            Variable::new("SEED", Type::Int, "A seed.").optional(),
        ])?;
        let cases =
            [("KEYS=x", true), ("KEYS.a=x", true), ("LICENCES=x", true), ("SEED=KEYS", false), ("OTHER=1", false)];
        for (set, expected) in cases {
            assert_eq!(sets_secret(&schema, set), expected, "{set}");
        }
        Ok(())
    }
}
