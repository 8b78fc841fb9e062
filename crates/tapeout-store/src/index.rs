//! The index: one file with everything that was merged from the journal. Its tables are read when it is opened, its frames
//! at once when the first of them is asked for; both are searched in place.
//!
//! ```text
//! MAGIC
//! frames             the coverage first, then entries, oldest first, and file digests
//! tables             of entries by key, of file digests by xxh3-64 of the path
//! footer (48 bytes)  u64 where the tables begin; u32 × 4: rows and bits of each table;
//!                    u64 0; u64 xxh3-64 of tables and footer before it; MAGIC
//! ```
//!
//! A table is its rows (u64 first eight bytes of the key or hash, big-endian order; u64 where the frame begins), sorted,
//! followed by 2^bits + 1 u32: the row at which each value of the leading `bits` begins. Keys are uniformly
//! distributed, so a search looks at a few neighbouring rows. Tables are checked when the file is opened, a frame when
//! it is asked for. As the frames are those of the journal, an index with damaged tables is read like a segment.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use tapeout_model::Digest;
use twox_hash::XxHash3_64;

use crate::StoreError;
use crate::entry::Packed;
use crate::file_digest::{self, Known};
use crate::frame::{self, FrameAt, Kind, u32_at, u64_at};

const MAGIC: &[u8; 8] = b"tapeI001";
const FOOTER: usize = 48;
const ROW: usize = 16;

/// Segments that an index holds, each with the length up to which it is merged.
pub(crate) type Coverage = BTreeMap<String, u64>;

/// The file named `index` as it was found.
pub(crate) enum Found {
    Nothing,
    Whole(Index),
    /// The tables cannot be trusted; the frames from [`BEGIN`] on can, each for itself.
    Damaged(Arc<Vec<u8>>, FileId),
}

/// Where the first frame begins.
pub(crate) const BEGIN: usize = MAGIC.len();

/// Which file it was. The file is held open, so that its number is not given to another one.
pub(crate) struct FileId {
    file: File,
    numbers: (u64, u64),
}

impl FileId {
    /// Whether this file is still the one at the path.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.numbers)
    }
}

/// An index that is whole.
pub(crate) struct Index {
    pub(crate) id: FileId,
    pub(crate) coverage: Coverage,
    /// Everything before the tables, read when the first frame is asked for: opening costs the tables alone.
    frames: OnceLock<Arc<Vec<u8>>>,
    frames_end: usize,
    /// The tables and the footer.
    tail: Vec<u8>,
    entries: Table,
    files: Table,
}

/// Coverage, end of the frames, bytes from there on, table of entries, table of files.
type Tables = (Coverage, usize, Vec<u8>, Table, Table);

/// How much of the beginning is read for the coverage, which is small.
const HEAD: usize = 64 * 1024;

