//! Garbage collection: what nothing refers to goes, and beyond a size limit what was not used for longest.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use tapeout_model::{Digest, Read};

use crate::blob::{BlobNames, list};
use crate::entry::Entry;
use crate::runs::{self, RunRef};
use crate::state::{State, journal_path};
use crate::{Store, StoreError, TEMPORARY, compact, day_of, lock, words};

/// What is to be collected.
#[derive(Clone, Copy, Debug, Default)]
pub struct GcOptions {
    /// Results are evicted until blobs and records take no more bytes than this.
    pub limit: Option<u64>,
    /// Seconds since the Unix epoch. A result whose last use lies behind this counts as used now.
    pub now: u64,
    /// Only tell what would be done.
    pub dry: bool,
}

/// What was done, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GcReport {
    /// Results that stay.
    pub entries_kept: usize,
    /// Results that were evicted.
    pub entries_removed: usize,
    /// Milliseconds that the tools ran which made them.
    pub tool_ms_removed: u64,
    /// Blobs that stay.
    pub blobs_kept: usize,
    /// Blobs that nothing refers to any more.
    pub blobs_removed: usize,
    /// Bytes of blobs and records that stay.
    pub bytes_kept: u64,
    /// Bytes of blobs and records that went.
    pub bytes_removed: u64,
    /// Files that a killed process left behind.
    pub leftovers_removed: usize,
    /// Runs whose directories are gone.
    pub runs_removed: Vec<String>,
    /// When the limit could not be kept: the bytes that present runs show. Where the record of a run is damaged, which
    /// [`Store::damages`] tells, it may show any result, and none is evicted until [`Store::verify`] has removed it.
    pub held_by_runs: Option<u64>,
}

struct Candidate {
    entry: Entry,
    payload: u64,
    day: u32,
    shown: bool,
}

impl Store {
    /// Removes what nothing refers to and, when a limit is given, the results that were not used for longest, but for
    /// those that a run shows. Nobody else may be using the store.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when somebody else is using the store; otherwise when it cannot be read or written.
    pub fn gc(&mut self, options: &GcOptions) -> Result<GcReport, StoreError> {
        self.flush_notes();
        if options.dry {
            return self.collect(options);
        }
        // To take the exclusive lock the kernel gives up the shared one, and somebody else may evict in that moment, also
        // when it is not had in the end. So nothing stays open, and everything is looked at anew.
        lock(&self.journal).close();
        lock(&self.words).close();
        let collected = self.use_lock.exclusive().and_then(|()| {
            let collected = self.collect(options);
            self.use_lock.share()?;
            collected
        });
        self.blobs = BlobNames::new();
        self.reload()?;
        collected
    }

