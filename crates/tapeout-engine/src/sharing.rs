//! Sharing results with others: what came out of an invocation is looked for in a shared cache before its tools run, and
//! brought there afterwards. It is never in the way: what a cache does not give in time is made here.

use std::collections::HashSet;
use std::env;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tapeout_model::{Digest, Read};
use tapeout_store::Entry;
use tapeout_store::shared::{SharedCache, Sharing, Uploads};

use crate::recall::Given;
use crate::{Accept, Engine, Failure, Input, Invocation};

/// A shared cache, and what must not get there.
pub(crate) struct Shared {
    cache: Arc<SharedCache>,
    /// Directories that other machines do not have, as bytes of their paths.
    local: Vec<Vec<u8>>,
    kept: Mutex<Vec<KeptLocal>>,
}

/// A result that is of no use elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLocal {
    /// The job.
    pub job: String,
    /// Where it names a path of this machine.
    pub place: String,
}

/// What came of sharing.
#[derive(Clone, Debug, Default)]
pub struct Shares {
    /// What was brought into the cache.
    pub uploads: Uploads,
    /// What was not, as it would be of no use elsewhere.
    pub kept: Vec<KeptLocal>,
    /// Why the cache was used no more, or only read: one message for the user.
    pub trouble: Option<String>,
    /// What was found there that is not what its name says, one line each.
    pub damage: Vec<String>,
}

impl Shared {
    pub(crate) fn new(cache: Arc<SharedCache>, project: &Path) -> Self {
        let mut places = vec![project.to_owned()];
        // Work directories are below the project.
        places.extend(fs::canonicalize(project));
        if let Some(home) = env::var_os("HOME").filter(|home| !home.is_empty()) {
            places.extend(fs::canonicalize(&home));
            places.push(home.into());
        }
        places.sort_unstable();
        places.dedup();
        let local = places.into_iter().map(|place| place.as_os_str().as_bytes().to_vec()).collect();
        Self { cache, local, kept: Mutex::default() }
    }

    /// Ends what waits for the cache.
    pub(crate) fn hang_up(&self) {
        self.cache.finish(Duration::ZERO);
    }
}

impl Engine {
    /// A result that somebody else made of the same invocation, recorded here with its files.
    pub(crate) fn shared_entry(&self, key: &Digest, invocation: &Invocation) -> Result<Option<Arc<Entry>>, Failure> {
        let Some(shared) = self.shared() else { return Ok(None) };
        for entry in shared.cache.candidates(key).into_iter().rev() {
            let same =
                is_result_of(&entry, invocation) && entry.reads().all(|read| self.is_same(&read, &Given::NOTHING));
            if same && self.store().bring(&shared.cache, &entry)? {
                return Ok(Some(self.store().commit(entry)?));
            }
        }
        Ok(None)
    }

    /// Gives a new result of an invocation to the others.
    pub(crate) fn share(&self, job: &str, entry: &Entry) {
        let Some(shared) = self.shared() else { return };
        let local: Vec<&[u8]> = shared.local.iter().map(Vec::as_slice).collect();
        let place = match self.store().share(&shared.cache, entry, &local) {
            Ok(Sharing::LocalOnly(place)) => format!("{place} names a path of this machine"),
            Ok(Sharing::Queued | Sharing::NotTaken) => return,
            // That others cannot have it is no reason for the job to fail.
            Err(error) => error.to_string(),
        };
        let kept = KeptLocal { job: job.to_owned(), place };
        shared.kept.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
    }

    /// Ends the use of the shared cache: waits this long for what is still to be brought there. `None` when there is
    /// none.
    pub fn finish_sharing(&self, patience: Duration) -> Option<Shares> {
        let shared = self.shared()?;
        let patience = if self.is_stopping() { Duration::ZERO } else { patience };
        let uploads = shared.cache.finish(patience);
        let kept = std::mem::take(&mut *shared.kept.lock().unwrap_or_else(PoisonError::into_inner));
        Some(Shares { uploads, kept, trouble: shared.cache.trouble(), damage: shared.cache.damage() })
    }
}

/// Whether an entry has what comes out of an invocation: a cache can hold anything.
fn is_result_of(entry: &Entry, invocation: &Invocation) -> bool {
    let record = entry.record();
    let promised = |name: &String| record.output(name).is_some();
    let known = |name: &String| invocation.outputs.contains(name) || invocation.optional_outputs.contains(name);
    let accepted = |(status, accept): (&i32, &Accept)| accept.takes(*status);
    let accepts = invocation.commands.iter().map(|command| &command.accept);
    let paths: HashSet<&String> = record.outputs.iter().map(|output| &output.path).collect();
    paths.len() == record.outputs.len()
        && invocation.outputs.iter().all(promised)
        && (invocation.keeps_all || record.outputs.iter().all(|output| known(&output.path)))
        && record.statuses.len() == invocation.commands.len()
        && record.statuses.iter().zip(accepts).all(accepted)
        && entry.attempt().log.as_ref().is_some_and(|log| log.path == invocation.log)
        && entry
            .attempt()
            .inputs
            .iter()
            .all(|file| invocation.inputs.iter().any(|input| puts(input) == Some(&file.path)))
        && entry.reads().all(|read| matches!(read, Read::File { .. }))
}

/// The name of the file that an input puts into the work directory.
fn puts(input: &Input) -> Option<&String> {
    match input {
        Input::Source { .. } => None,
        Input::Copied { name, .. } | Input::Text { name, .. } => Some(name),
        Input::Output(output) => Some(&output.path),
    }
}
