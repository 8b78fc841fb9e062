//! The language inside of values: `ref::`, `refg::`, `dir::`, `pdk_dir::` and `expr::`. Owns what a name means at a place;
//! expressions themselves are in `expr`, and what a pattern matches is found when its variable is typed.
//!
//! Within one file a name means what stands above the place, as in OpenLane. A layer that is stronger than the file
//! replaces what the file gives, also for what refers to it: with `-c CLOCK_PERIOD=5`, `expr::$CLOCK_PERIOD / 2` is 2.5
//! wherever it stands. A value that refers to its own name means the value that it replaces.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use tapeout_model::Decimal;

use crate::diagnostic::Diagnostic;
use crate::expr;
use crate::layer::Item;
use crate::meta::Typing;
use crate::source::Span;
use crate::suggest;
use crate::tree::{MAX_DEPTH, Node, Tree};

/// References that follow references, before it is called a fault.
const MAX_HOPS: usize = 100;

/// The prefixes of values that are worked out.
const PREFIXES: [&str; 5] = ["ref::", "refg::", "dir::", "pdk_dir::", "expr::"];

/// The name of the directory that paths start from.
pub(crate) const DESIGN_DIR: &str = "DESIGN_DIR";

/// Whether the text is worked out and not taken as it stands.
pub(crate) fn is_reference(text: &str) -> bool {
    PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

/// Whether what the value comes to may depend on other values, which references name behind a `$`.
pub(crate) fn may_refer(node: &Node) -> bool {
    match &node.value {
        Tree::Str(text) => text.contains('$'),
        Tree::List(items) => items.iter().any(may_refer),
        Tree::Map(entries) => entries.iter().any(|(_, value)| may_refer(value)),
        _ => false,
    }
}

/// Evaluates the values of one configuration.
pub(crate) struct References<'a> {
    items: &'a [Item<'a>],
    by_name: HashMap<&'a str, Vec<usize>>,
    /// Names that every configuration has: `DESIGN_DIR`, and those of the PDK.
    fixed: Vec<(&'static str, String)>,
    /// What references were worked out to, by item and place; nothing where that failed.
    made: HashMap<(usize, Span), Option<Tree>>,
    /// The references that are being worked out, each for the one before it.
    open: Vec<Hop>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

struct Hop {
    item: usize,
    span: Span,
}

/// A fault that has been noted.
struct Noted;

/// A value found under a name.
struct Found<'a> {
    item: usize,
    node: &'a Node,
}

enum Lookup<'a> {
    Fixed(String),
    Found(Found<'a>),
    Missing(Diagnostic),
}

