//! Layers: included files, the project's file, nested names, former names, copies.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::fs;

use tapeout_config::{Config, ConfigSource, Elsewhere, Loader, Schema, SourceMap, Type, Variable, read};
use tapeout_model::Value;

use crate::design::Design;

const BASE: &str = "DESIGN_NAME: counter\nVERILOG_FILES: dir::src/*.v\n";

fn config(design: &Design, loader: Loader) -> Config {
    design.resolve(loader).unwrap_or_else(|error| panic!("{error}")).0
}

fn history(design: &Design, config: &Config, name: &str) -> String {
    let setting = config.setting(name);
    let given = setting.beaten.iter().map(|(origin, value)| format!("{value} {origin}"));
    let value = setting.value.as_ref().map(Value::to_string).unwrap_or_default();
    design.strip(&given.chain([format!("{value} {}", setting.origin)]).collect::<Vec<_>>().join(", "))
}

#[test]
fn a_file_stands_upon_those_that_it_includes() {
    let design = Design::with_config("c.yaml", &format!("{BASE}include: [lib/base.toml, more.json]\nSEED: 4\n"));
    fs::create_dir(design.path("lib")).unwrap();
    fs::write(design.path("lib/base.toml"), "include = \"deep.yaml\"\nSEED = 2\nCLOCK_PERIOD = 20\n").unwrap();
    fs::write(design.path("lib/deep.yaml"), "SEED: 1\nRUN_LINTER: false\nCLOCK_PERIOD: 10\n").unwrap();
    fs::write(design.path("more.json"), "{\"SEED\": 3}").unwrap();
    let config = config(&design, design.loader(&["c.yaml"]));
    assert_eq!(
        history(&design, &config, "SEED"),
        "1 built-in default, 1 lib/deep.yaml:1:7, 2 lib/base.toml:2:8, 3 more.json:1:10, 4 c.yaml:4:7"
    );
    assert_eq!(config.decimal("CLOCK_PERIOD").to_string(), "20");
    assert!(!config.bool("RUN_LINTER"));
}

#[test]
fn a_flow_that_is_named_anew_has_its_own_steps() {
    let base =
        "DESIGN_NAME: counter\nVERILOG_FILES: dir::src/*.v\nmeta: {flow: A, substituting_steps: {X: Y}, step: S}\n";
    let design = Design::with_config("c.yaml", base);
    let meta = |over: &str| {
        fs::write(design.path("over.yaml"), over).unwrap();
        let meta = config(&design, design.loader(&["c.yaml", "over.yaml"])).meta().clone();
        (meta.substituting_steps.is_some(), meta.step.is_some())
    };
    assert_eq!(meta("SEED: 1"), (true, true));
    assert_eq!(meta("meta: {version: 2, flow: null}"), (true, true));
    assert_eq!(meta("meta: {flow: B}"), (false, true));
    assert_eq!(meta("meta: {substituting_steps: {P: Q}, flow: B}"), (true, true));
    assert_eq!(meta("meta: {substituting_steps: null}"), (false, true));
}

