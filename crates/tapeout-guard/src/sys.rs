//! The system calls that no safe wrapper has: start a process by `clone`, collect one with its resource usage, and turn
//! signals into something to poll. All unsafe code of the crate is here.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fs;
use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr;
use std::time::Duration;

use rustix::process::Pid;

use crate::spec::Limits;
use crate::wire::{Refusal, Step};

/// Everything that a new process is made of.
pub(crate) struct Image<'a> {
    pub(crate) program: &'a CStr,
    pub(crate) args: &'a [CString],
    pub(crate) env: &'a [CString],
    pub(crate) cwd: &'a CStr,
    /// Standard input, output and error, all of them above 2.
    pub(crate) streams: [BorrowedFd<'a>; 3],
    pub(crate) limits: Limits,
    /// The Landlock ruleset that confines it.
    pub(crate) ruleset: Option<BorrowedFd<'a>>,
    /// The control group that it is a part of from its start.
    pub(crate) cgroup: Option<BorrowedFd<'a>>,
}

/// The same, prepared so that the child allocates nothing.
struct Plan<'a> {
    image: &'a Image<'a>,
    args: Vec<*const c_char>,
    env: Vec<*const c_char>,
    parent: libc::pid_t,
    refusal: Option<Refusal>,
}

/// Starts a process; it runs, or the step that failed is told.
///
/// The child shares this process's memory until it has called `exec` or exited, and this process waits for that
/// (`CLONE_VFORK`, as `posix_spawn` does): nothing is copied, and a failure needs no pipe to be told.
pub(crate) fn start(image: &Image) -> Result<Pid, Refusal> {
    const STACK: usize = 64 * 1024;

    let pointers = |strings: &[CString]| -> Vec<*const c_char> {
        strings.iter().map(|s| s.as_ptr()).chain([ptr::null()]).collect()
    };
    let mut plan = Plan {
        image,
        args: pointers(image.args),
        env: pointers(image.env),
        parent: rustix::process::getpid().as_raw_nonzero().get(),
        refusal: None,
    };
    let mut stack = Vec::<MaybeUninit<u128>>::with_capacity(STACK / size_of::<u128>());
    let top = stack.spare_capacity_mut().as_mut_ptr_range().end;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK;
    // SAFETY: the stack is ours, aligned to 16 bytes and outlives the child's use of it, because CLONE_VFORK suspends us
    // until the child has left our memory; for the same reason nobody else touches `plan` meanwhile. The guard is
    // single-threaded and has no signal handlers, so nothing else runs in the child.
    let pid = unsafe {
        match image.cgroup {
            None => libc::clone(child, top.cast(), flags | libc::SIGCHLD, (&raw mut plan).cast()),
            Some(cgroup) => clone_into(cgroup, flags, stack.as_mut_ptr().cast(), STACK, (&raw mut plan).cast()),
        }
    };
    let Some(pid) = Pid::from_raw(pid.max(0)) else {
        return Err(Refusal { step: Step::Fork, errno: errno() });
    };
    match plan.refusal {
        None => Ok(pid),
        Some(refusal) => {
            // The zombie of the child that could not become the program; it is dead, so this does not block.
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
            Err(refusal)
        }
    }
}

/// `clone` into a control group, which only `clone3` can do, for which the C library has no function. To move a process
/// there after its start would take the kernel some milliseconds.
///
/// SAFETY: as for `clone`; `stack` is the lowest address of `size` bytes, aligned to 16.
unsafe fn clone_into(cgroup: BorrowedFd, flags: c_int, stack: *mut c_void, size: usize, plan: *mut c_void) -> c_int {
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    // SAFETY: the struct is plain numbers, for which zeroes are valid.
    let mut args: libc::clone_args = unsafe { mem::zeroed() };
    args.flags = u64::from(flags.unsigned_abs()) | CLONE_INTO_CGROUP;
    args.exit_signal = u64::from(libc::SIGCHLD.unsigned_abs());
    args.stack = stack as u64;
    args.stack_size = size as u64;
    args.cgroup = u64::from(cgroup.as_raw_fd().unsigned_abs());
    let result: isize;
    // SAFETY: in the parent this is a system call, which keeps all registers but those named. The child, on its own
    // stack, calls `child`, which never returns; what it does to registers and to that stack the parent does not see.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, {plan}",
            "call {child}",
            "ud2",
            "2:",
            plan = in(reg) plan,
            child = in(reg) child as extern "C" fn(*mut c_void) -> c_int,
            inlateout("rax") libc::SYS_clone3 as isize => result,
            in("rdi") &raw const args,
            in("rsi") size_of::<libc::clone_args>(),
            // Lost in the call, before `plan` and `child` are used: not `lateout`.
            out("rcx") _,
            out("r11") _,
        );
        #[cfg(target_arch = "aarch64")]
        std::arch::asm!(
            "svc 0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x0, {plan}",
            "blr {child}",
            "brk 1",
            "2:",
            plan = in(reg) plan,
            child = in(reg) child as extern "C" fn(*mut c_void) -> c_int,
            in("x8") libc::SYS_clone3,
            inlateout("x0") (&raw const args) as isize => result,
            in("x1") size_of::<libc::clone_args>(),
        );
        if result < 0 {
            *libc::__errno_location() = i32::try_from(-result).unwrap_or(libc::EINVAL);
        }
    }
    c_int::try_from(result).unwrap_or(-1)
}

