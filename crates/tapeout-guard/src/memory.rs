//! The memory use of a process tree by samples, for where the kernel does not count it.
//!
//! The parts of `/proc/<pid>/statm` are counters and cost the same for any process. What would share memory out exactly
//! (`smaps_rollup`) walks all its page tables, which takes longer than a sample may for a tool of many GiB.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use crate::proc;
use crate::spec::{MemorySource, TreeMemory};

/// A process that ends before costs nothing.
const FIRST: Duration = Duration::from_millis(100);
const INTERVAL: Duration = Duration::from_millis(500);
/// Sampling takes no larger part of a processor's time than one in this many.
const SPARING: u32 = 50;

/// The samples of one tree.
pub(crate) struct Samples {
    peak_kib: Option<u64>,
    /// When the next is due.
    pub(crate) due: Instant,
}

impl Samples {
    /// Of a process that starts now.
    pub(crate) fn from(start: Instant) -> Self {
        Self { peak_kib: None, due: start + FIRST }
    }

    /// Takes one.
    pub(crate) fn take(&mut self, roots: impl IntoIterator<Item = Pid>) {
        let before = Instant::now();
        let now_kib = used_kib(proc::trees(roots).into_iter().filter_map(resident));
        self.peak_kib = self.peak_kib.max(Some(now_kib));
        self.due = before + INTERVAL.max(before.elapsed() * SPARING);
    }

    /// What they say together with the largest process's peak, which is no sample.
    pub(crate) fn with_largest(&self, largest_kib: u64) -> TreeMemory {
        match self.peak_kib {
            Some(peak_kib) => TreeMemory { peak_kib: peak_kib.max(largest_kib), by: MemorySource::Sampled },
            None => TreeMemory { peak_kib: largest_kib, by: MemorySource::LargestProcess },
        }
    }
}

/// What a process has in memory, in KiB.
#[derive(Clone, Copy)]
struct Resident {
    private: u64,
    /// Of files and shared memory, which others may have in memory as the same pages.
    shared: u64,
}

fn resident(pid: Pid) -> Option<Resident> {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    parse_statm(&text, rustix::param::page_size() as u64 / 1024)
}

fn used_kib(processes: impl Iterator<Item = Resident>) -> u64 {
    let (private, shared) =
        processes.fold((0, 0), |(private, shared), process| (private + process.private, shared.max(process.shared)));
    private + shared
}

/// Reads the text of a `statm` (proc_pid_statm(5)), whose unit is pages.
fn parse_statm(text: &str, page_kib: u64) -> Option<Resident> {
    let mut pages = text.split_ascii_whitespace().skip(1).map(|pages| pages.parse::<u64>().ok());
    let (resident, shared) = (pages.next()??, pages.next()??);
    // The counters are not read at the same instant.
    Some(Resident { private: resident.saturating_sub(shared) * page_kib, shared: shared * page_kib })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_memory_adds_up_and_shared_memory_does_not() {
        let of = |text| parse_statm(text, 4).unwrap();
        let processes = [of("9000 1000 200 5 0 700 0\n"), of("9000 500 300 5 0 700 0\n"), of("0 0 0 0 0 0 0\n")];
        assert_eq!(used_kib(processes.into_iter()), (800 + 200 + 300) * 4);
        assert!(parse_statm("1 2", 4).is_none() && parse_statm("", 4).is_none());
    }

    #[test]
    fn the_peak_is_of_all_samples_and_the_largest_process() {
        let mut samples = Samples::from(Instant::now());
        assert_eq!(samples.with_largest(7), TreeMemory { peak_kib: 7, by: MemorySource::LargestProcess });
        samples.take([rustix::process::getpid()]);
        let memory = samples.with_largest(7);
        assert!(memory.by == MemorySource::Sampled && memory.peak_kib > 500, "{memory:?}");
        samples.take([]);
        assert_eq!(samples.with_largest(7), memory);
        assert_eq!(samples.with_largest(u64::MAX).peak_kib, u64::MAX);
    }
}
