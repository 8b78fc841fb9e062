//! What qrouter says of the nets in its log.
//!
//! Source: the messages of qrouter 1.4.71. It exits with 0 whatever happens.

use std::collections::BTreeSet;

/// What the log tells of the nets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// Whether it came to its last sentence, which begins with `Final:`.
    pub is_finished: bool,
    /// The nets that it gave up, by its last sentence.
    pub failed: BTreeSet<String>,
    /// How many those are by its own count.
    pub failed_count: u64,
    /// How many nets were left when it said so last; of a log that does not end, how far it was.
    pub remaining: Option<u64>,
    /// The nets that got in each other's way last, up to ten.
    pub contended: BTreeSet<String>,
}

/// Reads a log.
#[must_use]
pub fn parse(text: &str) -> Log {
    let mut log = Log::default();
    let mut lists_failed = false;
    for line in text.lines() {
        if lists_failed {
            match line.strip_prefix(' ').map(str::trim) {
                Some(net) if !net.is_empty() => {
                    log.failed.insert(net.to_owned());
                    continue;
                }
                _ => lists_failed = false,
            }
        }
        if let Some(end) = line.strip_prefix("Final: ") {
            log.is_finished = true;
            let count = end.strip_prefix("Failed net routes: ").and_then(|count| count.trim().parse().ok());
            log.failed_count = count.unwrap_or(0);
        } else if line.starts_with("List of failed nets follows:") {
            lists_failed = true;
        } else if let Some(count) = line.strip_prefix("Nets remaining: ") {
            log.remaining = count.trim().parse().ok();
        }
    }
    for net in text.lines().rev().filter_map(contended) {
        if log.contended.len() == CONTENDED {
            break;
        }
        log.contended.insert(net.to_owned());
    }
    log
}

/// How many of the nets that are in each other's way are told.
const CONTENDED: usize = 10;

/// The net of a line that tells of one without a way, or in the way of another.
fn contended(line: &str) -> Option<&str> {
    let collides = || line.strip_prefix("Best route of ").and_then(|rest| Some(rest.split_once(" collides")?.0));
    let abandoned = || line.strip_prefix("Failure on net ").and_then(|rest| Some(rest.split_once(':')?.0));
    let ripped = || line.strip_prefix("Ripping up blocking net ");
    line.strip_prefix("Failed to route net ").or_else(collides).or_else(abandoned).or_else(ripped).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_sentence_counts() {
        let text = "*** Running stage1 routing with defaults\nFailed net routes: 7\nFinal: Failed net routes: 2\n\
            List of failed nets follows:\n n1\n a[3]\n\n-----\n n2\nNo driver for net a[1]\n";
        let log = parse(text);
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert!(log.is_finished);
        assert_eq!((log.failed_count, log.failed), (2, names(&["a[3]", "n1"])));
        let cut = parse(
            "Failed to route net a\nNets remaining: 3\nBest route of b collides with net: c \nRipping up blocking net c\n\
            Nets remaining: 2\nFailure on net d:  Abandoning for now.\n",
        );
        assert_eq!((cut.remaining, cut.contended), (Some(2), names(&["a", "b", "c", "d"])));
        assert!(!cut.is_finished);
        assert!(parse("*** Writing DEF file routed.def\nFinal: No failed routes!\n").is_finished);
        assert!(!parse("No failed routes!\n").is_finished);
    }
}
