//! The area `config.yaml_scalar`: how the words of a YAML file are read.

use serde_json::Value as Json;
use tapeout_config::{Loader, Schema, SourceMap, Tree, Type, Variable, read};

use crate::encoding::encode;
use crate::outcome::Outcome;
use crate::place::{Place, resolve};

/// A file with one entry, whose value is the outcome.
pub(crate) fn yaml(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    let text = input.as_str().ok_or("the input is not the text of a file")?;
    let path = place.cwd().join("c0.yaml");
    place.write(&path, text)?;
    let mut sources = SourceMap::new();
    let name = match read(&path, &mut sources).map(|node| node.value) {
        Err(diagnostic) => return Ok(Outcome::refused(&[diagnostic], &sources)),
        Ok(Tree::Map(entries)) if entries.len() == 1 => entries[0].0.name.clone(),
        Ok(_) => return Err("the file is not a map of one entry".to_owned()),
    };
    let variable = Variable::new(name.clone(), Type::Any, "A value.").optional();
    let schema = Schema::new([variable]).map_err(|error| error.to_string())?;
    Ok(match resolve(Loader { files: vec![path], ..Loader::default() }, &schema) {
        Ok(resolved) => Outcome::Accepted(resolved.config.get(&name).map_or(Json::Null, encode)),
        Err(refused) => refused,
    })
}
