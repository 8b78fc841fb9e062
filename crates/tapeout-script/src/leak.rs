//! Words that live as long as the program. Descriptors of steps and tools consist of words that are part of the program's
//! text; those of scripts become such words here, and nowhere else. Each is kept once, however often a script is loaded.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
static LISTS: Mutex<BTreeSet<&'static [&'static str]>> = Mutex::new(BTreeSet::new());

/// The same text, for ever.
pub(crate) fn forever(text: &str) -> &'static str {
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    match words.get(text) {
        Some(word) => word,
        None => {
            let word: &'static str = Box::leak(text.into());
            words.insert(word);
            word
        }
    }
}

/// The same texts, for ever.
pub(crate) fn all_forever(texts: &[String]) -> &'static [&'static str] {
    let words: Vec<&'static str> = texts.iter().map(|text| forever(text)).collect();
    let mut lists = LISTS.lock().unwrap_or_else(PoisonError::into_inner);
    match lists.get(words.as_slice()) {
        Some(list) => list,
        None => {
            let list: &'static [&'static str] = words.leak();
            lists.insert(list);
            list
        }
    }
}
