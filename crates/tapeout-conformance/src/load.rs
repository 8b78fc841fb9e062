//! The area `config.load`: whole configurations, in files of any format or given by code, with a PDK and options.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use tapeout_config::{Elsewhere, FlowChoice, Loader, Role, Schema};
use tapeout_model::Value;

use crate::encoding::{decode, encode};
use crate::outcome::{Outcome, rendered};
use crate::place::{Place, Resolved, resolve};
use crate::run::{classic, entry, only, text};
use crate::{tcl, type_language};

/// A configuration with all of its values, and what it says about itself.
pub(crate) fn load(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["files", "file", "schema", "pdk_files", "args"])?;
    let mut loader = Loader { tcl: Some(tcl::interpreter()), ..Loader::default() };
    arguments(input.get("args"), &mut loader, place)?;
    let schema = match input.get("file") {
        Some(_) => {
            file(text(input, "file")?, &mut loader, place)?;
            schema(&place.definitions["config_load"])?
        }
        None => {
            files(entry(input, "files")?, &mut loader, place)?;
            schema(defined(input, "schema", place)?)?
        }
    };
    let pdks = match input.get("pdk_files") {
        Some(_) => defined(input, "pdk_files", place)?,
        None => &place.definitions["pdk_dummy"],
    };
    tcl::write_pdks(pdks, place)?;
    Ok(match resolve(loader, &schema) {
        Ok(resolved) => Outcome::Accepted(encoded(&resolved)),
        Err(refused) => refused,
    })
}

/// Of `see schemas.NAME`, the definition.
fn defined<'p>(input: &Json, key: &str, place: &Place<'p>) -> Result<&'p Json, String> {
    let reference = text(input, key)?;
    let definition = reference.strip_prefix("see schemas.").and_then(|name| place.definitions.get(name));
    definition.ok_or_else(|| format!("`{key}` is `{reference}`, which is not defined"))
}

/// The design directory is no variable here, but the loader's.
const DESIGN_DIR: &str = "DESIGN_DIR";

/// The variable that stands for three others, which every flow of the peer has.
const DIODE_STRATEGY: &str = "DIODE_INSERTION_STRATEGY";

/// A variable that was removed, to the peer's tests.
const REMOVED: &str = "REMOVED";

fn schema(definition: &Json) -> Result<Schema, String> {
    let variables = definition.as_object().ok_or("the schema is not a map")?;
    let mut schema = Schema::default();
    for (name, of) in variables.iter().filter(|(name, _)| *name != DESIGN_DIR) {
        let of = of.as_str().ok_or_else(|| format!("`{name}` has no type"))?;
        schema.add(type_language::variable(name, of)?).map_err(|error| error.to_string())?;
    }
    if schema.get(DIODE_STRATEGY).is_none() {
        let mut strategy = classic(DIODE_STRATEGY)?;
        if let Role::Deprecated(translation) = &mut strategy.role {
            *translation = diode_strategy;
        }
        schema.add(strategy).map_err(|error| error.to_string())?;
    }
    let registry = tapeout_tools::registry();
    let classic = *registry.vocabularies().next().ok_or("there is no flow Classic")?;
    Ok(schema.with_elsewhere(Arc::new(move |name| match classic.removed(name) {
        Some(reason) => Some(Elsewhere::Removed(reason.into())),
        None if name == REMOVED => Some(Elsewhere::Removed("the case says so".into())),
        None => (classic.knows)(name).then_some(Elsewhere::OtherFlow),
    })))
}

/// What Classic makes of the strategy, under former names of its variables as well, which the cases have.
fn diode_strategy(value: &Value) -> Result<Vec<(Cow<'static, str>, Value)>, String> {
    let Role::Deprecated(translation) = classic(DIODE_STRATEGY)?.role else {
        return Err(format!("`{DIODE_STRATEGY}` is not deprecated"));
    };
    let mut today = Vec::new();
    for (name, value) in translation(value)? {
        today.extend(classic(&name)?.former.iter().map(|former| (former.clone(), value.clone())));
        today.push((name, value));
    }
    Ok(today)
}

/// The PDK that is chosen where a case chooses none.
const PDK: &str = "dummy";

