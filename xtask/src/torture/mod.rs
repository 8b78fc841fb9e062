//! `cargo xtask torture`: what happens to results when processes are killed, files are damaged and disks are full.
//!
//! A small program, the mill (an example of the engine's crate), runs random graphs of real processes. Each torture edits
//! what the jobs read, does harm, lets the next run complete, and compares what it made with what it must make, which is
//! worked out here without tapeout. What was reported as done before the harm must not run again.

mod clock;
mod damage;
mod disk;
mod edits;
mod expect;
mod kill;
mod mill;
mod power;
mod random;
mod server;
mod several;
mod shared;
mod site;
mod store;
mod user;
mod world;

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use random::Random;
use site::Site;

use crate::{Stop, process};

/// One kind of harm.
struct Torture {
    name: &'static str,
    what: &'static str,
    /// How often, in the long form and in the short one.
    counts: [usize; 2],
    run: fn(&mut Cx<'_>) -> io::Result<()>,
}

const TORTURES: [Torture; 10] = [
    Torture { name: "kill", what: "kill -9 of tapeout, its guard, or both", counts: [200, 10], run: kill::run },
    Torture { name: "edits", what: "random edits; clean builds beside", counts: [60, 12], run: edits::run },
    Torture { name: "damage", what: "files of the store damaged", counts: [40, 8], run: damage::run },
    Torture { name: "power", what: "what a loss of power leaves", counts: [6, 1], run: power::run },
    Torture { name: "disk", what: "a full disk", counts: [30, 3], run: disk::run },
    Torture { name: "several", what: "two and four on one tree", counts: [24, 2], run: several::run },
    Torture { name: "store", what: "the store read-only or gone", counts: [12, 3], run: store::run },
    Torture { name: "clock", what: "a clock that was set back", counts: [10, 1], run: clock::run },
    Torture { name: "shared", what: "a shared cache slow, wrong or absent", counts: [51, 6], run: shared::run },
    Torture { name: "user", what: "all of it as an unprivileged user", counts: [30, 0], run: user::run },
];

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// One torture, or all.
    name: Option<String>,
    seed: Option<u64>,
    /// After this time no further harm is done.
    minutes: Option<u64>,
    /// How often each torture does its harm.
    count: Option<usize>,
    short: bool,
    /// The mill, where it need not be built.
    mill: Option<PathBuf>,
}

/// No further harm is done after this time, unless another is asked for.
const MINUTES: u64 = 8;

impl Options {
    /// Reads the arguments behind `torture`.
    pub(crate) fn parse(args: &[&str]) -> Result<Self, Stop> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| Stop::usage(format!("{arg} needs a value")));
            let number = |text: &str| text.parse().map_err(|_| Stop::usage(format!("{arg}: `{text}` is no number")));
            match *arg {
                "--seed" => options.seed = Some(number(value()?)?),
                "--minutes" => options.minutes = Some(number(value()?)?),
                "--count" => options.count = Some(number(value()?)? as usize),
                "--mill" => options.mill = Some(PathBuf::from(value()?)),
                "--short" => options.short = true,
                name if TORTURES.iter().any(|torture| torture.name == name) => options.name = Some(name.to_owned()),
                other => {
                    let names = TORTURES.map(|torture| torture.name).join(", ");
                    return Err(Stop::usage(format!("no such torture or option: {other}. There are: {names}")));
                }
            }
        }
        Ok(options)
    }
}

/// What a torture works with.
struct Cx<'t> {
    mill: &'t Path,
    /// A directory of its own.
    dir: PathBuf,
    random: Random,
    count: usize,
    until: Instant,
    report: &'t mut Report,
}

impl Cx<'_> {
    /// A world in a directory of its own, so far untouched.
    fn site(&mut self, name: &str, jobs: usize) -> io::Result<Site> {
        Site::new(self.mill, self.dir.join(name), &mut self.random, jobs)
    }

    /// Whether there is time for more.
    fn has_time(&self) -> bool {
        Instant::now() < self.until
    }
}

/// What was done and what was found.
#[derive(Default)]
struct Report {
    /// How to repeat what is going on.
    repeat: String,
    faults: usize,
    lost: usize,
    wrong: usize,
    orphans: usize,
    panics: usize,
    incomplete: usize,
    /// Damages that tapeout told of.
    told: usize,
    skipped: Vec<String>,
}

impl Report {
    fn found(&self, what: &str, words: &str) {
        println!("FOUND {what}: {}\n  again: {}", words.trim_end(), self.repeat);
    }

    fn lost(&mut self, words: &str) {
        self.lost += 1;
        self.found("a lost result", words);
    }

    fn wrong(&mut self, words: &str) {
        self.wrong += 1;
        self.found("a wrong result", words);
    }

    fn orphans(&mut self, words: &str) {
        self.orphans += 1;
        self.found("processes that live on", words);
    }

    fn panicked(&mut self, words: &str) {
        self.panics += 1;
        self.found("a panic", words);
    }

    fn incomplete(&mut self, words: &str) {
        self.incomplete += 1;
        self.found("a run that does not complete", words);
    }

    fn skip(&mut self, words: &str) {
        println!("skipped: {words}");
        self.skipped.push(words.to_owned());
    }

    fn is_clean(&self) -> bool {
        self.lost + self.wrong + self.orphans + self.panics + self.incomplete == 0
    }

