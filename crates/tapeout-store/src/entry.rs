//! Entries: committed results, in memory and packed.
//!
//! A packed entry is the payload of a frame of the journal or of the index:
//!
//! ```text
//! 0   id         32 bytes
//! 32  key        32 bytes
//! 64  u32        1 where the design failed a check of the job, else 0
//! 68  u32 × 4    lengths of blobs, parts, reads and record
//! 84  blobs      the digests of all files that the entry needs
//!     parts      what other jobs may read: u8 1 view, 2 metric, 3 datum; u32 length of the name; the name; its digest
//!     reads, record, attempt: each in postcard's encoding
//! ```
//!
//! An entry keeps its packed form. Whether a result is still good is told by blobs, parts and reads; record and attempt
//! are decoded when somebody asks for them. Equal reads have equal bytes, so entries are merged without being decoded.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use tapeout_model::{Attempt, Data, Digest, Metric, Output, Part, Read, Record, View};

use crate::frame::u32_at;
use crate::{KeyHasher, hash_bytes};

const LENGTHS: usize = 68;
const SECTIONS: usize = 84;
const VIEW: u8 = 1;
const METRIC: u8 = 2;
const DATUM: u8 = 3;

/// Why what was written can be decoded. A change of the encoding changes the version that seeds the checks of frames.
const CHECKED: &str = "a frame whose checks are right holds what this version writes";

/// A committed result: under this key, with these reads, this came out.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The job's key.
    pub key: Digest,
    packed: Packed,
    record: OnceLock<Box<Record>>,
    attempt: OnceLock<Box<Attempt>>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.packed.payload() == other.packed.payload()
    }
}

impl Entry {
    /// A result that is not yet committed. `reads`: what else it depends on; it is good only while each gives the same.
    #[must_use]
    pub fn new(key: Digest, reads: &[Read], record: Record, attempt: Attempt) -> Self {
        let payload = Arc::new(pack(&key, reads, &record, &attempt));
        let packed = Packed { payload: 0..payload.len(), bytes: payload, day: 0 };
        Self { key, packed, record: OnceLock::from(Box::new(record)), attempt: OnceLock::from(Box::new(attempt)) }
    }

    /// What else the result depends on, in the order in which it was read.
    pub fn reads(&self) -> impl Iterator<Item = Read> {
        let (count, mut rest): (usize, _) = postcard::take_from_bytes(self.packed.reads_bytes()).expect(CHECKED);
        (0..count).map(move |_| {
            let (read, behind) = postcard::take_from_bytes(rest).expect(CHECKED);
            rest = behind;
            read
        })
    }

    /// What came out.
    #[must_use]
    pub fn record(&self) -> &Record {
        self.record.get_or_init(|| self.packed.record().expect(CHECKED))
    }

    /// How the execution went.
    #[must_use]
    pub fn attempt(&self) -> &Attempt {
        // What does not decode is nothing known.
        self.attempt.get_or_init(|| postcard::from_bytes(self.packed.attempt_bytes()).unwrap_or_default())
    }

    /// Names this entry among those of its key: the hash of key, reads and record, without the attempt.
    #[must_use]
    pub fn id(&self) -> Digest {
        self.packed.id()
    }

    /// Names the entry together with how its execution went: of the same result, made again, another one.
    #[must_use]
    pub fn id_with_attempt(&self) -> Digest {
        let mut key = KeyHasher::new("entry with attempt");
        key.digest(Some(&self.id())).bytes(self.packed.attempt_bytes());
        key.finish()
    }

    /// Whether nothing can be built on it, see [`tapeout_model::Verdict::is_bad`].
    #[must_use]
    pub fn is_bad(&self) -> bool {
        u32_at(self.packed.payload(), 64) == Some(1)
    }

    /// The digest of a part of the result, `None` when it has no such part.
    ///
    /// That of a view covers names and contents of its files, and how they belong together; that of several metrics, or
    /// of several files, covers their names.
    #[must_use]
    pub fn part_digest(&self, part: &Part) -> Option<Digest> {
        match part {
            Part::View(format) => self.packed.part(VIEW, format),
            Part::Metric(name) => self.packed.part(METRIC, name),
            Part::Metrics(prefix) => self.metrics_digest(prefix),
            Part::Datum(name) => self.packed.part(DATUM, name),
            Part::Names => self.names_digest(),
            Part::Files(path) => self.files_digest(path),
            Part::Any => None,
        }
    }

