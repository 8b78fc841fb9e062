//! The messages between tapeout and its guard, and their frames: a length (`u32`, little endian) and that many bytes of
//! postcard. Both ends are the same program, so there is no version to negotiate.

use std::ffi::CString;
use std::io::{self, Read, Write};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::spec::{Exit, Limits};

/// The environment variable that marks a process and its descendants as a job's: `<guard's tag>.<job's number>`.
pub(crate) const MARK: &str = "TAPEOUT_JOB";

/// The number of a job, given by the client, unique for one guard.
pub(crate) type JobId = u64;

/// What tapeout asks.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    Spawn {
        id: JobId,
        launch: Box<Launch>,
        /// Whether a `Started` is wanted.
        tell_start: bool,
    },
    Kill(JobId, Grace),
    KillAll(Grace),
}

/// How long a tree has between SIGTERM and SIGKILL; zero is SIGKILL at once.
pub(crate) type Grace = Duration;

/// A [`ProcessSpec`](crate::ProcessSpec) as the system calls want it: the client has checked and converted it, so the
/// guard needs to do neither.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Launch {
    pub(crate) program: CString,
    /// With the program's name in front.
    pub(crate) args: Vec<CString>,
    /// `NAME=value` each, with the mark.
    pub(crate) env: Vec<CString>,
    pub(crate) cwd: CString,
    pub(crate) log: CString,
    pub(crate) stdin: Option<CString>,
    pub(crate) stdout: Option<CString>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) limits: Limits,
    pub(crate) confine: Option<Confine>,
}

/// A [`Confinement`](crate::Confinement) likewise.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Confine {
    pub(crate) read: Vec<CString>,
    pub(crate) list: Vec<CString>,
    pub(crate) write: Vec<CString>,
    pub(crate) hide_processes: bool,
}

/// What the guard says. Each spawn request is answered by `Started`, if wanted, and later `Ended`, or by `Refused`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    Started(JobId, i32),
    Refused(JobId, Refusal),
    Ended(JobId, Exit),
}

/// The step of a start that failed, and the `errno`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) step: Step,
    pub(crate) errno: i32,
}

/// The steps of a start, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    Log,
    Stdin,
    Stdout,
    /// With the number of the path, those to read, to list and to write in this order, where it is about one.
    Confine(Option<u32>),
    Fork,
    Attach,
    Limits,
    WorkDir,
    Exec,
}

/// Writes messages, all in one piece.
pub(crate) fn send<T: Serialize>(to: &mut impl Write, messages: impl IntoIterator<Item = T>) -> io::Result<()> {
    let mut frames = Vec::new();
    for message in messages {
        let start = frames.len();
        frames.extend_from_slice(&[0; 4]);
        frames = postcard::to_extend(&message, frames).map_err(io::Error::other)?;
        let length = u32::try_from(frames.len() - start - 4).map_err(io::Error::other)?;
        frames[start..start + 4].copy_from_slice(&length.to_le_bytes());
    }
    if frames.is_empty() { Ok(()) } else { to.write_all(&frames) }
}

/// Cuts frames out of a byte stream that comes in any pieces.
#[derive(Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
    taken: usize,
}

impl Frames {
    /// Reads once; `false` at the end of the stream.
    pub(crate) fn fill(&mut self, from: &mut impl Read) -> io::Result<bool> {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        let mut piece = [0; 16 * 1024];
        loop {
            match from.read(&mut piece) {
                Ok(n) => {
                    self.bytes.extend_from_slice(&piece[..n]);
                    return Ok(n > 0);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// The next complete message.
    pub(crate) fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let waiting = &self.bytes[self.taken..];
        let Some((length, rest)) = waiting.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        let Some(message) = rest.get(..length) else { return Ok(None) };
        self.taken += 4 + length;
        postcard::from_bytes(message).map(Some).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_any_cut_of_the_stream() {
        let mut stream = Vec::new();
        for id in 0..50 {
            send(&mut stream, [Request::Kill(id * 1000, Duration::from_millis(id))]).unwrap();
        }
        for size in [1, 2, 3, 5, 7, 64, 100_000] {
            let mut frames = Frames::default();
            let mut seen = Vec::new();
            for mut piece in stream.chunks(size) {
                assert!(frames.fill(&mut piece).unwrap());
                while let Some(request) = frames.next::<Request>().unwrap() {
                    let Request::Kill(id, _) = request else { panic!("{request:?}") };
                    seen.push(id);
                }
            }
            assert_eq!(seen, (0..50).map(|id| id * 1000).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_end_of_a_stream_is_told() {
        assert!(!Frames::default().fill(&mut io::empty()).unwrap());
    }
}
