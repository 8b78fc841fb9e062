//! `tapeout init`: a project that runs, to start from. What is in it are the files in `templates`, or those of an example.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::Cx;
use crate::error::CliError;
use crate::terminal::{Style, plural};

/// Make a project that runs: a small design, its bench, pins and configuration
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Where; made if it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// For which flow: to a bitstream for iCE40, or to a layout in GDSII
    #[arg(long, value_name = "NAME", default_value = PROJECTS[0].flow, value_parser = PROJECTS.map(|project| project.flow))]
    flow: String,
}

/// A project to start from.
#[derive(Clone, Copy)]
struct Project {
    flow: &'static str,
    /// What the design becomes, in a sentence.
    goal: &'static str,
    /// Each file's path in the project and its text.
    files: &'static [(&'static str, &'static str)],
}

const GITIGNORE: (&str, &str) = (".gitignore", include_str!("../../templates/gitignore"));

/// All of them. The first is made where no flow is named.
const PROJECTS: [Project; 2] = [
    Project {
        flow: "Ice40",
        goal: "a bitstream",
        files: &[
            ("config.yaml", include_str!("../../templates/config.yaml")),
            ("src/blinky.v", include_str!("../../templates/blinky.v")),
            ("src/blinky.pcf", include_str!("../../templates/blinky.pcf")),
            ("tb/blinky_tb.v", include_str!("../../templates/blinky_tb.v")),
            GITIGNORE,
        ],
    },
    Project {
        flow: "OpenAsic",
        goal: "a layout",
        files: &[
            ("config.yaml", include_str!("../../../../examples/spm/config.yaml")),
            ("src/spm.v", include_str!("../../../../examples/spm/src/spm.v")),
            ("tb/spm_tb.v", include_str!("../../../../examples/spm/tb/spm_tb.v")),
            GITIGNORE,
        ],
    },
];

pub(crate) fn run(cx: &Cx, args: &InitArgs) -> Result<u8, CliError> {
    let dir = &args.dir;
    let Project { goal, files, .. } =
        PROJECTS.into_iter().find(|project| project.flow == args.flow).unwrap_or(PROJECTS[0]);
    let there: Vec<PathBuf> =
        files.iter().map(|(path, _)| dir.join(path)).filter(|path| path.symlink_metadata().is_ok()).collect();
    if !there.is_empty() {
        let message = format!("{} would be overwritten; nothing was written", plural(there.len(), "file"));
        return Err(CliError::input(message)
            .details(there.iter().map(|path| path.display().to_string()).collect())
            .hint("name another directory"));
    }
    for (path, text) in files {
        write(&dir.join(path), text)?;
    }
    if cx.terminal.json {
        let files: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
        cx.terminal.print_json(&json!({ "dir": dir, "files": files }));
        return Ok(0);
    }
    for (path, _) in files {
        cx.terminal.note(&format!("made {}", dir.join(path).display()));
    }
    let paint = |command: &str| cx.terminal.out.paint(Style::Bold, command);
    let enter = if dir == Path::new(".") { String::new() } else { format!("  {}\n", paint(&enter(dir))) };
    cx.terminal.print(&format!(
        "next:\n{enter}  {}       shows what a run will do\n  {}        takes the design to {goal}\n  {}     says \
         which tools are missing",
        paint("tapeout plan"),
        paint("tapeout run"),
        paint("tapeout doctor"),
    ));
    Ok(0)
}

/// The command that enters a directory, as a shell reads it.
fn enter(dir: &Path) -> String {
    let dir = dir.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "-_./+@%".contains(c);
    if dir.chars().all(is_plain) { format!("cd {dir}") } else { format!("cd '{}'", dir.replace('\'', r"'\''")) }
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
        // Not even a file that appeared since we looked is overwritten.
        fs::File::create_new(path)?.write_all(text.as_bytes())
    });
    made.map_err(|error| {
        let message = format!("cannot write `{}`: {error}", path.display());
        if error.kind() == ErrorKind::AlreadyExists { CliError::input(message) } else { CliError::environment(message) }
    })
}
