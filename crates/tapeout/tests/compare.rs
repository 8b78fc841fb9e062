//! `tapeout compare` from end to end: what is compared, what is said of it, how it ends. The runs are written by hand,
//! so that no EDA tool is needed; the book compares real ones.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs, says what it skips, and fails by panic"
)]

mod support;

use serde_json::{Value, json};
use support::TestSpace;

/// Records a run with one step, which has a state.
fn record(space: &TestSpace, tag: &str, status: &str, metrics: &Value) {
    let step = json!({ "id": "Tool.Measure", "dir": "01-tool-measure", "status": status, "reused": false });
    let summary = json!({
        "tapeout": "0.1.0", "flow": "Ice40", "design": "d", "tag": tag, "steps": [step], "metrics": metrics,
    });
    space.write(&format!("runs/{tag}/run.json"), summary.to_string());
    let state = json!({ "nl": "d.v", "metrics": { "design__instance__count": 7 } });
    space.write(&format!("runs/{tag}/01-tool-measure/state_out.json"), state.to_string());
}

/// Two runs, of which the second is worse in one and better in another metric.
fn two_runs() -> TestSpace {
    let space = TestSpace::new();
    let old = json!({
        "design__instance__count": 100, "design__lvs_error__count": 0, "foo": "a", "power__total": 0.5,
        "timing__fmax__clock:clk": 84.2504, "timing__setup_vio__count": 0,
    });
    let new = json!({
        "bar|baz": 1, "design__instance__count": 90, "foo": "b", "power__total": 0.5,
        "timing__fmax__clock:clk": 80.1, "timing__setup_vio__count": 1,
    });
    record(&space, "old", "done", &old);
    record(&space, "new", "check_failed", &new);
    space
}

#[test]
fn what_became_worse_comes_first_and_is_exit_code_1() {
    let space = two_runs();
    let ran = space.tapeout(&["compare", "old", "new"]).exits(1);
    let expected = "\
old → new
  metric                     before  after             change
  timing__setup_vio__count        0      1                  1       worse, critical
  timing__fmax__clock:clk     84.25  80.10  -4.150 (-4.926%)  MHz  worse
  design__lvs_error__count        0                                gone, critical
  bar|baz                                1                         new
  design__instance__count       100     90     -10 (-10.00%)       better
  foo                             a      b                         changed

2 worse, 1 better, 1 changed, 1 gone, 1 new, 1 same
";
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&ran.out), words(expected), "{}", ran.out);
    assert_eq!(ran.err, "");
    // The other way round, the worse is the better.
    let back = space.tapeout(&["compare", "new", "old", "--show", "worse"]).exits(1);
    assert_eq!(
        words(&back.out),
        words(
            "new → old
             metric before after change
             design__instance__count 90 100 10 (+11.11%) worse
             1 worse, 2 better, 1 changed, 1 gone, 1 new, 1 same"
        )
    );
    space.tapeout(&["compare", "old", "old"]).exits(0).prints(&["old → old\n6 same\n"]);
    space
        .tapeout(&["compare", "old", "new", "--color", "always"])
        .exits(1)
        .prints(&["\u{1b}[1;31mworse", "\u{1b}[32mbetter"]);
}

#[test]
fn what_is_tolerated_is_no_regression() {
    let space = two_runs();
    let code = |tolerances: &[&str], code: i32| {
        let options = tolerances.iter().flat_map(|text| ["--tolerance", text]);
        // A critical metric that is gone is never tolerated.
        let old_and_new = ["compare", "old", "new", "--filter", "!*lvs*"];
        let args: Vec<&str> = old_and_new.into_iter().chain(options).collect();
        space.tapeout(&args).exits(code)
    };
    // Of zero, no part is anything.
    code(&["50%"], 1).prints(&["1 worse, 1 tolerated"]);
    code(&["5%", "timing__setup_vio__count=1"], 0).prints(&["2 tolerated"]);
    code(&["4.9%", "*_vio__count=1"], 1);
    code(&["timing__fmax*=4.2", "timing__*_vio__*=1"], 0);
    code(&["5%", "timing__*=1%"], 1);
    for (text, words) in [
        ("5", "`5` for all metrics: expected percents"),
        ("a=b", "`b` is no tolerance"),
        ("[=1", "`[` is not a pattern"),
        ("-5%", "`-5%` is no tolerance"),
    ] {
        space.tapeout(&["compare", "old", "new", &format!("--tolerance={text}")]).exits(2).says_once(&[words]);
    }
}

