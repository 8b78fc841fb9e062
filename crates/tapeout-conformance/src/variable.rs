//! The areas `config.variable` and `config.macro`: what a variable makes of a value.

use serde_json::{Map, Value as Json, json};
use tapeout_config::{Config, ConfigSource, Loader, Schema, SourceMap};
use tapeout_model::Value;

use crate::encoding::{decode, encode};
use crate::outcome::{Outcome, Refusal};
use crate::place::{Place, Resolved, resolve};
use crate::run::{classic, only, text};
use crate::type_language;

/// The name of the variable in all cases.
const NAME: &str = "X";

/// `config.variable`: one variable of a type, and what is given for it.
pub(crate) fn variable(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["type", "value", "permissive", "absent", "default", "deprecated_names", "given"])?;
    let mut variable = type_language::variable(NAME, text(input, "type")?)?;
    if let Some(default) = input.get("default") {
        variable = variable.default(decode(default)?);
    }
    for name in input.get("deprecated_names").into_iter().flat_map(|names| names.as_array().into_iter().flatten()) {
        variable = variable.formerly(name.as_str().ok_or("a deprecated name is not text")?.to_owned());
    }
    let given: Map<String, Json> = match (input.get("given"), input.get("value"), input.get("absent")) {
        (Some(Json::Object(given)), None, None) => given.clone(),
        (None, Some(value), None) => [(NAME.to_owned(), value.clone())].into_iter().collect(),
        (None, None, Some(Json::Bool(true))) => Map::new(),
        _ => return Err("expected one of `given`, `value` and `absent`".to_owned()),
    };
    let version = match input.get("permissive") {
        Some(Json::Bool(true)) => 1,
        Some(Json::Bool(false)) | None => 2i64,
        Some(_) => return Err("`permissive` is not a boolean".to_owned()),
    };
    let mut entries = vec![("meta".to_owned(), Value::Map(vec![("version".to_owned(), version.into())]))];
    for (name, value) in &given {
        entries.push((name.clone(), decode(value)?));
    }
    // A default of another type is refused before anything is given.
    let schema = match Schema::new([variable]) {
        Ok(schema) => schema,
        Err(error) => return Ok(Outcome::Refused(Refusal { text: error.to_string(), errors: 1 })),
    };
    Ok(match resolve(Loader::from_mapping(Value::Map(entries), place.cwd()), &schema) {
        Ok(Resolved { config, warnings, sources, .. }) => Outcome::Accepted(json!({
            "used_key": used_key(&config, &sources),
            "value": config.get(NAME).map_or(Json::Null, encode),
            "warnings": warnings.len(),
        })),
        Err(refused) => refused,
    })
}

/// The name under which the value was given: that of the entry in whose text it stands.
fn used_key(config: &Config, sources: &SourceMap) -> Option<String> {
    let origin = &config.setting(NAME).origin;
    let (_, span) = origin.place.as_ref().filter(|_| origin.source != ConfigSource::Default)?;
    let text = sources.text(span.file);
    let before = text[..span.start].trim_end().strip_suffix(':')?;
    Some(before.rsplit_once('\n')?.1.trim().trim_matches('"').to_owned())
}

/// `config.macro`: hard macros, a variable of Classic.
pub(crate) fn hard_macro(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["MACROS"])?;
    let schema = Schema::new([classic("MACROS")?]).map_err(|error| error.to_string())?;
    Ok(match resolve(Loader::from_mapping(decode(input)?, place.cwd()), &schema) {
        Ok(resolved) => Outcome::Accepted(resolved.config.get("MACROS").map_or(Json::Null, encode)),
        Err(refused) => refused,
    })
}