    fn metrics_digest(&self, prefix: &str) -> Option<Digest> {
        let mut key = KeyHasher::new("metrics");
        let mut found = false;
        // The parts are in the order of the names, as the metrics of a record are.
        for (_, name, digest) in self.packed.parts().filter(|(kind, _, _)| *kind == METRIC) {
            if let Some(rest) = name.strip_prefix(prefix.as_bytes()) {
                key.text(&String::from_utf8_lossy(rest)).digest(Some(&digest));
                found = true;
            }
        }
        found.then(|| key.finish())
    }

    fn names_digest(&self) -> Option<Digest> {
        let mut key = KeyHasher::new("names");
        let data = self.packed.parts().filter(|(kind, _, _)| *kind == DATUM);
        data.for_each(|(_, name, _)| _ = key.text(&String::from_utf8_lossy(name)));
        Some(key.finish())
    }

    fn files_digest(&self, path: &str) -> Option<Digest> {
        let mut key = KeyHasher::new("files");
        let mut found = false;
        for output in self.record().outputs_at(path) {
            key.text(&output.path).digest(Some(&output.digest)).number(u64::from(output.executable));
            found = true;
        }
        found.then(|| key.finish())
    }

    /// The digests of all files that the entry needs: outputs, and what is kept of its attempt.
    pub fn blobs(&self) -> impl Iterator<Item = Digest> {
        self.packed.section(0).as_chunks().0.iter().map(|digest| Digest(*digest))
    }

    /// The same with their names.
    pub fn files(&self) -> impl Iterator<Item = &Output> {
        files(self.record(), self.attempt())
    }

    /// The day on which the entry was last known to be used.
    pub(crate) fn day(&self) -> u32 {
        self.packed.day
    }

    /// The entry as one that is committed on a day.
    pub(crate) fn committed(self, day: u32) -> Self {
        Self { packed: Packed { day, ..self.packed }, ..self }
    }

    pub(crate) fn packed(&self) -> &Packed {
        &self.packed
    }
}

fn files<'a>(record: &'a Record, attempt: &'a Attempt) -> impl Iterator<Item = &'a Output> {
    record.outputs.iter().chain(&attempt.log).chain(&attempt.inputs)
}

fn pack(key: &Digest, reads: &[Read], record: &Record, attempt: &Attempt) -> Vec<u8> {
    let blobs: Vec<u8> = files(record, attempt).flat_map(|output| output.digest.0).collect();
    let sections = [blobs, parts(record), encoded(reads), encoded(record)];
    let mut hasher = KeyHasher::new("entry");
    hasher.digest(Some(key)).bytes(&sections[2]).bytes(&sections[3]);
    let attempt = encoded(attempt);

    let mut payload = Vec::with_capacity(SECTIONS + sections.iter().map(Vec::len).sum::<usize>() + attempt.len());
    payload.extend_from_slice(&hasher.finish().0);
    payload.extend_from_slice(&key.0);
    payload.extend_from_slice(&u32::from(record.verdict.is_bad()).to_le_bytes());
    for section in &sections {
        payload.extend_from_slice(&u32::try_from(section.len()).unwrap_or(u32::MAX).to_le_bytes());
    }
    sections.iter().for_each(|section| payload.extend_from_slice(section));
    payload.extend_from_slice(&attempt);
    payload
}

fn parts(record: &Record) -> Vec<u8> {
    let mut parts = Vec::new();
    let mut add = |kind: u8, name: &str, digest: Digest| {
        parts.push(kind);
        parts.extend_from_slice(&u32::try_from(name.len()).unwrap_or(u32::MAX).to_le_bytes());
        parts.extend_from_slice(name.as_bytes());
        parts.extend_from_slice(&digest.0);
    };
    for (format, view) in &record.views {
        // A view of files that are no outputs is none.
        if let Some(digest) = view_digest(record, view) {
            add(VIEW, format, digest);
        }
    }
    for (name, metric) in &record.metrics {
        add(METRIC, name, metric_digest(metric));
    }
    for (name, datum) in &record.data {
        add(DATUM, name, datum_digest(datum));
    }
    parts
}

fn metric_digest(metric: &Metric) -> Digest {
    hash_bytes(metric.to_json().to_string().as_bytes())
}

fn datum_digest(datum: &Data) -> Digest {
    hash_bytes(format!("{datum:?}").as_bytes())
}

fn view_digest(record: &Record, view: &View<String>) -> Option<Digest> {
    let mut key = KeyHasher::new("view 3");
    for path in view.files() {
        let output = record.output(path)?;
        key.text(&output.path).digest(Some(&output.digest)).number(u64::from(output.executable));
    }
    if !matches!(view, View::File(_)) {
        key.text(&format!("{:?}", view.map(&mut |_| ())));
    }
    Some(key.finish())
}

