//! A directory with files, and command lines in it.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tapeout_config::SourceMap;
use tapeout_radgen::{Request, Resolved, Surroundings, resolve};
use tempfile::TempDir;

pub(crate) struct Project {
    pub(crate) dir: TempDir,
    pub(crate) surroundings: Surroundings,
}

impl Project {
    /// With `flow.yml` (which names the top module), `base.yml` (which names nothing), `arch.yml`, and a directory `rtl`.
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let path = dir.path().canonicalize().unwrap();
        let home = path.join("home").to_str().unwrap().to_owned();
        let env = [("RAD_GEN_HOME", path.to_str().unwrap()), ("HOME", &home)];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let project = Self { dir, surroundings: Surroundings { dir: path, env } };
        project.file("flow.yml", "synthesis.inputs:\n  top_module: alu\n  input_files: [rtl/alu.v]\n");
        project.file("base.yml", "synthesis.inputs.top_module: null\n");
        project.file("arch.yml", "fpga_arch_params: {}\n");
        project.file("rtl/alu.v", "");
        project.file("home/lib/x", "");
        project
    }

    pub(crate) fn file(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        fs::write(path, text).unwrap();
    }

    /// What words, separated by blanks, come to; or the errors, one line each with its place and help.
    pub(crate) fn resolve(&self, words: &str) -> Result<Resolved, Vec<String>> {
        self.resolve_words(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    pub(crate) fn resolve_words(&self, words: &[String]) -> Result<Resolved, Vec<String>> {
        let mut sources = SourceMap::new();
        match resolve(words, &self.surroundings, &mut sources) {
            Ok(Request::Run(resolved)) => Ok(*resolved),
            Ok(Request::Help(_)) => panic!("help"),
            Err(diagnostics) => Err(diagnostics
                .iter()
                .map(|diagnostic| {
                    let help = diagnostic.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
                    let line = diagnostic.one_line(&sources) + &help;
                    line.replace(&format!("{}/", self.surroundings.dir.display()), "")
                })
                .collect()),
        }
    }

    /// With the text of a top configuration.
    pub(crate) fn with_top(&self, top: &str, words: &str) -> Result<Resolved, Vec<String>> {
        self.file("top.yml", top);
        self.resolve(&format!("{words} --top_config_fpath top.yml"))
    }
}

/// The value of a dotted name.
pub(crate) fn at(resolved: &Resolved, name: &str) -> Value {
    let json = resolved.to_json();
    name.split('.').fold(&json, |json, name| &json[name]).clone()
}
