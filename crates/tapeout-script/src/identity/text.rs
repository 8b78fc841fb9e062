//! What a module's text says: the names that it binds at its top level, and the tokens of its functions.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use starlark::codemap::{CodeMap, Span};
use starlark::syntax::{AstModule, Dialect};
use starlark_syntax::lexer::{Lexer, Token};
use starlark_syntax::syntax::ast::{AstLiteral, AstNoPayload, AstStmt, DefP, ExprP, ParameterP, StmtP};
use starlark_syntax::syntax::top_level_stmts::top_level_stmts;
use tapeout_model::Digest;
use tapeout_store::KeyHasher;

use super::mentions;

/// What a name stands for at the top level of a module.
#[derive(Debug)]
pub(crate) enum Binding {
    /// A function.
    Def(DefText),
    /// A name of another module.
    Load {
        /// Its id.
        module: Arc<str>,
        /// The name there.
        name: String,
    },
    /// Something else, bound once.
    Value,
    /// Several things, one after the other.
    Several,
}

/// The text of a function.
#[derive(Debug)]
pub(crate) struct DefText {
    pub(crate) name: String,
    pub(crate) params: Vec<ParamText>,
    /// Its documentation, without the indentation of the code.
    pub(crate) doc: String,
    /// The bytes of `name(params)`.
    pub(crate) signature: Range<usize>,
    /// A digest of its tokens.
    pub(super) tokens: Digest,
    /// The names of its module that it mentions.
    pub(super) mentions: Vec<String>,
}

/// A parameter of a function.
#[derive(Debug)]
pub(crate) struct ParamText {
    pub(crate) name: String,
    pub(crate) kind: ParamKind,
}

/// How arguments are given to a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParamKind {
    /// One value.
    One,
    /// Any number of them: `*args`, `**kwargs`, and the marks `*` and `/`.
    Several,
}

/// What a module's text says.
#[derive(Debug)]
pub(crate) struct ModuleText {
    pub(crate) doc: String,
    pub(crate) bindings: HashMap<String, Binding>,
    /// The modules that it loads.
    pub(crate) loads: Vec<Arc<str>>,
    /// A digest of all its tokens.
    pub(super) tokens: Digest,
}

fn range(span: Span) -> Range<usize> {
    span.begin().get() as usize..span.end().get() as usize
}

impl ModuleText {
    /// Reads the text of a module. `loads` are the ids of the modules that its `load` statements name, in order.
    pub(crate) fn new(ast: &AstModule, text: &str, dialect: &Dialect, loads: Vec<Arc<str>>) -> Self {
        let statements = top_level_stmts(ast.statement());
        let mut docs = HashSet::new();
        let doc = first_string(&statements).map(|(span, doc)| {
            docs.insert(span.begin().get() as usize);
            dedented(doc)
        });
        for statement in &statements {
            documented(statement, &mut docs);
        }
        let tokens = Tokens::new(text, dialect, &docs);
        let mut bindings = HashMap::new();
        let mut bind = |name: &str, binding: Binding| {
            bindings.entry(name.to_owned()).and_modify(|bound| *bound = Binding::Several).or_insert(binding);
        };
        let mut load = loads.iter();
        for statement in statements {
            match &statement.node {
                StmtP::Def(def) => {
                    bind(&def.name.node.ident, Binding::Def(def_text(def, range(statement.span), &tokens)))
                }
                StmtP::Load(names) => {
                    let Some(module) = load.next() else { continue };
                    for name in &names.args {
                        let theirs = name.their.node.clone();
                        bind(&name.local.node.ident, Binding::Load { module: Arc::clone(module), name: theirs });
                    }
                }
                StmtP::Assign(assign) => assign.lhs.visit_lvalue(|name| bind(&name.node.ident, Binding::Value)),
                // Within loops and conditions it takes the evaluation to know what is bound last.
                _ => {
                    let mut names = HashSet::new();
                    mentions::bound(statement, &mut names);
                    names.into_iter().for_each(|name| bind(name, Binding::Several));
                }
            }
        }
        let tokens = tokens.digest(0..text.len());
        Self { doc: doc.unwrap_or_default(), bindings, loads, tokens }
    }
}

