//! Checkers in a flow of one's own, behind a real tool.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs itself, says what it skips, and fails by panic"
)]

mod support;

use support::{TestSpace, has};

const CONFIG: &str = "meta: {version: 2, flow: [Verilator.Lint, Checker.LintErrors, Checker.LintWarnings, Checker.LVS]}
DESIGN_NAME: top
VERILOG_FILES: [dir::top.v]
";

#[test]
fn what_counts_as_an_error_is_for_the_configuration_to_say() {
    if !has(&["verilator"]) {
        return;
    }
    let space = TestSpace::with(&[
        ("config.yaml", CONFIG),
        ("top.v", "module top(input a, output b);\nwire spare = a;\nassign b = a;\nendmodule\n"),
    ]);
    let ran = space.run().exits(0);
    ran.prints(&["checker.lint-warnings", "×1  lint warnings: 1"]);
    assert_eq!(space.status("Checker.LintErrors"), "done");
    assert_eq!(space.status("Checker.LVS"), "not_checked");
    assert_eq!(space.reason("Checker.LVS"), "no step before it has measured `design__lvs_error__count`");

    let strict = ["run", "-c", "ERROR_ON_LINTER_WARNINGS=true"];
    space.tapeout(&strict).exits(1).says(&["Checker.LintWarnings: lint warnings: 1", "ERROR_ON_LINTER_WARNINGS=false"]);
    assert_eq!(space.repeated(), ["Checker.LintWarnings"], "the tool has nothing to do with it");
    space.edit("top.v", "wire spare = a;\n", "");
    space.tapeout(&strict).exits(0);
    assert_eq!(space.repeated(), ["Verilator.Lint", "Checker.LintWarnings"], "there still are no errors");
}

#[test]
fn delays_in_the_sources_are_counted_and_checked() {
    if !has(&["verilator"]) {
        return;
    }
    let space = TestSpace::with(&[
        ("config.yaml", &CONFIG.replace("Checker.LintErrors", "Checker.LintTimingConstructs")),
        ("top.v", "module top(input a, output b, output c);\nassign #1 b = a;\nassign #2 c = a;\nendmodule\n"),
    ]);
    let hint = "`-c ERROR_ON_LINTER_TIMING_CONSTRUCTS=false` makes it a warning";
    space.run().exits(1).says(&["Checker.LintTimingConstructs: timing constructs in the sources: 2", hint]);
    space.tapeout(&["run", "-c", "ERROR_ON_LINTER_TIMING_CONSTRUCTS=false"]).exits(0);
    space.edit("top.v", "#1 ", "");
    space.edit("top.v", "#2 ", "");
    space.run().exits(0);
    assert_eq!(space.status("Checker.LintTimingConstructs"), "done");
}
