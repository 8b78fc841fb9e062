//! Magic: stream-out, abstracts, design rules, extraction. Owns how a session with Magic begins and ends, and how it gets
//! its files; a step's own script is in the file of its name.
//!
//! Magic exits with 0 whatever happens. A step has succeeded when its script ran to the end, its files are there and can be
//! read, and no message of Magic's looks fatal.

mod abstracts;
mod drc;
mod extract;
mod inside;
mod stream_out;
mod write_lef;

use tapeout_config::{Config, Variable};
use tapeout_flow::{Checkpoints, Command, Failure, Input, Registry, Script, Session, StepCx, Tool, design_name};
use tapeout_formats::{alerts, tcl};
use tapeout_model::{Alert, Class, Severity};

use crate::classic::variable;
use crate::design_files::{gds_files, lef_files, sources, technology};

pub(crate) fn register(registry: &mut Registry) {
    registry
        .add_step(stream_out::StreamOut)
        .add_step(write_lef::WriteLef)
        .add_step(drc::Drc)
        .add_step(extract::SpiceExtraction)
        .add_tool(Tool {
            name: "magic",
            summary: "Layout editor that checks, extracts and streams out",
            package: "magic",
            version_args: &["--version"],
            minimum: Some("8.3.105"),
            companions: &["../lib/x86_64-linux-gnu/magic", "../lib/aarch64-linux-gnu/magic", "../lib/magic"],
        });
}

/// The variables of every session with Magic.
fn variables() -> Vec<Variable> {
    let files = ["MAGICRC", "MAGIC_TECH"].map(|name| variable(name).optional());
    [vec![design_name(), variable("MAGIC_CAPTURE_ERRORS")], files.into()].concat()
}

/// Why Magic has nothing to do where the PDK is not made for it.
fn has_no_technology(config: &Config) -> Option<String> {
    let missing = ["MAGICRC", "MAGIC_TECH"].into_iter().find(|name| config.opt_str(name).is_none())?;
    config.pdk().map(|pdk| format!("{missing} is not set: the PDK {} is not for Magic", pdk.name))
}

/// Checkpoints of a script behind these sections. Going on from one gives the same violations and abstracts; in a netlist,
/// instances may come in another order.
fn checkpoints(behind: &'static [&'static str]) -> Checkpoints {
    let (save, restore) = (include_str!("save_checkpoint.tcl"), include_str!("restore_checkpoint.tcl"));
    Checkpoints { behind, save, restore, extension: "dat" }
}

const READ_DEF: &str = include_str!("read_def.tcl");
const READ_GDS: &str = include_str!("read_gds.tcl");

/// How every script begins: on the grid of the technology.
fn begin(cx: &mut StepCx<'_, '_>) -> Result<String, Failure> {
    let grid = technology(cx)?.manufacturing_grid.filter(|grid| *grid > 0.0).unwrap_or(0.0);
    let (file, _) = sources(cx, &[cx.config.str("MAGIC_TECH").to_owned()])?;
    let file = tcl::quote(&file.concat());
    Ok(format!("set grid {grid}\nset technology {file}\n{}", include_str!("begin.tcl")))
}

