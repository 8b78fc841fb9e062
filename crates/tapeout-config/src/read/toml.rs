//! TOML 1.0. Dates have no meaning in a configuration and are refused.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::number;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};
use crate::tree::{Entries, Key, MAX_DEPTH, Node, Tree, given_twice, too_deep};

pub(super) fn parse(text: &str, file: FileId) -> Result<Node, Diagnostic> {
    let reader = Reader { file };
    let (table, errors) = DeTable::parse_recoverable(text);
    if let Some(error) = errors.first() {
        let range = error.span().unwrap_or(text.len()..text.len());
        if error.message() == "duplicate key"
            && let Some((name, first)) = first_entry(text, &table, &range)
        {
            return Err(given_twice(&name, reader.span(first), reader.span(range)));
        }
        let message = format!("not valid TOML: {}", error.message());
        return Err(Diagnostic::error(message).at(reader.span(range), "here"));
    }
    let value = reader.table(table.get_ref(), 0)?;
    Ok(Node { value, span: reader.span(0..text.len()) })
}

/// The name and the place of the entry that the one at `again` repeats: the parser tells only of the second. It is the
/// last one of that name before it, other than in inline tables and behind dots, which are tables of their own.
fn first_entry(text: &str, table: &Spanned<DeTable<'_>>, again: &Range<usize>) -> Option<(String, Range<usize>)> {
    let written = text.get(again.clone())?;
    let dotted = |range: &Range<usize>| text[..range.start].trim_end().ends_with('.');
    let mut first = None;
    let mut tables = vec![table.get_ref()];
    while let Some(table) = tables.pop() {
        for (key, value) in table {
            let place = key.span();
            let better = first.as_ref().is_none_or(|(_, best): &(String, Range<usize>)| best.start < place.start);
            if text.get(place.clone()) == Some(written)
                && place.end <= again.start
                && dotted(&place) == dotted(again)
                && better
            {
                first = Some((key.get_ref().clone().into_owned(), place));
            }
            let inline = text[value.span()].starts_with('{');
            if let DeValue::Table(inner) = value.get_ref()
                && (!inline || value.span().contains(&again.start))
            {
                tables.push(inner);
            }
        }
    }
    first
}

struct Reader {
    file: FileId,
}

impl Reader {
    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.file, range.start, range.end)
    }

    fn table(&self, table: &DeTable<'_>, depth: usize) -> Result<Tree, Diagnostic> {
        // The table is sorted by name; the order of writing is that of the places.
        let mut written: Vec<_> = table.iter().collect();
        written.sort_by_key(|(key, _)| key.span().start);
        let mut entries = Entries::default();
        for (name, value) in written {
            let key = Key { name: name.get_ref().clone().into_owned(), span: self.span(name.span()) };
            entries.push(key, self.node(value, depth + 1)?)?;
        }
        Ok(entries.finish())
    }

    fn node(&self, value: &Spanned<DeValue<'_>>, depth: usize) -> Result<Node, Diagnostic> {
        let span = self.span(value.span());
        if depth > MAX_DEPTH {
            return Err(too_deep(span));
        }
        let value = match value.get_ref() {
            DeValue::String(text) => Tree::Str(text.clone().into_owned()),
            DeValue::Integer(integer) => number::integer(integer.as_str(), integer.radix(), span)?,
            DeValue::Float(float) => number::decimal(float.as_str(), span)?,
            DeValue::Boolean(boolean) => Tree::Bool(*boolean),
            DeValue::Datetime(date) => {
                return Err(Diagnostic::error("a configuration has no dates")
                    .at(span, "this is a date to TOML")
                    .help(format!("quote it if it is meant as text: \"{date}\"")));
            }
            DeValue::Array(items) => {
                let items = items.iter().map(|item| self.node(item, depth + 1));
                Tree::List(items.collect::<Result<_, _>>()?)
            }
            DeValue::Table(table) => self.table(table, depth)?,
        };
        Ok(Node { value, span })
    }
}
