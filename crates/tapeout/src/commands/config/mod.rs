//! `tapeout config`: configurations without their runs. What holds and who said so.

mod why;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};
use tapeout_config::{Config, ConfigSource, Location, Origin, Setting, SourceMap};
use tapeout_flow::{Configured, PlanError};
use tapeout_model::{Class, Severity};

use crate::args::{OverlayArgs, ThingArgs};
use crate::error::CliError;
use crate::terminal::table::{Cell, table};
use crate::terminal::{Style, plural};
use crate::{Cx, project};

/// What a configuration comes to, and who said so
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check a configuration, all of it at once
    Check(ThingArgs),
    /// Show the value of each variable
    Show(ShowArgs),
    /// Say who gave a variable its value, and whom that beat
    Why(why::WhyArgs),
    /// Show in which variables two configurations differ; exit code 1 if they do
    Diff(DiffArgs),
    /// Print the JSON Schema of a flow's configurations, for editors
    Schema(ThingArgs),
}

#[derive(Debug, Args)]
struct ShowArgs {
    #[command(flatten)]
    thing: ThingArgs,
    /// Show who gave each value
    #[arg(long)]
    origin: bool,
    /// Leave out what nobody gave
    #[arg(long)]
    given: bool,
}

#[derive(Debug, Args)]
struct DiffArgs {
    /// A configuration, or the directory of one
    #[arg(value_name = "A")]
    a: PathBuf,
    /// The other one
    #[arg(value_name = "B")]
    b: PathBuf,
    #[command(flatten)]
    overlay: OverlayArgs,
}

pub(crate) fn run(cx: &Cx, args: &ConfigArgs) -> Result<u8, CliError> {
    match &args.command {
        ConfigCommand::Check(args) => check(cx, args),
        ConfigCommand::Show(args) => show(cx, args),
        ConfigCommand::Why(args) => why::run(cx, args),
        ConfigCommand::Diff(args) => diff(cx, args),
        ConfigCommand::Schema(args) => schema(cx, args),
    }
}

/// Whether somebody gave the value.
fn is_given(setting: &Setting) -> bool {
    setting.origin.source != ConfigSource::Default
}

fn check(cx: &Cx, args: &ThingArgs) -> Result<u8, CliError> {
    if cx.terminal.json {
        return check_for_programs(cx, args);
    }
    let Configured { flow, named, config, plan, warnings, .. } = project::configure(cx, args)?;
    let (variables, given) = counts(&config);
    let mut steps = match plan.is_program() {
        true => format!("a program, which may ask for {}", plural(plan.declared().count(), "step")),
        false => plural(plan.steps.len(), "step"),
    };
    if plan.require_steps().is_err() {
        steps.push_str(", which can be planned and not run");
    }
    let assumed = if named { "" } else { ", as the configuration names no flow" };
    let warned = if warnings.is_empty() { String::new() } else { format!(", {}", plural(warnings.len(), "warning")) };
    let name = cx.terminal.out.paint(Style::Bold, &flow);
    cx.terminal.print(&format!(
        "the configuration is good{warned}\n  {name} ({steps}){assumed}: {given} of {} given",
        plural(variables, "variable")
    ));
    Ok(0)
}

/// How many variables there are, and how many of them somebody gave.
fn counts(config: &Config) -> (usize, usize) {
    (config.iter().count(), config.iter().filter(|(_, setting)| is_given(setting)).count())
}

/// What an editor or a CI system shows: all that is wrong, as data, on standard output.
fn check_for_programs(cx: &Cx, args: &ThingArgs) -> Result<u8, CliError> {
    let mut sources = SourceMap::new();
    let (about, diagnostics) = match project::try_configure(cx, args, &mut sources)? {
        Ok(Configured { flow, config, plan, warnings, .. }) => {
            let (variables, given) = counts(&config);
            (
                json!({ "flow": flow, "variables": variables, "given": given, "can_run": plan.require_steps().is_ok() }),
                warnings,
            )
        }
        Err(PlanError(diagnostics)) => (json!({}), diagnostics),
    };
    let good = diagnostics.iter().all(|diagnostic| diagnostic.severity != Severity::Error);
    let told = diagnostics.iter().map(|diagnostic| {
        let place = diagnostic.label.as_ref().map(|label| sources.location(label.span));
        json!({
            "severity": diagnostic.severity.to_string(), "message": diagnostic.message, "help": diagnostic.help,
            "file": place.as_ref().map(|place| &*place.file), "line": place.as_ref().map(|place| place.line),
            "column": place.as_ref().map(|place| place.column),
        })
    });
    let mut json = about;
    json["good"] = good.into();
    json["diagnostics"] = told.collect();
    cx.terminal.print_json(&json);
    Ok(if good { 0 } else { Class::Input.exit_code() })
}

