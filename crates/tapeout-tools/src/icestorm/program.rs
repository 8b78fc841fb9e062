//! `Icestorm.Program`: loads the bitstream into a board. No flow runs it unless a configuration asks for it.

use tapeout_flow::{
    Command, Completed, Failure, Input, Invocation, Session, Step, StepCx, StepInfo, StepResult, Type, Variable,
};

pub(super) struct Program;

impl Step for Program {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Icestorm.Program",
            "Program the board",
            "Loads the bitstream into a board with `iceprog`, or with the tool in `PROGRAMMER`. It is in no built-in flow \
             but `Ice40Program`, runs each time it is asked for, and only when no step before it has failed a check.",
            env!("IMPLEMENTATION"),
        )
        .needs("bitstream")
        .variables([
            Variable::new("PROGRAMMER", Type::choice(["iceprog", "openFPGALoader"]), "The program that loads the board.")
                .default("iceprog"),
            Variable::new("PROGRAMMER_ARGS", Type::list(Type::Str), "Arguments for it before the bitstream, such as `-S`.")
                .default(Vec::<String>::new()),
        ])
        .tools(&["iceprog", "openFPGALoader"])
        .sections(&[("program", "Loads the bitstream.")])
        .acts_outside()
    }

    fn tools(&self, config: &tapeout_config::Config) -> Vec<&'static str> {
        if config.str("PROGRAMMER") == "iceprog" { vec!["iceprog"] } else { vec!["openFPGALoader"] }
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let bitstream = cx.view_file("bitstream")?;
        let command = Command::new(cx.config.str("PROGRAMMER"))
            .args(cx.config.strings("PROGRAMMER_ARGS"))
            .arg(bitstream.path.clone());
        let invocation =
            Invocation { commands: vec![command], inputs: vec![Input::Output(bitstream)], ..Invocation::default() };
        Ok(vec![Session::from(invocation).call("program", 0)])
    }

    fn collect(&self, _: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult::default())
    }
}
