//! The shared cache: results that several people and machines have in common, in a directory or behind an HTTP server.
//!
//! ```text
//! <location>/ac/<key>         what came out of the job of this key: an `ActionResult`, see `action`
//! <location>/cas/<sha-256>    the content of a file
//! ```
//!
//! These are the names of bazel-remote; a directory has the same ones, so that a web server can serve it as it is.
//!
//! The cache is a convenience and never in the way: what it does not answer well and in time is a miss. The first
//! failure of transport switches it off for the rest of the process, with one message. Nothing from it is believed:
//! contents are verified by their digest, results carry the key that they are for and a checksum.

mod action;
mod directory;
mod exchange;
mod health;
mod http;
mod leaks;
mod queue;
mod verified;

use std::fmt;
use std::fs::{self, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tapeout_model::{Digest, Output};

use crate::StoreError;
use directory::Directory;
use health::Health;
use http::Http;
use queue::{Queue, Upload};
use verified::{Fault, Verified, copy};

pub use exchange::Sharing;
pub use leaks::leaks;
pub use queue::Uploads;

/// A result is a description of files. One larger than this, in bytes, is none.
const MAX_RESULT: u64 = 64 << 20;

/// What this process may do with a shared cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Take results from it.
    ReadOnly,
    /// Take results from it and give it new ones.
    ReadWrite,
}

/// A location that is neither an HTTP address nor a directory's path.
#[derive(Debug, thiserror::Error)]
#[error("`{location}` is not the location of a shared cache: {reason}")]
pub struct InvalidLocation {
    /// The location, without a password that may be in it.
    pub location: String,
    /// What is wrong with it, and what would be right.
    pub reason: &'static str,
}

/// A name in a shared cache.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Item {
    /// The result of a job.
    Action(Digest),
    /// A file's content.
    Blob(Digest),
}

impl Item {
    /// The folder of its kind.
    fn folder(self) -> &'static str {
        match self {
            Self::Action(_) => "ac",
            Self::Blob(_) => "cas",
        }
    }

    fn digest(&self) -> &Digest {
        match self {
            Self::Action(digest) | Self::Blob(digest) => digest,
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.folder(), self.digest())
    }
}

/// Why something could not be had from a shared cache, or brought into it.
enum Failure {
    /// It is of no use any more.
    Off(String),
    /// It takes nothing.
    ReadOnly(String),
    /// It is about this item only.
    Item(String),
}

impl Failure {
    fn why(&self) -> &str {
        match self {
            Self::Off(why) | Self::ReadOnly(why) | Self::Item(why) => why,
        }
    }
}

/// Where a shared cache is.
enum Place {
    Directory(Directory),
    Http(Http),
}

impl Place {
    /// The content of an item that is expected to be this large; `None` where there is no such item.
    fn get(&self, item: Item, size: Option<u64>) -> Result<Option<Box<dyn Read>>, Failure> {
        match self {
            Self::Directory(directory) => directory.get(item),
            Self::Http(http) => http.get(item, size),
        }
    }

    /// What it means that the content of an item broke off.
    fn broke_off(&self, error: io::Error) -> Failure {
        match self {
            Self::Directory(_) => Failure::Off(format!("cannot be read: {error}")),
            Self::Http(_) => http::broke_off(error),
        }
    }

    /// Whether there is such an item, at this size.
    fn has(&self, item: Item, size: u64) -> Result<bool, Failure> {
        match self {
            Self::Directory(directory) => Ok(directory.has(item, size)),
            Self::Http(http) => http.has(item, size),
        }
    }

    /// Brings an item in, whole or not at all.
    fn put(&self, upload: &Upload) -> Result<(), Failure> {
        match self {
            Self::Directory(directory) => directory.put(upload),
            Self::Http(http) => http.put(upload),
        }
    }

    /// Ends what other threads wait for.
    fn hang_up(&self) {
        if let Self::Http(http) = self {
            http.hang_up();
        }
    }
}

