//! All hooks of a plan, and those of one step.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use tapeout_config::{Config, Diagnostic, Type, nearest};
use tapeout_engine::Identity;
use tapeout_model::Value;

use super::arrange::{Arrangement, NoPlace, Occupant, Placing, Runs, Slot};
use super::{Hook, HookKind, Layer, Puts, technology_hooks};
use crate::composite::Composite;
use crate::registry::Registered;
use crate::{Registry, SectionInfo, StepInfo, nearest_step};

/// What the parts of a step's identity begin with that are hooks. A name follows, that of the target for a removal.
pub(crate) const HOOK: &str = "(hook) ";

/// The variable that names published hooks.
pub(crate) const HOOKS: &str = "HOOKS";

/// The section that ends every step: what its tools have written becomes views and metrics. What stands behind it sees
/// these and may change them.
pub(crate) const OUTPUTS: SectionInfo =
    SectionInfo { name: "outputs", doc: "What came out becomes views and metrics." };

/// A hook with the values of its parameters.
#[derive(Clone)]
pub struct HookUse {
    /// The hook.
    pub hook: Arc<Hook>,
    /// What its parameters are.
    pub values: Vec<(String, Value)>,
}

impl HookUse {
    fn new(hook: Arc<Hook>) -> Self {
        let values = hook.parameters.iter();
        let values = values.filter_map(|variable| Some((variable.name.to_string(), variable.default.clone()?)));
        Self { values: values.collect(), hook }
    }

    pub(crate) fn identify(&self, identity: &mut Identity<'_>) {
        let Hook { name, kind, at, puts, .. } = &*self.hook;
        let mut text = format!("{} {at}\n", kind.name());
        for (name, value) in &self.values {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name} = {value}");
        }
        if let Puts::Body(body) = puts {
            text.push_str(&body.code());
        }
        let name = if *kind == HookKind::Remove { at.section.as_deref().unwrap_or_default() } else { name };
        identity.part(&format!("{HOOK}{name}"), &text);
    }
}

/// All hooks that may concern the steps of a plan, those of lower layers first.
#[derive(Clone, Default)]
pub struct Hooks {
    hooks: Vec<HookUse>,
    /// HookUse ones that the configuration does not ask for.
    offered: Vec<Arc<Hook>>,
}

/// What has become of each hook of a plan.
pub(crate) struct Hooking<'a> {
    hooks: &'a Hooks,
    /// Whether a step has it.
    placed: Vec<bool>,
    /// Why steps that it is meant for have it not; without a reason, those that have no sections.
    missing: Vec<Option<(String, Option<NoPlace>)>>,
    problems: Vec<Diagnostic>,
}

/// The hooks of a step, with the order that they make.
pub struct StepHooks {
    pub(super) sections: Vec<SectionInfo>,
    pub(super) hooks: Vec<HookUse>,
    /// Which of them have found a place. The others are there for those behind them to be counted.
    acts: Vec<bool>,
    pub(super) arrangement: Arrangement,
}

/// A section of a step as hooks have left it.
#[derive(Clone, Debug)]
pub struct PlannedSection {
    /// What it is called.
    pub name: String,
    /// What else it was called.
    pub former: Vec<String>,
    /// What it does.
    pub doc: String,
    /// The layer of the hook that made it; nothing for a section of the step's own.
    pub layer: Option<Layer>,
    /// Where that hook is written.
    pub origin: Option<String>,
    /// When it runs.
    pub runs: Runs,
    /// The name of what it runs at the start, or behind, of.
    pub target: Option<String>,
    /// The hook that took it out, in words.
    pub removed_by: Option<String>,
}

