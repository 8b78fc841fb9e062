//! Measures other processes from outside: what one costs, and when one that runs tools has none running.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Stop, process};

/// How long a measured command may run. None of them takes half as long on a slow machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// How often the processes are looked at. Each start and end of a tool is seen this much late at most.
const PERIOD: Duration = Duration::from_millis(2);
/// The unit of processor time in `/proc/PID/stat`: 100 per second on every Linux (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// What a run of a command cost.
pub(crate) struct Cost {
    pub(crate) status: ExitStatus,
    /// Processor time, with that of the descendants it waited for.
    pub(crate) cpu: Duration,
    /// From start to end.
    pub(crate) wall: Duration,
}

/// Runs a command to its end. One that takes longer than [`PATIENCE`] is killed, and that is a failure.
pub(crate) fn cost(command: &mut Command) -> Result<Cost, Stop> {
    cost_within(command, PATIENCE)
}

/// The processor time that this thread needs for something.
#[expect(unsafe_code, reason = "no safe wrapper tells the processor time of a thread")]
pub(crate) fn own_cpu<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let now = || {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the pointer is to a `timespec` of this function's own; this clock is on every Linux.
        unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
    };
    let begin = now();
    let made = work();
    (made, now().saturating_sub(begin))
}

fn cost_within(command: &mut Command, patience: Duration) -> Result<Cost, Stop> {
    let not_waited_for = |error| Stop::environment(format!("cannot wait for a process: {error}"));
    let (ended, end) = mpsc::channel::<()>();
    let (started, start) = mpsc::channel();
    thread::scope(|scope| {
        let watch = scope.spawn(move || {
            let Ok(pid) = start.recv() else { return false };
            let late = end.recv_timeout(patience) == Err(RecvTimeoutError::Timeout);
            if late {
                signal(pid, libc::SIGKILL);
            }
            late
        });
        let begin = Instant::now();
        let child = command.spawn().map_err(|e| process::not_started(command, &e))?;
        let pid = libc::pid_t::try_from(child.id()).expect("process ids are pid_t");
        // The watch lives until it was told of the end.
        let _ = started.send(pid);
        let waited = wait_for_end(pid);
        let wall = begin.elapsed();
        drop(ended);
        let late = watch.join().expect("the watch does not panic");
        // Only now: until it is reaped, no other process has this id.
        let (status, cpu) = waited.and_then(|()| reap(pid)).map_err(not_waited_for)?;
        if late {
            let (program, seconds) = (command.get_program().display(), patience.as_secs());
            return Err(Stop::failed(format!("{program} took longer than {seconds} s and was killed")));
        }
        Ok(Cost { status, cpu, wall })
    })
}

/// Sends a signal to a process that may be gone.
#[expect(unsafe_code, reason = "no safe wrapper kills by id")]
pub(crate) fn signal(pid: libc::pid_t, signal: libc::c_int) {
    // SAFETY: kill(2) touches no memory. That the process is gone is no error here.
    unsafe { libc::kill(pid, signal) };
}

/// Waits until a child has ended, and leaves it there to be reaped.
#[expect(unsafe_code, reason = "no safe wrapper waits without reaping")]
fn wait_for_end(pid: libc::pid_t) -> io::Result<()> {
    let id = libc::id_t::try_from(pid).expect("process ids are not negative");
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: the pointer is to a live variable of the type that waitid(2) fills in.
    while unsafe { libc::waitid(libc::P_PID, id, info.as_mut_ptr(), libc::WEXITED | libc::WNOWAIT) } != 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(())
}

/// Reaps a child: its exit status and its processor time.
#[expect(unsafe_code, reason = "no safe wrapper gives one child's resource usage")]
fn reap(pid: libc::pid_t) -> io::Result<(ExitStatus, Duration)> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are to live variables of the types that wait4(2) fills in, and nobody else waits for the child.
    while unsafe { libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr()) } != pid {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    // SAFETY: all zeroes is a valid rusage, and wait4 succeeded.
    let usage = unsafe { usage.assume_init() };
    let time = |time: libc::timeval| {
        let micros = u32::try_from(time.tv_usec).expect("less than a second");
        Duration::new(u64::try_from(time.tv_sec).expect("time does not run backwards"), micros * 1000)
    };
    Ok((ExitStatus::from_raw(status), time(usage.ru_utime) + time(usage.ru_stime)))
}

/// A run of a program that runs tools.
pub(crate) struct Overhead {
    pub(crate) status: ExitStatus,
    /// From start to end.
    pub(crate) wall: Duration,
    /// The part of it in which no tool was running.
    pub(crate) idle: Duration,
    /// Processor time of the program's own processes, to 10 ms for each.
    pub(crate) own: Duration,
}

