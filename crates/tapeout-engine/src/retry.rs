//! What is tried again. A result is never recorded for a failure, so trying again is always sound; the question is only
//! whether it helps.

use std::time::Duration;

/// What kind of failure a job had, where that decides whether to try again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    /// The tool says that something is wrong, or what it made is not what was expected.
    #[default]
    Tool,
    /// It ran out of memory, or the system killed it, which is mostly the same.
    OutOfMemory,
    /// There was no licence for it at that moment.
    NoLicence,
    /// It was lost: the guard process that ran it is gone.
    Lost,
    /// It ran longer than it may.
    TimedOut,
    /// The recorded content of an input is gone or damaged: once, the job that made it makes it again.
    LostInput,
    /// A job that was done where it was found cannot ask for others there: it is for a worker.
    NotBrief,
}

/// How to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How often at most.
    pub times: u32,
    /// How long to wait before; nothing is held meanwhile.
    pub wait: Duration,
}

impl Retry {
    const NEVER: Self = Self { times: 0, wait: Duration::ZERO };
    const ONCE: Self = Self { times: 1, wait: Duration::ZERO };
}

/// What is tried again, by the cause of the failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The tool failed: it will fail again.
    pub tool: Retry,
    /// Out of memory: tried again with nothing else running.
    pub out_of_memory: Retry,
    /// No licence: somebody will give one back.
    pub no_licence: Retry,
    /// Lost: not the tool's fault.
    pub lost: Retry,
    /// Timed out: it would run as long again.
    pub timed_out: Retry,
}

impl Default for RetryPolicy {
    /// Licences are asked for every 20 s for a day; what was lost or ran out of memory is tried once more.
    fn default() -> Self {
        let wait = Duration::from_secs(20);
        Self {
            tool: Retry::NEVER,
            out_of_memory: Retry::ONCE,
            no_licence: Retry { times: 24 * 3600 / 20, wait },
            lost: Retry::ONCE,
            timed_out: Retry::NEVER,
        }
    }
}

impl RetryPolicy {
    /// How long to wait before the next attempt, after so many that failed for this cause; `None`: not again.
    #[must_use]
    pub fn after(&self, cause: Cause, attempts: u32) -> Option<Duration> {
        let Retry { times, wait } = match cause {
            Cause::Tool => self.tool,
            Cause::OutOfMemory => self.out_of_memory,
            Cause::NoLicence => self.no_licence,
            Cause::Lost => self.lost,
            Cause::TimedOut => self.timed_out,
            // The whole body has to start again.
            Cause::LostInput | Cause::NotBrief => Retry::NEVER,
        };
        (attempts <= times).then_some(wait)
    }
}

/// How many lines before the end of a log tell why a tool ended. What it said before, it survived.
const LAST_LINES: usize = 40;

/// What programs print when memory cannot be had: the C++ runtime, the C library, compilers and their kin.
const OUT_OF_MEMORY: [&str; 4] =
    ["std::bad_alloc", "virtual memory exhausted", "Cannot allocate memory", "memory exhausted"];

/// What FlexNet's library prints with its error -4: all licences are in use. Many vendors' tools pass it on.
const NO_LICENCE: [&str; 2] = ["Licensed number of users already reached", "censing error:-4"];

/// What the end of a log says of why a tool failed, with the line that says it. `no_licence`: words of this tool's own.
pub(crate) fn cause_in<'l>(log: &'l str, no_licence: &[String]) -> Option<(Cause, &'l str)> {
    let no_licence: Vec<&str> = no_licence.iter().map(String::as_str).chain(NO_LICENCE).collect();
    log.lines().rev().filter(|line| !line.trim().is_empty()).take(LAST_LINES).find_map(|line| {
        let says = |words: &[&str]| words.iter().any(|words| line.contains(words));
        if says(&no_licence) {
            Some((Cause::NoLicence, line.trim()))
        } else if says(&OUT_OF_MEMORY) {
            Some((Cause::OutOfMemory, line.trim()))
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_tell_why() {
        let own = ["no seat".to_owned()];
        let flex = "Start\nFlexNet Licensing error:-4,132\nbye";
        assert_eq!(cause_in(flex, &own), Some((Cause::NoLicence, "FlexNet Licensing error:-4,132")));
        assert_eq!(cause_in("there was no seat for you", &own).map(|(cause, _)| cause), Some(Cause::NoLicence));
        assert_eq!(cause_in("what():  std::bad_alloc", &[]).map(|(cause, _)| cause), Some(Cause::OutOfMemory));
        assert_eq!(cause_in("syntax error", &own), None);
    }

    #[test]
    fn tries_are_counted() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.after(Cause::Tool, 1), None);
        assert_eq!(policy.after(Cause::Lost, 1), Some(Duration::ZERO));
        assert_eq!(policy.after(Cause::Lost, 2), None);
        assert!(policy.after(Cause::NoLicence, 1000).is_some());
    }
}
