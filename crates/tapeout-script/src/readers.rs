//! Readers of what tools report: regular expressions, comma-separated values, TOML. Pure functions over texts.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

use regex::{Captures, Regex, RegexBuilder};
use starlark::values::dict::AllocDict;
use starlark::values::list::AllocList;
use starlark::values::{Heap, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::complaint::{complaint, complaint_with};

/// How many expressions a thread keeps compiled: scripts use a few, over and over.
const KEPT: usize = 64;

/// A compiled expression may be this large, in bytes.
const LARGEST: usize = 10 << 20;

thread_local! {
    static COMPILED: RefCell<HashMap<String, Regex>> = RefCell::default();
}

/// The expression that a pattern is.
pub(crate) fn regex(pattern: &str) -> starlark::Result<Regex> {
    COMPILED.with_borrow_mut(|compiled| {
        if let Some(regex) = compiled.get(pattern) {
            return Ok(regex.clone());
        }
        let regex = RegexBuilder::new(pattern).size_limit(LARGEST).build().map_err(|error| match &error {
            regex::Error::CompiledTooBig(_) => complaint("the regular expression is too large"),
            _ => {
                // The last line says what is wrong, those before it where, under the pattern.
                let text = error.to_string();
                let what = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                let message = format!("`{pattern}` is no regular expression: {what}");
                match what.contains("look-around") || what.contains("backreference") {
                    true => complaint_with(message, "what needs them is better done in two steps"),
                    false => complaint(message),
                }
            }
        })?;
        if compiled.len() >= KEPT {
            compiled.clear();
        }
        compiled.insert(pattern.to_owned(), regex.clone());
        Ok(regex)
    })
}

/// What an expression found: a dict of its named groups, if it has any, else a list: the whole match, then its groups.
pub(crate) fn groups<'v>(regex: &Regex, captures: &Captures<'_>, heap: Heap<'v>) -> Value<'v> {
    let text = |group: Option<regex::Match<'_>>| group.map_or(Value::new_none(), |group| heap.alloc(group.as_str()));
    if regex.capture_names().flatten().next().is_some() {
        let named = regex.capture_names().flatten().map(|name| (name, text(captures.name(name))));
        return heap.alloc(AllocDict(named));
    }
    heap.alloc(AllocList(captures.iter().map(text)))
}

/// What an expression found each time: as [`groups`], without the whole match where there are groups; a string where
/// there is at most one of them.
pub(crate) fn each<'v>(regex: &Regex, captures: &Captures<'_>, heap: Heap<'v>) -> Value<'v> {
    let text = |at: usize| captures.get(at).map_or(Value::new_none(), |group| heap.alloc(group.as_str()));
    if regex.capture_names().flatten().next().is_some() {
        return groups(regex, captures, heap);
    }
    match captures.len() {
        1 | 2 => text(captures.len() - 1),
        groups => heap.alloc(AllocList((1..groups).map(text))),
    }
}

/// The text that stands for a match: `\1` and `\g<name>` are its groups, `\\` is a backslash.
pub(crate) fn replaced(replacement: &str, captures: &Captures<'_>) -> String {
    let mut text = String::new();
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let name = after.strip_prefix("g<").and_then(|after| after.split_once('>'));
        let digits = after.bytes().take_while(u8::is_ascii_digit).take(2).count();
        rest = if let Some((name, after)) = name {
            let group = name.parse().ok().map_or_else(|| captures.name(name), |number: usize| captures.get(number));
            text.push_str(group.map_or("", |group| group.as_str()));
            after
        } else if digits > 0 {
            let group = after[..digits].parse().ok().and_then(|number: usize| captures.get(number));
            text.push_str(group.map_or("", |group| group.as_str()));
            &after[digits..]
        } else {
            text.push('\\');
            after.strip_prefix('\\').unwrap_or(after)
        };
    }
    text + rest
}

