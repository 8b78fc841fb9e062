//! What the targets share: a design directory that is thrown away, confinement to it, the schema, and what must hold
//! of every answer. What each reader is given is the targets' own.

pub mod check;
pub mod schema;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::LazyLock;

use landlock::{ABI, AccessFs, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr};

/// The design directory of this process. `TMPDIR` says where; whoever starts the process removes it.
pub static DESIGN: LazyLock<PathBuf> = LazyLock::new(|| {
    let dir = env::temp_dir().join(format!("tapeout-fuzz-{}", process::id()));
    for below in ["src", "pdk/p/libs.tech/librelane/s"] {
        fs::create_dir_all(dir.join(below)).expect("the design directory can be made");
    }
    for (name, text) in [
        ("src/a.v", "module a; endmodule\n"),
        ("src/b.v", ""),
        ("pdk/p/libs.tech/librelane/config.tcl", "set ::env(A) 1\n"),
        ("pdk/p/libs.tech/librelane/s/config.tcl", "set ::env(B) 1\n"),
    ] {
        fs::write(dir.join(name), text).expect("the design directory can be written");
    }
    dir
});

/// Makes the design directory, beside which nothing can be read from now on but the corpus.
pub fn confine() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = AccessFs::from_read(ABI::V1);
    let mut rules = Ruleset::default()
        .handle_access(read)
        .and_then(Ruleset::create)
        .expect("a ruleset is made, or passed over where the kernel has none");
    let named = env::args().skip(1).filter(|arg| !arg.starts_with('-')).map(PathBuf::from);
    for place in [DESIGN.clone(), fuzz.join("corpus"), fuzz.join("artifacts")].into_iter().chain(named) {
        if let Ok(opened) = PathFd::new(place) {
            rules = rules.add_rule(PathBeneath::new(opened, read)).expect("a rule is added");
        }
    }
    rules.restrict_self().expect("the process confines itself");
}

/// Writes a file of the design.
pub fn write(name: &str, bytes: &[u8]) -> PathBuf {
    let path = DESIGN.join(name);
    fs::write(&path, bytes).expect("the design directory can be written");
    path
}

/// The parts of an input that lines such as `==> NAME` begin, as `head` prints several files. What stands before the
/// first belongs to `first`.
pub fn sections<'d>(data: &'d [u8], first: &'d [u8]) -> Vec<(&'d [u8], &'d [u8])> {
    let mut sections = vec![(first, 0, 0)];
    let mut at = 0;
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        if let Some(name) = line.strip_prefix(b"==> ") {
            sections.push((name.trim_ascii(), at + line.len(), at + line.len()));
        }
        at += line.len();
        if let Some((_, start, end)) = sections.last_mut() {
            *end = at.max(*start);
        }
    }
    sections.into_iter().map(|(name, start, end)| (name, &data[start..end])).collect()
}

/// Whether an input may have a pattern that leads out of the design. Where the kernel cannot confine the process, it would
/// be looked for all over the machine.
pub fn leads_out(data: &[u8]) -> bool {
    let absolute = |pair: &[u8]| pair[1] == b'/' && !(pair[0].is_ascii_alphanumeric() || b"_.*?]".contains(&pair[0]));
    data.contains(&b'*') && (data.first() == Some(&b'/') || data.windows(2).any(|pair| pair == b".." || absolute(pair)))
}
