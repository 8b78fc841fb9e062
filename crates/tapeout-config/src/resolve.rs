//! The second phase: each variable of the schema gets the value of the strongest layer that gives one, typed. All
//! faults are collected.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use tapeout_model::{Severity, Value};

use crate::config::{Config, Inner};
use crate::diagnostic::Diagnostic;
use crate::examine::{Contribution, contribution};
use crate::filelist;
use crate::gather::{Gathered, Given, gather};
use crate::layer::{self, Entry};
use crate::load::{Loaded, environment_entry};
use crate::meta::Typing;
use crate::paths::Paths;
use crate::pdk::{self, ChosenPdk, GivenPdk};
use crate::read;
use crate::references::{self, References};
use crate::schema::Schema;
use crate::sections::{self, Process};
use crate::setting::{ConfigSource, Origin, Setting};
use crate::source::SourceMap;
use crate::tree::{Node, Tree};
use crate::typing::{At, Typer};
use crate::variable::{Role, Variable};

pub(crate) type Settings = BTreeMap<Cow<'static, str>, Arc<Setting>>;

impl Loaded {
    /// Types what was loaded by the variables of `schema`. With the configuration come the warnings.
    ///
    /// # Errors
    /// Everything that is wrong, warnings included, in the order of the places.
    pub fn resolve(
        &self,
        schema: &Schema,
        sources: &mut SourceMap,
    ) -> Result<(Config, Vec<Diagnostic>), Vec<Diagnostic>> {
        resolve(&Arc::new(self.clone()), &Arc::new(schema.clone()), Arc::default(), None, sources)
    }
}

/// What a configuration stands upon beside its own layers. Copies share it while they choose the same PDK.
#[derive(Debug)]
pub(crate) struct Surroundings {
    environment: Vec<Entry>,
    /// The PDK that the configuration chooses.
    chosen: Process,
    /// The same with the cell library that the PDK chooses.
    process: Process,
    /// What PDK and cell library give.
    pdk: Vec<Entry>,
    /// What the PDK is beside that.
    pub(crate) chosen_pdk: Option<ChosenPdk>,
}

/// The configuration of what is loaded with further entries, stronger than all, over it. What they do not concern is
/// taken from `base`, whose overrides they begin with.
pub(crate) fn resolve(
    loaded: &Arc<Loaded>,
    schema: &Arc<Schema>,
    overrides: Arc<Vec<Entry>>,
    base: Option<&Config>,
    sources: &mut SourceMap,
) -> Result<(Config, Vec<Diagnostic>), Vec<Diagnostic>> {
    let Resolved { settings, globs, mut diagnostics, surroundings } =
        work_out(loaded, schema, &overrides, base, sources, None);
    Diagnostic::sort(&mut diagnostics);
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        return Err(diagnostics);
    }
    let config = Config::new(Inner {
        settings,
        is_restricted: false,
        meta: loaded.meta.clone(),
        tools: Arc::new(loaded.tools.clone()),
        design_dir: loaded.design_dir.clone(),
        globs,
        loaded: Arc::clone(loaded),
        schema: Arc::clone(schema),
        sources: Arc::new(sources.clone()),
        overrides,
        surroundings,
    });
    Ok((config, diagnostics))
}

/// What comes of typing, right or wrong.
pub(crate) struct Resolved {
    /// The variables for which nothing is wrong.
    pub(crate) settings: Settings,
    pub(crate) globs: Vec<String>,
    /// In no order.
    pub(crate) diagnostics: Vec<Diagnostic>,
    surroundings: Arc<Surroundings>,
}

/// A variable, or an entry of it, of which all that is given is asked for.
pub(crate) struct Asked {
    pub(crate) variable: String,
    pub(crate) entry: String,
    /// The answer, the strongest last.
    pub(crate) given: Vec<Contribution>,
}

