//! What is still to be brought into a shared cache, and the thread that does it: in the order in which it was asked
//! for, so that a result follows its files.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tapeout_model::Digest;

use super::verified::Verified;
use super::{Failure, Item, Link, MAX_RESULT};
use crate::{hash_bytes, lock};

/// More than this, in bytes, does not wait to be sent, but for one file that is larger by itself. A run that makes so
/// much so fast keeps it to itself.
const MAX_WAITING: u64 = 1 << 30;

/// What was brought into a shared cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uploads {
    /// Results and files that were sent. What was there already is not among them.
    pub sent: usize,
    /// Their size.
    pub sent_bytes: u64,
    /// Results and files that were to be sent, and were not.
    pub left: usize,
    /// Their size, as far as it is known.
    pub left_bytes: u64,
    /// Why the first of those was not sent, unless it is for lack of time.
    pub reason: Option<String>,
}

enum Body {
    /// In memory, with its digest.
    Bytes(Arc<[u8]>, Digest),
    /// A file that has the content which the item is named after.
    File(PathBuf, u64),
}

/// One item on its way.
pub(super) struct Upload {
    pub(super) item: Item,
    body: Body,
    /// The files that a result speaks of.
    needs: Vec<Digest>,
}

impl Upload {
    pub(super) fn result(key: Digest, body: Vec<u8>, needs: Vec<Digest>) -> Self {
        let digest = hash_bytes(&body);
        Self { item: Item::Action(key), body: Body::Bytes(body.into(), digest), needs }
    }

    pub(super) fn blob(digest: Digest, from: &Path) -> Self {
        // A file that is not there is found missing when its turn comes.
        let size = from.metadata().map_or(0, |metadata| metadata.len());
        Self { item: Item::Blob(digest), body: Body::File(from.to_owned(), size), needs: Vec::new() }
    }

    pub(super) fn size(&self) -> u64 {
        match &self.body {
            Body::Bytes(bytes, _) => bytes.len() as u64,
            Body::File(_, size) => *size,
        }
    }

    /// The content, which is verified while it is sent: a file that was changed meanwhile does not arrive.
    pub(super) fn open(&self) -> Result<Verified<Box<dyn Read>>, Failure> {
        let (from, digest): (Box<dyn Read>, _) = match &self.body {
            Body::Bytes(bytes, digest) => (Box::new(Cursor::new(Arc::clone(bytes))), *digest),
            Body::File(path, _) => {
                let file = File::open(path)
                    .map_err(|error| Failure::Item(format!("`{}` cannot be read: {error}", path.display())))?;
                (Box::new(file), *self.item.digest())
            }
        };
        let mut content = Verified::new(from, digest, self.size());
        // Who sends a body of no bytes does not read it, so it is verified here.
        if self.size() == 0
            && let Err(error) = content.read(&mut [0])
        {
            return Err(Failure::Item(error.to_string()));
        }
        Ok(content)
    }
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Upload>,
    waiting_bytes: u64,
    /// The size of the one that is being sent.
    in_hand: Option<u64>,
    started: bool,
    closed: bool,
    /// Files that could not be brought in.
    missing: HashSet<Digest>,
    uploads: Uploads,
}

impl State {
    fn leave(&mut self, upload: &Upload, reason: String) {
        if let Item::Blob(digest) = upload.item {
            self.missing.insert(digest);
        }
        self.uploads.left += 1;
        self.uploads.left_bytes += upload.size();
        self.uploads.reason.get_or_insert(reason);
    }
}

/// What waits to be sent.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

impl Queue {
    /// Adds an upload, and starts the thread that sends it when it is the first.
    pub(super) fn push(self: &Arc<Self>, link: &Arc<Link>, upload: Upload) {
        let size = upload.size();
        let mut state = lock(&self.state);
        if matches!((&upload.item, &upload.body), (Item::Blob(digest), Body::File(_, 0)) if *digest == hash_bytes(b""))
        {
            return;
        }
        if state.closed {
            return state.leave(&upload, "the end of the run".to_owned());
        }
        if matches!(upload.item, Item::Action(_)) && size > MAX_RESULT {
            return state.leave(&upload, "a result is too large to be shared".to_owned());
        }
        if !state.waiting.is_empty() && state.waiting_bytes + size > MAX_WAITING {
            return state.leave(&upload, "too much was waiting to be sent".to_owned());
        }
        if !state.started {
            let (queue, link) = (Arc::clone(self), Arc::clone(link));
            let thread = thread::Builder::new().name("shared cache".to_owned()).spawn(move || queue.send_all(&link));
            if let Err(error) = thread {
                return state.leave(&upload, format!("no thread could be started: {error}"));
            }
            state.started = true;
        }
        state.waiting_bytes += size;
        state.waiting.push_back(upload);
        drop(state);
        self.changed.notify_all();
    }

    /// Sends what comes, until the queue is closed.
    fn send_all(&self, link: &Link) {
        let mut state = lock(&self.state);
        loop {
            let Some(upload) = state.waiting.pop_front() else {
                if state.closed {
                    return;
                }
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let size = upload.size();
            state.waiting_bytes -= size;
            let complete = !upload.needs.iter().any(|digest| state.missing.contains(digest));
            state.in_hand = Some(size);
            drop(state);
            let sent = if complete { link.upload(&upload) } else { Err("a file of a result is not there".to_owned()) };
            state = lock(&self.state);
            // When it was given up meanwhile, it is counted as left.
            if state.in_hand.take().is_some() {
                match sent {
                    Ok(sent) => {
                        state.missing.remove(upload.item.digest());
                        state.uploads.sent += usize::from(sent);
                        state.uploads.sent_bytes += if sent { size } else { 0 };
                    }
                    Err(reason) => state.leave(&upload, reason),
                }
            }
            self.changed.notify_all();
        }
    }

    /// Takes no more, waits this long for what is there, and gives up the rest. Returns what became of all.
    pub(super) fn finish(&self, patience: Duration) -> Uploads {
        let mut state = lock(&self.state);
        state.closed = true;
        self.changed.notify_all();
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, patience, |state| state.in_hand.is_some() || !state.waiting.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        let in_hand = state.in_hand.take();
        let given_up: Vec<u64> = state.waiting.drain(..).map(|upload| upload.size()).chain(in_hand).collect();
        state.waiting_bytes = 0;
        state.uploads.left += given_up.len();
        state.uploads.left_bytes += given_up.iter().sum::<u64>();
        // Another one may be waiting for what is given up here.
        self.changed.notify_all();
        state.uploads.clone()
    }
}
