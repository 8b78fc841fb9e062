//! What a step read of the configuration decides whether it runs again; what it could have read does not.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use tapeout_config::{Config, Loader, SourceMap};
use tapeout_engine::{Engine, Options, Toolbox};
use tapeout_flow::{
    Again, Completed, Failure, Flow, Plan, Reason, Registry, Run, Session, Step, StepCx, StepInfo, StepResult, Type,
    Variable,
};

/// A step that tells what it reads.
#[derive(Clone, Copy)]
struct Reads {
    /// What it reads while it prepares.
    prepare: fn(&Config) -> String,
    /// What it reads while it collects.
    collect: fn(&Config) -> String,
}

impl Step for Reads {
    fn info(&self) -> StepInfo {
        StepInfo::new("Test.Reads", "", "", "1").variables([
            Variable::new("MODE", Type::Str, "Where it is `deep`, `DEPTH` is read.").default("flat"),
            Variable::new("DEPTH", Type::Int, "How deep.").default(1_i64),
            Variable::new("LIMIT", Type::Decimal, "A limit.").optional(),
            Variable::new("TOOL", Type::Str, "The tool to run.").default("one"),
            Variable::new("UNREAD", Type::Int, "Nobody reads it.").default(1_i64),
            Variable::new("PASSWORD", Type::Str, "A secret.").optional().secret(),
        ])
    }

    fn tools(&self, config: &Config) -> Vec<&'static str> {
        if config.str("TOOL") == "one" { vec!["one"] } else { vec!["other"] }
    }

    fn nothing_to_do(&self, config: &Config) -> Option<String> {
        (config.str("MODE") == "off").then(|| "MODE is off".to_owned())
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        (self.prepare)(cx.config);
        cx.exists("src")?;
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult::default().metric("read", (self.collect)(cx.config).as_str()))
    }
}

fn nothing(_: &Config) -> String {
    String::new()
}

fn conditional(config: &Config) -> String {
    let depth = (config.str("MODE") == "deep").then(|| config.int("DEPTH"));
    format!("{depth:?} {:?}", config.opt_decimal("LIMIT").map(|limit| limit.to_string()))
}

/// A design whose flow has this step, so many times.
struct Design {
    dir: tempfile::TempDir,
    step: Reads,
    times: usize,
}

impl Design {
    fn of(prepare: fn(&Config) -> String, collect: fn(&Config) -> String) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), step: Reads { prepare, collect }, times: 1 }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    fn with<T>(&self, config: &str, tag: &str, then: impl FnOnce(Run<'_>) -> T) -> T {
        let file = self.path().join("config.yaml");
        fs::write(&file, format!("DESIGN_NAME: top\n{config}\n")).unwrap();
        let mut registry = Registry::default();
        registry.add_flow(Flow::new("Test", "", &vec!["Test.Reads"; self.times])).add_step(self.step);
        let loader = Loader { files: vec![file], ..Loader::default() };
        let plan = Plan::load(&registry, loader, Some("Test"), &mut SourceMap::new());
        let plan = plan.unwrap_or_else(|errors| panic!("{errors:?}"));
        let engine = Engine::open(&self.path(), Toolbox::default(), Options::cores(1)).unwrap();
        then(Run::new(&plan, &engine, tag).unwrap())
    }

    /// Why the step runs with this configuration, as far as it does; it then has run.
    fn runs(&self, config: &str) -> Option<String> {
        self.with(config, "default", |run| {
            let standing = run.look(|_| Again::No).remove(0);
            let reasons: Vec<String> = standing.reasons.iter().map(Reason::to_string).collect();
            let ended = run.execute(|_| Again::No, |_, _| ()).unwrap();
            assert_eq!(ended.failures.len(), 0);
            let step = &ended.summary.steps[0];
            assert_eq!(!step.reused, standing.would_run, "{config}");
            standing.would_run.then(|| {
                assert_eq!(step.why, reasons, "{config}");
                reasons.join("; ").replace(&format!("{}/", self.path().display()), "")
            })
        })
    }

    /// Checks why the step runs with one configuration after the other.
    #[track_caller]
    fn expect(&self, cases: &[(&str, Option<&str>)]) {
        for (config, reason) in cases {
            assert_eq!(self.runs(config).as_deref(), *reason, "{config}");
        }
    }

    /// The variables that the shown result was made of.
    fn shown(&self) -> Json {
        let dir = fs::read_dir(self.path().join("runs/default")).unwrap().map(|entry| entry.unwrap().path());
        let dir = dir.into_iter().find(|path| path.join("config.json").exists()).unwrap();
        let mut config: Json = serde_json::from_slice(&fs::read(dir.join("config.json")).unwrap()).unwrap();
        assert!(config.as_object_mut().unwrap().remove("meta").is_some(), "it says which step it is for");
        config
    }
}

const FIRST: Option<&str> = Some("it has no result yet");

#[test]
fn what_was_read_under_a_condition_counts_where_the_condition_held() {
    let design = Design::of(nothing, conditional);
    design.expect(&[
        ("", FIRST),
        ("DEPTH: 2", None),
        ("UNREAD: 2\nTOOL: other\nDEPTH: 3", None),
        ("MODE: deep\nDEPTH: 3", Some("`MODE` \"flat\" → \"deep\", config.yaml:2:7")),
        ("MODE: deep\nDEPTH: 3\nUNREAD: 2", None),
        ("MODE: deep\nDEPTH: 4", Some("`DEPTH` 3 → 4, config.yaml:3:8")),
        ("MODE: deep\n\n\nDEPTH: 3", None),
        ("DEPTH: 7", None),
    ]);
    assert_eq!(design.shown(), serde_json::json!({ "LIMIT": null, "MODE": "flat" }));
}