impl Index {
    pub(crate) fn read(path: &Path) -> Result<Found, StoreError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(StoreError::io("read", path)(error)),
        };
        let metadata = file.metadata().map_err(StoreError::io("read", path))?;
        let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
        let id = FileId { file, numbers: (metadata.dev(), metadata.ino()) };
        let tables = Self::tables(&id.file, length).map_err(StoreError::io("read", path))?;
        let Some((coverage, frames_end, tail, entries, files)) = tables else {
            let bytes = read_part(&id.file, 0, length).map_err(StoreError::io("read", path))?;
            return Ok(Found::Damaged(Arc::new(bytes), id));
        };
        Ok(Found::Whole(Self { id, coverage, frames: OnceLock::new(), frames_end, tail, entries, files }))
    }

    /// Coverage, where the frames end, and the tables with the bytes that they are in; `None` when these are not what was
    /// written.
    fn tables(file: &File, length: usize) -> io::Result<Option<Tables>> {
        let Some(footer) = length.checked_sub(FOOTER) else { return Ok(None) };
        let begin = u64_at(&read_part(file, footer, length)?, 0).and_then(|begin| usize::try_from(begin).ok());
        let Some(begin) = begin.filter(|begin| (BEGIN..=footer).contains(begin)) else { return Ok(None) };
        let tail = read_part(file, begin, length)?;
        let Some((entries, files)) = Self::tables_in(&tail) else { return Ok(None) };
        let mut head = read_part(file, 0, begin.min(HEAD))?;
        if frame::at(&head, BEGIN).is_none() {
            head = read_part(file, 0, begin)?;
        }
        let first =
            frame::at(&head, BEGIN).filter(|first| first.kind == Some(Kind::Coverage) && head.starts_with(MAGIC));
        let coverage = first.and_then(|first| postcard::from_bytes(&head[first.payload]).ok());
        Ok(coverage.map(|coverage| (coverage, begin, tail, entries, files)))
    }

    /// The tables in the last part of the file, where they begin.
    fn tables_in(tail: &[u8]) -> Option<(Table, Table)> {
        let footer = tail.len().checked_sub(FOOTER)?;
        if !tail.ends_with(MAGIC) || u64_at(tail, footer + 32)? != XxHash3_64::oneshot(&tail[..footer + 32]) {
            return None;
        }
        let number = |at: usize| u32_at(tail, footer + at);
        let entries = Table { begin: 0, rows: number(8)? as usize, bits: number(12)? };
        let files = Table { begin: entries.end(), rows: number(16)? as usize, bits: number(20)? };
        (files.end() == footer).then_some((entries, files))
    }

    /// The frames. What cannot be read any more is as if damaged.
    fn frames(&self) -> &Arc<Vec<u8>> {
        self.frames.get_or_init(|| Arc::new(read_part(&self.id.file, 0, self.frames_end).unwrap_or_default()))
    }

    pub(crate) fn size(&self) -> usize {
        self.frames_end + self.tail.len()
    }

    /// How many bytes of the frames are damaged.
    pub(crate) fn damaged_bytes(&self) -> usize {
        let frames = self.frames();
        if frames.len() < self.frames_end { self.frames_end } else { frame::scan(frames, BEGIN, |_| ()).damaged }
    }

    /// The entries of a key, oldest first. `damaged` is told of each frame that is not what was written.
    pub(crate) fn entries(&self, key: &Digest, into: &mut Vec<Packed>, damaged: &mut dyn FnMut(usize)) {
        for at in self.entries.find(&self.tail, prefix(key)) {
            match self.entry_at(at) {
                Some(entry) if entry.key() == *key => into.push(entry),
                Some(_) => {}
                None => damaged(at),
            }
        }
    }

    /// All entries in the order in which they came in.
    pub(crate) fn all_entries(&self, damaged: &mut dyn FnMut(usize)) -> Vec<Packed> {
        let mut places: Vec<usize> = self.entries.places(&self.tail).collect();
        places.sort_unstable();
        let entry = |at: usize| self.entry_at(at).or_else(|| (damaged(at), None).1);
        places.into_iter().filter_map(entry).collect()
    }

    fn entry_at(&self, at: usize) -> Option<Packed> {
        let frame = self.frame_at(at, Kind::Entry)?;
        Packed::new(self.frames(), frame.payload, frame.day)
    }

    fn frame_at(&self, at: usize, kind: Kind) -> Option<FrameAt> {
        frame::at(self.frames(), at).filter(|frame| frame.kind == Some(kind))
    }

    /// What is known of a user's file.
    pub(crate) fn file_digest(&self, path: &str) -> Option<Known> {
        let places = self.files.find(&self.tail, path_hash(path));
        places.filter_map(|at| self.file_at(at)).find(|(found, _)| *found == path).map(|(_, known)| known)
    }

    /// All file digests.
    pub(crate) fn all_files(&self) -> impl Iterator<Item = (&str, Known)> {
        self.files.places(&self.tail).filter_map(|at| self.file_at(at))
    }

    fn file_at(&self, at: usize) -> Option<(&str, Known)> {
        file_digest::unpack(&self.frames()[self.frame_at(at, Kind::FileDigest)?.payload])
    }
}

/// The bytes of a file from one place to another.
fn read_part(file: &File, from: usize, to: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; to.saturating_sub(from)];
    file.read_exact_at(&mut bytes, from as u64)?;
    Ok(bytes)
}

fn prefix(key: &Digest) -> u64 {
    key.0.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

fn path_hash(path: &str) -> u64 {
    XxHash3_64::oneshot(path.as_bytes())
}

struct Table {
    begin: usize,
    rows: usize,
    bits: u32,
}

impl Table {
    fn starts(&self) -> usize {
        self.begin.saturating_add(self.rows.saturating_mul(ROW))
    }

    fn end(&self) -> usize {
        self.starts()
            .saturating_add(1usize.checked_shl(self.bits).unwrap_or(usize::MAX).saturating_add(1).saturating_mul(4))
    }

    fn places(&self, bytes: &[u8]) -> impl Iterator<Item = usize> {
        bytes[self.begin..self.starts()].chunks_exact(ROW).map(place)
    }

    /// Where the frames with this leading part of a key begin.
    fn find<'a>(&self, bytes: &'a [u8], prefix: u64) -> impl Iterator<Item = usize> + use<'a> {
        let bucket = if self.bits == 0 { 0 } else { (prefix >> (64 - self.bits)) as usize };
        let row = |bucket: usize| u32_at(bytes, self.starts() + 4 * bucket).unwrap_or_default() as usize;
        let rows = bytes.get(self.begin + ROW * row(bucket)..self.begin + ROW * row(bucket + 1)).unwrap_or_default();
        let matching = move |row: &&[u8]| u64_at(row, 0) == Some(prefix);
        rows.chunks_exact(ROW).skip_while(move |row| !matching(row)).take_while(matching).map(place)
    }

    fn write(rows: &mut [(u64, u64)], out: &mut Vec<u8>) -> [u32; 2] {
        rows.sort_unstable();
        let bits = (rows.len() / 4).checked_ilog2().unwrap_or(0);
        for (prefix, place) in &*rows {
            out.extend_from_slice(&prefix.to_le_bytes());
            out.extend_from_slice(&place.to_le_bytes());
        }
        let mut row = 0;
        for bucket in 0..=1u64 << bits {
            while rows.get(row).is_some_and(|(prefix, _)| bits > 0 && prefix >> (64 - bits) < bucket) {
                row += 1;
            }
            if bits == 0 && bucket == 1 {
                row = rows.len();
            }
            out.extend_from_slice(&(row as u32).to_le_bytes());
        }
        [rows.len() as u32, bits]
    }
}

