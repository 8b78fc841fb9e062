//! The interpreter of Tcl configurations: `tclsh`, run by the engine, which confines it.

use tapeout_config::{TclInterpreter, TclLimits, TclProblem, TclRequest};
use tapeout_engine::{Confined, ConfinedError, GuardCommand};

use crate::tools::path_in_environment;

/// `tclsh`: that of `TAPEOUT_TCLSH` where the environment has it, else that on `PATH`.
///
/// The kernel keeps it to the files of the request, as far as it can ([`tapeout_engine::confinement_support`]); what the
/// configuration itself may do is the program's matter.
#[derive(Clone, Debug)]
pub struct Tclsh {
    /// How the guard process is started that runs it.
    pub guard: GuardCommand,
}

impl TclInterpreter for Tclsh {
    fn run(&self, request: &TclRequest<'_>) -> Result<String, TclProblem> {
        let TclLimits { time, memory, output } = request.limits;
        let program = path_in_environment(NAME).unwrap_or_else(|| NAME.to_owned());
        let confined = Confined {
            program: &program,
            args: &["program.tcl", "input"],
            files: &[("program.tcl", request.program.as_bytes()), ("input", &request.input)],
            read: request.read.clone(),
            timeout: time + TclLimits::GRACE,
            memory,
            output,
        };
        let answer = confined.run(&self.guard).map_err(|error| match error {
            ConfinedError::Missing(program) => TclProblem::Missing(program),
            ConfinedError::NotStarted(why) => TclProblem::NotStarted(why),
            ConfinedError::TimedOut(_) => TclProblem::TimedOut,
            ConfinedError::TooMuchOutput(_) => TclProblem::TooMuchOutput,
            ConfinedError::Ended { how, said } => TclProblem::Ended { how, said },
        })?;
        String::from_utf8(answer).map_err(|_| TclProblem::Ended {
            how: "exit code 0".to_owned(),
            said: "something that is not UTF-8".to_owned(),
        })
    }
}

const NAME: &str = "tclsh";