/// Types everything, with further entries, stronger than all, over what is loaded.
pub(crate) fn work_out(
    loaded: &Loaded,
    schema: &Schema,
    overrides: &[Entry],
    base: Option<&Config>,
    sources: &mut SourceMap,
    asked: Option<&mut Asked>,
) -> Resolved {
    let mut diagnostics = Vec::new();
    let read;
    let environment = match base {
        Some(base) => &base.surroundings().environment,
        None => {
            read = environment_entries(loaded, schema, sources);
            &read
        }
    };
    let given: Vec<&Entry> = in_order([loaded.entries.as_slice(), environment, overrides]);
    let (chosen, fixed) = sections::process(loaded, schema, &given);
    let base = base.filter(|base| base.surroundings().chosen == chosen);
    let surroundings = match base {
        Some(base) => Arc::clone(base.surroundings()),
        None => {
            let given = pdk::given(loaded, schema, chosen.clone(), sources).unwrap_or_else(|diagnostic| {
                diagnostics.push(diagnostic);
                GivenPdk::default()
            });
            let GivenPdk { process, entries: pdk, chosen: chosen_pdk } = given;
            Arc::new(Surroundings { environment: environment.clone(), chosen, process, pdk, chosen_pdk })
        }
    };
    let Surroundings { environment, process, pdk, .. } = &*surroundings;
    let items = sections::open_all(
        in_order([pdk.as_slice(), &loaded.entries, environment, overrides]),
        schema,
        process,
        &mut diagnostics,
    );
    let mut fixed = fixed;
    fixed.extend(process.scl.clone().map(|scl| ("STD_CELL_LIBRARY", scl)));

    let mut references = References::new(&items, fixed);
    let mut paths = Paths::new(&loaded.design_dir, &loaded.given_dir);
    let own = base.and_then(|base| overrides.get(base.overrides().len()));
    let reused = Reused { base, layer: own.map_or(usize::MAX, |entry| entry.layer) };
    if let Some(base) = base {
        paths.take_over(base.globs());
    }
    let mut refused = Vec::new();
    let mut typed = |variable: &Variable, node: &Node, typing: Typing| {
        let mut typer = Typer { typing, units: variable.units, paths: &mut paths, diagnostics: &mut refused };
        typer.value(At::Variable(&variable.name), node, &variable.ty)
    };
    let gathered = gather(&items, schema, &mut references, &mut typed, &mut diagnostics);
    diagnostics.append(&mut refused);
    diagnostics.append(&mut references.diagnostics);
    if let Some(asked) = asked
        && let Some(gathered) = gathered.get(asked.variable.as_str())
    {
        let entry = asked.entry.as_str();
        asked.given = gathered.given.iter().filter_map(|given| contribution(given, entry, sources)).collect();
    }

    let mut settings = base.map(|base| base.settings().clone()).unwrap_or_default();
    let mut missing = Vec::new();
    for variable in schema.iter().filter(|variable| !matches!(variable.role, Role::Deprecated(_))) {
        let given = gathered.get(variable.name.as_ref());
        if reused.has(variable, given) {
            continue;
        }
        let mut resolution = Resolution { paths: &mut paths, sources, diagnostics: &mut diagnostics };
        match given {
            None if variable.is_required() => missing.push(variable),
            given => {
                if let Some(setting) = resolution.setting(variable, given) {
                    settings.insert(variable.name.clone(), Arc::new(setting));
                }
            }
        }
    }
    let given = |name: &str| given_in(&settings, name).next().is_some();
    for (group, fields) in schema.incomplete_groups(given) {
        diagnostics.push(incomplete(&settings, group, &fields));
    }
    let (of_pdk, missing): (Vec<_>, Vec<_>) = missing.into_iter().partition(|variable| variable.from_pdk);
    diagnostics.extend(missing_variables(&missing));
    diagnostics.extend(missing_in_pdk(&surroundings, &of_pdk, schema.needs_pdk()));
    filelist::expand(&mut settings, schema, &loaded.env, &mut paths, sources, &mut diagnostics);
    Resolved { settings, globs: paths.into_globs(), diagnostics, surroundings }
}

/// Settings of a configuration that its copy keeps.
struct Reused<'a> {
    base: Option<&'a Config>,
    /// The first layer of the copy's own.
    layer: usize,
}

