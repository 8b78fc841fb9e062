//! The area `config.yaml_scalar`: how the words of a YAML file are read.

use serde_json::Value as Json;
use tapeout_config::{SourceMap, Tree, read};

use crate::encoding::encode;
use crate::outcome::Outcome;
use crate::place::Place;

/// A file with one entry, whose value is the outcome.
pub(crate) fn yaml(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    let text = input.as_str().ok_or("the input is not the text of a file")?;
    let path = place.cwd().join("c0.yaml");
    place.write(&path, text)?;
    let mut sources = SourceMap::new();
    match read(&path, &mut sources).map(|node| node.value) {
        Err(diagnostic) => Ok(Outcome::refused(&[diagnostic], &sources)),
        Ok(Tree::Map(entries)) if entries.len() == 1 => Ok(Outcome::Accepted(encode(&entries[0].1.to_value()))),
        Ok(_) => Err("the file is not a map of one entry".to_owned()),
    }
}
