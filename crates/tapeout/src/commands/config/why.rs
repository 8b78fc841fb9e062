//! `tapeout config why`: what each layer gives for one variable, or for an entry of one. It answers also when the
//! configuration is wrong elsewhere.

use clap::Args;
use serde_json::{Value as Json, json};
use tapeout_config::{Contribution, Elsewhere, Examined, Role, SECRET, Schema, SourceMap, Variable};
use tapeout_flow::PlanError;
use tapeout_model::{Severity, Value};

use super::{origin_json, place};
use crate::args::ThingArgs;
use crate::commands::show::nature;
use crate::error::CliError;
use crate::terminal::table::{Cell, table};
use crate::terminal::words::filled;
use crate::terminal::{Paint, Style, plural};
use crate::{Cx, names, project};

#[derive(Debug, Args)]
pub(super) struct WhyArgs {
    /// The variable, or a part of its name that no other has, or an entry of it: `CLOCK_PERIODS.clk`
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    thing: ThingArgs,
}

pub(super) fn run(cx: &Cx, args: &WhyArgs) -> Result<u8, CliError> {
    let mut sources = SourceMap::new();
    let (flow, schema, loaded) = project::open_config(cx, &args.thing, &mut sources)?;
    let key = find(cx, &flow, &schema, &args.key)?;
    let unknown = || names::unknown("variable", &key, &[]);
    let (variable, entry) = schema.find(&key).ok_or_else(unknown)?;
    let examined = loaded.examine(&schema, &key, &mut sources).ok_or_else(unknown)?;
    let errors = examined.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    let Some(setting) = &examined.setting else {
        if errors == 0 && variable.from_pdk {
            let error = CliError::input(format!("`{key}` has no value: a PDK gives it, and none is chosen"));
            return Err(error.hint("choose one with `--pdk NAME` and `--pdk-root DIR`"));
        }
        return project::reported(cx, Err(PlanError(examined.diagnostics)), &sources);
    };
    if let (false, Some(whole), None) = (entry.is_empty(), &setting.value, &examined.value) {
        return Err(no_entry(&variable.name, entry, whole));
    }
    let seen = Seen { key: &key, variable, secret: setting.secret, examined: &examined, sources: &sources };
    if cx.terminal.json {
        cx.terminal.print_json(&seen.json());
    } else {
        cx.terminal.print(&seen.text(cx.terminal.out));
    }
    if errors == 0 {
        return Ok(0);
    }
    let there_are = if errors == 1 { "there is" } else { "there are" };
    let message = format!("{there_are} {} elsewhere in the configuration", plural(errors, "error"));
    Err(CliError::input(message).hint("`tapeout config check` shows what is wrong"))
}

/// The name that is meant, as the schema has it, with the entry.
fn find(cx: &Cx, flow: &str, schema: &Schema, key: &str) -> Result<String, CliError> {
    if let Some((variable, _)) = schema.find(key) {
        if let Role::Deprecated(_) = variable.role {
            let error = CliError::input(format!("`{key}` is deprecated and has no value of its own"));
            return Err(error.hint("`tapeout config check` says what to write instead where it is given"));
        }
        return Ok(key.to_owned());
    }
    if let Some(variable) = schema.formerly(key) {
        cx.terminal.note(&format!("`{key}` is a former name of `{}`", variable.name));
        return Ok(variable.name.to_string());
    }
    let no_variable = match key.split('.').next() {
        Some("meta") => Some("is what a file says about itself"),
        Some("include") => Some("names files that a file stands upon"),
        Some("tools") => Some("says how tools are started"),
        Some("DESIGN_DIR") => Some("is that of the last configuration file, or of `--design-dir`"),
        _ => None,
    };
    if let Some(what_it_is) = no_variable {
        return Err(CliError::input(format!("`{key}` is no variable: it {what_it_is}")));
    }
    if schema.is_group(key) {
        let below =
            schema.iter().filter(|variable| variable.name.strip_prefix(key).is_some_and(|n| n.starts_with('.')));
        return Err(CliError::input(format!("`{key}` is a group of variables"))
            .details(below.map(|variable| variable.name.to_string()).collect()));
    }
    match schema.elsewhere(key) {
        Some(Elsewhere::OtherFlow) => {
            return Err(CliError::input(format!("the flow `{flow}` has no variable `{key}`, another flow has")));
        }
        Some(Elsewhere::Removed(reason)) => {
            return Err(CliError::input(format!("there is no variable `{key}` any more: {reason}")));
        }
        None => {}
    }
    let current = schema.iter().filter(|variable| !matches!(variable.role, Role::Deprecated(_)));
    let all: Vec<&str> = current.map(|variable| variable.name.as_ref()).collect();
    names::find("variable", key, &all).map(str::to_owned).map_err(|error| match &error.hint {
        Some(hint) if !hint.starts_with("did you mean") => error.hint("`tapeout config show` shows them all"),
        _ => error,
    })
}

