//! Counts tests in what `cargo test -- --show-output` prints. A test that cannot run says so in a line of its own,
//! `skipped: REASON`, and passes as far as its harness knows; here it counts as skipped.

use std::fmt;

/// What starts the line of a test that could not run.
const SKIPPED: &str = "skipped: ";

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// What a line is to somebody who watches.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Words of tests that passed, and the harness's own bookkeeping.
    Quiet,
    /// A failure, its details, or cargo's own words.
    Loud,
    /// The end of a test program, in one line.
    Suite(String),
}

/// Reads the output line by line.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    tally: Tally,
    failures: Vec<String>,
    skips: Vec<String>,
    /// The test program at work.
    suite: String,
    place: Place,
    /// Tests of this program that said they were skipped.
    said: usize,
    /// How many failures and skips were listed when it began.
    before: (usize, usize),
}

/// Where in a test program's output the next line is. The words of tests are whatever they like, so each place knows what
/// ends it.
#[derive(Debug, Default, PartialEq, Eq)]
enum Place {
    /// Between programs: cargo speaks.
    #[default]
    Cargo,
    /// One line for each of so many tests; then `successes:`, or the result where the harness is not the usual one.
    Tests { count: usize },
    /// The words of tests that passed, this one at the moment; then `successes:` again.
    Passed { test: String, skipped: bool },
    /// The names of tests that passed; then `failures:` or the result.
    PassedNames,
    /// The words of tests that failed; then `failures:` again.
    Failed,
    /// The names of tests that failed; then the result.
    FailedNames,
}

impl Scanner {
    /// Takes one line, without its end.
    pub(crate) fn line(&mut self, line: &str) -> Line {
        if let Some(suite) = suite_name(line) {
            self.close();
            self.suite = suite;
            self.before = (self.failures.len(), self.skips.len());
            return Line::Quiet;
        }
        match &mut self.place {
            Place::Cargo => {
                if let Some(count) = start(line) {
                    self.place = Place::Tests { count };
                    Line::Quiet
                } else {
                    unless_blank(line)
                }
            }
            Place::PassedNames | Place::FailedNames if line.starts_with("test result: ") => self.result(line),
            Place::Tests { count } if ended(line) == Some(*count) => self.result(line),
            Place::Tests { .. } if line == "successes:" => {
                self.place = Place::Passed { test: String::new(), skipped: false };
                Line::Quiet
            }
            Place::PassedNames if line == "failures:" => {
                self.place = Place::Failed;
                Line::Loud
            }
            // A test that starts its own program again, to have a process that it may kill.
            Place::Tests { .. } if start(line).is_some() || line.starts_with("test result: ") => Line::Quiet,
            Place::Tests { .. } => match line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ")) {
                Some((test, end)) => self.test(test.trim_end(), end),
                None => unless_blank(line),
            },
            Place::Passed { test, skipped } => {
                if line == "successes:" {
                    self.place = Place::PassedNames;
                } else if let Some(name) = words_of(line) {
                    (*test, *skipped) = (name.to_owned(), false);
                } else if let Some(reason) = line.strip_prefix(SKIPPED) {
                    self.skips.push(format!("{} {test}: {reason}", self.suite));
                    self.said += usize::from(!*skipped);
                    *skipped = true;
                }
                Line::Quiet
            }
            Place::PassedNames => Line::Quiet,
            Place::Failed => {
                if line == "failures:" {
                    self.place = Place::FailedNames;
                }
                Line::Loud
            }
            Place::FailedNames => Line::Loud,
        }
    }

    /// How one test ended: `ok`, `FAILED`, `ignored, the reason`.
    fn test(&mut self, test: &str, end: &str) -> Line {
        if end == "FAILED" {
            self.failures.push(format!("{} {test}", self.suite));
            return Line::Loud;
        }
        if let Some(why) = end.strip_prefix("ignored") {
            let why = why.strip_prefix(", ").unwrap_or("ignored");
            self.skips.push(format!("{} {test}: {why}", self.suite));
        }
        Line::Quiet
    }

    /// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`
    fn result(&mut self, result: &str) -> Line {
        let count = |what: &str| -> usize {
            let words: Vec<&str> = result.split([' ', ';']).filter(|word| !word.is_empty()).collect();
            words.windows(2).find(|pair| pair[1] == what).and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
        };
        let said = self.said;
        let suite = Tally {
            passed: count("passed").saturating_sub(said),
            failed: count("failed"),
            skipped: count("ignored") + said,
        };
        self.add(suite);
        self.said = 0;
        self.place = Place::Cargo;
        if suite == Tally::default() { Line::Quiet } else { Line::Suite(format!("{}: {suite}", self.suite)) }
    }

    /// Ends a test program. One that began and told no result went down with its tests.
    fn close(&mut self) {
        if self.place != Place::Cargo {
            // As it told no numbers, it counts as one, and its tests are not listed beside it.
            self.add(Tally { failed: 1, ..Tally::default() });
            self.failures.truncate(self.before.0);
            self.skips.truncate(self.before.1);
            self.failures.push(format!("{}: ended before its tests did", self.suite));
            self.place = Place::Cargo;
            self.said = 0;
        }
    }

    fn add(&mut self, more: Tally) {
        self.tally.passed += more.passed;
        self.tally.failed += more.failed;
        self.tally.skipped += more.skipped;
    }

    /// The sum, the tests that failed, and the tests that were skipped with their reasons.
    pub(crate) fn finish(mut self) -> (Tally, Vec<String>, Vec<String>) {
        self.close();
        (self.tally, self.failures, self.skips)
    }
}

