//! Looking for a tool: on `PATH`, where the user says, or behind a prefix or a set-up.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use tapeout_model::ToolSettings;
use tapeout_store::KeyHasher;

use super::{FoundTool, Parts, Tool, ToolProblem, Version};
use crate::Engine;
use crate::invocation::from_work_dir;

impl Engine {
    pub(super) fn find_tool(&self, name: &str, tool: &Tool, settings: &ToolSettings) -> Result<FoundTool, ToolProblem> {
        let broken = |reason: String| ToolProblem::Broken { name: name.to_owned(), reason };
        let program = settings.path.clone().unwrap_or_else(|| name.to_owned());
        let mut start = KeyHasher::new("tool");
        start.text(name).number(settings.env.len() as u64);
        settings.env.iter().for_each(|(name, value)| _ = start.text(name).text(value));
        let (argv, shown, path, files) = if !settings.prefix.is_empty() {
            let shown: Vec<String> = settings.prefix.iter().cloned().chain([program.clone()]).collect();
            let mut argv = shown.clone();
            argv[0] = self.resolve(&shown[0]).ok_or_else(|| missing(name, tool, &shown[0]))?.display().to_string();
            start.text("prefix").number(shown.len() as u64);
            shown.iter().for_each(|word| _ = start.text(word));
            (argv, shown, program, None)
        } else if let Some(setup) = &settings.setup {
            let bash = self.resolve("bash").ok_or_else(|| broken("its set-up needs `bash`".to_owned()))?;
            let bash = bash.display().to_string();
            let in_setup = |script: String| vec![bash.clone(), "-c".into(), script, "bash".into(), program.clone()];
            start.text("setup").text(setup);
            let question = in_setup(format!("set -e\n{{ {setup}\n}} >&2\ncommand -v \"$1\""));
            let (code, answer) = self.capture(&question, &settings.env).map_err(broken)?;
            let path = answer.lines().last().unwrap_or_default().to_owned();
            if code != Some(0) || !path.starts_with('/') {
                return Err(broken(format!("after its set-up it is not on PATH. The set-up said: {}", answer.trim())));
            }
            let argv = in_setup(format!("set -e\n{setup}\nexec \"$@\""));
            let mut shown = argv.clone();
            "bash".clone_into(&mut shown[0]);
            let files = PathBuf::from(&path);
            (argv, shown, path, Some(files))
        } else {
            let path = self.resolve(&program).ok_or_else(|| missing(name, tool, &program))?;
            let text = path.display().to_string();
            let shown = if settings.path.is_some() {
                text.clone()
            } else if program.contains('/') {
                from_work_dir(&program)
            } else {
                program
            };
            (vec![text.clone()], vec![shown], text, Some(path))
        };
        let mut parts = Parts::new(start.finish(), files.as_deref(), tool.companions);
        parts.version_text = self.version_text(name, tool, &argv, settings, &parts)?;
        let version = Version::find_in(&parts.version_text);
        if let (Some(found), Some(minimum)) = (&version, tool.minimum)
            && Version::find_in(minimum).is_some_and(|minimum| *found < minimum)
        {
            let (name, minimum) = (name.to_owned(), minimum.to_owned());
            return Err(ToolProblem::TooOld { name, found: found.clone(), minimum, by: String::new() });
        }
        let (env, no_licence) = (settings.env.clone(), settings.no_licence.clone());
        let timeout = settings.timeout_s.map(Duration::from_secs);
        Ok(FoundTool { argv, shown, env, path, version, timeout, no_licence, parts, identity: OnceLock::new() })
    }

    /// An executable by name on `PATH`, or by path relative to the project.
    pub(crate) fn resolve(&self, program: &str) -> Option<PathBuf> {
        executable(program, self.project())
    }

    fn version_text(
        &self,
        name: &str,
        tool: &Tool,
        argv: &[String],
        settings: &ToolSettings,
        parts: &Parts,
    ) -> Result<String, ToolProblem> {
        if tool.version_args.is_empty() {
            return Ok(String::new());
        }
        let broken = |reason: String| ToolProblem::Broken { name: name.to_owned(), reason };
        // What a prefix runs may change without a trace on this machine: it is asked each time.
        let key = parts.stat_key("tool version", &tool.version_args.join(" "));
        if let Some(text) = key.and_then(|key| self.noted_text(&key)) {
            return Ok(text);
        }
        let question: Vec<String> =
            argv.iter().cloned().chain(tool.version_args.iter().map(|arg| (*arg).to_owned())).collect();
        let (_, text) = self.capture(&question, &settings.env).map_err(broken)?;
        if Version::find_in(&text).is_none() {
            let said = text.lines().next().unwrap_or("nothing");
            return Err(broken(format!(
                "asked for its version with `{}`, it said: {said}",
                tool.version_args.join(" ")
            )));
        }
        if let Some(key) = key {
            self.note_text(key, &text);
        }
        Ok(text)
    }
}

/// An executable by name on `PATH`, or by path relative to this directory.
pub(crate) fn executable(program: &str, dir: &Path) -> Option<PathBuf> {
    let is_executable =
        |path: &Path| fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0);
    if program.contains('/') {
        return Some(dir.join(program)).filter(|path| is_executable(path));
    }
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| is_executable(path))
}

fn missing(name: &str, tool: &Tool, program: &str) -> ToolProblem {
    let place = if program == name { " on PATH".to_owned() } else { format!(" as `{program}`") };
    ToolProblem::Missing { name: name.to_owned(), place, package: tool.package.to_owned() }
}
