//! The arithmetic of `expr::` values: `$CLOCK_PERIOD * 0.2`. Owns its grammar, its limits and the words for what is
//! wrong; what a name stands for is the caller's.
//!
//! ```text
//! sum     = product { ("+" | "-") product }
//! product = signed { ("*" | "/") signed }
//! signed  = { "+" | "-" } power
//! power   = value [ "**" signed ]
//! value   = number | "$" name { "." name | "[" digits "]" } | "(" sum ")"
//! ```
//!
//! So `**` binds to the right and tighter than a sign before it: `2 ** 3 ** 2` is 512 and `-2 ** 2` is -4. Results are
//! rounded as [`Decimal`] rounds them, to 28 digits.

mod parse;

use std::ops::Range;

use tapeout_model::Decimal;

use parse::{Instruction, Operator, parse};

/// The longest expression, in bytes.
pub const MAX_LENGTH: usize = 4096;

/// How deep parentheses and powers of powers may nest.
pub const MAX_NESTING: usize = 128;

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error<E> {
    /// The fault lies in the expression.
    Fault(Fault),
    /// A name has no value, as the lookup says.
    Lookup(E),
}

/// What is wrong in an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong, in one line.
    pub message: String,
    /// Where, in bytes of the expression.
    pub range: Range<usize>,
    /// What to say beside the place.
    pub label: &'static str,
    /// What to do, where that is known.
    pub help: Option<String>,
}

