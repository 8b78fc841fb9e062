//! Which values are given for which variable: nested maps and dotted names brought together, former names followed,
//! parts of maps put in their places, and what belongs to no variable refused.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use tapeout_model::Value;

use crate::diagnostic::Diagnostic;
use crate::layer::Item;
use crate::meta::{Typing, is_comment};
use crate::paths;
use crate::references::{DESIGN_DIR, References};
use crate::schema::{Elsewhere, RESERVED, Schema};
use crate::setting::ConfigSource;
use crate::source::Span;
use crate::suggest;
use crate::tree::{Key, MAX_DEPTH, Node, Tree, too_deep};
use crate::typing::convert;
use crate::variable::{Role, Variable};

/// A value that a layer gives, as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Given<'a> {
    /// The item it comes from.
    item: usize,
    pub(crate) source: ConfigSource,
    pub(crate) layer: usize,
    pub(crate) typing: Typing,
    /// Where its name stands.
    key: Span,
    pub(crate) node: Cow<'a, Node>,
    /// The part of the variable's value that it gives, such as `.clk`; empty for the whole.
    pub(crate) part: String,
}

/// What is given for one variable.
#[derive(Debug)]
pub(crate) struct Gathered<'a> {
    /// All that is given, the weakest first. Never empty.
    pub(crate) given: Vec<Given<'a>>,
    /// The value that holds, with its references worked out.
    pub(crate) value: Cow<'a, Node>,
}

impl<'a> Gathered<'a> {
    /// The strongest that is given.
    pub(crate) fn winner(&self) -> &Given<'a> {
        self.given.last().expect("a variable is gathered when something is given for it")
    }

    /// How the value is typed: as the strongest that is given, and with conversions where one that it is put together
    /// from needs them.
    pub(crate) fn typing(&self) -> Typing {
        let (base, parts) = base_and_parts(&self.given);
        let mut all = base.into_iter().chain(parts);
        if all.any(|given| given.typing == Typing::Permissive) { Typing::Permissive } else { Typing::Strict }
    }

    /// All but the strongest.
    pub(crate) fn beaten(&self) -> &[Given<'a>] {
        &self.given[..self.given.len() - 1]
    }
}

/// Types the value of a deprecated variable, for its translation.
pub(crate) type Typed<'t> = dyn FnMut(&Variable, &Node, Typing) -> Option<Value> + 't;

/// Sorts the items by the variables they are for, with the values that hold.
pub(crate) fn gather<'a>(
    items: &'a [Item<'a>],
    schema: &'a Schema,
    references: &mut References<'a>,
    typed: &mut Typed<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> HashMap<&'a str, Gathered<'a>> {
    let design_dir = references.fixed(DESIGN_DIR).map(str::to_owned);
    let mut gatherer = Gatherer { schema, design_dir, given: HashMap::new(), diagnostics };
    for (index, item) in items.iter().enumerate() {
        gatherer.place(index, item, Cow::Borrowed(&item.name), item.key_span, &item.node);
    }
    gatherer.translate(references, typed);
    // In the order of writing, references mostly find worked out what they refer to.
    let mut given: Vec<(&str, Vec<Given<'_>>)> = gatherer.given.into_iter().collect();
    given.sort_by_key(|(name, given)| (given.last().map(|strongest| strongest.item), *name));
    given
        .into_iter()
        .map(|(name, given)| {
            let variable = schema.get(name).expect("values are gathered for variables of the schema");
            let value = value(variable, &given, references);
            (name, Gathered { given, value })
        })
        .collect()
}

/// The strongest whole value with the parts that stronger layers give.
fn value<'a>(variable: &Variable, given: &[Given<'a>], references: &mut References<'a>) -> Cow<'a, Node> {
    let mut evaluated = |given: &Given<'a>| match &given.node {
        Cow::Borrowed(node) => references.evaluate(given.item, node),
        node @ Cow::Owned(_) => node.clone(),
    };
    let (base, parts) = base_and_parts(given);
    let span = given[0].node.span;
    let mut whole = match (base, &variable.default) {
        (Some(base), _) if parts.is_empty() => return evaluated(base),
        (Some(base), _) => {
            let whole = evaluated(base).into_owned();
            // A map or a list that is written as text has entries, too.
            let converted = (base.typing == Typing::Permissive).then(|| convert(&whole, &variable.ty)).flatten();
            converted.unwrap_or(whole)
        }
        (None, Some(default)) => Node::from_value(default, span),
        (None, None) => Node { value: Tree::Map(Vec::new()), span },
    };
    // Where each entry is: a map may get any number of parts.
    let mut places: Option<HashMap<String, usize>> = None;
    for part in parts {
        let node = evaluated(part).into_owned();
        let Tree::Map(entries) = &mut whole.value else {
            put(&mut whole, &part.part, node);
            continue;
        };
        let places = places.get_or_insert_with(|| {
            entries.iter().enumerate().map(|(index, (key, _))| (key.name.clone(), index)).collect()
        });
        let path = part.part.strip_prefix('.').unwrap_or(&part.part);
        let (name, rest) = first_part(path, |name| places.contains_key(name));
        let place = *places.entry(name.to_owned()).or_insert(entries.len());
        if place == entries.len() {
            let key = Key { name: name.to_owned(), span: node.span };
            entries.push((key, Node { value: Tree::Null, span: node.span }));
        }
        put(&mut entries[place].1, rest, node);
    }
    Cow::Owned(whole)
}

