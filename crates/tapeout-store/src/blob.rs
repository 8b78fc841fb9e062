//! Blobs: file contents under the name of their digest.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tapeout_model::{Digest, Output};

use crate::file_digest::hash_file;
use crate::{Store, StoreError, hash_bytes};

impl Store {
    fn blob_path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.root.join("blobs").join(&name[..2]).join(&name[2..])
    }

    /// Whether the content of this output is in the store, at its full size.
    #[must_use]
    pub fn has(&self, output: &Output) -> bool {
        fs::metadata(self.blob_path(&output.digest)).is_ok_and(|metadata| metadata.len() == output.size)
    }

    /// Moves a file into the store; `name` is the path that the output gets. The file is gone afterwards.
    ///
    /// # Errors
    /// When the file cannot be read or moved.
    pub fn take_file(&self, file: &Path, name: &str) -> Result<Output, StoreError> {
        let metadata = fs::symlink_metadata(file).map_err(StoreError::io("read", file))?;
        if metadata.is_symlink() {
            // What it points at is somebody else's.
            let bytes = fs::read(file).map_err(StoreError::io("read", file))?;
            return self.put_bytes(&bytes, name);
        }
        let digest = hash_file(file).map_err(StoreError::io("read", file))?;
        let output = Output {
            path: name.to_owned(),
            digest,
            size: metadata.size(),
            executable: metadata.permissions().mode() & 0o111 != 0,
        };
        if self.has(&output) {
            fs::remove_file(file).map_err(StoreError::io("remove", file))?;
            return Ok(output);
        }
        let blob = self.new_blob_path(&digest)?;
        fs::set_permissions(file, Permissions::from_mode(0o444)).map_err(StoreError::io("change", file))?;
        match fs::rename(file, &blob) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                let mut temporary = self.temporary()?;
                let mut source = fs::File::open(file).map_err(StoreError::io("read", file))?;
                io::copy(&mut source, &mut temporary).map_err(StoreError::io("write", temporary.path()))?;
                self.name_blob(temporary, &blob)?;
                fs::remove_file(file).map_err(StoreError::io("remove", file))?;
            }
            Err(error) => return Err(StoreError::io("move into the store", file)(error)),
        }
        Ok(output)
    }

    /// Puts bytes into the store.
    ///
    /// # Errors
    /// When the blob cannot be written.
    pub fn put_bytes(&self, bytes: &[u8], name: &str) -> Result<Output, StoreError> {
        let digest = hash_bytes(bytes);
        let output = Output { path: name.to_owned(), digest, size: bytes.len() as u64, executable: false };
        if !self.has(&output) {
            let mut temporary = self.temporary()?;
            temporary.write_all(bytes).map_err(StoreError::io("write", temporary.path()))?;
            self.name_blob(temporary, &self.new_blob_path(&digest)?)?;
        }
        Ok(output)
    }

    fn temporary(&self) -> Result<tempfile::NamedTempFile, StoreError> {
        let folder = self.root.join("tmp");
        tempfile::NamedTempFile::new_in(&folder).map_err(StoreError::io("write in", &folder))
    }

    fn new_blob_path(&self, digest: &Digest) -> Result<PathBuf, StoreError> {
        let blob = self.blob_path(digest);
        if let Some(folder) = blob.parent() {
            fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
        }
        Ok(blob)
    }

    fn name_blob(&self, temporary: tempfile::NamedTempFile, blob: &Path) -> Result<(), StoreError> {
        fs::set_permissions(temporary.path(), Permissions::from_mode(0o444))
            .map_err(StoreError::io("change", temporary.path()))?;
        temporary.persist(blob).map_err(|error| StoreError::io("write", blob)(error.error))?;
        Ok(())
    }

    /// Reads a blob.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let blob = self.blob_path(digest);
        let bytes = fs::read(&blob).map_err(StoreError::io("read", &blob))?;
        if hash_bytes(&bytes) == *digest { Ok(bytes) } else { Err(damaged(blob)) }
    }

    /// Makes a file of its own from a blob: a reflink where the file system can, else a copy. Never a hard link, as a
    /// tool that writes in place would damage the blob. An existing file is replaced in one step.
    ///
    /// # Errors
    /// When the blob is not there or the file cannot be written.
    pub fn materialise(&self, output: &Output, to: &Path) -> Result<(), StoreError> {
        let blob = self.blob_path(&output.digest);
        if hash_file(&blob).map_err(StoreError::io("read", &blob))? != output.digest {
            return Err(damaged(blob));
        }
        let folder = to.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
        let mut name = to.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}~", std::process::id()));
        let temporary = folder.join(name);
        let made = reflink_copy::reflink_or_copy(&blob, &temporary)
            .and_then(|_| {
                let mode = if output.executable { 0o755 } else { 0o644 };
                fs::set_permissions(&temporary, Permissions::from_mode(mode))
            })
            .and_then(|()| fs::rename(&temporary, to));
        made.map_err(|error| {
            // Best effort: the error being reported is the first one.
            let _ = fs::remove_file(&temporary);
            StoreError::io("write", to)(error)
        })
    }
}

/// Removes a damaged blob: what remains of it is good for nothing.
fn damaged(blob: PathBuf) -> StoreError {
    match fs::remove_file(&blob) {
        Ok(()) => StoreError::Damaged { path: blob },
        Err(error) => StoreError::io("remove the damaged file", &blob)(error),
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(fs::read(&copy).unwrap(), b"echo", "and was not shown");
    }
}