impl<'a> References<'a> {
    pub(crate) fn new(items: &'a [Item<'a>], fixed: Vec<(&'static str, String)>) -> Self {
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, item) in items.iter().enumerate() {
            by_name.entry(item.name.as_ref()).or_default().push(index);
        }
        Self { items, by_name, fixed, made: HashMap::new(), open: Vec::new(), diagnostics: Vec::new() }
    }

    /// The value of a node of an item with its references worked out. Of those that cannot be, the reason is noted.
    pub(crate) fn evaluate(&mut self, item: usize, node: &'a Node) -> Cow<'a, Node> {
        let made = |value| Cow::Owned(Node { value, span: node.span });
        match &node.value {
            Tree::Str(text) if is_reference(text) => made(self.references(item, text, node.span)),
            Tree::List(items) => {
                let parts: Vec<_> = items.iter().map(|part| self.evaluate(item, part)).collect();
                if parts.iter().all(|part| matches!(part, Cow::Borrowed(_))) {
                    return Cow::Borrowed(node);
                }
                made(Tree::List(parts.into_iter().map(Cow::into_owned).collect()))
            }
            Tree::Map(entries) => {
                let parts: Vec<_> = entries.iter().map(|(_, part)| self.evaluate(item, part)).collect();
                if parts.iter().all(|part| matches!(part, Cow::Borrowed(_))) {
                    return Cow::Borrowed(node);
                }
                let keys = entries.iter().map(|(key, _)| key.clone());
                made(Tree::Map(keys.zip(parts.into_iter().map(Cow::into_owned)).collect()))
            }
            _ => Cow::Borrowed(node),
        }
    }

    /// In the first version of configurations, several paths may stand in one text: `dir::a.v dir::b.v`.
    fn references(&mut self, item: usize, text: &str, span: Span) -> Tree {
        let many = self.items[item].typing == Typing::Permissive
            && text.split_whitespace().count() > 1
            && text.split_whitespace().all(|word| is_reference(word) && !word.starts_with("expr::"));
        let made = self.once(item, span, |this| match many {
            true => {
                let paths = text.split_whitespace().map(|word| {
                    let value = this.work_out(item, word, span).unwrap_or(Tree::Faulty);
                    Node { value, span }
                });
                Ok(Tree::List(paths.collect()))
            }
            false => this.work_out(item, text, span),
        });
        made.unwrap_or(Tree::Faulty)
    }

    /// Works the value of a place out when it is first asked for, unless it is being worked out already.
    fn once(
        &mut self,
        item: usize,
        span: Span,
        work_out: impl FnOnce(&mut Self) -> Result<Tree, Noted>,
    ) -> Result<Tree, Noted> {
        if let Some(made) = self.made.get(&(item, span)) {
            return made.clone().ok_or(Noted);
        }
        if let Some(first) = self.open.iter().position(|hop| hop.item == item && hop.span == span) {
            let diagnostic = self.cycle(first);
            return Err(self.note(diagnostic));
        }
        if self.open.len() >= MAX_HOPS {
            let diagnostic = Diagnostic::error(format!("references follow each other more than {MAX_HOPS} times"));
            return Err(self.note(diagnostic.at(span, "the last of them")));
        }
        self.open.push(Hop { item, span });
        let made = work_out(self);
        self.open.pop();
        self.made.insert((item, span), made.as_ref().ok().cloned());
        made
    }

    fn work_out(&mut self, item: usize, text: &str, span: Span) -> Result<Tree, Noted> {
        if let Some(expression) = text.strip_prefix("expr::") {
            return self.expression(item, expression, span);
        }
        if let Some(below) = text.strip_prefix("dir::") {
            return Ok(in_design_dir(below.trim_start_matches('/')));
        }
        if let Some(below) = text.strip_prefix("pdk_dir::") {
            let Some(pdk) = self.fixed("PDKPATH") else {
                let diagnostic =
                    Diagnostic::error("`pdk_dir::` stands for `$PDKPATH`, and no PDK is chosen").at(span, "used here");
                return Err(self.note(diagnostic.help("choose one with `--pdk NAME` and `--pdk-root DIR`")));
            };
            return Ok(Tree::Pattern(format!("{pdk}/{below}")));
        }
        let (prefix, reference) = match text.strip_prefix("refg::") {
            Some(reference) => ("refg::", reference),
            None => ("ref::", text.strip_prefix("ref::").unwrap_or(text)),
        };
        let Some((name, rest)) = leading_name(reference) else {
            let diagnostic =
                Diagnostic::error(format!("`{text}` refers to nothing")).at(span, "expected `$` and a name");
            return Err(self.note(diagnostic.help(format!("write for instance `{prefix}$DESIGN_DIR/src`"))));
        };
        let (found, of) = match self.lookup(item, name, span) {
            Lookup::Fixed(text) => (Tree::Str(text), None),
            Lookup::Missing(diagnostic) => return Err(self.note(diagnostic)),
            Lookup::Found(found) => (self.scalar(&found)?, Some(found.node)),
        };
        match found {
            Tree::Null => Ok(Tree::Null),
            Tree::Str(_) if prefix == "refg::" && name == DESIGN_DIR => Ok(in_design_dir(rest.trim_start_matches('/'))),
            // The same reference further on means the same, as in OpenLane; another one is text.
            Tree::Str(start) => {
                let rest = rest.replace(&format!("${name}"), &start);
                Ok(if prefix == "refg::" { Tree::Pattern(start + &rest) } else { Tree::Str(start + &rest) })
            }
            other => {
                let kind = Node { value: other, span }.kind();
                let mut diagnostic =
                    Diagnostic::error(format!("`{prefix}` takes text, and `{name}` is {kind}")).at(span, "used here");
                if let Some(node) = of {
                    diagnostic = diagnostic.also(node.span, kind);
                }
                let is_number = matches!(of.map(|node| &node.value), Some(Tree::Int(_) | Tree::Decimal(_)));
                let by_expression =
                    is_number || of.is_some_and(|node| matches!(&node.value, Tree::Str(t) if t.starts_with("expr::")));
                Err(self.note(if by_expression {
                    diagnostic.help(format!("for a number write `expr::${name}`"))
                } else {
                    diagnostic
                }))
            }
        }
    }

    fn expression(&mut self, item: usize, expression: &str, span: Span) -> Result<Tree, Noted> {
        // Where the text is written as it is, but for quotes, its parts have places of their own.
        let written = "expr::".len() + expression.len();
        let quote = match (span.end - span.start).checked_sub(written) {
            Some(0) => Some(0),
            Some(2) => Some(1),
            _ => None,
        };
        let place = |range: Range<usize>| match quote {
            Some(quote) => {
                let start = span.start + quote + "expr::".len();
                Span::new(span.file, start + range.start, start + range.end)
            }
            None => span,
        };
        match expr::evaluate(expression, |name, range| self.number(item, name, span, place(range))) {
            Ok(value) => Ok(Tree::Decimal(value)),
            Err(expr::Error::Lookup(Noted)) => Err(Noted),
            Err(expr::Error::Fault(fault)) => {
                let diagnostic = Diagnostic::error(fault.message).at(place(fault.range), fault.label);
                Err(self.note(match fault.help {
                    Some(help) => diagnostic.help(help),
                    None => diagnostic,
                }))
            }
        }
    }

    fn number(&mut self, item: usize, name: &str, span: Span, at: Span) -> Result<Decimal, Noted> {
        let found = match self.lookup(item, name, span) {
            Lookup::Missing(diagnostic) => return Err(self.note(diagnostic)),
            Lookup::Fixed(_) => (Tree::Str(String::new()), None),
            Lookup::Found(found) => (self.scalar(&found)?, Some(found.node.span)),
        };
        match found {
            (Tree::Int(value), _) => Ok(value.into()),
            (Tree::Decimal(value), _) => Ok(value),
            (Tree::Bool(value), _) => Ok(i64::from(value).into()),
            (other, of) => {
                let is_number = |c: char| c.is_ascii_digit() || c == '.';
                let has_unit =
                    matches!(&other, Tree::Str(text) if text.starts_with(is_number) && !text.ends_with(is_number));
                let kind = Node { value: other, span }.kind();
                let message = format!("an expression takes numbers, and `{name}` is {kind}");
                let diagnostic = Diagnostic::error(message).at(at, "used here");
                let diagnostic = match of {
                    Some(of) => diagnostic.also(of, kind),
                    None => diagnostic,
                };
                Err(self.note(match has_unit {
                    true => {
                        diagnostic.help("an expression sees what is written: write the number alone, without a unit")
                    }
                    false => diagnostic,
                }))
            }
        }
    }

    /// The value found, worked out. Lists and maps, which no reference takes, are left as they are: their parts may have
    /// references of their own, without end.
    fn scalar(&mut self, found: &Found<'a>) -> Result<Tree, Noted> {
        match &found.node.value {
            Tree::List(_) => Ok(Tree::List(Vec::new())),
            Tree::Map(_) => Ok(Tree::Map(Vec::new())),
            _ => match self.evaluate(found.item, found.node).into_owned().value {
                Tree::Faulty => Err(Noted),
                value => Ok(value),
            },
        }
    }

    /// What a name means for the reference at `span` in `item`.
    fn lookup(&self, item: usize, name: &str, span: Span) -> Lookup<'a> {
        if let Some(text) = self.fixed(name) {
            return Lookup::Fixed(text.to_owned());
        }
        let mut below = None;
        // `a.b` may be an entry of that name as well as `b` in the entry `a`.
        for (start, rest) in prefixes(name) {
            let Some(positions) = self.by_name.get(start) else { continue };
            if let Some(found) = self.within(item, start, positions, rest, span) {
                return Lookup::Found(found);
            }
            let nowhere_above = |position: &&usize| self.items[**position].layer == self.items[item].layer;
            below = below.or(positions.iter().rfind(nowhere_above).map(|position| (start, *position)));
        }
        let missing = Diagnostic::error(format!("there is no value `{name}` to refer to")).at(span, "refers to it");
        if let Some((start, position)) = below.filter(|(_, position)| *position > item) {
            return Lookup::Missing(match self.returns(item, position) {
                Some(hops) => self.circle(item, span, &hops),
                None => Diagnostic::error(format!("`{start}` is given only below"))
                    .at(span, "refers to it")
                    .also(self.items[position].key_span, "given here")
                    .help("a reference sees what stands above it: move one of the two"),
            });
        }
        if self.diagnostics.len() >= suggest::MOST {
            return Lookup::Missing(missing);
        }
        let names = self.by_name.keys().copied().chain(self.fixed.iter().map(|(name, _)| *name));
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        Lookup::Missing(match suggest::nearest(name, names) {
            Some(near) => missing.help(format!("did you mean `${near}`?")),
            None => missing.help("a reference sees the values that configurations give, not defaults"),
        })
    }

    /// The strongest value of the name that the item may see, with the part that `rest` names.
    fn within(&self, item: usize, name: &str, positions: &[usize], rest: &str, span: Span) -> Option<Found<'a>> {
        let own = &self.items[item];
        let visible = |position: &&usize| {
            if own.name == name {
                **position < item
            } else {
                self.items[**position].layer != own.layer || **position < item
            }
        };
        // Parts of the very value that stand before the place.
        if own.name == name
            && let Some(node) = part(&own.node, rest).filter(|node| !rest.is_empty() && node.span.end <= span.start)
        {
            return Some(Found { item, node });
        }
        let strongest = positions.iter().rfind(visible)?;
        Some(Found { item: *strongest, node: part(&self.items[*strongest].node, rest)? })
    }

    /// The items by which references lead from `from`, which stands below, back to `to`.
    fn returns(&self, to: usize, from: usize) -> Option<Vec<usize>> {
        let mut seen = vec![from];
        let mut next = 0;
        let mut came_from = HashMap::new();
        while let Some(&item) = seen.get(next) {
            next += 1;
            for name in names_in(&self.items[item].node) {
                let start = prefixes(&name).find_map(|(start, _)| self.by_name.get(start));
                let Some(&position) = start.and_then(|positions| positions.last()) else { continue };
                if position == to {
                    let mut hops = vec![item];
                    while let Some(before) = came_from.get(hops.last().unwrap_or(&from)) {
                        hops.push(*before);
                    }
                    hops.reverse();
                    return Some(hops);
                }
                if !seen.contains(&position) && seen.len() < MAX_HOPS {
                    seen.push(position);
                    came_from.insert(position, item);
                }
            }
        }
        None
    }

    fn circle(&self, item: usize, span: Span, hops: &[usize]) -> Diagnostic {
        let names = hops.iter().map(|hop| format!("`{}`", self.items[*hop].name));
        let own = format!("`{}`", self.items[item].name);
        let way: Vec<String> = std::iter::once(own.clone()).chain(names).chain([own]).collect();
        let first =
            Diagnostic::error(format!("references go round in a circle: {}", way.join(" → "))).at(span, "begins here");
        hops.iter()
            .fold(first, |diagnostic, hop| diagnostic.also(self.items[*hop].node.span, "leads on"))
            .help("give one of them a value of its own")
    }

    fn cycle(&self, first: usize) -> Diagnostic {
        let hops = &self.open[first..];
        let mut way: Vec<String> = hops.iter().map(|hop| format!("`{}`", self.items[hop.item].name)).collect();
        way.extend(way.first().cloned());
        let mut diagnostic = Diagnostic::error(format!("references go round in a circle: {}", way.join(" → ")));
        for (index, hop) in hops.iter().enumerate() {
            diagnostic =
                if index == 0 { diagnostic.at(hop.span, "begins here") } else { diagnostic.also(hop.span, "leads on") };
        }
        diagnostic.help("give one of them a value of its own")
    }

    /// The value of a name that every configuration has.
    pub(crate) fn fixed(&self, name: &str) -> Option<&str> {
        self.fixed.iter().find(|(fixed, _)| *fixed == name).map(|(_, text)| text.as_str())
    }

    fn note(&mut self, diagnostic: Diagnostic) -> Noted {
        self.diagnostics.push(diagnostic);
        Noted
    }
}

