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
        };
        (attempts <= times).then_some(wait)
    }
}
