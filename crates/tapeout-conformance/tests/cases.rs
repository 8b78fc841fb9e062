//! The program as a whole: the project's own cases, and cases made to go wrong.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test starts programs, and fails by panic")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value as Json, json};
use tempfile::TempDir;

fn conformance(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_conformance")).args(args).output().unwrap()
}

/// What is printed of these cases of a suite, and the exit code.
fn of(suite: &str, cases: Json) -> (String, i32) {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join(format!("{suite}.json")), cases.to_string()).unwrap();
    let output = conformance(&["--dir", dir.path().to_str().unwrap()]);
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    (text, output.status.code().unwrap())
}

fn expression(text: &str, expected: Json) -> Json {
    let input = json!({ "expression": text, "symbols": {} });
    json!({ "area": "config.expr", "name": "a sum", "input": input, "expected": expected })
}

#[test]
fn the_page_of_the_book_tells_what_comes_out() {
    let output = conformance(&["--page"]);
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "`cargo xtask conformance` says what fails");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/src/conformance.md");
    assert!(fs::read_to_string(kept).unwrap() == page, "`cargo xtask docs` makes book/src/conformance.md again");
}

#[test]
fn what_is_not_as_expected_fails() {
    let good = || expression("1 + 2", json!({ "ok": { "$decimal": "3" } }));
    let (text, code) = of("openlane", json!([good()]));
    assert_eq!((text.lines().next(), code), (Some("openlane config.expr: 1/1"), 0), "{text}");

    let wrong = [
        expression("1 + 2", json!({ "ok": { "$decimal": "4" } })),
        expression("1 + 2", json!({ "error": { "category": "bad_value", "mentions": [] } })),
        expression("1 +", json!({ "ok": { "$decimal": "1" } })),
        expression("1 + 2", json!({ "value": 3 })),
        json!({ "area": "config.expr", "name": "a sum", "input": { "text": "1" }, "expected": { "ok": 1 } }),
        json!({ "area": "config.sum", "name": "a sum", "input": "1 + 2", "expected": { "ok": 3 } }),
    ];
    for case in wrong {
        let (text, code) = of("openlane", json!([good(), case]));
        assert_eq!(code, 1, "{case}: {text}");
        assert!(text.contains("a sum\n    input") && text.ends_with("1 wrong\n"), "{case}: {text}");
    }
}

#[test]
fn a_difference_must_differ() {
    let (text, code) = of(
        "openlane",
        json!([{
            "area": "config.expr",
            "name": "expr '5 -3'",
            "input": { "expression": "5 -3", "symbols": {} },
            "expected": { "ok": { "$decimal": "2" } },
        }]),
    );
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("this is listed as different, and is not"), "{text}");
}

#[test]
fn further_cases_of_a_listed_defect_are_different() {
    let of_expression = |text: &str, expected: Json| of("openlane", json!([expression(text, expected)]));
    let refused = || json!({ "error": { "category": "bad_value", "mentions": [] } });
    let (text, code) = of_expression("7 -(2)", refused());
    assert_eq!((text.lines().next(), code), (Some("openlane config.expr: 0/1 +1 different"), 0), "{text}");
    assert!(text.contains("different: openlane config.expr a sum: There, a minus sign"), "{text}");
    assert_eq!(of_expression("7 + 2", refused()).1, 1);
    assert_eq!(of_expression("7 - 2", json!({ "ok": { "$decimal": "4" } })).1, 1);

    let radgen = |argv: Json, wanted: &str| {
        let expect = json!({ "asic_dse.compile_results": true });
        let case = json!({ "id": "A", "kind": "merge_ok", "argv": argv, "expect": expect });
        let mut case = case;
        case["wanted_from_new_program"] = json!(wanted);
        of("radgen", json!({ "cases": [case] }))
    };
    let wrong = || json!(["--subtools", "asic_dse", "--no_such_option"]);
    assert!(radgen(wrong(), "error: unknown option").0.starts_with("radgen merge_ok: 0/1 +1 different"));
    assert_eq!(radgen(wrong(), "the option is accepted").1, 1);
}

#[test]
fn what_cannot_be_run_is_told_apart() {
    let (text, code) = of("hammer_config", json!([{ "id": "x" }]));
    assert_eq!((text.lines().next(), code), (Some("hammer_config: not covered"), 0));
    let (text, code) = of("openlane", json!({ "cases": 1 }));
    assert!(code == 2 && text.contains("expected a list of cases"), "{text}");
    let (text, code) = of("another", json!([]));
    assert!(code == 2 && text.contains("no case file here"), "{text}");
    assert_eq!(conformance(&["--list"]).status.code(), Some(2));
}