#[test]
fn absence_is_a_value_of_its_own() {
    let design = Design::of(conditional, nothing);
    design.expect(&[
        ("", FIRST),
        ("LIMIT: 2.50", Some("`LIMIT` null → 2.5, config.yaml:2:8")),
        ("LIMIT: 2.5", None),
        ("LIMIT: 3", Some("`LIMIT` 2.5 → 3, config.yaml:2:8")),
        ("", None),
        ("LIMIT: null", None),
    ]);
}

#[test]
fn what_was_read_of_where_a_value_comes_from_counts() {
    let given = |config: &Config| config.explicit("DEPTH").to_string();
    let design = Design::of(given, nothing);
    design.expect(&[
        ("", FIRST),
        ("DEPTH: 1", Some("`DEPTH` is given now, config.yaml:2:8")),
        ("DEPTH: 2", None),
        ("", None),
        ("UNREAD: 2", None),
    ]);
    let layer = |config: &Config| config.setting("DEPTH").origin.source.to_string();
    let design = Design::of(layer, nothing);
    design.expect(&[
        ("", FIRST),
        ("DEPTH: 1", Some("`DEPTH` is set elsewhere: built-in default → file, config.yaml:2:8")),
        ("\n\nDEPTH: 1", None),
    ]);
    let declared = |config: &Config| format!("{} {}", config.declares("LIMIT"), config.declares("NOWHERE"));
    let design = Design::of(declared, nothing);
    design.expect(&[("", FIRST), ("UNREAD: 2", None)]);
}

#[test]
fn who_looks_at_all_variables_reads_them_all() {
    let all: [fn(&Config) -> String; 5] = [
        |config| format!("{config:?}"),
        |config| config.iter().count().to_string(),
        |config| config.restricted_to(&["UNREAD"]).int("UNREAD").to_string(),
        |config| config.clone().int("UNREAD").to_string(),
        |config| config.copy([("DEPTH", 5_i64)]).unwrap().int("UNREAD").to_string(),
    ];
    for all in all {
        let design = Design::of(all, nothing);
        let ran = ["", "", "UNREAD: 2", ""].map(|config| design.runs(config).is_some());
        assert_eq!(ran, [true, false, true, false]);
    }
}

#[test]
fn what_is_read_for_the_plan_counts_where_it_changes_what_runs() {
    // It asks itself for its tools.
    let tool = |config: &Config| Reads { prepare: nothing, collect: nothing }.tools(config).join(" ");
    let design = Design::of(tool, nothing);
    design.expect(&[("", FIRST), ("TOOL: two", Some("`TOOL` \"one\" → \"two\", config.yaml:2:7")), ("", None)]);
    // Whether it runs at all is asked each time.
    let design = Design::of(nothing, nothing);
    design.expect(&[("", FIRST), ("MODE: deep", None)]);
    let left_out = design.with("MODE: 'off'", "default", |run| run.look(|_| Again::No).remove(0));
    assert_eq!((left_out.would_run, left_out.note.as_deref()), (false, Some("MODE is off")));
    design.expect(&[("", None)]);
}

#[test]
fn a_secret_is_recorded_by_its_digest_alone() {
    let secret = |config: &Config| config.opt_str("PASSWORD").map_or(0, str::len).to_string();
    let design = Design::of(secret, nothing);
    design.expect(&[
        ("", FIRST),
        ("PASSWORD: swordfish", Some("`PASSWORD` is another secret, config.yaml:2:11")),
        ("PASSWORD: swordfish", None),
        ("PASSWORD: threepwood", Some("`PASSWORD` is another secret, config.yaml:2:11")),
        ("PASSWORD: swordfish", None),
    ]);
    fs::remove_file(design.path().join("config.yaml")).unwrap();
    let (read, found) = files_with(&design.path(), &["swordfish", "threepwood"]);
    assert!(read > 5 && found.is_empty(), "{read} {found:?}");
    assert!(files_with(&design.path(), &["PASSWORD"]).1.len() > 1, "its name is there");
}

/// How many files there are, and those with one of the words.
fn files_with(dir: &Path, words: &[&str]) -> (usize, Vec<PathBuf>) {
    let (mut read, mut found, mut folders) = (0, Vec::new(), vec![dir.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            read += 1;
            if words.iter().any(|word| bytes.windows(word.len()).any(|part| part == word.as_bytes())) {
                found.push(path);
            }
        }
    }
    (read, found)
}

#[test]
fn twins_keep_sixteen_results_each() {
    let design = Design { times: 3, ..Design::of(conditional, conditional) };
    let reused = |depth: i64| {
        design.with(&format!("MODE: deep\nDEPTH: {depth}"), "default", |run| {
            let ended = run.execute(|_| Again::No, |_, _| ()).unwrap();
            ended.summary.steps.iter().map(|step| step.reused).collect::<Vec<_>>()
        })
    };
    for (depths, expected) in [(0..16, false), (0..16, true), (16..17, false), (1..17, true), (0..1, false)] {
        for depth in depths {
            assert_eq!(reused(depth), [expected; 3], "{depth}");
        }
    }
}