impl Reused<'_> {
    /// Whether the setting of a variable stays: the copy gives nothing for it, and it refers to nothing. That of one which
    /// others change after the layers, as initialisation and file lists do, is made again.
    fn has(&self, variable: &Variable, given: Option<&Gathered<'_>>) -> bool {
        let Some(setting) = self.base.and_then(|base| base.settings().get(&variable.name)) else { return false };
        let same = |given: &Given<'_>| given.layer < self.layer && !references::may_refer(&given.node);
        setting.origin.source != ConfigSource::Derived
            && !filelist::CHANGED.contains(&variable.name.as_ref())
            && given.is_none_or(|given| given.given.iter().all(same))
    }
}

/// The entries of several layers, the weakest first.
fn in_order<'a>(layers: impl IntoIterator<Item = &'a [Entry]>) -> Vec<&'a Entry> {
    let mut entries: Vec<&Entry> = layers.into_iter().flatten().collect();
    entries.sort_by_key(|entry| entry.source);
    entries
}

fn environment_entries(loaded: &Loaded, schema: &Schema, sources: &mut SourceMap) -> Vec<Entry> {
    let mut entries = Vec::new();
    for variable in schema.iter() {
        if let Some((name, value)) = variable.env.and_then(|name| Some((name, loaded.env.get(name)?))) {
            entries.push(environment_entry(&variable.name, loaded.layers + layer::ENVIRONMENT, name, value, sources));
        }
    }
    entries
}

