//! Confinement to files: what a [`Confinement`](crate::Confinement) is to the kernel, a Landlock ruleset.
//!
//! The guard makes the ruleset before it makes the process, so that the child has one system call left to do.

use std::error::Error;
use std::ffi::CStr;
use std::io;
use std::os::fd::OwnedFd;

use landlock::{
    ABI, Access, AccessFs, BitFlags, PathBeneath, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr,
    RulesetError,
};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::sys;
use crate::wire::{Confine, Refusal, Step};

/// The newest version of the interface whose rights of files are used. An older kernel has fewer, and the crate leaves
/// out what it has not; a newer one's (version 9: to connect to sockets) would restrict more than files.
const VERSION: ABI = ABI::V5;

/// What every process may read and write.
const DEVICES: [&CStr; 8] =
    [c"/dev/null", c"/dev/zero", c"/dev/full", c"/dev/random", c"/dev/urandom", c"/dev/tty", c"/dev/ptmx", c"/dev/pts"];
/// What every process may read, unless it is hidden.
const PROCESSES: &CStr = c"/proc";

/// The version of the kernel's Landlock interface; `None` where it has none, and nothing can be confined.
#[must_use]
pub fn confinement_support() -> Option<u32> {
    sys::landlock_version()
}

/// Makes the ruleset.
pub(crate) fn ruleset(confine: &Confine) -> Result<OwnedFd, Refusal> {
    let (read, all) = (AccessFs::from_read(VERSION), AccessFs::from_all(VERSION));
    let whole = |error: &RulesetError| Refusal { step: Step::Confine(None), errno: errno(error) };
    let mut rules = Ruleset::default().handle_access(all).and_then(Ruleset::create).map_err(|error| whole(&error))?;
    for device in DEVICES {
        allow(&mut rules, device, all, None)?;
    }
    if !confine.hide_processes {
        allow(&mut rules, PROCESSES, read, None)?;
    }
    let reads = confine.read.iter().map(|path| (path, read));
    let lists = confine.list.iter().map(|path| (path, AccessFs::ReadDir.into()));
    let writes = confine.write.iter().map(|path| (path, all));
    for (number, (path, access)) in (0..).zip(reads.chain(lists).chain(writes)) {
        allow(&mut rules, path, access, Some(number))?;
    }
    // The crate takes a kernel without Landlock for one more old kernel.
    Option::<OwnedFd>::from(rules).ok_or(Refusal { step: Step::Confine(None), errno: Errno::OPNOTSUPP.raw_os_error() })
}

/// Allows access beneath a directory, or as far as it makes sense to a file.
fn allow(
    rules: &mut RulesetCreated,
    path: &CStr,
    access: BitFlags<AccessFs>,
    number: Option<u32>,
) -> Result<(), Refusal> {
    let refusal = |errno| Refusal { step: Step::Confine(number), errno };
    let opened = match rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
        Ok(opened) => opened,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
        Err(error) => return Err(refusal(error.raw_os_error())),
    };
    rules.add_rule(PathBeneath::new(opened, access)).map(drop).map_err(|error| refusal(errno(&error)))
}

/// What the system said, at the bottom of the crate's error.
fn errno(error: &RulesetError) -> i32 {
    let mut causes = std::iter::successors(Some(error as &dyn Error), |&error| error.source());
    causes.find_map(|cause| cause.downcast_ref::<io::Error>()?.raw_os_error()).unwrap_or(Errno::INVAL.raw_os_error())
}
