//! The sections and hooks that a PDK has for the steps of flows: their form in a manifest, and what is wrong with one. Which
//! steps there are, and what an address means, is for those to say who have them.

use std::path::Path;

use tapeout_model::Value;

use super::manifest::{map, string, unknown, wrong};
use crate::diagnostic::Diagnostic;
use crate::source::{SourceMap, Span};
use crate::suggest;
use crate::tree::{Key, Node, Tree};
use crate::types::Type;
use crate::variable::Variable;

/// A section or a hook of a PDK, as its manifest has it.
#[derive(Clone, Debug)]
pub struct PdkHook {
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub doc: String,
    /// Whether it is a section beside those of the steps, of `[[sections]]`.
    pub is_section: bool,
    /// What it does with its target: `before`, `post_persistent`.
    pub kind: &'static str,
    /// Its target as it is written: `STEP/section`.
    pub at: String,
    /// Where that is written.
    pub at_span: Span,
    /// The tool that a step must use.
    pub tool: Option<String>,
    /// What it adds to a script; nothing where it only takes something out.
    pub text: Option<String>,
    /// Whether it acts only where a configuration asks for it.
    pub published: bool,
    /// What a configuration may say that asks for it.
    pub parameters: Vec<Variable>,
    /// Where it is written: `pdk.toml:12:3`.
    pub origin: String,
}

/// An entry of `[[sections]]` or `[[hooks]]`.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Without its text, where that is in a file.
    hook: PdkHook,
    span: Span,
    /// The file of the text, below the directory of the PDK.
    file: Option<(String, Span)>,
}

/// What a hook can do, as entries of the manifest. Sections stand before or after something.
const KINDS: [&str; 7] = ["before", "after", "replace", "remove", "persistent", "pre_persistent", "post_persistent"];
const OF_SECTIONS: usize = 2;

/// The types that a parameter can have, by the words that lists of variables have for them.
fn types() -> Vec<Type> {
    let plain = [Type::Bool, Type::Int, Type::Decimal, Type::Str];
    plain.iter().cloned().chain(plain.iter().cloned().map(Type::list)).collect()
}

impl Entry {
    /// The hook with its text. The texts of files are kept in `sources`.
    pub(crate) fn hook(&self, dir: &Path, sources: &mut SourceMap) -> Result<PdkHook, Diagnostic> {
        let mut hook = self.described(sources);
        if let Some((file, span)) = &self.file {
            let read = crate::read::read_text(&dir.join(file), "the text of a hook", sources);
            let id = read.map_err(|diagnostic| diagnostic.at(*span, "named here"))?;
            hook.text = Some(sources.text(id).to_string());
        }
        Ok(hook)
    }

    /// The hook as far as the manifest has it.
    pub(crate) fn described(&self, sources: &SourceMap) -> PdkHook {
        PdkHook { origin: sources.location(self.span).to_string(), ..self.hook.clone() }
    }
}

/// The entries of `[[sections]]` or `[[hooks]]`.
pub(crate) fn entries(node: &Node, are_sections: bool) -> Result<Vec<Entry>, Diagnostic> {
    let what = if are_sections { "sections" } else { "hooks" };
    let Tree::List(items) = &node.value else {
        return Err(
            wrong(node, &format!("`{what}`"), "a list of tables").help(format!("each begins with `[[{what}]]`"))
        );
    };
    items.iter().map(|item| entry(item, are_sections)).collect()
}

/// No two published hooks have one name, by which configurations ask for them.
pub(crate) fn check_names(entries: &[Entry]) -> Result<(), Diagnostic> {
    for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.hook.published) {
        let twin = |other: &&Entry| other.hook.published && other.hook.name == entry.hook.name;
        if let Some(other) = entries[..index].iter().find(twin) {
            let name = &entry.hook.name;
            return Err(Diagnostic::error(format!("the hook `{name}` is published twice"))
                .at(entry.span, "here")
                .also(other.span, "and here")
                .help("configurations ask for it by its name; an address such as `Magic.*/read` names several steps"));
        }
    }
    Ok(())
}