fn encoded(part: &(impl Serialize + ?Sized)) -> Vec<u8> {
    postcard::to_stdvec(part).expect("reads, records and attempts hold only sized sequences, which postcard encodes")
}

/// A packed entry in a file that was read.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    bytes: Arc<Vec<u8>>,
    payload: Range<usize>,
    /// The day of its frame, or a later one on which it was used.
    pub(crate) day: u32,
}

impl Packed {
    /// `None`: too short to be an entry.
    pub(crate) fn new(bytes: &Arc<Vec<u8>>, payload: Range<usize>, day: u32) -> Option<Self> {
        let found = bytes.get(payload.clone())?;
        let mut end = SECTIONS;
        for section in 0..4 {
            end = end.checked_add(u32_at(found, LENGTHS + 4 * section)? as usize)?;
        }
        (end <= found.len()).then(|| Self { bytes: Arc::clone(bytes), payload, day })
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.bytes[self.payload.clone()]
    }

    fn digest_at(&self, at: usize) -> Digest {
        let mut digest = [0; 32];
        digest.copy_from_slice(&self.payload()[at..at + 32]);
        Digest(digest)
    }

    pub(crate) fn id(&self) -> Digest {
        self.digest_at(0)
    }

    pub(crate) fn key(&self) -> Digest {
        self.digest_at(32)
    }

    /// Where a section begins; the attempt is the last one.
    fn begin(&self, section: usize) -> usize {
        let payload = self.payload();
        let length = |section| u32_at(payload, LENGTHS + 4 * section).unwrap_or_default() as usize;
        (0..section).map(length).sum::<usize>() + SECTIONS
    }

    fn section(&self, section: usize) -> &[u8] {
        &self.payload()[self.begin(section)..self.begin(section + 1)]
    }

    pub(crate) fn reads_bytes(&self) -> &[u8] {
        self.section(2)
    }

    fn attempt_bytes(&self) -> &[u8] {
        &self.payload()[self.begin(4)..]
    }

    fn record(&self) -> Option<Box<Record>> {
        postcard::from_bytes(self.section(3)).ok()
    }

    /// Whether the bytes are what this version writes.
    pub(crate) fn decodes(&self) -> bool {
        postcard::from_bytes::<Vec<Read>>(self.reads_bytes()).is_ok() && self.record().is_some()
    }

    /// Kind, name and digest of each part.
    fn parts(&self) -> impl Iterator<Item = (u8, &[u8], Digest)> {
        let mut rest = self.section(1);
        std::iter::from_fn(move || {
            let (kind, behind) = (*rest.first()?, rest.get(5..)?);
            let (name, behind) = behind.split_at_checked(u32_at(rest, 1)? as usize)?;
            let (digest, behind) = behind.split_first_chunk()?;
            rest = behind;
            Some((kind, name, Digest(*digest)))
        })
    }

    fn part(&self, kind: u8, name: &str) -> Option<Digest> {
        let is_it = |(found, found_name, _): &(u8, &[u8], Digest)| *found == kind && *found_name == name.as_bytes();
        self.parts().find(is_it).map(|(_, _, digest)| digest)
    }

    pub(crate) fn unpack(self) -> Entry {
        Entry { key: self.key(), packed: self, record: OnceLock::new(), attempt: OnceLock::new() }
    }
}

/// Of the entries of one key, oldest first, the places of those that answer for it: of equal reads the newest, and at
/// most [`MAX_ENTRIES`](crate::MAX_ENTRIES).
pub(crate) fn standing(of_key: &[&Packed]) -> Vec<usize> {
    let hidden = |i: usize| of_key[i + 1..].iter().any(|later| later.reads_bytes() == of_key[i].reads_bytes());
    let mut kept: Vec<usize> = (0..of_key.len()).filter(|i| !hidden(*i)).collect();
    kept.drain(..kept.len().saturating_sub(crate::MAX_ENTRIES));
    kept
}

#[cfg(test)]
mod tests {
    use tapeout_model::{Alert, Severity, Verdict};

    use super::*;
    use crate::frame::VERSION;

    fn entry(path: &str) -> Entry {
        let setting = ("CLOCK_PERIOD".to_owned(), Some("10".to_owned()));
        let reads = [
            Read::File { path: path.to_owned(), digest: None },
            Read::Input { index: 1, digest: None },
            Read::Part { index: 0, part: Part::Files("out".to_owned()), digest: None },
            Read::Setting { name: "SEED".to_owned(), text: None },
            Read::Job { key: Digest([6; 32]), inputs: vec![None], settings: vec![setting], result: None },
        ];
        let attempt = Attempt { host: "here".to_owned(), log: Some(output("log", 3)), ..Attempt::default() };
        Entry::new(Digest([7; 32]), &reads, record(), attempt)
    }

