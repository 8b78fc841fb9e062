//! A reader that believes nothing: its last bytes come only when size and digest are right, so that whoever copies from
//! it has a whole and correct copy or an error.

use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};
use tapeout_model::Digest;

/// Why a [`Verified`] ended with an error.
pub(super) enum Fault {
    /// There is other content than there should be.
    Content(&'static str),
    /// It could not be read to its end.
    Source(io::Error),
}

/// A content on its way.
pub(super) struct Verified<R> {
    from: R,
    digest: Digest,
    left: u64,
    hasher: Sha256,
    /// Size and digest were found right.
    whole: bool,
    fault: Option<Fault>,
}

impl<R: Read> Verified<R> {
    pub(super) fn new(from: R, digest: Digest, size: u64) -> Self {
        Self { from, digest, left: size, hasher: Sha256::new(), whole: false, fault: None }
    }

    /// Why it ended with an error; `None` when it did not, or the error came from elsewhere.
    pub(super) fn into_fault(self) -> Option<Fault> {
        self.fault
    }

    fn fail(&mut self, fault: Fault) -> io::Error {
        let error = match &fault {
            Fault::Content(what) => io::Error::new(io::ErrorKind::InvalidData, *what),
            Fault::Source(error) => io::Error::new(error.kind(), error.to_string()),
        };
        self.fault = Some(fault);
        error
    }

    fn read_source(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.from.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.fail(Fault::Source(error))),
                Ok(n) => return Ok(n),
            }
        }
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.whole {
            return Ok(0);
        }
        let room = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let n = if self.left == 0 { 0 } else { self.read_source(&mut buffer[..room])? };
        if n == 0 && self.left > 0 {
            return Err(self.fail(Fault::Content("it is shorter than it should be")));
        }
        self.hasher.update(&buffer[..n]);
        if self.left == n as u64 {
            if self.read_source(&mut [0])? != 0 {
                return Err(self.fail(Fault::Content("it is longer than it should be")));
            }
            if Digest(self.hasher.finalize_reset().into()) != self.digest {
                return Err(self.fail(Fault::Content("its content is not what its name says")));
            }
            self.whole = true;
        }
        self.left -= n as u64;
        Ok(n)
    }
}

/// Copies all of it.
pub(super) fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            n => to.write_all(&buffer[..n])?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash_bytes;

    #[test]
    fn lets_only_the_right_content_through() {
        let content = vec![7; 1 << 20];
        let digest = hash_bytes(&content);
        let copied = |bytes: &[u8], size: u64| {
            let mut copied = Vec::new();
            copy(&mut Verified::new(bytes, digest, size), &mut copied).map(|()| copied)
        };
        assert_eq!(copied(&content, 1 << 20).unwrap(), content);
        let mut other = content.clone();
        other[0] = 8;
        for (bytes, size) in [(&other[..], 1 << 20), (&content[1..], 1 << 20), (&content, (1 << 20) - 1)] {
            assert_eq!(copied(bytes, size).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
        for bytes in [&content[..], b""] {
            assert_eq!(copied(bytes, 0).unwrap_err().kind(), io::ErrorKind::InvalidData, "no content is one, too");
        }
        let mut none = Vec::new();
        copy(&mut Verified::new(&b""[..], hash_bytes(b""), 0), &mut none).unwrap();
        assert!(none.is_empty());
    }
}
