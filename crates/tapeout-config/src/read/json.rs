//! JSON, with comments and trailing commas, which other flows' configurations have.

use jsonc_parser::ast::{ObjectPropName, Value};
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::number;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};
use crate::tree::{Entries, Key, MAX_DEPTH, Node, Tree, too_deep};

pub(super) fn parse(text: &str, file: FileId) -> Result<Node, Diagnostic> {
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let reader = Reader { file };
    let ast = parse_to_ast(text, &CollectOptions::default(), &options).map_err(|error| {
        let reason = error.kind().to_string();
        Diagnostic::error(format!("not valid JSON: {}", lower_first(&reason))).at(reader.span(error.range()), "here")
    })?;
    match ast.value {
        Some(value) => reader.node(&value, 0),
        // There are only comments.
        None => Ok(Node { value: Tree::Null, span: Span::new(file, text.len(), text.len()) }),
    }
}

struct Reader {
    file: FileId,
}

impl Reader {
    fn span(&self, range: Range) -> Span {
        Span::new(self.file, range.start, range.end)
    }

    fn node(&self, value: &Value<'_>, depth: usize) -> Result<Node, Diagnostic> {
        let span = self.span(value.range());
        if depth > MAX_DEPTH {
            return Err(too_deep(span));
        }
        let value = match value {
            Value::NullKeyword(_) => Tree::Null,
            Value::BooleanLit(literal) => Tree::Bool(literal.value),
            Value::StringLit(literal) => Tree::Str(literal.value.clone().into_owned()),
            Value::NumberLit(literal) if literal.value.contains(['.', 'e', 'E']) => {
                number::decimal(literal.value, span)?
            }
            Value::NumberLit(literal) => number::integer(literal.value, 10, span)?,
            Value::Array(array) => {
                let items = array.elements.iter().map(|item| self.node(item, depth + 1));
                Tree::List(items.collect::<Result<_, _>>()?)
            }
            Value::Object(object) => {
                let mut entries = Entries::default();
                for property in &object.properties {
                    let (name, range) = match &property.name {
                        ObjectPropName::String(name) => (name.value.clone().into_owned(), name.range),
                        ObjectPropName::Word(name) => (name.value.to_owned(), name.range),
                    };
                    let key = Key { name, span: self.span(range) };
                    entries.push(key, self.node(&property.value, depth + 1)?)?;
                }
                entries.finish()
            }
        };
        Ok(Node { value, span })
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
