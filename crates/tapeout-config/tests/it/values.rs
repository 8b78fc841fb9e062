//! What configurations resolve to.

use std::fs;

use tapeout_config::{Config, ConfigSource, FlowChoice, Loader, SourceMap};
use tapeout_model::Value;

use crate::design::{Design, schema};

fn config(design: &Design, loader: Loader) -> Config {
    design.resolve(loader).unwrap_or_else(|error| panic!("{error}")).0
}

const BASE: &str = "DESIGN_NAME: counter\nVERILOG_FILES: dir::src/*.v\n";

#[test]
fn the_formats_agree() {
    let texts = [
        (
            "c.json",
            r##"{
  // a comment
  "#": "another", "//": "and another",
  "meta": {"version": 2, "flow": ["Yosys.Synthesis", "Checker.Lint"]},
  "DESIGN_NAME": "counter", "VERILOG_FILES": ["dir::src/*.v"], "CLOCK_PERIOD": 8.50, "SEED": 15, "SEEDS": [1, 2],
  "RUN_LINTER": false, "WEIGHTS": {"clk": 1, "rst": 2.5e-1}, "VERILOG_DEFINES": ["A=1", "yes"],
  "tools": {"yosys": {"path": "/opt/yosys", "prefix": ["nice"], "env": {"A": "1"}}}
}"##,
        ),
        (
            "c.yaml",
            "
meta: {version: 2, flow: [Yosys.Synthesis, Checker.Lint]}
DESIGN_NAME: counter
VERILOG_FILES:
  - dir::src/*.v
CLOCK_PERIOD: 8.50
SEED: 0o17
SEEDS: &seeds [1, 0x2]
RUN_LINTER: false
WEIGHTS: {clk: 1, rst: 2.5e-1}
VERILOG_DEFINES: [A=1, yes]
tools:
  yosys: {path: /opt/yosys, prefix: [nice], env: {A: '1'}}
",
        ),
        (
            "c.toml",
            r#"
DESIGN_NAME = "counter"
VERILOG_FILES = ["dir::src/*.v"]
CLOCK_PERIOD = 8.50
SEED = 0xf
SEEDS = [1, 2]
RUN_LINTER = false
VERILOG_DEFINES = ["A=1", "yes"]
WEIGHTS = { clk = 1, rst = 2.5e-1 }
[meta]
version = 2
flow = ["Yosys.Synthesis", "Checker.Lint"]
[tools.yosys]
path = "/opt/yosys"
prefix = ["nice"]
env.A = "1"
"#,
        ),
    ];
    let configs = texts.map(|(file, text)| {
        let design = Design::with_config(file, text);
        let config = config(&design, design.loader(&[file]));
        let Some((FlowChoice::Steps(steps), _)) = &config.meta().flow else { panic!("{file} names steps") };
        let steps: Vec<String> = steps.iter().map(|(id, _)| id.clone()).collect();
        (config.to_json().to_string(), config.tools().clone(), steps)
    });
    assert_eq!(configs[0], configs[1]);
    assert_eq!(configs[0], configs[2]);
    assert_eq!(
        configs[0].0,
        r#"{"CLOCK_PERIOD":8.5,"DESIGN_NAME":"counter","PDK_ROOT":null,"PIN_CONSTRAINTS":null,"RUN_LINTER":false,"SEED":15,"SEEDS":[1,2],"SIZES":null,"STRATEGY":"AREA","VERILOG_DEFINES":["A=1","yes"],"VERILOG_FILES":["src/alu.v","src/counter.v"],"VERILOG_INCLUDE_DIRS":null,"WAITS":null,"WEIGHTS":{"clk":1,"rst":0.25}}"#
    );
}

#[test]
fn yaml_scalars_follow_the_core_schema() {
    // The value of a string variable is refused unless it is a string to YAML.
    let strings = [
        "yes", "on", "1_000", "1_000.5", "0b1", "1e", "+", ".", "-.", "0o8", "0x", "-0x1", "1.2.3", "'12'", "!!str 12",
    ];
    for text in strings {
        let design = Design::with_config("c.yaml", &format!("{BASE}PDK_ROOT: {text}\n"));
        assert!(design.resolve(design.loader(&["c.yaml"])).is_ok(), "{text}");
    }
    let numbers = [
        ("012", "12"),
        ("-012", "-12"),
        ("0o17", "15"),
        ("0x1F", "31"),
        (".5", "0.5"),
        ("5.", "5"),
        ("+1e2", "1E+2"),
        ("1e-30", "1E-30"),
        ("-.inf", "-Infinity"),
        (".nan", "NaN"),
        ("!!float 3", "3"),
    ];
    for (text, expected) in numbers {
        let design = Design::with_config("c.yaml", &format!("{BASE}WEIGHTS: {{a: {text}}}\n"));
        let config = config(&design, design.loader(&["c.yaml"]));
        let Some(Value::Map(weights)) = config.get("WEIGHTS") else { panic!("a map") };
        assert_eq!(weights[0].1.to_string(), expected, "{text}");
    }
}

#[test]
fn later_layers_win_and_remember() {
    let design =
        Design::with_config("a.yaml", &format!("{BASE}CLOCK_PERIOD: 20\nPDK_ROOT: /file\nmeta: {{flow: A}}\n"));
    fs::write(
        design.path("b.toml"),
        "CLOCK_PERIOD = 30\n[meta]\nflow = \"B\"\n[tools.yosys]\npath = \"y\"\nsetup = \"s\"\n",
    )
    .unwrap();
    let loader = Loader {
        sets: ["CLOCK_PERIOD=40", "CLOCK_PERIOD=50", "tools.yosys.path=/x"].map(str::to_owned).to_vec(),
        env: vec![("PDK_ROOT".to_owned(), "/env".to_owned()), ("SEED".to_owned(), "99".to_owned())],
        ..design.loader(&["a.yaml", "b.toml"])
    };
    let config = config(&design, loader);
    let history = |name: &str| {
        let setting = config.setting(name);
        let beaten = setting.beaten.iter().map(|(origin, value)| format!("{value} {origin}"));
        let value = setting.value.as_ref().map(Value::to_string).unwrap_or_default();
        let all: Vec<String> = beaten.chain([format!("{value} {}", setting.origin)]).collect();
        design.strip(&all.join(", "))
    };
    assert_eq!(
        history("CLOCK_PERIOD"),
        "10 built-in default, 20 a.yaml:3:15, 30 b.toml:1:16, 40 <command line>:1:17, 50 <command line>:2:17"
    );
    assert_eq!(history("PDK_ROOT"), "/file a.yaml:4:11, /env <environment>:1:10");
    assert_eq!(history("SEED"), "1 built-in default");
    assert!(config.explicit("CLOCK_PERIOD") && !config.explicit("SEED"));
    assert_eq!(config.setting("PDK_ROOT").origin.source, ConfigSource::Environment);
    assert!(matches!(&config.meta().flow, Some((FlowChoice::Named(name), _)) if name == "B"));
    let yosys = &config.tools()["yosys"];
    assert_eq!((yosys.path.as_deref(), yosys.setup.as_deref()), (Some("/x"), Some("s")));
}

#[test]
fn options_are_read_by_the_type_of_the_variable() {
    let design = Design::with_config("c.yaml", &format!("{BASE}PIN_CONSTRAINTS: src/alu.v\n"));
    let cases = [
        ("CLOCK_PERIOD=8", "CLOCK_PERIOD", "8"),
        ("SEED=0x10", "SEED", "16"),
        ("RUN_LINTER=false", "RUN_LINTER", "false"),
        ("DESIGN_NAME=null", "DESIGN_NAME", "null"),
        ("DESIGN_NAME=[a]: {b", "DESIGN_NAME", "[a]: {b"),
        ("DESIGN_NAME=a=b", "DESIGN_NAME", "a=b"),
        ("VERILOG_DEFINES=[A=1, B]", "VERILOG_DEFINES", r#"["A=1","B"]"#),
        ("VERILOG_DEFINES=A=1", "VERILOG_DEFINES", r#"["A=1"]"#),
        ("VERILOG_FILES=src/alu.v", "VERILOG_FILES", r#"["src/alu.v"]"#),
        ("VERILOG_FILES=[dir::src/c*.v]", "VERILOG_FILES", r#"["src/counter.v"]"#),
        ("SEEDS=3", "SEEDS", "[3]"),
        ("SEEDS=[]", "SEEDS", "[]"),
        ("WEIGHTS={a: 1.5}", "WEIGHTS", r#"{"a":1.5}"#),
        ("WEIGHTS=", "WEIGHTS", "{}"),
        ("STRATEGY=DELAY", "STRATEGY", "DELAY"),
        ("PIN_CONSTRAINTS=", "PIN_CONSTRAINTS", "(none)"),
        ("SEEDS=", "SEEDS", "[]"),
        ("SEEDS=1 2", "SEEDS", "[1,2]"),
        ("VERILOG_DEFINES=", "VERILOG_DEFINES", "[]"),
        ("VERILOG_DEFINES=A B", "VERILOG_DEFINES", r#"["A","B"]"#),
        ("VERILOG_DEFINES= A=1, B C;", "VERILOG_DEFINES", r#"["A=1","B C;"]"#),
        ("VERILOG_DEFINES=A;B;", "VERILOG_DEFINES", r#"["A","B"]"#),
        (r#"VERILOG_DEFINES=["A B"]"#, "VERILOG_DEFINES", r#"["A B"]"#),
        ("VERILOG_FILES=src/counter.v dir::src/a*.v", "VERILOG_FILES", r#"["src/counter.v","src/alu.v"]"#),
        ("VERILOG_INCLUDE_DIRS=null", "VERILOG_INCLUDE_DIRS", "(none)"),
    ];
    for (set, name, expected) in cases {
        let config = config(&design, Loader { sets: vec![set.to_owned()], ..design.loader(&["c.yaml"]) });
        let value = config.get(name).map_or("(none)".to_owned(), Value::to_string);
        assert_eq!(value, expected, "{set}");
    }
}

#[test]
fn version_1_converts_text_and_only_warns_of_unknown_variables() {
    let text = r#"{
  "meta": {"version": 1},
  "DESIGN_NAME": "counter",
  "VERILOG_FILES": "dir::src/alu.v dir::src/counter.v",
  "CLOCK_PERIOD": "8.5",
  "SEED": "3",
  "RUN_LINTER": "0",
  "SEEDS": "1;2;",
  "VERILOG_DEFINES": "A=1, B",
  "WEIGHTS": "a 1 'b c' 2.5",
  "CLOCK_PERIODS": 1
}"#;
    let design = Design::with_config("c.json", text);
    let (config, warnings) = design.resolve(design.loader(&["c.json"])).unwrap();
    assert_eq!(
        config
            .restricted_to(&[
                "VERILOG_FILES",
                "CLOCK_PERIOD",
                "SEED",
                "RUN_LINTER",
                "SEEDS",
                "VERILOG_DEFINES",
                "WEIGHTS"
            ])
            .to_json()
            .to_string(),
        r#"{"CLOCK_PERIOD":8.5,"RUN_LINTER":false,"SEED":3,"SEEDS":[1,2],"VERILOG_DEFINES":["A=1","B"],"VERILOG_FILES":["src/alu.v","src/counter.v"],"WEIGHTS":{"a":1,"b c":2.5}}"#
    );
    assert_eq!(
        warnings,
        "\
warning: unknown variable `CLOCK_PERIODS`
  --> c.json:11:3
   |
11 |   \"CLOCK_PERIODS\": 1
   |   ^^^^^^^^^^^^^^^ the flow has no such variable
   |
   = help: did you mean `CLOCK_PERIOD`?"
    );
}

#[test]
fn version_1_converts_text_alone() {
    let resolve = |name: &str, value: &str| {
        let text = format!(r#"{{"DESIGN_NAME": "x", "VERILOG_FILES": "src/alu.v", "{name}": {value}}}"#);
        let design = Design::with_config("c.json", &text);
        design.resolve(design.loader(&["c.json"])).map(|(config, _)| config.get(name).unwrap().to_string())
    };
    let cases = [
        ("SEED", r#"" 4 ""#, "4"),
        ("SEED", r#""1_000""#, "1000"),
        ("CLOCK_PERIOD", r#""1e-3""#, "0.001"),
        ("CLOCK_PERIOD", r#""1_0.5""#, "10.5"),
        ("RUN_LINTER", r#""expr::1 - 1""#, "false"),
        ("RUN_LINTER", "1.0", "true"),
        ("WEIGHTS", r#"["a", 1, "b", "2.5"]"#, r#"{"a":1,"b":2.5}"#),
    ];
    for (name, value, expected) in cases {
        assert_eq!(resolve(name, value).unwrap(), expected, "{name}: {value}");
    }
    let cases = [
        ("VERILOG_DEFINES", "[5]", "error: `VERILOG_DEFINES[0]` must be a string, not an integer"),
        ("SEEDS", "5", "error: `SEEDS` must be a list of integers, not an integer"),
        ("SEED", r#""4.0""#, "error: `SEED` must be an integer, not a string"),
        ("SEED", r#""0x10""#, "error: `SEED` must be an integer, not a string"),
        ("SEED", r#""1__0""#, "error: `SEED` must be an integer, not a string"),
        ("SEED", r#""_1""#, "error: `SEED` must be an integer, not a string"),
        ("RUN_LINTER", "1.5", "error: `RUN_LINTER` must be a boolean, not a decimal"),
        ("WEIGHTS", r#"[1, "a"]"#, "error: `WEIGHTS` must be a map of decimals, not a list"),
    ];
    for (name, value, message) in cases {
        let refused = resolve(name, value).unwrap_err();
        assert!(refused.starts_with(message), "{refused}");
    }
}

#[test]
fn a_list_of_text_is_one_word_on_the_command_line() {
    let design = Design::with_config("c.yaml", "DESIGN_NAME: x\nVERILOG_FILES: []\n");
    let given = |set: &str| {
        let loader = Loader { sets: vec![set.to_owned()], ..design.loader(&["c.yaml"]) };
        let name = set.split('=').next().unwrap();
        design.resolve(loader).map(|(config, _)| config.get(name).unwrap().to_string())
    };
    for (set, expected) in [
        ("VERILOG_DEFINES=A=1", r#"["A=1"]"#),
        ("VERILOG_DEFINES=A B", r#"["A","B"]"#),
        ("VERILOG_DEFINES=A;B;", r#"["A","B"]"#),
        ("VERILOG_DEFINES=", "[]"),
        ("VERILOG_DEFINES=[A B, C]", r#"["A B","C"]"#),
        ("VERILOG_FILES=src/alu.v src/counter.v", r#"["src/alu.v","src/counter.v"]"#),
        ("VERILOG_FILES=dir::/src/alu.v", r#"["src/alu.v"]"#),
    ] {
        match given(set) {
            Ok(found) => assert_eq!(found, expected, "{set}"),
            Err(error) => panic!("{set}: {error}"),
        }
    }
}

#[test]
fn a_reference_means_the_same_further_on_in_its_text() {
    let text =
        "DESIGN_NAME: x\nVERILOG_FILES: ['dir::/src/alu.v']\nVERILOG_DEFINES: ['ref::$DESIGN_NAME-$DESIGN_NAME $B']\n";
    let design = Design::with_config("c.yaml", text);
    let config = design.resolve(design.loader(&["c.yaml"])).unwrap().0;
    assert_eq!(config.get("VERILOG_DEFINES").unwrap().to_string(), r#"["x-x $B"]"#);
    assert_eq!(config.get("VERILOG_FILES").unwrap().to_string(), r#"["src/alu.v"]"#);
}

#[test]
fn sections_stand_around_variables() {
    let text = "DESIGN_NAME: x\nVERILOG_FILES: []\nWEIGHTS: {a: 1, 'pdk::sky130A': {b: 2}}\n";
    let design = Design::with_config("c.yaml", text);
    let refused = design.resolve(design.loader(&["c.yaml"])).unwrap_err();
    let message = "error: the section `pdk::sky130A` stands in the value of `WEIGHTS`\n --> c.yaml:3:17\n";
    assert!(refused.starts_with(message), "{refused}");
}

#[test]
fn a_file_has_the_version_that_it_says_or_that_of_its_format() {
    for (name, text, version) in [
        ("c.json", r#"{"SEED": 1}"#, 1),
        ("c.json", r#"{"meta": {"version": 2}, "SEED": 1}"#, 2),
        ("c.json", r#"{"meta": {"flow": null}, "SEED": 1}"#, 1),
        ("c.json", r#"{"meta": null, "SEED": 1}"#, 1),
        ("c.yaml", "{meta: {flow: [Yosys.Synthesis]}, SEED: 1}", 2),
        ("c.yaml", "SEED: 1", 2),
        ("c.yaml", "{meta: {version: 1}, SEED: 1}", 1),
    ] {
        let design = Design::with_config(name, text);
        let loaded = design.loader(&[name]).load(&mut SourceMap::new()).unwrap();
        assert_eq!(loaded.version(), version, "{text}");
    }
}

#[test]
fn lists_where_openlane_makes_them_of_patterns() {
    let text = "
DESIGN_NAME: counter
VERILOG_FILES: [[dir::src/a*.v, src/counter.v], [], src/alu.v]
PIN_CONSTRAINTS: [dir::src/alu.v]
";
    let design = Design::with_config("c.yaml", text);
    let config = config(&design, design.loader(&["c.yaml"]));
    assert_eq!(config.strings("VERILOG_FILES"), ["src/alu.v", "src/counter.v", "src/alu.v"]);
    assert_eq!(config.str("PIN_CONSTRAINTS"), "src/alu.v");
}

#[test]
fn paths_are_stored_relative_to_the_design_directory() {
    let design = Design::new(&[
        ("top/[x]/src/a.v", ""),
        ("top/[x]/src/.hidden.v", ""),
        ("top/[x]/src/deep/er/b.v", ""),
        ("top/[x]/src/q[1].v", ""),
        ("top/lib/c.v", ""),
        ("elsewhere/d.v", ""),
    ]);
    let dir = design.path("top/[x]");
    let elsewhere = design.path("elsewhere").display().to_string();
    let inside = dir.display().to_string();
    let cases = [
        ("src/a.v".to_owned(), vec!["src/a.v"]),
        ("./src/../src/a.v".to_owned(), vec!["src/a.v"]),
        ("dir::src/a.v".to_owned(), vec!["src/a.v"]),
        ("refg::$DESIGN_DIR/src/a.v".to_owned(), vec!["src/a.v"]),
        ("dir::../lib/c.v".to_owned(), vec!["../lib/c.v"]),
        ("../lib/*.v".to_owned(), vec!["../lib/c.v"]),
        ("src/*.v".to_owned(), vec!["src/a.v", "src/q[1].v"]),
        ("src/**/*.v".to_owned(), vec!["src/a.v", "src/deep/er/b.v", "src/q[1].v"]),
        ("src/?.v".to_owned(), vec!["src/a.v"]),
        ("src/[ab].v".to_owned(), vec!["src/a.v"]),
        ("src/q[1].v".to_owned(), vec!["src/q[1].v"]),
        (format!("{inside}/src/a.v"), vec!["src/a.v"]),
    ];
    let load = |path: &str| {
        let mapping = Value::Map(vec![
            ("DESIGN_NAME".to_owned(), "x".into()),
            ("VERILOG_FILES".to_owned(), vec![path].into()),
            ("VERILOG_INCLUDE_DIRS".to_owned(), vec!["src/*"].into()),
        ]);
        config(&design, Loader::from_mapping(mapping, &dir))
    };
    for (path, expected) in cases {
        let config = load(&path);
        assert_eq!(config.strings("VERILOG_FILES"), expected, "{path}");
        assert_eq!(config.strings("VERILOG_INCLUDE_DIRS"), ["src/deep"], "{path}");
    }
    let outside = format!("{elsewhere}/d.v");
    assert_eq!(load(&outside).strings("VERILOG_FILES"), [outside.as_str()]);
    assert_eq!(load("src/?.v").globs(), ["src/?.v", "src/*"]);
}

