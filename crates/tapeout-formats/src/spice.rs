//! SPICE netlists: subcircuits, their ports and what they instantiate.
//!
//! Source of the format: the ngspice manual, chapters 2.1 to 2.5, and what netgen and KLayout read. Names are kept as
//! written; SPICE does not tell upper from lower case, so [`Spice::subckt`] does not either. Models, expressions and
//! analyses are kept as lines and not looked into.

use std::fmt::Write as _;

use crate::FormatError;

/// A file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spice {
    /// Lines outside of subcircuits, such as `.include` and `.global`, continuation lines joined; written first.
    pub statements: Vec<String>,
    /// The subcircuits in the order of the file; one within another follows it.
    pub subckts: Vec<Subckt>,
}

/// A subcircuit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subckt {
    /// Its name.
    pub name: String,
    /// Its ports, in the order in which instances connect them.
    pub ports: Vec<String>,
    /// Its parameters with their defaults, each `NAME=VALUE`.
    pub parameters: Vec<String>,
    /// What it is made of.
    pub elements: Vec<Element>,
    /// Lines beginning with a dot within it, such as `.model`.
    pub statements: Vec<String>,
}

/// An element of a subcircuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// An instance of another subcircuit.
    Instance {
        /// Its name without the leading `X`.
        name: String,
        /// What its ports are connected with, in the order of the subcircuit's.
        nets: Vec<String>,
        /// The subcircuit.
        subckt: String,
        /// Parameters, each `NAME=VALUE`.
        parameters: Vec<String>,
    },
    /// A device, such as a transistor: its words, the first of which is its name with the letter of its kind.
    Device(Vec<String>),
}

impl Element {
    /// An instance without parameters.
    #[must_use]
    pub fn instance(name: &str, nets: Vec<String>, subckt: &str) -> Self {
        Self::Instance { name: name.to_owned(), nets, subckt: subckt.to_owned(), parameters: Vec::new() }
    }
}

impl Spice {
    /// The subcircuit of that name; the last one, if there are several, as SPICE has it.
    #[must_use]
    pub fn subckt(&self, name: &str) -> Option<&Subckt> {
        self.subckts.iter().rev().find(|subckt| subckt.name.eq_ignore_ascii_case(name))
    }
}

/// The length from which on lines are continued.
const WIDTH: usize = 100;

/// Writes the file.
#[must_use]
pub fn write(spice: &Spice) -> String {
    let mut text = String::new();
    for statement in &spice.statements {
        let _ = writeln!(text, "{statement}");
    }
    for subckt in &spice.subckts {
        let header = [".subckt", &subckt.name].into_iter();
        wrapped(&mut text, header.chain(subckt.ports.iter().chain(&subckt.parameters).map(String::as_str)));
        for statement in &subckt.statements {
            let _ = writeln!(text, "{statement}");
        }
        for element in &subckt.elements {
            match element {
                Element::Device(words) => wrapped(&mut text, words.iter().map(String::as_str)),
                Element::Instance { name, nets, subckt, parameters } => {
                    let name = format!("X{name}");
                    let nets = nets.iter().map(String::as_str).chain([subckt.as_str()]);
                    wrapped(
                        &mut text,
                        [name.as_str()].into_iter().chain(nets).chain(parameters.iter().map(String::as_str)),
                    );
                }
            }
        }
        text.push_str(".ends\n");
    }
    text
}

fn wrapped<'w>(text: &mut String, words: impl Iterator<Item = &'w str>) {
    let mut length = 0;
    for word in words {
        if length == 0 {
            text.push_str(word);
        } else if length + 1 + word.len() > WIDTH {
            let _ = write!(text, "\n+ {word}");
            length = 1;
        } else {
            let _ = write!(text, " {word}");
            length += 1;
        }
        length += word.len();
    }
    text.push('\n');
}

/// Reads a file.
///
/// # Errors
/// When a subcircuit has no name or no end, or a line continues nothing.
pub fn parse(text: &str) -> Result<Spice, FormatError> {
    let mut spice = Spice::default();
    // The subcircuits that are open, with the line of each.
    let mut open: Vec<(Subckt, usize)> = Vec::new();
    let mut inner: Vec<Subckt> = Vec::new();
    for (line, statement) in logical_lines(text)? {
        let words = words(&statement);
        let Some(first) = words.first() else { continue };
        match first.to_ascii_lowercase().as_str() {
            ".subckt" => open.push((header(line, &words)?, line)),
            ".ends" => {
                let Some((subckt, _)) = open.pop() else {
                    return Err(error(line, "a `.subckt` before `.ends`", "none"));
                };
                if open.is_empty() {
                    spice.subckts.push(subckt);
                    spice.subckts.append(&mut inner);
                } else {
                    inner.push(subckt);
                }
            }
            ".end" => break,
            directive if directive.starts_with('.') => match open.last_mut() {
                Some((subckt, _)) => subckt.statements.push(statement),
                None => spice.statements.push(statement),
            },
            name => match open.last_mut() {
                Some((subckt, _)) if name.starts_with('x') => subckt.elements.push(instance(line, words)?),
                Some((subckt, _)) => subckt.elements.push(Element::Device(words)),
                None => spice.statements.push(statement),
            },
        }
    }
    match open.pop() {
        Some((subckt, line)) => Err(error(line, &format!("an `.ends` of `{}`", subckt.name), "the end of the file")),
        None => Ok(spice),
    }
}

