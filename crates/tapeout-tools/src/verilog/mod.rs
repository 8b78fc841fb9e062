//! The sources of a Verilog design, as every tool that reads them gets them. Owns the variables that name them.
//!
//! Two kinds of files are not named by a variable: includes, which the tools discover and report, and memory files, which
//! the design names in string literals (`$readmemh("firmware.hex", ram)`). Tools resolve those against the directory in
//! which they happen to run, and not all report them. So every string literal of a source that is the path of an
//! existing file, seen from the design directory or from the source's own directory, is made available under just that
//! path where the tool runs, and is an input of the step. The same goes for literals of the files that it includes.

mod literals;
mod mentions;

use tapeout_config::Config;
use tapeout_flow::{Failure, Input, StepCx, Type, Variable};

/// Functional models of the cells of iCE40, from the directory of Yosys' executable.
pub(crate) const ICE40_MODELS: &str = "../share/yosys/ice40/cells_sim.v";
/// How their file ends in a message.
pub(crate) const ICE40_MODELS_NAME: &str = "ice40/cells_sim.v";

/// What to try when a tool does not find the top module.
pub(crate) const TOP_ADVICE: &str =
    "is `DESIGN_NAME` the name of the top module, and are all sources in `VERILOG_FILES`?";

pub(crate) use mentions::inputs_of_words;

/// The variables that describe the sources.
pub(crate) fn variables() -> Vec<Variable> {
    vec![
        Variable::new(
            "VERILOG_FILES",
            Type::list(Type::Path),
            "The Verilog and SystemVerilog sources, and file lists (`*.f`). Globs are expanded in the order of the alphabet.",
        )
        .default(Vec::<String>::new()),
        Variable::new("VERILOG_INCLUDE_DIRS", Type::list(Type::Dir), "Directories in which `` `include`` looks for files.")
            .default(Vec::<String>::new()),
        Variable::new("VERILOG_DEFINES", Type::list(Type::Str), "Macros for the preprocessor, each `NAME` or `NAME=VALUE`.")
            .default(Vec::<String>::new()),
    ]
}

/// The sources of a design, named as they are on a command line in the work directory.
pub(crate) struct Sources {
    /// Verilog and SystemVerilog files in order.
    pub(crate) files: Vec<String>,
    /// `-I` arguments.
    pub(crate) includes: Vec<String>,
    /// `-D` arguments.
    pub(crate) defines: Vec<String>,
    /// All of them as inputs of an invocation, memory files included.
    pub(crate) inputs: Vec<Input>,
    /// Whether they instantiate cells of iCE40 themselves.
    pub(crate) has_ice40_primitives: bool,
}

impl Sources {
    /// The sources of the design, then those in `more`.
    pub(crate) fn gather(cx: &mut StepCx<'_, '_>, more: &[String]) -> Result<Self, Failure> {
        let design = cx.config.strings("VERILOG_FILES").into_iter().map(str::to_owned);
        let mut sources = Self::of(cx, &design.chain(more.iter().cloned()).collect::<Vec<_>>())?;
        if let Some(view) = cx.view("vhdl_nl") {
            for file in view.files() {
                sources.files.push(file.path.clone());
                sources.inputs.push(Input::Output(file.clone()));
            }
        }
        Ok(sources)
    }

    /// Just these files, with the include directories and macros of the design.
    pub(crate) fn of(cx: &mut StepCx<'_, '_>, files: &[String]) -> Result<Self, Failure> {
        let config = cx.config;
        let mut sources = Self {
            files: Vec::new(),
            includes: prefixed("-I", config.strings("VERILOG_INCLUDE_DIRS").into_iter().map(in_work_dir)),
            defines: prefixed("-D", config.strings("VERILOG_DEFINES").into_iter().map(str::to_owned)),
            inputs: Vec::new(),
            has_ice40_primitives: false,
        };
        for path in files {
            sources.files.push(cx.source(path)?);
            sources.inputs.push(Input::Source { path: path.clone() });
        }
        let mentions = mentions::of(cx, files)?;
        sources.inputs.extend(mentions.inputs);
        sources.has_ice40_primitives = mentions.ice40_primitives;
        Ok(sources)
    }
}

/// The modules of hard macros, for tools that look at the sources alone. Synthesis takes them as black boxes.
pub(crate) fn macro_models() -> Variable {
    crate::classic::variable(MACRO_MODELS)
}

/// The files of [`macro_models`].
pub(crate) fn macro_model_files(config: &Config) -> Vec<String> {
    config.strings(MACRO_MODELS).into_iter().map(str::to_owned).collect()
}

const MACRO_MODELS: &str = "EXTRA_VERILOG_MODELS";

/// Whether the configuration names any source at all; without one there is nothing to build.
pub(crate) fn check(config: &Config) -> Result<(), (&'static str, String)> {
    let given = |name| config.declares(name) && !config.strings(name).is_empty();
    if given("VERILOG_FILES") || given("VHDL_FILES") {
        return Ok(());
    }
    Err(("VERILOG_FILES", "no source is given".to_owned()))
}

/// How a path of the configuration is named in the work directory.
pub(crate) fn in_work_dir(path: &str) -> String {
    tapeout_engine::from_work_dir(path)
}

fn prefixed(prefix: &str, words: impl Iterator<Item = String>) -> Vec<String> {
    words.map(|word| format!("{prefix}{word}")).collect()
}