/// What the peer is called with. Without a word of the case, it is called with a PDK.
fn arguments(args: Option<&Json>, loader: &mut Loader, place: &Place<'_>) -> Result<(), String> {
    let args = args.cloned().unwrap_or(json!({}));
    only(&args, &["design_dir", "pdk", "pdk_root", "scl", "over"])?;
    let path = |key: &str| args.get(key).map(|_| text(&args, key).map(PathBuf::from)).transpose();
    loader.design_dir = path("design_dir")?;
    let root = path("pdk_root")?.unwrap_or_else(|| place.root().join("pdk"));
    loader.sets.push(format!("PDK_ROOT={}", root.display()));
    match args.get("pdk") {
        Some(Json::Null) => {}
        Some(_) => loader.sets.push(format!("PDK={}", text(&args, "pdk")?)),
        None => loader.sets.push(format!("PDK={PDK}")),
    }
    if let Some(Json::String(library)) = args.get("scl") {
        loader.sets.push(format!("STD_CELL_LIBRARY={library}"));
    }
    for set in args.get("over").into_iter().flat_map(|sets| sets.as_array().into_iter().flatten()) {
        loader.sets.push(set.as_str().ok_or("an override is not text")?.to_owned());
    }
    Ok(())
}

/// The configurations of a case, `c0.json`, `c1.yaml` and so on in the design directory; a map that is the last is given
/// by code.
fn files(files: &Json, loader: &mut Loader, place: &Place<'_>) -> Result<(), String> {
    let files = files.as_array().ok_or("`files` is not a list")?;
    for (index, file) in files.iter().enumerate() {
        only(file, &["type", "body"])?;
        let body = entry(file, "body")?;
        let extension = match text(file, "type")? {
            "dict" if index + 1 == files.len() => {
                loader.mapping = Some(decode(body)?);
                return Ok(());
            }
            // Code gives the last of all here; a map before it is a file of the same typing.
            "dict" => "yaml",
            extension => extension,
        };
        let path = place.cwd().join(format!("c{index}.{extension}"));
        match body {
            Json::String(text) => place.write(&path, text)?,
            // Which is YAML, too.
            Json::Object(_) if ["json", "yaml", "yml"].contains(&extension) => place.write(&path, &body.to_string())?,
            _ => return Err(format!("a file of type `{extension}` cannot hold such a value")),
        }
        loader.files.push(path);
    }
    Ok(())
}

/// A case of which only the file's name counts. What is in it would be right.
fn file(name: &str, loader: &mut Loader, place: &Place<'_>) -> Result<(), String> {
    if name == "(a directory)" {
        loader.files.push(place.cwd());
        return Ok(());
    }
    let (stem, extension) = name.rsplit_once('.').ok_or("the file's name has no extension")?;
    let path = place.cwd().join(format!("{stem}0.{extension}"));
    let entries = [("DESIGN_NAME", "w"), ("VERILOG_FILES", "dir::src/*.v")];
    let line = |(name, value): (&str, &str)| match extension {
        "yaml" | "yml" => format!("{name}: {value:?}\n"),
        "tcl" => format!("set ::env({name}) {value:?}\n"),
        _ => format!("{name} = {value:?}\n"),
    };
    let text = match extension {
        "json" | "jsonc" => {
            let entries: Map<String, Json> =
                entries.map(|(name, value)| (name.to_owned(), json!(value))).into_iter().collect();
            Json::Object(entries).to_string()
        }
        _ => entries.map(line).concat(),
    };
    place.write(&path, &text)?;
    loader.files.push(path);
    Ok(())
}

/// Everything that the peer tells of a configuration.
fn encoded(resolved: &Resolved) -> Json {
    let Resolved { loaded, config, warnings, sources } = resolved;
    let value = |value: &Option<Value>| value.as_ref().map_or(Json::Null, encode);
    // Where PDKs are is not told, as it is the directory of the run.
    let variables = config.iter().filter(|(name, _)| *name != "PDK_ROOT");
    let mut values: Map<String, Json> =
        variables.map(|(name, setting)| (name.to_owned(), value(&setting.value))).collect();
    values.insert(DESIGN_DIR.to_owned(), json!(config.design_dir()));
    let flow = match &config.meta().flow {
        None => Json::Null,
        Some((FlowChoice::Named(name), _)) => json!(name),
        Some((FlowChoice::Steps(steps), _)) => steps.iter().map(|(step, _)| step.as_str()).collect(),
    };
    json!({
        "config": values,
        "meta_version": loaded.version(),
        "meta_flow": flow,
        "warning_count": warnings.len(),
        "warning_mentions": rendered(warnings, sources),
    })
}