/// Lines with their continuations, and the number of the first; comments are left out.
fn logical_lines(text: &str) -> Result<Vec<(usize, String)>, FormatError> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (line, raw) in text.lines().zip(1..).map(|(raw, line)| (line, raw.trim())) {
        let code = without_comment(raw);
        if let Some(more) = code.strip_prefix('+') {
            match lines.last_mut() {
                Some((_, statement)) => {
                    statement.push(' ');
                    statement.push_str(more.trim());
                }
                None => return Err(error(line, "a line before its continuation", &format!("`{raw}`"))),
            }
        } else if !code.is_empty() {
            lines.push((line, code.to_owned()));
        }
    }
    Ok(lines)
}

/// A line up to its comment: `*` at its beginning, `;` or `$` with white space around within it.
fn without_comment(line: &str) -> &str {
    if line.starts_with('*') {
        return "";
    }
    let is_comment = |at: &usize| {
        let before = line[..*at].chars().next_back().is_none_or(char::is_whitespace);
        let after = line[at + 1..].chars().next().is_none_or(char::is_whitespace);
        before && (after || line[*at..].starts_with(';'))
    };
    let end = line.match_indices(['$', ';']).map(|(at, _)| at).find(is_comment).unwrap_or(line.len());
    line[..end].trim_end()
}

/// The words of a line, `NAME = VALUE` as one.
fn words(statement: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut joins = false;
    for word in statement.split_whitespace() {
        match words.last_mut() {
            Some(last) if joins || word.starts_with('=') => last.push_str(word),
            _ => words.push(word.to_owned()),
        }
        joins = word.ends_with('=');
    }
    words
}

fn header(line: usize, words: &[String]) -> Result<Subckt, FormatError> {
    let Some(name) = words.get(1) else {
        return Err(error(line, "a name after `.subckt`", "the end of the line"));
    };
    let rest = words[2..].iter().filter(|word| !word.eq_ignore_ascii_case("params:"));
    let (parameters, ports) = rest.cloned().partition(|word| word.contains('='));
    Ok(Subckt { name: name.clone(), ports, parameters, ..Subckt::default() })
}

fn instance(line: usize, words: Vec<String>) -> Result<Element, FormatError> {
    let (parameters, mut words): (Vec<String>, Vec<String>) = words
        .into_iter()
        .filter(|word| !word.eq_ignore_ascii_case("params:") && word != "/")
        .partition(|w| w.contains('='));
    let subckt = match words.pop() {
        Some(subckt) if !words.is_empty() => subckt,
        _ => return Err(error(line, "a subcircuit at the end of an instance", "only its name")),
    };
    let name = words.remove(0).chars().skip(1).collect();
    Ok(Element::Instance { name, nets: words, subckt, parameters })
}

fn error(line: usize, expected: &str, found: &str) -> FormatError {
    FormatError::Line { format: "SPICE", line, expected: expected.to_owned(), found: found.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let many: Vec<String> = (0..60).map(|i| format!("a[{i}]")).collect();
        let top = Subckt {
            name: "top".into(),
            ports: many.clone(),
            parameters: vec!["w=1u".into()],
            elements: vec![
                Element::instance("u1", many, "CELL"),
                Element::Device(["M0", "a", "b", "c", "d", "pfet", "w=4u"].map(str::to_owned).to_vec()),
            ],
            statements: vec![".model pfet pmos".into()],
        };
        let spice = Spice { statements: vec![".include \"cells.sp\"".into()], subckts: vec![top] };
        let text = write(&spice);
        assert!(text.lines().all(|line| line.len() <= WIDTH + 2), "{text}");
        assert_eq!(parse(&text).unwrap(), spice);
    }

    #[test]
    fn comments_continuations_and_cases() {
        let text = "* title\n.SUBCKT Inv Y A \n+ vdd gnd PARAMS: l = 1u $ ports\n*+ no\nM0 Y A vdd vdd p$1 w=4u\n\
                    + ad=0p ; device\nXu2 A Y / SUB m=2\n.subckt sub a y\n.ends sub\n.ENDS Inv\nC1 a 0 1f\n.end\nrest";
        let spice = parse(text).unwrap();
        assert_eq!(spice.statements, ["C1 a 0 1f"]);
        assert_eq!(spice.subckts.iter().map(|subckt| subckt.name.as_str()).collect::<Vec<_>>(), ["Inv", "sub"]);
        let inv = spice.subckt("INV").unwrap();
        assert_eq!((inv.ports.join(" ").as_str(), inv.parameters.join(" ").as_str()), ("Y A vdd gnd", "l=1u"));
        let device = ["M0", "Y", "A", "vdd", "vdd", "p$1", "w=4u", "ad=0p"].map(str::to_owned).to_vec();
        assert_eq!(inv.elements[0], Element::Device(device));
        let nets = vec!["A".to_owned(), "Y".to_owned()];
        let parameters = vec!["m=2".to_owned()];
        assert_eq!(inv.elements[1], Element::Instance { name: "u2".into(), nets, subckt: "SUB".into(), parameters });
    }

    #[test]
    fn what_has_no_end_or_beginning_is_an_error() {
        let message = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(
            message(".subckt a b\nx"),
            "SPICE, line 2: expected a subcircuit at the end of an instance, found only its name"
        );
        assert_eq!(message("\n.subckt a b\n"), "SPICE, line 2: expected an `.ends` of `a`, found the end of the file");
        assert_eq!(message(".ends"), "SPICE, line 1: expected a `.subckt` before `.ends`, found none");
        assert_eq!(message("+ a"), "SPICE, line 1: expected a line before its continuation, found `+ a`");
        assert_eq!(message(".subckt"), "SPICE, line 1: expected a name after `.subckt`, found the end of the line");
    }
}
