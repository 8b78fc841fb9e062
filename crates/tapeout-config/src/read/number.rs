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

/// A decimal from its text, with or without an exponent.
pub(super) fn decimal(text: &str, span: Span) -> Result<Tree, Diagnostic> {
    exact(text).map(Tree::Decimal).ok_or_else(|| {
        Diagnostic::error(format!("the number `{text}` cannot be kept exactly"))
            .at(span, "expected a finite number with at most 28 digits")
    })
}

fn exact(text: &str) -> Option<Decimal> {
    let text = text.strip_prefix('+').unwrap_or(text);
    match text.find(['e', 'E']) {
        None => Decimal::from_str_exact(text).ok(),
        Some(at) => {
            // What is lost by an exponent is lost silently, so the mantissa is compared after scaling back.
            let mantissa = Decimal::from_str_exact(&text[..at]).ok()?;
            let exponent: i32 = text[at + 1..].parse().ok()?;
            if mantissa.is_zero() {
                return Some(Decimal::ZERO);
            }
            let digits = mantissa.normalize();
            let scale = i64::from(digits.scale()) - i64::from(exponent);
            if scale >= 0 {
                return Decimal::try_from_i128_with_scale(digits.mantissa(), u32::try_from(scale).ok()?).ok();
            }
            let factor = 10i128.checked_pow(u32::try_from(-scale).ok()?)?;
            Decimal::try_from_i128_with_scale(digits.mantissa().checked_mul(factor)?, 0).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::exact;

    #[test]
    fn decimals_are_exact() {
        let cases = [
            ("0.1", "0.1"),
            ("10.0", "10.0"),
            ("+2.5", "2.5"),
            ("-2.5", "-2.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1e3", "1000"),
            ("1.5E+3", "1500"),
            ("-2.50e-2", "-0.025"),
            ("0e99999", "0"),
            ("1e28", "10000000000000000000000000000"),
            ("1e-28", "0.0000000000000000000000000001"),
        ];
        for (text, expected) in cases {
            assert_eq!(exact(text).map(|d| d.to_string()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        for text in
            ["1e29", "1e-29", "1e99999999999", "0.00000000000000000000000000001", "inf", "nan", ".inf", "", "e5"]
        {
            assert_eq!(exact(text), None, "{text}");
        }
    }
}
