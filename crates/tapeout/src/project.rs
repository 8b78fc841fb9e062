//! From the command line to a plan: which file is meant, what is laid over it, what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tapeout_config::{Diagnostic, Loaded, Loader, NamedOption, Schema, SourceMap};
use tapeout_engine::ToolSettings;
use tapeout_flow::{Configured, InitialState, Plan, PlanError, Range, Registry};
use tapeout_model::Severity;

use crate::args::{InitialArgs, OverlayArgs, PartArgs, ThingArgs};
use crate::error::CliError;
use crate::names::{self, Glob};
use crate::terminal::{Terminal, plural};
use crate::{Cx, initial, targets, tools};

/// The names that a directory's configuration may have.
const CONFIG_NAMES: [&str; 5] = ["config.json", "config.yaml", "config.yml", "config.toml", "config.tcl"];

/// The configuration file that is meant: the one given, the one in the directory given, the one here.
pub(crate) fn find_config(thing: Option<&Path>) -> Result<PathBuf, CliError> {
    let dir = match thing {
        Some(thing) if thing.is_dir() => thing,
        Some(file) => return Ok(file.to_owned()),
        None => Path::new(""),
    };
    // Places in `config.json` are shown so, and not in `./config.json`.
    let dir = if dir == Path::new(".") { Path::new("") } else { dir };
    let found: Vec<PathBuf> = CONFIG_NAMES.iter().map(|name| dir.join(name)).filter(|path| path.is_file()).collect();
    let shown = if dir.as_os_str().is_empty() { "here".to_owned() } else { format!("in `{}`", dir.display()) };
    match found.as_slice() {
        [file] => Ok(file.clone()),
        [] => Err(CliError::input(format!("there is no configuration {shown}"))
            .hint(format!("name one, or start with `tapeout init`; looked for `{}`", CONFIG_NAMES.join("`, `")))),
        several => Err(CliError::input(format!("there are {} configurations {shown}", several.len()))
            .details(several.iter().map(|path| path.display().to_string()).collect())
            .hint("name the one that is meant")),
    }
}

/// Reads the configuration and makes its plan. What is wrong with it is on the terminal when this returns.
pub(crate) fn load(cx: &Cx, args: &ThingArgs) -> Result<Plan, CliError> {
    load_from(cx, args, &InitialArgs::default())
}

/// The same, for a flow that begins with an initial state.
pub(crate) fn load_from(cx: &Cx, args: &ThingArgs, initial: &InitialArgs) -> Result<Plan, CliError> {
    let mut sources = SourceMap::new();
    let plan =
        load_with(cx, &cx.registry, loader_here(cx, args)?, args.overlay.flow.as_deref(), initial, &mut sources)?;
    warn(cx, &plan.warnings, &sources);
    Ok(plan)
}

/// The same, with other flows than there are for everybody, and without a word of what is not wrong.
pub(crate) fn load_with(
    cx: &Cx,
    registry: &Registry,
    loader: Loader,
    flow: Option<&str>,
    from: &InitialArgs,
    sources: &mut SourceMap,
) -> Result<Plan, CliError> {
    let design_dir = loader.design_dir.clone().unwrap_or_default();
    let states = from.initial_state.iter().map(|state| initial::state_file(registry, state));
    let states = states.collect::<Result<Vec<_>, CliError>>()?;
    let (initial, errors) = InitialState::read(&states, &from.initial_view, &design_dir);
    let plan = Plan::load_from(registry, loader, flow, initial, sources);
    let plan = plan.and_then(|plan| if plan.is_empty() { Err(without_steps(&plan.flow)) } else { Ok(plan) });
    let plan = match plan {
        plan if errors.is_empty() => plan,
        Ok(_) => Err(PlanError(errors)),
        Err(PlanError(more)) => Err(PlanError(errors.into_iter().chain(more).collect())),
    };
    reported(cx, plan, sources).map_err(|error| error.and("nothing was started"))
}

/// The same, as far as the options leave it.
pub(crate) fn load_part(cx: &Cx, thing: &ThingArgs, part: &PartArgs) -> Result<Plan, CliError> {
    let PartArgs { initial, range } = part;
    let mut plan = load_from(cx, thing, initial)?;
    let ids = known_ids(&plan);
    let flow = plan.flow.clone();
    let named = |option: &'static str| {
        let (ids, flow) = (&ids, &flow);
        move |text: &String| step_pattern(ids, text).map_err(|error| of_option(error, option, text, flow))
    };
    let end = |option: &'static str, text: &Option<String>| -> Result<Option<String>, CliError> {
        let Some(text) = text else { return Ok(None) };
        Ok(Some(match text.split_once('/') {
            Some((step, section)) => format!("{}/{section}", named(option)(&step.to_owned())?),
            None => named(option)(text)?,
        }))
    };
    let range = Range {
        from: end("--from", &range.from)?,
        after: end("--after", &range.after)?,
        to: end("--to", &range.to)?,
        until: end("--until", &range.until)?,
        only: end("--only", &range.only)?,
        skip: range.skip.iter().map(named("--skip")).collect::<Result<_, _>>()?,
    };
    plan.select(&range)?;
    Ok(plan)
}

