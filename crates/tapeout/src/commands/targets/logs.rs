//! `tapeout logs TARGET`: what the tools of a target said.

use std::fs;

use serde_json::json;
use tapeout_flow::project::TargetId;

use crate::Cx;
use crate::error::CliError;
use crate::targets::{self, BuildArgs};
use crate::terminal::Style;
use crate::terminal::words::from_here;

/// The log of the last attempt: of the one that failed, if that is the newest.
pub(crate) fn run(cx: &Cx, asked: &[TargetId], build: &BuildArgs) -> Result<u8, CliError> {
    let project = &targets::project(cx)?.project;
    let [target] = asked else {
        return Err(CliError::input("expected one target, `block.task`").hint("`tapeout list targets` lists them"));
    };
    let dir = project.root().join(build.dir()).join(project.dir(*target));
    let name = format!("{}.log", project.task(*target).id);
    let failed = dir.with_file_name(format!("{}.failed", project.task(*target).id)).join(&name);
    let path = if failed.is_file() { failed } else { dir.join(name) };
    let bytes = fs::read(&path).map_err(|error| {
        let message = format!("`{}` has no log `{}`: {error}", project.name(*target), from_here(&path));
        CliError::input(message).hint("a target that ran no tool and printed nothing has none; `tapeout run` builds it")
    })?;
    if cx.terminal.json {
        let text = String::from_utf8_lossy(&bytes);
        cx.terminal.print_json(&json!({ "target": project.name(*target), "log": path, "text": text }));
    } else {
        cx.terminal.note(&cx.terminal.err.paint(Style::Dim, &from_here(&path)));
        cx.terminal.print_bytes(&bytes);
    }
    Ok(0)
}
