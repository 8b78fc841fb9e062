//! Checkers: steps that run no tool and judge what others have measured.

mod assign;
mod by_corner;
mod limit;
mod limits;
mod setup;

use tapeout_config::Variable;
use tapeout_flow::Registry;

pub(crate) fn register(registry: &mut Registry) {
    registry.add_step(setup::SetupViolations).add_step(assign::NetlistAssignStatements);
    for limit in limits::LIMITS {
        registry.add_step(*limit);
    }
    for violations in by_corner::VIOLATIONS {
        registry.add_step(*violations);
    }
}

/// A variable of the checkers of OpenLane's flows.
///
/// # Panics
/// When there is none of that name.
fn variable(name: &str) -> Variable {
    let mut variables = crate::classic::checker_variables().into_iter().chain(limits::variables());
    variables.find(|variable| variable.name == name).expect("the tables of checkers name variables that are there")
}

/// What a failed check that can be turned off says.
fn off_hint(gate: &str) -> String {
    format!("`-c {gate}=false` makes it a warning")
}

/// The code of what a checker only warns of: `checker.lint-errors`.
fn warning_code(id: &str) -> String {
    let mut code = String::from("checker.");
    let mut last_was_small = false;
    for c in id.trim_start_matches("Checker.").chars() {
        if c.is_ascii_uppercase() && last_was_small {
            code.push('-');
        }
        last_was_small = c.is_ascii_lowercase();
        code.push(c.to_ascii_lowercase());
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_words_with_dashes() {
        let codes = ["Checker.LintErrors", "Checker.KLayoutDRC", "Checker.XOR"].map(warning_code);
        assert_eq!(codes, ["checker.lint-errors", "checker.klayout-drc", "checker.xor"]);
    }
}