/// A place and how it fares.
struct Link {
    place: Place,
    health: Health,
}

impl Link {
    fn fail(&self, item: Item, failure: Failure) {
        match failure {
            Failure::Off(why) => {
                self.health.switch_off(&why);
                self.place.hang_up();
            }
            Failure::ReadOnly(why) => self.health.stop_writing(&why),
            Failure::Item(why) => self.note_damage(item, &why),
        }
    }

    fn note_damage(&self, item: Item, what: &str) {
        // What was cut off by the end of use is not damage.
        if self.health.reads() && !self.health.note_damage(item, what) {
            self.place.hang_up();
        }
    }

    fn get(&self, item: Item, size: Option<u64>) -> Option<InUse<'_>> {
        if !self.health.reads() {
            return None;
        }
        let asked = Instant::now();
        let answer = self.place.get(item, size);
        self.health.note_wait(asked.elapsed());
        match answer {
            Ok(content) => content.map(|from| InUse { from, health: &self.health }),
            Err(failure) => {
                self.fail(item, failure);
                None
            }
        }
    }

    /// Brings an item in unless it is there; returns whether it had to be sent. An error is why it is not there.
    fn upload(&self, upload: &Upload) -> Result<bool, String> {
        if !self.health.writes() {
            return Err("the shared cache is not written to any more".to_owned());
        }
        // Contents never change. What is damaged is replaced, and so is a result: it may have been damage, too.
        let item = upload.item;
        let sent = match item {
            Item::Blob(_) if !self.health.is_damaged(item) => self.place.has(item, upload.size()),
            _ => Ok(false),
        };
        let sent = sent.and_then(|there| if there { Ok(false) } else { self.place.put(upload).map(|()| true) });
        sent.map_err(|failure| {
            let why = failure.why().to_owned();
            // That one item is not taken says nothing about what is there.
            if !matches!(failure, Failure::Item(_)) {
                self.fail(item, failure);
            }
            why
        })
    }
}

/// A content on its way, which ends when its shared cache is used no more.
struct InUse<'a> {
    from: Box<dyn Read>,
    health: &'a Health,
}

impl Read for InUse<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.health.reads() { self.from.read(buffer) } else { Err(io::ErrorKind::ConnectionAborted.into()) }
    }
}

/// A shared cache in use. Shared between threads by reference.
pub struct SharedCache {
    link: Arc<Link>,
    queue: Arc<Queue>,
    access: Access,
}

impl fmt::Debug for SharedCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedCache").field(&self.link.health.name()).field(&self.access).finish()
    }
}

impl SharedCache {
    /// Begins to use the shared cache at a location: `http://[USER:PASSWORD@]HOST[:PORT][/PREFIX]`, or the path of an
    /// existing directory. Nothing is asked of it before the first result is wanted.
    ///
    /// # Errors
    /// When the location is neither.
    pub fn open(location: &str, access: Access) -> Result<Self, InvalidLocation> {
        let (place, name) = match location.split_once("://") {
            Some(("http", rest)) => {
                let (http, name) = Http::new(rest)?;
                (Place::Http(http), name)
            }
            Some((scheme, rest)) => {
                let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                let reason = if scheme == "https" {
                    "this tapeout speaks no TLS; give it the http:// address of a proxy on this machine that does"
                } else {
                    "expected http://HOST[:PORT][/PREFIX] or the path of a directory"
                };
                return Err(InvalidLocation { location: format!("{scheme}://{rest}"), reason });
            }
            None if location.is_empty() => {
                let reason = "it is empty; expected http://HOST[:PORT][/PREFIX] or the path of a directory";
                return Err(InvalidLocation { location: String::new(), reason });
            }
            None => (Place::Directory(Directory::new(location.into())), location.to_owned()),
        };
        let health = Health::new(name, access);
        Ok(Self { link: Arc::new(Link { place, health }), queue: Arc::default(), access })
    }

