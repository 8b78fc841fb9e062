//! A command line as it was written: words, the options among them, and the place of each in a text that messages can
//! show. Which options there are is no matter here.

use tapeout_config::{FileId, SourceMap, Span};
use tapeout_model::shell_quoted;

/// A word and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// An option with the words that follow it up to the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// One dash or two.
    pub(crate) long: bool,
    /// Without dashes and without what is attached.
    pub(crate) name: String,
    /// The option's place, with its dashes.
    pub(crate) span: Span,
    /// What follows an `=` in the option's own word.
    pub(crate) attached: Option<Word>,
    pub(crate) words: Vec<Word>,
}

impl Written {
    /// As the user reads it: `--mode.vlsi.run`.
    pub(crate) fn shown(&self) -> String {
        format!("{}{}", if self.long { "--" } else { "-" }, self.name)
    }

    /// Whether it is the option with this long name or this shortcut.
    pub(crate) fn is(&self, long: &str, short: &str) -> bool {
        self.name == if self.long { long } else { short }
    }

    /// All that is given to it.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Word> {
        self.attached.iter().chain(&self.words)
    }
}

/// Takes the words apart: the text made of them, what stands before any option, and the options.
pub(crate) fn take_apart(words: &[String], sources: &mut SourceMap) -> (FileId, Vec<Word>, Vec<Written>) {
    // Each option has a line of its own, so that messages show it alone.
    let mut text = String::new();
    let mut places = Vec::new();
    for word in words {
        if !text.is_empty() {
            text.push(if is_option(word) { '\n' } else { ' ' });
        }
        let start = text.len();
        text.push_str(&shell_quoted(word));
        places.push((start, text.len()));
    }
    let file = sources.add("<command line>", text);
    let mut before = Vec::new();
    let mut options: Vec<Written> = Vec::new();
    for (word, (start, end)) in words.iter().zip(places) {
        if !is_option(word) {
            let word = Word { text: word.clone(), span: Span::new(file, start, end) };
            match options.last_mut() {
                Some(option) => option.words.push(word),
                None => before.push(word),
            }
            continue;
        }
        let dashes = if word.starts_with("--") { 2 } else { 1 };
        let (name, value) = match word[dashes..].split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (&word[dashes..], None),
        };
        let option_end = if value.is_some() { (start + dashes + name.len()).min(end) } else { end };
        let attached = value.map(|value| {
            let from = (option_end + 1).min(end);
            Word { text: value.to_owned(), span: Span::new(file, from, end) }
        });
        options.push(Written {
            long: dashes == 2,
            name: name.to_owned(),
            span: Span::new(file, start, option_end),
            attached,
            words: Vec::new(),
        });
    }
    (file, before, options)
}

/// Whether a word is an option and not a value. `-1.5` and `-` are values.
pub(crate) fn is_option(word: &str) -> bool {
    let name = word.strip_prefix("--").or_else(|| word.strip_prefix('-')).unwrap_or_default();
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn each_option_has_a_line_and_each_word_a_place() {
        let mut sources = SourceMap::new();
        let line = words(&["x", "-st", "coffe", "asic dse", "--quick_mode", "-1.5", "--a.b=c d", "-syn", "-"]);
        let (_, before, options) = take_apart(&line, &mut sources);
        assert_eq!(before[0].text, "x");
        let shown: Vec<_> = options
            .iter()
            .map(|option| {
                let values: Vec<_> =
                    option.values().map(|word| format!("{}@{}", word.text, sources.location(word.span))).collect();
                format!("{} {} {}", sources.location(option.span), option.shown(), values.join(" "))
            })
            .collect();
        assert_eq!(
            shown,
            [
                "<command line>:2:1 -st coffe@<command line>:2:5 asic dse@<command line>:2:11",
                "<command line>:3:1 --quick_mode -1.5@<command line>:3:14",
                "<command line>:4:1 --a.b c d@<command line>:4:7",
                "<command line>:5:1 -syn -@<command line>:5:6",
            ]
        );
    }

    #[test]
    fn negative_numbers_are_values() {
        for (word, expected) in
            [("-1", false), ("-.5", false), ("-", false), ("--", false), ("-a", true), ("--a", true), ("a", false)]
        {
            assert_eq!(is_option(word), expected, "{word}");
        }
    }
}