fn def_text(def: &DefP<AstNoPayload>, at: Range<usize>, tokens: &Tokens) -> DefText {
    let params = def.params.iter().map(|param| ParamText {
        name: param.ident().map_or(String::new(), |name| name.node.ident.clone()),
        kind: match param.node {
            ParameterP::Normal(..) => ParamKind::One,
            _ => ParamKind::Several,
        },
    });
    DefText {
        name: def.name.node.ident.clone(),
        params: params.collect(),
        doc: first_string(&top_level_stmts(&def.body)).map_or(String::new(), |(_, doc)| dedented(doc)),
        signature: range(def.signature_span()),
        tokens: tokens.digest(at),
        mentions: mentions::mentions(def),
    }
}

/// The string that stands first in a body: its documentation.
fn first_string<'a>(statements: &[&'a AstStmt]) -> Option<(Span, &'a str)> {
    match &statements.first()?.node {
        StmtP::Expression(expr) => match &expr.node {
            ExprP::Literal(AstLiteral::String(text)) => Some((text.span, &text.node)),
            _ => None,
        },
        _ => None,
    }
}

/// Where the documentation of functions begins.
fn documented(statement: &AstStmt, docs: &mut HashSet<usize>) {
    if let StmtP::Def(def) = &statement.node
        && let Some((span, _)) = first_string(&top_level_stmts(&def.body))
    {
        docs.insert(span.begin().get() as usize);
    }
    statement.node.visit_stmt(|inner| documented(inner, docs));
}

/// A documentation text without the indentation of the code around it.
fn dedented(text: &str) -> String {
    let indent = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    let indent = indent.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let mut dedented = String::new();
    for (i, line) in text.lines().enumerate() {
        let line = if i == 0 { line.trim_start() } else { line.get(indent..).unwrap_or_default() };
        dedented.push_str(line.trim_end());
        dedented.push('\n');
    }
    dedented.trim().to_owned()
}

/// The tokens of a text, without what has no meaning: comments, documentation, blank lines.
struct Tokens(Vec<(usize, String)>);

impl Tokens {
    fn new(text: &str, dialect: &Dialect, docs: &HashSet<usize>) -> Self {
        let codemap = CodeMap::new(String::new(), text.to_owned());
        let mut tokens: Vec<(usize, String)> = Vec::new();
        let mut after_break = true;
        for (start, token, _) in Lexer::new(text, dialect, codemap).flatten() {
            match token {
                Token::Comment(_) => continue,
                Token::String(_) if docs.contains(&start) => continue,
                // Blank lines and the ends of comments are line breaks, too.
                Token::Newline if after_break => continue,
                Token::Indent | Token::Dedent | Token::Newline => after_break = true,
                _ => after_break = false,
            }
            let mut written = String::new();
            // Writing to a string cannot fail.
            let _ = match &token {
                Token::Bytes(bytes) => write!(written, "bytes {bytes:?}"),
                other => write!(written, "{other}"),
            };
            tokens.push((start, written));
        }
        Self(tokens)
    }

    /// A digest of those that begin within a range of bytes.
    fn digest(&self, range: Range<usize>) -> Digest {
        let from = self.0.partition_point(|(start, _)| *start < range.start);
        let to = self.0.partition_point(|(start, _)| *start < range.end);
        let mut within = &self.0[from..to.max(from)];
        // How a text ends depends on what follows it.
        while let Some(((_, "new line" | "end of indentation block"), rest)) =
            within.split_last().map(|((start, token), rest)| ((start, token.as_str()), rest))
        {
            within = rest;
        }
        let mut key = KeyHasher::new("starlark tokens");
        for (_, token) in within {
            key.text(token);
        }
        key.finish()
    }
}