    fn collect(&self, options: &GcOptions) -> Result<GcReport, StoreError> {
        let mut report = GcReport::default();
        let state = State::load(&self.root)?;
        let runs = self.present_runs(options.dry, &mut report)?;
        let shown = runs::shown_entries(&runs);
        // What a run shows whose record cannot be read may be any result.
        let all_runs_known = runs::read_all(&self.root).damaged.is_empty();
        let all = state.all_entries(&mut |_| ());
        let known = all.len();
        let packed = compact::kept(&self.root, all);
        let mut candidates: Vec<Candidate> = Vec::with_capacity(packed.len());
        let mut by_id = HashMap::with_capacity(packed.len());
        for packed in packed {
            let (id, day) = (packed.id(), packed.day.min(day_of(options.now)));
            let payload = packed.payload().len() as u64;
            by_id.insert(id, packed.clone());
            candidates.push(Candidate { entry: packed.unpack(), payload, day, shown: shown.contains(&id) });
        }

        let sizes = self.blob_sizes();
        let mut uses: HashMap<Digest, usize> = HashMap::new();
        for blob in candidates.iter().flat_map(|candidate| candidate.entry.blobs()) {
            *uses.entry(blob).or_default() += 1;
        }
        let size = |digest: &Digest| sizes.get(digest).copied().unwrap_or(0);
        let mut total: u64 = uses.keys().map(size).sum::<u64>() + candidates.iter().map(|c| c.payload).sum::<u64>();
        let before = sizes.values().sum::<u64>() + candidates.iter().map(|c| c.payload).sum::<u64>();

        let evicted = match options.limit {
            Some(limit) if all_runs_known => evict(&candidates, &mut uses, &mut total, limit, size),
            Some(_) | None => HashSet::new(),
        };
        report.held_by_runs = options.limit.filter(|limit| total > *limit).map(|_| total);
        let (gone, candidates): (Vec<_>, Vec<_>) =
            candidates.into_iter().partition(|candidate| evicted.contains(&candidate.entry.id()));
        report.tool_ms_removed = tool_ms(gone.iter().map(|candidate| &candidate.entry));
        report.entries_kept = candidates.len();
        report.entries_removed = known - candidates.len();
        report.blobs_kept = sizes.keys().filter(|digest| uses.contains_key(digest)).count();
        report.blobs_removed = sizes.len() - report.blobs_kept;
        report.bytes_kept = total;
        report.bytes_removed = before.saturating_sub(total);
        let leftovers = self.leftovers();
        report.leftovers_removed = leftovers.len();
        if options.dry {
            return Ok(report);
        }

        // First the records, then what they refer to: killed in between, the store has blobs too many, never too few.
        // Who keeps a limit after each run does not pay for a new index when all results stay.
        let mut unused: Vec<Digest> = sizes.keys().filter(|digest| !uses.contains_key(digest)).copied().collect();
        let rewrites = options.limit.is_none() || report.entries_removed > 0;
        if rewrites {
            let kept: Vec<_> = candidates.iter().filter_map(|candidate| by_id.remove(&candidate.entry.id())).collect();
            let mut files = state.all_files();
            files.retain(|path, _| !is_gone(Path::new(path)));
            let write = || State::write_index(&self.root, state.coverage(), &kept, &files);
            match write() {
                // On a full disk there is no room for the shorter index either, before something is gone. Records of lost
                // files are good for nothing, and known to be.
                Err(error) if error.is_full() => {
                    unused.iter().try_for_each(|digest| remove(&self.blob_path(digest)))?;
                    unused.clear();
                    write()?;
                }
                written => _ = written?,
            }
            for name in crate::journal::segments(&journal_path(&self.root))? {
                remove(&journal_path(&self.root).join(name))?;
            }
        }
        for digest in unused {
            remove(&self.blob_path(&digest))?;
        }
        for path in leftovers {
            remove(&path)?;
        }
        if rewrites {
            words::rewrite(&self.root, &described(&candidates, &runs))?;
        }
        Ok(report)
    }

    /// The runs whose directories exist, and the pins of the others; what else these show is forgotten.
    fn present_runs(&self, dry: bool, report: &mut GcReport) -> Result<Vec<(String, RunRef)>, StoreError> {
        let (mut present, gone): (Vec<_>, Vec<_>) =
            self.runs().into_iter().partition(|(_, run)| !is_gone(&self.root.join(&run.dir)));
        for (name, mut run) in gone {
            // Whoever pins a result may have no other copy of it.
            run.jobs.retain(|job| job.pin.is_some());
            if !run.jobs.is_empty() {
                present.push((name, run));
                continue;
            }
            if !dry {
                self.remove_run(&name)?;
            }
            report.runs_removed.push(name);
        }
        Ok(present)
    }

    /// Every blob with its size.
    pub(crate) fn blob_sizes(&self) -> HashMap<Digest, u64> {
        let sized = |digest: Digest| Some((digest, fs::metadata(self.blob_path(&digest)).ok()?.len()));
        (0..=u8::MAX).flat_map(|prefix| list(&self.root, prefix)).filter_map(sized).collect()
    }

    /// Files that were being written when their process was killed.
    fn leftovers(&self) -> Vec<PathBuf> {
        let in_folder = |folder: PathBuf, is_left: fn(&str) -> bool| {
            let listing = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
            listing.filter(move |file| file.file_name().to_str().is_none_or(is_left)).map(|file| file.path())
        };
        in_folder(self.root.join("tmp"), |_| true)
            .chain(in_folder(self.root.clone(), |name| name.starts_with(TEMPORARY)))
            .chain(in_folder(journal_path(&self.root), |name| name.ends_with(".new")))
            .chain(in_folder(self.root.join("words"), |name| name.ends_with(".new")))
            .collect()
    }
}

