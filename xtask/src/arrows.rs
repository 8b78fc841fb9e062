//! The architecture picture as a check: which crate may use which, and which outside crate belongs to one of ours.
//! The book has the picture in words; change both together.

use serde_json::Value;

use crate::{Stop, process};

/// Each crate of the workspace with those it may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("tapeout-model", &[]),
    ("tapeout-guard", &[]),
    ("tapeout-derive", &[]),
    ("tapeout-config", &["tapeout-model", "tapeout-derive"]),
    ("tapeout-radgen", &["tapeout-model", "tapeout-config"]),
    ("tapeout-formats", &["tapeout-model"]),
    ("tapeout-store", &["tapeout-model"]),
    ("tapeout-engine", &["tapeout-model", "tapeout-formats", "tapeout-store", "tapeout-guard"]),
    (
        "tapeout-flow",
        &["tapeout-model", "tapeout-derive", "tapeout-config", "tapeout-formats", "tapeout-store", "tapeout-engine"],
    ),
    ("tapeout-tools", &["tapeout-model", "tapeout-config", "tapeout-formats", "tapeout-flow", "tapeout-engine"]),
    ("tapeout-script", &["tapeout-model", "tapeout-config", "tapeout-store", "tapeout-engine", "tapeout-flow"]),
    (
        "tapeout",
        &[
            "tapeout-model",
            "tapeout-guard",
            "tapeout-config",
            "tapeout-formats",
            "tapeout-store",
            "tapeout-engine",
            "tapeout-flow",
            "tapeout-tools",
            "tapeout-radgen",
            "tapeout-script",
        ],
    ),
    (
        "tapeout-conformance",
        &[
            "tapeout-model",
            "tapeout-config",
            "tapeout-formats",
            "tapeout-radgen",
            "tapeout-engine",
            "tapeout-flow",
            "tapeout-tools",
            "tapeout",
        ],
    ),
    // Examples of a user's program: they have to do with one crate.
    ("rust-flow", &["tapeout"]),
    ("rust-project", &["tapeout"]),
    ("xtask", &[]),
];

/// Outside crates with the only ones of ours that may use them: one place hashes, one makes system calls, one reads
/// configuration syntax, one runs scripts (and reads what tools report for them), one talks to the user, one to a server.
const OWNED: &[(&str, &[&str])] = &[
    ("sha2", &["tapeout-store"]),
    ("twox-hash", &["tapeout-store"]),
    ("nix", &["tapeout-store"]),
    ("ureq", &["tapeout-store"]),
    ("prost", &["tapeout-store"]),
    ("libc", &["tapeout-guard", "xtask"]),
    ("dashu-float", &["tapeout-model"]),
    ("clap", &["tapeout"]),
    ("clap_complete", &["tapeout"]),
    ("indicatif", &["tapeout"]),
    ("tar", &["tapeout"]),
    ("flate2", &["tapeout"]),
    ("starlark", &["tapeout-script"]),
    ("starlark_syntax", &["tapeout-script"]),
    ("toml", &["tapeout-config", "tapeout-script"]),
    ("saphyr-parser", &["tapeout-config"]),
    ("jsonc-parser", &["tapeout-config"]),
    ("annotate-snippets", &["tapeout-config"]),
    ("syn", &["tapeout-derive"]),
    ("quote", &["tapeout-derive"]),
    ("proc-macro2", &["tapeout-derive"]),
    ("heck", &["tapeout-derive"]),
];

/// What is wrong with the dependencies of the workspace's crates.
pub(crate) fn check() -> Result<Vec<String>, Stop> {
    let mut command = process::cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let output = command.output().map_err(|e| process::not_started(&command, &e))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Ok(vec![format!("cargo metadata failed: {}", said.trim())]);
    }
    let metadata = serde_json::from_slice(&output.stdout)
        .map_err(|e| Stop::failed(format!("cargo metadata printed something else than JSON: {e}")))?;
    Ok(problems(&metadata))
}

/// What is wrong in this output of `cargo metadata`.
fn problems(metadata: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    if packages.is_empty() {
        problems.push("cargo metadata names no package".to_owned());
    }
    for package in packages {
        let user = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == user) else {
            problems.push(format!("{user}: a new crate? Give it its place in {} and in the book's picture", file!()));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            let ours = ARROWS.iter().any(|(name, _)| *name == used);
            if ours && used != user && !allowed.contains(&used) {
                problems.push(format!("{user} must not use {used}: the arrow is not in the architecture picture"));
            }
            // Tests and build scripts are not shipped, and may use what they like of the outside world.
            if !dependency["kind"].is_null() {
                continue;
            }
            if let Some((_, owners)) = OWNED.iter().find(|(name, _)| *name == used)
                && !owners.contains(&user)
            {
                problems.push(format!("{user} must not use {used}: it belongs to {}", owners.join(" and ")));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ARROWS, problems};

    fn metadata(user: &str, used: &str, kind: Value) -> Value {
        json!({ "packages": [{ "name": user, "dependencies": [{ "name": used, "kind": kind }] }] })
    }

    #[test]
    fn arrows_point_down() {
        assert!(problems(&metadata("tapeout-engine", "tapeout-store", Value::Null)).is_empty());
        for kind in [Value::Null, json!("dev"), json!("build")] {
            assert_eq!(
                problems(&metadata("tapeout-engine", "tapeout-config", kind)),
                ["tapeout-engine must not use tapeout-config: the arrow is not in the architecture picture"]
            );
        }
    }

    #[test]
    fn an_outside_crate_stays_with_its_owner() {
        assert!(problems(&metadata("tapeout-store", "sha2", Value::Null)).is_empty());
        assert!(problems(&metadata("tapeout-flow", "sha2", json!("dev"))).is_empty());
        assert!(problems(&metadata("tapeout-flow", "sha2", json!("build"))).is_empty());
        assert!(problems(&metadata("tapeout-flow", "serde", Value::Null)).is_empty());
        assert_eq!(
            problems(&metadata("tapeout-flow", "sha2", Value::Null)),
            ["tapeout-flow must not use sha2: it belongs to tapeout-store"]
        );
        assert_eq!(problems(&metadata("tapeout-engine", "libc", Value::Null)).len(), 1);
    }

    #[test]
    fn a_crate_without_a_place_is_noticed_and_so_is_an_empty_list() {
        assert_eq!(problems(&metadata("tapeout-moon", "serde", Value::Null)).len(), 1);
        assert_eq!(problems(&json!({})), ["cargo metadata names no package"]);
    }

    #[test]
    fn the_picture_has_no_cycle() {
        for (place, (user, allowed)) in ARROWS.iter().enumerate() {
            for used in *allowed {
                assert!(
                    ARROWS[..place].iter().any(|(name, _)| name == used),
                    "{user} uses {used}, which is not below it"
                );
            }
        }
    }
}
