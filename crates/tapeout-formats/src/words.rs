//! Words of formats in which line breaks mean nothing: LEF and DEF. Owns where a word stands, comments, and texts in
//! quotes; not what the words mean.

use crate::FormatError;
use crate::geometry::Point;

#[derive(Clone, Copy)]
struct Word<'t> {
    text: &'t str,
    /// Offset of its first byte.
    start: usize,
}

/// The words of a text, and which of them is next.
pub(crate) struct Words<'t> {
    format: &'static str,
    text: &'t str,
    words: Vec<Word<'t>>,
    at: usize,
}

impl<'t> Words<'t> {
    /// `#` where a word begins starts a comment. A text in quotes is one word with its quotes, line breaks included.
    /// `;` is a word of its own also where it stands right behind another word.
    pub(crate) fn new(format: &'static str, text: &'t str) -> Self {
        let mut words = Vec::new();
        let mut at = 0;
        while let Some(skip) = text[at..].find(|c: char| !c.is_whitespace()) {
            let start = at + skip;
            let rest = &text[start..];
            let whole = |end: Option<usize>| end.unwrap_or(rest.len());
            if rest.starts_with('#') {
                at = start + whole(rest.find('\n'));
                continue;
            }
            let length = match rest.strip_prefix('"') {
                Some(inner) => whole(inner.find('"').map(|end| end + 2)),
                None if rest.starts_with(';') => 1,
                None => whole(rest.find(char::is_whitespace)),
            };
            at = start + length;
            let word = &rest[..length];
            let before = match word.trim_end_matches(';') {
                "" => word,
                _ if word.starts_with('"') => word,
                before => before,
            };
            words.push(Word { text: before, start });
            words.extend((before.len()..word.len()).map(|end| Word { text: ";", start: start + end }));
        }
        Self { format, text, words, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<&'t str> {
        self.words.get(self.at).map(|word| word.text)
    }

    /// The word behind the next one.
    pub(crate) fn peek_second(&self) -> Option<&'t str> {
        self.words.get(self.at + 1).map(|word| word.text)
    }

    /// The next word, whichever it is.
    pub(crate) fn next(&mut self, expected: &str) -> Result<&'t str, FormatError> {
        let word = self.peek().ok_or_else(|| self.wrong(expected))?;
        self.at += 1;
        Ok(word)
    }

    /// The next word, if it is this keyword.
    pub(crate) fn take(&mut self, keyword: &str) -> bool {
        let is_next = self.is_next(keyword);
        self.at += usize::from(is_next);
        is_next
    }

    pub(crate) fn is_next(&self, keyword: &str) -> bool {
        self.peek().is_some_and(|word| word.eq_ignore_ascii_case(keyword))
    }

    pub(crate) fn require(&mut self, keyword: &str) -> Result<(), FormatError> {
        if self.take(keyword) { Ok(()) } else { Err(self.wrong(&format!("`{keyword}`"))) }
    }

    /// The next word is not what was expected.
    pub(crate) fn wrong(&self, expected: &str) -> FormatError {
        self.wrong_at(self.at, expected)
    }

    /// The word before is not what was expected.
    pub(crate) fn was_wrong(&self, expected: &str) -> FormatError {
        self.wrong_at(self.at.saturating_sub(1), expected)
    }

    fn wrong_at(&self, index: usize, expected: &str) -> FormatError {
        let expected = expected.to_owned();
        let Some(word) = self.words.get(index) else {
            return FormatError::Missing { format: self.format, expected, lines: self.text.lines().count() };
        };
        let before = &self.text[..word.start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        FormatError::Word {
            format: self.format,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            expected,
            found: format!("`{}`", word.text),
        }
    }

    /// A finite number.
    pub(crate) fn number(&mut self, expected: &str) -> Result<f64, FormatError> {
        let number = self.next(expected)?.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| self.was_wrong(expected))
    }

    /// A whole number. Some tools write `1000.0` for 1000.
    pub(crate) fn integer(&mut self, expected: &str) -> Result<i64, FormatError> {
        let word = self.next(expected)?;
        integer(word).ok_or_else(|| self.was_wrong(expected))
    }

    /// A number that may not be negative.
    pub(crate) fn count(&mut self, expected: &str) -> Result<u64, FormatError> {
        u64::try_from(self.integer(expected)?).map_err(|_| self.was_wrong(expected))
    }

    /// Two numbers without parentheses, as LEF writes points.
    pub(crate) fn bare_point(&mut self) -> Result<Point<f64>, FormatError> {
        Ok(Point::new(self.number("a distance in µm")?, self.number("a distance in µm")?))
    }

    /// A statement with at least one word, up to its end, which is passed over.
    pub(crate) fn whole_statement(&mut self) -> Result<Vec<String>, FormatError> {
        if self.is_next(";") { Err(self.wrong("a statement")) } else { self.statement() }
    }

    /// `KEYWORD TEXT ;`, without the quotes of the text.
    pub(crate) fn text(&mut self) -> Result<String, FormatError> {
        self.next("a keyword")?;
        let word = self.next("a value")?;
        let inner = word.strip_prefix('"').and_then(|word| word.strip_suffix('"')).unwrap_or(word);
        if inner.contains('"') {
            return Err(self.was_wrong("a text in quotes"));
        }
        self.require(";")?;
        Ok(inner.to_owned())
    }

    /// The words up to the end of the statement, which is passed over.
    pub(crate) fn statement(&mut self) -> Result<Vec<String>, FormatError> {
        let mut words = Vec::new();
        while !self.take(";") {
            words.push(self.next("`;` at the end of the statement")?.to_owned());
        }
        Ok(words)
    }
}

/// A whole number, also when written as `1000.0`.
pub(crate) fn integer(word: &str) -> Option<i64> {
    let whole = word.split_once('.').map_or(word, |(whole, rest)| {
        let is_zero = rest.bytes().all(|digit| digit == b'0');
        if is_zero { whole } else { word }
    });
    // Beyond this, sums of coordinates could run over; it is 9 million metres in nanometres.
    whole.parse().ok().filter(|number: &i64| number.unsigned_abs() < 1 << 53)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_places() {
        let mut words = Words::new("X", "a \"b ; \nc\";# no\n# no\n  é d#e 1.0;;\n");
        let mut all = Vec::new();
        while words.peek().is_some() {
            all.push(words.next("").unwrap());
        }
        assert_eq!(all, ["a", "\"b ; \nc\"", ";", "é", "d#e", "1.0", ";", ";"]);
        assert_eq!(words.was_wrong("x").to_string(), "X, line 4, column 13: expected x, found `;`");
        assert_eq!(words.wrong("x").to_string(), "X: expected x, not found in 4 lines");
        assert_eq!(
            (integer("1000.00"), integer("-7"), integer("1.5"), integer("9e3")),
            (Some(1000), Some(-7), None, None)
        );
    }
}