    /// The payload that was published under this key. Whatever is wrong with it makes it a miss.
    #[must_use]
    pub fn fetch(&self, key: &Digest) -> Option<Vec<u8>> {
        let item = Item::Action(*key);
        let mut bytes = Vec::new();
        let body = self.link.get(item, None)?;
        match body.take(MAX_RESULT + 1).read_to_end(&mut bytes) {
            Ok(_) if bytes.len() as u64 > MAX_RESULT => self.link.note_damage(item, "it is too large for a result"),
            Ok(_) => match action::decode(key, &bytes) {
                Ok(payload) => return payload,
                Err(what) => self.link.note_damage(item, what),
            },
            Err(error) => self.link.fail(item, self.link.place.broke_off(error)),
        }
        None
    }

    /// Gives a result to the others, in the background: a payload that they get from [`fetch`](Self::fetch), and the
    /// files that it speaks of, whose paths are relative. Each of these is to be published before by
    /// [`publish_blob`](Self::publish_blob); a result is kept back when one of them could not be brought in.
    pub fn publish(&self, key: &Digest, payload: &[u8], files: &[Output]) {
        if self.access == Access::ReadWrite {
            let needs = files.iter().map(|file| file.digest).collect();
            let body = action::encode(key, payload, files);
            self.queue.push(&self.link, Upload::result(*key, body, needs));
        }
    }

    /// Brings a content into the file `to`, read-only as a blob is; returns whether it could be had. The file appears
    /// whole and verified, or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn fetch_blob(&self, digest: &Digest, size: u64, to: &Path) -> Result<bool, StoreError> {
        let item = Item::Blob(*digest);
        // The empty content is in every cache, whether anybody brought it there or not.
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let body: Option<Box<dyn Read + '_>> = if size == 0 {
            Some(Box::new(io::empty()))
        } else if has_room(folder, size) {
            self.link.get(item, Some(size)).map(|body| Box::new(body) as _)
        } else {
            None
        };
        let Some(body) = body else { return Ok(false) };
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(StoreError::io("write in", folder))?;
        let mut body = Verified::new(body, *digest, size);
        if let Err(error) = copy(&mut body, &mut file) {
            match body.into_fault() {
                Some(Fault::Content(what)) => self.link.note_damage(item, what),
                Some(Fault::Source(error)) => self.link.fail(item, self.link.place.broke_off(error)),
                None => return Err(StoreError::io("write", to)(error)),
            }
            return Ok(false);
        }
        fs::set_permissions(file.path(), Permissions::from_mode(0o444)).map_err(StoreError::io("change", to))?;
        file.persist(to).map_err(|error| StoreError::io("write", to)(error.error))?;
        Ok(true)
    }

    /// Gives a content to the others, in the background and unless they have it. The file must stay as it is; when it
    /// does not, nothing is given.
    pub fn publish_blob(&self, digest: &Digest, from: &Path) {
        if self.access == Access::ReadWrite {
            self.queue.push(&self.link, Upload::blob(*digest, from));
        }
    }

    /// Ends the use of the cache: waits this long for what is still to be brought in, then gives the rest up. What
    /// others are fetching meanwhile is a miss.
    pub fn finish(&self, patience: Duration) -> Uploads {
        let uploads = self.queue.finish(patience);
        self.link.health.retire();
        self.link.place.hang_up();
        uploads
    }

    /// Why the cache is used no more, or only read: one message for the user.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.link.health.trouble()
    }

    /// What was found there that is not what its name says, one line each.
    #[must_use]
    pub fn damage(&self) -> Vec<String> {
        self.link.health.damage()
    }
}

/// Whether a file of this size fits on the disk; what cannot be asked has room. The size is only the word of a result
/// that nobody has verified.
fn has_room(folder: &Path, size: u64) -> bool {
    rustix::fs::statvfs(folder).map_or(true, |disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= size)
}

impl Drop for SharedCache {
    fn drop(&mut self) {
        self.finish(Duration::ZERO);
    }
}
