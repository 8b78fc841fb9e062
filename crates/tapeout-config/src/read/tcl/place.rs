//! Where in the text of a Tcl script something was done. Tcl tells the line of the command; the names and values in it
//! are looked for.

use std::ops::Range;
use std::sync::Arc;

use crate::source::{FileId, SourceMap, Span};

/// The text of a script.
pub(super) struct Script {
    file: FileId,
    text: Arc<str>,
    /// The byte at which each line starts.
    lines: Vec<usize>,
}

/// A line of a script; the first one stands for a place that is not known.
#[derive(Clone, Copy)]
pub(super) struct Line<'s> {
    script: &'s Script,
    /// From 0.
    index: usize,
}

impl Script {
    pub(super) fn new(file: FileId, sources: &SourceMap) -> Self {
        let text = sources.text(file);
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { file, text, lines }
    }

    /// The line of a number from 1; 0 is a place that is not known.
    pub(super) fn line(&self, number: usize) -> Line<'_> {
        let index = if number > self.lines.len() { 0 } else { number.saturating_sub(1) };
        Line { script: self, index }
    }
}

impl<'s> Line<'s> {
    /// The line without its indentation and what is white at its end.
    fn range(&self) -> Range<usize> {
        let start = self.script.lines[self.index];
        let end = self.script.lines.get(self.index + 1).copied().unwrap_or(self.script.text.len());
        let line = self.script.text[start..end].trim_end();
        start + line.len() - line.trim_start().len()..start + line.len()
    }

    pub(super) fn span(&self) -> Span {
        self.part(self.range())
    }

    /// The places of an element's name and of its value in this line; of what is not in it, as where a loop makes it, the
    /// whole line.
    pub(super) fn entry(&self, name: &str, value: Option<&str>) -> (Span, Span) {
        let line = self.range();
        let text = &self.script.text[line.clone()];
        let key = find_word(text, 0, name);
        let value = value
            .filter(|value| !value.contains('\n'))
            .and_then(|value| find_word(text, key.as_ref().map_or(0, |key| key.end), value));
        let place = |found: Option<Range<usize>>| match found {
            Some(found) => self.part(line.start + found.start..line.start + found.end),
            None => self.span(),
        };
        (place(key), place(value))
    }

    /// The line of a procedure in which a command failed that was called in this one, if it can be found.
    pub(super) fn in_procedure(&self, name: &str, line: usize, command: &str) -> Option<Line<'s>> {
        let name = name.trim_start_matches(':');
        if name.is_empty() {
            return None;
        }
        let mut starts = (0..self.script.lines.len()).filter(|index| {
            let line = Line { index: *index, ..*self };
            let mut words = self.script.text[line.range()].split_whitespace();
            words.next() == Some("proc") && words.next().map(|word| word.trim_start_matches(':')) == Some(name)
        });
        // Defined more than once, it is the last definition that counts, as far as one can tell.
        let index = starts.next_back()? + line.checked_sub(1)?;
        (index < self.script.lines.len()).then(|| Line { index, ..*self }.at_command(command))
    }

    /// The line, this one or a later one, in which a command stands: Tcl tells the line of the outermost command only.
    pub(super) fn at_command(self, command: &str) -> Line<'s> {
        let command = command.trim_end_matches('"').trim_end_matches("...").trim();
        if command.is_empty() {
            return self;
        }
        let start = self.script.lines[self.index];
        match self.script.text[start..].find(command) {
            Some(found) => {
                let index = self.script.lines.partition_point(|line| *line <= start + found) - 1;
                Line { index, ..self }
            }
            None => self,
        }
    }

    fn part(&self, range: Range<usize>) -> Span {
        Span::new(self.script.file, range.start, range.end)
    }
}

/// Where a word stands in a line, not as a part of a longer one.
fn find_word(line: &str, from: usize, word: &str) -> Option<Range<usize>> {
    if word.is_empty() {
        return None;
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut matches = line[from..].match_indices(word).map(|(at, _)| from + at..from + at + word.len());
    matches.find(|found| {
        let before = line[..found.start].chars().next_back();
        let after = line[found.end..].chars().next();
        let inside = |edge: Option<char>, own: Option<char>| own.is_some_and(is_part) && edge.is_some_and(is_part);
        !inside(before, word.chars().next()) && !inside(after, word.chars().next_back()) && before != Some('$')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whole() {
        let cases = [
            ("set ::env(CLOCK_PERIOD) 10.0", "CLOCK_PERIOD", Some(10..22)),
            ("set ::env(A1) 1", "1", Some(14..15)),
            ("set ::env(A) $1", "1", None),
            ("set ::env(A) \"-x y\"", "-x y", Some(14..18)),
            ("set ::env(AB) 1", "A", None),
            ("set ::env(ü) é", "é", Some(14..16)),
            ("", "x", None),
            ("x", "", None),
        ];
        for (line, word, place) in cases {
            assert_eq!(find_word(line, 0, word), place, "{word} in {line}");
        }
    }
}