/// Paths are relative to the design directory as it is.
fn in_design_dir(below: &str) -> Tree {
    Tree::Pattern(if below.is_empty() { ".".to_owned() } else { below.to_owned() })
}

/// `$A[0].b/rest` as the name and the rest.
fn leading_name(text: &str) -> Option<(&str, &str)> {
    let name = text.strip_prefix('$')?;
    if !name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic()) {
        return None;
    }
    let end = name.find(|c: char| !is_name(c)).unwrap_or(name.len());
    Some(name.split_at(end))
}

/// Whether the character may stand in a name that is referred to.
fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.[]".contains(c)
}

/// The ways to read `a.b[0].c`: as an entry of that name, as `c` in `a.b[0]`, as `[0].c` in `a.b`, as `b[0].c` in `a`.
/// A name of more parts than values have levels leads nowhere.
fn prefixes(name: &str) -> impl Iterator<Item = (&str, &str)> {
    let ends = name.match_indices(['.', '[']).map(|(at, _)| at).take(2 * MAX_DEPTH).collect::<Vec<_>>();
    std::iter::once(name.len()).chain(ends.into_iter().rev()).map(|end| name.split_at(end))
}

/// The part of a value that `.b[0]` or `.b.0` names; the value itself where nothing is named.
pub(crate) fn part<'n>(node: &'n Node, path: &str) -> Option<&'n Node> {
    if path.is_empty() {
        return Some(node);
    }
    match (&node.value, path.strip_prefix('.'), path.strip_prefix('[')) {
        (Tree::Map(entries), Some(path), _) => prefixes(path).find_map(|(name, rest)| {
            let (_, value) = entries.iter().find(|(key, _)| key.name == name)?;
            part(value, rest)
        }),
        (Tree::List(items), _, Some(path)) => {
            let (index, rest) = path.split_once(']')?;
            part(items.get(index.parse::<usize>().ok()?)?, rest)
        }
        // As options write it: `-c ARGS.0=x`.
        (Tree::List(items), Some(path), _) => {
            let (index, rest) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
            part(items.get(index.parse::<usize>().ok()?)?, rest)
        }
        _ => None,
    }
}

/// The names that a value's references mention.
fn names_in(node: &Node) -> Vec<String> {
    let mut names = Vec::new();
    let mut nodes = vec![node];
    while let Some(node) = nodes.pop() {
        match &node.value {
            Tree::Str(text) if is_reference(text) => {
                names.extend(
                    text.match_indices('$').filter_map(|(at, _)| Some(leading_name(&text[at..])?.0.to_owned())),
                );
            }
            Tree::List(items) => nodes.extend(items),
            Tree::Map(entries) => nodes.extend(entries.iter().map(|(_, value)| value)),
            _ => {}
        }
    }
    names
}
