//! The words that users read, in full.

use std::fs;

use tapeout_config::{Loader, SourceMap, read};
use tapeout_model::Value;

use crate::design::Design;

const GOOD: &str = r#"{"DESIGN_NAME": "counter", "VERILOG_FILES": "dir::src/*.v"}"#;

fn error(design: &Design, loader: Loader) -> String {
    match design.resolve(loader) {
        Ok((config, _)) => panic!("accepted as {}", config.to_json()),
        Err(text) => text,
    }
}

#[test]
fn all_faults_are_reported_together() {
    let config = r#"{ "meta": {"version": 2},
  "DESIGN_NAME": 5,
  "VERILOG_FILES": ["dir::src/conter.v", "dir::rtl/*.v", null],
  "CLOCK_PERIODS": 8,
  "CLOCK_PERIOD": "8.5",
  "SEED": 4.5,
  "RUN_LINTER": 1,
  "STRATEGY": "AERA",
  "WEIGHTS": {"a": 1, "b": true, "c": "expr::$CLOCK_PERIOD"}
}"#;
    let design = Design::with_config("config.json", config);
    assert_eq!(
        error(&design, design.loader(&["config.json"])),
        r#"error: `DESIGN_NAME` must be a string, not an integer
 --> config.json:2:18
  |
2 |   "DESIGN_NAME": 5,
  |                  ^ expected a string
  |
  = help: quote it if it is meant as text

error: `VERILOG_FILES[0]`: `src/conter.v` does not exist
 --> config.json:3:21
  |
3 |   "VERILOG_FILES": ["dir::src/conter.v", "dir::rtl/*.v", null],
  |                     ^^^^^^^^^^^^^^^^^^^ no such file
  |
  = help: did you mean `src/counter.v`?

error: `VERILOG_FILES[1]`: no file matches `rtl/*.v`
 --> config.json:3:42
  |
3 |   "VERILOG_FILES": ["dir::src/conter.v", "dir::rtl/*.v", null],
  |                                          ^^^^^^^^^^^^^^ matches nothing
  |
  = help: relative paths start at the design directory, `.`

error: unknown variable `CLOCK_PERIODS`
 --> config.json:4:3
  |
4 |   "CLOCK_PERIODS": 8,
  |   ^^^^^^^^^^^^^^^ the flow has no such variable
  |
  = help: did you mean `CLOCK_PERIOD`?

error: `CLOCK_PERIOD` must be a decimal, not a string
 --> config.json:5:19
  |
5 |   "CLOCK_PERIOD": "8.5",
  |                   ^^^^^ expected a decimal
  |
  = help: remove the quotes

error: `SEED` must be an integer, not a decimal
 --> config.json:6:11
  |
6 |   "SEED": 4.5,
  |           ^^^ expected an integer

error: `RUN_LINTER` must be a boolean, not an integer
 --> config.json:7:17
  |
7 |   "RUN_LINTER": 1,
  |                 ^ expected a boolean
  |
  = help: write `true`

error: `STRATEGY` must be one of `AREA`, `DELAY`, not `AERA`
 --> config.json:8:15
  |
8 |   "STRATEGY": "AERA",
  |               ^^^^^^ not one of the choices
  |
  = help: did you mean `AREA`?

error: `WEIGHTS.b` must be a decimal, not a boolean
 --> config.json:9:28
  |
9 |   "WEIGHTS": {"a": 1, "b": true, "c": "expr::$CLOCK_PERIOD"}
  |                            ^^^^ expected a decimal

error: an expression takes numbers, and `CLOCK_PERIOD` is a string
 --> config.json:9:46
  |
5 |   "CLOCK_PERIOD": "8.5",
  |                   ----- a string
...
9 |   "WEIGHTS": {"a": 1, "b": true, "c": "expr::$CLOCK_PERIOD"}
  |                                              ^^^^^^^^^^^^^ used here"#
    );
}

#[test]
fn missing_variables_are_described() {
    let design = Design::with_config("config.yaml", "CLOCK_PERIOD: 8\n");
    assert_eq!(
        error(&design, design.loader(&["config.yaml"])),
        "\
error: 2 required variables are not set: `DESIGN_NAME`, `VERILOG_FILES`
 = help: DESIGN_NAME (string): The name of the top module.
         VERILOG_FILES (list of paths): The sources of the design."
    );
}

