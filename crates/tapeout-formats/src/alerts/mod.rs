//! What tools complain about in their logs, as [`Alert`]s: one function per tool from the text of a log.
//!
//! An alert keeps the tool's own words with their place in the source. The same words under the same code become one
//! alert with a count. Lines that only sum up (`2 error(s) during elaboration.`) are no alerts.
//!
//! **Codes.** `TOOL.KIND`, where KIND is the tool's own name of the warning if it has one (`verilator.WIDTH`), else
//! one from the tool's table of known messages (`nextpnr.unconstrained-io`), else derived from the message: its first words
//! without names, numbers and places of the design (`yosys.wire-is-assigned-in-a`). A code is thereby the same for each
//! design and each run, and can be waived; a message that a new version of a tool words anew gets a new code.
//!
//! A log without alerts does not mean success: tools are killed, and some exit 0 without their output and without a word.

mod ghdl;
mod graywolf;
mod icarus;
mod icestorm;
mod nextpnr;
mod openroad;
mod opensta;
mod qrouter;
mod verilator;
mod yosys;

use std::collections::HashMap;

use tapeout_model::{Alert, Severity};

pub use ghdl::ghdl;
pub use graywolf::graywolf;
pub use icarus::{iverilog, vvp};
pub use icestorm::{icepack, icetime};
pub use nextpnr::nextpnr;
pub use openroad::openroad;
pub use opensta::opensta;
pub use qrouter::qrouter;
pub use verilator::verilator;
pub use yosys::yosys;

/// Words of a message and the code it gets for them; the first entry whose words are all in the message counts.
type Known = &'static [(&'static [&'static str], &'static str)];

/// Gathers alerts of one tool in the order of their first mention.
struct Collector {
    tool: &'static str,
    known: Known,
    alerts: Vec<Alert>,
    index: HashMap<(String, String), usize>,
}

impl Collector {
    fn new(tool: &'static str, known: Known) -> Self {
        Self { tool, known, alerts: Vec::new(), index: HashMap::new() }
    }

    /// Adds a message whose kind the tool itself names.
    fn named(&mut self, severity: Severity, kind: &str, message: &str) {
        let code = format!("{}.{kind}", self.tool);
        let message = message.trim();
        if let Some(&index) = self.index.get(&(code.clone(), message.to_owned())) {
            let alert = &mut self.alerts[index];
            alert.count = alert.count.saturating_add(1);
            alert.severity = alert.severity.max(severity);
        } else {
            self.index.insert((code.clone(), message.to_owned()), self.alerts.len());
            self.alerts.push(Alert { severity, code, message: message.to_owned(), count: 1 });
        }
    }

    /// Adds a message of a tool that does not name kinds. `said` is the message without its place.
    fn unnamed(&mut self, severity: Severity, said: &str, message: &str) {
        let known = self.known.iter().find(|(words, _)| words.iter().all(|word| said.contains(word)));
        match known {
            Some((_, kind)) => self.named(severity, kind, message),
            None => self.named(severity, &derived_kind(said), message),
        }
    }

    /// Adds the line if it is what a program says as it breaks down.
    fn crash(&mut self, line: &str) -> bool {
        let crashed = line.starts_with("terminate called")
            || line.starts_with("Traceback (most recent call last)")
            || line.contains("Assertion `")
            || line.contains("Assertion failure")
            || line.contains("Segmentation fault")
            || line.contains("std::bad_alloc");
        if crashed {
            self.named(Severity::Error, "crash", line);
        }
        crashed
    }
}

/// Up to five words of a message that do not come from the design: what is quoted or in parentheses, what has digits or
/// the punctuation of paths and names, and all that follows a colon is left out.
fn derived_kind(said: &str) -> String {
    let mut words = Vec::new();
    for word in unquoted(said).split_whitespace() {
        let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
        if !bare.is_empty() && bare.chars().all(|c| c.is_ascii_alphabetic() || c == '-' || c == '\'') {
            words.push(bare.to_ascii_lowercase().replace('\'', ""));
        }
        if words.len() == 5 || word.ends_with(':') && !words.is_empty() {
            break;
        }
    }
    if words.is_empty() { "message".to_owned() } else { words.join("-") }
}