/// Chooses entries, longest unused first and of one day the oldest first, until the total is within the limit.
fn evict(
    candidates: &[Candidate],
    uses: &mut HashMap<Digest, usize>,
    total: &mut u64,
    limit: u64,
    size: impl Fn(&Digest) -> u64,
) -> HashSet<Digest> {
    let mut order: Vec<&Candidate> = candidates.iter().filter(|candidate| !candidate.shown).collect();
    order.sort_by_key(|candidate| candidate.day);
    let mut evicted = HashSet::new();
    for Candidate { entry, payload, .. } in order {
        if *total <= limit {
            break;
        }
        *total -= payload;
        for blob in entry.blobs() {
            let left = uses.entry(blob).or_default();
            *left = left.saturating_sub(1);
            if *left == 0 {
                uses.remove(&blob);
                *total -= size(&blob);
            }
        }
        evicted.insert(entry.id());
    }
    evicted
}

/// How long tools ran for these results. What ran for a job is recorded beside it, too, by its command lines: it counts
/// once.
fn tool_ms<'a>(entries: impl Iterator<Item = &'a Entry> + Clone) -> u64 {
    let sums_up = |entry: &&'a Entry| entry.reads().any(|read| matches!(read, Read::Tool { .. }));
    let commands =
        |entry: &'a Entry| entry.attempt().commands.lines().map(|line| (entry.attempt().host.as_str(), line));
    let summed: HashSet<_> = entries.clone().filter(sums_up).flat_map(commands).collect();
    let counts = |entry: &&'a Entry| sums_up(entry) || commands(entry).any(|line| !summed.contains(&line));
    entries.filter(counts).map(|entry| entry.attempt().wall_ms).sum()
}

/// Whether nothing is there; what cannot be looked at is not gone.
fn is_gone(path: &Path) -> bool {
    matches!(path.try_exists(), Ok(false))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    fs::remove_file(path).map_err(StoreError::io("remove", path))
}

/// The digests whose meaning may still be asked for.
fn described(candidates: &[Candidate], runs: &[(String, RunRef)]) -> HashSet<Digest> {
    let mut referred = HashSet::new();
    for Candidate { entry, .. } in candidates {
        referred.insert(entry.key);
        referred.extend(entry.reads().filter_map(|read| match read {
            Read::Tool { digest, .. } => digest,
            _ => None,
        }));
    }
    for job in runs.iter().flat_map(|(_, run)| &run.jobs) {
        referred.extend(job.shown.map(|shown| shown.key));
    }
    referred
}

#[cfg(test)]
mod tests {
    use tapeout_model::{Attempt, Record};

    use super::*;

    #[test]
    fn a_tool_run_counts_once_for_its_job_and_itself() {
        let entry = |commands: &str, wall_ms, reads: Vec<Read>| {
            let attempt = Attempt { commands: commands.to_owned(), wall_ms, ..Attempt::default() };
            Entry::new(Digest([1; 32]), &reads, Record::default(), attempt)
        };
        let tool = || vec![Read::Tool { name: "yosys".to_owned(), digest: None }];
        let [map, pack] = [entry("map\n", 5, Vec::new()), entry("pack -q\n", 3, Vec::new())];
        let job = entry("map\npack -q\n", 8, tool());
        for (entries, ms) in [(vec![&map, &pack], 8), (vec![&job, &map, &pack], 8), (vec![&job], 8), (vec![&pack], 3)] {
            assert_eq!(tool_ms(entries.into_iter()), ms);
        }
    }

    #[test]
    fn a_pinned_result_stays_though_its_tree_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(&dir.path().join("store")).unwrap();
        let shown = |byte: u8, store: &Store| {
            let output = store.put_bytes(&[byte], "out").unwrap();
            let record = Record { outputs: vec![output], ..Record::default() };
            let entry = store.commit(Entry::new(Digest([byte; 32]), &[], record, Attempt::default())).unwrap();
            Some(crate::ShownEntry { key: entry.key, id: entry.id() })
        };
        let pin = Some(crate::Pin { reason: "the only copy".to_owned(), since: 0 });
        let held = crate::JobRef { name: "held".to_owned(), shown: shown(1, &store), pin, failed: None };
        let free = crate::JobRef { name: "free".to_owned(), shown: shown(2, &store), pin: None, failed: None };
        let run = RunRef { dir: dir.path().join("gone"), jobs: vec![held.clone(), free] };
        store.write_run("default", &run).unwrap();
        let report = store.gc(&GcOptions { limit: Some(1), now: 0, dry: false }).unwrap();
        assert_eq!((report.entries_kept, report.blobs_kept), (1, 1));
        assert!(store.run("default").unwrap().unwrap().jobs.contains(&held));
        let shown = held.shown.unwrap();
        assert!(store.has_all(&store.entry(&shown.key, &shown.id).unwrap()));
    }
}