    fn summary(&self) -> String {
        let Self { faults, lost, wrong, orphans, panics, incomplete, told, .. } = self;
        format!(
            "faults injected: {faults}, results lost: {lost}, wrong: {wrong}, orphans: {orphans}, panics: {panics}, \
             runs not completed: {incomplete}; damages told of: {told}"
        )
    }
}

/// Does the harm that is asked for, and tells what came of it.
pub(crate) fn run(options: &Options) -> Result<u8, Stop> {
    let mill = match &options.mill {
        Some(mill) => mill.clone(),
        None => build(&["--release"])?,
    };
    let environment = |error: io::Error| Stop::environment(format!("torture cannot go on: {error}"));
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = options.seed.unwrap_or(clock.as_secs());
    let dir = env::temp_dir().join(format!("tapeout-torture-{}", std::process::id()));
    fs::create_dir_all(&dir).map_err(environment)?;
    let until = Instant::now() + Duration::from_secs(60 * options.minutes.unwrap_or(MINUTES));
    let mut report = Report::default();
    for torture in TORTURES.iter().filter(|torture| options.name.as_ref().is_none_or(|name| torture.name == *name)) {
        let count = options.count.unwrap_or(torture.counts[usize::from(options.short)]);
        if count == 0 {
            continue;
        }
        println!("\n== {}: {}, {count} times, seed {seed}", torture.name, torture.what);
        report.repeat = format!("cargo xtask torture {} --seed {seed} --count {count}", torture.name);
        let begin = Instant::now();
        let dir = dir.join(torture.name);
        fs::create_dir_all(&dir).map_err(environment)?;
        let before = report.faults;
        let mut cx = Cx { mill: &mill, dir, random: Random::new(seed), count, until, report: &mut report };
        (torture.run)(&mut cx).map_err(environment)?;
        if Instant::now() >= until {
            report.skip(&format!("{}: there was no time for all of it", torture.name));
        }
        println!("== {}: {} faults, {:.1} s", torture.name, report.faults - before, begin.elapsed().as_secs_f64());
    }
    println!();
    for skipped in &report.skipped {
        println!("skipped: {skipped}");
    }
    println!("{}", report.summary());
    if report.is_clean() {
        fs::remove_dir_all(&dir).map_err(environment)?;
        return Ok(0);
    }
    println!("what is left to look at is in {}", dir.display());
    Ok(1)
}

/// Builds the mill, in the profile that these arguments choose.
fn build(profile: &[&str]) -> Result<PathBuf, Stop> {
    println!("Building the mill");
    let args = [&["build", "--package", "tapeout-engine", "--example", "mill"], profile].concat();
    if !process::succeeds(&mut process::cargo(&args))? {
        return Err(Stop::failed("the engine does not build; the compiler's messages are above"));
    }
    let folder = if profile.is_empty() { "debug" } else { "release" };
    Ok(process::target()?.join(folder).join("examples/mill"))
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::random::Random;
    use super::site::Site;
    use super::{Options, Report, build, run};

    #[test]
    fn the_short_form_finds_nothing() {
        if env::var_os("TAPEOUT_FAST").is_some() {
            println!("skipped: slow");
            return;
        }
        let mill = build(&[]).unwrap_or_else(|stop| panic!("{}", stop.message));
        let options = Options { short: true, mill: Some(mill), ..Options::default() };
        assert_eq!(run(&options).unwrap_or_else(|stop| panic!("{}", stop.message)), 0);
    }

    /// A mill that does all wrong: what it runs it runs again, it makes nothing, leaves a process and breaks.
    #[test]
    fn what_is_wrong_is_found() {
        let dir = env::temp_dir().join(format!("tapeout-torture-tests-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let program = dir.join("mill");
        let script =
            "#!/bin/sh\necho j0 >> \"$1/ran.log\"\necho done j0 ran\nsleep 12 &\necho panicked >&2\nexit 101\n";
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let mut site = Site::new(&program, dir.join("site"), &mut Random::new(1), 1).unwrap();
        let mut report = Report::default();
        for _ in 0..2 {
            site.complete(&mut report, "nothing").unwrap();
        }
        fs::remove_dir_all(&dir).unwrap();
        let Report { lost, wrong, orphans, panics, incomplete, .. } = report;
        assert_eq!([lost, wrong, orphans, panics, incomplete], [1, 2, 2, 2, 2]);
        assert!(!report.is_clean());
    }

    #[test]
    fn the_command_line_is_read() {
        let parse = |args: &[&str]| Options::parse(args).map_err(|stop| stop.message);
        let all = ["kill", "--seed", "1", "--minutes", "2", "--count", "3", "--mill", "x", "--short"];
        let (name, mill) = (Some("kill".to_owned()), Some(PathBuf::from("x")));
        let expected = Options { name, seed: Some(1), minutes: Some(2), count: Some(3), short: true, mill };
        assert_eq!(parse(&all), Ok(expected));
        assert_eq!(parse(&["--seed"]), Err("--seed needs a value".to_owned()));
        assert_eq!(parse(&["--seed", "x"]), Err("--seed: `x` is no number".to_owned()));
        assert!(parse(&["nothing"]).is_err_and(|message| message.starts_with("no such torture or option: nothing.")));
    }
}
