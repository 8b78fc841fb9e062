//! The second phase: each variable of the schema gets the value of the strongest layer that gives one, typed. All
//! faults are collected.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tapeout_model::{Severity, Value};

use crate::config::{Config, ConfigSource, Inner, Origin, Setting};
use crate::diagnostic::{self, Diagnostic};
use crate::filelist;
use crate::load::{Entry, Given, Loaded, environment_entry};
use crate::meta::Typing;
use crate::paths::Paths;
use crate::read::{self, yaml};
use crate::schema::{RESERVED, Schema};
use crate::source::{SourceMap, Span};
use crate::suggest;
use crate::tree::{Node, Tree};
use crate::types::Type;
use crate::typing::{At, Typer};
use crate::variable::Variable;

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
        let mut diagnostics = Vec::new();
        let mut paths = Paths::new(&self.design_dir, &self.given_dir);
        let given = self.by_variable(schema, sources, &mut diagnostics);

        let mut settings = Settings::new();
        let mut missing = Vec::new();
        for variable in schema.iter() {
            let entries = given.get(variable.name.as_ref()).map_or(&[][..], Vec::as_slice);
            if entries.is_empty() && variable.is_required() {
                missing.push(variable);
                continue;
            }
            let mut resolution = Resolution { paths: &mut paths, sources, diagnostics: &mut diagnostics };
            if let Some(setting) = resolution.setting(variable, entries) {
                settings.insert(variable.name.clone(), Arc::new(setting));
            }
        }
        diagnostics.extend(missing_variables(&missing));
        filelist::expand(&mut settings, schema, &self.env, &mut paths, sources, &mut diagnostics);

        diagnostic::sort(&mut diagnostics);
        if diagnostics.iter().any(|d| d.severity == Severity::Error) {
            return Err(diagnostics);
        }
        let config = Config::new(Inner {
            settings,
            meta: self.meta.clone(),
            tools: Arc::new(self.tools.clone()),
            design_dir: self.design_dir.clone(),
            globs: paths.into_globs(),
        });
        Ok((config, diagnostics))
    }

    /// What is given for each variable, the weakest first.
    fn by_variable<'a>(
        &'a self,
        schema: &'a Schema,
        sources: &mut SourceMap,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> HashMap<&'a str, Vec<Cow<'a, Entry>>> {
        let mut given: HashMap<&str, Vec<Cow<'_, Entry>>> = HashMap::new();
        for entry in &self.entries {
            match schema.get(&entry.key.name) {
                Some(variable) => given.entry(variable.name.as_ref()).or_default().push(Cow::Borrowed(entry)),
                None => diagnostics.push(unknown(entry, schema)),
            }
        }
        for variable in schema.iter() {
            let Some(name) = variable.env else { continue };
            if let Some(value) = self.env.get(name) {
                let entries = given.entry(variable.name.as_ref()).or_default();
                let above = entries.partition_point(|entry| entry.source < ConfigSource::Environment);
                entries.insert(above, Cow::Owned(environment_entry(&variable.name, name, value, sources)));
            }
        }
        given
    }
}

