//! The words of a Liberty text. Comments and the backslash before the end of a line count as white space.

use std::fmt;

use super::FORMAT;
use crate::FormatError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    Word(&'t str),
    /// In quotes, without them.
    Text(&'t str),
    Colon,
    Semicolon,
    Comma,
    /// `(`
    Open,
    /// `)`
    End,
    /// `{`
    OpenBrace,
    /// `}`
    Close,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Text(text) => write!(f, "`\"{text}\"`"),
            Self::Colon => f.write_str("`:`"),
            Self::Semicolon => f.write_str("`;`"),
            Self::Comma => f.write_str("`,`"),
            Self::Open => f.write_str("`(`"),
            Self::End => f.write_str("`)`"),
            Self::OpenBrace => f.write_str("`{`"),
            Self::Close => f.write_str("`}`"),
        }
    }
}

pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    line: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// The byte and the line at which the next token starts.
    pub(super) fn start(&mut self) -> (usize, usize) {
        self.pass_space();
        (self.at, self.line)
    }

    /// The byte behind the last token.
    pub(super) fn end(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&mut self) -> Result<Option<Token<'t>>, FormatError> {
        let (at, line) = (self.at, self.line);
        let token = self.next();
        (self.at, self.line) = (at, line);
        token
    }

    pub(super) fn next(&mut self) -> Result<Option<Token<'t>>, FormatError> {
        self.pass_space();
        let Some(byte) = self.text.as_bytes().get(self.at) else { return Ok(None) };
        let single = match byte {
            b':' => Token::Colon,
            b';' => Token::Semicolon,
            b',' => Token::Comma,
            b'(' => Token::Open,
            b')' => Token::End,
            b'{' => Token::OpenBrace,
            b'}' => Token::Close,
            b'"' => return self.quoted().map(|text| Some(Token::Text(text))),
            _ => {
                let rest = &self.text[self.at..];
                let ends = |c: char| c.is_whitespace() || matches!(c, ':' | ';' | ',' | '(' | ')' | '{' | '}' | '"');
                // A backslash that ends no line is a character like any other.
                let length = rest.char_indices().skip(1).find(|(_, c)| ends(*c)).map_or(rest.len(), |(at, _)| at);
                self.at += length;
                return Ok(Some(Token::Word(&rest[..length])));
            }
        };
        self.at += 1;
        Ok(Some(single))
    }

    /// The value of a simple attribute: to the semicolon, the end of the line or the brace that closes the group.
    pub(super) fn value(&mut self) -> Result<&'t str, FormatError> {
        self.pass_blanks();
        if self.text[self.at..].starts_with('"') {
            return self.quoted();
        }
        let rest = &self.text[self.at..];
        let length = rest.find([';', '\n', '}']).unwrap_or(rest.len());
        self.at += length;
        let value = rest[..length].split("/*").next().unwrap_or_default();
        if value.len() < rest[..length].len() {
            // The comment may go on over several lines.
            self.at -= length - value.len();
        }
        Ok(value.trim())
    }

    fn quoted(&mut self) -> Result<&'t str, FormatError> {
        let start = self.at + 1;
        let Some(length) = self.text[start..].find('"') else {
            return Err(FormatError::Line {
                format: FORMAT,
                line: self.line,
                expected: "`\"` at the end of a text".to_owned(),
                found: "the end of the text".to_owned(),
            });
        };
        let text = &self.text[start..start + length];
        self.line += text.matches('\n').count();
        self.at = start + length + 1;
        Ok(text)
    }

    fn pass_blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn pass_space(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let passed = match rest.chars().next() {
                Some(c) if c.is_whitespace() => c.len_utf8(),
                Some('\\') if rest[1..].starts_with(['\n', '\r']) => 1,
                Some('/') if rest.starts_with("/*") => rest[2..].find("*/").map_or(rest.len(), |end| end + 4),
                Some('/') if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
                _ => return,
            };
            self.line += rest[..passed].matches('\n').count();
            self.at += passed;
        }
    }
}
