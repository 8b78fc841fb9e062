//! What is said of steps, flows and plugins that are wrong, and what a registry gets of those that are not.

use std::fs;

use tapeout_config::SourceMap;
use tapeout_flow::{Completed, Failure, Flow, Registry, Session, Step, StepCx, StepInfo, StepResult};

use super::support::{files, load, load_files};
use crate::{Plugin, Script};

/// A step that is there already.
struct BuiltIn;

impl Step for BuiltIn {
    fn info(&self) -> StepInfo {
        StepInfo::new("Built.In", "", "", "1")
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
    registry.add_step(BuiltIn).add_flow(Flow::new("BuiltIn", "", &["Built.In"]));
    registry
}

/// What comes of loading and registering.
fn registered(text: &str) -> Result<Registry, String> {
    let dir = files(&[("flow.star", text)]);
    let (mut sources, mut registry) = (SourceMap::new(), registry());
    let script = Script::load(dir.path(), &registry, &mut sources);
    match script.and_then(|script| script.register(&mut registry)) {
        Ok(()) => Ok(registry),
        Err(problems) => {
            let shown: Vec<String> = problems.iter().map(|problem| problem.render(&sources, false)).collect();
            Err(shown.join("\n\n"))
        }
    }
}

#[test]
fn what_is_wrong_with_steps_and_flows_is_said_with_its_place() {
    const FUNCTIONS: &str = "def two(ctx, sessions):\n    return None\n\ndef run(ctx, state):\n    return state\n\n";
    // What follows the functions, on line 7; where it is wrong; the words.
    let cases: &[(&str, &str, &[&str])] = &[
        ("step(\"Lint\", collect = two)", "7:1", &["`Lint` cannot be the id of a step", "My.Lint"]),
        ("step(\"My.A\")", "7:1", &["step `My.A` does nothing"]),
        ("step(\"My.A\", collect = lambda ctx, sessions: None)", "7:1", &["`collect` cannot be a lambda", "top level"]),
        ("step(\"My.A\", collect = 1)", "7:1", &["`collect` must be a function, found 1"]),
        ("step(\"My.A\", prepare = two)", "1:5", &["`prepare` of step `My.A` must take `ctx` alone", "def two(ctx):"]),
        ("step(\"My.A\", collect = two, inputs = [\"jsn\"])", "7:1", &["there is no design format `jsn`", "`json`"]),
        ("step(\"My.A\", collect = two, outputs = [\"x\"])", "7:1", &["there is no design format `x`"]),
        ("step(\"My.A\", collect = two, variables = [1])", "7:1", &["`variables` is a list of variables, found 1"]),
        (
            "step(\"My.A\", collect = two, tools = [\"yoys\"])",
            "7:1",
            &["runs the tool `yoys`, which nobody has declared"],
        ),
        (
            "step(\"built.in\", collect = two)",
            "7:1",
            &["there is a step `built.in` already, which is built in", "replaces"],
        ),
        ("step(\"My.A\", collect = two)\nstep(\"My.A\", collect = two)", "8:1", &["declared twice", "the first time"]),
        (
            "composite_step(\"My.A\", steps = [\"Buil.In\"])",
            "7:1",
            &["the step `Buil.In`, which there is not", "`Built.In`"],
        ),
        (
            "sequential_flow(\"A\", steps = [\"Buil.In\"])",
            "7:1",
            &["the flow `A` has the step `Buil.In`", "`Built.In`"],
        ),
        ("sequential_flow(\"builtin\", steps = [])", "7:1", &["there is a flow `builtin` already"]),
        (
            "sequential_flow(\"A\", steps = [\"Built.In\"], gates = {\"B.*\": \"X\"})",
            "7:1",
            &["`B.*` matches none of its steps"],
        ),
        ("def one(ctx):\n    pass\ncustom_flow(\"A\", steps = [], run = one)", "7:5", &["`run` of flow `A` must take"]),
        (
            "custom_flow(\"A\", steps = [], run = run, flows = [\"BuiltIm\"])",
            "7:1",
            &["runs the flow `BuiltIm`", "`BuiltIn`"],
        ),
        ("flow_steps(\"Built\")", "7:1", &["there is no flow `Built`", "`BuiltIn`"]),
        ("flow_steps(\"BuiltIn\", substituting = {\"X\": None})", "7:1", &["the flow has no step `X`"]),
        ("variable(\"A\", int, default = \"x\")", "7:1", &["`A`"]),
        ("variable(\"A\", 1)", "7:1", &["1 is no type of a variable"]),
        ("tool(\"a b\")", "7:1", &["`a b` cannot be the name of a tool"]),
    ];
    for (text, place, words) in cases {
        let said = registered(&format!("{FUNCTIONS}{text}\n")).err().unwrap_or_else(|| panic!("{text}"));
        // The parameters of a function are where they are wrong.
        assert!(said.contains(&format!("--> flow.star:{place}")), "{text}: not at {place}:\n{said}");
        for word in *words {
            assert!(said.contains(word), "{text}: no `{word}` in:\n{said}");
        }
    }
}

#[test]
fn what_is_built_in_is_replaced_on_request() {
    let registry = registered(
        "def look(ctx, sessions):\n    pass\n\n\
         a = step(\"Built.In\", doc = \"Mine.\", collect = look, replaces = True, tools = [tool(\"cat\", package = \"x\")])\n\
         sequential_flow(\"BuiltIn\", steps = [a, a], replaces = True)\n",
    );
    let registry = registry.unwrap();
    assert_eq!(registry.step("built.in").unwrap().doc, "Mine.");
    assert_eq!(registry.flow("BuiltIn").unwrap().steps, ["Built.In", "Built.In"]);
    assert!(registry.tools().any(|tool| tool.name == "cat" && tool.package == "x"));
}

#[test]
fn variables_have_the_types_of_configurations() {
    let registry = registered(
        "def look(ctx, sessions):\n    pass\n\n\
         step(\"My.A\", collect = look, variables = [\n\
             variable(\"A\", list[str], default = []),\n\
             variable(\"B\", float | None, units = \"ns\"),\n\
             variable(\"C\", types.map(types.choice(\"x\", \"y\"))),\n\
             variable(\"D\", types.tuple(int, Path)),\n\
             variable(\"E\", types.list(types.structure(\"Macro\", [variable(\"gds\", Path)]))),\n\
             variable(\"F\", float, default = 0.5, former = [\"G\"], secret = True),\n\
         ])\n",
    );
    let registry = registry.unwrap();
    let variables = &registry.step("My.A").unwrap().variables;
    let shown: Vec<String> = variables.iter().map(|variable| format!("{}: {}", variable.name, variable.ty)).collect();
    let expected = [
        "A: list of strings",
        "B: decimal",
        "C: map of words out of `x`, `y`",
        "D: tuple of an integer and a path",
        "E: list of Macros",
        "F: decimal",
    ];
    assert_eq!(shown, expected);
    assert!(variables[1].optional && variables[1].units == Some("ns") && variables[5].former[0] == "G");
}

const MANIFEST: &str = "name = \"lint\"\nversion = \"1.2\"\nsummary = \"Looks.\"\n";

#[test]
fn plugins_are_loaded_by_name() {
    let project = |manifest: &'static str, load: &'static str| {
        vec![
            ("flow.star", load),
            ("plugins/lint/plugin.toml", manifest),
            ("plugins/lint/plugin.star", "load(\"//lib/more.star\", \"X\")\nY = X\n"),
            ("plugins/lint/lib/more.star", "load(\"other.star\", \"Z\")\nX = Z\n"),
            ("plugins/lint/lib/other.star", "Z = 1\n"),
        ]
    };
    for from in ["@lint", "@lint//plugin.star"] {
        let load: &'static str = format!("load({from:?}, \"Y\")\nprint(Y)\n").leak();
        let script = load_files(&project(MANIFEST, load)).unwrap();
        assert_eq!(script.said(), ["1"]);
        assert_eq!((script.plugins()[0].version.as_str(), script.files().len()), ("1.2", 5));
    }
    let wrong = |manifest: &'static str, load: &'static str, words: &[&str]| {
        let said = load_files(&project(manifest, load)).err().unwrap();
        for word in words.iter().chain(&["--> flow.star:1:6"]) {
            assert!(said.contains(word), "no `{word}` in:\n{said}");
        }
    };
    let load = "load(\"@lint\", \"Y\")\n";
    wrong(MANIFEST, "load(\"@lnt\", \"Y\")\n", &["there is no plugin `lnt`", "`@lint`", "looked in `plugins/`"]);
    wrong(MANIFEST, "load(\"@lint//../x.star\", \"Y\")\n", &["leads out of the plugin"]);
    wrong("name = \"lint\"\n", load, &["plugin.toml` does not say `version`"]);
    wrong("name = \"other\"\nversion = \"1\"\nsummary = \"x\"\n", load, &["is that of the plugin `other`"]);
    wrong("nam = \"lint\"\n", load, &["has the key `nam`"]);
    wrong(
        "name = \"lint\"\nversion = \"2\"\nsummary = \"x\"\ntapeout = \"99.1\"\n",
        load,
        &["needs tapeout 99.1 or newer"],
    );

    let dir = files(&project(MANIFEST, load));
    fs::create_dir(dir.path().join("plugins/empty")).unwrap();
    let all = Plugin::all(dir.path());
    assert!(all[0].as_ref().unwrap_err().contains("does not exist"));
    assert_eq!(all[1].as_ref().unwrap().summary, "Looks.");
}

#[test]
fn sessions_are_checked_where_they_are_made() {
    let said = load("def f():\n    session(command(\"a\"))\n\nf()\nsection(\"a/b\", \"\")\n").err().unwrap();
    assert!(said.contains("flow.star:5:1") && said.contains("cannot be the name of a section"), "{said}");
}
