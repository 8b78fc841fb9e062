//! Confining tools to what their invocation declares, and naming what they wanted beyond that.
//!
//! A confined tool may read the sources that the invocation names, the trees of its tools and the system's directories,
//! list the project's directories, and write in its work directory and its `TMPDIR`. Landlock denies silently, so an
//! invocation that fails is repeated, confined as before, under `strace`, which tells what was denied.
//!
//! A tool behind a prefix or a set-up runs unconfined: what it consists of is out of sight.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapeout_guard::Confinement;

use crate::discovered::without_dots;
use crate::invocation::Input;
use crate::work_dir::WorkDir;
use crate::{Failure, FoundTool, Invocation, JobCx};

/// Where systems keep programs and libraries, and where these are.
pub(crate) const PROGRAMS: [&str; 9] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/etc/ld.so.cache"];

/// Where they keep settings of programs, and tell them of themselves.
pub(crate) const SETTINGS: [&str; 2] = ["/etc", "/sys/devices/system/cpu"];

/// How many denied files are named.
const SHOWN: usize = 8;

/// The file in the work directory that `strace` writes.
const TRACE: &str = "denied.strace";

impl JobCx<'_> {
    /// What a command of the invocation may touch, if it is to be confined.
    pub(crate) fn confinement(&self, dir: &WorkDir, invocation: &Invocation, tool: &FoundTool) -> Option<Confinement> {
        if !self.engine.options().sandbox || !tool.parts.are_in_sight() {
            return None;
        }
        let mut read: Vec<PathBuf> = PROGRAMS.iter().chain(&SETTINGS).map(PathBuf::from).collect();
        read.push(PathBuf::from(&tool.path));
        read.extend(tool.parts.trees().iter().cloned());
        // One that holds the project would open all of it.
        let installation = tool.parts.trees().first().and_then(|executable| installation(executable));
        read.extend(installation.filter(|tree| !self.real_project().starts_with(tree)));
        read.extend(invocation.inputs.iter().filter_map(|input| match input {
            Input::Source { path } => Some(self.absolute(path)),
            Input::Copied { .. } | Input::Output(_) | Input::Text { .. } => None,
        }));
        // Tools look through directories for what they need; what there is may be known, what it says may not.
        let list = vec![self.project().to_owned()];
        Some(Confinement { read, list, write: vec![dir.path.clone(), dir.tmp()], hide_processes: false })
    }

    /// The project's directory as the kernel tells it.
    fn real_project(&self) -> PathBuf {
        fs::canonicalize(self.project()).unwrap_or_else(|_| self.project().to_owned())
    }

    /// Completes the failure of a confined invocation with the files that it was denied, as far as they can be found out.
    pub(crate) fn name_denied(&self, failure: Failure, invocation: &Invocation, tools: &[Arc<FoundTool>]) -> Failure {
        if self.run.is_stopping() {
            return failure;
        }
        let Some(strace) = self.engine.resolve("strace") else {
            return hinted(
                failure,
                "the sandbox may have denied it a file; with `strace` installed, it would be named",
            );
        };
        let denied = self.denied(invocation, tools, &strace).unwrap_or_default();
        if denied.is_empty() {
            return failure;
        }
        let mut names = denied.iter().take(SHOWN).map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
        if denied.len() > SHOWN {
            names.push_str(&format!(" and {} more", denied.len() - SHOWN));
        }
        let message = format!("{}; the sandbox denied it what is not declared: {names}", failure.message);
        let failure = Failure { message, ..failure };
        hinted(failure, "declare it in the configuration, or run without `--sandbox`")
    }

    /// Runs the commands once more, confined and watched, and gives the paths that were denied.
    fn denied(
        &self,
        invocation: &Invocation,
        tools: &[Arc<FoundTool>],
        strace: &Path,
    ) -> Result<BTreeSet<String>, Failure> {
        let dir = self.engine.work_dir().map_err(|error| Failure::io("make a work directory", &error))?;
        let mut attempt = self.fill(&dir, invocation)?;
        let mut denied = BTreeSet::new();
        for (command, tool) in invocation.commands.iter().zip(tools) {
            let ended = self.run_command(&dir, invocation, command, tool, Some((strace, TRACE)), &mut attempt);
            let trace = fs::read(dir.path.join(TRACE)).unwrap_or_default();
            let project = self.real_project();
            denied.extend(String::from_utf8_lossy(&trace).lines().filter_map(denied_path).map(|path| {
                let path = without_dots(&dir.path.join(path));
                path.strip_prefix(&project).unwrap_or(&path).display().to_string()
            }));
            if ended.is_err() {
                break;
            }
        }
        Ok(denied)
    }
}

fn hinted(failure: Failure, hint: &str) -> Failure {
    match &failure.hint {
        Some(known) => {
            let both = format!("{known}; {hint}");
            failure.hint(both)
        }
        None => failure.hint(hint),
    }
}

/// The tree that a tool was installed in: what is above its `bin`, unless that is a whole system or home.
pub(crate) fn installation(executable: &Path) -> Option<PathBuf> {
    let bin = executable.parent()?;
    let tree = bin.parent()?;
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let is_whole = tree.parent().is_none() || home.is_some_and(|home| home.starts_with(tree));
    (bin.file_name()? == "bin" && !is_whole).then(|| tree.to_owned())
}

/// The path in a line of `strace -y -Z` that failed for want of a permission: `openat(AT_FDCWD</work>, "top.v", …) = -1
/// EACCES (Permission denied)`. It is relative where the system call does not tell from where.
fn denied_path(line: &str) -> Option<PathBuf> {
    if !line.contains("= -1 EACCES") {
        return None;
    }
    let folder = line.split_once("AT_FDCWD<").and_then(|(_, rest)| rest.split_once('>')).map(|(folder, _)| folder);
    let (_, rest) = line.split_once('"')?;
    let (path, _) = rest.split_once('"')?;
    if path.is_empty() {
        return None;
    }
    Some(Path::new(folder.unwrap_or_default()).join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denied_paths_are_read_from_a_trace() {
        let cases = [
            (
                r#"42 openat(AT_FDCWD</w>, "../src/a.vh", O_RDONLY) = -1 EACCES (Permission denied)"#,
                Some("/w/../src/a.vh"),
            ),
            (r#"42 access("/home/x", R_OK) = -1 EACCES (Permission denied)"#, Some("/home/x")),
            (r#"42 mkdir("../new", 0777) = -1 EACCES (Permission denied)"#, Some("../new")),
            (r#"42 openat(AT_FDCWD</w>, "none", O_RDONLY) = -1 ENOENT (No such file or directory)"#, None),
        ];
        for (line, path) in cases {
            assert_eq!(denied_path(line), path.map(PathBuf::from), "{line}");
        }
        assert_eq!(installation(Path::new("/opt/suite/bin/yosys")), Some(PathBuf::from("/opt/suite")));
        assert_eq!(installation(Path::new("/bin/sh")), None);
    }
}
