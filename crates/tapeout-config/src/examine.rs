//! One variable looked at closely: what each layer gives for it or for an entry of it, also in a configuration that is
//! wrong elsewhere.

use std::sync::Arc;

use tapeout_model::Value;

use crate::diagnostic::Diagnostic;
use crate::gather::Given;
use crate::load::Loaded;
use crate::references;
use crate::resolve::{self, Asked};
use crate::schema::Schema;
use crate::setting::{ConfigSource, Origin, Setting};
use crate::source::SourceMap;
use crate::variable::Variable;

/// A variable, or an entry of one, as the layers of a configuration give it. Secrets are in it as they are: what may be
/// shown is for the [`Setting`] to say.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The variable's setting. Nothing if what is given for it is wrong, or must be given and is not.
    pub setting: Option<Setting>,
    /// The value that was asked for: the variable's, or that of the entry if there is one.
    pub value: Option<Value>,
    /// What layers give for it, as it is written, the strongest last.
    pub contributions: Vec<Contribution>,
    /// All that is to be said of the configuration, in the order of the places.
    pub diagnostics: Vec<Diagnostic>,
}

/// What one layer gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contribution {
    /// Who gives it.
    pub origin: Origin,
    /// What part of what was asked for it is, such as `clk` of `CLOCK_PERIODS`; empty for the whole.
    pub part: String,
    /// The value as it is written.
    pub value: Value,
}

impl Loaded {
    /// Looks at the variable that `key` names, or at the entry of one: `CLOCK_PERIODS.clk`. Nothing if the schema has no
    /// such variable, see [`Schema::find`].
    pub fn examine(&self, schema: &Schema, key: &str, sources: &mut SourceMap) -> Option<Examined> {
        let (variable, entry) = schema.find(key)?;
        let mut asked = Asked { variable: variable.name.to_string(), entry: entry.to_owned(), given: Vec::new() };
        let mut resolved = resolve::work_out(self, schema, &[], None, sources, Some(&mut asked));
        Diagnostic::sort(&mut resolved.diagnostics);
        let setting = resolved.settings.remove(variable.name.as_ref()).map(Arc::unwrap_or_clone);
        let value = setting.as_ref().and_then(|setting| part(setting.value.as_ref()?, entry)).cloned();
        let mut contributions = Vec::from_iter(default(variable, entry));
        contributions.append(&mut asked.given);
        Some(Examined { setting, value, contributions, diagnostics: resolved.diagnostics })
    }
}

fn default(variable: &Variable, entry: &str) -> Option<Contribution> {
    let value = part(variable.default.as_ref()?, entry)?.clone();
    let origin = Origin { source: ConfigSource::Default, place: None };
    Some(Contribution { origin, part: String::new(), value })
}

/// What of a given value concerns the entry: the value of the entry, or a part of that.
pub(crate) fn contribution(given: &Given<'_>, entry: &str, sources: &SourceMap) -> Option<Contribution> {
    let (span, value, part) = if let Some(rest) = below(entry, &given.part) {
        let whole = given.node.to_value();
        let node = references::part(&given.node, rest).unwrap_or(&given.node);
        (node.span, part(&whole, rest)?.clone(), String::new())
    } else {
        let rest = below(&given.part, entry)?;
        (given.node.span, given.node.to_value(), rest.trim_start_matches('.').to_owned())
    };
    let origin = Origin { source: given.source, place: Some((sources.location(span), span)) };
    Some(Contribution { origin, part, value })
}

/// What follows `whole` in a path that is the same or leads below it.
fn below<'p>(path: &'p str, whole: &str) -> Option<&'p str> {
    path.strip_prefix(whole).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The entry of a value that `.a.0` or `.a[0]` names; the value itself where nothing is named.
fn part<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let Some(path) = path.strip_prefix(['.', '[']) else { return path.is_empty().then_some(value) };
    // `a.b` may be an entry of that name as well as `b` in the entry `a`.
    let ends = path.match_indices(['.', '[']).map(|(at, _)| at).chain([path.len()]);
    ends.into_iter().find_map(|end| {
        let (name, rest) = path.split_at(end);
        match value {
            Value::Map(entries) => part(&entries.iter().find(|(key, _)| key == name)?.1, rest),
            Value::List(items) => part(items.get(name.trim_end_matches(']').parse::<usize>().ok()?)?, rest),
            _ => None,
        }
    })
}
