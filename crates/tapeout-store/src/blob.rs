//! Blobs: file contents under the name of their digest.
//!
//! Which blobs there are is known by listing a prefix directory once, and from what this process adds. What a blob
//! contains is only believed after hashing it.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, Permissions};
use std::hash::{BuildHasherDefault, Hasher};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use rustix::fs::{Mode, OFlags, RawDir};
use rustix::io::Errno;
use tapeout_model::{Digest, Output};

use crate::file_digest::hash_file;
use crate::hash::hash_reader;
use crate::journal::unique_name;
use crate::{Entry, Store, StoreError, hash_bytes};

/// A file up to this size is read and written with one call each.
const SMALL: u64 = 64 * 1024;

/// The names of the blobs, by the first byte of their digests.
pub(crate) struct BlobNames(Vec<RwLock<Option<Names>>>);

type Names = HashSet<Digest, BuildHasherDefault<Leading>>;

/// Digests are hashes already: their leading bytes will do.
#[derive(Default)]
pub(crate) struct Leading(u64);

impl Hasher for Leading {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(chunk) = bytes.last_chunk() {
            self.0 = u64::from_le_bytes(*chunk);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

impl BlobNames {
    pub(crate) fn new() -> Self {
        Self((0..256).map(|_| RwLock::new(None)).collect())
    }

    /// Asks or changes the names that begin like this digest.
    fn with<T>(&self, store: &Store, digest: &Digest, change: impl FnOnce(&mut Names) -> T) -> T {
        let prefix = digest.0[0];
        let mut names = self.0[usize::from(prefix)].write().unwrap_or_else(PoisonError::into_inner);
        change(names.get_or_insert_with(|| list(&store.root, prefix).into_iter().collect()))
    }

    fn contains(&self, store: &Store, digest: &Digest) -> bool {
        let names = self.0[usize::from(digest.0[0])].read().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = &*names {
            return names.contains(digest);
        }
        drop(names);
        self.with(store, digest, |names| names.contains(digest))
    }
}

/// The blobs whose digests begin with a byte.
pub(crate) fn list(root: &Path, prefix: u8) -> Vec<Digest> {
    let mut digests = Vec::new();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(folder) = rustix::fs::open(root.join(format!("blobs/{prefix:02x}")), flags, Mode::empty()) else {
        return digests;
    };
    let mut buffer = Vec::with_capacity(LISTING);
    // The library's listing makes a text and a reference to the folder for each name: twice the time.
    let mut names = RawDir::new(folder, buffer.spare_capacity_mut());
    while let Some(Ok(name)) = names.next() {
        digests.extend(digest_of(prefix, name.file_name().to_bytes()));
    }
    digests
}

/// Bytes of names that are asked for at once.
const LISTING: usize = 32 * 1024;

fn digest_of(prefix: u8, name: &[u8]) -> Option<Digest> {
    let (pairs, []) = name.as_chunks::<2>() else { return None };
    if pairs.len() != 31 {
        return None;
    }
    let mut digest = [prefix; 32];
    for (byte, [high, low]) in digest[1..].iter_mut().zip(pairs) {
        *byte = (nibble(*high)? << 4) | nibble(*low)?;
    }
    Some(Digest(digest))
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Does something in a folder, which is made when it turns out not to be there.
fn in_folder<T>(path: &Path, mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    match work() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            work()
        }
        result => result,
    }
}

fn create(path: &Path, mode: u32) -> io::Result<File> {
    in_folder(path, || OpenOptions::new().write(true).create_new(true).mode(mode).open(path))
}

impl Store {
    pub(crate) fn blob_path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        let mut path = self.root.join("blobs");
        path.push(&name[..2]);
        path.push(&name[2..]);
        path
    }

    /// Whether the content of this output is in the store. It is not read: damage shows when it is.
    #[must_use]
    pub fn has(&self, output: &Output) -> bool {
        self.has_blob(&output.digest)
    }

    /// Whether all files of a result are in the store, as [`Store::has`] tells it.
    #[must_use]
    pub fn has_all(&self, entry: &Entry) -> bool {
        entry.blobs().all(|digest| self.has_blob(&digest))
    }

    fn has_blob(&self, digest: &Digest) -> bool {
        self.blobs.contains(self, digest) || {
            // Another process may have added it since the listing.
            let there = self.blob_path(digest).exists();
            if there {
                self.blobs.with(self, digest, |names| names.insert(*digest));
            }
            there
        }
    }

    /// Whether the content is there at its full size, so that it need not be written again. What was cut off is replaced.
    pub(crate) fn has_whole(&self, output: &Output) -> bool {
        self.blobs.contains(self, &output.digest)
            && fs::metadata(self.blob_path(&output.digest)).is_ok_and(|blob| blob.len() == output.size)
    }

