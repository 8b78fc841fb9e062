//! Numbers of all formats from their text, so that no decimal passes through a binary float.

use tapeout_model::Decimal;

use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::tree::Tree;

/// An integer of `radix` from its digits and sign.
pub(super) fn integer(text: &str, radix: u32, span: Span) -> Result<Tree, Diagnostic> {
    i64::from_str_radix(text, radix).map(Tree::Int).map_err(|_| {
        Diagnostic::error(format!("the integer `{text}` is too large"))
            .at(span, format!("expected at least {} and at most {}", i64::MIN, i64::MAX))
    })
}

/// A decimal from its text, with or without an exponent. Infinities and NaN may have YAML's point before them.
pub(super) fn decimal(text: &str, span: Span) -> Result<Tree, Diagnostic> {
    let (sign, unsigned) = text.split_at(text.len() - text.trim_start_matches(['+', '-']).len());
    let decimal = match unsigned.strip_prefix('.') {
        Some(word @ ("inf" | "Inf" | "INF" | "nan" | "NaN" | "NAN")) => format!("{sign}{word}").parse::<Decimal>(),
        _ => text.parse(),
    };
    decimal.map(Tree::Decimal).map_err(|reason| {
        Diagnostic::error(format!("the number `{text}` cannot be kept exactly"))
            .at(span, reason.to_string())
            .help("numbers have at most 38 digits, and exponents from -999999 to 999999")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    fn read(text: &str) -> Result<Tree, Diagnostic> {
        let file = SourceMap::new().add("c.yaml", text);
        decimal(text, Span::new(file, 0, text.len()))
    }

    #[test]
    fn decimals_keep_what_was_written() {
        let cases = [
            ("10.0", "10.0"),
            ("+2.5", "2.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1e3", "1E+3"),
            ("-2.50e-2", "-0.0250"),
            ("1e-30", "1E-30"),
            ("1e40", "1E+40"),
            (".inf", "Infinity"),
            ("+.Inf", "Infinity"),
            ("-.INF", "-Infinity"),
            (".nan", "NaN"),
            ("inf", "Infinity"),
            ("-nan", "NaN"),
        ];
        for (text, expected) in cases {
            assert!(matches!(read(text), Ok(Tree::Decimal(d)) if d.to_string() == expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        for text in ["1e1000000", "1e-99999999999", "0.100000000000000000000000000000000000001", "", "e5"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
