//! Plans: which steps, in which order, seeing what of each other, and what is refused before anything runs.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::fs;

use tapeout_config::{Config, ConfigSource, Diagnostic, Loader, SourceMap};
use tapeout_flow::{
    Completed, Configured, CustomFlow, Failure, Flow, FlowCx, FlowError, FlowState, InitialState, Plan, PlanError,
    Range, Registry, Session, Step, StepCx, StepInfo, StepResult, Type, Variable, Vocabulary,
};
use tapeout_model::Class;

/// A step that is nothing but its descriptor; the variable `SKIP` names the steps that have nothing to do.
struct Described(fn() -> StepInfo);

impl Step for Described {
    fn info(&self) -> StepInfo {
        (self.0)().variables([
            Variable::new("SKIP", Type::list(Type::Str), "Steps to leave out.").default(Vec::<String>::new()),
            Variable::new("LIMIT", Type::Int, "A number below 10.").default(1_i64),
        ])
    }

    fn nothing_to_do(&self, config: &Config) -> Option<String> {
        config.strings("SKIP").contains(&self.info().id).then(|| "SKIP names it".to_owned())
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        if config.int("LIMIT") < 10 { Ok(()) } else { Err(("LIMIT", format!("{} is too much", config.int("LIMIT")))) }
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, _: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult::default())
    }
}

fn registry() -> Registry {
    let mut registry = Registry::default();
    registry
        .add_step(Described(|| StepInfo::new("Test.Synth", "", "", "1").makes(&["json"]).measures(&["cells"])))
        .add_step(Described(|| StepInfo::new("Test.Place", "", "", "1").needs("json").makes(&["asc"])))
        .add_step(Described(|| StepInfo::new("Test.Report", "", "", "1").takes("asc").reads_metric("cells")))
        .add_flow(Flow::new("Small", "", &["Test.Synth", "test.place", "Test.Report"]))
        .add_vocabulary(WORDS);
    assert_eq!(registry.step("TEST.SYNTH").map(|step| step.id), Some("Test.Synth"), "case does not matter");
    registry
}

/// Steps that are not there, and one that is; their variable `LIMIT` has another default than that of the others.
const WORDS: Vocabulary = Vocabulary {
    name: "Words",
    steps: || {
        vec![
            StepInfo::new("Words.Read", "", "", "").makes(&["word"]),
            StepInfo::new("Words.Sign", "", "", "").needs("json").takes("word").makes(&["letter"]),
            StepInfo::new("Test.Synth", "", "", ""),
        ]
    },
    variables: || {
        vec![
            Variable::new("WORD", Type::Str, "A word."),
            Variable::new("LIMIT", Type::Int, "A number below 10.").default(4_i64),
        ]
    },
    removed: &[("OLD", "it is no more")],
    knows: |name| name == "WORD",
};

/// The plan of a configuration, or the words of all that is wrong with it.
fn plan(text: &str) -> Result<Plan, Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yaml");
    fs::write(&file, format!("DESIGN_NAME: top\n{text}")).unwrap();
    let mut sources = SourceMap::new();
    let loader = Loader { files: vec![file], ..Loader::default() };
    Plan::load(&registry(), loader, None, &mut sources).map_err(|PlanError(errors)| {
        errors.iter().map(|error| format!("{}; {}", error.message, error.help.as_deref().unwrap_or_default())).collect()
    })
}

/// Each step with the parts it reads and from which steps.
fn shape(plan: &Plan) -> Vec<String> {
    let inputs = |step: &tapeout_flow::PlannedStep| {
        let from = step.inputs.iter().map(|(part, from)| format!(" {part} of {}", plan.steps[*from].id));
        from.collect::<Vec<_>>().join(",")
    };
    plan.steps.iter().map(|step| format!("{}:{}", step.dir, inputs(step))).collect()
}

#[test]
fn a_step_sees_the_last_that_made_what_it_needs() {
    let plan = plan("meta: {flow: [Test.Synth, Test.Place, Test.Synth, Test.Place, Test.Report]}").unwrap();
    assert_eq!(
        shape(&plan),
        [
            "01-test-synth:",
            "02-test-place: view json of Test.Synth",
            "03-test-synth-1:",
            "04-test-place-1: view json of Test.Synth-1",
            "05-test-report: view asc of Test.Place-1, metric cells of Test.Synth-1",
        ]
    );
}

