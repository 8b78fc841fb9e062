//! Frames: the unit in which the journal, the index and the side log are written and checked.
//!
//! A frame is a header of 24 bytes, all numbers little-endian, and its payload:
//!
//! ```text
//! 0   u32  length of the payload
//! 4   u32  kind
//! 8   u32  day on which it was written or last used, counted from the Unix epoch
//! 12  u32  check: lower half of the xxh3-64 of the other header bytes, seeded with the version of what frames hold
//! 16  u64  xxh3-64 of the payload
//! ```
//!
//! The header has a check of its own so that a torn frame (its writer was killed) is told apart from a damaged one, and
//! so that a frame with a damaged payload does not hide those that follow it.

use std::ops::Range;

use twox_hash::XxHash3_64;

/// Changes with the encoding of any payload: what another version wrote is no frame to this one.
pub(crate) const VERSION: u64 = 6;

/// Bytes before the payload.
pub(crate) const HEADER: usize = 24;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A committed result.
    Entry = 1,
    /// The digest of one of the user's files.
    FileDigest = 2,
    /// Keys that were used on the frame's day.
    Used = 3,
    /// What a digest stood for.
    Words = 4,
    /// Which segments an index holds, and up to where.
    Coverage = 5,
}

impl Kind {
    fn of(number: u32) -> Option<Self> {
        [Self::Entry, Self::FileDigest, Self::Used, Self::Words, Self::Coverage]
            .into_iter()
            .find(|kind| *kind as u32 == number)
    }
}

/// A whole frame whose checksums are right.
#[derive(Clone, Debug)]
pub(crate) struct FrameAt {
    /// `None`: of a kind that a later version writes.
    pub(crate) kind: Option<Kind>,
    pub(crate) day: u32,
    /// Where its payload is.
    pub(crate) payload: Range<usize>,
}

/// How far a scan came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// Behind the last whole frame.
    pub(crate) end: usize,
    /// Bytes that are neither a frame nor a torn end.
    pub(crate) damaged: usize,
}

/// Adds a frame to a buffer.
pub(crate) fn push(buffer: &mut Vec<u8>, kind: Kind, day: u32, payload: &[u8]) {
    let mut header = [0; HEADER];
    // A payload of 4 GiB cannot come about: outputs are blobs, a frame holds names and numbers.
    header[..4].copy_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    header[4..8].copy_from_slice(&(kind as u32).to_le_bytes());
    header[8..12].copy_from_slice(&day.to_le_bytes());
    header[16..].copy_from_slice(&XxHash3_64::oneshot(payload).to_le_bytes());
    let check = header_check(&header);
    header[12..16].copy_from_slice(&check.to_le_bytes());
    buffer.reserve(HEADER + payload.len());
    buffer.extend_from_slice(&header);
    buffer.extend_from_slice(payload);
}

fn header_check(header: &[u8; HEADER]) -> u32 {
    let mut parts = [0; 20];
    parts[..12].copy_from_slice(&header[..12]);
    parts[12..].copy_from_slice(&header[16..]);
    XxHash3_64::oneshot_with_seed(VERSION, &parts) as u32
}

/// A little-endian number in a file; `None` when it ends before.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A little-endian number in a file; `None` when it ends before.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

enum Found {
    Frame(FrameAt),
    /// The header is right, the payload is not; the next frame begins here.
    Damaged(usize),
    /// The header is right, and the file ends before the payload does.
    Torn,
    /// This is no header.
    Nothing,
}

fn look(bytes: &[u8], start: usize) -> Found {
    let Some(header) = bytes.get(start..).and_then(<[u8]>::first_chunk::<HEADER>) else { return Found::Nothing };
    let number = |at: usize| u32_at(header, at).unwrap_or_default();
    if number(12) != header_check(header) {
        return Found::Nothing;
    }
    let begin = start + HEADER;
    let end = begin.saturating_add(number(0) as usize);
    let Some(payload) = bytes.get(begin..end) else { return Found::Torn };
    if u64_at(header, 16) != Some(XxHash3_64::oneshot(payload)) {
        return Found::Damaged(end);
    }
    Found::Frame(FrameAt { kind: Kind::of(number(4)), day: number(8), payload: begin..end })
}

/// The frame whose header begins here, if it is whole and undamaged.
pub(crate) fn at(bytes: &[u8], start: usize) -> Option<FrameAt> {
    match look(bytes, start) {
        Found::Frame(frame) => Some(frame),
        Found::Damaged(_) | Found::Torn | Found::Nothing => None,
    }
}

/// Walks over all frames from a position on.
pub(crate) fn scan(bytes: &[u8], from: usize, mut each: impl FnMut(FrameAt)) -> Scanned {
    let mut at = from;
    let mut damaged = 0;
    while at < bytes.len() {
        match look(bytes, at) {
            Found::Frame(frame) => {
                at = frame.payload.end;
                each(frame);
            }
            Found::Damaged(next) => {
                damaged += next - at;
                at = next;
            }
            Found::Torn => break,
            // A header that was not written to its end; zeros are what a loss of power leaves behind.
            Found::Nothing if bytes.len() - at < HEADER || bytes[at..].iter().all(|byte| *byte == 0) => break,
            Found::Nothing => {
                let next = (at + 1..bytes.len()).find(|next| self::at(bytes, *next).is_some()).unwrap_or(bytes.len());
                damaged += next - at;
                at = next;
            }
        }
    }
    Scanned { end: at, damaged }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Vec<u8> {
        let mut bytes = Vec::new();
        for payload in [&b"one"[..], b"", b"three"] {
            push(&mut bytes, Kind::Words, 7, payload);
        }
        bytes
    }

    fn payloads(bytes: &[u8]) -> (Vec<Vec<u8>>, Scanned) {
        let mut found = Vec::new();
        let scanned = scan(bytes, 0, |frame| found.push(bytes[frame.payload].to_vec()));
        (found, scanned)
    }

    #[test]
    fn a_torn_end_is_no_damage() {
        let whole = three();
        let ends = [0, HEADER + 3, 2 * HEADER + 3, whole.len()];
        for length in 0..=whole.len() {
            let (found, scanned) = payloads(&whole[..length]);
            let expected = ends.iter().rposition(|end| *end <= length).unwrap();
            assert_eq!((found.len(), scanned), (expected, Scanned { end: ends[expected], damaged: 0 }));
        }
        let mut zeros = whole.clone();
        zeros.resize(whole.len() + 100, 0);
        assert_eq!(payloads(&zeros).1, Scanned { end: whole.len(), damaged: 0 });
    }

    #[test]
    fn a_damaged_frame_is_skipped_alone() {
        for at in 0..three().len() {
            let mut bytes = three();
            bytes[at] ^= 0x10;
            let (found, scanned) = payloads(&bytes);
            assert_eq!(found.len(), 2, "byte {at}");
            assert!(scanned.damaged > 0 && scanned.end == bytes.len(), "byte {at}");
        }
    }
}
