//! Does an invocation give the same when it runs once more? The recorded result stands whatever comes out; the second one
//! is only compared with it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tapeout_model::{Class, Output};
use tapeout_store::Entry;

use crate::{Failure, FoundTool, Invocation, JobCx};

/// What was not the same the second time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The file, or `exit statuses`.
    pub what: String,
    /// Where and how.
    pub how: String,
}

/// What differs when commands end in another way.
const STATUSES: &str = "exit statuses";

impl JobCx<'_> {
    /// Runs an invocation once more and compares its outputs with a recorded result, byte by byte.
    pub(crate) fn repeat(
        &self,
        invocation: &Invocation,
        tools: &[Arc<FoundTool>],
        first: &Entry,
    ) -> Result<Vec<Difference>, Failure> {
        let mut attempts = 0;
        let second = loop {
            attempts += 1;
            match self.run_tools(invocation, tools) {
                Ok(second) => break second,
                Err(failure) if failure.class == Class::Tool => {
                    let how = format!("{:?}, then {failure}", first.record().statuses);
                    return Ok(vec![Difference { what: STATUSES.to_owned(), how }]);
                }
                Err(failure) => self.try_again(failure, attempts)?,
            }
        };
        let mut differences = Vec::new();
        if second.statuses != first.record().statuses {
            let how = format!("{:?}, then {:?}", first.record().statuses, second.statuses);
            differences.push(Difference { what: STATUSES.to_owned(), how });
        }
        let names: BTreeSet<&String> = (invocation.outputs.iter().chain(&invocation.optional_outputs))
            .chain(first.record().outputs.iter().map(|output| &output.path))
            .chain(&second.files)
            .collect();
        for name in names {
            let there = second.files.contains(name);
            let how = match (first.record().output(name), there) {
                (None, false) => None,
                (Some(_), false) => Some("not written the second time".to_owned()),
                (None, true) => Some("written only the second time".to_owned()),
                (Some(output), true) => self.compare(output, &second.dir.path.join(name))?,
            };
            differences.extend(how.map(|how| Difference { what: name.clone(), how }));
        }
        Ok(differences)
    }

    fn compare(&self, first: &Output, second: &Path) -> Result<Option<String>, Failure> {
        let store = self.engine.store();
        if store.content_digest(second)? == first.digest {
            return Ok(None);
        }
        let failure = |error: io::Error| Failure::io(&format!("compare `{}`", second.display()), &error);
        let again = BufReader::new(File::open(second).map_err(failure)?);
        Ok(Some(first_difference(store.read(&first.digest)?.as_slice(), again).map_err(failure)?))
    }
}

/// Where two streams that are not equal differ, in words.
fn first_difference(first: impl BufRead, second: impl BufRead) -> io::Result<String> {
    let (mut first, mut second) = (first.bytes(), second.bytes());
    let (mut at, mut line) = (0_u64, 1_u64);
    let mut begin = None;
    let mut count = 0_u64;
    loop {
        let (a, b) = (first.next().transpose()?, second.next().transpose()?);
        let (Some(a), Some(b)) = (a, b) else {
            let (rest, which) = match (a, b) {
                (None, None) => (0, ""),
                (Some(_), None) => (1 + first.count() as u64, "shorter"),
                _ => (1 + second.count() as u64, "longer"),
            };
            let longer = if rest > 0 { format!("{rest} bytes {which} the second time") } else { String::new() };
            return Ok(match begin {
                None => longer,
                Some((at, line)) => {
                    let more = if rest > 0 { format!(", and {longer}") } else { String::new() };
                    format!("first at byte {at} (line {line}), {count} bytes in all{more}")
                }
            });
        };
        if a != b {
            begin.get_or_insert((at, line));
            count += 1;
        }
        at += 1;
        line += u64::from(a == b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_and_the_number_of_bytes_are_told() {
        let cases: [(&[u8], &[u8], &str); 3] = [
            (b"one\ntwo\n", b"one\ntXY\n", "first at byte 5 (line 2), 2 bytes in all"),
            (b"one", b"one two", "4 bytes longer the second time"),
            (b"abcd", b"aX", "first at byte 1 (line 1), 1 bytes in all, and 2 bytes shorter the second time"),
        ];
        for (first, second, expected) in cases {
            assert_eq!(first_difference(first, second).unwrap(), expected);
        }
    }
}
