//! What a configuration of 500 keys costs, for `cargo xtask bench config`: `costs resolve|copies DIR ROUNDS` prints the
//! milliseconds of each round, `resolve` from the files to the checked configuration, `copies` 1000 variants of it.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use tapeout_config::{Config, Diagnostic, Loader, Schema, SchemaError, SourceMap, Type, Variable};
use tapeout_model::{Decimal, Value};

/// Groups of ten variables each.
const GROUPS: usize = 50;
const VARIANTS: i64 = 1000;

fn positive(value: &Value) -> Result<(), String> {
    match value {
        Value::Decimal(decimal) if *decimal > Decimal::ZERO => Ok(()),
        _ => Err("must be positive".to_owned()),
    }
}

fn schema() -> Result<Schema, SchemaError> {
    let mut schema = Schema::default();
    for group in 0..GROUPS {
        let stage = Schema::new([
            Variable::new("run", Type::Bool, "Whether it runs.").default(true),
            Variable::new("effort", Type::choice(["low", "standard", "high"]), "How hard.").default("standard"),
            Variable::new("period", Type::Decimal, "The period.").units("ns").check(positive),
            Variable::new("margin", Type::Decimal, "What is left.").units("ns"),
            Variable::new("threads", Type::Int, "How many.").default(1i64),
            Variable::new("sources", Type::list(Type::Path), "What is read."),
            Variable::new("results", Type::NewPath, "Where results go.").optional(),
            Variable::new("options", Type::list(Type::Str), "Further options.").optional(),
            Variable::new("weights", Type::map(Type::Decimal), "The weights of nets.").optional(),
            Variable::new("label", Type::Str, "What it is called."),
        ])?;
        schema.nest(&format!("stage{group}"), "A stage.", stage)?;
    }
    Ok(schema)
}

/// Writes the files of the layers. The first two give all keys, half of the groups each; those above give some again.
fn design(dir: &Path) -> std::io::Result<Loader> {
    fs::create_dir_all(dir.join("src"))?;
    for source in ["src/top.v", "src/alu.v"] {
        fs::write(dir.join(source), "")?;
    }
    let (mut json, mut yaml) = ("{\n".to_owned(), "# The other half.\n".to_owned());
    let (mut toml, mut overlay) = (String::new(), "{\n".to_owned());
    let mut sets = Vec::new();
    for group in 0..GROUPS {
        if group < GROUPS / 2 {
            let _ = write!(
                json,
                r#"  "stage{group}": {{
    "run": true,
    "effort": "low",
    "period": "{group}500 ps",
    "margin": "expr::$stage{group}.threads * 0.2 + 1",
    "threads": {group},
    "sources": ["dir::src/top.v", "src/alu.v"],
    "results": "build/stage{group}",
    "options": ["-v", "--seed", "{group}"],
    "weights": {{"clk": 1.5, "rst": 0.25, "data": 2}},
    "label": "stage {group}"
  }},
"#
            );
        } else {
            let _ = write!(
                yaml,
                r#"stage{group}:
  run: false
  effort: high
  period: {group}.50  # ns
  margin: expr::$stage{group}.threads / 4
  threads: {group}
  sources: [dir::src/top.v, src/alu.v]
  results: build/stage{group}
  options: [-v, --seed, "{group}"]
  weights:
    clk: 1.5
    rst: 0.25
  label: ref::$stage{group}.effort
"#
            );
        }
        let _ = writeln!(toml, "[stage{group}]\nthreads = 4\nperiod = \"8 ns\"\noptions = [\"-q\"]\n");
        let comma = if group + 1 < GROUPS { "," } else { "" };
        let _ = writeln!(overlay, "  \"stage{group}.effort\": \"high\", \"stage{group}.weights.clk\": 3{comma}");
        sets.push(format!("stage{group}.threads={}", group % 8 + 1));
    }
    json.push_str("  \"meta\": {\"version\": 2}\n}\n");
    overlay.push_str("}\n");
    let layers = [("a.json", json), ("b.yaml", yaml), ("c.toml", toml), ("d.json", overlay)];
    for (name, text) in &layers {
        fs::write(dir.join(name), text)?;
    }
    Ok(Loader { files: layers.iter().map(|(name, _)| dir.join(name)).collect(), sets, ..Loader::default() })
}

fn resolve(loader: Loader, schema: &Schema) -> Result<Config, String> {
    let mut sources = SourceMap::new();
    let all = |diagnostics: Vec<Diagnostic>, sources: &SourceMap| {
        diagnostics.iter().map(|diagnostic| diagnostic.render(sources, false) + "\n").collect::<String>()
    };
    let loaded = loader.load(&mut sources).map_err(|diagnostics| all(diagnostics, &sources))?;
    match loaded.resolve(schema, &mut sources) {
        Ok((config, warnings)) if warnings.is_empty() => Ok(config),
        Ok((_, diagnostics)) | Err(diagnostics) => Err(all(diagnostics, &sources)),
    }
}

fn rounds(part: &str, dir: PathBuf, rounds: usize) -> Result<Vec<f64>, String> {
    let schema = schema().map_err(|error| error.to_string())?;
    let loader = design(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut times = Vec::new();
    for _ in 0..rounds {
        let loader = loader.clone();
        let start = Instant::now();
        let config = resolve(loader, &schema)?;
        let mut took = start.elapsed();
        if part == "copies" {
            let start = Instant::now();
            for variant in 0..VARIANTS {
                let period = Value::Decimal(Decimal::from(variant + 1));
                let copy = config.copy([("stage0.period", period), ("stage30.threads", Value::Int(variant))]);
                let copy = copy.map_err(|error| error.to_string())?;
                assert_eq!(copy.int("stage30.threads"), variant);
            }
            took = start.elapsed();
        }
        times.push(took.as_secs_f64() * 1e3);
    }
    Ok(times)
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program")]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let times = match args.as_slice() {
        [part, dir, count] if part == "resolve" || part == "copies" => match count.parse() {
            Ok(count) => rounds(part, dir.into(), count),
            Err(_) => Err(format!("`{count}` is no number of rounds")),
        },
        _ => Err("measure resolve|copies DIR ROUNDS".to_owned()),
    };
    match times {
        Ok(times) => times.iter().for_each(|time| println!("{time:.4}")),
        Err(reason) => {
            eprintln!("{reason}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
