//! From the text of an expression to instructions for a stack, operands first. Computes nothing.

use std::fmt;
use std::ops::Range;

use tapeout_model::Decimal;

use super::{Fault, MAX_LENGTH, MAX_NESTING};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Power => "**",
        })
    }
}

/// One step of the computation, and the bytes that it stands for.
#[derive(Clone, Debug)]
pub(super) enum Instruction {
    Number(Decimal),
    /// A name with its `$`.
    Name(Range<usize>),
    Negate,
    /// The bytes are those of the operands, too.
    Binary(Operator, Range<usize>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Number(Decimal),
    Name,
    Operator(Operator),
    Open,
    Close,
    End,
}

/// The instructions of an expression.
pub(super) fn parse(text: &str) -> Result<Vec<Instruction>, Fault> {
    if text.len() > MAX_LENGTH {
        let message = format!("the expression has {} bytes, of at most {MAX_LENGTH}", text.len());
        return Err(Fault::new(message, 0..0, "too long"));
    }
    if text.trim().is_empty() {
        return Err(Fault::new("the expression is empty", 0..text.len(), EXPECTED));
    }
    let mut parser = Parser { text, at: 0, token: Token::End, range: 0..0, before: None, program: Vec::new() };
    parser.advance()?;
    parser.sum(0)?;
    match parser.token {
        Token::End => Ok(parser.program),
        Token::Close => Err(parser.here("this `)` closes nothing", "remove it")),
        _ => Err(parser.missing_operator()),
    }
}

const EXPECTED: &str = "expected a number, a `$NAME` or a `(`";

struct Parser<'t> {
    text: &'t str,
    /// Where the next token is looked for.
    at: usize,
    token: Token,
    range: Range<usize>,
    /// The token before the current one.
    before: Option<(Token, Range<usize>)>,
    program: Vec<Instruction>,
}

