//! A test bench: how it is compiled and run, and whether it passed.

use std::collections::BTreeMap;

use tapeout_config::Config;
use tapeout_flow::{Command, Completed, DepFormat, Input, Invocation, Session, StepResult};
use tapeout_formats::alerts;
use tapeout_model::{Severity, Verdict, View};

use crate::time_limit;
use crate::verilog::{Sources, inputs_of_words};

/// A bench of the configuration.
pub(crate) struct Bench {
    /// The name of its module: that of the file.
    pub(crate) name: String,
    /// Its file.
    pub(crate) path: String,
}

/// What came of a bench.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    Passed,
    /// With the bench's own words.
    Failed(Vec<String>),
    /// With the compiler's words.
    DoesNotCompile(Vec<String>),
}

/// Why there is nothing to simulate, if so.
pub(crate) fn has_no_bench(config: &Config) -> Option<String> {
    config.strings("TEST_BENCHES").is_empty().then(|| "TEST_BENCHES is empty".to_owned())
}

/// Two benches of one name could not be told apart.
pub(crate) fn check(config: &Config) -> Result<(), (&'static str, String)> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for Bench { name, path } in Bench::all(config) {
        if let Some(other) = seen.insert(name.clone(), path.clone()) {
            return Err(("TEST_BENCHES", format!("`{other}` and `{path}` are both a bench `{name}`: rename one")));
        }
    }
    Ok(())
}

/// The sections of every step that simulates, once for each bench.
pub(super) const SECTIONS: [(&str, &str); 2] =
    [(COMPILE, "Compiles a bench with the design."), (RUN, "Runs the bench.")];
const COMPILE: &str = "compile";
const RUN: &str = "simulate";

/// How many words of a failing bench are shown.
const SHOWN_WORDS: usize = 5;

impl Bench {
    /// The benches of the configuration in order.
    pub(crate) fn all(config: &Config) -> Vec<Self> {
        let bench = |path: &&str| {
            let file = path.rsplit('/').next().unwrap_or(path);
            let name = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
            Self { name: name.to_owned(), path: (*path).to_owned() }
        };
        config.strings("TEST_BENCHES").iter().map(bench).collect()
    }

    /// The session that compiles and runs the bench, with these `sources`, of which the bench is the last. With
    /// `waves`, all signals are dumped.
    ///
    /// `-N` makes `$stop` a failure, as it would otherwise wait for a person. The compiled form is no output: it holds
    /// addresses that differ from run to run.
    pub(crate) fn session(&self, config: &Config, sources: Sources, options: &[&str], waves: bool) -> Session {
        let Self { name, .. } = self;
        let compiled = format!("{name}.vvp");
        let dump = format!("{name}_waves");
        let mut compile = Command::new("iverilog")
            .args(["-g2012", "-grelative-include", "-Wall", "-Wno-timescale"])
            .args(options.iter().copied())
            .args(["-s", name, "-o", &compiled])
            .arg(format!("-Mall={name}.d"))
            .args(sources.includes)
            .args(sources.defines)
            .args(config.strings("TEST_DEFINES").iter().map(|define| format!("-D{define}")))
            .args(sources.files)
            .any_status();
        let mut inputs = sources.inputs;
        inputs.extend(inputs_of_words(&config.strings("TEST_PLUSARGS")));
        if waves {
            let text = format!(
                "module {dump};\n  initial begin\n    $dumpfile(\"{name}.vcd\");\n    $dumpvars(0, {name});\n  end\nendmodule\n"
            );
            inputs.push(Input::Text { name: format!("{dump}.v"), text });
            compile = compile.args(["-s", &dump]).arg(format!("{dump}.v"));
        }
        let run = Command::new("vvp")
            .args(["-N", &compiled])
            .args(config.strings("TEST_PLUSARGS").iter().map(|argument| format!("+{argument}")))
            .any_status();
        Session::from(Invocation {
            commands: vec![compile, run],
            inputs,
            optional_outputs: if waves { vec![format!("{name}.vcd")] } else { Vec::new() },
            depfiles: vec![(format!("{name}.d"), DepFormat::Lines)],
            timeout: time_limit::of(config, "TEST_TIMEOUT"),
            ..Invocation::default()
        })
        .call(COMPILE, 0)
        .call(RUN, 1)
    }

    /// Whether the bench passed. Exit statuses alone do not tell: iverilog's is the number of errors modulo 256, and vvp's
    /// is 0 after `$error`.
    pub(crate) fn judge(&self, config: &Config, session: &Completed) -> Judgement {
        let errors = |alerts: Vec<tapeout_model::Alert>| {
            let errors = alerts.into_iter().filter(|alert| alert.severity == Severity::Error);
            errors.map(|alert| alert.message).take(SHOWN_WORDS).collect::<Vec<_>>()
        };
        let log = session.log();
        let compiler = errors(alerts::iverilog(log));
        // A source that is not there is no error to iverilog.
        let absent = alerts::iverilog(log).iter().any(|alert| alert.code == "iverilog.input-not-found");
        if session.status(0) != 0 || absent || (session.status(1) == 255 && !compiler.is_empty()) {
            return Judgement::DoesNotCompile(compiler);
        }
        let mut words = errors(alerts::vvp(log));
        if words.is_empty() && session.status(1) != 0 {
            words.push(format!("`vvp` ended with exit code {}", session.status(1)));
        }
        if let Some(pattern) = config.opt_str("TEST_PASS_PATTERN")
            && words.is_empty()
            && !log.contains(pattern)
        {
            words.push(format!("the bench ended without printing `{pattern}`"));
        }
        if words.is_empty() { Judgement::Passed } else { Judgement::Failed(words) }
    }
}

/// The result of benches that all compiled; `sessions` begins with one for each.
pub(crate) fn collect(config: &Config, benches: &[Bench], sessions: &[Completed]) -> StepResult {
    let mut failed: Vec<(&Bench, Vec<String>)> = Vec::new();
    for (bench, session) in benches.iter().zip(sessions) {
        if let Judgement::Failed(words) = bench.judge(config, session) {
            failed.push((bench, words));
        }
    }
    let mut result = StepResult::default();
    let waves: Vec<String> = (failed.iter().map(|(bench, _)| format!("{}.vcd", bench.name)))
        .filter(|path| sessions.iter().any(|session| session.output(path).is_some()))
        .collect();
    if !waves.is_empty() {
        result.views.insert("vcd".to_owned(), View::Files(waves.iter().cloned().map(View::File).collect()));
    }
    if let Some((first, words)) = failed.first() {
        let names: Vec<String> = failed.iter().map(|(bench, _)| format!("`{}`", bench.name)).collect();
        let count = format!("{} of {} benches failed: {}", failed.len(), benches.len(), names.join(", "));
        let said = words.first().map(|words| format!("; {} says: {words}", first.name)).unwrap_or_default();
        let hint = waves.first().map(|path| format!("look at the waves: `tapeout open` shows `{path}`"));
        result.verdict = Verdict::Failed { reason: format!("{count}{said}"), hint };
    }
    result
}
