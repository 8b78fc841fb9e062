//! The journal: frames appended by each process to a segment of its own.
//!
//! What stands in a segment is newer than what stands in those whose names sort before it: a result that is to stand in
//! the place of another goes to the newest segment.
//!
//! A segment is [`MAGIC`] and frames. It appears under its name, `<microseconds>-<pid>-<n>.seg`, with its lock already
//! held; the lock is held until its owner closes it or dies, and only then may the segment be removed. A segment whose
//! magic differs was written by another version: its frames are unknown results, not errors.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::StoreError;
use crate::frame::{self, FrameAt, Kind};

pub(crate) const MAGIC: &[u8; 8] = b"tapeJ005";

/// A file name that no other process and no other part of this one takes, and that sorts by time.
pub(crate) fn unique_name() -> String {
    unique_name_from(0)
}

/// Such a name that sorts no earlier than those of a time, in microseconds since the Unix epoch.
fn unique_name_from(earliest: u128) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:020}-{}-{count}", now.max(earliest), std::process::id())
}

/// A name that sorts behind those of all segments, whatever has become of the clock.
fn next_name(folder: &Path) -> Result<String, StoreError> {
    let newest = segments(folder)?.pop();
    let time = newest.and_then(|name| name.split('-').next()?.parse::<u128>().ok());
    Ok(unique_name_from(time.map_or(0, |time| time.saturating_add(1))))
}

/// The segment of this process. It is created with the first frame, so that reading alone leaves no trace.
pub(crate) struct Journal {
    folder: PathBuf,
    segment: Option<Segment>,
    /// Frames whose loss costs little: they are written with the next that must not be lost.
    notes: Vec<u8>,
}

struct Segment {
    file: File,
    path: PathBuf,
    length: u64,
}

/// So many bytes of notes are written without waiting for a frame that must not be lost.
const MANY_NOTES: usize = 64 * 1024;

impl Journal {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, segment: None, notes: Vec::new() }
    }

    /// Appends a frame, and the notes before it, with one call: it is there wholly or, after an error, not at all. Gives
    /// the number of bytes by which the journal grew.
    pub(crate) fn append(&mut self, kind: Kind, day: u32, payload: &[u8]) -> Result<u64, StoreError> {
        frame::push(&mut self.notes, kind, day, payload);
        self.flush()
    }

    /// Takes a frame that may wait.
    pub(crate) fn note(&mut self, kind: Kind, day: u32, payload: &[u8]) -> Result<u64, StoreError> {
        frame::push(&mut self.notes, kind, day, payload);
        if self.notes.len() > MANY_NOTES { self.flush() } else { Ok(0) }
    }

    /// Writes what waits. After an error it is forgotten.
    pub(crate) fn flush(&mut self) -> Result<u64, StoreError> {
        if self.notes.is_empty() {
            return Ok(0);
        }
        let mut bytes = std::mem::take(&mut self.notes);
        let segment = match self.segment.take() {
            Some(segment) => segment,
            None => Segment::create(&self.folder)?,
        };
        let segment = self.segment.insert(segment);
        let written = bytes.len() as u64;
        if let Err(error) = segment.file.write_all(&bytes) {
            let error = StoreError::io("write", &segment.path)(error);
            // What was written of the frames goes again. Where even that fails, the next frame gets a new segment, in
            // which nothing stands before it.
            if segment.file.set_len(segment.length).is_err() {
                self.segment = None;
            }
            return Err(error);
        }
        segment.length += written;
        bytes.clear();
        self.notes = bytes;
        Ok(written)
    }

    /// The name and length of the segment that is being written.
    pub(crate) fn position(&self) -> Option<(String, u64)> {
        let segment = self.segment.as_ref()?;
        Some((segment.path.file_name()?.to_str()?.to_owned(), segment.length))
    }

    /// Ends the segment when there is a newer one, so that the next frame is read after all that are there now. Gives the
    /// name and length of the segment that was ended.
    pub(crate) fn overtake(&mut self) -> Result<Option<(String, u64)>, StoreError> {
        let Some((own, length)) = self.position() else { return Ok(None) };
        if segments(&self.folder)?.last().is_none_or(|newest| *newest <= own) {
            return Ok(None);
        }
        self.close();
        Ok(Some((own, length)))
    }

    /// Ends the segment: others may merge and remove it.
    pub(crate) fn close(&mut self) {
        self.segment = None;
    }
}

impl Segment {
    fn create(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(format!("{}.seg", next_name(folder)?));
        let file = create_locked(&path, MAGIC)?;
        Ok(Self { file, path, length: MAGIC.len() as u64 })
    }
}

/// Creates a file that is locked while its owner lives. It gets its name when it has this content.
pub(crate) fn create_locked(path: &Path, content: &[u8]) -> Result<File, StoreError> {
    let hidden = path.with_extension("new");
    let open = || OpenOptions::new().append(true).create_new(true).open(&hidden);
    let opened = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).and_then(|()| open())
        }
        opened => opened,
    };
    let mut file = opened.map_err(StoreError::io("create", path))?;
    // Nobody else knows the file yet, so the lock is free. One that could be seen without it could be taken for a
    // dead process's.
    let made = file.try_lock().map_err(io::Error::from);
    let made = made.and_then(|()| file.write_all(content)).and_then(|()| fs::rename(&hidden, path));
    if let Err(error) = made {
        // Best effort: the error being reported is the first one.
        let _ = fs::remove_file(&hidden);
        return Err(StoreError::io("create", path)(error));
    }
    Ok(file)
}