impl Hooks {
    /// The hooks for a configuration: those of the registry, those of its technology, and the published ones that it asks
    /// for.
    ///
    /// # Errors
    /// The configuration asks for hooks that there are not, or says of their parameters what they cannot take; or the
    /// technology has hooks where none can be.
    pub(crate) fn of(registry: &Registry, config: &Config) -> Result<Self, Vec<Diagnostic>> {
        let mut known: Vec<Arc<Hook>> = match config.pdk() {
            Some(pdk) => technology_hooks(&pdk.name, &pdk.hooks)?.into_iter().map(Arc::new).collect(),
            None => Vec::new(),
        };
        known.extend(registry.hooks().cloned());
        let (published, always): (Vec<_>, Vec<_>) = known.into_iter().partition(|hook| hook.published_by.is_some());
        let mut hooks: Vec<HookUse> = always.into_iter().map(HookUse::new).collect();
        let mut problems = Vec::new();
        let asked = if config.declares(HOOKS) { config.get(HOOKS) } else { None };
        if let Some(Value::List(asked)) = asked {
            for item in asked {
                match asked_for(item, &published) {
                    Ok(hook) => hooks.push(hook),
                    Err((message, help)) => problems.push((message, help)),
                }
            }
        }
        hooks.sort_by_key(|published| published.hook.layer);
        if problems.is_empty() {
            let is_asked = |hook: &Arc<Hook>| hooks.iter().any(|asked| Arc::ptr_eq(&asked.hook, hook));
            let offered = published.into_iter().filter(|hook| !is_asked(hook)).collect();
            return Ok(Self { hooks, offered });
        }
        let place = config.setting(HOOKS).origin.place.as_ref().map(|(_, span)| *span);
        let diagnostic = |(message, help): (String, String)| {
            let error = Diagnostic::error(format!("`{HOOKS}`: {message}")).help(help);
            match place {
                Some(span) => error.at(span, "asked for here"),
                None => error,
            }
        };
        Err(problems.into_iter().map(diagnostic).collect())
    }

    /// Those that edit sections.
    fn of_sections(&self) -> impl Iterator<Item = (usize, &HookUse)> {
        self.hooks.iter().enumerate().filter(move |(_, published)| !published.hook.is_of_flow())
    }

    /// All of them, in the order in which they apply.
    pub fn iter(&self) -> impl Iterator<Item = &HookUse> {
        self.hooks.iter()
    }

    /// The published ones that the configuration does not ask for.
    pub fn offered(&self) -> impl Iterator<Item = &Arc<Hook>> {
        self.offered.iter()
    }

    pub(crate) fn hooking(&self) -> Hooking<'_> {
        let count = self.hooks.len();
        Hooking { hooks: self, placed: vec![false; count], missing: vec![None; count], problems: Vec::new() }
    }
}

/// A published hook as a configuration asks for it; or what is wrong, and what helps.
fn asked_for(item: &Value, published: &[Arc<Hook>]) -> Result<HookUse, (String, String)> {
    let form = || "a hook is asked for by its name, or by a map: `{hook: NAME, PARAMETER: VALUE}`".to_owned();
    let (name, values): (&str, &[(String, Value)]) = match item {
        Value::Str(name) => (name, &[]),
        Value::Map(entries) => match entries.iter().find(|(key, _)| key == "hook") {
            Some((_, Value::Str(name))) => (name, entries),
            _ => return Err(("a map in it does not name a hook".to_owned(), form())),
        },
        other => return Err((format!("it has {other} in it"), form())),
    };
    let Some(hook) = published.iter().find(|hook| hook.full_name() == name) else {
        let names: Vec<String> = published.iter().map(|hook| hook.full_name()).collect();
        let help = match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => "nobody publishes hooks here".to_owned(),
            None => format!("there are {}", names.join(", ")),
        };
        return Err((format!("there is no hook `{name}` to ask for"), help));
    };
    let mut asked = HookUse::new(Arc::clone(hook));
    for (key, value) in values.iter().filter(|(key, _)| key != "hook") {
        let Some(parameter) = hook.parameters.iter().find(|parameter| parameter.name == *key) else {
            let names: Vec<&str> = hook.parameters.iter().map(|parameter| parameter.name.as_ref()).collect();
            let help = match nearest(key, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => "it has none".to_owned(),
                None => format!("it has {}", names.join(", ")),
            };
            return Err((format!("the hook `{name}` has no parameter `{key}`"), help));
        };
        if !takes(&parameter.ty, value) {
            let message = format!("the parameter `{key}` of `{name}` is {}, and cannot be {value}", parameter.ty);
            return Err((message, parameter.doc.to_string()));
        }
        asked.values.retain(|(known, _)| known != key);
        asked.values.push((key.clone(), value.clone()));
    }
    let is_given = |name: &str| asked.values.iter().any(|(known, _)| known == name);
    if let Some(parameter) =
        hook.parameters.iter().find(|parameter| parameter.is_required() && !is_given(&parameter.name))
    {
        return Err((
            format!("the hook `{name}` must be told `{}`", parameter.name),
            format!("`{{hook: {name}, {}: …}}`: {}", parameter.name, parameter.doc),
        ));
    }
    Ok(asked)
}