struct Resolution<'a> {
    paths: &'a mut Paths,
    sources: &'a mut SourceMap,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Resolution<'_> {
    fn setting(&mut self, variable: &Variable, given: Option<&Gathered<'_>>) -> Option<Setting> {
        let secret = matches!(variable.role, Role::Secret);
        let no_origin = Origin { source: ConfigSource::Default, place: None };
        let Some(given) = given else {
            let value = match &variable.default {
                Some(default) => Some(self.default(variable, default)?),
                None => None,
            };
            return Some(Setting { value, origin: no_origin, beaten: Vec::new(), secret });
        };
        let mut beaten = Vec::new();
        beaten.extend(variable.default.clone().map(|default| (no_origin, default)));
        beaten.extend(given.beaten().iter().map(|beaten| (self.origin(beaten), beaten.node.to_value())));
        let value = self.given(variable, &given.value, given.typing())?;
        Some(Setting { value, origin: self.origin(given.winner()), beaten, secret })
    }

    fn origin(&self, given: &Given<'_>) -> Origin {
        Origin { source: given.source, place: Some((self.sources.location(given.node.span), given.node.span)) }
    }

    /// A default of a declaration has the right type; paths in it must still be found.
    fn default(&mut self, variable: &Variable, default: &Value) -> Option<Value> {
        if !variable.ty.has_paths() {
            return Some(default.clone());
        }
        match read::from_value(&format!("<default of {}>", variable.name), default, self.sources) {
            Ok(node) => self.typer(variable, Typing::Strict).value(At::Variable(&variable.name), &node, &variable.ty),
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    /// The outer option is whether it can be used, the inner one whether there is a value.
    fn given(&mut self, variable: &Variable, node: &Node, typing: Typing) -> Option<Option<Value>> {
        if !matches!(variable.role, Role::Secret) {
            return self.typed(variable, node, typing);
        }
        // What is wrong with a secret would show it.
        let before = self.diagnostics.len();
        let value = self.typed(variable, node, typing);
        if self.diagnostics.len() > before {
            self.diagnostics.truncate(before);
            let place = self.sources.location(node.span);
            let message =
                format!("the secret `{}` must be {}; what {place} gives is not", variable.name, variable.ty.one());
            self.diagnostics.push(Diagnostic::error(message));
        }
        value
    }

    fn typed(&mut self, variable: &Variable, node: &Node, typing: Typing) -> Option<Option<Value>> {
        if node.value == Tree::Null {
            if variable.optional {
                return Some(None);
            }
            self.diagnostics.push(
                Diagnostic::error(format!("`{}` cannot be null", variable.name))
                    .at(node.span, format!("expected {}", variable.ty.one())),
            );
            return None;
        }
        let value = self.typer(variable, typing).value(At::Variable(&variable.name), node, &variable.ty)?;
        if let Some(Err(reason)) = variable.check.as_ref().map(|check| check.of(&value)) {
            self.diagnostics.push(Diagnostic::error(format!("`{}` {reason}", variable.name)).at(node.span, ""));
            return None;
        }
        Some(Some(value))
    }

    fn typer(&mut self, variable: &Variable, typing: Typing) -> Typer<'_> {
        Typer { typing, units: variable.units, paths: self.paths, diagnostics: self.diagnostics }
    }
}

/// How many names are listed in one message.
const MANY: usize = 8;

/// Without a PDK, nothing that it would give can be there: then there is nothing to say about it, unless one is needed.
fn missing_in_pdk(surroundings: &Surroundings, missing: &[&Variable], is_needed: bool) -> Option<Diagnostic> {
    let first = missing.first()?;
    let Some(pdk) = &surroundings.chosen.pdk else {
        let message = format!("the flow needs a PDK, which gives `{}` and others, and none is chosen", first.name);
        let help = "choose one with `--pdk NAME`, or set `PDK`; `tapeout list pdks` has their names";
        return is_needed.then(|| Diagnostic::error(message).help(help));
    };
    // What is wrong with the PDK itself has been said.
    surroundings.process.pdk.as_ref()?;
    if surroundings.chosen_pdk.is_none() {
        return Some(
            Diagnostic::error(format!("the PDK `{pdk}` is chosen, but not the directory that it is in"))
                .help("choose it with `--pdk-root DIR`; `tapeout list pdks` has the PDKs that are found without"),
        );
    }
    let mut names: Vec<String> = missing.iter().take(MANY).map(|variable| format!("`{}`", variable.name)).collect();
    if missing.len() > MANY {
        names.push(format!("{} more", missing.len() - MANY));
    }
    let message = format!("the PDK `{pdk}` does not give all that the flow needs: {}", names.join(", "));
    Some(Diagnostic::error(message).help("set them in the configuration, or take a PDK that is made for this flow"))
}

/// What somebody gave for a variable, or for any in the group of that name.
fn given_in<'s>(settings: &'s Settings, name: &'s str) -> impl Iterator<Item = &'s Setting> {
    let named = settings
        .range::<str, _>((Bound::Included(name), Bound::Unbounded))
        .take_while(move |(other, _)| other.starts_with(name));
    let named = named.filter(move |(other, _)| matches!(other.as_bytes().get(name.len()), None | Some(b'.')));
    named
        .map(|(_, setting)| &**setting)
        .filter(|setting| setting.value.is_some() && setting.origin.source != ConfigSource::Default)
}

/// What to say of an optional struct that is given without all that it needs.
fn incomplete(settings: &Settings, group: &str, missing: &[&Variable]) -> Diagnostic {
    let names: Vec<String> = missing.iter().map(|variable| format!("`{}`", variable.name)).collect();
    let diagnostic = Diagnostic::error(format!("`{group}` is given without {}", names.join(" and ")));
    let diagnostic = diagnostic.help(missing.iter().map(|variable| described(variable)).collect::<Vec<_>>().join("\n"));
    match given_in(settings, group).find_map(|setting| setting.origin.place.as_ref()) {
        Some((_, span)) => diagnostic.at(*span, "given here"),
        None => diagnostic,
    }
}

/// A variable that is missing.
fn described(variable: &Variable) -> String {
    let units = variable.units.map(|units| format!(", in {units}")).unwrap_or_default();
    format!("{} ({}{units}): {}", variable.name, variable.ty, variable.doc)
}

/// One error for all of them: they are given in one place.
fn missing_variables(missing: &[&Variable]) -> Option<Diagnostic> {
    let names: Vec<_> = missing.iter().map(|variable| format!("`{}`", variable.name)).collect();
    let message = match names.as_slice() {
        [] => return None,
        [name] => format!("the required variable {name} is not set"),
        names => format!("{} required variables are not set: {}", names.len(), names.join(", ")),
    };
    Some(
        Diagnostic::error(message)
            .help(missing.iter().map(|variable| described(variable)).collect::<Vec<_>>().join("\n")),
    )
}