/// The text without what stands in quotes or parentheses. A quote opens only after a blank or an opening parenthesis,
/// so that `can't` is a word; what is not closed is kept.
fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let opens = out.is_empty() || out.ends_with([' ', '(']);
        let closing: &[char] = match c {
            '\'' | '`' if opens => &['\''],
            '"' if opens => &['"'],
            '(' => &[')'],
            _ => &[],
        };
        let inner = if c == '`' { after.trim_start_matches('`') } else { after };
        match inner.find(closing).filter(|_| !closing.is_empty()) {
            Some(end) => rest = inner[end + 1..].trim_start_matches('\''),
            None => {
                out.push(c);
                rest = after;
            }
        }
    }
    out
}

/// Splits `FILE:LINE: text`, `FILE:LINE:COLUMN: text` and the like into the place and the text. A file is taken for one
/// only if a number follows its colon.
fn place(line: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    while let Some(colon) = line[from..].find(':').map(|at| from + at) {
        let mut end = colon;
        while let Some(digits) = line[end..].strip_prefix(':').map(|t| t.bytes().take_while(u8::is_ascii_digit).count())
            && digits > 0
        {
            end += 1 + digits;
        }
        if end > colon && line[end..].starts_with(':') {
            return Some((&line[..end], line[end + 1..].trim_start()));
        }
        from = end.max(colon + 1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_kinds_hold_nothing_of_the_design() {
        let cases = [
            (r"wire '\zz' is assigned in a block at undecl.v:1.79-1.86.", "wire-is-assigned-in-a"),
            (r"Wire top.\q is used but has no driver.", "wire-is-used-but-has"),
            ("Resizing cell port top.s.i from 8 bits to 3 bits.", "resizing-cell-port-from-bits"),
            ("Unknown module type: nosuch", "unknown-module-type"),
            ("Can't open include file `nofile.vh'!", "cant-open-include-file"),
            ("port ``c'' is not a port of t.", "port-is-not-a-port"),
            ("Identifier `\\a b' is implicitly declared.", "identifier-is-implicitly-declared"),
            ("`'\"(", "message"),
            ("é('x", "message"),
        ];
        for (said, kind) in cases {
            assert_eq!(derived_kind(said), kind, "{said}");
        }
    }

    #[test]
    fn places() {
        assert_eq!(place("a/b.v:3: warning: x"), Some(("a/b.v:3", "warning: x")));
        assert_eq!(place("inc.v:1:10: Cannot"), Some(("inc.v:1:10", "Cannot")));
        assert_eq!(place("C:/x.v:12: y"), Some(("C:/x.v:12", "y")));
        assert_eq!(place("top.v:1.2-1.9: y"), None);
        assert_eq!(place("error: x"), None);
        assert_eq!(place(":"), None);
    }

    #[test]
    fn the_same_words_are_counted_once() {
        let mut collector = Collector::new("t", &[]);
        collector.unnamed(Severity::Warning, "odd thing", "a.v:1: odd thing");
        collector.unnamed(Severity::Warning, "odd thing", "a.v:2: odd thing");
        collector.unnamed(Severity::Warning, "odd thing", "a.v:1: odd thing");
        let counts: Vec<_> = collector.alerts.iter().map(|alert| (alert.code.as_str(), alert.count)).collect();
        assert_eq!(counts, [("t.odd-thing", 2), ("t.odd-thing", 1)]);
    }

    #[test]
    fn a_crash_is_an_error_of_each_tool() {
        let log = "icetime: icetime.cc:243: void read_pcf(const char*): Assertion `args.size() == 2' failed.\n";
        let alerts = icetime(log);
        assert_eq!((alerts[0].code.as_str(), alerts[0].severity), ("icetime.crash", Severity::Error));
        assert_eq!(nextpnr("terminate called after throwing an instance of 'x'\n")[0].code, "nextpnr.crash");
    }
}
