//! What the jobs of a world must make, worked out without tapeout; `job.sh` and the mill are the other two readings of the
//! same rules.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::world::{Job, World};

/// What a job must make.
pub(super) struct Expected {
    /// The content of `NAME.out`.
    pub(super) out: Vec<u8>,
    /// The content of `NAME.spare`, where there is one.
    pub(super) spare: Option<String>,
    /// All that its tool reads: when it has run with this before, it need not run.
    pub(super) reads: String,
}

/// What each job must make that runs in a world as it is now, by name.
pub(super) fn expect(world: &World) -> BTreeMap<String, Expected> {
    let mut all = BTreeMap::new();
    for job in &world.jobs {
        let chosen = job.chosen_by.as_ref().and_then(|path| world.files.get(path));
        let mut asked = Vec::new();
        for index in chosen.iter().flat_map(|text| text.split_whitespace()) {
            let child = &job.asks[index.parse::<usize>().expect("worlds choose by numbers")];
            // One that was not asked for has no output, though an earlier choice may have made it.
            let siblings = |name: &str| asked.iter().any(|asked: &String| asked == name);
            let expected = one(world, child, &all, &siblings, &[]);
            all.insert(child.name.clone(), expected);
            asked.push(child.name.clone());
        }
        asked.sort();
        let expected = one(world, job, &all, &|_| true, &asked);
        all.insert(job.name.clone(), expected);
    }
    all
}

/// `sees`: whether a job that is named as an input is there. `asked`: the jobs that it asked for, in order.
fn one(
    world: &World,
    job: &Job,
    all: &BTreeMap<String, Expected>,
    sees: &dyn Fn(&str) -> bool,
    asked: &[String],
) -> Expected {
    let text_of = |path: &str| world.files.get(path).map_or("", String::as_str);
    let tool = text_of(&format!("tools/{}", job.tool));
    let tool_salt = tool.split("TOOL_SALT=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let script = text_of(&job.script);
    let salt = script.lines().next().and_then(|line| line.strip_prefix("salt=")).unwrap_or_default();
    let mut told = Told { strips: job.strips, out: String::new(), reads: String::new() };
    told.line(&format!("job {} {} {salt} {tool_salt}", job.name, job.value));

    let file = |path: &str| world.files.get(path).map(String::as_bytes);
    for path in job.sources.iter().chain(&job.probes).chain(&job.copied) {
        told.file(path, file(path));
    }
    let mut queue: Vec<String> = job.tree.iter().cloned().collect();
    while !queue.is_empty() {
        let path = queue.remove(0);
        told.file(&path, file(&path));
        let included = text_of(&path).lines().filter_map(|line| line.strip_prefix("include "));
        queue.extend(included.map(str::to_owned));
    }
    let seen = |name: &String| all.get(name).filter(|_| sees(name));
    for name in &job.inputs {
        told.file(&format!("{name}.out"), seen(name).map(|made| made.out.as_slice()));
    }
    for name in &job.spares {
        told.file(&format!("{name}.spare"), seen(name).and_then(|made| made.spare.as_ref()).map(String::as_bytes));
    }
    for name in &job.tallies {
        let tally = |made: &Expected| made.out.iter().map(|byte| u64::from(*byte)).sum::<u64>() % 3;
        let tally = seen(name).map_or_else(|| "absent".to_owned(), |made| tally(made).to_string());
        told.line(&format!("{name} tally {tally}"));
    }
    for name in asked {
        let made = &all[name];
        told.file(&format!("{name}.out"), Some(&made.out));
        if let Some(spare) = &made.spare {
            told.file(&format!("{name}.spare"), Some(spare.as_bytes()));
        }
    }
    told.reads.push_str(tool);
    told.reads.push_str(script);

    let is_even = job.value.ends_with(['0', '2', '4', '6', '8']);
    let mut out = told.out.into_bytes();
    if job.bulk > 0 {
        let line = format!("{}\n", cksum(&out));
        let bulk: Vec<u8> = line.bytes().cycle().take(job.bulk).collect();
        out.extend(bulk);
        out.push(b'\n');
    }
    let spare = is_even.then(|| format!("spare of {} {}\n", job.name, job.value));
    Expected { out, spare, reads: told.reads }
}

/// What goes into a job: as its output tells it, and all of it.
struct Told {
    strips: bool,
    out: String,
    reads: String,
}

impl Told {
    fn line(&mut self, line: &str) {
        for text in [&mut self.out, &mut self.reads] {
            let _ = writeln!(text, "{line}");
        }
    }

    fn file(&mut self, label: &str, content: Option<&[u8]>) {
        let Some(content) = content else { return self.line(&format!("{label} absent")) };
        let stripped;
        let shown = if self.strips {
            let lines = content.split_inclusive(|byte| *byte == b'\n');
            stripped = lines.filter(|line| !line.starts_with(b"#")).collect::<Vec<_>>().concat();
            &stripped
        } else {
            content
        };
        let _ = writeln!(self.out, "{label} {}", cksum(shown));
        let _ = writeln!(self.reads, "{label} {}", cksum(content));
    }
}

/// What `cksum` of POSIX prints of its standard input: a CRC over content and length, and the length.
fn cksum(bytes: &[u8]) -> String {
    let length = bytes.len().to_le_bytes();
    let digits = length.len() - length.iter().rev().take_while(|byte| **byte == 0).count();
    let crc = bytes.iter().chain(&length[..digits]).fold(0u32, |crc, byte| {
        let [leading, ..] = crc.to_be_bytes();
        (crc << 8) ^ CRC[usize::from(leading ^ byte)]
    });
    format!("{} {}", !crc, bytes.len())
}

/// The remainder of each byte.
const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000_0000 != 0 { (crc << 1) ^ 0x04C1_1DB7 } else { crc << 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::cksum;

    #[test]
    fn sums_are_those_of_cksum() {
        assert_eq!(
            [cksum(b""), cksum(b"123456789"), cksum(&[7; 300])],
            ["4294967295 0", "930766865 9", "2871065992 300"]
        );
    }
}