impl Fault {
    fn new(message: impl Into<String>, range: Range<usize>, label: &'static str) -> Self {
        Self { message: message.into(), range, label, help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The value of an expression. `lookup` gets each name without its `$`, as in `A[0].B`, and the bytes that it takes
/// with the `$`; it is asked in the order of writing, and only if the whole text is an expression.
///
/// # Errors
/// The first fault in the text, else the first name without a value or computation without a result.
pub fn evaluate<E>(
    text: &str,
    mut lookup: impl FnMut(&str, Range<usize>) -> Result<Decimal, E>,
) -> Result<Decimal, Error<E>> {
    let program = parse(text).map_err(Error::Fault)?;
    let mut stack: Vec<Decimal> = Vec::new();
    for instruction in program {
        let value = match instruction {
            Instruction::Number(value) => value,
            Instruction::Name(range) => lookup(&text[range.start + 1..range.end], range).map_err(Error::Lookup)?,
            Instruction::Negate => -stack.pop().unwrap_or(Decimal::ZERO),
            Instruction::Binary(operator, range) => {
                // The parser writes an operator behind its two operands.
                let (right, left) = (stack.pop().unwrap_or(Decimal::ZERO), stack.pop().unwrap_or(Decimal::ZERO));
                apply(left, operator, right, range).map_err(Error::Fault)?
            }
        };
        stack.push(value);
    }
    Ok(stack.pop().unwrap_or(Decimal::ZERO))
}

fn apply(left: Decimal, operator: Operator, right: Decimal, range: Range<usize>) -> Result<Decimal, Fault> {
    let result = match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::Power => left.pow(right),
    };
    let what = format!("`{left} {operator} {right}`");
    if operator == Operator::Divide && right.is_zero()
        || operator == Operator::Power && left.is_zero() && right < Decimal::ZERO
    {
        return Err(Fault::new(format!("{what} divides by zero"), range, "this operation"));
    }
    if result.is_nan() && !left.is_nan() && !right.is_nan() {
        let fault = Fault::new(format!("{what} is not defined"), range, "this operation");
        return Err(match operator {
            Operator::Power if left < Decimal::ZERO => fault.help("a negative number has powers of integers only"),
            _ => fault,
        });
    }
    if !result.is_finite() && left.is_finite() && right.is_finite() {
        return Err(Fault::new(format!("{what} is too large"), range, "expected a result below 1E+1000000"));
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> Result<String, Error<String>> {
        let lookup = |name: &str, range: Range<usize>| {
            assert_eq!(text[range], format!("${name}"));
            match name {
                "A" => Ok(Decimal::from(1)),
                "H" => Ok("1.5".parse().unwrap()),
                "A[0].B" | "M.spm.inst.i0.location[1]" => Ok(Decimal::from(2)),
                "LARGE" => Ok("inf".parse().unwrap()),
                _ => Err(format!("no {name}")),
            }
        };
        evaluate(text, lookup).map(|value| value.to_string())
    }

    #[test]
    fn expressions_have_values() {
        let cases = [
            ("5 + 4 * (2 + $A)", "17"),
            ("2 ** 3 ** 2", "512"),
            ("-2 ** 2", "-4"),
            ("-2**2", "-4"),
            ("(-2) ** 2", "4"),
            ("2**-1", "0.5"),
            ("2 ** - - 1", "2"),
            ("2**-1**2", "0.5"),
            ("1 / 3", "0.3333333333333333333333333333"),
            ("0.1 + 0.2", "0.3"),
            ("2 ** 0.5", "1.414213562373095048801688724"),
            ("(($H) * 2)", "3.0"),
            ("5-3", "2"),
            ("5 -3", "2"),
            ("5 - 3", "2"),
            ("5--3", "8"),
            ("2 * -3", "-6"),
            ("-(3)", "-3"),
            ("+3", "3"),
            ("8 - 2 - 1", "5"),
            ("8 / 2 / 2", "2"),
            ("8/2*4", "16"),
            ("2 * 3 ** 2", "18"),
            ("\t1.50\n", "1.50"),
            (".5+5.", "5.5"),
            ("1e3", "1E+3"),
            ("1.5e-3*1E3", "1.5"),
            ("$A[0].B*$M.spm.inst.i0.location[1]", "4"),
            ("$LARGE + 1", "Infinity"),
            ("1 / $LARGE", "0"),
        ];
        for (text, expected) in cases {
            assert_eq!(value(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn faults_say_what_and_where() {
        let cases = [
            ("", "the expression is empty", ""),
            ("  ", "the expression is empty", "  "),
            ("5 3", "an operator is missing between `5` and `3`", "3"),
            ("5 (3)", "an operator is missing between `5` and `(`", "("),
            ("(1) $A", "an operator is missing between `)` and `$A`", "$A"),
            ("2ns", "an operator is missing between `2` and `ns`", "ns"),
            ("1 + (2", "this `(` is not closed", "("),
            ("((1)", "this `(` is not closed", "("),
            ("(1 +", "`+` has nothing on its right", "+"),
            ("1 + 2)", "this `)` closes nothing", ")"),
            ("1 % 2", "`% 2` cannot be read", "% 2"),
            ("1 + µm", "`µm` is not a number", "µm"),
            ("1 +", "`+` has nothing on its right", "+"),
            ("(1 - )", "`-` has nothing on its right", "-"),
            ("* 2", "`*` has nothing on its left", "*"),
            ("1 + / 2", "`/` has nothing on its left", "/"),
            ("-", "`-` has nothing on its right", "-"),
            ("()", "there is nothing between `(` and `)`", ")"),
            (")", "this `)` closes nothing", ")"),
            ("1.2.3", "the number `1.2.3` cannot be read", "1.2.3"),
            (".", "the number `.` cannot be read", "."),
            ("1e9999999", "the number `1e9999999` cannot be read", "1e9999999"),
            ("A", "`A` is not a number", "A"),
            ("$", "`$` has no name", "$"),
            ("$A.", "the name `$A.` is not complete", "$A."),
            ("$A[", "the name `$A[` is not complete", "$A["),
            ("$A[x]", "the name `$A[` is not complete", "$A["),
            ("$A[1", "the name `$A[1` is not complete", "$A[1"),
            ("1 + 1/0", "`1 / 0` divides by zero", "1/0"),
            ("0 / 0", "`0 / 0` divides by zero", "0 / 0"),
            ("0 ** -1", "`0 ** -1` divides by zero", "0 ** -1"),
            ("0 ** 0", "`0 ** 0` is not defined", "0 ** 0"),
            ("(-8) ** 0.5", "`-8 ** 0.5` is not defined", "(-8) ** 0.5"),
            ("$LARGE - $LARGE", "`Infinity - Infinity` is not defined", "$LARGE - $LARGE"),
            ("1 - 9**9**9**9", "`9 ** 387420489` is too large", "9**9**9"),
        ];
        for (text, message, place) in cases {
            match value(text) {
                Err(Error::Fault(fault)) => {
                    assert_eq!((fault.message.as_str(), &text[fault.range]), (message, place), "{text}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_to_do_is_said_where_it_is_known() {
        let help = |text| match value(text) {
            Err(Error::Fault(fault)) => fault.help.unwrap_or_default(),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(help("2 * A"), "write `$A` for the value of the variable `A`");
        assert_eq!(help("(-8) ** 0.5"), "a negative number has powers of integers only");
    }

    #[test]
    fn a_lookup_speaks_for_itself_and_only_of_whole_expressions() {
        assert_eq!(value("$A + $B.c[3]"), Err(Error::Lookup("no B.c[3]".to_owned())));
        assert!(matches!(value("$B + "), Err(Error::Fault(_))));
    }

    #[test]
    fn hostile_texts_are_refused() {
        let deep = |open: &str, close: &str, count: usize| format!("{}1{}", open.repeat(count), close.repeat(count));
        assert_eq!(value(&deep("(", ")", MAX_NESTING)).as_deref(), Ok("1"));
        for text in [deep("(", ")", MAX_NESTING + 1), deep("(", ")", 2000), deep("1**", "", 1000), "(".repeat(4096)] {
            match value(&text) {
                Err(Error::Fault(fault)) => assert!(fault.message.contains("nested more than 128 deep"), "{fault:?}"),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(value(&format!("{}1", "-".repeat(4095))).as_deref(), Ok("-1"));
        assert!(matches!(value(&"1".repeat(4097)), Err(Error::Fault(fault)) if fault.message.contains("4096")));
    }

    proptest! {
        #[test]
        fn any_text_has_a_value_or_a_fault_inside_of_it(text in "([-+*/(). 0-9e$A]|\\*\\*|\\PC){0,40}") {
            if let Err(Error::Fault(fault)) = evaluate(&text, |_, _| Ok::<_, ()>(Decimal::from(3))) {
                prop_assert!(text.get(fault.range).is_some());
                prop_assert!(!fault.message.is_empty());
            }
        }

        #[test]
        fn what_is_written_is_computed(numbers in proptest::collection::vec((0i64..99, "[-+*]"), 1..8)) {
            // Products first, then sums, on integers that stay exact.
            let (mut sum, mut product, mut text) = (0i64, 1i64, "1".to_owned());
            for (number, operator) in &numbers {
                text.push_str(&format!("{operator}{number}"));
                if operator == "*" {
                    product *= number;
                } else {
                    sum += product;
                    product = if operator == "-" { -number } else { *number };
                }
            }
            prop_assert_eq!(value(&text), Ok((sum + product).to_string()));
        }
    }
}