#[test]
fn null_removes_an_optional_value_only() {
    let design = Design::with_config("c.yaml", &format!("{BASE}SEEDS: [1, null, 2]\nWEIGHTS: ~\n"));
    let loaded = config(&design, design.loader(&["c.yaml"]));
    assert_eq!(loaded.get("SEEDS"), Some(&Value::List(vec![1i64.into(), 2i64.into()])));
    assert_eq!((loaded.get("WEIGHTS"), loaded.explicit("WEIGHTS")), (None, true));
    fs::write(design.path("c.yaml"), format!("{BASE}SEED: null\n")).unwrap();
    let error = design.resolve(design.loader(&["c.yaml"])).unwrap_err();
    assert!(error.starts_with("error: `SEED` cannot be null\n"), "{error}");
}

#[test]
#[should_panic(expected = "`CLOK` is not a declared variable of this configuration")]
fn asking_for_an_undeclared_variable_panics() {
    let design = Design::with_config("c.yaml", BASE);
    let _ = config(&design, design.loader(&["c.yaml"])).get("CLOK");
}

#[test]
fn a_config_can_be_resolved_for_two_schemas() {
    let design = Design::with_config("c.yaml", BASE);
    let mut sources = SourceMap::new();
    let loaded = design.loader(&["c.yaml"]).load(&mut sources).unwrap();
    let first = loaded.resolve(&schema(), &mut sources).unwrap().0;
    let second = loaded.resolve(&schema(), &mut sources).unwrap().0;
    assert_eq!(first, second);
}

