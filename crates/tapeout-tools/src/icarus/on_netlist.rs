//! The design's benches on the netlist of its implementation: function, without delays.

use tapeout_config::Config;
use tapeout_flow::{Action, Completed, Failure, Input, Session, Step, StepCx, StepInfo, StepResult, Variable};
use tapeout_formats::alerts;
use tapeout_model::{Alert, Class, Value, Verdict};

use super::{Bench, Judgement, bench_variables, collect, has_no_bench};
use crate::classic;
use crate::verilog::{self, Sources};
use crate::views::of_macros;

/// A step that runs the benches on a netlist.
pub(crate) struct OnNetlist {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    /// The format of the view with the netlist.
    pub(crate) netlist: &'static str,
    /// Why there is nothing to run on where the step before it has made none.
    pub(crate) without: &'static str,
    /// The variable that turns the step off, a switch.
    pub(crate) switch: fn() -> Variable,
    pub(crate) models: Models,
    /// Further arguments of the compiler.
    pub(crate) options: &'static [&'static str],
}

/// Where the functional models of the cells are.
#[derive(Clone, Copy)]
pub(crate) enum Models {
    /// In a file of a tool: its name, and the path from its executable.
    OfTool(&'static str, &'static str),
    /// In the files of a variable, which is a list; hard macros are their netlists.
    OfVariable(fn() -> Variable),
}

impl OnNetlist {
    /// Why the benches do not run with this configuration, if so.
    pub(crate) fn nothing_to_do(switch: &Variable, config: &Config) -> Option<String> {
        if config.bool(&switch.name) { has_no_bench(config) } else { Some(format!("{} is false", switch.name)) }
    }
}

impl Step for OnNetlist {
    fn info(&self) -> StepInfo {
        let info = StepInfo::new(self.id, self.name, self.doc, env!("IMPLEMENTATION"))
            .about(self.netlist)
            .variables(verilog::variables())
            .variables(bench_variables())
            .variables([(self.switch)()])
            .tools(&["iverilog", "vvp"])
            .action(Action::Simulation)
            .sections(&super::bench::SECTIONS)
            .defers_check();
        match self.models {
            Models::OfTool(tool, _) => info.tools(&[tool]),
            Models::OfVariable(variable) => info.variables([variable(), classic::variable("MACROS")]),
        }
    }

    fn nothing_to_do(&self, config: &Config) -> Option<String> {
        Self::nothing_to_do(&(self.switch)(), config)
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let Some(netlist) = cx.view(self.netlist) else { return Ok(Vec::new()) };
        let mut models = match self.models {
            Models::OfTool(tool, path) => vec![cx.tool_file(tool, path)?],
            Models::OfVariable(variable) => {
                cx.config.strings(&variable().name).into_iter().map(str::to_owned).collect()
            }
        };
        if models.is_empty() {
            return Ok(Vec::new());
        }
        if matches!(self.models, Models::OfVariable(_)) {
            let macros = cx.config.get("MACROS").unwrap_or(&Value::Null);
            models.extend(of_macros(macros, "nl").into_iter().map(str::to_owned));
        }
        let mut sessions = Vec::new();
        for bench in Bench::all(cx.config) {
            let files: Vec<String> = cx.config.strings("TEST_FILES").iter().map(|file| (*file).to_owned()).collect();
            let mut sources = Sources::of(cx, &[files, vec![bench.path.clone()]].concat())?;
            for file in netlist.files() {
                sources.files.push(file.path.clone());
                sources.inputs.push(Input::Output(file.clone()));
            }
            for path in &models {
                sources.files.push(verilog::in_work_dir(path));
                sources.inputs.push(Input::Source { path: path.clone() });
            }
            sessions.push(bench.session(cx.config, sources, &[self.options, &["-DPOST_LAYOUT"]].concat(), false));
        }
        Ok(sessions)
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        if sessions.is_empty() {
            let without = match self.models {
                Models::OfVariable(variable) if cx.view(self.netlist).is_some() => {
                    format!("`{}` names no models of the cells", variable().name)
                }
                Models::OfVariable(_) | Models::OfTool(..) => self.without.to_owned(),
            };
            return Ok(not_checked(without));
        }
        let benches = Bench::all(cx.config);
        for (bench, session) in benches.iter().zip(sessions) {
            let log = session.log();
            match bench.judge(cx.config, session) {
                Judgement::Passed => {}
                Judgement::DoesNotCompile(_) if looks_inside(log) => {
                    return Ok(cannot_run(bench, "looks inside the design"));
                }
                // An error in newer versions of Icarus Verilog, and a warning in older ones, in which the bench may pass.
                Judgement::DoesNotCompile(_) | Judgement::Failed(_) if sets_parameters(log) => {
                    return Ok(cannot_run(bench, "sets parameters of the design"));
                }
                Judgement::DoesNotCompile(words) => {
                    let message = format!("`iverilog` cannot compile the bench `{}` with the netlist", bench.name);
                    let mut failure = Failure::new(Class::Tool, message);
                    failure.words = words;
                    return Err(failure);
                }
                Judgement::Failed(_) => {}
            }
        }
        Ok(collect(cx.config, &benches, sessions))
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        [alerts::iverilog(log), alerts::vvp(log)].concat()
    }
}

fn not_checked(reason: String) -> StepResult {
    StepResult { verdict: Verdict::NotChecked { reason }, ..StepResult::default() }
}

fn cannot_run(bench: &Bench, what_it_does: &str) -> StepResult {
    let name = &bench.name;
    not_checked(format!(
        "the bench `{name}` {what_it_does}, which a netlist does not have; see the macro `POST_LAYOUT`"
    ))
}

/// Whether compilation failed because a name inside the design does not exist.
fn looks_inside(log: &str) -> bool {
    ["Unable to bind", "Could not find variable", "Unable to elaborate r-value"].iter().any(|words| log.contains(words))
}

/// Whether the compiler ignored a parameter that the bench gives to the design.
fn sets_parameters(log: &str) -> bool {
    log.lines().any(|line| line.contains("parameter ") && line.contains("not found in"))
}
