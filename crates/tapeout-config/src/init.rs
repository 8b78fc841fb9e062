//! Initialisation: a struct is read from a configuration, a function works out what follows from what, and what it
//! changed goes back. Knows what was given and what modes demand. That nobody sets derived variables is `resolve`'s.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use tapeout_model::Value;

use crate::config::Config;
use crate::configured::{Declaration, Structure, schema_of};
use crate::diagnostic::Diagnostic;
use crate::schema::Schema;
use crate::setting::ConfigSource;
use crate::variable::{Role, Variable};

/// What an initialisation function can ask and say. Names are those of the struct's fields, dotted for those of structs
/// in it, as configurations have them.
#[derive(Debug)]
pub struct Init<'a> {
    config: &'a Config,
    under: &'a str,
    modes: BTreeSet<String>,
    conflicts: BTreeMap<String, String>,
    diagnostics: Vec<Diagnostic>,
}

impl Init<'_> {
    /// Whether the user gave a value for the field, or for any field of the struct that it is. A value that equals the
    /// default is given all the same; `null` is no value.
    #[must_use]
    pub fn given(&self, name: &str) -> bool {
        self.config.has(&Declaration::dotted(self.under, name), ConfigSource::is_users)
    }

    /// States a mode in which the program is to work: its mandatory variables must then have a value.
    pub fn mode(&mut self, mode: impl Into<String>) {
        self.modes.insert(mode.into());
    }

    /// Gives the reason for a change of a field, in case that the user gave it another value. It completes the sentence
    /// "`name` is given, but …".
    pub fn conflict(&mut self, name: &str, reason: impl Into<String>) {
        self.conflicts.insert(Declaration::dotted(self.under, name), reason.into());
    }

    /// Notes an error at the place where the field was given, or without a place if it was not.
    pub fn error(&mut self, name: &str, message: impl Into<String>) {
        let diagnostic = self.at(&Declaration::dotted(self.under, name), Diagnostic::error(message));
        self.diagnostics.push(diagnostic);
    }

    fn at(&self, name: &str, diagnostic: Diagnostic) -> Diagnostic {
        let place = self.config.declares(name).then(|| self.config.setting(name).origin.place.as_ref()).flatten();
        match place {
            Some((_, span)) => diagnostic.at(*span, ""),
            None => diagnostic,
        }
    }
}

impl Config {
    /// Reads a struct as [`Config::read`] does, runs `init` on it, and gives it with the configuration that has what
    /// was worked out. That is stronger than every default; where the user gave another value, it is an error. A copy of
    /// that configuration is to be initialised again.
    ///
    /// # Errors
    /// What `init` finds wrong, values of the user that it would change, values that fail the variable's check, and
    /// what the modes demand and has no value: all of it, in the order of the places.
    ///
    /// # Panics
    /// If the configuration was not made with the schema of the struct.
    pub fn initialise<T: Structure>(
        &self,
        under: &str,
        init: impl FnOnce(&mut T, &mut Init<'_>),
    ) -> Result<(T, Self), Vec<Diagnostic>> {
        let schema = schema_of::<T>();
        let mut settings: T = self.read(under);
        let before = written(&settings, under);
        let mut context =
            Init { config: self, under, modes: BTreeSet::new(), conflicts: BTreeMap::new(), diagnostics: Vec::new() };
        init(&mut settings, &mut context);
        let after = written(&settings, under);

        let mut changes = Vec::new();
        for name in before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))) {
            // A deprecated variable has no value of its own.
            let (Some(variable), true) = (schema.get(below(name, under)), self.declares(name)) else { continue };
            let value = after.get(name).filter(|value| **value != Value::Null);
            if before.get(name) == value && !matches!(variable.role, Role::Derived { .. }) {
                continue;
            }
            if self.has(name, ConfigSource::is_users) {
                let conflict = context.conflict_at(name, value, variable);
                context.diagnostics.push(conflict);
            }
            if let Some(Err(reason)) = value.and_then(|value| Some(variable.check.as_ref()?.of(value))) {
                context.diagnostics.push(Diagnostic::error(format!("`{name}`, as it was worked out, {reason}")));
            }
            changes.push((name.clone(), value.cloned()));
        }
        let config = self.with_derived(changes);
        let mandatory = missing(&schema, &config, under, &context.modes);
        context.diagnostics.extend(mandatory);
        Diagnostic::sort(&mut context.diagnostics);
        if context.diagnostics.is_empty() { Ok((settings, config)) } else { Err(context.diagnostics) }
    }
}

impl Init<'_> {
    fn conflict_at(&self, name: &str, value: Option<&Value>, variable: &Variable) -> Diagnostic {
        let reason = match (self.conflicts.get(name), &variable.role, value) {
            (Some(reason), ..) => Cow::Borrowed(reason.as_str()),
            (None, Role::Secret, _) => Cow::Borrowed("initialisation gives it another value"),
            (None, _, None) => Cow::Borrowed("initialisation takes it away"),
            (None, _, Some(value)) => Cow::Owned(format!("initialisation sets it to `{value}`")),
        };
        self.at(name, Diagnostic::error(format!("`{name}` is given, but {reason}"))).help("leave it out")
    }
}

fn written<T: Structure>(settings: &T, under: &str) -> BTreeMap<String, Value> {
    let mut values = Vec::new();
    settings.write(under, &mut values);
    values.into_iter().collect()
}

/// The name in the struct of a variable in the group.
fn below<'a>(name: &'a str, under: &str) -> &'a str {
    name.strip_prefix(under).map_or(name, |rest| rest.strip_prefix('.').unwrap_or(rest))
}

/// One error for all that is mandatory in one of the modes and has no value.
fn missing(schema: &Schema, config: &Config, under: &str, modes: &BTreeSet<String>) -> Option<Diagnostic> {
    let mut names = Vec::new();
    let mut help = Vec::new();
    for variable in schema.iter() {
        let name = Declaration::dotted(under, &variable.name);
        let demanding = variable.mandatory_in.iter().filter(|mode| modes.contains(mode.as_ref()));
        let demanding: Vec<String> = demanding.map(|mode| format!("`{mode}`")).collect();
        if demanding.is_empty() || !config.declares(&name) || config.get(&name).is_some() {
            continue;
        }
        let units = variable.units.map(|units| format!(", in {units}")).unwrap_or_default();
        let (ty, modes, doc) = (&variable.ty, demanding.join(" and "), &variable.doc);
        help.push(format!("{name} ({ty}{units}, mandatory in mode {modes}): {doc}"));
        names.push(format!("`{name}`"));
    }
    let message = match names.as_slice() {
        [] => return None,
        [name] => format!("the mandatory variable {name} has no value"),
        names => format!("{} mandatory variables have no value: {}", names.len(), names.join(", ")),
    };
    Some(Diagnostic::error(message).help(help.join("\n")))
}
