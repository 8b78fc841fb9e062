//! `csv`, `toml` and `re`.

use starlark::environment::GlobalsBuilder;
use starlark::starlark_module;
use starlark::values::list::AllocList;
use starlark::values::{Heap, Value};

use crate::complaint::complaint;
use crate::readers;

#[starlark_module]
fn csv(builder: &mut GlobalsBuilder) {
    /// Comma-separated values: a dict for each row after the header, or, without a header, a list for each row.
    fn decode<'v>(
        #[starlark(require = pos)] text: &str,
        #[starlark(require = named, default = true)] header: bool,
        #[starlark(require = named, default = ",")] separator: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let mut chars = separator.chars();
        match (chars.next(), chars.next()) {
            (Some(separator), None) if separator != '"' => readers::csv(text, separator, header, heap),
            _ => Err(complaint(format!("the separator must be one character, found {separator:?}"))),
        }
    }
}

#[starlark_module]
fn toml(builder: &mut GlobalsBuilder) {
    /// A TOML document as a dict.
    fn decode<'v>(#[starlark(require = pos)] text: &str, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        readers::toml(text, heap)
    }
}

#[starlark_module]
fn re(builder: &mut GlobalsBuilder) {
    /// The first match anywhere in a text: a dict of the named groups, or a list of the whole match and the groups, or None.
    fn search<'v>(
        #[starlark(require = pos)] pattern: &str,
        #[starlark(require = pos)] text: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let regex = readers::regex(pattern)?;
        Ok(regex.captures(text).map_or(Value::new_none(), |found| readers::groups(&regex, &found, heap)))
    }

    /// As `search`, at the start of the text.
    fn r#match<'v>(
        #[starlark(require = pos)] pattern: &str,
        #[starlark(require = pos)] text: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        // Checked by itself first: a pattern with one bracket too many must not fit together with ours.
        readers::regex(pattern)?;
        let regex = readers::regex(&format!(r"\A(?:{pattern})"))?;
        Ok(regex.captures(text).map_or(Value::new_none(), |found| readers::groups(&regex, &found, heap)))
    }

    /// All matches: strings, lists of several groups, or dicts of named groups.
    fn findall<'v>(
        #[starlark(require = pos)] pattern: &str,
        #[starlark(require = pos)] text: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let regex = readers::regex(pattern)?;
        Ok(heap.alloc(AllocList(regex.captures_iter(text).map(|found| readers::each(&regex, &found, heap)))))
    }

    /// The text with each match replaced; `\1` and `\g<name>` stand for groups.
    fn sub<'v>(
        #[starlark(require = pos)] pattern: &str,
        #[starlark(require = pos)] replacement: &str,
        #[starlark(require = pos)] text: &str,
    ) -> starlark::Result<String> {
        let regex = readers::regex(pattern)?;
        let replaced = |found: &regex::Captures<'_>| readers::replaced(replacement, found);
        Ok(regex.replace_all(text, replaced).into_owned())
    }
}

pub(super) fn readers(builder: &mut GlobalsBuilder) {
    builder.namespace("csv", csv);
    builder.namespace("toml", toml);
    builder.namespace("re", re);
}