/// A setting of a script: a variable of Tcl.
enum Setting<'a> {
    Text(&'a str),
    List(&'a [String]),
    Flag(bool),
}

/// The section that sets the variables of a script.
fn settings(settings: &[(&str, Setting<'_>)]) -> String {
    let line = |(name, setting): &(&str, Setting<'_>)| {
        let value = match setting {
            Setting::Text(text) => tcl::quote(text),
            Setting::List(items) => {
                format!("[list {}]", items.iter().map(|item| tcl::quote(item)).collect::<Vec<_>>().join(" "))
            }
            Setting::Flag(on) => u8::from(*on).to_string(),
        };
        format!("set {name} {value}\n")
    };
    settings.iter().map(line).collect()
}

/// A session of Magic that runs these scripts, each in a Magic of its own.
fn session(cx: &mut StepCx<'_, '_>, scripts: Vec<Script>) -> Result<Session, Failure> {
    let rc = cx.config.str("MAGICRC").to_owned();
    let files = [rc, cx.config.str("MAGIC_TECH").to_owned()];
    let (names, inputs) = sources(cx, &files)?;
    let mut session = Session::default();
    session.invocation.inputs = inputs;
    // Magic 8.3.105 crashes without a home; in one of its own it finds no start-up file of the user's.
    session.invocation.env = vec![("HOME".to_owned(), ".".to_owned())];
    for script in scripts {
        let run = format!("run-{}", script.path);
        let text = format!("set script {}\n{}", tcl::quote(&script.path), include_str!("run.tcl"));
        let command = Command::new("magic").args(["-dnull", "-noconsole", "-rcfile", &names[0], &run]);
        session.invocation.commands.push(command);
        session.invocation.inputs.push(Input::Text { name: run, text });
        session.scripts.push(script);
    }
    Ok(session)
}

/// The LEF files and the layout as DEF, for [`READ_DEF`].
struct Abstracts {
    lefs: Vec<String>,
    def: String,
    inputs: Vec<Input>,
}

impl Abstracts {
    fn gather(cx: &mut StepCx<'_, '_>) -> Result<Self, Failure> {
        let def = cx.view_file("def")?;
        let files = lef_files(cx.config)?;
        let (lefs, mut inputs) = sources(cx, &files)?;
        // Without its ending, Magic looks for the file in its own directories first.
        let path = format!("./{}", def.path);
        inputs.push(Input::Output(def));
        Ok(Self { lefs, def: path, inputs })
    }

    fn settings(&self) -> [(&'static str, Setting<'_>); 2] {
        [("lefs", Setting::List(&self.lefs)), ("def", Setting::Text(&self.def))]
    }
}

/// The GDS files of the library as sources of a session.
fn library(cx: &mut StepCx<'_, '_>) -> Result<(Vec<String>, Vec<Input>), Failure> {
    let files = gds_files(cx.config);
    sources(cx, &files)
}

/// How many of Magic's complaints a failure shows.
const MOST_WORDS: usize = 5;

/// What Magic complained about. What looks fatal fails the step, unless the configuration says that it does not.
fn judged(config: &Config, log: &str) -> Result<Vec<Alert>, Failure> {
    let mut alerts = alerts::magic(log);
    let errors: Vec<Alert> = alerts.iter().filter(|alert| alert.severity == Severity::Error).cloned().collect();
    if errors.is_empty() {
        return Ok(alerts);
    }
    if config.bool("MAGIC_CAPTURE_ERRORS") {
        let mut failure = Failure::new(Class::Tool, "Magic says that it failed, and exits with 0".to_owned());
        let usual = || "`-c MAGIC_CAPTURE_ERRORS=false` makes such messages warnings".to_owned();
        failure.hint = Some(advice(log).unwrap_or_else(usual));
        let left_out = errors.len().saturating_sub(MOST_WORDS);
        failure.words = errors.into_iter().take(MOST_WORDS).map(|alert| alert.message).collect();
        failure.words.extend((left_out > 0).then(|| format!("and {left_out} more like these")));
        return Err(failure);
    }
    alerts.iter_mut().for_each(|alert| alert.severity = alert.severity.min(Severity::Warning));
    Ok(alerts)
}

/// What to try when Magic failed with these words.
fn advice(log: &str) -> Option<String> {
    let cases = [
        (
            "is not defined.  Maybe you have not read",
            "a cell of the layout is in none of `CELL_LEFS`, `EXTRA_LEFS` and the LEFs of `MACROS`",
        ),
        (
            "Technology file version",
            "the technology needs a newer Magic: see `tapeout doctor` for the one that is found",
        ),
        ("-pinonly", "this Magic cannot do what `MAGIC_WRITE_LEF_PINONLY` asks for: a newer one is needed"),
    ];
    cases.iter().find(|(words, _)| log.contains(words)).map(|(_, advice)| (*advice).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_words_of_tcl() {
        let files = ["a b".to_owned(), "$c[d]".to_owned()];
        let text =
            settings(&[("files", Setting::List(&files)), ("on", Setting::Flag(true)), ("x", Setting::Text("y"))]);
        assert_eq!(text, "set files [list \"a b\" \"\\$c\\[d]\"]\nset on 1\nset x y\n");
    }
}