impl Parser<'_> {
    fn sum(&mut self, depth: usize) -> Result<(), Fault> {
        let start = self.range.start;
        self.product(depth)?;
        while let Token::Operator(operator @ (Operator::Add | Operator::Subtract)) = self.token {
            self.advance()?;
            self.product(depth)?;
            self.binary(operator, start);
        }
        Ok(())
    }

    fn product(&mut self, depth: usize) -> Result<(), Fault> {
        let start = self.range.start;
        self.signed(depth)?;
        while let Token::Operator(operator @ (Operator::Multiply | Operator::Divide)) = self.token {
            self.advance()?;
            self.signed(depth)?;
            self.binary(operator, start);
        }
        Ok(())
    }

    fn signed(&mut self, depth: usize) -> Result<(), Fault> {
        let mut negative = false;
        while let Token::Operator(sign @ (Operator::Add | Operator::Subtract)) = self.token {
            negative ^= sign == Operator::Subtract;
            self.advance()?;
        }
        self.power(depth)?;
        if negative {
            self.program.push(Instruction::Negate);
        }
        Ok(())
    }

    fn power(&mut self, depth: usize) -> Result<(), Fault> {
        let start = self.range.start;
        self.value(depth)?;
        if self.token == Token::Operator(Operator::Power) {
            self.nest(depth)?;
            self.advance()?;
            self.signed(depth + 1)?;
            self.binary(Operator::Power, start);
        }
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<(), Fault> {
        match self.token {
            Token::Number(value) => self.program.push(Instruction::Number(value)),
            Token::Name => self.program.push(Instruction::Name(self.range.clone())),
            Token::Open => {
                self.nest(depth)?;
                let open = self.range.clone();
                self.advance()?;
                self.sum(depth + 1)?;
                match self.token {
                    Token::Close => {}
                    Token::End => return Err(Fault::new("this `(` is not closed", open, "expected a `)` for it")),
                    _ => return Err(self.missing_operator()),
                }
            }
            _ => return Err(self.missing_value()),
        }
        self.advance()
    }

    fn nest(&self, depth: usize) -> Result<(), Fault> {
        if depth < MAX_NESTING {
            return Ok(());
        }
        Err(self.here(&format!("the expression is nested more than {MAX_NESTING} deep"), "too deep"))
    }

    /// The operands have just been read; the first one starts at `start`.
    fn binary(&mut self, operator: Operator, start: usize) {
        let end = self.before.as_ref().map_or(self.at, |(_, range)| range.end);
        self.program.push(Instruction::Binary(operator, start..end));
    }

    fn missing_value(&self) -> Fault {
        match (&self.before, self.token) {
            (Some((Token::Operator(operator), range)), Token::End | Token::Close) => {
                Fault::new(format!("`{operator}` has nothing on its right"), range.clone(), EXPECTED)
            }
            (_, Token::Operator(operator)) => self.here(&format!("`{operator}` has nothing on its left"), EXPECTED),
            (Some((Token::Open, range)), Token::End) => {
                Fault::new("this `(` is not closed", range.clone(), "expected a `)` for it")
            }
            (Some(_), Token::Close) => self.here("there is nothing between `(` and `)`", EXPECTED),
            _ => self.here("this `)` closes nothing", "remove it"),
        }
    }

    fn missing_operator(&self) -> Fault {
        let before = self.before.as_ref().map_or("", |(_, range)| &self.text[range.clone()]);
        let here = &self.text[self.range.clone()];
        self.here(&format!("an operator is missing between `{before}` and `{here}`"), "expected one of + - * / **")
    }

    fn here(&self, message: &str, label: &'static str) -> Fault {
        Fault::new(message, self.range.clone(), label)
    }

    /// Whether a value has just ended, so that only an operator or a `)` can follow.
    fn after_value(&self) -> bool {
        matches!(self.token, Token::Number(_) | Token::Name | Token::Close)
    }

    /// Reads the next token.
    fn advance(&mut self) -> Result<(), Fault> {
        if self.at > 0 {
            self.before = Some((self.token, self.range.clone()));
        }
        let rest = self.text[self.at..].trim_start();
        let start = self.text.len() - rest.len();
        let (token, length) = match rest.as_bytes() {
            [] => (Token::End, 0),
            [b'(', ..] => (Token::Open, 1),
            [b')', ..] => (Token::Close, 1),
            [b'+', ..] => (Token::Operator(Operator::Add), 1),
            [b'-', ..] => (Token::Operator(Operator::Subtract), 1),
            [b'*', b'*', ..] => (Token::Operator(Operator::Power), 2),
            [b'*', ..] => (Token::Operator(Operator::Multiply), 1),
            [b'/', ..] => (Token::Operator(Operator::Divide), 1),
            [b'$', ..] => (Token::Name, reference(rest, start)?),
            [b'0'..=b'9' | b'.', ..] => {
                let length = number(rest);
                let value = rest[..length].parse().map_err(|reason: tapeout_model::InvalidDecimal| {
                    let message = format!("the number `{}` cannot be read", &rest[..length]);
                    Fault::new(message, start..start + length, "expected a decimal number").help(reason.to_string())
                })?;
                (Token::Number(value), length)
            }
            _ => return Err(self.unknown(rest, start)),
        };
        (self.token, self.range, self.at) = (token, start..start + length, start + length);
        Ok(())
    }

    fn unknown(&self, rest: &str, start: usize) -> Fault {
        let word = &rest[..word(rest)];
        if word.is_empty() {
            let rest = rest.trim_end();
            let message = format!("`{rest}` cannot be read");
            return Fault::new(message, start..start + rest.len(), "expected one of + - * / ** ( )");
        }
        let range = start..start + word.len();
        if self.after_value() {
            let before = &self.text[self.range.clone()];
            let message = format!("an operator is missing between `{before}` and `{word}`");
            return Fault::new(message, range, "expected one of + - * / **");
        }
        Fault::new(format!("`{word}` is not a number"), range, EXPECTED)
            .help(format!("write `${word}` for the value of the variable `{word}`"))
    }
}

fn word(text: &str) -> usize {
    text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len())
}

/// The length of a name with its `$`.
fn reference(text: &str, start: usize) -> Result<usize, Fault> {
    let mut length = 1 + word(&text[1..]);
    if length == 1 {
        return Err(Fault::new("`$` has no name", start..start + 1, "expected the name of a variable"));
    }
    loop {
        let part = match text.as_bytes().get(length) {
            Some(b'.') => 1 + word(&text[length + 1..]),
            Some(b'[') => {
                let digits = text[length + 1..].bytes().take_while(u8::is_ascii_digit).count();
                let closed = digits > 0 && text.as_bytes().get(length + 1 + digits) == Some(&b']');
                if closed { digits + 2 } else { 1 }
            }
            _ => return Ok(length),
        };
        if part == 1 {
            let digits = text[length + 1..].bytes().take_while(u8::is_ascii_digit).count();
            let length = length + 1 + digits;
            let message = format!("the name `{}` is not complete", &text[..length]);
            return Err(Fault::new(message, start..start + length, "expected as in `$A.B` or `$A[0]`"));
        }
        length += part;
    }
}

/// The length of a number. Takes in all digits and points, so that `1.2.3` is one number, though a wrong one.
fn number(text: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mantissa = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let Some(exponent) = text[mantissa..].strip_prefix(['e', 'E']) else { return mantissa };
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    match digits(unsigned) {
        0 => mantissa,
        count => mantissa + 1 + (exponent.len() - unsigned.len()) + count,
    }
}