#[test]
fn filters_choose_what_is_compared() {
    let space = two_runs();
    let compare = |options: &[&str], code: i32| {
        let args: Vec<&str> =
            ["compare", "old", "new", "--show", "all"].into_iter().chain(options.iter().copied()).collect();
        space.tapeout(&args).exits(code)
    };
    compare(&["-f", "design__*", "-f", "foo", "-f", "!*lvs*"], 0).prints(&["\n1 better, 1 changed\n"]);
    compare(&["--filter", "!timing*"], 1).prints(&["\n1 better, 1 changed, 1 gone, 1 new, 1 same\n"]);
    compare(&["--filter", "DEFAULT"], 1).prints(&["\n2 worse, 1 better, 1 gone, 1 same\n"]);
    compare(&["--filter", "DEFAULT", "--filter", "!timing*"], 1).prints(&["power__total"]);
    compare(&["-f", "foo", "-f", "nix*"], 0).says(&["warning: no metric matches `nix*`"]);
    compare(&["-f", "power__totl"], 2).says_once(&["no metric `power__totl`", "did you mean `power__total`?"]);
    compare(&["-f", "nix*"], 2).says_once(&["no metric of either passes `--filter`"]);
    compare(&["-f", "[a"], 2).says_once(&["`[a` is not a pattern"]);
}

#[test]
fn less_is_shown_and_all_of_it_counts() {
    let space = two_runs();
    let rows = |show: &str| {
        let ran = space
            .tapeout(&["compare", "old", "new", "--show", show])
            .exits(1)
            .prints(&["\n2 worse, 1 better, 1 changed, 1 gone, 1 new, 1 same\n"]);
        ran.out.lines().filter(|line| line.starts_with("  ")).count().saturating_sub(1)
    };
    assert_eq!(["all", "changed", "worse", "critical", "none"].map(rows), [7, 6, 3, 2, 0]);
    space.tapeout(&["compare", "old", "new", "--digits", "6"]).exits(1).prints(&["84.2504", "-4.15040 (-4.92627%)"]);
    space.tapeout(&["compare", "old", "new", "--digits", "0"]).exits(2);
}

#[test]
fn markdown_is_a_table_and_json_has_all_digits() {
    let space = two_runs();
    let filter = ["-f", "timing*", "-f", "bar*", "-f", "foo"];
    let args = ["compare", "old", "new", "--tolerance", "5%"].into_iter().chain(filter);
    let ran = space.tapeout(&args.clone().chain(["--format", "markdown"]).collect::<Vec<_>>()).exits(1);
    assert_eq!(
        ran.out,
        "`old` → `new`: 1 worse, 1 tolerated, 1 changed, 1 new\n\n\
         | metric | before | after | change | |\n\
         |---|---:|---:|---:|---|\n\
         | `timing__setup_vio__count` | 0 | 1 | 1 | **worse, critical** |\n\
         | `timing__fmax__clock:clk` (MHz) | 84.25 | 80.10 | -4.150 (-4.926%) | tolerated |\n\
         | `bar\\|baz` |  | 1 |  | new |\n\
         | `foo` | a | b |  | changed |\n"
    );
    let ran = space.tapeout(&args.chain(["--json"]).collect::<Vec<_>>()).exits(1);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(found["before"], json!({ "name": "old", "path": space.path("runs/old") }));
    assert_eq!(
        found["counts"],
        json!({ "worse": 1, "tolerated": 1, "better": 0, "changed": 1, "gone": 0, "new": 1, "same": 0 })
    );
    assert_eq!(
        found["metrics"][0],
        json!({
            "name": "timing__setup_vio__count", "before": 0, "after": 1, "delta": 1, "percent": null, "unit": null,
            "verdict": "worse", "critical": true,
        })
    );
    let fmax = &found["metrics"][1];
    assert_eq!(
        (&fmax["delta"], &fmax["unit"], &fmax["verdict"]),
        (&json!(-4.1504), &json!("MHz"), &json!("tolerated"))
    );
    assert_eq!((&found["metrics"][2]["before"], &found["metrics"][2]["delta"]), (&Value::Null, &Value::Null));
    space.tapeout(&["compare", "old", "new", "--json", "--format", "markdown"]).exits(2);
}

#[test]
fn a_run_a_step_a_directory_or_a_file_is_compared() {
    let space = two_runs();
    let prints = |a: &str, b: &str, words: &str| {
        let ran = space.tapeout(&["compare", a, b, "--show", "none", "-f", "design__instance__count"]);
        assert!(ran.out.ends_with(words) && ran.code.is_some_and(|code| code < 2), "{a} {b}: {}{}", ran.out, ran.err);
    };
    space.write("m.json", "{\"design__instance__count\": 90, \"ir__drop__worst\": Infinity}");
    space.write("other/config.yaml", "");
    space.write("other/runs/x/run.json", space.read("runs/old/run.json").replace("\"old\"", "\"x\""));
    space.write("lane/final/metrics.json", "{\"design__instance__count\": 95}");
    prints("new", "m.json", "new → m.json\n1 same\n");
    prints("old", "runs/new", "old → runs/new\n1 better\n");
    prints("@new", "runs/new/01-tool-measure/state_out.json", "1 better\n");
    prints("runs/new/01-tool-measure", "new/measure", "→ new/Tool.Measure\n1 same\n");
    prints("lane", "new", "lane → new\n1 better\n");
    prints("new", "other@x", "new → other@x\n1 worse\n");
    prints("other/config.yaml@last", "old", "other/config.yaml@x → old\n1 same\n");
    // A directory or a file of the same name is not in the way, and can be named.
    space.write("new/metrics.json", "{\"design__instance__count\": 100}");
    prints("old", "new", "old → new\n1 better\n");
    prints("old", "./new", "old → ./new\n1 same\n");
    prints("old", "new/metrics.json", "1 same\n");
    space.write("old", "{\"design__instance__count\": 90}");
    prints("old", "new", "old → new\n1 better\n");
    prints("./old", "new", "./old → new\n1 same\n");
}