/// What is wrong with the name of a step, with the option that it stands behind, and the flow. Names with a comma between
/// them are taken for one name, as a pattern may have a comma.
fn of_option(mut error: CliError, option: &str, text: &str, flow: &str) -> CliError {
    error.message = if error.message.starts_with("there is no step ") {
        format!("`{option} {text}`: the flow `{flow}` has no such step")
    } else {
        format!("`{option}`: {}", error.message)
    };
    match text.split_once(',') {
        Some((one, rest)) if option == "--skip" => {
            error.hint(format!("give it once for each: `--skip {} --skip {}`", one.trim(), rest.trim()))
        }
        _ => error,
    }
}

/// The ids of the steps of a plan; those that a program may ask for.
pub(crate) fn known_ids(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.id.as_str()).chain(plan.declared().map(|step| step.id)).collect()
}

/// A pattern that matches some of these ids: the text itself, or the id that it is short for.
pub(crate) fn step_pattern(ids: &[&str], text: &str) -> Result<String, CliError> {
    let glob = Glob::new(text)?;
    if ids.iter().any(|id| glob.matches(id)) {
        return Ok(text.to_owned());
    }
    names::find("step", text, ids).map(str::to_owned)
}

/// The same for commands that can do without the plan, where a flow has no steps yet.
pub(crate) fn configure(cx: &Cx, args: &ThingArgs) -> Result<Configured, CliError> {
    configure_next(cx, args, &mut BTreeSet::new())
}

/// The same, without a word about what is wrong.
pub(crate) fn try_configure(
    cx: &Cx,
    args: &ThingArgs,
    sources: &mut SourceMap,
) -> Result<Result<Configured, PlanError>, CliError> {
    let configured = Configured::load(&cx.registry, loader_here(cx, args)?, args.overlay.flow.as_deref(), sources);
    let with_steps = |configured: Configured| match configured.plan.is_empty() {
        true => Err(without_steps(&configured.flow)),
        false => Ok(configured),
    };
    Ok(configured.and_then(with_steps))
}

/// A flow of which nothing is left: a run that does nothing must not look as if all were well.
fn without_steps(flow: &str) -> PlanError {
    let error = Diagnostic::error(format!("no step is left of the flow `{flow}`"));
    PlanError(vec![error.help("`meta.substituting_steps` takes out all of them; a flow needs one at least")])
}

/// The same for one of several configurations: what was warned of before is not said again.
pub(crate) fn configure_next(cx: &Cx, args: &ThingArgs, warned: &mut BTreeSet<String>) -> Result<Configured, CliError> {
    let mut sources = SourceMap::new();
    let configured = try_configure(cx, args, &mut sources)?;
    let configured = reported(cx, configured, &sources)?;
    let mut warnings = configured.warnings.clone();
    warnings.retain(|warning| warned.insert(warning.render(&sources, false)));
    warn(cx, &warnings, &sources);
    Ok(configured)
}

/// A configuration before it is typed, for a look at single variables: the name of its flow, the variables, what is
/// given.
pub(crate) fn open_config(
    cx: &Cx,
    args: &ThingArgs,
    sources: &mut SourceMap,
) -> Result<(String, Schema, Loaded), CliError> {
    let opened = Configured::open(&cx.registry, loader_here(cx, args)?, args.overlay.flow.as_deref(), sources);
    reported(cx, opened, sources)
}

/// The variables of the flow that is meant: by `--flow`, without it by the configuration.
pub(crate) fn schema(cx: &Cx, args: &ThingArgs) -> Result<(String, Schema), CliError> {
    let mut sources = SourceMap::new();
    let flow = args.overlay.flow.as_deref();
    let loader = if flow.is_some() { None } else { Some(loader_here(cx, args)?) };
    reported(cx, Configured::schema(&cx.registry, loader, flow, &mut sources), &sources)
}

/// The same, where values may be what targets of the project here give.
fn loader_here(cx: &Cx, args: &ThingArgs) -> Result<Loader, CliError> {
    Ok(Loader { targets: cx.results.clone(), ..loader(args)? })
}

/// What the configuration is read from.
pub(crate) fn loader(args: &ThingArgs) -> Result<Loader, CliError> {
    refuse_files_as_settings(&args.overlay.set)?;
    let file = find_config(args.thing.as_deref())?;
    targets::refuse_target(&file)?;
    let OverlayArgs { set, with, design_dir, .. } = &args.overlay;
    if let Some(dir) = design_dir.as_ref().filter(|dir| !dir.is_dir()) {
        let error = CliError::input(format!("`--design-dir {}`: there is no such directory", dir.display()));
        return Err(if dir.to_string_lossy().starts_with('~') {
            error.hint("shells expand `~` at the beginning of a word only: give the whole path")
        } else {
            error
        });
    }
    Ok(Loader {
        // Overlays may come from anywhere: the design stays where its own configuration is.
        design_dir: Some(design_dir.clone().unwrap_or_else(|| directory_of(&file))),
        files: std::iter::once(&file).chain(with).cloned().collect(),
        sets: set.clone(),
        options: pdk_options(&args.overlay)?,
        ..tools::loader()
    })
}

