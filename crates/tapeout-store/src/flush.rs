//! The flusher: a thread that brings to the disk, once a second, what was written.
//!
//! Flushing waits for everything that anybody writes to the file system, and holds up who creates files meanwhile (10,000
//! small blobs: 30 to 600 ms). So nobody waits for it, and it takes a fifth of the time at most.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::lock;

const PERIOD: Duration = Duration::from_secs(1);

/// Brings the store's file system to the disk while there is something new on it. The thread starts with the first write.
#[derive(Default)]
pub(crate) struct Flusher {
    started: OnceLock<Arc<Shared>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<Wanted>,
    changed: Condvar,
}

#[derive(Default, PartialEq, Clone, Copy)]
enum Wanted {
    #[default]
    Nothing,
    Flush,
    End,
}

impl Flusher {
    /// Something was written in the store at `root`.
    pub(crate) fn dirty(&self, root: &Path) {
        let shared = self.started.get_or_init(|| {
            let shared = Arc::new(Shared::default());
            // Without a directory or a thread nothing is flushed ahead of time: the kernel does it within half a minute.
            if let Ok(root) = File::open(root) {
                let own = Arc::clone(&shared);
                let _ = std::thread::Builder::new().name("store-flush".to_owned()).spawn(move || own.work(&root));
            }
            shared
        });
        let mut state = lock(&shared.state);
        if *state == Wanted::Nothing {
            *state = Wanted::Flush;
            shared.changed.notify_one();
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        if let Some(shared) = self.started.get() {
            *lock(&shared.state) = Wanted::End;
            shared.changed.notify_one();
        }
    }
}

impl Shared {
    fn work(&self, root: &File) {
        let mut state = lock(&self.state);
        let mut period = PERIOD;
        loop {
            while *state == Wanted::Nothing {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            // What comes within the period is flushed together.
            let waited = self.changed.wait_timeout_while(state, period, |state| *state != Wanted::End);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if *state == Wanted::End {
                return;
            }
            *state = Wanted::Nothing;
            drop(state);
            // A file system that cannot be flushed gives its error to who writes to it.
            let begin = Instant::now();
            let _ = rustix::fs::syncfs(root);
            period = PERIOD.max(4 * begin.elapsed());
            state = lock(&self.state);
        }
    }
}