/// The strongest whole value, and the parts that stronger layers give.
fn base_and_parts<'g, 'a>(given: &'g [Given<'a>]) -> (Option<&'g Given<'a>>, &'g [Given<'a>]) {
    let base = given.iter().rposition(|given| given.part.is_empty());
    (base.map(|base| &given[base]), &given[base.map_or(0, |base| base + 1)..])
}

/// The entry of a map that a path begins with, and the rest of the path: `a.b` may be an entry of that name as well as
/// `b` in the entry `a`.
fn first_part(path: &str, is_there: impl Fn(&str) -> bool) -> (&str, &str) {
    let ends = std::iter::once(path.len()).chain(path.rmatch_indices('.').map(|(at, _)| at));
    let known = ends.map(|end| path.split_at(end)).find(|(name, _)| is_there(name));
    known.unwrap_or_else(|| path.split_at(path.find('.').unwrap_or(path.len())))
}

/// Puts a value at the place that `.a.0.b` names, making maps on the way. What is in the way of a map is replaced.
fn put(node: &mut Node, path: &str, value: Node) {
    let Some(path) = path.strip_prefix('.') else {
        *node = value;
        return;
    };
    let (name, rest) = path.split_at(path.find('.').unwrap_or(path.len()));
    if let (Tree::List(items), Ok(index)) = (&mut node.value, name.parse::<usize>())
        && let Some(item) = items.get_mut(index)
    {
        return put(item, rest, value);
    }
    if !matches!(node.value, Tree::Map(_)) {
        node.value = Tree::Map(Vec::new());
    }
    let Tree::Map(entries) = &mut node.value else { return };
    let (name, rest) = first_part(path, |name| entries.iter().any(|(key, _)| key.name == name));
    let at = entries.iter().position(|(key, _)| key.name == name).unwrap_or_else(|| {
        let key = Key { name: name.to_owned(), span: value.span };
        entries.push((key, Node { value: Tree::Null, span: value.span }));
        entries.len() - 1
    });
    put(&mut entries[at].1, rest, value);
}

/// What to say of a design directory that a configuration names: nothing if it is the one in use, as in a configuration
/// that OpenLane wrote.
fn other_design_dir(item: &Item<'_>, dir: &str, key: Span, node: &Node) -> Option<Diagnostic> {
    let dir = Path::new(dir);
    let is_same = match &node.value {
        Tree::Null => true,
        Tree::Str(text) => {
            let named = dir.join(text);
            let real = |path: &Path| path.canonicalize().ok();
            paths::normalise(&named) == paths::normalise(dir)
                || real(&named).is_some_and(|named| real(dir) == Some(named))
        }
        _ => false,
    };
    if is_same {
        return None;
    }
    let message = "`DESIGN_DIR` cannot be set by a configuration";
    let diagnostic = match item.source {
        ConfigSource::CommandLine | ConfigSource::Override => Diagnostic::error(message),
        _ => Diagnostic::warning(message),
    };
    let help = format!(
        "it is `{}`, that of the last configuration file unless `--design-dir DIR` says otherwise",
        dir.display()
    );
    Some(diagnostic.at(key, "has no effect").help(help))
}

struct Gatherer<'a, 'd> {
    schema: &'a Schema,
    design_dir: Option<String>,
    given: HashMap<&'a str, Vec<Given<'a>>>,
    diagnostics: &'d mut Vec<Diagnostic>,
}

