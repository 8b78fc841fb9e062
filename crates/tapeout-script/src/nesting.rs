//! Texts whose parts lie deeper in each other than anybody writes them: the parser, which calls itself for each level,
//! would end the program.

use starlark::codemap::CodeMap;
use starlark::syntax::Dialect;
use starlark_syntax::lexer::{Lexer, Token};

/// Brackets and blocks within each other.
const BRACKETS: usize = 100;

/// Operators of one expression, with those around it. Each may be a level of its own: `- - - x`, `a + b + c`.
const OPERATORS: usize = 5000;

/// The byte at which a text nests too deep.
pub(crate) fn too_deep(text: &str, dialect: &Dialect) -> Option<usize> {
    let codemap = CodeMap::new(String::new(), text.to_owned());
    // The operators by now of the expression on each level of brackets.
    let mut levels = vec![0_usize];
    let mut operators = 0;
    for (start, token, _) in Lexer::new(text, dialect, codemap).map_while(Result::ok) {
        let count = match token {
            Token::OpeningRound | Token::OpeningSquare | Token::OpeningCurly | Token::Indent => {
                levels.push(0);
                0
            }
            Token::ClosingRound | Token::ClosingSquare | Token::ClosingCurly | Token::Dedent => {
                // What is in brackets is over; a call or an index is an operator.
                operators -= if levels.len() > 1 { levels.pop().unwrap_or(0) } else { 0 };
                1
            }
            Token::Comma | Token::Newline | Token::Semicolon => {
                operators -= levels.last_mut().map_or(0, std::mem::take);
                0
            }
            Token::Identifier(_) | Token::Int(_) | Token::Float(_) | Token::String(_) | Token::Comment(_) => 0,
            _ => 1,
        };
        operators += count;
        if let Some(level) = levels.last_mut() {
            *level += count;
        }
        if levels.len() > BRACKETS || operators > OPERATORS {
            return Some(start);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::too_deep;
    use crate::loader::DIALECT;

    #[test]
    fn long_texts_are_not_deep_ones() {
        let table = format!("x = [\n{}]\n", "    (-1, [f(2) + 3]),\n".repeat(10_000));
        let statements = "def f(x):\n    if x:\n        return x.y.z(1)[2]\n".repeat(10_000);
        for text in [table, statements] {
            assert_eq!(too_deep(&text, &DIALECT), None);
        }
        let chain = |operator: &str| format!("x = 1{}\n", operator.repeat(6000));
        for text in
            [chain(" + 1"), chain(".a"), chain("(1)"), chain(" if 1 else 1"), format!("x = {}1", "-".repeat(6000))]
        {
            assert!(too_deep(&text, &DIALECT).is_some(), "{}", &text[..20]);
        }
        assert!(too_deep(&"[".repeat(101), &DIALECT).is_some());
    }
}
