//! A shared cache in a directory, on a network file system or served by a web server. Files appear whole, by renaming;
//! who may read them is who may read the directory.

use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::queue::Upload;
use super::verified::{Fault, copy};
use super::{Failure, Item};

pub(super) struct Directory {
    root: PathBuf,
}

impl Directory {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn path(&self, item: Item) -> PathBuf {
        self.root.join(item.folder()).join(item.digest().to_string())
    }

    pub(super) fn get(&self, item: Item) -> Result<Option<Box<dyn Read>>, Failure> {
        let path = self.path(item);
        match fs::metadata(&path).and_then(|metadata| metadata.is_file().then(|| File::open(&path)).transpose()) {
            Ok(Some(file)) => Ok(Some(Box::new(file))),
            Ok(None) => Err(Failure::Item("it is not a file".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.mode().map(|_| None),
            Err(error) if self.mode().is_ok() && error.kind() == io::ErrorKind::PermissionDenied => {
                Err(Failure::Item(format!("it cannot be read: {error}")))
            }
            Err(error) => Err(Failure::Off(format!("it cannot be read: {error}"))),
        }
    }

    pub(super) fn has(&self, item: Item, size: u64) -> bool {
        fs::metadata(self.path(item)).is_ok_and(|metadata| metadata.is_file() && metadata.len() == size)
    }

    pub(super) fn put(&self, upload: &Upload) -> Result<(), Failure> {
        let mode = self.mode()?;
        let mut content = upload.open()?;
        let folder = self.root.join(upload.item.folder());
        make_folder(&folder, mode).map_err(unwritable)?;
        // Readable by its owner until it is whole. One that a killed process leaves behind has no name of an item.
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&folder).map_err(unwritable)?;
        if let Err(error) = copy(&mut content, &mut file) {
            return Err(match content.into_fault() {
                Some(Fault::Content(what)) => Failure::Item(what.to_owned()),
                Some(Fault::Source(error)) => Failure::Item(error.to_string()),
                None => unwritable(error),
            });
        }
        let readable = Permissions::from_mode(mode & 0o444);
        fs::set_permissions(file.path(), readable).map_err(unwritable)?;
        file.persist(self.path(upload.item)).map_err(|error| unwritable(error.error))?;
        Ok(())
    }

    /// The permissions of the whole cache. It is not made when it is missing: that may be a disk that is not mounted.
    fn mode(&self) -> Result<u32, Failure> {
        match fs::metadata(&self.root) {
            Ok(metadata) if metadata.is_dir() => Ok(metadata.permissions().mode()),
            Ok(_) => Err(Failure::Off("it is not a directory".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Failure::Off("there is no such directory".to_owned()))
            }
            Err(error) => Err(Failure::Off(format!("it cannot be read: {error}"))),
        }
    }
}

/// Makes the folder of one kind, for the same people as the whole cache, whatever the umask of this process is.
fn make_folder(folder: &Path, mode: u32) -> io::Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(mode & 0o7777)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn unwritable(error: io::Error) -> Failure {
    Failure::ReadOnly(format!("it cannot be written: {error}"))
}
