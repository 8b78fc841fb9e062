//! Finds absolute paths of this machine in what a tool wrote: such a file is of no use in another place.

use std::io::{self, Read};

use memchr::memmem::Finder;

/// How many bytes are looked at once.
const CHUNK: usize = 256 * 1024;
/// A path shorter than this is in every file.
const MIN_NEEDLE: usize = 3;
/// How many bytes after a path tell whether it ends there.
const LOOK_AHEAD: usize = 2;

/// Whether one of these paths, or a path under it, is named in these bytes. It stands there as it is: what a tool
/// compressed or encoded is not seen. A path that merely begins in the same way is another one: `/home/ann` is not in
/// `/home/anna/top.v`. What precedes a path does not matter, since many a tool is told `-I/home/ann/rtl`.
///
/// # Errors
/// When the bytes cannot be read.
pub fn leaks(mut from: impl Read, paths: &[&[u8]]) -> io::Result<bool> {
    let needles: Vec<Finder> = paths.iter().filter_map(|path| needle(path)).map(Finder::new).collect();
    let Some(longest) = needles.iter().map(|needle| needle.needle().len()).max() else { return Ok(false) };
    let overlap = longest + LOOK_AHEAD;
    let mut bytes = vec![0; CHUNK.max(overlap) + overlap];
    let mut len = 0;
    loop {
        let end = loop {
            match from.read(&mut bytes[len..]) {
                Ok(0) => break true,
                Ok(n) => len += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if len == bytes.len() {
                break false;
            }
        };
        // A path at the very end of a chunk is judged with the next one, which tells how it goes on.
        let judged = if end { len } else { len - LOOK_AHEAD };
        for needle in &needles {
            let mut ends = needle.find_iter(&bytes[..judged]).map(|at| at + needle.needle().len());
            if ends.any(|after| !goes_on(&bytes[after..len])) {
                return Ok(true);
            }
        }
        if end {
            return Ok(false);
        }
        bytes.copy_within(len - overlap.., 0);
        len = overlap;
    }
}

/// What to look for: the path without slashes at its end; nothing for one that says nothing.
fn needle(path: &[u8]) -> Option<&[u8]> {
    let len = path.iter().rposition(|byte| *byte != b'/')? + 1;
    (len >= MIN_NEEDLE).then_some(&path[..len])
}

/// Whether a file name goes on with these bytes. One that ends a sentence does not.
fn goes_on(bytes: &[u8]) -> bool {
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    match bytes {
        [b'.' | b'-' | b'+' | b'~', next, ..] => in_name(next),
        [next, ..] => in_name(next),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8], paths: &[&str]) -> bool {
        let paths: Vec<&[u8]> = paths.iter().map(|path| path.as_bytes()).collect();
        leaks(bytes, &paths).unwrap()
    }

    #[test]
    fn a_path_ends_where_its_name_ends() {
        for text in ["/srv/ann", "/srv/ann/top.v", "-I/srv/ann:", "\0/srv/ann\0", "in /srv/ann.", "/srv/ann\u{e9}"] {
            assert!(found(text.as_bytes(), &["/srv/ann"]), "{text}");
            assert!(found(text.as_bytes(), &["/srv/ann/"]), "{text}");
        }
        for text in ["/srv/anna", "/srv/ann_2", "/srv/ann.old", "/srv/ann-2", "/srv/an", "", "/srv/anna and /srv/ann9"]
        {
            assert!(!found(text.as_bytes(), &["/srv/ann"]), "{text}");
        }
        assert!(found(b"/srv/anna and /srv/ann", &["/none", "/srv/ann"]));
        assert!(!found(b"/ /a // x", &["/", "//", "/a", "", "x"]), "such paths say nothing");
    }

    /// Gives a few bytes at a time, as a pipe does.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.0.len().min(buffer.len()).min(40_001);
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[test]
    fn chunks_hide_nothing_and_invent_nothing() {
        let path = b"/srv/ann/project";
        for at in (CHUNK - 40..CHUNK + 60).chain(2 * CHUNK - 40..2 * CHUNK + 60) {
            let mut bytes = vec![b'a'; 3 * CHUNK];
            bytes[at..at + path.len()].copy_from_slice(path);
            let after = at + path.len();
            assert!(!leaks(Drops(&bytes), &[path]).unwrap(), "another path at {at}");
            bytes[after] = b'.';
            assert!(!leaks(Drops(&bytes), &[path]).unwrap(), "another path with a dot at {at}");
            bytes[after + 1] = b' ';
            assert!(leaks(Drops(&bytes), &[b"/none", path]).unwrap(), "at {at}");
        }
    }
}
