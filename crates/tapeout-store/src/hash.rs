//! SHA-256 over bytes and over structured keys.

use sha2::{Digest as _, Sha256};
use tapeout_model::Digest;

/// The digest of some bytes.
#[must_use]
pub fn hash_bytes(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
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
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
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
