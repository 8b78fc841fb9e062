//! The cases of RAD-Gen's command line: the words, a top configuration, and what they come to.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value as Json};
use tapeout_radgen::{Surroundings, dump};

use crate::outcome::{Outcome, Refusal};
use crate::place::Place;
use crate::run::{entry, only, text};

/// Resolves a command line. The outcome has every field under its dotted name.
pub(crate) fn resolve(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["argv", "top_config", "env_unset"])?;
    let texts = |value: &Json| {
        let items =
            value.as_array().and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
        items.ok_or_else(|| format!("{value} is not a list of text"))
    };
    let mut words: Vec<String> = texts(entry(input, "argv")?)?;
    if let Some(config) = input.get("top_config") {
        only(config, &["format", "text"])?;
        let path = place.root().join(format!("top.{}", text(config, "format")?));
        place.write(&path, text(config, "text")?)?;
        words.splice(0..0, ["--top_config_fpath".to_owned(), path.to_string_lossy().into_owned()]);
    }
    let mut surroundings = surroundings(place)?;
    let unset: Vec<String> = input.get("env_unset").map_or(Ok(Vec::new()), texts)?;
    surroundings.env.retain(|(name, _)| !unset.contains(name));
    Ok(match dump(&words, &surroundings) {
        Ok(structs) => {
            let mut fields = Map::new();
            flatten("", &structs, &mut fields);
            // The peer's driver tells whether its command line stops after initialisation.
            let stops = structs
                .as_object()
                .is_some_and(|structs| structs.values().any(|of| of["common"]["just_config_init"] == Json::Bool(true)));
            fields.insert("@jci_cli".to_owned(), Json::Bool(stops));
            Outcome::Accepted(Json::Object(fields))
        }
        Err(errors) => Outcome::Refused(Refusal { text: errors.join("\n"), errors: errors.len() }),
    })
}

/// RAD-Gen's own directory, with the inputs of its tests, is where the peer is started. A home is in the place.
fn surroundings(place: &Place<'_>) -> Result<Surroundings, String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/radgen");
    let dir = dir.canonicalize().map_err(|error| format!("{}: {error}", dir.display()))?;
    let (home, hammer) = (place.root().join("home"), place.root().join("hammer"));
    for made in [&home, &hammer] {
        fs::create_dir_all(made).map_err(|error| format!("cannot make {}: {error}", made.display()))?;
    }
    let env = [("RAD_GEN_HOME", &dir), ("HAMMER_HOME", &hammer), ("HOME", &home)];
    let env = env.map(|(name, path)| (name.to_owned(), path.to_string_lossy().into_owned())).into();
    Ok(Surroundings { dir, env })
}

/// Every part under its dotted name.
fn flatten(at: &str, value: &Json, fields: &mut Map<String, Json>) {
    if let Json::Object(entries) = value {
        for (name, value) in entries {
            let below = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            flatten(&below, value, fields);
        }
    }
    if !at.is_empty() {
        fields.insert(at.to_owned(), value.clone());
    }
}