/// The child's life up to `exec`: system calls only.
extern "C" fn child(plan: *mut c_void) -> c_int {
    // SAFETY: `start` passes a `Plan` and is suspended while this runs, so the reference is unique. All pointers in it
    // are to NUL-terminated strings and NULL-terminated arrays that `start` keeps alive. Every call below is a plain
    // system call that is safe between fork and exec and changes this process only: CLONE_FILES, CLONE_FS and
    // CLONE_SIGHAND are not set.
    unsafe {
        let plan = &mut *plan.cast::<Plan>();
        let step = become_program(plan);
        plan.refusal = Some(Refusal { step, errno: errno() });
        libc::_exit(127)
    }
}

/// Returns only when a step failed, with `errno` set.
///
/// SAFETY: to be called in the child only, with a plan whose pointers are valid.
unsafe fn become_program(plan: &Plan) -> Step {
    // SAFETY: see `child`; the out parameters are locals.
    unsafe {
        // The tool dies with the guard. Had the guard died before this call, nobody would be there to read why we stop.
        if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 || libc::getppid() != plan.parent {
            return Step::Attach;
        }
        if libc::setpgid(0, 0) != 0 {
            return Step::Attach;
        }
        for (fd, stream) in (0..).zip(&plan.image.streams) {
            if libc::dup2(stream.as_raw_fd(), fd) < 0 {
                return Step::Attach;
            }
        }
        let limits = plan.image.limits;
        for (which, limit) in [(libc::RLIMIT_AS, limits.address_space), (libc::RLIMIT_FSIZE, limits.file_size)] {
            let Some(limit) = limit else { continue };
            if libc::setrlimit(which, &libc::rlimit { rlim_cur: limit, rlim_max: limit }) != 0 {
                return Step::Limits;
            }
        }
        if libc::chdir(plan.image.cwd.as_ptr()) != 0 {
            return Step::WorkDir;
        }
        let mut none = MaybeUninit::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        if libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut()) != 0 {
            return Step::Attach;
        }
        if let Some(ruleset) = plan.image.ruleset {
            // What the kernel demands of those who are not root, and the same for root.
            if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
                || libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) != 0
            {
                return Step::Confine(None);
            }
        }
        libc::execve(plan.image.program.as_ptr(), plan.args.as_ptr(), plan.env.as_ptr());
        Step::Exec
    }
}

/// The version of the kernel's Landlock interface; `None` where it has none.
pub(crate) fn landlock_version() -> Option<u32> {
    const CREATE_RULESET_VERSION: c_int = 1;
    // SAFETY: with this flag nothing is passed and nothing is made.
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, ptr::null::<c_void>(), 0, CREATE_RULESET_VERSION) };
    u32::try_from(version).ok().filter(|&version| version > 0)
}

/// What `wait4` found.
pub(crate) enum Reaped {
    /// A child that has ended.
    Child(Ended),
    /// There are children, none of them has ended.
    AllAlive,
    /// There are no children.
    NoChildren,
}

/// A child that has ended, and what it used.
pub(crate) struct Ended {
    pub(crate) pid: Pid,
    /// For `ExitStatusExt::from_raw`.
    pub(crate) status: i32,
    pub(crate) user: Duration,
    pub(crate) system: Duration,
    pub(crate) max_rss_kib: u64,
}

/// Collects one ended child, without blocking.
pub(crate) fn reap() -> io::Result<Reaped> {
    let mut status = 0;
    // SAFETY: rusage is plain numbers, for which zeroes are valid, and both out parameters are locals.
    let (pid, usage) = unsafe {
        let mut usage: libc::rusage = mem::zeroed();
        (libc::wait4(-1, &mut status, libc::WNOHANG, &mut usage), usage)
    };
    match Pid::from_raw(pid.max(0)) {
        Some(pid) => Ok(Reaped::Child(Ended {
            pid,
            status,
            user: duration(usage.ru_utime),
            system: duration(usage.ru_stime),
            max_rss_kib: u64::try_from(usage.ru_maxrss).unwrap_or(0),
        })),
        None if pid == 0 => Ok(Reaped::AllAlive),
        None if errno() == libc::ECHILD => Ok(Reaped::NoChildren),
        None => Err(io::Error::last_os_error()),
    }
}

