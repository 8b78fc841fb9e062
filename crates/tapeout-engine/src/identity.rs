//! What a job is, apart from what it reads: told once, read in two ways. The engine hashes it to the job's key; whoever
//! asks why a job runs again gets the same in words, so the two cannot drift apart.

use tapeout_store::KeyHasher;

/// What a job tells of its code and arguments.
pub struct Identity<'a> {
    sink: Sink<'a>,
    /// Where a value is written that consists of several texts.
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

    /// A part whose value consists of several texts, one right after the other.
    pub fn joined(&mut self, name: &str, texts: &[&str]) -> &mut Self {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        text.extend(texts.iter().copied());
        self.part(name, &text);
        self.text = text;
        self
    }
}