fn show(cx: &Cx, args: &ShowArgs) -> Result<u8, CliError> {
    if let Some(thing) = args.thing.thing.as_ref().filter(|thing| !thing.exists() && thing.extension().is_none()) {
        let name = thing.display();
        let error = CliError::input(format!("there is no configuration `{name}`"));
        return Err(error.hint(format!("if it is a variable, `tapeout config why {name}` shows it")));
    }
    let config = project::configure(cx, &args.thing)?.config;
    let shown = config.iter().filter(|(_, setting)| !args.given || is_given(setting));
    if cx.terminal.json {
        let value = |setting: &Setting| match args.origin {
            true => json!({ "value": setting.shown_json(), "origin": origin_json(&setting.origin) }),
            false => setting.shown_json(),
        };
        let entries = shown.map(|(name, setting)| (name.to_owned(), value(setting)));
        cx.terminal.print_json(&Json::Object(entries.collect()));
        return Ok(0);
    }
    let row = |(name, setting): (&str, &Setting)| {
        let style = (!is_given(setting)).then_some(Style::Dim);
        let mut row = vec![Cell::left(name), Cell::left(setting.shown()).style(style).spill()];
        if args.origin {
            row.push(Cell::left(origin(&setting.origin)).style(Some(Style::Dim)));
        }
        row
    };
    cx.terminal.print(&table(&shown.map(row).collect::<Vec<_>>(), cx.terminal.out));
    Ok(0)
}

fn diff(cx: &Cx, args: &DiffArgs) -> Result<u8, CliError> {
    let mut warned = BTreeSet::new();
    let mut configure = |thing: &std::path::Path| {
        let thing = ThingArgs { thing: Some(thing.to_owned()), overlay: args.overlay.clone() };
        project::configure_next(cx, &thing, &mut warned).map(|configured| configured.config)
    };
    let (a, b) = (configure(&args.a)?, configure(&args.b)?);
    let mut keys: Vec<&str> = a.iter().chain(b.iter()).map(|(name, _)| name).collect();
    keys.sort_unstable();
    keys.dedup();
    let of = |config: &Config, key: &str| config.declares(key).then(|| config.setting(key).clone());
    let differs = |key: &&str| of(&a, key).map(|setting| setting.value) != of(&b, key).map(|setting| setting.value);
    let different: Vec<&str> = keys.into_iter().filter(differs).collect();
    if cx.terminal.json {
        let side = |setting: Option<Setting>| {
            setting.map(|setting| json!({ "value": setting.shown_json(), "origin": origin_json(&setting.origin) }))
        };
        let entry = |key: &&str| json!({ "name": key, "a": side(of(&a, key)), "b": side(of(&b, key)) });
        cx.terminal.print_json(&json!(different.iter().map(entry).collect::<Vec<_>>()));
    } else if different.is_empty() {
        cx.terminal.print("no variable differs");
    } else {
        let paint = cx.terminal.out;
        for key in &different {
            let side = |setting: Option<Setting>| match setting {
                Some(setting) => {
                    vec![
                        Cell::left(setting.shown()).spill(),
                        Cell::left(origin(&setting.origin)).style(Some(Style::Dim)),
                    ]
                }
                None => vec![Cell::left("(no such variable)").style(Some(Style::Dim))],
            };
            let rows = [side(of(&a, key)), side(of(&b, key))];
            cx.terminal.print(&format!("{}\n{}", paint.paint(Style::Bold, key), table(&rows, paint)));
        }
    }
    Ok(u8::from(!different.is_empty()))
}

fn schema(cx: &Cx, args: &ThingArgs) -> Result<u8, CliError> {
    let (flow, schema) = project::schema(cx, args)?;
    cx.terminal.print_json(&schema.json_schema(&flow));
    Ok(0)
}

/// `config.json:3:19`, with the layer where that is not a file's.
fn origin(origin: &Origin) -> String {
    match (place(origin), origin.source) {
        (Some(place), ConfigSource::File) => place.to_string(),
        (Some(place), source) => format!("{place} ({source})"),
        (None, source) => source.to_string(),
    }
}

/// The place of a value in a file. What stands on the command line or in the environment has none to go to.
fn place(origin: &Origin) -> Option<&Location> {
    let (location, _) = origin.place.as_ref()?;
    (!location.file.starts_with('<')).then_some(location)
}

fn origin_json(origin: &Origin) -> Json {
    let place = place(origin);
    json!({
        "source": origin.source.to_string(), "file": place.map(|place| &*place.file), "line": place.map(|place| place.line),
        "column": place.map(|place| place.column),
    })
}