    fn output(path: &str, digest: u8) -> Output {
        Output { path: path.to_owned(), digest: Digest([digest; 32]), size: 5, executable: true }
    }

    fn record() -> Record {
        let file = |path: &str| View::File(path.to_owned());
        let corners = [("max".to_owned(), file("a.lib"))].into();
        let views = [("v", file("a.v")), ("lib", View::Named(corners)), ("vs", View::Files(vec![file("a.v")]))];
        let metrics = [("a", Metric::Int(1)), ("v", Metric::Float(0.5)), ("t", Metric::Text("x".to_owned()))];
        let alert = Alert { severity: Severity::Warning, code: "W1".to_owned(), message: "m".to_owned(), count: 2 };
        Record {
            outputs: vec![output("a.lib", 1), output("a.v", 2)],
            views: views.map(|(name, view)| (name.to_owned(), view)).into(),
            metrics: metrics.map(|(name, metric)| (name.to_owned(), metric)).into(),
            data: vec![("a".to_owned(), Data::Int(1)), ("v".to_owned(), Data::List(vec![Data::Float(0.5)]))],
            statuses: vec![1],
            alerts: vec![alert],
            verdict: Verdict::Failed { reason: "r".to_owned(), hint: Some("h".to_owned()) },
        }
    }

    fn packed(entry: &Entry, day: u32) -> Packed {
        let bytes = Arc::new(entry.packed().payload().to_vec());
        Packed::new(&bytes, 0..bytes.len(), day).unwrap()
    }

    #[test]
    fn an_entry_unpacks_as_it_was_and_keeps_its_name() {
        let entry = entry("a.v");
        let unpacked = packed(&entry, 3).unpack();
        let reads: Vec<Read> = entry.reads().collect();
        assert_eq!(unpacked.id(), Entry::new(entry.key, &reads, record(), Attempt::default()).id());
        assert_ne!(unpacked.id(), Entry::new(entry.key, &reads[1..], record(), Attempt::default()).id());
        assert_eq!((unpacked.day(), unpacked.attempt().host.as_str()), (3, "here"));
        assert_eq!((unpacked.record(), unpacked.key, &unpacked), (&record(), entry.key, &entry));
        assert_eq!(unpacked.reads().collect::<Vec<_>>(), reads);
        let bytes = Arc::new(entry.packed().payload().to_vec());
        let decoded = bytes.len() - encoded(entry.attempt()).len();
        for length in [0, SECTIONS - 1, decoded - 1] {
            assert!(Packed::new(&bytes, 0..length, 0).is_none(), "{length} bytes");
        }
    }

    #[test]
    fn parts_and_files_are_told_without_the_record() {
        let unpacked = packed(&entry("a.v"), 0).unpack();
        assert!(unpacked.is_bad() && !Entry::new(unpacked.key, &[], Record::default(), Attempt::default()).is_bad());
        assert_eq!(unpacked.blobs().collect::<Vec<_>>(), [1, 2, 3].map(|byte| Digest([byte; 32])));
        for (name, metric) in record().metrics {
            let digest = hash_bytes(metric.to_json().to_string().as_bytes());
            assert_eq!(unpacked.part_digest(&Part::Metric(name.clone())), Some(digest), "{name}");
        }
        let view = |format: &str| unpacked.part_digest(&Part::View(format.to_owned()));
        let mut views = ["v", "lib", "vs"].map(|format| view(format).unwrap());
        views.sort_unstable();
        assert!(views.windows(2).all(|two| two[0] != two[1]), "one file and a list of it are not the same");
        let datum = |name: &str| unpacked.part_digest(&Part::Datum(name.to_owned()));
        assert!(datum("a").is_some() && datum("a") != datum("v") && datum("t").is_none());
        assert_eq!((view("a"), unpacked.part_digest(&Part::Metric("lib".to_owned()))), (None, None));
        assert!(unpacked.record.get().is_none() && unpacked.attempt.get().is_none());
    }

    /// What fails here is not to be mended by another number alone: the version goes up with it.
    #[test]
    fn a_change_of_the_encoding_needs_another_version() {
        let digest = hash_bytes(entry("a.v").packed().payload());
        assert_eq!((VERSION, digest.short().as_str()), (6, "2589ada8b2b3"));
    }

    #[test]
    fn the_newest_of_equal_reads_stands() {
        let of_key: Vec<Packed> = ["a", "b", "a", "c"].iter().map(|path| packed(&entry(path), 0)).collect();
        assert_eq!(standing(&of_key.iter().collect::<Vec<_>>()), [1, 2, 3]);
    }
}