fn entry(node: &Node, is_section: bool) -> Result<Entry, Diagnostic> {
    let what = if is_section { "a section" } else { "a hook" };
    let kinds = if is_section { &KINDS[..OF_SECTIONS] } else { &KINDS[..] };
    let one_of = || format!("one of {} names its place", quoted(kinds));
    let mut hook = PdkHook {
        name: String::new(),
        doc: String::new(),
        is_section,
        kind: "",
        at: String::new(),
        at_span: node.span,
        tool: None,
        text: None,
        published: false,
        parameters: Vec::new(),
        origin: String::new(),
    };
    let mut file = None;
    for (key, node) in map(node, what)? {
        let word = key.name.as_str();
        match word {
            "name" => hook.name = name(node)?,
            "doc" => hook.doc = string(node, word)?,
            "tool" => hook.tool = Some(string(node, word)?),
            "text" => hook.text = Some(string(node, word)?),
            "file" => file = Some((string(node, word)?, node.span)),
            "publish" if !is_section => hook.published = boolean(node, word)?,
            "parameters" if !is_section => hook.parameters = parameters(node)?,
            _ => match kinds.iter().find(|kind| **kind == word) {
                Some(kind) if hook.kind.is_empty() => {
                    (hook.kind, hook.at, hook.at_span) = (kind, string(node, word)?, node.span);
                }
                Some(_) => {
                    return Err(Diagnostic::error(format!("{what} is both `{}` and `{word}`", hook.kind))
                        .at(hook.at_span, "here")
                        .also(key.span, "and here")
                        .help(one_of()));
                }
                None => {
                    let more = if is_section { &[][..] } else { &["publish", "parameters"] };
                    let known = [&["name", "doc", "tool", "text", "file"], more, kinds].concat();
                    return Err(unknown(key, what, &known));
                }
            },
        }
    }
    let fault = |message: &str| Diagnostic::error(format!("{what} {message}")).at(node.span, "this one");
    let has_text = hook.text.is_some() || file.is_some();
    if hook.kind.is_empty() {
        return Err(fault("has no place").help(one_of()));
    }
    if hook.text.is_some() && file.is_some() {
        return Err(fault("has both `text` and `file`").help("`file` names a file with the text"));
    }
    if hook.kind == "remove" && has_text {
        return Err(fault("that takes something out has a text").help("`replace` puts a text in the place of another"));
    }
    if hook.kind != "remove" && !has_text {
        return Err(fault("has nothing to put there").help("`text` or `file` has what the script gets"));
    }
    if hook.name.is_empty() && (hook.kind != "remove" || hook.published) {
        return Err(fault("has no name").help("`name = \"…\"`"));
    }
    if !hook.parameters.is_empty() && !hook.published {
        return Err(fault("has parameters that nobody can set")
            .help("with `publish = true`, configurations ask for it and set them"));
    }
    Ok(Entry { hook, span: node.span, file })
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn name(node: &Node) -> Result<String, Diagnostic> {
    let name = string(node, "name")?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(Diagnostic::error(format!("`{name}` cannot be the name of a section or a hook"))
            .at(node.span, "letters, digits, `_` and `-` only"));
    }
    Ok(name)
}

fn boolean(node: &Node, what: &str) -> Result<bool, Diagnostic> {
    match node.value {
        Tree::Bool(value) => Ok(value),
        _ => Err(wrong(node, &format!("`{what}`"), "a boolean")),
    }
}

fn parameters(node: &Node) -> Result<Vec<Variable>, Diagnostic> {
    let entries = map(node, "`parameters`")?;
    entries.iter().map(|(key, node)| parameter(key, node)).collect()
}

fn parameter(name: &Key, node: &Node) -> Result<Variable, Diagnostic> {
    let what = format!("the parameter `{}`", name.name);
    let (mut ty, mut default, mut doc) = (None, None, String::new());
    for (key, node) in map(node, &what)? {
        match key.name.as_str() {
            "type" => ty = Some(type_of(node)?),
            "choices" => {
                let Tree::List(items) = &node.value else { return Err(wrong(node, "`choices`", "a list of strings")) };
                let words: Vec<String> =
                    items.iter().map(|item| string(item, "choices")).collect::<Result<_, Diagnostic>>()?;
                ty = Some(Type::choice(words));
            }
            "default" => default = Some(node),
            "doc" => doc = string(node, "doc")?,
            _ => return Err(unknown(key, &what, &["type", "choices", "default", "doc"])),
        }
    }
    let Some(ty) = ty else {
        return Err(Diagnostic::error(format!("{what} has no type"))
            .at(name.span, "this one")
            .help("`type = \"decimal\"`, or `choices = [\"…\", \"…\"]`"));
    };
    let mut variable = Variable::new(name.name.clone(), ty, doc);
    if let Some(node) = default {
        let value: Option<Value> = variable.ty.default_value(node.to_value());
        let Some(value) = value else {
            return Err(Diagnostic::error(format!(
                "the default of {what} must be {}, not {}",
                variable.ty.one(),
                node.kind()
            ))
            .at(node.span, "this one"));
        };
        variable = variable.default(value);
    }
    Ok(variable)
}

fn type_of(node: &Node) -> Result<Type, Diagnostic> {
    let word = string(node, "type")?;
    let all = types();
    if let Some(ty) = all.iter().find(|ty| ty.to_string() == word) {
        return Ok(ty.clone());
    }
    let words: Vec<String> = all.iter().map(Type::to_string).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let error = Diagnostic::error(format!("there is no type `{word}`")).at(node.span, "no such type");
    Err(match suggest::nearest(&word, words.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("there are {}", quoted(&words))),
    })
}