fn unless_blank(line: &str) -> Line {
    if line.trim().is_empty() { Line::Quiet } else { Line::Loud }
}

/// The test program that this line of cargo's announces:
/// `     Running unittests src/lib.rs (target/debug/deps/tapeout_store-0123456789abcdef)`, `   Doc-tests tapeout_store`.
fn suite_name(line: &str) -> Option<String> {
    if let Some(name) = line.strip_prefix("   Doc-tests ") {
        return Some(format!("{name} (doc)"));
    }
    let program = line.strip_prefix("     Running ")?.strip_suffix(')')?.rsplit_once('(')?.1;
    let name = program.rsplit('/').next()?;
    Some(name.rsplit_once('-').map_or(name, |(name, _)| name).to_owned())
}

/// `running 3 tests`
fn start(line: &str) -> Option<usize> {
    let rest = line.strip_prefix("running ")?;
    rest.strip_suffix(" tests").or_else(|| rest.strip_suffix(" test"))?.parse().ok()
}

/// How many tests a result line sums up.
fn ended(line: &str) -> Option<usize> {
    let rest = line.strip_prefix("test result: ")?;
    let counts = rest.split([' ', ';']).filter(|word| !word.is_empty()).filter_map(|word| word.parse::<usize>().ok());
    Some(counts.take(3).sum())
}

/// `---- module::test stdout ----`
fn words_of(line: &str) -> Option<&str> {
    line.strip_prefix("---- ")?.strip_suffix(" stdout ----")
}

#[cfg(test)]
mod tests {
    use super::{Line, Scanner, Tally};

    const OUTPUT: &str = "
     Running unittests src/lib.rs (target/debug/deps/tapeout_store-0123456789abcdef)

running 3 tests

running 1 test
test helper ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.00s

test blob::one ... ok
test blob::two ... ok
test blob::old ... ignored, needs a tape drive

successes:

---- blob::two stdout ----
skipped: no reflinks here
skipped: and no second disk
test result: ok. 99 passed


successes:
    blob::one
    blob::two

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s

     Running tests/flows.rs (target/debug/deps/flows-0123456789abcdef)

running 2 tests
test fits ... FAILED
test routes ... ok

successes:

successes:
    routes

failures:

---- fits stdout ----
assertion failed

failures:
    fits

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s

