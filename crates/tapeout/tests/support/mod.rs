//! A project in a directory of its own, tapeout run in it, and what came of it. Every wait has an end.
#![allow(dead_code, reason = "each test binary uses the part that it needs")]

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// No run of a test takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Whether a test can run here: `skipped: …` is printed if it cannot.
pub(crate) fn has(tools: &[&str]) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let missing = tools.iter().find(|tool| !env::split_paths(&path).any(|folder| folder.join(tool).is_file()));
    if let Some(tool) = missing {
        println!("skipped: no {tool}");
    }
    missing.is_none()
}

/// Whether the tools of the flow `Ice40` for Verilog are here.
pub(crate) fn has_flow() -> bool {
    has(&["verilator", "iverilog", "vvp", "yosys", "nextpnr-ice40", "icepack", "iceunpack", "icetime", "icebox_vlog"])
}

/// Whether only fast tests are asked for.
pub(crate) fn fast_only() -> bool {
    let fast = env::var_os("TAPEOUT_FAST").is_some();
    if fast {
        println!("skipped: slow");
    }
    fast
}

/// A project directory.
pub(crate) struct TestSpace {
    dir: PathBuf,
    /// Where output goes: not into the project.
    words: TempDir,
    _own: Option<TempDir>,
    env: Vec<(String, String)>,
    /// The program that is run.
    program: PathBuf,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Panics with everything that was said unless the exit code is this.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n--- standard output\n{}\n--- standard error\n{}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    /// Panics unless all of these words are on standard error.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for words in words {
            assert!(self.err.contains(words), "no {words:?} in:\n{}", self.err);
        }
        self
    }

    /// Panics unless all of these words are on standard output.
    #[track_caller]
    pub(crate) fn prints(self, words: &[&str]) -> Self {
        for words in words {
            assert!(self.out.contains(words), "no {words:?} in:\n{}", self.out);
        }
        self
    }

    /// Panics unless there is one message of an error.
    #[track_caller]
    pub(crate) fn says_once(self, words: &[&str]) -> Self {
        let errors = self.err.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors, 1, "one error message in:\n{}", self.err);
        self.says(words)
    }
}

impl TestSpace {
    /// An empty project.
    pub(crate) fn new() -> Self {
        let own = TempDir::new().unwrap();
        // As /proc shows it.
        let dir = own.path().canonicalize().unwrap();
        Self { _own: Some(own), ..Self::at(&dir) }
    }

    /// A project in a directory that someone else looks after.
    pub(crate) fn at(dir: &Path) -> Self {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_tapeout"));
        Self { dir: dir.to_owned(), words: TempDir::new().unwrap(), _own: None, env: Vec::new(), program }
    }

