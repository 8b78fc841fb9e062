//! SHA-256 over bytes and over structured keys.

use std::cell::RefCell;
use std::io::{self, Read};

use sha2::{Digest as _, Sha256};
use tapeout_model::Digest;

/// The digest of some bytes.
#[must_use]
pub fn hash_bytes(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// Large enough that system calls do not count, small enough to stay in the second-level cache.
const BUFFER: usize = 128 * 1024;

thread_local! {
    // Kept, as fresh pages for each file would cost more than hashing a small one.
    static BUFFERS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The digest of all that a reader gives. `each` sees every part of it.
pub(crate) fn hash_reader(reader: &mut impl Read, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<Digest> {
    BUFFERS.with_borrow_mut(|buffer| {
        buffer.resize(BUFFER, 0);
        let mut hasher = Sha256::new();
        loop {
            match reader.read(buffer) {
                Ok(0) => return Ok(Digest(hasher.finalize().into())),
                Ok(n) => {
                    hasher.update(&buffer[..n]);
                    each(&buffer[..n])?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    })
}

/// Hashes the parts of a key so that two different lists of parts never hash the same bytes: each part is preceded by
/// its length, and each key begins with a domain.
pub struct KeyHasher(Sha256);

impl KeyHasher {
    /// Begins a key of one kind; keys of different domains never meet.
    #[must_use]
    pub fn new(domain: &str) -> Self {
        let mut hasher = Self(Sha256::new());
        hasher.text(domain);
        hasher
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Adds bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
        self
    }

    /// Adds a number; lists are preceded by their length.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.0.update(number.to_le_bytes());
        self
    }

    /// Adds a digest, or that there is none.
    pub fn digest(&mut self, digest: Option<&Digest>) -> &mut Self {
        match digest {
            Some(digest) => {
                self.0.update([1]);
                self.0.update(digest.0);
            }
            None => self.0.update([0]),
        }
        self
    }

    /// The key.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        let key = |parts: &[&str]| {
            let mut hasher = KeyHasher::new("test");
            for part in parts {
                hasher.text(part);
            }
            hasher.finish()
        };
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_eq!(hash_bytes(b"").to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
