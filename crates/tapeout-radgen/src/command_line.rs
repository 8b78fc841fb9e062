//! The options of a command line as values under the names of the schema's fields. All that is wrong is noted.

use tapeout_config::{Diagnostic, Key, Node, Tree, Type, Variable};
use tapeout_model::Decimal;

use crate::options::{Found, Options, Words, is_given_by_users};
use crate::words::{Word, Written};

/// The options that are no fields: `--help`, `-h`, `--json`.
pub(crate) const OWN: [(&str, &str); 2] = [("help", "h"), ("json", "")];

/// What the options give, in the order of writing; of two values of a field the later wins.
pub(crate) fn entries(
    before: &[Word],
    written: &[Written],
    options: Options<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<(Key, Node)> {
    if let Some(word) = before.first() {
        diagnostics.push(
            Diagnostic::error(format!("`{}` belongs to no option", word.text))
                .at(word.span, "expected an option")
                .help("the subtools are named by `--subtools`, a configuration by `--top_config_fpath`"),
        );
    }
    let mut entries = Vec::new();
    for option in written {
        if OWN.iter().any(|(long, short)| option.is(long, short)) {
            if let Some(word) = option.values().next() {
                diagnostics.push(stray(option, word));
            }
            continue;
        }
        match option_entries(option, options) {
            Ok(found) => entries.extend(found),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    entries
}

fn option_entries(option: &Written, options: Options<'_>) -> Result<Vec<(Key, Node)>, Diagnostic> {
    let found = if option.long { options.long(&option.name) } else { options.short(&option.name) };
    let (fields, off) = match (found, option.name.strip_prefix("no-")) {
        (Found::Unknown, Some(name)) => match options.long(name) {
            Found::Fields(fields) => (fields, true),
            other => (fields_of(option, name, other, options)?, true),
        },
        (found, _) => (fields_of(option, &option.name, found, options)?, false),
    };
    let key = |variable: &Variable| Key { name: variable.name.clone().into_owned(), span: option.span };
    let entry = |variable| {
        let value = if off { without_value(option, variable)? } else { value(option, variable)? };
        Ok((key(variable), value))
    };
    fields.into_iter().map(entry).collect()
}

fn fields_of<'a>(
    option: &Written,
    name: &str,
    found: Found<'a>,
    options: Options<'a>,
) -> Result<Vec<&'a Variable>, Diagnostic> {
    let shown = option.shown();
    match found {
        Found::Fields(fields) => Ok(fields),
        Found::Ambiguous(fields) => {
            let names: Vec<_> = fields.iter().map(|variable| format!("`--{}`", variable.name)).collect();
            Err(Diagnostic::error(format!("`{shown}` is an option of more than one subtool"))
                .at(option.span, "of which?")
                .help(format!("write {}", names.join(" or "))))
        }
        Found::OtherSubtool(subtool) => {
            Err(Diagnostic::error(format!("`{shown}` is an option of {subtool}, which is not among the subtools"))
                .at(option.span, format!("an option of {subtool}"))
                .help(format!("name it: `--subtools {subtool}`")))
        }
        Found::Unknown => {
            let diagnostic =
                Diagnostic::error(format!("unknown option `{shown}`")).at(option.span, "there is no such option");
            let near = options.suggestions(name);
            Err(if near.is_empty() {
                diagnostic.help("`--help` lists the options")
            } else {
                let near: Vec<_> = near.iter().map(|name| format!("`{name}`")).collect();
                diagnostic.help(format!("did you mean {}?", near.join(" or ")))
            })
        }
    }
}

/// The error for a word that no option takes.
fn stray(option: &Written, word: &Word) -> Diagnostic {
    let (shown, text) = (option.shown(), &word.text);
    let has = if option.attached.is_some() { "has its value already" } else { "takes no value" };
    let diagnostic = Diagnostic::error(format!("`{text}` belongs to no option: `{shown}` {has}"))
        .at(word.span, "expected an option");
    match text.as_str() {
        "true" | "false" if option.attached.is_none() => diagnostic.help(format!("write `{shown}={text}`")),
        _ => diagnostic,
    }
}

/// The value of `--no-NAME`: false for a flag, none for what may be without one.
fn without_value(option: &Written, variable: &Variable) -> Result<Node, Diagnostic> {
    if let Some(word) = option.values().next() {
        return Err(stray(option, word));
    }
    let value = match variable.ty {
        Type::Bool => Tree::Bool(false),
        _ if variable.optional => Tree::Null,
        _ => {
            return Err(Diagnostic::error(format!("`{}`: `{}` always has a value", option.shown(), variable.name))
                .at(option.span, "nothing to take away"));
        }
    };
    Ok(Node { value, span: option.span })
}

fn value(option: &Written, variable: &Variable) -> Result<Node, Diagnostic> {
    let node = |word: &Word, ty: &Type| Node { value: tree(&word.text, ty, word), span: word.span };
    match (Words::of(variable), &option.attached, option.words.as_slice()) {
        (Words::None, None, []) => Ok(Node { value: Tree::Bool(true), span: option.span }),
        // What no user sets has a message of its own.
        (Words::None, None, _) if !is_given_by_users(variable) => {
            Ok(Node { value: Tree::Bool(true), span: option.span })
        }
        (Words::None, None, [word, ..]) | (Words::None | Words::One | Words::Many, Some(_), [word, ..]) => {
            Err(stray(option, word))
        }
        (Words::Many, Some(word), []) if word.text.starts_with('[') => Ok(node(word, &Type::map(Type::Str))),
        (Words::None | Words::One, Some(word), []) | (Words::One, None, [word]) => Ok(node(word, &variable.ty)),
        (Words::One, None, []) => Err(Diagnostic::error(format!("`{}` needs a value", option.shown()))
            .at(option.span, format!("expected {} after it", variable.ty))),
        (Words::One, None, [_, more, ..]) => {
            Err(Diagnostic::error(format!("`{}` takes one value, not {}", option.shown(), option.words.len()))
                .at(more.span, "belongs to no option"))
        }
        (Words::Many, attached, words) => {
            let item = match &variable.ty {
                Type::List(item) => item,
                other => other,
            };
            let items: Vec<Node> = attached.iter().chain(words).map(|word| node(word, item)).collect();
            let last = items.last().map_or(option.span, |node| node.span);
            let span = items
                .first()
                .map_or(option.span, |first| tapeout_config::Span::new(last.file, first.span.start, last.end));
            Ok(Node { value: Tree::List(items), span })
        }
    }
}

/// A word as a value of the type. What cannot be one is left as text, about which typing will complain.
fn tree(text: &str, ty: &Type, word: &Word) -> Tree {
    let as_text = || Tree::Str(text.to_owned());
    match ty {
        Type::Optional(item) => tree(text, item, word),
        Type::Bool => text.parse().map_or_else(|_| as_text(), Tree::Bool),
        Type::Int | Type::Decimal => number(text).unwrap_or_else(as_text),
        Type::Str | Type::Path | Type::Dir | Type::NewPath | Type::Choice(_) => as_text(),
        // Structures are written as JSON.
        _ => match serde_json::from_str(text) {
            Ok(json) => from_json(json, word),
            Err(_) => as_text(),
        },
    }
}

fn number(text: &str) -> Option<Tree> {
    let whole = text.parse().ok().map(Tree::Int);
    whole.or_else(|| text.parse::<Decimal>().ok().map(Tree::Decimal))
}

fn from_json(json: serde_json::Value, word: &Word) -> Tree {
    use serde_json::Value as Json;
    let node = |json| Node { value: from_json(json, word), span: word.span };
    match json {
        Json::Null => Tree::Null,
        Json::Bool(value) => Tree::Bool(value),
        Json::Number(value) => number(&value.to_string()).unwrap_or_else(|| Tree::Str(value.to_string())),
        Json::String(text) => Tree::Str(text),
        Json::Array(items) => Tree::List(items.into_iter().map(node).collect()),
        Json::Object(entries) => {
            let entry = |(name, value)| (Key { name, span: word.span }, node(value));
            Tree::Map(entries.into_iter().map(entry).collect())
        }
    }
}