/// The rows of comma-separated values (RFC 4180, with any line breaks).
pub(crate) fn csv_rows(text: &str, separator: char) -> starlark::Result<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = String::new();
    let mut chars = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
    let mut line = 1;
    let mut was_quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '"' if field.is_empty() && !was_quoted => {
                was_quoted = true;
                let from = line;
                loop {
                    match chars.next() {
                        Some('"') if chars.peek() == Some(&'"') => _ = chars.next().map(|c| field.push(c)),
                        Some('"') => break,
                        Some(c) => {
                            line += usize::from(c == '\n');
                            field.push(c);
                        }
                        None => return Err(complaint(format!("line {from}: a quoted field without an end"))),
                    }
                }
            }
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' => {
                line += 1;
                // An empty line is no row.
                if !row.is_empty() || !field.is_empty() || was_quoted {
                    row.push(std::mem::take(&mut field));
                    rows.push(std::mem::take(&mut row));
                }
                was_quoted = false;
            }
            c if c == separator => {
                row.push(std::mem::take(&mut field));
                was_quoted = false;
            }
            c => field.push(c),
        }
    }
    if !row.is_empty() || !field.is_empty() || was_quoted {
        row.push(field);
        rows.push(row);
    }
    Ok(rows)
}

/// Comma-separated values: a dict for each row after the header, or a list for each row.
pub(crate) fn csv<'v>(text: &str, separator: char, header: bool, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
    let mut rows = csv_rows(text, separator)?.into_iter();
    if !header {
        return Ok(heap.alloc(AllocList(rows.map(|row| heap.alloc(AllocList(row))))));
    }
    let names = rows.next().unwrap_or_default();
    let mut values = Vec::new();
    for (i, row) in rows.enumerate() {
        if row.len() > names.len() {
            let (found, expected) = (row.len(), names.len());
            return Err(complaint(format!("row {} has {found} fields, the header has {expected}", i + 1)));
        }
        let fields = names.iter().enumerate().map(|(at, name)| (name.as_str(), row.get(at).map_or("", String::as_str)));
        values.push(heap.alloc(AllocDict(fields)));
    }
    Ok(heap.alloc(values))
}

/// A TOML document. Dates and times are strings.
pub(crate) fn toml<'v>(text: &str, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
    let wrong = |at: Option<Range<usize>>, what: &str| {
        let line = at.map(|at| text[..at.start.min(text.len())].matches('\n').count() + 1);
        let at = line.map_or(String::new(), |line| format!("line {line}: "));
        complaint(format!("this is no TOML: {at}{what}"))
    };
    let table = DeTable::parse(text).map_err(|error| wrong(error.span(), error.message()))?;
    toml_table(table.get_ref(), heap).map_err(|at| wrong(Some(at), "the number does not fit into 64 bits"))
}

fn toml_table<'v>(table: &DeTable<'_>, heap: Heap<'v>) -> Result<Value<'v>, Range<usize>> {
    // The table is sorted by name; the order of writing is that of the places.
    let mut written: Vec<_> = table.iter().collect();
    written.sort_by_key(|(name, _)| name.span().start);
    let mut entries = Vec::with_capacity(written.len());
    for (name, value) in written {
        entries.push((&**name.get_ref(), toml_value(value, heap)?));
    }
    Ok(heap.alloc(AllocDict(entries)))
}

/// The value, or the place of the number that is too large.
fn toml_value<'v>(value: &Spanned<DeValue<'_>>, heap: Heap<'v>) -> Result<Value<'v>, Range<usize>> {
    let too_large = || value.span();
    Ok(match value.get_ref() {
        DeValue::String(text) => heap.alloc(&**text),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            heap.alloc(parsed.map_err(|_| too_large())?)
        }
        DeValue::Float(number) => heap.alloc(number.as_str().parse::<f64>().map_err(|_| too_large())?),
        DeValue::Boolean(flag) => Value::new_bool(*flag),
        DeValue::Datetime(time) => heap.alloc(time.to_string()),
        DeValue::Array(items) => {
            let items: Vec<Value<'v>> = items.iter().map(|item| toml_value(item, heap)).collect::<Result<_, _>>()?;
            heap.alloc(items)
        }
        DeValue::Table(table) => toml_table(table, heap)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_split_as_spreadsheets_write_them() {
        let rows = csv_rows("a,\"b \"\"x\"\",\n1\",c\r\n\n\"\",2,\n3", ',').unwrap();
        let expected: [&[&str]; 3] = [&["a", "b \"x\",\n1", "c"], &["", "2", ""], &["3"]];
        assert_eq!(rows, expected);
        assert!(csv_rows("a\n\"b", ',').unwrap_err().to_string().contains("line 2"));
    }

    #[test]
    fn replacements_name_groups() {
        let regex = regex(r"(?P<name>\w+)=(\d+)").unwrap();
        let captures = regex.captures("cells=12").unwrap();
        assert_eq!(replaced(r"\g<name>: \2 \\ \g<2>$0\x", &captures), r"cells: 12 \ 12$0\x");
    }
}