/// `-c` sets a variable here. Elsewhere it takes a configuration, which is an easy mistake.
pub(crate) fn refuse_files_as_settings(sets: &[String]) -> Result<(), CliError> {
    match sets.iter().find(|set| !set.contains('=') && Path::new(set).is_file()) {
        Some(file) => Err(CliError::input(format!("`-c {file}`: expected `KEY=VALUE`, found the name of a file"))
            .hint("name the file without `-c`; `--with FILE` lays it over another")),
        None => Ok(()),
    }
}

/// `--pdk`, `--scl` and `--pdk-root` set variables as `-c` does, but are shown as they were written.
fn pdk_options(overlay: &OverlayArgs) -> Result<Vec<NamedOption>, CliError> {
    let not_text = |root: &Path| CliError::input(format!("`--pdk-root {}`: the path is not UTF-8", root.display()));
    let root = match &overlay.pdk_root {
        // Seen from here, not from the design directory.
        Some(root) => Some(std::path::absolute(root).ok().and_then(text_of).ok_or_else(|| not_text(root))?),
        None => None,
    };
    let option =
        |option, variable, value: &Option<String>| Some(NamedOption { option, variable, value: value.clone()? });
    let given = [
        option("--pdk", "PDK", &overlay.pdk),
        option("--scl", "STD_CELL_LIBRARY", &overlay.scl),
        option("--pdk-root", "PDK_ROOT", &root),
    ];
    Ok(given.into_iter().flatten().collect())
}

fn text_of(path: PathBuf) -> Option<String> {
    path.into_os_string().into_string().ok()
}

fn warn(cx: &Cx, warnings: &[Diagnostic], sources: &SourceMap) {
    for warning in warnings {
        cx.terminal.note(&format!("{}\n", warning.render(sources, cx.terminal.err_colors())));
    }
}

/// How many faults of a configuration are shown.
const SHOWN_FAULTS: usize = 100;

/// Says what is wrong with a configuration.
pub(crate) fn reported<T>(cx: &Cx, result: Result<T, PlanError>, sources: &SourceMap) -> Result<T, CliError> {
    reported_as(&cx.terminal, result.map_err(|PlanError(diagnostics)| diagnostics), sources, "configuration")
}

/// The same for something else that is read.
pub(crate) fn reported_as<T>(
    terminal: &Terminal,
    result: Result<T, Vec<Diagnostic>>,
    sources: &SourceMap,
    what: &str,
) -> Result<T, CliError> {
    result.map_err(|diagnostics| {
        for diagnostic in diagnostics.iter().take(SHOWN_FAULTS) {
            terminal.complain(&format!("{}\n", diagnostic.render(sources, terminal.err_colors())));
        }
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        let shown = if diagnostics.len() > SHOWN_FAULTS {
            format!(", of which {SHOWN_FAULTS} are shown")
        } else {
            String::new()
        };
        CliError::input(format!("{} in the {what}{shown}", plural(errors, "error")))
    })
}

/// What `THING[/STEP]` means: a configuration that is there, a step of one, or a step of the one here.
pub(crate) fn thing_and_step(what: Option<&str>, overlay: OverlayArgs) -> (ThingArgs, Option<String>) {
    let thing = |thing: Option<&str>| ThingArgs { thing: thing.map(PathBuf::from), overlay: overlay.clone() };
    match what {
        None => (thing(None), None),
        Some(path) if Path::new(path).exists() => (thing(Some(path)), None),
        Some(what) => match what.rsplit_once('/') {
            Some((before, step)) => (thing(Some(before)), Some(step.to_owned())),
            None => (thing(None), Some(what.to_owned())),
        },
    }
}

/// The directory that a file is in.
pub(crate) fn directory_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The settings of tools that a run had, if its `resolved.json` is a configuration still.
pub(crate) fn recorded_tools(
    registry: &Registry,
    run: &Path,
    design_dir: &Path,
) -> Option<BTreeMap<String, ToolSettings>> {
    let file = run.join("resolved.json");
    let overlay = OverlayArgs { design_dir: Some(design_dir.to_owned()), ..OverlayArgs::default() };
    let loader = loader(&ThingArgs { thing: Some(file), overlay }).ok()?;
    let mut sources = SourceMap::new();
    // Which flow it is makes no difference: settings of tools belong to none.
    let flow = registry.flows().next()?.name.clone();
    let (_, _, loaded) = Configured::open(registry, loader, Some(&flow), &mut sources).ok()?;
    let (config, _) = loaded.resolve(&Schema::new([]).ok()?, &mut sources).ok()?;
    Some(config.tools().clone())
}