/// The names of all segments, oldest first. No folder, no segments.
pub(crate) fn segments(folder: &Path) -> Result<Vec<String>, StoreError> {
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io("read", folder)(error)),
    };
    let names = listing.filter_map(Result::ok).filter_map(|entry| entry.file_name().into_string().ok());
    let mut segments: Vec<String> = names.filter(|name| name.ends_with(".seg")).collect();
    segments.sort();
    Ok(segments)
}

/// What stands in a segment from a position on.
pub(crate) struct Tail {
    pub(crate) bytes: Arc<Vec<u8>>,
    pub(crate) frames: Vec<FrameAt>,
    /// The position in the segment behind the last whole frame.
    pub(crate) end: u64,
    /// How many bytes are damaged.
    pub(crate) damaged: usize,
    /// Whether the owner is gone, so that nothing more comes.
    pub(crate) closed: bool,
}

/// Reads a segment from a position on; `None` when it is gone.
pub(crate) fn tail(path: &Path, from: u64) -> Result<Option<Tail>, StoreError> {
    let read = || -> io::Result<(Vec<u8>, bool)> {
        let mut file = File::open(path)?;
        // Asked first: what an owner wrote before it went is then seen.
        let closed = file.try_lock_shared().is_ok();
        let length = file.metadata()?.len();
        let mut bytes = Vec::new();
        if length > from {
            file.seek(SeekFrom::Start(from))?;
            file.read_to_end(&mut bytes)?;
        }
        Ok((bytes, closed))
    };
    let (bytes, closed) = match read() {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io("read", path)(error)),
    };
    let mut tail = Tail { bytes: Arc::new(bytes), frames: Vec::new(), end: from, damaged: 0, closed };
    let begin = if from == 0 { MAGIC.len() } else { 0 };
    let magic_damaged = from == 0 && !MAGIC.starts_with(&tail.bytes[..tail.bytes.len().min(begin)]);
    if tail.bytes.len() > begin && !(magic_damaged && frame::at(&tail.bytes, begin).is_none()) {
        let frames = &mut tail.frames;
        let scanned = frame::scan(&tail.bytes, begin, |frame| frames.push(frame));
        tail.end = from + scanned.end as u64;
        tail.damaged = scanned.damaged + if magic_damaged { MAGIC.len() } else { 0 };
    }
    Ok(Some(tail))
}

/// Removes segments that are merged up to their ends and whose owners are gone.
pub(crate) fn remove_merged(folder: &Path, merged: &BTreeMap<String, u64>) {
    for (name, end) in merged {
        let path = folder.join(name);
        let Ok(file) = File::open(&path) else { continue };
        // What stays is merged again by the next process, so an error here costs nothing.
        if file.try_lock().is_ok() && has_nothing_behind(&file, *end) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Whether a segment without owner ends at this position, but for a frame that its owner did not come to finish.
fn has_nothing_behind(mut file: &File, end: u64) -> bool {
    let mut rest = Vec::new();
    let read = file.seek(SeekFrom::Start(end)).and_then(|_| file.read_to_end(&mut rest));
    let mut frames = 0;
    read.is_ok() && frame::scan(&rest, 0, |_| frames += 1).damaged == 0 && frames == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_failed_write_the_next_frame_gets_a_segment_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::new(dir.path().to_owned());
        let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
        journal.segment = Some(Segment { file: full, path: "/dev/full".into(), length: 8 });
        assert!(journal.append(Kind::Used, 1, b"lost").unwrap_err().is_full());
        journal.append(Kind::Used, 1, b"kept").unwrap();
        journal.append(Kind::Used, 1, b"kept too").unwrap();
        let names = segments(dir.path()).unwrap();
        assert_eq!(names.len(), 1);
        let tail = tail(&dir.path().join(&names[0]), 0).unwrap().unwrap();
        let payloads: Vec<&[u8]> = tail.frames.iter().map(|frame| &tail.bytes[frame.payload.clone()]).collect();
        assert_eq!(payloads, [&b"kept"[..], b"kept too"]);
        assert!(!tail.closed, "its owner lives");
    }

    #[test]
    fn only_segments_without_owner_and_rest_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::new(dir.path().to_owned());
        journal.append(Kind::Used, 1, b"one").unwrap();
        let (name, length) = journal.position().unwrap();
        let merged = |to: u64| BTreeMap::from([(name.clone(), to)]);
        remove_merged(dir.path(), &merged(length));
        assert_eq!(segments(dir.path()).unwrap().len(), 1, "its owner lives");
        journal.append(Kind::Used, 1, b"two").unwrap();
        journal.close();
        remove_merged(dir.path(), &merged(length));
        assert_eq!(segments(dir.path()).unwrap().len(), 1, "a frame is not merged");
        let path = dir.path().join(&name);
        let whole = fs::metadata(&path).unwrap().len();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"torn").unwrap();
        remove_merged(dir.path(), &merged(whole));
        assert_eq!(segments(dir.path()).unwrap().len(), 0, "what is torn is worth nothing");
    }
}