#[test]
fn numbers_may_be_given_in_units_of_their_own() {
    let texts = [
        (
            "c.json",
            r#"{"DESIGN_NAME": "d", "VERILOG_FILES": "dir::src/*.v", "CLOCK_PERIOD": "2500 ps",
            "WAITS": ["1 us", 3, "4.50ns"], "SIZES": {"a": "0.1 µm", "b": 7}}"#,
        ),
        (
            "c.yaml",
            "DESIGN_NAME: d\nVERILOG_FILES: dir::src/*.v\nCLOCK_PERIOD: 2500 ps\nWAITS: [1 us, 3, 4.50ns]\nSIZES: {a: 0.1 µm, b: 7}\n",
        ),
        (
            "c.toml",
            "DESIGN_NAME = 'd'\nVERILOG_FILES = 'dir::src/*.v'\nCLOCK_PERIOD = '2500 ps'\nWAITS = ['1 us', 3, '4.50ns']\nSIZES = {a = '0.1 µm', b = 7}\n",
        ),
        // Version 1, which types permissively.
        (
            "old.json",
            r#"{"DESIGN_NAME": "d", "VERILOG_FILES": "dir::src/*.v", "CLOCK_PERIOD": "2500 ps", "meta": {"version": 1},
            "WAITS": "1 us, 3, 4.50ns", "SIZES": "a '0.1 µm' b 7"}"#,
        ),
    ];
    for (file, text) in texts {
        let design = Design::with_config(file, text);
        let config = config(&design, design.loader(&[file]));
        assert_eq!(config.decimal("CLOCK_PERIOD").to_string(), "2.5", "{file}");
        let Some(Value::List(waits)) = config.get("WAITS") else { panic!("a list") };
        assert_eq!(waits.iter().map(Value::to_string).collect::<Vec<_>>(), ["1000", "3", "4.50"], "{file}");
        let sizes = vec![("a".to_owned(), Value::Int(100)), ("b".to_owned(), Value::Int(7))];
        assert_eq!(config.get("SIZES"), Some(&Value::Map(sizes)), "{file}");
    }
}
