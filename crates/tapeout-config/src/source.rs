//! The texts that diagnostics point into: files, the command line, the environment, values given by code.
//! It keeps them; it neither reads nor parses them.

use std::fmt;
use std::sync::Arc;

/// One text of a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A range of bytes of one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text.
    pub file: FileId,
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

impl Span {
    /// A span of `file`.
    #[must_use]
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Self { file, start, end: end.max(start) }
    }
}

/// A place as people and editors name it. Shows as `file:line:column`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The name under which the text was added.
    pub file: Arc<str>,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Owns every text that a [`Span`] points into.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    sources: Vec<Arc<Source>>,
}

#[derive(Debug)]
struct Source {
    name: Arc<str>,
    text: Arc<str>,
    /// The byte at which each line starts; the first is 0.
    lines: Vec<usize>,
}

impl SourceMap {
    /// A map without texts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps `text` under the name that messages show.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let text: Arc<str> = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let id = self.next_id();
        self.sources.push(Arc::new(Source { name: name.into(), text, lines }));
        id
    }

    /// The id that the next text gets, for a text that is written together with its tree.
    pub(crate) fn next_id(&self) -> FileId {
        FileId(u32::try_from(self.sources.len()).expect("a configuration has fewer than 2^32 files"))
    }

    /// The name under which the text was added.
    #[must_use]
    pub fn name(&self, file: FileId) -> &str {
        &self.source(file).name
    }

    /// The whole text. Shared, so that a reader can hold it while it adds others.
    #[must_use]
    pub fn text(&self, file: FileId) -> Arc<str> {
        Arc::clone(&self.source(file).text)
    }

    /// Where `span` starts.
    #[must_use]
    pub fn location(&self, span: Span) -> Location {
        let source = self.source(span.file);
        let start = source.boundary(span.start);
        let line = source.line_of(start);
        let column = source.text[source.lines[line]..start].chars().count() + 1;
        Location { file: Arc::clone(&source.name), line: line + 1, column }
    }

    /// The line in which `span` starts.
    #[must_use]
    pub fn line(&self, span: Span) -> &str {
        self.lines_between(span.file, span.start, span.start).0
    }

    /// The lines from the one where `first` starts to the one where `last` starts, the number of the first of them, from
    /// 1, and the byte at which it starts.
    pub(crate) fn lines_between(&self, file: FileId, first: usize, last: usize) -> (&str, usize, usize) {
        let source = self.source(file);
        let (top, bottom) = (source.line_of(source.boundary(first)), source.line_of(source.boundary(last)));
        (&source.text[source.lines[top]..source.line_end(bottom)], top + 1, source.lines[top])
    }

    /// The part of `span` that lies in its first line, on character boundaries: what is underlined.
    pub(crate) fn first_line(&self, span: Span) -> (usize, usize) {
        let source = self.source(span.file);
        let line_end = source.line_end(source.line_of(source.boundary(span.start)));
        // A fault at the end of a line may be placed in the line break, which is not shown.
        let start = source.boundary(span.start).min(line_end);
        (start, source.boundary(span.end).clamp(start, line_end))
    }

    fn source(&self, file: FileId) -> &Source {
        self.sources.get(file.0 as usize).expect("a FileId is used with the SourceMap that gave it")
    }
}

impl Source {
    fn line_of(&self, byte: usize) -> usize {
        self.lines.partition_point(|start| *start <= byte) - 1
    }

    /// The end of the line's text, without its line break.
    fn line_end(&self, line: usize) -> usize {
        let end = self.lines.get(line + 1).copied().unwrap_or(self.text.len());
        self.lines[line] + self.text[self.lines[line]..end].trim_end_matches(['\n', '\r']).len()
    }

    fn boundary(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let mut sources = SourceMap::new();
        let file = sources.add("t", "ab\r\nµx=ü1\n\nend");
        let cases =
            [(0, 1, 1), (1, 1, 2), (4, 2, 1), (6, 2, 2), (7, 2, 3), (10, 2, 5), (12, 3, 1), (13, 4, 1), (99, 4, 4)];
        for (byte, line, column) in cases {
            let at = sources.location(Span::new(file, byte, byte));
            assert_eq!((at.line, at.column), (line, column), "byte {byte}");
        }
        // Byte 5 is the second byte of `µ`.
        assert_eq!(sources.location(Span::new(file, 5, 6)).to_string(), "t:2:1");
    }

    #[test]
    fn an_empty_text_has_one_line() {
        let mut sources = SourceMap::new();
        let file = sources.add("empty", "");
        assert_eq!(sources.location(Span::new(file, 0, 0)).to_string(), "empty:1:1");
    }
}