    /// Reads everything that a result needs, so that what is damaged is removed and the result counts as not recorded.
    pub fn weed(&self, entry: &Entry) {
        for digest in entry.blobs() {
            if !hash_file(&self.blob_path(&digest)).is_ok_and(|found| found == digest) {
                // What is wrong with it shows in the end: it is not there any more.
                let _ = self.read(&digest);
            }
        }
    }

    /// Moves a file into the store; `name` is the path that the output gets. The file is gone afterwards.
    ///
    /// # Errors
    /// When the file cannot be read or moved.
    pub fn take_file(&self, file: &Path, name: &str) -> Result<Output, StoreError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut opened = match rustix::fs::open(file, flags, Mode::empty()) {
            Ok(opened) => File::from(opened),
            Err(Errno::LOOP) => {
                // What it points at is somebody else's.
                let target = File::open(file).map_err(StoreError::io("read", file))?;
                return Ok(Output { executable: false, ..self.take_copy(target, file, name)? });
            }
            Err(error) => return Err(StoreError::io("read", file)(error.into())),
        };
        let metadata = opened.metadata().map_err(StoreError::io("read", file))?;
        if metadata.nlink() > 1 {
            // The file has another name, under which it is somebody else's.
            let output = self.take_copy(opened, file, name)?;
            fs::remove_file(file).map_err(StoreError::io("remove", file))?;
            return Ok(output);
        }
        let digest = hash_reader(&mut opened, |_| Ok(())).map_err(StoreError::io("read", file))?;
        let executable = metadata.permissions().mode() & 0o111 != 0;
        let output = Output { path: name.to_owned(), digest, size: metadata.size(), executable };
        if self.has_whole(&output) {
            fs::remove_file(file).map_err(StoreError::io("remove", file))?;
            return Ok(output);
        }
        let blob = self.blob_path(&digest);
        opened.set_permissions(Permissions::from_mode(0o444)).map_err(StoreError::io("change", file))?;
        match in_folder(&blob, || fs::rename(file, &blob)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                self.write_blob(&blob, |to| {
                    let mut source = File::open(file)?;
                    io::copy(&mut source, to).map(|_| ())
                })?;
                fs::remove_file(file).map_err(StoreError::io("remove", file))?;
            }
            Err(error) => return Err(StoreError::io("move into the store", file)(error)),
        }
        self.blobs.with(self, &digest, |names| names.insert(digest));
        Ok(output)
    }

    /// Copies an open file, known as `file`, into the store.
    fn take_copy(&self, mut opened: File, file: &Path, name: &str) -> Result<Output, StoreError> {
        let metadata = opened.metadata().map_err(StoreError::io("read", file))?;
        let executable = metadata.permissions().mode() & 0o111 != 0;
        let temporary = self.root.join("tmp").join(unique_name());
        let mut size = 0;
        // Somebody may be writing to it: what was copied is what is hashed.
        let copied = create(&temporary, 0o444).and_then(|mut to| {
            hash_reader(&mut opened, |part| {
                size += part.len() as u64;
                to.write_all(part)
            })
        });
        let taken = copied.map_err(StoreError::io("copy into the store", file)).and_then(|digest| {
            let output = Output { path: name.to_owned(), digest, size, executable };
            if !self.has_whole(&output) {
                let blob = self.blob_path(&digest);
                in_folder(&blob, || fs::rename(&temporary, &blob)).map_err(StoreError::io("write", &blob))?;
                self.blobs.with(self, &digest, |names| names.insert(digest));
            }
            Ok(output)
        });
        // Best effort: where it got its name it is not there any more, and an error being reported is the first one.
        let _ = fs::remove_file(&temporary);
        taken
    }

    /// Puts bytes into the store.
    ///
    /// # Errors
    /// When the blob cannot be written.
    pub fn put_bytes(&self, bytes: &[u8], name: &str) -> Result<Output, StoreError> {
        let digest = hash_bytes(bytes);
        let output = Output { path: name.to_owned(), digest, size: bytes.len() as u64, executable: false };
        if !self.has_whole(&output) {
            self.write_blob(&self.blob_path(&digest), |file| file.write_all(bytes))?;
            self.blobs.with(self, &digest, |names| names.insert(digest));
        }
        Ok(output)
    }

    /// Writes a blob where nobody looks and gives it its name when it is whole.
    fn write_blob(&self, blob: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), StoreError> {
        let temporary = self.root.join("tmp").join(unique_name());
        let written = create(&temporary, 0o444).and_then(|mut file| write(&mut file));
        let named = written.and_then(|()| in_folder(blob, || fs::rename(&temporary, blob)));
        named.map_err(|error| {
            // Best effort: the error being reported is the first one.
            let _ = fs::remove_file(&temporary);
            StoreError::io("write", blob)(error)
        })
    }

    /// Adds a blob that is had from elsewhere: `bring` writes it to the path that it is given, read-only, and only when it
    /// has this digest. Returns whether it did. A blob that is there and whole stays the file that it is.
    pub(crate) fn adopt(
        &self,
        digest: &Digest,
        bring: impl FnOnce(&Path) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        let folder = self.root.join("tmp");
        let temporary = folder.join(unique_name());
        fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
        if !bring(&temporary)? {
            return Ok(false);
        }
        let blob = self.blob_path(digest);
        if hash_file(&blob).is_ok_and(|found| found == *digest) {
            fs::remove_file(&temporary).map_err(StoreError::io("remove", &temporary))?;
        } else {
            in_folder(&blob, || fs::rename(&temporary, &blob)).map_err(StoreError::io("write", &blob))?;
        }
        self.blobs.with(self, digest, |names| names.insert(*digest));
        Ok(true)
    }

    /// Reads a blob.
    ///
    /// # Errors
    /// When it is not there, is damaged or cannot be read.
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let blob = self.blob_path(digest);
        let mut bytes = Vec::new();
        let read = self.open_blob(digest, &blob)?.read_to_end(&mut bytes);
        read.map_err(StoreError::io("read", &blob))?;
        if hash_bytes(&bytes) == *digest { Ok(bytes) } else { Err(self.damaged_blob(digest, blob)) }
    }

    fn open_blob(&self, digest: &Digest, blob: &Path) -> Result<File, StoreError> {
        File::open(blob).map_err(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                return StoreError::io("read", blob)(error);
            }
            self.blobs.with(self, digest, |names| names.remove(digest));
            StoreError::Missing { path: blob.to_owned() }
        })
    }

    /// Removes a damaged blob: what remains of it is good for nothing.
    pub(crate) fn damaged_blob(&self, digest: &Digest, blob: PathBuf) -> StoreError {
        match fs::remove_file(&blob) {
            Ok(()) => {
                self.blobs.with(self, digest, |names| names.remove(digest));
                self.note_damage(format!(
                    "the recorded file `{}` was damaged and has been removed; what needs it is made again",
                    blob.display()
                ));
                StoreError::Damaged { path: blob }
            }
            Err(error) => StoreError::io("remove the damaged file", &blob)(error),
        }
    }

    /// Makes a file of its own from a blob: a reflink where the file system can, else a copy. Never a hard link, as a
    /// tool that writes in place would damage the blob. An existing file is replaced in one step.
    ///
    /// # Errors
    /// When the blob is not there or is damaged, or the file cannot be written.
    pub fn materialise(&self, output: &Output, to: &Path) -> Result<(), StoreError> {
        let temporary = to.with_file_name(format!(".{}~", unique_name()));
        let mode = if output.executable { 0o755 } else { 0o644 };
        let small = if output.size <= SMALL { Some(self.read(&output.digest)?) } else { None };
        let blob = self.blob_path(&output.digest);
        let made = match &small {
            Some(bytes) => create(&temporary, mode).and_then(|mut file| file.write_all(bytes)).map(|()| true),
            None => {
                let mut source = self.open_blob(&output.digest, &blob)?;
                create(&temporary, mode).and_then(|file| copy(&mut source, file)).map(|found| found == output.digest)
            }
        };
        let named = made.and_then(|whole| if whole { fs::rename(&temporary, to).map(|()| true) } else { Ok(false) });
        if !matches!(named, Ok(true)) {
            // Best effort: the error being reported is the first one.
            let _ = fs::remove_file(&temporary);
        }
        match named {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.damaged_blob(&output.digest, blob)),
            Err(error) => Err(StoreError::io("write", to)(error)),
        }
    }
}

