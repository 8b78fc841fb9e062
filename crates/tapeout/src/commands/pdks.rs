//! What `tapeout list` and `tapeout show` say of PDKs: those that tapeout knows, and those below `PDK_ROOT` of the
//! environment.

use std::path::PathBuf;

use serde_json::{Value, json};
use tapeout_config::{PdkHook, PdkInfo, PdkVariable, Pdks, SourceMap};
use tapeout_flow::Registry;

use super::list::{row, variables as known_variables};
use super::show::page;
use crate::error::CliError;
use crate::names;
use crate::terminal::table::{Cell, table};
use crate::terminal::{Paint, Style};

pub(super) fn pdks() -> Pdks {
    let root = std::env::var_os("PDK_ROOT").map(PathBuf::from).filter(|root| !root.as_os_str().is_empty());
    Pdks::new(tapeout_tools::pdk::PDKS, root.as_deref())
}

/// A row for each, and the same for programs.
pub(super) fn list() -> Result<Vec<(Vec<Cell>, Value)>, CliError> {
    let pdks = pdks();
    let item = |name: String| {
        let mut sources = SourceMap::new();
        match pdks.info(&name, &mut sources) {
            Ok(info) => {
                let place = match &info.dir {
                    Ok(dir) => dir.display().to_string(),
                    Err(_) => "not there".to_owned(),
                };
                let json = json!({
                    "name": name, "doc": info.doc, "dir": info.dir.as_ref().ok(), "missing": info.dir.as_ref().err(),
                    "remedy": info.remedy,
                });
                (row(&name, &[&place, &info.doc]), json)
            }
            Err(error) => {
                let error = error.one_line(&sources);
                (row(&name, &[&error]), json!({ "name": name, "error": error }))
            }
        }
    };
    Ok(pdks.names().into_iter().map(item).collect())
}

/// All that is known of one, for people and for programs.
pub(super) fn show(registry: &Registry, name: &str, paint: Paint) -> Result<(String, Value), CliError> {
    let pdks = pdks();
    let all = pdks.names();
    let name = names::find("PDK", name, &all.iter().map(String::as_str).collect::<Vec<_>>())?;
    let mut sources = SourceMap::new();
    let info = pdks.info(name, &mut sources).map_err(|error| CliError::input(error.one_line(&sources)))?;
    let known = known_variables(registry);
    let vocabularies: Vec<_> = registry.vocabularies().collect();
    let is_known = |name: &str| known.contains_key(name) || vocabularies.iter().any(|of| (of.knows)(name));
    Ok((text(&info, &is_known, paint), to_json(&info)))
}

fn text(info: &PdkInfo, is_known: &dyn Fn(&str) -> bool, paint: Paint) -> String {
    let needs = info.tools.iter().map(|(tool, version)| format!("{tool} {version} or newer")).collect::<Vec<_>>();
    let (place, missing) = match &info.dir {
        Ok(dir) => (dir.display().to_string(), String::new()),
        Err(reason) => (String::new(), reason.clone()),
    };
    let libraries = info.libraries.iter().enumerate().map(|(index, library)| match index {
        0 if info.libraries.len() > 1 => format!("{} (default)", library.name),
        _ => library.name.clone(),
    });
    let hooks = info.hooks.iter().filter(|hook| !hook.name.is_empty()).map(|hook| match hook.published {
        true => format!("{}.{}", info.name, hook.name),
        false => hook.name.clone(),
    });
    let lines = [
        ("directory", place),
        ("not there", missing),
        ("try", info.remedy.clone().unwrap_or_default()),
        ("described by", info.described_by.clone()),
        ("needs", needs.join(", ")),
        ("libraries", libraries.collect::<Vec<_>>().join(", ")),
        ("hooks", hooks.collect::<Vec<_>>().join(", ")),
    ];
    let mut text = page(&info.name, "", &info.doc, &lines, paint);
    if !info.corners.is_empty() {
        let corner = |corner: &tapeout_config::PdkCorner| {
            let cells = [corner.process.clone(), format!("{} V", corner.voltage), format!("{} °C", corner.temperature)];
            let dim = cells.map(|text| Cell::left(text).style(Some(Style::Dim)));
            std::iter::once(Cell::left(format!("  {}", corner.name))).chain(dim).collect::<Vec<_>>()
        };
        let rows: Vec<_> = info.corners.iter().map(corner).collect();
        text.push_str(&format!("\n\ncorners\n{}", table(&rows, paint)));
    }
    text.push_str(&of_variables("variables", &info.variables, info.dir.is_ok(), is_known, paint));
    for library in &info.libraries {
        text.push_str(&of_variables(
            &format!("library {}", library.name),
            &library.variables,
            info.dir.is_ok(),
            is_known,
            paint,
        ));
    }
    text
}