fn no_entry(name: &str, entry: &str, whole: &Value) -> CliError {
    let error = CliError::input(format!("`{name}` has no entry `{}`", entry.trim_start_matches('.')));
    match whole {
        Value::Map(entries) if entries.is_empty() => error.hint(format!("`{name}` is empty")),
        Value::Map(entries) => {
            let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
            error.hint(format!("there are `{}`", names.join("`, `")))
        }
        Value::List(items) => error.hint(format!("it has {}, the first is `{name}.0`", plural(items.len(), "item"))),
        _ => error,
    }
}

/// A variable, or an entry, and all that there is to say of it.
struct Seen<'a> {
    key: &'a str,
    variable: &'a Variable,
    secret: bool,
    examined: &'a Examined,
    sources: &'a SourceMap,
}

impl Seen<'_> {
    fn json(&self) -> Json {
        let value = |value: &Value| if self.secret { SECRET.into() } else { value.to_json() };
        let given = |given: &Contribution| {
            let part = (!given.part.is_empty()).then_some(&given.part);
            json!({ "value": value(&given.value), "entry": part, "origin": origin_json(&given.origin) })
        };
        let given: Vec<Json> = self.examined.contributions.iter().rev().map(given).collect();
        json!({
            "name": self.key, "value": self.examined.value.as_ref().map(value), "given": given,
            "type": self.variable.ty.to_string(), "units": self.variable.units, "doc": self.variable.doc,
        })
    }

    /// The value that holds stands first, in the row of who gave it unless several gave parts of it.
    fn text(&self, paint: Paint) -> String {
        let given = &self.examined.contributions;
        let value = match &self.examined.value {
            None => "not set".to_owned(),
            Some(_) if self.secret => SECRET.to_owned(),
            Some(value) => value.to_string(),
        };
        let in_parts = given.last().is_some_and(|strongest| !strongest.part.is_empty());
        let mut rows = Vec::new();
        let mut rest = given.iter().rev();
        match rest.next() {
            Some(strongest) if !in_parts => rows.push(self.row(value, strongest, None)),
            _ => {
                rest = given.iter().rev();
                rows.push(vec![Cell::left(value).spill()]);
            }
        }
        rows.extend(rest.map(|given| {
            let value = if self.secret { SECRET.to_owned() } else { given.value.to_string() };
            let value = if given.part.is_empty() { value } else { format!("{}: {value}", given.part) };
            self.row(value, given, Some(Style::Dim))
        }));
        let nature = match nature(self.variable) {
            nature if self.key == self.variable.name => nature,
            nature => format!("an entry of `{}`: {nature}", self.variable.name),
        };
        let mut text = format!("{}  {nature}\n\n{}", paint.paint(Style::Bold, self.key), table(&rows, paint));
        if !self.variable.doc.is_empty() {
            text.push_str(&format!("\n\n{}", filled(&self.variable.doc, 0)));
        }
        text
    }

    fn row(&self, value: String, given: &Contribution, style: Option<Style>) -> Vec<Cell> {
        let line = match &given.origin.place {
            Some((location, span)) if !self.secret => excerpt(self.sources.line(*span), location.column),
            _ => String::new(),
        };
        vec![
            Cell::left(value).style(style).spill(),
            Cell::left(given.origin.source.to_string()).style(style),
            Cell::left(place(&given.origin).map(ToString::to_string).unwrap_or_default()).style(style),
            Cell::left(line).style(Some(Style::Dim)),
        ]
    }
}

/// How much of a line is shown.
const EXCERPT: usize = 80;

/// A line without the blanks around it; of a long one, the part around the column, which counts from 1.
fn excerpt(line: &str, column: usize) -> String {
    let trimmed = line.trim();
    if trimmed.chars().count() <= EXCERPT {
        return trimmed.to_owned();
    }
    let start = column.saturating_sub(EXCERPT / 2);
    let part: String = line.chars().skip(start).take(EXCERPT).collect();
    let before = if start > 0 { "…" } else { "" };
    let after = if start + EXCERPT < line.chars().count() { "…" } else { "" };
    format!("{before}{}{after}", part.trim())
}