#[test]
fn the_initial_state_is_a_step_before_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("config.yaml"), "{DESIGN_NAME: top, meta: {flow: [Test.Place, Test.Report]}}").unwrap();
    fs::write(path("a.json"), "a").unwrap();
    fs::write(path("1.json"), r#"{"json": "no.json", "asc": null, "metrics": {"cells": 3}}"#).unwrap();
    fs::write(path("2.json"), r#"{"jsn": "a.json", "metrics": {}}"#).unwrap();
    let read = |states: &[&str], views: &[(&str, &str)]| {
        let states: Vec<_> = states.iter().map(|state| path(state)).collect();
        let views: Vec<_> = views.iter().map(|(format, file)| ((*format).to_owned(), path(file))).collect();
        let (initial, errors) = InitialState::read(&states, &views, dir.path());
        let words = |error: &Diagnostic| error.message.replace(dir.path().to_str().unwrap(), "DIR");
        (initial, errors.iter().map(words).collect::<Vec<_>>())
    };
    let (_, errors) = read(&["1.json", "2.json", "3.json", "a.json"], &[("asc", "no.asc"), ("ascc", "a.asc")]);
    assert_eq!(
        errors,
        [
            "`DIR/1.json`: the file of `json` does not exist: `DIR/no.json`",
            "`DIR/2.json`: there is no design format `jsn`",
            "cannot read the state `DIR/3.json`: No such file or directory (os error 2)",
            "`DIR/a.json`: this is not JSON: expected value at line 1 column 1",
            "there is no design format `ascc`",
            "the initial `asc`: there is no file `DIR/no.asc`",
        ]
    );
    fs::write(path("no.json"), "").unwrap();
    let (initial, errors) = read(&["1.json"], &[("json", "a.json")]);
    assert_eq!(errors, [""; 0]);
    let loader = Loader { files: vec![path("config.yaml")], ..Loader::default() };
    let plan = Plan::load_from(&registry(), loader, None, initial, &mut SourceMap::new()).unwrap();
    assert_eq!(
        shape(&plan),
        [
            "00-initial-state:",
            "01-test-place: view json of Initial.State",
            "02-test-report: view asc of Test.Place, metric cells of Initial.State",
        ]
    );
}

#[test]
fn metrics_with_like_names_come_from_the_last_step_that_measures_some() {
    let mut registry = registry();
    let checks =
        || StepInfo::new("Test.Check", "", "", "1").reads_metrics("hold__corner:").reads_metric("hold__corner:x");
    registry
        .add_step(Described(|| StepInfo::new("Test.One", "", "", "1").measures(&["hold__corner:x", "hold"])))
        .add_step(Described(|| StepInfo::new("Test.All", "", "", "1").measures_metrics(&["hold__corner:", "setup__"])))
        .add_step(Described(|| StepInfo::new("Test.Wide", "", "", "1").measures_metrics(&["hold__"])))
        .add_step(Described(|| {
            StepInfo::new("Test.Setup", "", "", "1").measures_metrics(&["setup__"]).measures(&["hold"])
        }))
        .add_step(Described(checks));
    let makers = |steps: &[&str]| {
        registry.add_flow(Flow::new("Case", "", &[steps, &["Test.Check"]].concat()));
        let mapping = tapeout_config::Value::Map(vec![("DESIGN_NAME".to_owned(), "x".into())]);
        let loader = Loader { mapping: Some(mapping), design_dir: Some(".".into()), ..Loader::default() };
        let plan = Plan::load(&registry, loader, Some("Case"), &mut SourceMap::new()).unwrap();
        let shape = shape(&plan).pop().unwrap();
        shape.split_once(':').unwrap().1.trim().to_owned()
    };
    let mut makers = makers;
    assert_eq!(
        makers(&["Test.All", "Test.Setup"]),
        "metric hold__corner:x of Test.All, metrics hold__corner:* of Test.All"
    );
    assert_eq!(
        makers(&["Test.All", "Test.One"]),
        "metric hold__corner:x of Test.One, metrics hold__corner:* of Test.One"
    );
    assert_eq!(
        makers(&["Test.One", "Test.Wide"]),
        "metric hold__corner:x of Test.Wide, metrics hold__corner:* of Test.Wide"
    );
    assert_eq!(makers(&["Test.Setup"]), "");
}

#[test]
fn what_is_left_out_makes_nothing() {
    let plan = plan("meta: {flow: Small}\nSKIP: [Test.Place]").unwrap();
    assert_eq!(plan.steps[1].left_out.as_deref(), Some("SKIP names it"));
    assert_eq!(shape(&plan)[2], "03-test-report: metric cells of Test.Synth");
    assert_eq!(plan.running().map(|(index, _)| index).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn what_is_wrong_is_said_before_anything_runs_and_all_at_once() {
    let cases: [(&str, &[&str]); 6] = [
        (
            "meta: {flow: [Test.Synth, Test.Plaice, Nonsense]}",
            &[
                "there is no step `Test.Plaice`; did you mean `Test.Place`?",
                "there is no step `Nonsense`; `tapeout list steps` shows them all",
            ],
        ),
        ("meta: {flow: Smal}", &["there is no flow `Smal`; did you mean `Small`?"]),
        (
            "meta: {flow: [Words.Sign]}\nWORD: a",
            &["`Words.Sign` needs a view `json`, and no step before it makes one; `-e json=FILE` gives one that is \
                 there before the first step"],
        ),
        ("", &["the configuration does not say which flow to run; set `meta.flow`, or give `--flow`; there are Small"]),
        (
            "meta: {flow: [Test.Place, Test.Report]}",
            &[
                "`Test.Place` needs a view `json`, and no step before it makes one; `-e json=FILE` gives one that is there \
               before the first step",
            ],
        ),
        ("meta: {flow: [Test.Synth]}\nLIMIT: 10", &["`LIMIT`: 10 is too much; "]),
    ];
    for (config, errors) in cases {
        assert_eq!(plan(config).err().unwrap(), errors, "{config}");
    }
}

#[test]
fn a_flow_has_defaults_of_its_own() {
    let mut registry = registry();
    registry.add_flow(Flow::new("Tight", "", &["Test.Synth"]).default("LIMIT", 3_i64));
    let limit = |text: &str| {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.yaml");
        fs::write(&file, format!("DESIGN_NAME: x\n{text}")).unwrap();
        let loader = || Loader { files: vec![file.clone()], ..Loader::default() };
        let plan = Plan::load(&registry, loader(), None, &mut SourceMap::new()).unwrap();
        let setting = plan.config.setting("LIMIT");
        // Looked at alone, a variable has the same value.
        let mut sources = SourceMap::new();
        let (_, schema, loaded) = Configured::open(&registry, loader(), None, &mut sources).unwrap();
        assert_eq!(loaded.examine(&schema, "LIMIT", &mut sources).unwrap().setting.as_ref(), Some(setting));
        (plan.config.int("LIMIT"), setting.origin.source)
    };
    assert_eq!(limit("meta: {flow: Tight}"), (3, ConfigSource::Technology));
    assert_eq!(limit("meta: {flow: Tight}\nLIMIT: 4"), (4, ConfigSource::File));
    assert_eq!(limit("meta: {flow: Small}"), (1, ConfigSource::Default));
}

#[test]
fn steps_that_are_only_described_are_planned_and_do_not_run() {
    let flow = "meta: {flow: [words.read, Test.Synth, Words.Sign, Test.Place]}";
    let mut plan = plan(&format!("{flow}\nWORD: a")).unwrap();
    assert_eq!(
        shape(&plan),
        [
            "01-words-read:",
            "02-test-synth:",
            "03-words-sign: view json of Test.Synth, view word of Words.Read",
            "04-test-place: view json of Test.Synth",
        ]
    );
    assert_eq!(plan.config.int("LIMIT"), 4, "in their company a variable is what it is there");
    let refused = plan.require_steps().unwrap_err();
    assert_eq!(
        (refused.message.as_str(), refused.class),
        (
            "the flow `Custom Sequential Flow` can be planned and not run: steps of it are not part of this version: \
             `Words.Read`, `Words.Sign`",
            Class::Input
        )
    );
    plan.select(&Range { skip: vec!["words.*".to_owned()], ..Range::default() }).unwrap();
    assert!(plan.require_steps().is_ok(), "what is left is there");
    let mut plan = crate::plan(&format!("{flow}\nWORD: a")).unwrap();
    let only = Range { only: Some("Test.Synth".to_owned()), ..Range::default() };
    plan.select(&only).unwrap();
    assert!(plan.require_steps().is_ok(), "what is held does not run");
    // Their variables are validated; nobody else has them.
    assert_eq!(crate::plan(flow).err().unwrap().len(), 1);
    assert!(!crate::plan("meta: {flow: Small}").unwrap().config.declares("WORD"));
}

#[test]
fn what_an_edit_brings_may_be_only_described() {
    let edits = "meta: {flow: Small, substituting_steps: {+Test.Synth: words.sign}}\nWORD: a";
    let plan = plan(edits).unwrap();
    assert_eq!(plan.steps.iter().map(|step| step.id.as_str()).collect::<Vec<_>>()[1], "Words.Sign");
    assert!(plan.require_steps().unwrap_err().message.ends_with(": `Words.Sign`"));
}

#[test]
fn a_composite_step_with_a_part_that_is_only_described_does_not_run() {
    let mut registry = registry();
    registry.add_composite("Test.Letter", "", "", &["Test.Synth", "Words.Sign"]);
    registry.add_flow(Flow::new("Letter", "", &["Test.Letter"]));
    let mapping = [("DESIGN_NAME", "x"), ("WORD", "a")].map(|(name, value)| (name.to_owned(), value.into()));
    let mapping = Some(tapeout_config::Value::Map(mapping.into()));
    let loader = Loader { mapping, design_dir: Some(".".into()), ..Loader::default() };
    let plan = Plan::load(&registry, loader, Some("Letter"), &mut SourceMap::new()).unwrap();
    assert!(plan.require_steps().unwrap_err().message.ends_with(": `Test.Letter`"));
}

#[test]
fn many_steps_that_are_not_there_are_counted() {
    let ten = ["Words.Read"; 10].join(", ");
    let refused = plan(&format!("meta: {{flow: [{ten}]}}\nWORD: a")).unwrap().require_steps().unwrap_err();
    assert!(refused.message.ends_with("`Words.Read-7` and 2 more"), "{}", refused.message);
}

/// A program that may ask for a step that is there and for one that is not.
struct Letter;

impl CustomFlow for Letter {
    fn name(&self) -> &str {
        "Letter"
    }

    fn steps(&self) -> Vec<&str> {
        vec!["Test.Synth", "Words.Sign"]
    }

    fn run(&self, _: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
        Ok(initial)
    }
}

#[test]
fn a_program_may_declare_steps_that_are_only_described() {
    let mut registry = registry();
    registry.add_custom_flow(Letter);
    let plan = |word: &[(String, tapeout_config::Value)]| {
        let mapping = [word, &[("DESIGN_NAME".to_owned(), "x".into())]].concat();
        let mapping = Some(tapeout_config::Value::Map(mapping));
        let loader = Loader { mapping, design_dir: Some(".".into()), ..Loader::default() };
        Plan::load(&registry, loader, Some("letter"), &mut SourceMap::new())
    };
    assert!(plan(&[]).is_err(), "the word is missing");
    let mut plan = plan(&[("WORD".to_owned(), "a".into())]).unwrap();
    assert_eq!(plan.declared().map(|step| step.id).collect::<Vec<_>>(), ["Test.Synth", "Words.Sign"]);
    assert!(plan.require_steps().unwrap_err().message.ends_with(": `Words.Sign`"));
    plan.select(&Range { skip: vec!["words.sign".to_owned()], ..Range::default() }).unwrap();
    assert!(plan.require_steps().is_ok());
}

#[test]
fn a_step_that_is_there_comes_before_its_description() {
    let is_described = |registry: &Registry| registry.step("Test.Synth").unwrap().vocabulary.is_some();
    assert!(!is_described(&registry()));
    let mut registry = Registry::default();
    registry.add_vocabulary(WORDS);
    assert!(is_described(&registry));
    registry.add_step(Described(|| StepInfo::new("Test.Synth", "", "", "1")));
    assert!(!is_described(&registry));
    let words = registry.vocabularies().next().unwrap();
    assert_eq!(words.removed("OLD"), Some("it is no more"));
    assert_eq!(words.removed("WORD"), None);
}

#[test]
fn a_configuration_without_a_flow_is_checked_for_the_one_that_says_so() {
    let mut registry = registry();
    registry.add_flow(Flow::new("Usual", "", &["Words.Read"]).taken_unnamed());
    let mapping = [("DESIGN_NAME", "x"), ("WORD", "a")].map(|(name, value)| (name.to_owned(), value.into()));
    let mapping = Some(tapeout_config::Value::Map(mapping.into()));
    let loader = || Loader { mapping: mapping.clone(), design_dir: Some(".".into()), ..Loader::default() };
    let configured = Configured::load(&registry, loader(), None, &mut SourceMap::new()).unwrap();
    assert_eq!((configured.flow.as_str(), configured.named), ("Usual", false));
    assert!(Plan::load(&registry, loader(), None, &mut SourceMap::new()).is_err(), "nothing runs unnamed");
}