#[test]
fn includes_that_cannot_be_followed() {
    let cases = [
        ("include: a.yaml", "error: configuration `a.yaml` includes itself\n --> b.yaml:1:10"),
        ("include: none.yaml", "error: cannot read configuration `none.yaml`: it does not exist\n --> c.yaml:3:10"),
        ("include: [1]", "error: `include` must be a path or a list of paths, not an integer\n --> c.yaml:3:11"),
    ];
    for (text, expected) in cases {
        let design = Design::with_config("c.yaml", &format!("{BASE}{text}\n"));
        fs::write(design.path("a.yaml"), "include: b.yaml\n").unwrap();
        fs::write(design.path("b.yaml"), "include: a.yaml\n").unwrap();
        let error = design.resolve(design.loader(&["c.yaml"])).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
    // Each of 20 levels is included twice by the one above it: a million files, were there no limit.
    let design = Design::with_config("c.yaml", &format!("{BASE}include: l0.yaml\n"));
    for level in 0..20 {
        let next = format!("include: [l{0}.yaml, l{0}.yaml]\n", level + 1);
        fs::write(design.path(&format!("l{level}.yaml")), next).unwrap();
    }
    fs::write(design.path("l20.yaml"), "SEED: 1\n").unwrap();
    let error = design.resolve(design.loader(&["c.yaml"])).unwrap_err();
    assert!(error.contains("more than 1000 included configurations"), "{error}");
}

#[test]
fn the_projects_file_is_below_all_others() {
    let design = Design::new(&[
        ("tapeout.toml", "SEED = 7\nCLOCK_PERIOD = 12\nOTHER = 1\n[tools.yosys]\npath = \"/opt/yosys\"\n"),
        ("chip/src/a.v", ""),
        ("chip/config.yaml", "DESIGN_NAME: a\nVERILOG_FILES: dir::src/a.v\nCLOCK_PERIOD: 8\n"),
    ]);
    let schema = crate::design::schema()
        .with_elsewhere(std::sync::Arc::new(|name| (name == "OTHER").then_some(Elsewhere::OtherFlow)));
    let (config, warnings) = design.resolve_as(design.loader(&["chip/config.yaml"]), &schema).unwrap();
    assert_eq!(warnings, "");
    assert_eq!(config.setting("SEED").origin.source, ConfigSource::Project);
    assert_eq!(
        history(&design, &config, "CLOCK_PERIOD"),
        "10 built-in default, 12 tapeout.toml:2:16, 8 chip/config.yaml:3:15"
    );
    assert_eq!(config.tools()["yosys"].path.as_deref(), Some("/opt/yosys"));
}

#[test]
fn a_project_beside_the_design_is_another_one() {
    let design = Design::new(&[("other/tapeout.toml", "SEED = 8\n"), ("chip/src/a.v", ""), ("chip/config.yaml", BASE)]);
    let (config, _) = design.resolve(design.loader(&["other/../chip/config.yaml"])).unwrap();
    assert_eq!(config.setting("SEED").origin.source, ConfigSource::Default);
}

#[test]
fn layers_that_are_read_already_stand_for_all_files() {
    let design = Design::with_config("c.yaml", &format!("{BASE}SEED: 4\nCLOCK_PERIOD: 10\n"));
    fs::write(design.path("over.yaml"), "SEED: 5\n").unwrap();
    fs::write(design.path("tapeout.yaml"), "RUN_LINTER: false\n").unwrap();
    let mut sources = SourceMap::new();
    let mut layer = |name: &str| read(&design.path(name), &mut sources).unwrap();
    // Whoever gives a layer says how strong it is; among equals the later is stronger.
    let layers = vec![
        (ConfigSource::CommandLine, layer("over.yaml")),
        (ConfigSource::File, layer("over.yaml")),
        (ConfigSource::File, layer("c.yaml")),
    ];
    let loader = Loader { design_dir: Some(design.path(".")), layers, ..Loader::default() };
    let (config, _) = loader.load(&mut sources).unwrap().resolve(&crate::design::schema(), &mut sources).unwrap();
    assert_eq!(history(&design, &config, "SEED"), "1 built-in default, 5 over.yaml:1:7, 4 c.yaml:3:7, 5 over.yaml:1:7");
    assert_eq!(config.setting("SEED").origin.source, ConfigSource::CommandLine);
    assert!(config.bool("RUN_LINTER"));
}

fn nested() -> Schema {
    let stage = || {
        Schema::new([
            Variable::new("run", Type::Bool, "Whether it runs.").default(false),
            Variable::new("tool", Type::Str, "What runs it.").default("cadence"),
            Variable::new("ready", Type::Bool, "Whether it could.").derived_from(["run", "tool"]),
        ])
        .unwrap()
    };
    let mut stages = Schema::default();
    stages.nest("syn", "Synthesis.", stage()).unwrap();
    stages.nest("par", "Place and route.", stage()).unwrap();
    let mut schema = Schema::new([
        Variable::new("clocks", Type::map(Type::Decimal), "The periods.").units("ns").default(Value::Map(Vec::new())),
        Variable::new("CORE_UTIL", Type::Decimal, "How full the core is.").units("%").optional().formerly("UTIL"),
        Variable::new("STRATEGY", Type::Int, "Gone.").deprecated(|value| match value {
            Value::Int(2) => Ok(vec![("CORE_UTIL".into(), 55i64.into()), ("flow.syn.run".into(), true.into())]),
            other => Err(format!("there is no strategy {other}")),
        }),
    ])
    .unwrap();
    schema.nest("flow", "The stages.", stages).unwrap();
    schema
}

fn nested_config(text: &str, sets: &[&str]) -> Result<(Config, String), String> {
    let design = Design::with_config("c.yaml", text);
    let sets = sets.iter().map(|&set| set.to_owned()).collect();
    design.resolve_as(Loader { sets, ..design.loader(&["c.yaml"]) }, &nested())
}

#[test]
fn nested_maps_and_dotted_names_are_the_same() {
    for text in [
        "flow: {syn: {run: true}, par: {tool: innovus}}",
        "flow.syn.run: true\nflow.par.tool: innovus",
        "flow.syn: {run: true}\nflow: {par.tool: innovus}",
    ] {
        let (config, _) = nested_config(text, &["flow.par.run=1"]).unwrap_or_else(|error| panic!("{error}"));
        let bools = ["flow.syn.run", "flow.par.run"].map(|name| config.bool(name));
        assert_eq!((bools, config.str("flow.par.tool")), ([true, true], "innovus"), "{text}");
        assert_eq!(config.str("flow.syn.tool"), "cadence");
    }
}

#[test]
fn an_entry_of_a_map_can_be_given_alone() {
    let (config, _) = nested_config("clocks: {clk: 10, usb: 20}", &["clocks.clk=5", "clocks.ddr=2.5"]).unwrap();
    assert_eq!(config.get("clocks").unwrap().to_string(), r#"{"clk":5,"usb":20,"ddr":2.5}"#);
    let (config, _) = nested_config("flow: {}", &["clocks.clk=5"]).unwrap();
    assert_eq!(config.get("clocks").unwrap().to_string(), r#"{"clk":5}"#);
    // A name with a dot that is there is meant.
    let (config, _) = nested_config("clocks: {io.clk: 10, io: 4}", &["clocks.io.clk=5"]).unwrap();
    assert_eq!(config.get("clocks").unwrap().to_string(), r#"{"io.clk":5,"io":4}"#);
}

#[test]
fn an_entry_given_alone_leaves_the_rest_of_the_map_to_its_own_typing() {
    for clocks in ["clk 10 usb 20", "{clk: '10', usb: '20'}"] {
        let (design, text) = (nested(), format!("meta: {{version: 1}}\nclocks: {clocks}\n"));
        let files = Design::with_config("c.yaml", &text);
        let (config, _) = files.resolve_as(files.loader(&["c.yaml"]), &design).unwrap();
        let copy = config.copy([("clocks.usb", Value::from(5i64))]).unwrap();
        assert_eq!(copy.get("clocks").unwrap().to_string(), r#"{"clk":10,"usb":5}"#, "{clocks}");
        let (config, _) = nested_config(&text, &["clocks.usb=5"]).unwrap();
        assert_eq!(config.get("clocks").unwrap().to_string(), r#"{"clk":10,"usb":5}"#, "{clocks}");
    }
}

#[test]
fn names_that_are_not_or_no_longer_there() {
    let cases = [
        (
            "flow: {syn: {runn: true}}",
            "\
error: unknown variable `flow.syn.runn`
 --> c.yaml:1:14
  |
1 | flow: {syn: {runn: true}}
  |              ^^^^ the flow has no such variable
  |
  = help: did you mean `flow.syn.run`?",
        ),
        (
            "tool: x",
            "\
error: unknown variable `tool`
 --> c.yaml:1:1
  |
1 | tool: x
  | ^^^^ the flow has no such variable
  |
  = help: did you mean `tools`?",
        ),
        (
            "ready: true",
            "\
error: unknown variable `ready`
 --> c.yaml:1:1
  |
1 | ready: true
  | ^^^^^ the flow has no such variable
  |
  = help: did you mean `flow.syn.ready`?",
        ),
        (
            "flow.syn.ready: true",
            "\
error: `flow.syn.ready` is derived and cannot be set
 --> c.yaml:1:1
  |
1 | flow.syn.ready: true
  | ^^^^^^^^^^^^^^ set here
  |
  = help: set `flow.syn.run` or `flow.syn.tool` instead",
        ),
        (
            "flow: 3",
            "\
error: `flow` must be a map, not an integer
 --> c.yaml:1:7
  |
1 | flow: 3
  |       ^ expected a map",
        ),
        (
            "STRATEGY: 9",
            "\
error: deprecated `STRATEGY`: there is no strategy 9
 --> c.yaml:1:11
  |
1 | STRATEGY: 9
  |           ^ cannot be translated",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(nested_config(text, &[]).unwrap_err(), expected, "{text}");
    }
}

#[test]
fn former_names_mean_todays_variables() {
    let (config, warnings) = nested_config("UTIL: 40\n", &[]).unwrap();
    assert_eq!(config.decimal("CORE_UTIL").to_string(), "40");
    assert!(warnings.starts_with("warning: `UTIL` is a former name of `CORE_UTIL`\n --> c.yaml:1:1\n"), "{warnings}");
    let (config, warnings) = nested_config("STRATEGY: 2\nflow: {}\n", &[]).unwrap();
    assert_eq!((config.decimal("CORE_UTIL").to_string().as_str(), config.bool("flow.syn.run")), ("55", true));
    assert_eq!(
        warnings,
        "\
warning: `STRATEGY` is deprecated
 --> c.yaml:1:1
  |
1 | STRATEGY: 2
  | ^^^^^^^^ write `CORE_UTIL: 55`, `flow.syn.run: true`"
    );
    assert!(!config.declares("STRATEGY"));
}

#[test]
fn copies_replace_values_and_what_refers_to_them() {
    let text = format!("{BASE}CLOCK_PERIOD: 10\nWEIGHTS: {{half: expr::$CLOCK_PERIOD / 2}}\n");
    let design = Design::with_config("c.yaml", &text);
    let config = config(&design, design.loader(&["c.yaml"]));
    let copy = config.copy([("CLOCK_PERIOD", Value::from(4i64))]).unwrap();
    assert_eq!(copy.get("WEIGHTS").unwrap().to_string(), r#"{"half":2}"#);
    assert_eq!(history(&design, &copy, "CLOCK_PERIOD"), "10 built-in default, 10 c.yaml:3:15, 4 override");
    assert_eq!(copy.setting("CLOCK_PERIOD").origin.source, ConfigSource::Override);
    // A copy of a copy keeps what the first one replaced.
    let again = copy.copy([("WEIGHTS.other", Value::from(1i64)), ("SEED", 9i64.into())]).unwrap();
    assert_eq!(again.get("WEIGHTS").unwrap().to_string(), r#"{"half":2,"other":1}"#);
    assert_eq!(config.get("WEIGHTS").unwrap().to_string(), r#"{"half":5}"#);
    assert_eq!(config.copy(Vec::<(String, Value)>::new()).unwrap(), config);

    let error = config.copy([("SEDD", 1i64)]).unwrap_err().to_string();
    assert!(error.starts_with("error: unknown variable `SEDD`\n --> <override>:2:3"), "{error}");
    assert!(error.ends_with("help: did you mean `SEED`?"), "{error}");
    let error = config.copy([("SEED", "x")]).unwrap_err().to_string();
    assert!(error.starts_with("error: `SEED` must be an integer, not a string\n --> <override>:2:11"), "{error}");

    let part = config.restricted_to(&["SEED"]).copy([("SEED", 3i64)]).unwrap();
    assert_eq!((part.int("SEED"), part.declares("CLOCK_PERIOD")), (3, false));
}
