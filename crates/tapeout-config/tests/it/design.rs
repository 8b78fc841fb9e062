//! A design directory in a temporary place, and a schema like that of a flow.

use std::fs;
use std::path::PathBuf;

use tapeout_config::{Config, Diagnostic, Loader, Schema, SourceMap, Type, Variable};
use tapeout_model::{Decimal, Value};
use tempfile::TempDir;

/// A directory with files.
pub(crate) struct Design {
    pub(crate) dir: TempDir,
}

impl Design {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let dir = TempDir::new().expect("a test design is set up");
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("a test design is set up")).expect("a test design is written");
            fs::write(path, text).expect("a test design is set up");
        }
        Self { dir }
    }

    /// The usual design: two sources, and `config` under the given name.
    pub(crate) fn with_config(name: &str, config: &str) -> Self {
        Self::new(&[("src/counter.v", "module counter; endmodule\n"), ("src/alu.v", ""), (name, config)])
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn loader(&self, files: &[&str]) -> Loader {
        Loader { files: files.iter().map(|file| self.path(file)).collect(), ..Loader::default() }
    }

    /// The text without the temporary directory.
    pub(crate) fn strip(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.dir.path().display()), "")
            .replace(&self.dir.path().display().to_string(), ".")
    }

    /// Loads and resolves; the diagnostics are those that a user would read.
    pub(crate) fn resolve(&self, loader: Loader) -> Result<(Config, String), String> {
        self.resolve_as(loader, &schema())
    }

    /// The same with other variables.
    pub(crate) fn resolve_as(&self, loader: Loader, schema: &Schema) -> Result<(Config, String), String> {
        let mut sources = SourceMap::new();
        let result = match loader.load(&mut sources) {
            Ok(loaded) => loaded.resolve(schema, &mut sources),
            Err(diagnostics) => Err(diagnostics),
        };
        let show = |diagnostics: Vec<Diagnostic>| {
            let texts: Vec<_> = diagnostics.iter().map(|d| d.render(&sources, false)).collect();
            self.strip(&texts.join("\n\n"))
        };
        match result {
            Ok((config, warnings)) => Ok((config, show(warnings))),
            Err(diagnostics) => Err(show(diagnostics)),
        }
    }
}

fn positive(value: &Value) -> Result<(), String> {
    match value {
        Value::Decimal(decimal) if *decimal > Decimal::ZERO => Ok(()),
        _ => Err("must be positive".to_owned()),
    }
}

/// One variable of each type.
pub(crate) fn schema() -> Schema {
    Schema::new([
        Variable::new("DESIGN_NAME", Type::Str, "The name of the top module."),
        Variable::new("VERILOG_FILES", Type::list(Type::Path), "The sources of the design."),
        Variable::new("VERILOG_INCLUDE_DIRS", Type::list(Type::Dir), "Where includes are.").optional(),
        Variable::new("VERILOG_DEFINES", Type::list(Type::Str), "Macros of the preprocessor.").optional(),
        Variable::new("CLOCK_PERIOD", Type::Decimal, "The period of the clock.")
            .units("ns")
            .default("10")
            .check(positive),
        Variable::new("SEED", Type::Int, "The seed of the placer.").default(1i64),
        Variable::new("RUN_LINTER", Type::Bool, "Whether to lint.").default(true),
        Variable::new("STRATEGY", Type::choice(["AREA", "DELAY"]), "What synthesis aims at.").default("AREA"),
        Variable::new("PIN_CONSTRAINTS", Type::Path, "Where pins go.").optional(),
        Variable::new("WEIGHTS", Type::map(Type::Decimal), "The weight of each net.").optional(),
        Variable::new("SEEDS", Type::list(Type::Int), "Seeds to try.").optional(),
        Variable::new("WAITS", Type::list(Type::Decimal), "Delays.").units("ns").optional(),
        Variable::new("SIZES", Type::map(Type::Int), "Sizes.").units("nm").optional(),
        Variable::new("PDK_ROOT", Type::Str, "Where PDKs are.").optional().env("PDK_ROOT"),
    ])
    .expect("a test design is set up")
}
