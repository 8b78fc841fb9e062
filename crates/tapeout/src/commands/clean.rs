//! `tapeout clean`: takes away what shows results. The results themselves stay in the store.

use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::args::{PartArgs, TagArgs, ThingArgs};
use crate::error::CliError;
use crate::targets::{self, TargetArgs};
use crate::terminal::plural;
use crate::terminal::words::from_here;
use crate::{Cx, project};

/// Remove the files that show results: of targets, or of a run; the results stay recorded, so that nothing runs again
#[derive(Debug, Args)]
pub(crate) struct CleanArgs {
    #[command(flatten)]
    thing: ThingArgs,
    #[command(flatten)]
    targets: TargetArgs,
    #[command(flatten)]
    tag: TagArgs,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

pub(crate) fn run(cx: &Cx, args: &CleanArgs) -> Result<u8, CliError> {
    let dirs: Vec<PathBuf> = match targets::asked(cx, args.thing.thing.as_deref(), &args.targets.more)? {
        Some(asked) => {
            targets::refuse_overlay(&args.thing.overlay, &PartArgs::default(), Some(&args.tag))?;
            let project = &targets::project(cx)?.project;
            let build = project.root().join(args.targets.build.dir());
            if args.thing.thing.is_none() {
                vec![build]
            } else {
                // Of a block that is cleaned as a whole, its directory goes, too.
                let whole = |id: &str| project.targets_of(id).is_some_and(|all| all.iter().all(|t| asked.contains(t)));
                let blocks = project.blocks().iter().map(|(id, _)| id.as_str()).filter(|id| whole(id));
                let blocks: Vec<&str> = blocks.collect();
                let single = asked.iter().filter(|target| !blocks.contains(&project.block(**target).0));
                let single =
                    single.flat_map(|target| [project.dir(*target), format!("{}.failed", project.dir(*target))]);
                blocks.iter().map(|id| (*id).to_owned()).chain(single).map(|dir| build.join(dir)).collect()
            }
        }
        None => {
            let plan = project::load(cx, &args.thing)?;
            vec![plan.config.design_dir().join("runs").join(&args.tag.tag)]
        }
    };
    let dirs: Vec<PathBuf> = dirs.into_iter().filter(|dir| dir.is_dir()).collect();
    let names: Vec<String> = dirs.iter().map(|dir| from_here(dir)).collect();
    dirs.iter().try_for_each(|dir| refuse_source(dir))?;
    if !args.yes && !dirs.is_empty() && !confirmed(cx, &names)? {
        return Ok(0);
    }
    for dir in &dirs {
        fs::remove_dir_all(dir)
            .map_err(|error| CliError::environment(format!("cannot remove `{}`: {error}", from_here(dir))))?;
    }
    if cx.terminal.json {
        cx.terminal.print_json(&json!({ "removed": dirs }));
    } else if dirs.is_empty() {
        cx.terminal.note("nothing to remove");
    } else {
        cx.terminal.note(&format!("removed {}", names.join(", ")));
    }
    Ok(0)
}

/// Asks, where somebody is there to answer.
fn confirmed(cx: &Cx, names: &[String]) -> Result<bool, CliError> {
    let what =
        format!("{}: {}", plural(names.len(), "directory").replace("directorys", "directories"), names.join(", "));
    if !io::stdin().is_terminal() {
        return Err(CliError::input(format!("nobody is there to be asked whether to remove {what}"))
            .hint("`--yes` removes without asking"));
    }
    cx.terminal.complain(&format!("remove {what}? The results stay recorded. [y/N]"));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| CliError::environment(format!("cannot read the answer: {error}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Whoever makes a directory with sources the build directory does not mean to lose them.
fn refuse_source(dir: &Path) -> Result<(), CliError> {
    let sources = ["flow.star", "config.json", "config.yaml", "config.yml", "config.toml", ".git", ".tapeout"];
    match sources.iter().find(|name| dir.join(name).exists()) {
        Some(name) => {
            Err(CliError::input(format!("`{}` has a `{name}`: it is no directory of results", from_here(dir))))
        }
        None => Ok(()),
    }
}
