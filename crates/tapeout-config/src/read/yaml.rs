//! YAML 1.2 with its core schema (section 10.3 of the specification): `yes` and `1_000` are text, `0o17` is 15.
//! Also reads the values of the command line, which are written as in YAML.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput, Tag};

use super::number;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};
use crate::tree::{Entries, Key, MAX_DEPTH, Node, Tree, too_deep};

/// How many nodes aliases may add to a document. Ten aliases of ten aliases, nine times over, would be 10^9.
const MAX_ALIASED: usize = 100_000;

/// Reads one document. The text starts at byte `base` of the file, so that the value of an option can be read in place.
pub(crate) fn parse(text: &str, file: FileId, base: usize) -> Result<Node, Diagnostic> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        places: Places::new(text, file, base),
        anchors: HashMap::new(),
        aliased: 0,
    };
    reader.document()
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    places: Places,
    anchors: HashMap<usize, (Node, usize)>,
    aliased: usize,
}

/// A node and how many nodes it consists of.
struct Sized {
    node: Node,
    count: usize,
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Result<Node, Diagnostic> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                Event::StreamEnd => break,
                _ if root.is_some() => {
                    return Err(Diagnostic::error("a configuration is one YAML document")
                        .at(span, "a second document starts here")
                        .help("remove the `---` before it, or make two files of it"));
                }
                event => root = Some(self.node(event, span, 0)?.node),
            }
        }
        // A text of comments only has no document; its value is null, as for any empty node.
        Ok(root.unwrap_or(Node { value: Tree::Null, span: self.places.end() }))
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Diagnostic> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.places.span(span.start, span.end))),
            Some(Err(error)) => Err(self.scan_error(&error)),
            None => Ok((Event::StreamEnd, self.places.end())),
        }
    }

    fn scan_error(&self, error: &ScanError) -> Diagnostic {
        let span = self.places.span(*error.marker(), *error.marker());
        Diagnostic::error(format!("not valid YAML: {}", error.info())).at(span, "here")
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Sized, Diagnostic> {
        if depth > MAX_DEPTH {
            return Err(too_deep(span));
        }
        let (value, anchor, span, count) = match event {
            Event::Alias(id) => return self.alias(id, span, depth),
            Event::Scalar(text, style, anchor, tag) => (scalar(&text, style, tag.as_deref(), span)?, anchor, span, 1),
            Event::SequenceStart(anchor, tag) => {
                collection_tag(tag.as_deref(), "seq", span)?;
                let (mut items, mut count) = (Vec::new(), 1);
                let end = loop {
                    match self.next()? {
                        (Event::SequenceEnd | Event::StreamEnd, end) => break end,
                        (event, at) => {
                            let item = self.node(event, at, depth + 1)?;
                            count += item.count;
                            items.push(item.node);
                        }
                    }
                };
                (Tree::List(items), anchor, self.places.join(span, end), count)
            }
            Event::MappingStart(anchor, tag) => {
                collection_tag(tag.as_deref(), "map", span)?;
                let (mut entries, mut count) = (Entries::default(), 1);
                let end = loop {
                    match self.next()? {
                        (Event::MappingEnd | Event::StreamEnd, end) => break end,
                        (event, at) => {
                            let key = self.key(event, at, depth + 1)?;
                            let (event, at) = self.next()?;
                            let value = self.node(event, at, depth + 1)?;
                            count += value.count;
                            entries.push(key, value.node)?;
                        }
                    }
                };
                (entries.finish(), anchor, self.places.join(span, end), count)
            }
            // The parser gives these only between documents, and ends what is open before it ends the stream.
            _ => (Tree::Null, 0, span, 1),
        };
        let node = Node { value, span };
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), count));
        }
        Ok(Sized { node, count })
    }

    /// A name is the text of the key as written: `1: x` has the name `1`.
    fn key(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Key, Diagnostic> {
        if let Event::Scalar(text, _, anchor, _) = event {
            let name = text.into_owned();
            if anchor != 0 {
                self.anchors.insert(anchor, (Node { value: Tree::Str(name.clone()), span }, 1));
            }
            return Ok(Key { name, span });
        }
        let Node { value, span } = self.node(event, span, depth)?.node;
        match value {
            Tree::Str(name) => Ok(Key { name, span }),
            _ => Err(Diagnostic::error("the name of an entry must be text").at(span, "expected a string")),
        }
    }

    fn alias(&mut self, id: usize, span: Span, depth: usize) -> Result<Sized, Diagnostic> {
        // The parser refuses unknown names itself; what is left is an alias inside of its own anchor.
        let Some((node, count)) = self.anchors.get(&id) else {
            return Err(Diagnostic::error("an alias cannot stand inside of what it repeats").at(span, "this alias"));
        };
        self.aliased += count;
        if self.aliased > MAX_ALIASED {
            return Err(Diagnostic::error(format!("aliases add more than {MAX_ALIASED} values")).at(span, "this alias"));
        }
        if depth + levels(node) > MAX_DEPTH {
            return Err(too_deep(span));
        }
        Ok(Sized { node: node.clone(), count: *count })
    }
}