/// Whether a parameter of this type takes the value.
fn takes(ty: &Type, value: &Value) -> bool {
    match (ty, value) {
        (Type::Bool, value) => matches!(value, Value::Bool(_)),
        (Type::Int, value) => matches!(value, Value::Int(_)),
        (Type::Decimal, value) => matches!(value, Value::Int(_) | Value::Decimal(_)),
        (Type::Str | Type::Path | Type::Dir | Type::NewPath | Type::Choice(_), value) => matches!(value, Value::Str(_)),
        (Type::List(ty), Value::List(items)) => items.iter().all(|item| takes(ty, item)),
        (Type::Map(ty), Value::Map(entries)) => entries.iter().all(|(_, value)| takes(ty, value)),
        (Type::Union(types), value) => types.iter().any(|ty| takes(ty, value)),
        (Type::Optional(ty), value) => *value == Value::Null || takes(ty, value),
        (Type::Any, _) => true,
        _ => false,
    }
}

impl Hooking<'_> {
    /// A step with the hooks that it has in a flow in which this is its id.
    pub(crate) fn step(&mut self, id: &str, registered: &Registered) -> Registered {
        if self.hooks.hooks.is_empty() {
            return registered.clone();
        }
        if !registered.parts.is_empty() {
            let mut parts: Vec<Registered> = Vec::new();
            for part in &registered.parts {
                parts.push(self.step(part.info.id, part));
            }
            if parts.iter().all(|part| part.hooks.is_none()) {
                return registered.clone();
            }
            let StepInfo { id, name, doc, .. } = *registered.info;
            return Registered { parts: parts.clone(), ..Registered::new(Composite { id, name, doc, parts }) };
        }
        let info = &*registered.info;
        let uses = |hook: &Hook| hook.tool.as_deref().is_none_or(|tool| info.tools.contains(&tool));
        let means = |hook: &Hook| hook.at.means(id, info.action) && uses(hook);
        let all = self.hooks;
        let meant = all.of_sections().filter(|(_, published)| means(&published.hook));
        // What has no sections has no beginning either. A step without tools has nothing to begin, and loses nothing.
        let has_no_beginning = info.sections.is_empty() && !info.tools.is_empty();
        let (homeless, meant): (Vec<_>, Vec<(usize, &HookUse)>) =
            meant.partition(|(_, published)| published.hook.kind == HookKind::Persistent && has_no_beginning);
        for (number, _) in homeless {
            self.missing[number].get_or_insert((id.to_owned(), None));
        }
        let StepHooks { sections, mut hooks, mut acts, mut arrangement } = StepHooks::none(info);
        for (number, published) in meant {
            let hook = &*published.hook;
            let target = hook.at.section.as_deref().unwrap_or(OUTPUTS.name);
            let placing = Placing { name: &hook.name, kind: hook.kind, target, layer: hook.layer };
            let placed = fits(hook, target)
                .and_then(|()| arrangement.place(placing).map_err(|no| self.words(id, info, hook, &hooks, no)));
            hooks.push(published.clone());
            acts.push(placed.is_ok());
            match placed {
                Ok(()) => self.placed[number] = true,
                Err(Problem::Missing(no)) => _ = self.missing[number].get_or_insert((id.to_owned(), Some(no))),
                Err(Problem::Told(error)) => {
                    self.placed[number] = true;
                    self.problems.push(*error);
                }
            }
        }
        if !acts.contains(&true) {
            return registered.clone();
        }
        let mut hooked = info.clone();
        for (published, _) in hooks.iter().zip(&acts).filter(|(_, acts)| **acts) {
            let Hook { inputs, tools, .. } = &*published.hook;
            for needs in inputs {
                if !hooked.inputs.iter().any(|known| known.format == needs.format) {
                    hooked.inputs.push(needs.clone());
                }
            }
            for tool in tools {
                if !hooked.tools.contains(tool) {
                    hooked.tools.push(tool);
                }
            }
        }
        let hooks = Arc::new(StepHooks { sections, hooks, acts, arrangement });
        Registered { info: Arc::new(hooked), hooks: Some(hooks), ..registered.clone() }
    }

    fn words(&self, id: &str, info: &StepInfo, hook: &Hook, before: &[HookUse], no: NoPlace) -> Problem {
        let of = |number: usize| before.get(number).map_or_else(String::new, |published| published.hook.words());
        let told = |message: String, help: String| {
            Problem::Told(Box::new(Diagnostic::error(format!("{}: {message}", hook.words())).help(help)))
        };
        match no {
            NoPlace::Missing { .. } | NoPlace::Follows => Problem::Missing(no),
            NoPlace::Removed { target, by } => told(
                format!("`{target}` of `{id}` is not there any more: the {} took it out", of(by)),
                "name what stands beside it, or have it replaced instead of removed".to_owned(),
            ),
            NoPlace::Taken { name, by } => {
                let holder = match by {
                    Occupant::Section(_) => format!("a section of `{}`", info.id),
                    Occupant::Hook(number) => format!("the {}", of(number)),
                };
                told(format!("the name `{name}` is taken by {holder}"), "give it another name".to_owned())
            }
            NoPlace::OnPersistent { target } => told(
                format!("`{target}` is persistent, and has no place that another could be persistent from"),
                format!("`before = \"{id}/{target}\"` and the like take on its persistence"),
            ),
            NoPlace::EndsAtPersistent { .. } | NoPlace::Empty { .. } => Problem::Missing(no),
        }
    }

    /// All that is wrong with the hooks, once all steps of the flow were [given](Self::step) theirs.
    pub(crate) fn problems(mut self, registry: &Registry) -> Vec<Diagnostic> {
        for (number, published) in self.hooks.of_sections() {
            let hook = &*published.hook;
            match &self.missing[number] {
                _ if self.placed[number] => {}
                Some((_, Some(NoPlace::Follows))) => {}
                Some((step, None)) => {
                    let message = format!("{}: `{step}` has no sections that it could stand before", hook.words());
                    let help = format!("`after = \"{step}\"` sees what comes out of the step");
                    self.problems.push(Diagnostic::error(message).help(help));
                }
                Some((step, Some(no))) => {
                    let NoPlace::Missing { target, nearest } = no else { continue };
                    let message = format!("{}: `{step}` has no section or hook `{target}`", hook.words());
                    let later = self.hooks.hooks.iter().skip(number).find(|other| other.hook.name == *target);
                    let help = match (later, nearest) {
                        (Some(later), _) if later.hook.layer > hook.layer => {
                            format!(
                                "a hook of the {} layer cannot name one of the {} layer",
                                hook.layer, later.hook.layer
                            )
                        }
                        (Some(later), _) => {
                            format!("`{target}` comes later ({}), and hooks apply in their order", later.hook.origin)
                        }
                        (None, Some(near)) => format!("did you mean `{near}`?"),
                        (None, None) => format!("`tapeout show step {step}` lists them"),
                    };
                    self.problems.push(Diagnostic::error(message).help(help));
                }
                None => self.problems.extend(no_such_step(hook, registry)),
            }
        }
        self.problems
    }
}

