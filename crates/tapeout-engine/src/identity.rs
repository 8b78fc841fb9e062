//! What a job is, apart from what it reads: told once, read in two ways. The engine hashes it to the job's key; whoever
//! asks why a job runs again gets the same in words, so the two cannot drift apart.

use std::fmt::Write as _;

use tapeout_store::KeyHasher;

/// What a job tells of its code and arguments.
pub struct Identity<'a> {
    sink: Sink<'a>,
    /// Where a value is written that has to be made into text.
    text: String,
}

enum Sink<'a> {
    Key(&'a mut KeyHasher),
    Words(&'a mut Vec<(String, String)>),
}

impl<'a> Identity<'a> {
    pub(crate) fn hashing(key: &'a mut KeyHasher) -> Self {
        Self { sink: Sink::Key(key), text: String::new() }
    }

    pub(crate) fn telling(words: &'a mut Vec<(String, String)>) -> Self {
        Self { sink: Sink::Words(words), text: String::new() }
    }

    /// One part: what it is called, and its value. Names need not be unique.
    pub fn part(&mut self, name: &str, value: &str) -> &mut Self {
        match &mut self.sink {
            Sink::Key(key) => _ = key.text(name).text(value),
            Sink::Words(words) => words.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// A part that has to be made into text. Two values that differ must read differently.
    pub fn shown(&mut self, name: &str, value: impl std::fmt::Display) -> &mut Self {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        // Writing to a string cannot fail.
        let _ = write!(text, "{value}");
        self.part(name, &text);
        self.text = text;
        self
    }
}