/// How many levels of lists and maps a node has below itself.
fn levels(node: &Node) -> usize {
    match &node.value {
        Tree::List(items) => items.iter().map(|item| levels(item) + 1).max().unwrap_or(0),
        Tree::Map(entries) => entries.iter().map(|(_, value)| levels(value) + 1).max().unwrap_or(0),
        _ => 0,
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Result<Tree, Diagnostic> {
    let Some(tag) = tag else {
        return if style == ScalarStyle::Plain { plain(text, span) } else { Ok(Tree::Str(text.to_owned())) };
    };
    let mismatch = |what: &str| Diagnostic::error(format!("`{text}` is not {what}")).at(span, "as its tag says");
    if tag.handle == "!" && tag.suffix.is_empty() {
        return Ok(Tree::Str(text.to_owned()));
    }
    match (tag.is_yaml_core_schema(), tag.suffix.as_str()) {
        (true, "str") => Ok(Tree::Str(text.to_owned())),
        (true, "null") => match plain(text, span)? {
            Tree::Null => Ok(Tree::Null),
            _ => Err(mismatch("null")),
        },
        (true, "bool") => match plain(text, span)? {
            value @ Tree::Bool(_) => Ok(value),
            _ => Err(mismatch("a boolean")),
        },
        (true, "int") => match plain(text, span)? {
            value @ Tree::Int(_) => Ok(value),
            _ => Err(mismatch("an integer")),
        },
        (true, "float") => match plain(text, span)? {
            value @ Tree::Decimal(_) => Ok(value),
            Tree::Int(value) => Ok(Tree::Decimal(value.into())),
            _ => Err(mismatch("a number")),
        },
        _ => Err(unknown_tag(tag, span)),
    }
}

fn collection_tag(tag: Option<&Tag>, expected: &str, span: Span) -> Result<(), Diagnostic> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == expected) => Err(unknown_tag(tag, span)),
        _ => Ok(()),
    }
}

fn unknown_tag(tag: &Tag, span: Span) -> Diagnostic {
    Diagnostic::error(format!("the YAML tag `{}{}` has no meaning here", tag.handle, tag.suffix))
        .at(span, "on this value")
        .help("remove the tag")
}

/// The core schema's table of plain scalars.
pub(crate) fn plain(text: &str, span: Span) -> Result<Tree, Diagnostic> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Tree::Null),
        "true" | "True" | "TRUE" => return Ok(Tree::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Tree::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return number::decimal(text, span),
        _ => {}
    }
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(rest) = text.strip_prefix(prefix)
            && !rest.is_empty()
            && rest.chars().all(|c| c.is_digit(radix))
        {
            return number::integer(rest, radix, span);
        }
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return number::decimal(text, span);
    }
    let whole = digits(unsigned);
    let mut rest = &unsigned[whole..];
    if rest.is_empty() && whole > 0 {
        return number::integer(text, 10, span);
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = digits(fraction);
        if whole + length == 0 {
            return Ok(Tree::Str(text.to_owned()));
        }
        rest = &fraction[length..];
    } else if whole == 0 {
        return Ok(Tree::Str(text.to_owned()));
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if !exponent.is_empty() && digits(exponent) == exponent.len() {
            rest = "";
        }
    }
    if rest.is_empty() { number::decimal(text, span) } else { Ok(Tree::Str(text.to_owned())) }
}

/// Turns the parser's positions, which count characters, into bytes.
struct Places {
    file: FileId,
    base: usize,
    /// The byte of each character and of the end; empty if the text is ASCII, where they are the same.
    bytes: Vec<usize>,
    /// The end of the text without trailing white space, in bytes of the text.
    end: usize,
    length: usize,
}

impl Places {
    fn new(text: &str, file: FileId, base: usize) -> Self {
        let bytes = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()
        };
        Self { file, base, bytes, end: text.trim_end().len(), length: text.len() }
    }

    fn byte(&self, marker: Marker) -> usize {
        if self.bytes.is_empty() {
            marker.index().min(self.length)
        } else {
            self.bytes.get(marker.index()).copied().unwrap_or(self.length)
        }
    }

    fn span(&self, start: Marker, end: Marker) -> Span {
        Span::new(self.file, self.base + self.byte(start), self.base + self.byte(end))
    }

    fn join(&self, start: Span, end: Span) -> Span {
        Span::new(self.file, start.start, end.end.min(self.base + self.end))
    }

    fn end(&self) -> Span {
        Span::new(self.file, self.base + self.end, self.base + self.end)
    }
}