/// What is wrong with a hook that no step of the flow has: nothing, where there is such a step in other flows.
pub(crate) fn no_such_step(hook: &Hook, registry: &Registry) -> Option<Diagnostic> {
    let super::Steps::Pattern(text, pattern) = &hook.at.steps else { return None };
    // `Step-1` is the second such step of a flow.
    let own = text.rsplit_once('-').filter(|(_, number)| number.parse::<u32>().is_ok()).map_or(&**text, |(own, _)| own);
    if registry.steps().any(|step| pattern.matches(step.id) || step.id.eq_ignore_ascii_case(own)) {
        return None;
    }
    let error = Diagnostic::error(format!("{}: there is no step `{text}`", hook.words()));
    Some(match nearest_step(text, registry.steps().map(|step| step.id)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("`tapeout list steps` has their ids"),
    })
}

enum Problem {
    /// The step has no such target; another one may.
    Missing(NoPlace),
    Told(Box<Diagnostic>),
}

/// Whether a hook of this kind can act on that target.
fn fits(hook: &Hook, target: &str) -> Result<(), Problem> {
    if hook.kind == HookKind::Persistent || hook.kind == HookKind::After {
        return Ok(());
    }
    let help = match &hook.at.section {
        Some(_) if target != OUTPUTS.name => return Ok(()),
        Some(_) => "only `after` goes with `outputs`, which every step ends with".to_owned(),
        None => format!(
            "`after` and `persistent` take a whole step, `{}` one of its sections: `{}/SECTION`",
            hook.kind.name(),
            hook.at
        ),
    };
    let error = Diagnostic::error(format!("{}: `{}` cannot stand at `{}`", hook.words(), hook.kind.name(), hook.at));
    Err(Problem::Told(Box::new(error.help(help))))
}