/// Runs a command to its end and watches its descendants. Those that execute a file of the program's folder are its own,
/// all others are tools.
pub(crate) fn overhead(command: &mut Command, program: &Path) -> io::Result<Overhead> {
    let home = program.canonicalize()?.parent().expect("it is a file").to_path_buf();
    let started = Instant::now();
    let mut child = command.spawn()?;
    let mut own: BTreeMap<u32, Duration> = BTreeMap::new();
    let mut idle = Duration::ZERO;
    let mut seen = started;
    loop {
        // Until it is waited for, an ended process still tells its time.
        let ended = stat(child.id()).is_none_or(|(state, _)| state == 'Z');
        let mut tools = false;
        look(child.id(), &home, &mut own, &mut tools);
        let now = Instant::now();
        if !tools {
            idle += now - seen;
        }
        seen = now;
        if ended {
            return Ok(Overhead { status: child.wait()?, wall: seen - started, idle, own: own.values().sum() });
        }
        thread::sleep(PERIOD);
    }
}

/// Looks at a process of the program's own and at all below it.
fn look(pid: u32, home: &Path, own: &mut BTreeMap<u32, Duration>, tools: &mut bool) {
    if let Some((_, time)) = stat(pid) {
        own.insert(pid, time);
    }
    for thread in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
            // An ended process executes nothing any more.
            let Ok(executable) = fs::read_link(format!("/proc/{child}/exe")) else { continue };
            if executable.parent() == Some(home) {
                look(child, home, own, tools);
            } else {
                *tools = true;
            }
        }
    }
}

/// The state letter of a process and the processor time it used itself; `None` when it is gone.
fn stat(pid: u32) -> Option<(char, Duration)> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// See proc_pid_stat(5): fields 3, 14 and 15. The name, field 2, may have spaces and brackets in it.
fn parse_stat(text: &str) -> Option<(char, Duration)> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u32 = fields.get(11)?.parse::<u32>().ok()? + fields.get(12)?.parse::<u32>().ok()?;
    Some((fields.first()?.chars().next()?, TICK * ticks))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::{cost, cost_within, overhead, parse_stat};

    #[test]
    fn reads_a_process_with_an_awkward_name() {
        let text = "71 (a) b (c) S 1 71 71 0 -1 4194560 1 0 0 0 12 30 500 600 20 0 1 0 100 1 1";
        assert_eq!(parse_stat(text), Some(('S', Duration::from_millis(420))));
        assert_eq!(parse_stat("71 (a"), None);
    }

    #[test]
    fn the_exit_status_and_both_times_come_through() {
        let cost =
            |script| cost(Command::new("sh").args(["-c", script])).unwrap_or_else(|stop| panic!("{}", stop.message));
        assert_eq!(cost("exit 3").status.code(), Some(3));
        assert_eq!(cost("kill -SEGV $$").status.signal(), Some(libc::SIGSEGV));
        let asleep = cost("sleep 0.2");
        assert!(asleep.wall >= Duration::from_millis(200) && asleep.cpu < asleep.wall / 2);
        let busy = cost("sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'; true");
        assert!(busy.cpu >= Duration::from_millis(10), "a child's time counts: {:?}", busy.cpu);
    }

    #[test]
    fn what_hangs_is_killed() {
        let begin = Instant::now();
        let late = cost_within(Command::new("sleep").arg("60"), Duration::from_millis(100));
        assert_eq!(late.err().map(|stop| stop.message).as_deref(), Some("sleep took longer than 0 s and was killed"));
        assert!(begin.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn tells_tools_from_the_program_itself() {
        let dir = crate::process::target().unwrap_or_else(|stop| panic!("{}", stop.message));
        let dir = dir.join(format!("measure-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let program = dir.join("program");
        // By another process: a child that another test starts meanwhile would hold the new program open for writing, and
        // the system starts no such program.
        assert!(Command::new("cp").arg("/bin/sh").arg(&program).status().unwrap().success());

        // A copy of the shell that runs itself, which is no tool; then itself with a tool.
        let mut command = Command::new(&program);
        let alone = overhead(
            command.args(["-c", "\"$0\" -c 'read x' < \"$1\"; exit 4"]).arg(&program).arg("/dev/null"),
            &program,
        );
        let mut command = Command::new(&program);
        let tool = overhead(command.args(["-c", "\"$0\" -c 'sleep 0.3; true'; true"]).arg(&program), &program);
        std::fs::remove_dir_all(&dir).unwrap();

        let (alone, tool) = (alone.unwrap(), tool.unwrap());
        assert_eq!(alone.status.code(), Some(4));
        assert_eq!(alone.wall, alone.idle, "no tool ran");
        assert!(tool.status.success());
        assert!(tool.wall - tool.idle >= Duration::from_millis(100), "the tool was seen");
    }
}
