//! `Checker.NetlistAssignStatements`: does the netlist have `assign`? Some tools of place and route cannot deal with it.

use tapeout_flow::{Completed, Failure, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_model::{Alert, Severity};

use super::{off_hint, variable, warning_code};

pub(super) struct NetlistAssignStatements;

const ID: &str = "Checker.NetlistAssignStatements";
const GATE: &str = "ERROR_ON_NL_ASSIGN_STATEMENTS";

impl Step for NetlistAssignStatements {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            ID,
            "Check for assigns",
            "Fails when lines of the netlist begin with `assign`: some tools of place and route cannot deal with it.",
            env!("IMPLEMENTATION"),
        )
        .needs("nl")
        .variables([variable(GATE)])
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let netlist = cx.view_file("nl")?;
        let lines = assigns(&cx.output_text(&netlist)?);
        let Some(first) = lines.first() else { return Ok(StepResult::default()) };
        let reason = format!("`{}` has {} `assign`, the first in line {first}", netlist.path, lines.len());
        if cx.config.bool(GATE) {
            return Ok(StepResult::default().failed(reason, Some(off_hint(GATE))));
        }
        let code = warning_code(ID);
        Ok(StepResult::default().alerts([Alert { severity: Severity::Warning, code, message: reason, count: 1 }]))
    }
}

/// The lines that begin with the word `assign`, counted from 1.
fn assigns(netlist: &str) -> Vec<usize> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_$".contains(c);
    let begins = |line: &str| line.trim_start().strip_prefix("assign").is_some_and(|rest| !rest.starts_with(is_word));
    netlist.lines().zip(1..).filter(|(line, _)| begins(line)).map(|(_, number)| number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_counts() {
        assert_eq!(
            assigns("assign a = b;\n  assign{c} = d;\nassigned a;\n// assign\nwire assign_x;\n\tassign\n"),
            [1, 2, 6]
        );
    }
}