impl StepHooks {
    /// Those of a step that has none: its sections.
    pub(crate) fn none(info: &StepInfo) -> Self {
        let mut sections = info.sections.clone();
        sections.push(OUTPUTS);
        let arrangement = Arrangement::new(sections.iter().map(|section| section.name));
        Self { sections, hooks: Vec::new(), acts: Vec::new(), arrangement }
    }

    /// The sections of the step itself.
    #[must_use]
    pub fn sections(&self) -> &[SectionInfo] {
        &self.sections
    }

    /// The order of sections and hooks.
    #[must_use]
    pub fn arrangement(&self) -> &Arrangement {
        &self.arrangement
    }

    /// Whether a hook is among them.
    #[must_use]
    pub fn has(&self, hook: &Arc<Hook>) -> bool {
        self.hooks.iter().any(|own| Arc::ptr_eq(&own.hook, hook))
    }

    /// A hook by its number.
    #[must_use]
    pub fn hook(&self, number: usize) -> &HookUse {
        &self.hooks[number]
    }

    /// The tools that they call by themselves.
    pub(crate) fn tools(&self) -> impl Iterator<Item = &'static str> {
        let acting = self.hooks.iter().zip(&self.acts).filter(|(_, acts)| **acts);
        acting.flat_map(|(published, _)| published.hook.tools.iter().copied())
    }

    /// All that its results depend on.
    pub(crate) fn identify(&self, identity: &mut Identity<'_>) {
        for (published, _) in self.hooks.iter().zip(&self.acts).filter(|(_, acts)| **acts) {
            published.identify(identity);
        }
    }

    /// Sections and hooks in the order of a whole run, persistent ones first or behind what they belong to; those that
    /// were taken out where they were.
    #[must_use]
    pub fn listed(&self) -> Vec<PlannedSection> {
        let persistent: Vec<&Slot> = self.arrangement.persistent().collect();
        let (behind, start): (Vec<&Slot>, Vec<&Slot>) =
            persistent.into_iter().partition(|slot| matches!(slot.runs, Runs::After(_)));
        let mut listed: Vec<PlannedSection> = start.into_iter().map(|slot| self.planned(slot)).collect();
        let mut following: HashMap<*const Slot, Vec<&Slot>> = HashMap::new();
        for slot in behind {
            if let Runs::After(target) = slot.runs {
                following.entry(std::ptr::from_ref(self.arrangement.get(target))).or_default().push(slot);
            }
        }
        for slot in self.arrangement.in_place() {
            listed.push(self.planned(slot));
            let following = following.get(&std::ptr::from_ref(slot)).into_iter().flatten();
            listed.extend(following.map(|slot| self.planned(slot)));
        }
        listed
    }

    fn planned(&self, slot: &Slot) -> PlannedSection {
        let hook = match slot.occupant {
            Occupant::Section(_) => None,
            Occupant::Hook(number) => Some(&self.hooks[number].hook),
        };
        let doc = match slot.occupant {
            Occupant::Section(number) => self.sections[number].doc.to_owned(),
            Occupant::Hook(number) => self.hooks[number].hook.doc.clone(),
        };
        let target = match slot.runs {
            Runs::AtStartBefore(target) | Runs::After(target) => Some(self.arrangement.get(target).name.clone()),
            Runs::InPlace | Runs::AtStart => None,
        };
        PlannedSection {
            name: slot.name.clone(),
            former: slot.former.clone(),
            doc,
            layer: hook.map(|hook| hook.layer),
            origin: hook.map(|hook| hook.origin.clone()),
            runs: slot.runs,
            target,
            removed_by: slot.removed_by.map(|number| self.hooks[number].hook.words()),
        }
    }
}
