//! What came of all cases: counted by suite and area, and told as text and as a page of the book.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use serde_json::Value as Json;

use crate::compare::Comparison;
use crate::differences::Difference;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::run::{Runner, not_ours, runner};
use crate::suites::{Case, Suite};

/// One area of one suite.
struct Area {
    suite: &'static str,
    name: String,
    /// Whether its cases are run.
    covered: bool,
    total: usize,
    passed: usize,
    different: usize,
    failures: Vec<String>,
}

/// All areas, and differences that are none.
pub(crate) struct Report {
    areas: Vec<Area>,
    stale: Vec<String>,
    differences: Vec<Difference>,
    /// What came of the cases that differ on purpose, by difference and case.
    found: BTreeMap<(usize, usize), String>,
    /// Whether all cases of first files that differ on purpose are listed one by one, and all that are listed are
    /// there.
    own: bool,
    /// The cases that differ and are not listed, with the reason.
    unlisted: Vec<String>,
}

/// What came of one case.
enum Verdict {
    Passed,
    /// On purpose; in which way.
    Different(String),
    Failed(String),
}

impl Report {
    /// Runs all cases. Of the project's own, each that differs is listed, and each that is listed is there; others may
    /// hold further cases of the defects that are listed, and say themselves that the peer is wrong.
    pub(crate) fn new(suites: &[Suite], differences: Vec<Difference>, own: bool) -> Self {
        let mut report = Self {
            areas: Vec::new(),
            stale: Vec::new(),
            differences,
            found: BTreeMap::new(),
            own,
            unlisted: Vec::new(),
        };
        for suite in suites {
            for case in &suite.cases {
                let verdict = runner(suite.name, &case.area).map(|run| report.judge(suite, case, run));
                let area = report.area(suite.name, &case.area);
                area.total += 1;
                area.covered = verdict.is_some();
                match verdict {
                    None => {}
                    Some(Verdict::Passed) => area.passed += 1,
                    Some(Verdict::Different(_)) => area.different += 1,
                    Some(Verdict::Failed(failure)) => area.failures.push(failure),
                }
            }
        }
        if own {
            report.stale = absent(suites, &report.differences);
        }
        report
    }

    fn area(&mut self, suite: &'static str, name: &str) -> &mut Area {
        let at = self.areas.iter().position(|area| area.suite == suite && area.name == name);
        let at = at.unwrap_or_else(|| {
            let (total, passed, different) = (0, 0, 0);
            let name = name.to_owned();
            self.areas.push(Area { suite, name, covered: false, total, passed, different, failures: Vec::new() });
            self.areas.len() - 1
        });
        &mut self.areas[at]
    }

    fn judge(&mut self, suite: &Suite, case: &Case, run: Runner) -> Verdict {
        let listed = self.differences.iter().enumerate().flat_map(|(at, difference)| {
            difference.of(suite.name, case).map(move |(of, differing)| ((at, of), &differing.instead))
        });
        let listed: Vec<_> = listed.collect();
        if listed.len() > 1 {
            return Verdict::Failed(format!("{}\n    is listed as a difference twice\n", case.name));
        }
        let mut unlisted = None;
        let mut excused = |case: &Case, outcome: &Outcome, comparison: &Comparison<'_>| {
            unlisted = if self.own && !case.more {
                None
            } else {
                excuse(&self.differences, suite.name, case, outcome, comparison)
            };
            unlisted.is_some()
        };
        let verdict = judge(suite, case, run, listed.first().map(|(_, instead)| *instead), &mut excused);
        let reason = unlisted.map(|reason| {
            let title = format!("{} {}", suite.name, case.area);
            format!("{} {}: {reason}", title.trim_end(), case.name)
        });
        self.unlisted.extend(reason);
        if let (Some((at, _)), Verdict::Different(why)) = (listed.first(), &verdict) {
            self.found.insert(*at, why.clone());
        }
        verdict
    }

    /// Whether everything is as it should be.
    pub(crate) fn is_good(&self) -> bool {
        self.stale.is_empty() && self.areas.iter().all(|area| area.failures.is_empty())
    }

    /// One line per suite and area, then each failure.
    pub(crate) fn text(&self) -> String {
        let mut text = self.table();
        for area in self.areas.iter().filter(|area| !area.failures.is_empty()) {
            for failure in &area.failures {
                let _ = write!(text, "\n{}: {failure}", area.title());
            }
        }
        for case in self.unlisted.iter().filter(|_| !self.own) {
            let _ = write!(text, "\ndifferent: {case}\n");
        }
        for stale in &self.stale {
            let _ = write!(text, "\nlisted as different, but there is no such case: {stale}\n");
        }
        let sum = |count: fn(&Area) -> usize| self.areas.iter().filter(|area| area.covered).map(count).sum::<usize>();
        let different = sum(|area| area.different);
        let failed = sum(|area| area.failures.len()) + self.stale.len();
        let covered = format!("{}/{}", sum(|area| area.passed), sum(|area| area.total));
        let _ = writeln!(text, "\n{covered} as the peers, {different} different on purpose, {failed} wrong");
        text
    }

    fn table(&self) -> String {
        let mut text = String::new();
        for area in &self.areas {
            let _ = match (area.covered, area.different) {
                (false, _) => match not_ours(area.suite, &area.name) {
                    Some(reason) => writeln!(text, "{}: not ours, as {reason}", area.title()),
                    None => writeln!(text, "{}: not covered", area.title()),
                },
                (true, 0) => writeln!(text, "{}: {}/{}", area.title(), area.passed, area.total),
                (true, n) => writeln!(text, "{}: {}/{} +{n} different", area.title(), area.passed, area.total),
            };
        }
        text
    }

    /// The page of the book.
    pub(crate) fn page(&self) -> String {
        let mut page = include_str!("page.md").replace("TABLE\n", &self.table());
        let mut heading = String::new();
        for (at, difference) in self.differences.iter().enumerate() {
            let area = format!("{} {}", difference.suite, difference.area);
            let area = format!("\n### {}\n", area.trim_end());
            if area != heading {
                page += &area;
                heading = area;
            }
            let _ = write!(page, "\n{}\n", difference.reason);
            for (of, differing) in difference.cases.iter().enumerate() {
                let Some(why) = self.found.get(&(at, of)) else { continue };
                let brief = brief(why);
                let why = if difference.suite == "pydesignflow" { &brief } else { why };
                let _ = write!(page, "\n```text\n{}\nhere {}\n```\n", differing.title(), why.trim_end());
            }
        }
        // Where the case itself says what is wanted, there is no reason above.
        let by_case = |line: &&String| self.differences.iter().all(|difference| !line.ends_with(&difference.reason));
        let mut by_case = self.unlisted.iter().filter(by_case).peekable();
        if by_case.peek().is_some() {
            page += "\n### What cases want themselves\n\n";
        }
        for line in by_case {
            let _ = writeln!(page, "- {line}");
        }
        page
    }
}