/// Blocks every signal that can be blocked, gives all of them their default action (for the children to inherit), and
/// returns a descriptor that is readable when a child has ended.
pub(crate) fn take_signals() -> io::Result<OwnedFd> {
    // SAFETY: the sets are initialised by sigfillset and sigemptyset before they are read, and the descriptor that
    // signalfd returns is new and ours. The dispositions that are replaced were made by the Rust runtime, for messages
    // only.
    unsafe {
        let mut set = MaybeUninit::uninit();
        libc::sigfillset(set.as_mut_ptr());
        check(libc::sigprocmask(libc::SIG_SETMASK, set.as_ptr(), ptr::null_mut()))?;
        for signal in 1..=64 {
            // Fails for SIGKILL, SIGSTOP and the two that the C library keeps for itself.
            libc::signal(signal, libc::SIG_DFL);
        }
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGCHLD);
        let fd = check(libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Closes whatever was inherited besides the standard streams: a pipe of the user's shell must not stay open because a
/// tool runs.
pub(crate) fn close_inherited_files() -> io::Result<()> {
    let numbers = fs::read_dir("/proc/self/fd")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    for fd in numbers.filter(|&fd: &RawFd| fd > 2).collect::<Vec<_>>() {
        // SAFETY: this runs first thing in the guard's main, when nobody owns a descriptor yet. The directory's own is
        // closed already, which close(2) reports and nothing else notices.
        unsafe { libc::close(fd) };
    }
    Ok(())
}

/// Makes a command start in a session of its own, so that the terminal's Ctrl-C is not meant for it even in its first
/// moments.
pub(crate) fn in_own_session(command: &mut Command) -> &mut Command {
    // SAFETY: setsid is async-signal-safe, and the closure does nothing else.
    unsafe { command.pre_exec(|| Ok(rustix::process::setsid().map(drop)?)) }
}

fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn errno() -> i32 {
    // SAFETY: the C library's pointer to this thread's errno is always valid. (In the child that is the guard's, which
    // nobody else reads at that time.)
    unsafe { *libc::__errno_location() }
}

fn duration(time: libc::timeval) -> Duration {
    let micros = time.tv_sec * 1_000_000 + time.tv_usec;
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    /// What `start` says, and how the program ended.
    fn run(cgroup: Option<BorrowedFd>, script: &str) -> Result<i32, Refusal> {
        let nothing = fs::File::open("/dev/null").unwrap();
        let args = [c"sh", c"-c", &CString::new(script).unwrap()].map(CStr::to_owned);
        let pid = start(&Image {
            program: c"/bin/sh",
            args: &args,
            env: &[],
            cwd: c"/",
            streams: [nothing.as_fd(); 3],
            limits: Limits::default(),
            ruleset: None,
            cgroup,
        })?;
        let (_, status) = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty()).unwrap().unwrap();
        Ok(status.exit_status().unwrap())
    }

    #[test]
    fn a_process_starts_in_a_control_group_or_not_at_all() {
        assert_eq!(run(None, "exit 5").unwrap(), 5);
        // This process's own group always exists, though only root may start something in it.
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mount = mounts.lines().find(|line| line.contains(" - cgroup2 ")).and_then(|line| line.split(' ').nth(4));
        let own = fs::read_to_string("/proc/self/cgroup").unwrap();
        let own = own.lines().find_map(|line| line.strip_prefix("0::"));
        if let (Some(mount), Some(own)) = (mount, own) {
            let group = fs::File::open(format!("{mount}{own}")).unwrap();
            match run(Some(group.as_fd()), "exit 4") {
                Ok(code) => assert_eq!(code, 4),
                Err(refusal) => assert!(!rustix::process::geteuid().is_root(), "{refusal:?}"),
            }
        }
        // Any directory that is none.
        let plain = fs::File::open("/").unwrap();
        let refusal = run(Some(plain.as_fd()), "exit 5").unwrap_err();
        assert_eq!((refusal.step, refusal.errno), (Step::Fork, libc::EBADF));
        // The guard is none the worse for having been cloned with registers of its own choosing.
        assert_eq!(run(None, "exit 6").unwrap(), 6);
    }
}