/// What is set, with what is missing of it.
fn of_variables(
    title: &str,
    variables: &[PdkVariable],
    is_there: bool,
    is_known: &dyn Fn(&str) -> bool,
    paint: Paint,
) -> String {
    if variables.is_empty() {
        return String::new();
    }
    let mut rows = Vec::new();
    for variable in variables {
        let missing: Vec<&str> =
            variable.files.iter().filter(|(_, there)| !there).map(|(file, _)| file.as_str()).collect();
        let remark = match (missing.is_empty() || !is_there, variable.if_there) {
            _ if !is_known(&variable.name) => Some(("no step reads it".to_owned(), Style::Warning)),
            (true, _) => None,
            (false, true) => Some((format!("not set, as there is no `{}`", missing.join("`, `")), Style::Dim)),
            (false, false) => Some((format!("there is no `{}`", missing.join("`, `")), Style::Error)),
        };
        rows.push(vec![Cell::left(format!("  {}", variable.name)), Cell::left(variable.value.to_string()).spill()]);
        rows.extend(remark.map(|(remark, style)| vec![Cell::left(""), Cell::left(remark).style(Some(style))]));
    }
    format!("\n\n{title}\n{}", table(&rows, paint))
}

fn to_json(info: &PdkInfo) -> Value {
    let variables = |variables: &[PdkVariable]| -> Vec<Value> {
        let file = |(file, there): &(String, bool)| json!({ "path": file, "there": there });
        let variable = |variable: &PdkVariable| {
            json!({
                "name": variable.name, "value": variable.value.to_json(), "if_there": variable.if_there,
                "files": variable.files.iter().map(file).collect::<Vec<_>>(),
            })
        };
        variables.iter().map(variable).collect()
    };
    let corner = |corner: &tapeout_config::PdkCorner| {
        json!({
            "name": corner.name, "process": corner.process, "voltage": corner.voltage,
            "temperature": corner.temperature,
        })
    };
    let libraries = info
        .libraries
        .iter()
        .map(|library| json!({ "name": library.name, "doc": library.doc, "variables": variables(&library.variables) }));
    let hook = |hook: &PdkHook| {
        json!({
            "name": hook.name, "doc": hook.doc, "section": hook.is_section, "kind": hook.kind, "at": hook.at,
            "tool": hook.tool, "published": hook.published, "origin": hook.origin,
        })
    };
    json!({
        "name": info.name, "doc": info.doc, "described_by": info.described_by, "dir": info.dir.as_ref().ok(),
        "missing": info.dir.as_ref().err(), "remedy": info.remedy,
        "tools": info.tools.iter().map(|(tool, minimum)| json!({ "name": tool, "minimum": minimum })).collect::<Vec<_>>(),
        "corners": info.corners.iter().map(corner).collect::<Vec<_>>(),
        "variables": variables(&info.variables),
        "libraries": libraries.collect::<Vec<_>>(), "hooks": info.hooks.iter().map(hook).collect::<Vec<_>>(),
    })
}
