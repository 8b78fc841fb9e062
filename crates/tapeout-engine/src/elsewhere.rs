//! A script in a directory that is no project's, for seeing whether it does there what tools did in the project.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tapeout_guard::{Confinement, Limits, ProcessSpec, Status, Stop, confinement_support};
use tapeout_model::Class;

use crate::sandbox::{PROGRAMS, SETTINGS, installation};
use crate::{Engine, Failure};

/// A script to run elsewhere.
#[derive(Clone, Debug)]
pub struct Elsewhere<'a> {
    /// The directory that it runs in, with all that it needs. Absolute.
    pub dir: &'a Path,
    /// The script, for `sh`, in that directory.
    pub script: &'a str,
    /// The executables of the tools that it runs: each is found by its name.
    pub tools: &'a [PathBuf],
    /// Whether it may touch nothing but its directory and what comes with the tools. Where the kernel cannot see to that
    /// ([`confinement_support`]), it may touch everything.
    pub confined: bool,
    /// Where its words go.
    pub log: &'a Path,
    /// How long it may run.
    pub timeout: Option<Duration>,
}

impl Engine {
    /// Runs a script to its end, with an environment in which there is nothing of the user's but where the tools are.
    /// Gives its exit status; 128 and the number of the signal where one ended it.
    ///
    /// # Errors
    /// When it cannot be started, or its time was up.
    pub fn run_elsewhere(&self, it: &Elsewhere<'_>) -> Result<i32, Failure> {
        let environment = |message: String| Failure::new(Class::Environment, message);
        let shell = self.resolve("sh").ok_or_else(|| environment("there is no `sh` on PATH".to_owned()))?;
        let tmp = it.dir.join(".tmp");
        fs::create_dir_all(&tmp).map_err(|error| Failure::io("make a temporary directory", &error))?;
        let mut path: Vec<PathBuf> = it.tools.iter().filter_map(|tool| Some(tool.parent()?.to_owned())).collect();
        path.extend(["/usr/bin", "/bin"].map(PathBuf::from));
        let path = std::env::join_paths(path).map_err(|error| environment(error.to_string()))?;
        let env = [
            ("PATH", path.to_string_lossy().into_owned()),
            ("HOME", tmp.display().to_string()),
            ("TMPDIR", tmp.display().to_string()),
        ];
        let confine = (it.confined && confinement_support().is_some()).then(|| {
            let mut read: Vec<PathBuf> = PROGRAMS.iter().chain(&SETTINGS).map(PathBuf::from).collect();
            for tool in it.tools {
                let real = fs::canonicalize(tool).unwrap_or_else(|_| tool.clone());
                read.extend(installation(&real));
                read.extend([tool.clone(), real]);
            }
            read.extend(self.found_tools().iter().flat_map(|tool| tool.parts.trees().to_vec()));
            Confinement { read, list: Vec::new(), write: vec![it.dir.to_owned()], hide_processes: false }
        });
        let exit = self.run_process(
            ProcessSpec {
                program: shell,
                args: vec![it.script.into()],
                cwd: it.dir.to_owned(),
                env: env.map(|(name, value)| (name.to_owned(), value)).to_vec(),
                log: it.log.to_owned(),
                stdin: None,
                stdout: None,
                timeout: it.timeout,
                limits: Limits::default(),
                confine,
            },
            None,
        )?;
        match (exit.status, exit.stopped) {
            (_, Some(Stop::Killed)) => Err(Failure::interrupted()),
            (_, Some(Stop::TimedOut)) => {
                let seconds = it.timeout.unwrap_or_default().as_secs();
                Err(environment(format!("`{}` ran longer than {seconds} s", it.script)))
            }
            (Status::Code(code), None) => Ok(code),
            (Status::Signal(signal), None) => Ok(128 + signal),
            (Status::Lost, None) => Err(environment("the guard process was killed from outside".to_owned())),
        }
    }
}
