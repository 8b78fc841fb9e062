//! The areas on values that are worked out: `config.expr`, `config.preprocess_string`, `config.preprocess_dict`. Each
//! case becomes a configuration whose variables are of any type.

use std::path::PathBuf;

use serde_json::{Map, Value as Json};
use tapeout_config::{ConfigSource, Elsewhere, Loader, Schema, Type, Variable};
use tapeout_model::Value;

use crate::encoding::{decode, encode};
use crate::outcome::Outcome;
use crate::place::{Place, resolve};
use crate::run::{entry, only, text};
use crate::tcl;

/// `config.expr`: an expression, and the values of names in it.
pub(crate) fn expression(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["expression", "symbols"])?;
    value(&format!("expr::{}", text(input, "expression")?), entry(input, "symbols")?, place)
}

/// `config.preprocess_string`: any value, and the values of names in it.
pub(crate) fn string(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["value", "symbols"])?;
    value(text(input, "value")?, entry(input, "symbols")?, place)
}

/// What a value comes to below the symbols.
fn value(value: &str, symbols: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    let symbols = symbols.as_object().ok_or("`symbols` is not a map")?;
    tcl::write_pdks(&place.definitions["pdk_dummy"], place)?;
    let mut loader = Loader { design_dir: Some(place.cwd()), ..Loader::default() };
    let mut mapping = Value::Map(Vec::new());
    for (name, symbol) in symbols {
        match (name.as_str(), symbol) {
            ("DESIGN_DIR", Json::String(dir)) => loader.design_dir = Some(PathBuf::from(dir)),
            ("PDKPATH", Json::String(path)) => {
                let (root, pdk) = path.rsplit_once('/').ok_or("`PDKPATH` is not the path of a PDK")?;
                put(&mut mapping, "PDK_ROOT", root.into())?;
                put(&mut mapping, "PDK", pdk.into())?;
            }
            _ => put(&mut mapping, name, decode(symbol)?)?,
        }
    }
    let Value::Map(entries) = &mut mapping else { return Err("the symbols are no map".to_owned()) };
    let mut result = "VALUE".to_owned();
    while entries.iter().any(|(name, _)| *name == result) {
        result.push('_');
    }
    entries.push((result.clone(), value.into()));
    let schema = of_any(entries.iter().map(|(name, _)| name.clone()))?;
    loader.mapping = Some(mapping);
    Ok(match resolve(loader, &schema) {
        Ok(resolved) => Outcome::Accepted(resolved.config.get(&result).map_or(Json::Null, encode)),
        Err(refused) => refused,
    })
}

/// Optional variables of any type.
fn of_any(names: impl IntoIterator<Item = String>) -> Result<Schema, String> {
    let variables = names.into_iter().map(|name| Variable::new(name, Type::Any, "A value.").optional());
    Schema::new(variables).map_err(|error| error.to_string())
}

/// Puts a value at the place that `A[0].B` names, with maps and lists on the way.
fn put(node: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        *node = value;
        return Ok(());
    }
    let wrong = || format!("`{path}` does not name a place");
    if let Some(rest) = path.strip_prefix('[') {
        let (index, rest) = rest.split_once(']').ok_or_else(wrong)?;
        let index: usize = index.parse().ok().filter(|index| *index < 1000).ok_or_else(wrong)?;
        if *node == Value::Null {
            *node = Value::List(Vec::new());
        }
        let Value::List(items) = node else { return Err(wrong()) };
        while items.len() <= index {
            items.push(Value::Null);
        }
        return put(&mut items[index], rest, value);
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    let (name, rest) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
    if *node == Value::Null {
        *node = Value::Map(Vec::new());
    }
    let Value::Map(entries) = node else { return Err(wrong()) };
    let at = entries.iter().position(|(entry, _)| entry == name).unwrap_or_else(|| {
        entries.push((name.to_owned(), Value::Null));
        entries.len() - 1
    });
    put(&mut entries[at].1, rest, value)
}

/// The names by which a configuration says for which process it is.
const PROCESS: [&str; 5] = ["PDK", "PDK_ROOT", "STD_CELL_LIBRARY", "PAD_CELL_LIBRARY", "STD_CELL_LIBRARY_OPT"];

/// `config.preprocess_dict`: a whole configuration, of which the values given are the outcome.
pub(crate) fn mapping(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["config", "pdk", "pdkpath", "scl", "design_dir", "only_extract_process_info"])?;
    let config = entry(input, "config")?;
    let of_process = input.get("only_extract_process_info") == Some(&Json::Bool(true));
    let mut names: Vec<String> = PROCESS.map(str::to_owned).into();
    let mut known: Schema = of_any(names.iter().cloned())?;
    if of_process {
        known = known.with_elsewhere(std::sync::Arc::new(|_| Some(Elsewhere::OtherFlow)));
    } else {
        keys(config.as_object().ok_or("`config` is not a map")?, &mut names);
        known = of_any(names)?;
    }
    let mut sets = Vec::new();
    for (key, variable) in [("pdk", "PDK"), ("scl", "STD_CELL_LIBRARY")] {
        if input.get(key).is_some() {
            sets.push(format!("{variable}={}", text(input, key)?));
        }
    }
    if input.get("pdkpath").is_some() {
        let (root, _) = text(input, "pdkpath")?.rsplit_once('/').ok_or("`pdkpath` is not the path of a PDK")?;
        sets.push(format!("PDK_ROOT={root}"));
    }
    let design_dir = match input.get("design_dir") {
        Some(_) => PathBuf::from(text(input, "design_dir")?),
        None => place.cwd(),
    };
    let loader = Loader { sets, ..Loader::from_mapping(decode(config)?, design_dir) };
    Ok(match resolve(loader, &known) {
        Ok(resolved) => {
            let given = resolved.config.iter().filter(|(_, setting)| setting.origin.source == ConfigSource::Code);
            let value = |value: &Option<Value>| value.as_ref().map_or(Json::Null, encode);
            let mut values: Map<String, Json> =
                given.map(|(name, setting)| (name.to_owned(), value(&setting.value))).collect();
            if of_process {
                // The peer leaves out what says nothing.
                values.retain(|_, value| *value != Json::Null && *value != "");
            } else {
                // The peer takes comments out later.
                let entries = config.as_object().into_iter().flatten();
                values
                    .extend(entries.filter(|(name, _)| is_comment(name)).map(|(name, of)| (name.clone(), of.clone())));
            }
            Outcome::Accepted(Json::Object(values))
        }
        Err(refused) => refused,
    })
}

/// The variables of a configuration, those in sections for a PDK or a library included.
fn keys(config: &Map<String, Json>, names: &mut Vec<String>) {
    for (name, value) in config {
        match value {
            Json::Object(section) if name.starts_with("pdk::") || name.starts_with("scl::") => keys(section, names),
            _ if name.starts_with("pdk::") || name.starts_with("scl::") => {}
            _ if name == "meta" || is_comment(name) => {}
            _ => names.push(name.clone()),
        }
    }
}

fn is_comment(name: &str) -> bool {
    name.starts_with("//") || name.starts_with('#')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn symbols_are_places_in_a_configuration() {
        let mut node = Value::Map(Vec::new());
        for (path, value) in [("A[1].B", 1i64), ("C.d[0][0]", 2), ("A[0]", 3)] {
            put(&mut node, path, value.into()).unwrap();
        }
        assert_eq!(encode(&node), json!({ "A": [3, { "B": 1 }], "C": { "d": [[2]] } }));
        assert!(put(&mut node, "A.b", Value::Null).is_err() && put(&mut node, "A[x]", Value::Null).is_err());
    }
}