impl Area {
    fn title(&self) -> String {
        format!("{} {}", self.suite, self.name).trim_end().to_owned()
    }
}

/// Of all that commands said, in which way they differ, and the error: what they say besides has times in it.
fn brief(why: &str) -> String {
    let first = why.lines().next().unwrap_or_default();
    match why.lines().skip(1).find(|line| line.starts_with("error: ")) {
        Some(error) => format!("{first}\n{error}"),
        None => first.trim_end_matches(", and it said:").trim_end_matches(", but:").to_owned(),
    }
}

/// Why a case that is not listed may come out differently.
fn excuse(
    differences: &[Difference],
    suite: &str,
    case: &Case,
    outcome: &Outcome,
    comparison: &Comparison<'_>,
) -> Option<String> {
    let accepted = matches!(outcome, Outcome::Accepted(_));
    if let Some(difference) = differences.iter().find(|difference| difference.covers(suite, case, outcome, comparison))
    {
        return Some(difference.reason.clone());
    }
    // Such a case wants an error, or that something is accepted.
    let wants_error = |wanted: &str| wanted.split(|c: char| !c.is_alphanumeric()).any(|word| word == "error");
    // Of commands there is an account, whether they were refused or not.
    case.wanted.clone().filter(|wanted| comparison.accounts || wants_error(wanted) != accepted)
}

/// Whether a case that is not listed may come out differently.
type Excused<'a> = dyn FnMut(&Case, &Outcome, &Comparison<'_>) -> bool + 'a;

/// Runs a case and compares, with `instead` where we differ on purpose.
fn judge(suite: &Suite, case: &Case, run: Runner, instead: Option<&Json>, excused: &mut Excused<'_>) -> Verdict {
    let failed = |why: &str, place: Option<&Place<'_>>| {
        let why = place.map_or_else(|| why.to_owned(), |place| place.emptied(why));
        let why = why.trim_end().replace('\n', "\n      ");
        let (input, expected) = (&case.input, instead.unwrap_or(&case.expected));
        Verdict::Failed(format!("{}\n    input {input}\n    expected {expected}\n    found {why}\n", case.name))
    };
    let place = match Place::new(&suite.definitions) {
        Ok(place) => place,
        Err(error) => return failed(&error, None),
    };
    let filled = Case { input: place.fill(&case.input), expected: place.fill(&case.expected), ..case.clone() };
    let outcome = match catch_unwind(AssertUnwindSafe(|| run(&filled.input, &place))) {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => return failed(&format!("a case that cannot be run: {error}"), Some(&place)),
        Err(_) => return failed("a panic, told above", Some(&place)),
    };
    // A case may name another design directory than the one that all have.
    let cwd = place.fill(&case.input["args"]["design_dir"]).as_str().map_or_else(|| place.cwd(), PathBuf::from);
    let in_part = suite.name == "radgen" || case.area == "cli";
    let comparison = Comparison { cwd: &cwd, in_part, accounts: suite.name == "pydesignflow" };
    let from_peer = comparison.difference(&filled.expected, &outcome);
    match (instead, from_peer) {
        (None, None) => Verdict::Passed,
        (None, Some(why)) if excused(&filled, &outcome, &comparison) => Verdict::Different(place.emptied(&why)),
        (None, Some(why)) => failed(&why, Some(&place)),
        (Some(_), None) => failed("what the peer does: this is listed as different, and is not", Some(&place)),
        (Some(instead), Some(from_peer)) => match comparison.difference(&place.fill(instead), &outcome) {
            None => Verdict::Different(place.emptied(&from_peer)),
            Some(why) => failed(&why, Some(&place)),
        },
    }
}

/// The differences of which there is no case.
fn absent(suites: &[Suite], differences: &[Difference]) -> Vec<String> {
    let mut absent = Vec::new();
    for difference in differences {
        for differing in &difference.cases {
            let of_suite = suites.iter().filter(|suite| suite.name == difference.suite);
            let mut cases = of_suite.flat_map(|suite| suite.cases.iter().map(|case| (suite.name, case)));
            let is_it = |(suite, case): (&str, &Case)| {
                difference.of(suite, case).is_some_and(|(_, found)| std::ptr::eq(found, differing))
            };
            if !cases.any(is_it) {
                absent.push(format!("{} {}: {}", difference.suite, difference.area, differing.title()));
            }
        }
    }
    absent
}