/// Copies an open file and gives the digest of what was read.
fn copy(source: &mut File, mut to: File) -> io::Result<Digest> {
    let cloned = rustix::fs::ioctl_ficlone(&to, &*source).is_ok();
    hash_reader(source, |part| if cloned { Ok(()) } else { to.write_all(part) })
}

#[cfg(test)]
mod tests {
    use tapeout_model::{Attempt, Record};

    use super::*;

    #[test]
    fn a_blob_survives_what_is_done_to_its_copies() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        let made = dir.path().join("run.sh");
        fs::write(&made, "echo").unwrap();
        fs::set_permissions(&made, Permissions::from_mode(0o755)).unwrap();
        let output = store.take_file(&made, "run.sh").unwrap();
        assert!(!made.exists() && store.has(&output) && output.executable);

        let copy = dir.path().join("deep/er/run.sh");
        store.materialise(&output, &copy).unwrap();
        fs::write(&copy, "damage").unwrap();
        assert_eq!(store.read(&output.digest).unwrap(), b"echo");
        store.materialise(&output, &copy).unwrap();
        assert_eq!(fs::read(&copy).unwrap(), b"echo");
        assert_eq!(store.put_bytes(b"echo", "x").unwrap().digest, output.digest);

        let blob = store.blob_path(&output.digest);
        fs::set_permissions(&blob, Permissions::from_mode(0o644)).unwrap();
        fs::write(&blob, "ecko").unwrap();
        assert!(matches!(store.materialise(&output, &copy), Err(StoreError::Damaged { .. })));
        assert!(!store.has(&output), "what is damaged is gone");
        assert!(matches!(store.read(&output.digest), Err(StoreError::Missing { .. })));
        assert_eq!(fs::read(&copy).unwrap(), b"echo", "and was not shown");
    }

    #[test]
    fn large_and_short_blobs_are_hashed_when_they_are_used() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        let large = vec![7; 3 * SMALL as usize];
        let to = dir.path().join("a/copy");
        for (content, left) in [(&large[..], 100), (&large[..], 0), (b"small", 3), (b"small", 0)] {
            let output = store.put_bytes(content, "x").unwrap();
            store.materialise(&output, &to).unwrap();
            assert_eq!(fs::read(&to).unwrap(), content);
            let blob = store.blob_path(&output.digest);
            fs::set_permissions(&blob, Permissions::from_mode(0o644)).unwrap();
            File::options().write(true).open(&blob).unwrap().set_len(left).unwrap();
            assert!(store.materialise(&output, &to).unwrap_err().is_lost());
            assert!(!blob.exists() && !store.has(&output));
            assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 1, "nothing half made stays");
            store.put_bytes(content, "x").unwrap();
            assert_eq!(store.read(&output.digest).unwrap(), content, "it can be made again");
        }
    }

    #[test]
    fn blobs_of_another_process_are_seen() {
        let dir = tempfile::tempdir().unwrap();
        let [one, two] = [(), ()].map(|()| Store::open(dir.path()).unwrap());
        let output = one.put_bytes(b"a", "a").unwrap();
        assert!(two.has(&output));
        let later = (0..100u8).map(|i| one.put_bytes(&[i], "x").unwrap());
        assert!(later.collect::<Vec<_>>().iter().all(|output| two.has(output)));
        let absent = Output { digest: hash_bytes(b"absent"), ..output };
        assert!(!two.has(&absent));
    }

    #[test]
    fn a_link_gives_what_it_points_at_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        let [file, link] = ["file", "link"].map(|name| dir.path().join(name));
        fs::write(&file, "content").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let output = store.take_file(&link, "link").unwrap();
        assert_eq!(store.read(&output.digest).unwrap(), b"content");
        assert!(file.exists());
    }

    #[test]
    fn a_hard_link_gives_its_content_and_not_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        let [source, link] = ["source", "link"].map(|name| dir.path().join(name));
        fs::write(&source, "content").unwrap();
        let mode = || fs::metadata(&source).unwrap().permissions().mode() & 0o777;
        let before = mode();
        fs::hard_link(&source, &link).unwrap();
        let output = store.take_file(&link, "link").unwrap();
        assert!(!link.exists());
        assert_eq!((mode(), fs::metadata(&source).unwrap().nlink()), (before, 1));
        fs::write(&source, "changed").unwrap();
        assert_eq!(store.read(&output.digest).unwrap(), b"content");
        assert_eq!(fs::read_dir(store.root.join("tmp")).unwrap().count(), 0);
    }

    #[test]
    fn a_blob_that_is_had_already_stays_the_file_that_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let output = store.put_bytes(b"content", "out").unwrap();
        let blob = store.blob_path(&output.digest);
        let inode = || fs::metadata(&blob).unwrap().ino();
        let before = inode();
        let adopt = || store.adopt(&output.digest, |to| Ok(fs::write(to, "content").is_ok())).unwrap();
        assert!(adopt() && inode() == before);
        fs::set_permissions(&blob, Permissions::from_mode(0o644)).unwrap();
        fs::write(&blob, "damage!").unwrap();
        assert!(adopt());
        assert_eq!(store.read(&output.digest).unwrap(), b"content");
        assert_eq!(fs::read_dir(store.root.join("tmp")).unwrap().count(), 0);
    }

    #[test]
    fn a_blob_that_is_gone_is_weeded() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let output = store.put_bytes(b"content", "out").unwrap();
        let record = Record { outputs: vec![output.clone()], ..Record::default() };
        let entry = Entry::new(Digest([1; 32]), &[], record, Attempt::default());
        fs::remove_file(store.blob_path(&output.digest)).unwrap();
        store.weed(&entry);
        assert!(!store.has(&output));
    }
}