#[test]
fn what_cannot_be_compared_is_exit_code_2() {
    let space = two_runs();
    space.write("empty.json", "");
    space.write("list.json", "[1]");
    space.write("state.json", "{\"lib\": {\"tt\": \"a.lib\"}}");
    space.write("src/a.v", "");
    for (a, words) in [
        ("odl", &["`odl` is no file, and there is no run `odl`", "`old`"][..]),
        ("measure", &["`measure` is no file, and there is no run `measure`"]),
        ("nowhere@old", &["there is no `nowhere`"]),
        ("old/nix", &["there is no step `nix`"]),
        ("empty.json", &["there are no metrics in `empty.json`: it is not JSON"]),
        ("list.json", &["there are no metrics in `list.json`: expected an object of metrics, or a state"]),
        ("state.json", &["`lib` is neither a number nor a text"]),
        ("src", &["there are no metrics in the directory `src`", "`src@TAG`"]),
    ] {
        let ran = space.tapeout(&["compare", a, "new"]).exits(2).says_once(words);
        assert_eq!(ran.out, "");
    }
    space.tapeout(&["compare", "old"]).exits(2);
    TestSpace::new().tapeout(&["compare", "a", "b"]).exits(2).says_once(&["there is no run in `.`"]);
}

#[test]
fn names_cannot_steer_the_terminal() {
    let space = TestSpace::new();
    space.write("a.json", r#"{"a\u001b[2Jb": "x\u0007"}"#);
    space.write("b.json", "{}");
    let ran = space.tapeout(&["compare", "a.json", "b.json"]).exits(0).prints(&["ab "]);
    assert!(!ran.out.contains(['\u{1b}', '\u{7}']), "{:?}", ran.out);
}

#[test]
fn a_run_that_did_not_come_to_its_end_is_no_silent_witness() {
    let space = two_runs();
    record(&space, "broken", "failed", &json!({ "foo": "a" }));
    let words = "warning: the run `broken` did not come to its end; its metrics are those of the steps that did";
    space.tapeout(&["compare", "old", "broken"]).exits(1).says(&[words]).prints(&["gone, critical"]);
    space.tapeout(&["compare", "broken", "old", "-f", "foo"]).exits(0).says(&[words]);
    for (status, warned) in [("interrupted", true), ("not_reached", true), ("check_failed", false), ("left_out", false)]
    {
        record(&space, "other", status, &json!({ "foo": "a" }));
        let ran = space.tapeout(&["compare", "old", "other", "-f", "foo"]).exits(0);
        assert_eq!(ran.err.contains("did not come to its end"), warned, "{status}: {}", ran.err);
    }
    let quiet = space.tapeout(&["compare", "old", "broken", "-f", "foo", "-q"]).exits(0);
    assert_eq!(quiet.err, "");
}

#[test]
fn what_is_lost_or_newly_broken_is_exit_code_1() {
    let space = TestSpace::new();
    space.write("a.json", r#"{"design__die__area": 5, "timing__setup_vio__count": 0}"#);
    space.write("b.json", r#"{"design__die__area": 5, "timing__setup_vio__count": 0, "timing__hold_vio__count": 5}"#);
    space.write("c.json", r#"{"design__die__area": 5, "timing__setup_vio__count": 0, "timing__hold_vio__count": 0}"#);
    space.write("none.json", "{}");
    let compare = |a: &str, b: &str, code: i32| space.tapeout(&["compare", a, b, "--show", "critical"]).exits(code);
    compare("a.json", "none.json", 1)
        .says(&["warning: no metric is in both"])
        .prints(&["gone, critical", "\n2 gone\n"]);
    compare("a.json", "b.json", 1).prints(&["timing__hold_vio__count", "worse, critical", "\n1 worse, 2 same\n"]);
    compare("a.json", "c.json", 0).prints(&["\n1 new, 2 same\n"]);
    compare("c.json", "a.json", 1).prints(&["timing__hold_vio__count", "gone, critical"]);
    let markdown = ["compare", "c.json", "a.json", "--format", "markdown"];
    space.tapeout(&markdown).exits(1).prints(&["| **gone, critical** |"]);
    let ran = compare("none.json", "none.json", 0);
    assert_eq!(ran.err, "", "that nothing is the same needs no word");
}