#[test]
fn an_item_of_a_list_on_the_command_line_has_its_own_place() {
    let design = Design::with_config("c.json", GOOD);
    let sets = vec!["VERILOG_FILES=src/alu.v, src/conter.v".to_owned()];
    assert_eq!(
        error(&design, Loader { sets, ..design.loader(&["c.json"]) }),
        r"error: `VERILOG_FILES[1]`: `src/conter.v` does not exist
 --> <command line>:1:29
  |
1 | -c VERILOG_FILES=src/alu.v, src/conter.v
  |                             ^^^^^^^^^^^^ no such file
  |
  = help: did you mean `src/counter.v`?"
    );
}

#[test]
fn a_design_directory_that_is_not_in_use_is_told_of() {
    let design = Design::with_config("c.json", GOOD);
    let warnings = |dir: &str| {
        fs::write(design.path("d.json"), format!(r#"{{"DESIGN_DIR": "{dir}"}}"#)).unwrap();
        design.resolve(design.loader(&["c.json", "d.json"])).unwrap().1
    };
    for same in [".", "src/..", design.path("").to_str().unwrap()] {
        assert_eq!(warnings(same), "", "{same}");
    }
    let told = warnings("/elsewhere");
    assert!(told.starts_with("warning: `DESIGN_DIR` cannot be set by a configuration\n --> d.json:1:2\n"), "{told}");
    let sets = vec!["DESIGN_DIR=/elsewhere".to_owned()];
    let told = error(&design, Loader { sets, ..design.loader(&["c.json"]) });
    assert!(told.starts_with("error: `DESIGN_DIR` cannot be set by a configuration"), "{told}");
    assert!(told.contains("`--design-dir DIR`"), "{told}");
}

#[test]
fn a_flow_has_steps() {
    let design = Design::with_config("c.yaml", "meta: {flow: []}\n");
    let expected = "error: `meta.flow` is a list without steps\n --> c.yaml:1:14";
    assert!(error(&design, design.loader(&["c.yaml"])).starts_with(expected));
}

#[test]
fn meta_and_tools_are_checked() {
    let config = r#"
meta = { version = 3, flows = "Classic" }

[tools.yosys]
pth = "/opt/yosys"
prefix = "nice -n 10"
env = { A = 1 }
"#;
    let design = Design::with_config("config.toml", config);
    assert_eq!(
        error(&design, design.loader(&["config.toml"])),
        r#"error: `meta.version` must be 1 or 2
 --> config.toml:2:20
  |
2 | meta = { version = 3, flows = "Classic" }
  |                    ^ expected `1` or `2`

error: `meta` has no entry `flows`
 --> config.toml:2:23
  |
2 | meta = { version = 3, flows = "Classic" }
  |                       ^^^^^ unknown
  |
  = help: did you mean `flow`?

error: a tool has no setting `pth`
 --> config.toml:5:1
  |
5 | pth = "/opt/yosys"
  | ^^^ unknown
  |
  = help: did you mean `path`?

error: `tools.yosys.prefix` must be a list of strings, not a string
 --> config.toml:6:10
  |
6 | prefix = "nice -n 10"
  |          ^^^^^^^^^^^^ expected a list of strings
  |
  = help: write a list with one word in each item

error: `tools.yosys.env.A` must be a string, not an integer
 --> config.toml:7:13
  |
7 | env = { A = 1 }
  |             ^ expected a string"#
    );
}

#[test]
fn the_second_of_two_entries_is_refused() {
    let rendered = |file: &str, line: usize, first: &str, again: &str, marks: (&str, &str)| {
        format!(
            "error: `A` is given twice\n --> {file}:{line}:{}\n  |\n{} | {first}\n  | {} first given here\n{line} | {again}\n  \
             | {} given again here\n  |\n  = help: remove one of the two",
            marks.1.find('^').unwrap() + 1,
            line - 1,
            marks.0,
            marks.1
        )
    };
    let cases = [
        ("c.json", "{\n  \"A\": 1,\n  \"A\": 2\n}", 3, "  \"A\": 1,", "  \"A\": 2", ("  ---", "  ^^^")),
        ("c.yaml", "A: 1\nA: 3\n", 2, "A: 1", "A: 3", ("-", "^")),
        ("c.toml", "B = { A = 1 }\nA = { A = 1 }\nA = 2\n", 3, "A = { A = 1 }", "A = 2", ("-", "^")),
    ];
    for (file, text, line, first, again, marks) in cases {
        let design = Design::with_config(file, text);
        assert_eq!(error(&design, design.loader(&[file])), rendered(file, line, first, again, marks));
    }
}

#[test]
fn files_that_cannot_be_read() {
    let design = Design::with_config("config.json", GOOD);
    fs::write(design.path("latin1.yaml"), b"A: 1\nB: \xe4\n").unwrap();
    fs::write(design.path("empty.toml"), "\n").unwrap();
    fs::write(design.path("comments.yml"), "# nothing\n").unwrap();
    fs::write(design.path("list.json"), "[1]").unwrap();
    fs::write(design.path("config.ini"), "A = 1").unwrap();
    let cases = [
        (
            "confg.json",
            "\
error: cannot read configuration `confg.json`: it does not exist
 = help: did you mean `config.json`?",
        ),
        (
            "src",
            "\
error: `src` is a directory, not a configuration file
 = help: name a file in it; the directory to which its paths are relative is that of the file, or the design directory \
             given explicitly",
        ),
        (
            "config.ini",
            "\
error: `config.ini` has the extension of no configuration format
 = help: accepted are `.json`, `.jsonc`, `.yaml`, `.yml`, `.toml`, `.tcl`",
        ),
        (
            "latin1.yaml",
            "\
error: configuration `latin1.yaml` is not UTF-8: line 2, byte 8 of the file
 = help: save it as UTF-8",
        ),
        (
            "empty.toml",
            "\
error: configuration `empty.toml` is empty
 --> empty.toml:1:1
  |
1 |
  | ^",
        ),
        (
            "comments.yml",
            "\
error: configuration `comments.yml` is empty
 --> comments.yml:1:1
  |
1 | # nothing
  | ^",
        ),
        (
            "list.json",
            "\
error: the top of a configuration must be a map, not a list
 --> list.json:1:1
  |
1 | [1]
  | ^^^ expected a map of variables",
        ),
    ];
    for (file, expected) in cases {
        assert_eq!(error(&design, design.loader(&[file])), expected, "{file}");
    }
    assert_eq!(
        error(&design, Loader::default()),
        "error: no configuration is given\n = help: name a configuration file"
    );
}

#[test]
fn texts_that_are_not_well_formed() {
    let cases = [
        (
            "c.json",
            "{\n  \"A\" 1}",
            "c.json:2:7: error: not valid JSON: expected colon after the string or word in object property",
        ),
        ("c.json", "{\"A\": 1 \"B\": 2}", "c.json:1:8: error: not valid JSON: expected comma"),
        ("c.json", "{\"A\": 1e9999999}", "c.json:1:7: error: the number `1e9999999` cannot be kept exactly"),
        (
            "c.json",
            "{\"A\": 99999999999999999999}",
            "c.json:1:7: error: the integer `99999999999999999999` is too large",
        ),
        ("c.yaml", "a: [1, 2\nb: }", "c.yaml:2:2: error: not valid YAML: illegal placement of ':' indicator"),
        ("c.yaml", "a: *b", "c.yaml:1:4: error: not valid YAML: while parsing node, found unknown anchor"),
        ("c.yaml", "a: &a [*a]", "c.yaml:1:8: error: an alias cannot stand inside of what it repeats"),
        ("c.yaml", "µ: !x 1", "c.yaml:1:4: error: the YAML tag `!x` has no meaning here"),
        ("c.yaml", "a: 1\n---\nb: 2", "c.yaml:3:1: error: a configuration is one YAML document"),
        ("c.yaml", "? [1]\n: 2", "c.yaml:1:3: error: the name of an entry must be text"),
        ("c.toml", "A = = 1", "c.toml:1:5: error: not valid TOML: extra `=`, expected nothing"),
        ("c.toml", "A = 2020-01-01", "c.toml:1:5: error: a configuration has no dates"),
    ];
    for (file, text, expected) in cases {
        let design = Design::with_config(file, text);
        let mut sources = SourceMap::new();
        let error = read(&design.path(file), &mut sources).expect_err(text);
        assert_eq!(design.strip(&error.one_line(&sources)), expected);
    }
}

#[test]
fn options_are_shown_as_they_were_written() {
    let design = Design::with_config("config.json", GOOD);
    let cases = [
        (
            "CLOCK_PERIOD=abc",
            "\
error: `CLOCK_PERIOD` must be a decimal, not a string
 --> <command line>:2:17
  |
2 | -c CLOCK_PERIOD=abc
  |                 ^^^ expected a decimal",
        ),
        (
            "SEED",
            "\
error: `-c SEED` sets nothing
 --> <command line>:2:4
  |
2 | -c SEED
  |    ^^^^ expected KEY=VALUE
  |
  = help: write for instance `-c CLOCK_PERIOD=10`",
        ),
        (
            "SEDS=[1]",
            "\
error: unknown variable `SEDS`
 --> <command line>:2:4
  |
2 | -c SEDS=[1]
  |    ^^^^ the flow has no such variable
  |
  = help: did you mean `SEEDS`?",
        ),
        (
            "SEEDS=[1, x]",
            "\
error: `SEEDS[1]` must be an integer, not a string
 --> <command line>:2:14
  |
2 | -c SEEDS=[1, x]
  |              ^ expected an integer",
        ),
        (
            "CLOCK_PERIOD=",
            "\
error: `CLOCK_PERIOD` cannot be null
 --> <command line>:2:17
  |
2 | -c CLOCK_PERIOD=
  |                 ^ expected a decimal",
        ),
        (
            "CLOCK_PERIOD=-1",
            "\
error: `CLOCK_PERIOD` must be positive
 --> <command line>:2:17
  |
2 | -c CLOCK_PERIOD=-1
  |                 ^^",
        ),
        (
            "tools.yosys=1",
            "\
error: `tools.yosys` does not name a setting of a tool
 --> <command line>:2:4
  |
2 | -c tools.yosys=1
  |    ^^^^^^^^^^^ expected tools.NAME.SETTING",
        ),
    ];
    for (set, expected) in cases {
        let sets = vec!["SEED=3".to_owned(), set.to_owned()];
        assert_eq!(error(&design, Loader { sets, ..design.loader(&["config.json"]) }), expected, "{set}");
    }
}

#[test]
fn a_mapping_is_shown_as_json() {
    let design = Design::with_config("config.json", GOOD);
    let mapping = Value::Map(vec![
        ("DESIGN_NAME".to_owned(), "counter".into()),
        ("VERILOG_FILES".to_owned(), vec!["src/alu.v", "src/b.v"].into()),
    ]);
    assert_eq!(
        error(&design, Loader::from_mapping(mapping.clone(), design.dir.path())),
        r#"error: `VERILOG_FILES[1]`: `src/b.v` does not exist
 --> <configuration>:3:34
  |
3 |   "VERILOG_FILES": ["src/alu.v", "src/b.v"]
  |                                  ^^^^^^^^^ no such file
  |
  = help: relative paths start at the design directory, `.`"#
    );
    assert_eq!(
        error(&design, Loader { mapping: Some(mapping), ..Loader::default() }),
        "error: a configuration given by code needs a design directory\n = help: the paths in it are relative to the \
         design directory"
    );
}

#[test]
fn altered_texts_are_read_or_refused() {
    let texts = [
        ("c.json", "{\"µ\": [1, 2.5e1, {\"b\": null}], // c\n \"d\": \"\\u00e9\\n\", /* x */ \"e\": true,}"),
        ("c.yaml", "µ: &a [1, 2.5e1, {b: ~}] # c\r\nd: \"\\u00e9\\n\"\r\ne: *a\r\nf: |\r\n  x\r\n? g\r\n: - h\r\n"),
        ("c.toml", "\"µ\" = [1, 2.5e1, {b = true}] # c\r\nd = \"\\u00e9\\n\"\n[e.f]\ng = '''x'''\n[[h]]\ni=1\n"),
    ];
    for (file, text) in texts {
        let design = Design::with_config(file, text);
        assert!(read(&design.path(file), &mut SourceMap::new()).is_ok(), "{file}");
        let ends = text.char_indices().map(|(at, _)| at);
        let prefixes = ends.clone().map(|at| text[..at].to_owned());
        let altered = ends.flat_map(|at| {
            ['{', '}', '[', ']', '"', ':', ',', '&', '*', '-', '\\', '\t', '\n', '\0', '9', 'é'].map(|c| {
                let width = text[at..].chars().next().map_or(0, char::len_utf8);
                format!("{}{c}{}", &text[..at], &text[at + width..])
            })
        });
        for broken in prefixes.chain(altered) {
            fs::write(design.path(file), &broken).unwrap();
            let mut sources = SourceMap::new();
            if let Err(diagnostic) = read(&design.path(file), &mut sources) {
                assert!(diagnostic.render(&sources, false).starts_with("error: "), "{broken:?}");
            }
        }
    }
}

#[test]
fn nesting_and_aliases_are_limited() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let aliases: String =
        (1..20).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "))).collect();
    let cases = [
        ("c.json", format!("{{\"a\": {}}}", deep("[", "]")), "nest"),
        ("c.json", format!("{{\"a\": {}}}", "[".repeat(200) + &"]".repeat(200)), "nested more than 128 deep"),
        ("c.yaml", format!("a: {}", deep("[", "]")), "recurs"),
        ("c.yaml", format!("a: {}", "[".repeat(200) + &"]".repeat(200)), "nested more than 128 deep"),
        ("c.yaml", format!("a: {}", deep("{b: ", "}")), "nested more than 128 deep"),
        ("c.yaml", format!("a:\n {}", "- ".repeat(100_000)), "nested more than 128 deep"),
        ("c.yaml", format!("a0: &a0 x\n{aliases}"), "aliases add more than 100000 values"),
        ("c.toml", format!("a = {}", deep("[", "]")), "recurs"),
        ("c.toml", format!("a{} = 1", ".a".repeat(100_000)), "recurs"),
    ];
    for (file, text, expected) in cases {
        let design = Design::with_config(file, &text);
        let mut sources = SourceMap::new();
        let error = read(&design.path(file), &mut sources).expect_err("too deep");
        assert!(error.message.to_lowercase().contains(expected), "{file}: {}", error.message);
    }
}

#[test]
fn a_wrong_unit_is_told_from_an_unknown_one() {
    let config = r#"{ "meta": {"version": 2},
  "DESIGN_NAME": "counter", "VERILOG_FILES": "dir::src/*.v",
  "CLOCK_PERIOD": "500 MHz",
  "WAITS": [1, "2 NS"],
  "SIZES": {"a": "1.5 nm", "b": "3"}
}"#;
    let design = Design::with_config("config.json", config);
    assert_eq!(
        error(&design, design.loader(&["config.json"])),
        r#"error: `CLOCK_PERIOD` is a time, in ns; `MHz` is a unit of frequency
 --> config.json:3:19
  |
3 |   "CLOCK_PERIOD": "500 MHz",
  |                   ^^^^^^^^^ expected a time, in ns
  |
  = help: units of time: s, as, fs, ps, ns, us, ms, ks, Ms, Gs, Ts

error: `WAITS[1]` is a time, in ns; `NS` is no unit
 --> config.json:4:16
  |
4 |   "WAITS": [1, "2 NS"],
  |                ^^^^^^ expected a time, in ns
  |
  = help: did you mean `ns`?

error: `SIZES.a` must be an integer; `1.5 nm` is 1.5 nm
 --> config.json:5:18
  |
5 |   "SIZES": {"a": "1.5 nm", "b": "3"}
  |                  ^^^^^^^^ expected an integer, in nm

error: `SIZES.b` must be an integer, not a string
 --> config.json:5:33
  |
5 |   "SIZES": {"a": "1.5 nm", "b": "3"}
  |                                 ^^^ expected an integer
  |
  = help: remove the quotes"#
    );
}