   Doc-tests tapeout_store

running 1 test
test crates/tapeout-store/src/lib.rs - (line 3) ... ok

successes:

successes:
    crates/tapeout-store/src/lib.rs - (line 3)

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s
";

    fn scan(output: &str) -> (Vec<Line>, Tally, Vec<String>, Vec<String>) {
        let mut scanner = Scanner::default();
        let lines = output.lines().map(|line| scanner.line(line)).collect();
        let (tally, failures, skips) = scanner.finish();
        (lines, tally, failures, skips)
    }

    #[test]
    fn sums_over_programs_and_counts_a_skipping_test_once() {
        let (lines, tally, failures, skips) = scan(OUTPUT);
        assert_eq!(tally, Tally { passed: 3, failed: 1, skipped: 2 });
        assert_eq!(tally.to_string(), "3 passed, 1 failed, 2 skipped");
        assert_eq!(failures, ["flows fits"]);
        assert_eq!(
            skips,
            [
                "tapeout_store blob::old: needs a tape drive",
                "tapeout_store blob::two: no reflinks here",
                "tapeout_store blob::two: and no second disk",
            ]
        );
        let suites: Vec<&Line> = lines.iter().filter(|line| matches!(line, Line::Suite(_))).collect();
        assert_eq!(
            suites,
            [
                &Line::Suite("tapeout_store: 1 passed, 0 failed, 2 skipped".to_owned()),
                &Line::Suite("flows: 1 passed, 1 failed, 0 skipped".to_owned()),
                &Line::Suite("tapeout_store (doc): 1 passed, 0 failed, 0 skipped".to_owned()),
            ]
        );
    }

    #[test]
    fn shows_failures_with_their_words_and_no_others() {
        let (lines, ..) = scan(OUTPUT);
        let shown: Vec<&str> =
            OUTPUT.lines().zip(&lines).filter(|(_, line)| **line == Line::Loud).map(|(text, _)| text).collect();
        let words = ["test fits ... FAILED", "failures:", "", "---- fits stdout ----", "assertion failed", ""];
        assert_eq!(shown, [&words[..], &["failures:", "    fits", ""]].concat());
    }

    #[test]
    fn a_program_that_went_down_is_a_failure() {
        let cut = OUTPUT.lines().take_while(|line| *line != "successes:").collect::<Vec<_>>().join("\n");
        let (_, tally, failures, skips) = scan(&cut);
        assert_eq!(skips, [""; 0]);
        assert_eq!(tally, Tally { failed: 1, ..Tally::default() });
        assert_eq!(failures, ["tapeout_store: ended before its tests did"]);

        let next = "\n     Running tests/b.rs (target/debug/deps/b-0123456789abcdef)\n\nrunning 0 tests\n\n\
                    successes:\n\nsuccesses:\n\n\
                    test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        let (_, tally, failures, _) = scan(&(cut + next));
        assert_eq!((tally.failed, failures.len()), (1, 1));
    }

    #[test]
    fn a_harness_without_sections_is_counted() {
        let output = "     Running tests/engine.rs (target/debug/deps/engine-0123456789abcdef)\n\nrunning 2 tests\n\
                      test short       ... ok\ntest longer_name ... FAILED\n\nfailures:\n\n---- longer_name ----\nbad\n\n\
                      test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.2s";
        let (_, tally, failures, _) = scan(output);
        assert_eq!(
            (tally, failures),
            (Tally { passed: 1, failed: 1, skipped: 0 }, vec!["engine longer_name".to_owned()])
        );
    }

    #[test]
    fn what_the_compiler_says_is_shown() {
        let (lines, tally, ..) = scan("error[E0308]: mismatched types\n\nerror: could not compile `tapeout`");
        assert_eq!(lines, [Line::Loud, Line::Quiet, Line::Loud]);
        assert_eq!(tally, Tally::default());
    }
}