fn place(row: &[u8]) -> usize {
    u64_at(row, 8).and_then(|place| usize::try_from(place).ok()).unwrap_or(usize::MAX)
}

/// Builds the bytes of an index.
pub(crate) struct Builder {
    bytes: Vec<u8>,
    entries: Vec<(u64, u64)>,
    files: Vec<(u64, u64)>,
}

impl Builder {
    pub(crate) fn new(coverage: &Coverage, capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity);
        bytes.extend_from_slice(MAGIC);
        let payload = postcard::to_stdvec(coverage).expect("a map of names to numbers is encoded by postcard");
        frame::push(&mut bytes, Kind::Coverage, 0, &payload);
        Self { bytes, entries: Vec::new(), files: Vec::new() }
    }

    /// Adds an entry; of one key the oldest comes first.
    pub(crate) fn entry(&mut self, entry: &Packed) {
        self.entries.push((prefix(&entry.key()), self.bytes.len() as u64));
        frame::push(&mut self.bytes, Kind::Entry, entry.day, entry.payload());
    }

    pub(crate) fn file(&mut self, path: &str, known: &Known) {
        self.files.push((path_hash(path), self.bytes.len() as u64));
        frame::push(&mut self.bytes, Kind::FileDigest, 0, &file_digest::pack(path, known));
    }

    fn finish(mut self) -> Vec<u8> {
        let begin = self.bytes.len();
        let numbers =
            [Table::write(&mut self.entries, &mut self.bytes), Table::write(&mut self.files, &mut self.bytes)];
        self.bytes.extend_from_slice(&(begin as u64).to_le_bytes());
        for number in numbers.as_flattened() {
            self.bytes.extend_from_slice(&number.to_le_bytes());
        }
        self.bytes.extend_from_slice(&[0; 8]);
        let sum = XxHash3_64::oneshot(&self.bytes[begin..]);
        self.bytes.extend_from_slice(&sum.to_le_bytes());
        self.bytes.extend_from_slice(MAGIC);
        self.bytes
    }

    /// Puts the index in the place of the old one, in one step. When this returns, it is on the disk: the segments it
    /// was made from may go.
    pub(crate) fn replace(self, path: &Path) -> Result<u64, StoreError> {
        let bytes = self.finish();
        let folder = path.parent().unwrap_or(Path::new("."));
        let written = crate::temporary_file(folder).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.as_file().sync_data()?;
            file.persist(path).map_err(|error| error.error)?;
            File::open(folder)?.sync_all()
        });
        written.map_err(StoreError::io("write", path))?;
        Ok(bytes.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_a_table_is_found() {
        for (count, spread) in [(0u64, 1u64), (1, u64::MAX), (9, 1), (1000, u64::MAX / 1000), (1000, 3)] {
            let mut rows: Vec<(u64, u64)> = (0..count).map(|i| (i.wrapping_mul(spread) / 2 * 2, i)).collect();
            let all = rows.clone();
            let mut bytes = vec![0; 5];
            let [n, bits] = Table::write(&mut rows, &mut bytes);
            let table = Table { begin: 5, rows: n as usize, bits };
            assert_eq!(table.end(), bytes.len());
            for (prefix, _) in &all {
                let expected: Vec<usize> =
                    all.iter().filter(|row| row.0 == *prefix).map(|row| row.1 as usize).collect();
                assert_eq!(table.find(&bytes, *prefix).collect::<Vec<_>>(), expected, "{count} {spread}");
                assert_eq!(table.find(&bytes, prefix + 1).count(), 0, "{count} {spread}");
            }
        }
    }
}