impl<'a> Gatherer<'a, '_> {
    fn place(&mut self, index: usize, item: &'a Item<'a>, name: Cow<'a, str>, key: Span, node: &'a Node) {
        if name.matches('.').count() > MAX_DEPTH {
            return self.diagnostics.push(too_deep(key));
        }
        if let Some(variable) = self.schema.get(&name) {
            return self.give(index, item, variable, node, String::new(), key);
        }
        if let Some(variable) = self.schema.formerly(&name) {
            self.diagnostics.push(
                Diagnostic::warning(format!("`{name}` is a former name of `{}`", variable.name))
                    .at(key, format!("write `{}`", variable.name)),
            );
            return self.give(index, item, variable, node, String::new(), key);
        }
        if self.schema.is_group(&name) {
            return match &node.value {
                Tree::Map(entries) => {
                    for (key, node) in entries.iter().filter(|(key, _)| !is_comment(&key.name)) {
                        self.place(index, item, Cow::Owned(format!("{name}.{}", key.name)), key.span, node);
                    }
                }
                Tree::Null => {}
                _ => self.diagnostics.push(
                    Diagnostic::error(format!("`{name}` must be a map, not {}", node.kind()))
                        .at(node.span, "expected a map"),
                ),
            };
        }
        // `CLOCKS.clk` is an entry of the map `CLOCKS`.
        if let Some((variable, entry)) = self.schema.find(&name) {
            return self.give(index, item, variable, node, entry.to_owned(), key);
        }
        let diagnostic = match &self.design_dir {
            Some(dir) if name == DESIGN_DIR => other_design_dir(item, dir, key, node),
            _ => self.unknown(item, &name, key),
        };
        self.diagnostics.extend(diagnostic);
    }

    fn give(
        &mut self,
        index: usize,
        item: &'a Item<'a>,
        variable: &'a Variable,
        node: &'a Node,
        part: String,
        key: Span,
    ) {
        if let Role::Derived { from } = &variable.role {
            let from: Vec<String> = from.iter().map(|name| format!("`{name}`")).collect();
            self.diagnostics.push(
                Diagnostic::error(format!("`{}` is derived and cannot be set", variable.name))
                    .at(key, "set here")
                    .help(format!("set {} instead", from.join(" or "))),
            );
            return;
        }
        let Item { source, layer, typing, .. } = *item;
        self.given.entry(variable.name.as_ref()).or_default().push(Given {
            item: index,
            source,
            layer,
            typing,
            key,
            node: Cow::Borrowed(node),
            part,
        });
    }

    /// Replaces what is given for deprecated variables by what it means today.
    fn translate(&mut self, references: &mut References<'a>, typed: &mut Typed<'_>) {
        for variable in self.schema.iter() {
            let Role::Deprecated(translation) = &variable.role else { continue };
            let Some(given) = self.given.remove(variable.name.as_ref()) else { continue };
            let Some(strongest) = given.last() else { continue };
            let (index, key, span) = (strongest.item, strongest.key, strongest.node.span);
            let node = value(variable, &given, references);
            let Some(value) = typed(variable, &node, strongest.typing) else { continue };
            let today = match translation(&value) {
                Ok(today) => today,
                Err(reason) => {
                    let message = format!("deprecated `{}`: {reason}", variable.name);
                    self.diagnostics.push(Diagnostic::error(message).at(span, "cannot be translated"));
                    continue;
                }
            };
            let settings: Vec<String> = today.iter().map(|(name, value)| format!("`{name}: {value}`")).collect();
            let settings = if settings.is_empty() { "nothing".to_owned() } else { settings.join(", ") };
            self.diagnostics.push(
                Diagnostic::warning(format!("`{}` is deprecated", variable.name)).at(key, format!("write {settings}")),
            );
            for (name, value) in today {
                // A field of a nested struct is translated to fields beside it, or to what is around the struct.
                let groups = variable.name.match_indices('.').map(|(at, _)| &variable.name[..=at]).rev().chain([""]);
                let meant = groups.into_iter().find_map(|group| self.schema.get(&format!("{group}{name}")));
                let Some(variable) = meant else { continue };
                let given = self.given.entry(variable.name.as_ref()).or_default();
                let above = given.partition_point(|given| given.item < index);
                given.insert(
                    above,
                    Given {
                        item: index,
                        source: strongest.source,
                        layer: strongest.layer,
                        typing: Typing::Strict,
                        key,
                        node: Cow::Owned(Node::from_value(&value, span)),
                        part: String::new(),
                    },
                );
            }
        }
    }

    fn unknown(&self, item: &Item<'_>, name: &str, key: Span) -> Option<Diagnostic> {
        match self.schema.elsewhere(name) {
            // The project's file is for all flows.
            Some(_) if item.source == ConfigSource::Project => return None,
            Some(Elsewhere::OtherFlow) => {
                return Some(
                    Diagnostic::warning(format!("no step of this flow reads `{name}`")).at(key, "has no effect here"),
                );
            }
            Some(Elsewhere::Removed(reason)) => {
                let warning = Diagnostic::warning(format!("there is no variable `{name}` any more"));
                return Some(warning.at(key, "has no effect").help(reason.into_owned()));
            }
            None => {}
        }
        let message = format!("unknown variable `{name}`");
        let by_file = !matches!(item.source, ConfigSource::CommandLine | ConfigSource::Override);
        let diagnostic = match item.typing {
            Typing::Permissive if by_file => Diagnostic::warning(message),
            _ => Diagnostic::error(message),
        };
        if name.starts_with("meta.") {
            let diagnostic = diagnostic.at(key, "only a file has `meta`");
            return Some(diagnostic.help("a file names its flow in the map `meta`, a command line with `--flow NAME`"));
        }
        let diagnostic = diagnostic.at(key, "the flow has no such variable");
        if self.diagnostics.len() >= suggest::MOST {
            return Some(diagnostic);
        }
        Some(match self.meant(name) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        })
    }

    /// The variable that is probably meant: one of a name like it, or one whose last part is like the last part.
    fn meant(&self, name: &str) -> Option<&str> {
        let names = || self.schema.iter().map(|variable| variable.name.as_ref());
        if let Some(near) = suggest::nearest(name, names().chain(RESERVED)) {
            return Some(near);
        }
        let leaf = |name: &'a str| name.rsplit('.').next().unwrap_or(name);
        let near = suggest::nearest(name.rsplit('.').next().unwrap_or(name), names().map(leaf))?;
        names().find(|name| leaf(name) == near)
    }
}