struct Resolution<'a> {
    paths: &'a mut Paths,
    sources: &'a mut SourceMap,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Resolution<'_> {
    fn setting(&mut self, variable: &Variable, entries: &[Cow<'_, Entry>]) -> Option<Setting> {
        let no_origin = Origin { source: ConfigSource::Default, place: None };
        let Some((winner, weaker)) = entries.split_last() else {
            let value = match &variable.default {
                Some(default) => Some(self.default(variable, default)?),
                None => None,
            };
            return Some(Setting { value, origin: no_origin, beaten: Vec::new() });
        };
        let mut beaten = Vec::new();
        beaten.extend(variable.default.clone().map(|default| (no_origin, default)));
        beaten.extend(weaker.iter().map(|entry| (self.origin(entry), entry.given.to_value())));
        Some(Setting { value: self.given(variable, winner)?, origin: self.origin(winner), beaten })
    }

    fn origin(&self, entry: &Entry) -> Origin {
        let span = entry.given.span();
        Origin { source: entry.source, place: Some((self.sources.location(span), span)) }
    }

    /// A default of a declaration has the right type; paths in it must still be found.
    fn default(&mut self, variable: &Variable, default: &Value) -> Option<Value> {
        if !variable.ty.has_paths() {
            return Some(default.clone());
        }
        match read::from_value(&format!("<default of {}>", variable.name), default, self.sources) {
            Ok(node) => self.typer(Typing::Strict).value(At::Variable(&variable.name), &node, &variable.ty),
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    /// The outer option is whether it can be used, the inner one whether there is a value.
    fn given(&mut self, variable: &Variable, entry: &Entry) -> Option<Option<Value>> {
        let node = match entry.given.node(variable) {
            Ok(node) => node,
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                return None;
            }
        };
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
        let value = self.typer(entry.typing).value(At::Variable(&variable.name), &node, &variable.ty)?;
        if let Some(Err(reason)) = variable.check.map(|check| check(&value)) {
            self.diagnostics.push(Diagnostic::error(format!("`{}` {reason}", variable.name)).at(node.span, ""));
            return None;
        }
        Some(Some(value))
    }

    fn typer(&mut self, typing: Typing) -> Typer<'_> {
        Typer { typing, paths: self.paths, diagnostics: self.diagnostics }
    }
}

impl Given {
    fn span(&self) -> Span {
        match self {
            Self::Tree(node) => node.span,
            Self::Text(_, span) => *span,
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Tree(node) => node.to_value(),
            Self::Text(text, _) => Value::Str(text.clone()),
        }
    }

    /// The tree. Text is taken as it is where text is wanted, so that a shell's quotes are enough, and read as YAML
    /// elsewhere. A single item will do for a list.
    fn node(&self, variable: &Variable) -> Result<Cow<'_, Node>, Diagnostic> {
        let (text, span) = match self {
            Self::Tree(node) => return Ok(Cow::Borrowed(node)),
            Self::Text(text, span) => (text, *span),
        };
        let ty = &variable.ty;
        let verbatim = match ty {
            Type::List(item) => item.is_textual() && !text.trim_start().starts_with('['),
            ty => ty.is_textual(),
        };
        if verbatim {
            // Only a required text can be meant to be the word `null`.
            let none = match text.as_str() {
                "null" => variable.optional || matches!(ty, Type::List(_)),
                "" => variable.optional && *ty != Type::Str,
                _ => false,
            };
            let value = if none { Tree::Null } else { Tree::Str(text.clone()) };
            return Ok(Cow::Owned(Node { value, span }));
        }
        let node = yaml::parse(text, span.file, span.start)?;
        Ok(Cow::Owned(match (ty, &node.value) {
            (Type::List(_), Tree::List(_) | Tree::Null) => node,
            (Type::List(_), _) => Node { span: node.span, value: Tree::List(vec![node]) },
            _ => node,
        }))
    }
}

fn unknown(entry: &Entry, schema: &Schema) -> Diagnostic {
    let name = &entry.key.name;
    let message = format!("unknown variable `{name}`");
    let diagnostic = match entry.typing {
        Typing::Strict => Diagnostic::error(message),
        Typing::Permissive => Diagnostic::warning(message),
    };
    let diagnostic = diagnostic.at(entry.key.span, "the flow has no such variable");
    let names = schema.iter().map(|variable| variable.name.as_ref()).chain(RESERVED);
    match suggest::nearest(name, names) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

/// One error for all of them: they are given in one place.
fn missing_variables(missing: &[&Variable]) -> Option<Diagnostic> {
    let names: Vec<_> = missing.iter().map(|variable| format!("`{}`", variable.name)).collect();
    let message = match names.as_slice() {
        [] => return None,
        [name] => format!("the required variable {name} is not set"),
        names => format!("{} required variables are not set: {}", names.len(), names.join(", ")),
    };
    let describe = |variable: &&Variable| {
        let units = variable.units.map(|units| format!(", in {units}")).unwrap_or_default();
        format!("{} ({}{units}): {}", variable.name, variable.ty, variable.doc)
    };
    Some(Diagnostic::error(message).help(missing.iter().map(describe).collect::<Vec<_>>().join("\n")))
}