    /// A project with these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let space = Self::new();
        space.write_all(files);
        space
    }

    /// A copy of an example.
    pub(crate) fn example(name: &str) -> Self {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
        let space = Self::new();
        let mut pending = vec![example.clone()];
        while let Some(path) = pending.pop() {
            let name = path.strip_prefix(&example).unwrap().to_str().unwrap();
            match fs::read_dir(&path) {
                // What somebody's run has left there is none of it.
                Ok(_) if ["runs", "build", ".tapeout"].contains(&name) => {}
                Ok(listing) => pending.extend(listing.map(|entry| entry.unwrap().path())),
                Err(_) => space.write(name, fs::read(&path).unwrap()),
            }
        }
        space
    }

    /// A four-bit counter with a header, pins and a bench.
    pub(crate) fn counter() -> Self {
        Self::with(COUNTER)
    }

    /// Another program in place of tapeout's own.
    pub(crate) fn program(mut self, program: PathBuf) -> Self {
        self.program = program;
        self
    }

    /// An environment variable for every command in this project.
    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// The same project with the plain environment.
    pub(crate) fn without_env(mut self) -> Self {
        self.env.clear();
        self
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.join(path)
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn write_all(&self, files: &[(&str, &str)]) {
        files.iter().for_each(|(path, text)| self.write(path, text));
    }

    /// A script that the system executes.
    pub(crate) fn script(&self, path: &str, text: &str) {
        let draft = format!("{path}.draft");
        self.write(&draft, format!("#!/bin/sh\n{text}"));
        // Put in place by another process: a child that another test starts meanwhile would hold the script open for
        // writing, and the system starts no such program.
        let install = Command::new("install").args(["-m", "755"]).args([self.path(&draft), self.path(path)]).status();
        assert!(install.unwrap().success());
        fs::remove_file(self.path(&draft)).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// A text in the directory of a step in the run `default`, by how that directory's name ends.
    pub(crate) fn read_of(&self, step: &str, path: &str) -> String {
        let dirs = fs::read_dir(self.path("runs/default")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut dirs = dirs.map(|name| name.into_string().unwrap());
        let dir =
            dirs.find(|name| name.ends_with(&format!("-{step}"))).unwrap_or_else(|| panic!("no directory of {step}"));
        self.read(&format!("runs/default/{dir}/{path}"))
    }

    pub(crate) fn bytes(&self, path: &str) -> Vec<u8> {
        fs::read(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Replaces text that must be there.
    #[track_caller]
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "no {from:?} in {path}");
        self.write(path, text.replacen(from, to, 1));
    }

    /// tapeout in the project, not started yet.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.dir).args(args).stdin(Stdio::null()).env_clear();
        command.env("PATH", env::var_os("PATH").unwrap_or_default());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts tapeout.
    pub(crate) fn start(&self, args: &[&str]) -> Started<'_> {
        let words = TempDir::new_in(self.words.path()).unwrap();
        // Files, not pipes: a tool that lives on must not keep the test from seeing that.
        let file = |name: &str| File::create(words.path().join(name)).unwrap();
        let child = self.command(args).stdout(file("out")).stderr(file("err")).spawn().unwrap();
        Started { space: self, child, words }
    }

    /// Runs tapeout to its end.
    pub(crate) fn tapeout(&self, args: &[&str]) -> Ran {
        self.start(args).wait(PATIENCE)
    }

    /// What a pseudo-terminal shows of this line of `sh`, as it was written, without colours and jumps of the cursor.
    pub(crate) fn in_terminal(&self, line: &str) -> String {
        let shown = self.words.path().join("typescript");
        let mut command = Command::new("timeout");
        command.args(["60", "script", "-qec", line]).arg(&shown).current_dir(&self.dir).env_clear();
        command.env("PATH", env::var_os("PATH").unwrap_or_default()).env("SHELL", "/bin/sh");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
        let shown = String::from_utf8_lossy(&fs::read(&shown).unwrap()).into_owned();
        assert!(status.success(), "{shown}");
        let mut plain = String::new();
        let mut rest = shown.chars();
        while let Some(c) = rest.next() {
            match c {
                '\u{1b}' => _ = rest.find(|c| c.is_ascii_alphabetic()),
                '\r' => plain.push('\n'),
                c => plain.push(c),
            }
        }
        plain
    }

    /// `tapeout run`; in the sandbox when the tests are asked to.
    pub(crate) fn run(&self) -> Ran {
        let sandbox = env::var_os("TAPEOUT_TEST_SANDBOX").map(|_| "--sandbox");
        self.tapeout(&["run"].into_iter().chain(sandbox).collect::<Vec<_>>())
    }

    /// A run that passes and makes a bitstream of the right size for hx1k; gives the bitstream.
    #[track_caller]
    pub(crate) fn passes(&self) -> Vec<u8> {
        self.run().exits(0);
        let bitstream = self.bytes("runs/default/final/bitstream/counter.bin");
        assert_eq!(bitstream.len(), 32_220);
        bitstream
    }

    /// `run.json` of the default run.
    pub(crate) fn summary(&self) -> Value {
        serde_json::from_str(&self.read("runs/default/run.json")).unwrap()
    }

    /// A step in `run.json`.
    #[track_caller]
    pub(crate) fn step(&self, id: &str) -> Value {
        let summary = self.summary();
        let step = summary["steps"].as_array().unwrap().iter().find(|step| step["id"] == id);
        step.unwrap_or_else(|| panic!("no step {id} in {summary:#}")).clone()
    }

    #[track_caller]
    pub(crate) fn status(&self, id: &str) -> String {
        self.step(id)["status"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn reason(&self, id: &str) -> String {
        self.step(id)["reason"].as_str().unwrap_or_default().to_owned()
    }

    /// The steps of the last run that were not left out and not reused.
    pub(crate) fn repeated(&self) -> Vec<String> {
        let summary = self.summary();
        let steps = summary["steps"].as_array().unwrap().iter();
        let ran = steps.filter(|step| step["status"] != "left_out" && step["reused"] == false);
        ran.map(|step| step["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Runs, passes, and repeats exactly these steps.
    #[track_caller]
    pub(crate) fn repeats(&self, why: &str, steps: &[&str]) {
        self.run().exits(0);
        assert_eq!(self.repeated(), steps, "{why}");
    }

    /// Waits for a file to be there.
    #[track_caller]
    pub(crate) fn wait_for(&self, path: &str) {
        let there = until(Duration::from_secs(20), || self.path(path).exists());
        assert!(there, "{path} did not appear");
    }

    /// Panics when a process is left over that works in the project or was started with a path in it.
    #[track_caller]
    pub(crate) fn is_quiet(&self) {
        let quiet = until(Duration::from_secs(10), || self.processes().is_empty());
        assert!(quiet, "left over: {:?}", self.processes());
    }

    fn processes(&self) -> Vec<String> {
        let own = self.dir.to_str().unwrap();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let process = entry.path();
            let is_process = entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok());
            let words = fs::read(process.join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words).replace('\0', " ");
            let cwd = fs::read_link(process.join("cwd")).unwrap_or_default();
            if is_process && (words.contains(own) || cwd.starts_with(own)) {
                found.push(format!("{}: {words}in {}", process.display(), cwd.display()));
            }
        }
        found
    }
}

/// A running tapeout. It is killed when the test ends before it.
pub(crate) struct Started<'a> {
    space: &'a TestSpace,
    child: Child,
    words: TempDir,
}

impl Started<'_> {
    /// Sends a signal to tapeout alone.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        // It may have ended by itself in the meantime.
        Command::new("kill").args(["-s", name, &id]).stderr(Stdio::null()).status().unwrap();
    }

    /// Waits for its end, no longer than this.
    #[track_caller]
    pub(crate) fn wait(mut self, limit: Duration) -> Ran {
        let mut status = None;
        let ended = until(limit, || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let text = |name: &str| String::from_utf8_lossy(&fs::read(self.words.path().join(name)).unwrap()).into_owned();
        let (out, err) = (text("out"), text("err"));
        assert!(ended, "tapeout in {} did not end\n{out}\n{err}", self.space.dir.display());
        Ran { code: status.and_then(|status| status.code()), out, err }
    }
}

impl Drop for Started<'_> {
    fn drop(&mut self) {
        // Both fail when it has ended, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again, no longer than this; gives the last answer.
pub(crate) fn until(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    loop {
        if done() {
            return true;
        }
        if begin.elapsed() > limit {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) const COUNTER: &[(&str, &str)] = &[
    (
        "config.yaml",
        "\
meta: {version: 2, flow: Ice40}
DESIGN_NAME: counter
VERILOG_FILES: 'dir::src/*.v'
VERILOG_INCLUDE_DIRS: ['dir::src']
CLOCK_PORT: clk
CLOCK_PERIOD: 20
ICE40_DEVICE: hx1k
ICE40_PACKAGE: tq144
PCF_FILE: 'dir::src/counter.pcf'
TEST_BENCHES: 'dir::tb/*_tb.v'
",
    ),
    ("src/step.vh", "`define STEP 4'd1\n"),
    (
        "src/counter.v",
        "\
`include \"step.vh\"
module counter (
    input  wire       clk,
    output reg  [3:0] count
);
    initial count = 0;
    always @(posedge clk) count <= count + `STEP;
endmodule
",
    ),
    (
        "src/counter.pcf",
        "\
set_io clk 21
set_io count[0] 99
set_io count[1] 98
set_io count[2] 97
set_io count[3] 96
",
    ),
    (
        "tb/counter_tb.v",
        "\
`timescale 1ns / 1ps
module counter_tb;
    reg        clk = 0;
    wire [3:0] count;
    reg  [3:0] expected = 0;

    counter dut (.clk(clk), .count(count));
    always #10 clk = ~clk;

    initial begin
        repeat (20) @(negedge clk) begin
            expected = expected + 4'd1;
            if (count !== expected) $fatal(1, \"expected %0d, got %0d\", expected, count);
        end
        $finish;
    end
endmodule
",
    ),
];
