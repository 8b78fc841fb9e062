//! Dependency files in the syntax of make, as `yosys -E`, `verilator -MMD`, gcc and clang write them.
//!
//! Escapes (GNU make manual, "Rule Syntax"; gcc `-M`): a backslash before a space, `#`, `:` or backslash-newline, and `$$`
//! for a dollar. Verilator 5.006 escapes nothing, so that a path with a space comes out as two.

use crate::FormatError;

/// `TARGETS: PREREQUISITES`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// What is made. Verilator puts `/dev/null` here when it only checks.
    pub targets: Vec<String>,
    /// What it is made from, in the order of the file. Besides sources there may be the tool itself (Verilator), files
    /// that the run *wrote* (Yosys lists those of `tee -o`), and files of the tool's library.
    pub prerequisites: Vec<String>,
}

/// Reads a dependency file, rule by rule.
///
/// # Errors
/// If a line has names but no colon that ends the targets.
pub fn parse(text: &str) -> Result<Vec<Rule>, FormatError> {
    let mut rules = Vec::new();
    let mut scanner = Scanner { rest: text, line: 1 };
    while !scanner.rest.is_empty() {
        let line = scanner.line;
        let mut rule = Rule::default();
        let mut in_targets = true;
        loop {
            match scanner.next_token() {
                Token::Name(name) if in_targets => rule.targets.push(name),
                Token::Name(name) => rule.prerequisites.push(name),
                Token::Colon => in_targets = false,
                Token::EndOfRule => break,
            }
        }
        if !in_targets {
            rules.push(rule);
        } else if let Some(name) = rule.targets.first() {
            return Err(FormatError::Line {
                format: "dependency file",
                line,
                expected: "`TARGETS: PREREQUISITES`".to_owned(),
                found: format!("`{name}` and no colon"),
            });
        }
    }
    Ok(rules)
}

/// All prerequisites of all rules, each once, in the order of the first mention.
#[must_use]
pub fn prerequisites(rules: &[Rule]) -> Vec<&str> {
    let mut seen = std::collections::HashSet::new();
    rules.iter().flat_map(|rule| &rule.prerequisites).map(String::as_str).filter(|path| seen.insert(*path)).collect()
}

enum Token {
    Name(String),
    Colon,
    EndOfRule,
}

struct Scanner<'a> {
    rest: &'a str,
    line: usize,
}

impl Scanner<'_> {
    /// The length of a line break at the start of `text`, 0 if there is none.
    fn line_break(text: &str) -> usize {
        if text.starts_with("\r\n") { 2 } else { usize::from(text.starts_with('\n')) }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn next_token(&mut self) -> Token {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t']);
            if let Some(after) = self.rest.strip_prefix('\\')
                && Self::line_break(after) > 0
            {
                self.skip(1 + Self::line_break(after));
                self.line += 1;
            } else if self.rest.starts_with('#') {
                self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if self.rest.is_empty() || Self::line_break(self.rest) > 0 {
                self.skip(Self::line_break(self.rest));
                self.line += 1;
                return Token::EndOfRule;
            } else if Self::is_separator(self.rest) {
                self.skip(1);
                return Token::Colon;
            } else {
                return Token::Name(self.name());
            }
        }
    }

    /// A colon ends the targets only before a blank or a line's end; else it is part of a name.
    fn is_separator(text: &str) -> bool {
        text.strip_prefix(':').is_some_and(|after| after.is_empty() || after.starts_with([' ', '\t', '\r', '\n', '\\']))
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        loop {
            let mut chars = self.rest.chars();
            let Some(c) = chars.next() else { return name };
            let after = chars.as_str();
            match c {
                ' ' | '\t' | '\n' => return name,
                '\r' if after.starts_with('\n') => return name,
                ':' if Self::is_separator(self.rest) => return name,
                '\\' if Self::line_break(after) > 0 => return name,
                // Any other backslash is itself.
                '\\' if after.starts_with([' ', '\t', '#', ':']) => {
                    name.extend(after.chars().next());
                    self.skip(2);
                    continue;
                }
                '$' if after.starts_with('$') => self.skip(1),
                _ => {}
            }
            name.push(c);
            self.skip(c.len_utf8());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(targets: &[&str], prerequisites: &[&str]) -> Rule {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Rule { targets: owned(targets), prerequisites: owned(prerequisites) }
    }

    #[test]
    fn a_file_of_yosys() {
        let text = "a.json b.v: s.ys src/sub/sub.v st.json\n";
        assert_eq!(parse(text).unwrap(), [rule(&["a.json", "b.v"], &["s.ys", "src/sub/sub.v", "st.json"])]);
        let text = "sp\\ ace/o\\ t.json: /usr/bin/../share/yosys/techmap.v sp\\ ace/sub\\ two.v\n";
        let rules = [rule(&["sp ace/o t.json"], &["/usr/bin/../share/yosys/techmap.v", "sp ace/sub two.v"])];
        assert_eq!(parse(text).unwrap(), rules);
    }

    #[test]
    fn a_file_of_verilator() {
        let text = "/dev/null od/Vtop__ver.d  : /usr/bin/verilator_bin /usr/bin/verilator_bin inc/defs.vh src/top.v \n";
        let rules = parse(text).unwrap();
        assert_eq!(rules[0].targets, ["/dev/null", "od/Vtop__ver.d"]);
        assert_eq!(prerequisites(&rules), ["/usr/bin/verilator_bin", "inc/defs.vh", "src/top.v"]);
    }

    #[test]
    fn a_file_of_gcc_with_phony_targets() {
        let text = "m.o: m.c \\\n  /usr/include/a.h \\\r\n\tc\\#d.h e$$f.h\n\n# note\n/usr/include/a.h:\nw.o: C:/x.h back\\slash\\ x";
        let expected = [
            rule(&["m.o"], &["m.c", "/usr/include/a.h", "c#d.h", "e$f.h"]),
            rule(&["/usr/include/a.h"], &[]),
            rule(&["w.o"], &["C:/x.h", "back\\slash x"]),
        ];
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn odd_ends_do_not_stop_the_reader() {
        assert_eq!(parse("").unwrap(), []);
        assert_eq!(parse("a:").unwrap(), [rule(&["a"], &[])]);
        assert_eq!(parse("a: b\\").unwrap(), [rule(&["a"], &["b\\"])]);
        assert_eq!(parse("a: é$").unwrap(), [rule(&["a"], &["é$"])]);
        assert_eq!(parse("a:\\\nb").unwrap(), [rule(&["a"], &["b"])]);
        let error = parse("a: b\n\nnothing here\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "dependency file, line 3: expected `TARGETS: PREREQUISITES`, found `nothing` and no colon"
        );
    }
}
