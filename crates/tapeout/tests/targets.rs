//! Targets: what tasks may do, what is built again, and what people find in the build directory.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs, says what it skips, and fails by panic"
)]

#[path = "targets/lab.rs"]
mod lab;
mod support;

use std::env;
use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use serde_json::{Value, json};
use support::{Ran, TestSpace, fast_only, has, until};

use lab::{CHAIN, DEPTH};

/// Set where this program is to be the project's, and not the tests.
const IS_LAB: &str = "LAB";

const LONG: Duration = Duration::from_secs(60);

fn lab() -> TestSpace {
    let space =
        TestSpace::with(&[("src/kept.txt", "kept\n"), ("src/noise.txt", "noise\n"), ("secret.txt", "secret\n")]);
    space.program(env::current_exe().unwrap()).env(IS_LAB, "1")
}

/// Runs with success and gives the targets that were built, not recalled.
#[track_caller]
fn built(space: &TestSpace, args: &[&str]) -> Vec<String> {
    let ran = space.tapeout(&[&["run", "--json"], args].concat()).exits(0);
    let ended: Value = serde_json::from_str(&ran.out).unwrap();
    let targets = ended["targets"].as_array().unwrap().iter().filter(|target| target["status"] == "done");
    targets.map(|target| target["target"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn run(space: &TestSpace, target: &str) -> Ran {
    space.tapeout(&["run", target])
}

fn result(space: &TestSpace, target: &str) -> Value {
    let path = format!("build/{}/result.json", target.replace('.', "/"));
    serde_json::from_str::<Value>(&space.read(&path)).unwrap()["data"].clone()
}

fn files_go_from_call_to_call() {
    let space = lab();
    run(&space, "calls.carry").exits(0);
    assert_eq!(space.read("build/calls/carry/last.txt"), "1\n1\n2\n");
    assert!(!space.path("build/calls/carry/junk").exists(), "one that is not among the outputs is not kept");
    assert!(space.path("build/calls/carry/d/kept").exists(), "all is kept where nothing is said");
    assert_eq!(result(&space, "calls.carry")["file"], json!({ "_type": "Path", "value": "calls/carry/last.txt" }));
}

fn a_name_is_of_a_file_or_of_a_directory() {
    let space = lab();
    run(&space, "calls.replaces").exits(0);
    assert!(space.path("build/calls/replaces/a/b").is_file() && space.path("build/calls/replaces/deep/down").is_dir());
    run(&space, "calls.beneath").exits(2).says_once(&["`a/b` cannot be written: `calls.beneath` has the file `a`"]);
    for (target, file) in [("in_place_of_result", "result.json"), ("in_place_of_commands", "COMMANDS")] {
        let expected = format!("`{file}` is a file that tapeout itself writes for `calls.{target}`");
        run(&space, &format!("calls.{target}")).exits(2).says_once(&[&expected]);
    }
}

fn streams_environment_and_exit_status() {
    let space = lab();
    run(&space, "calls.streams").exits(0).says(&["said \"said\\n\", exit 3"]);
    assert_eq!(space.read("build/calls/streams/taken.txt"), "in\nhello\n");
    run(&space, "calls.status").exits(5).says(&["calls.status", "7", "it cannot"]);
}

fn a_timeout_ends_a_tool() {
    let space = lab();
    run(&space, "calls.slow").exits(5).says(&["calls.slow", "its time limit of 0.3 s"]);
    assert!(space.path("build/calls/slow.failed/begun").exists(), "what it had done is there to be looked at");
    space.is_quiet();
}

fn what_is_promised_must_be_there() {
    let space = lab();
    run(&space, "calls.missing").exits(5).says(&["promised.txt"]);
    run(&space, "calls.undeclared")
        .exits(2)
        .says(&["`calls.undeclared` gives `their.txt` as `file`, and has no such file", "the task has `there.txt`"]);
    run(&space, "calls.outside").exits(2).says(&["`../up.txt` is not in the directory of `calls.outside`"]);
    assert!(!space.path("build/calls/up.txt").exists());
}

fn directories_are_results_and_inputs() {
    let space = lab();
    run(&space, "calls.of_dir").exits(0);
    assert_eq!(space.read("build/calls/of_dir/both"), "a\nnoise\n");
    assert_eq!(space.read("build/calls/of_dir/b"), "noise\n");
    assert_eq!(built(&space, &["calls.of_dir"]), [""; 0]);
}

fn links_are_files_and_directories_are_seen() {
    let space = TestSpace::with(&[
        ("src/a.txt", "a\n"),
        (
            "flow.star",
            r#"
def _links(ctx):
    ctx.run(["sh", "-c", "echo 1 > a; ln -s a before; ln -s a Z; ln -s before twice; ln -s nowhere lost; ln -s /etc/hosts out; ln -s . here"])
    return Result(twice = ctx.cwd / "twice")

def _sees(ctx):
    return Result(src = ctx.exists("src"), lib = ctx.exists("lib"))

Cut = block(tasks = [task(_links), task(_sees)])
flow = Flow()
flow["cut"] = Cut()
"#,
        ),
    ]);
    run(&space, "cut.links").exits(0);
    for (name, is_there) in
        [("a", true), ("before", true), ("Z", true), ("twice", true), ("lost", false), ("out", false), ("here", false)]
    {
        assert_eq!(
            fs::read(space.path(&format!("build/cut/links/{name}"))).is_ok_and(|it| it == b"1\n"),
            is_there,
            "{name}"
        );
    }
    run(&space, "cut.sees").exits(0);
    let sees = result(&space, "cut.sees");
    assert_eq!([&sees["src"], &sees["lib"]], [true, false]);
    space.write("lib/b.txt", "");
    run(&space, "cut.sees").exits(0).says(&["there is a directory `lib` now"]);
    space.write("lib/c.txt", "");
    assert_eq!(built(&space, &["cut.sees"]), [""; 0]);
}

fn a_script_without_a_project_says_so() {
    let space = TestSpace::with(&[("flow.star", "Cut = block(tasks = [])\n")]);
    for args in [&["run", "cut.it"][..], &["run", "cut.it", "cut.too"], &["status", "cut.it"], &["list", "targets"]] {
        space.tapeout(args).exits(2).says(&["there is no project", "flow.star` does not say that there is one"]);
    }
    space.tapeout(&["run", "config.yaml"]).exits(2).says(&["config.yaml", "does not exist"]);
}

fn a_path_that_is_passed_on_is_followed() {
    let space = lab();
    assert_eq!(built(&space, &["calls.second_hand"]).len(), 3);
    assert_eq!(space.read("build/calls/second_hand/b"), "noise\n");
    assert_eq!(built(&space, &["calls.second_hand"]), [""; 0]);
    space.write("src/noise.txt", "louder\n");
    assert_eq!(built(&space, &["calls.second_hand"]), ["calls.dir", "calls.passes_on", "calls.second_hand"]);
    assert_eq!(space.read("build/calls/second_hand/b"), "louder\n");
    space.tapeout(&["clean", "-y"]).exits(0);
    assert_eq!(built(&space, &["calls.second_hand"]), [""; 0]);
    assert_eq!(space.read("build/calls/second_hand/b"), "louder\n");
}

fn tools_of_the_project_and_of_the_task() {
    let space = lab();
    space.script("tools/make.sh", "printf '#!/bin/sh\\necho one\\n' > $1; chmod +x $1");
    run(&space, "calls.own_tools").exits(0);
    assert_eq!(space.read("build/calls/own_tools/said.txt"), "one\n");
    assert_eq!(built(&space, &["calls.own_tools"]), [""; 0]);
    space.script("tools/make.sh", "printf '#!/bin/sh\\necho two\\n' > $1; chmod +x $1");
    assert_eq!(built(&space, &["calls.own_tools"]), ["calls.own_tools"]);
    assert_eq!(space.read("build/calls/own_tools/said.txt"), "two\n");
}

fn what_a_dependency_file_lists_is_read() {
    let space = lab();
    assert_eq!(built(&space, &["calls.depfile"]), ["calls.depfile"]);
    assert_eq!(built(&space, &["calls.depfile"]), [""; 0]);
    space.write("src/noise.txt", "louder\n");
    assert_eq!(built(&space, &["calls.depfile"]), ["calls.depfile"]);
    assert_eq!(space.read("build/calls/depfile/out"), "louder\n");
}

fn a_new_file_is_noticed_where_files_were_listed() {
    let space = lab();
    assert_eq!(built(&space, &["cuts.sources"]), ["cuts.sources"]);
    space.write("src/other.md", "");
    assert_eq!(built(&space, &["cuts.sources"]), [""; 0], "it is none of the pattern's");
    space.write("src/new.txt", "");
    assert_eq!(built(&space, &["cuts.sources"]), ["cuts.sources"]);
    assert_eq!(space.read("build/cuts/sources/count"), "3");

    // What was built is no source.
    for built_now in [1, 0] {
        assert_eq!(built(&space, &["cuts.all_files"]).len(), built_now);
        assert_eq!(space.read("build/cuts/all_files/count.txt"), "4");
    }
}

fn a_parameter_concerns_who_reads_it() {
    let space = lab();
    assert_eq!(built(&space, &["cuts.deep", "cuts.shallow"]).len(), 2);
    let space = space.env(DEPTH, "8");
    space
        .tapeout(&["run", "-n", "cuts.deep", "cuts.shallow"])
        .exits(0)
        .prints(&["the parameter `depth` 4 → 8", "1 target"]);
    assert_eq!(built(&space, &["cuts.deep", "cuts.shallow"]), ["cuts.deep"]);
    assert_eq!(space.read("build/cuts/deep/depth"), "8");
    assert_eq!(built(&space.without_env().env(IS_LAB, "1"), &["cuts.deep"]), [""; 0], "the former value is recorded");
}

fn an_attribute_that_nobody_reads_runs_nothing() {
    let space = lab();
    let users = ["cuts.uses_kept", "cuts.uses_both"];
    assert_eq!(built(&space, &users).len(), 3);
    space.write("src/noise.txt", "louder\n");
    assert_eq!(built(&space, &users), ["cuts.pair", "cuts.uses_both"]);
    space.write("src/kept.txt", "new\n");
    assert_eq!(built(&space, &users), ["cuts.pair", "cuts.uses_kept", "cuts.uses_both"]);
}

fn always_is_always_and_what_follows_is_not() {
    let space = lab();
    assert_eq!(built(&space, &["cuts.after_always"]), ["cuts.always", "cuts.after_always"]);
    assert_eq!(built(&space, &["cuts.after_always"]), ["cuts.always"]);
    let table = space.tapeout(&["status"]).exits(0).out;
    assert!(table.contains(".always ") && !table.contains("after_always"), "{table}");
}

fn a_failure_is_kept_until_success() {
    let space = lab();
    space.write("src/fail", "");
    run(&space, "cuts.flaky").exits(1).says_once(&["cuts.flaky: timing not met", "a slower clock"]);
    assert_eq!(space.read("build/cuts/flaky.failed/first.txt"), "1");
    assert_eq!(space.read("build/cuts/flaky.failed/flaky.log"), "looks whether it may\n");
    space.tapeout(&["status", "cuts.flaky"]).exits(0).prints(&["failed", "timing not met"]);
    fs::remove_file(space.path("src/fail")).unwrap();
    run(&space, "cuts.flaky").exits(0);
    assert!(!space.path("build/cuts/flaky.failed").exists());

    // Going back to an old result is a success, too.
    space.write("src/fail", "");
    run(&space, "cuts.flaky").exits(1);
    assert_eq!(space.read("build/cuts/flaky/first.txt"), "1", "the last good result stays");
    fs::remove_file(space.path("src/fail")).unwrap();
    assert_eq!(built(&space, &["cuts.flaky"]), [""; 0]);
    assert!(!space.path("build/cuts/flaky.failed").exists());
}

fn an_edited_file_is_moved_aside() {
    let space = lab();
    run(&space, "calls.carry").exits(0);
    fs::remove_file(space.path("build/calls/carry/last.txt")).unwrap();
    space.write("build/calls/carry/last.txt", "mine");
    space.write("build/calls/carry/note.txt", "mine");
    space.tapeout(&["status", "calls.carry"]).exits(0).prints(&["edited", "last.txt"]);
    let ran = run(&space, "calls.carry").exits(0).says(&["note: `calls/carry` was edited or added to"]);
    assert_eq!(space.read("build/calls/carry/last.txt"), "1\n1\n2\n");
    assert!(!space.path("build/calls/carry/note.txt").exists());
    let kept = ran.err.split("what was there is in `").nth(1).unwrap().split('`').next().unwrap();
    assert_eq!(space.read(&format!("{kept}/last.txt")), "mine");
    assert_eq!(space.read(&format!("{kept}/note.txt")), "mine");
}

fn dependencies_can_be_refused_and_results_made_anew() {
    let space = lab();
    let refused = space.tapeout(&["run", "-N", "calls.of_dir"]).exits(2);
    refused.says(&["1 target that is required would run first", "calls.dir", "--no-dependencies"]);
    assert!(!space.path("build/calls").exists(), "nothing was built");
    assert_eq!(built(&space, &["calls.dir"]), ["calls.dir"]);
    assert_eq!(built(&space, &["-N", "calls.of_dir"]), ["calls.of_dir"]);
    assert_eq!(built(&space, &["--fresh=calls.of_*", "calls.of_dir"]), ["calls.of_dir"]);
    assert_eq!(built(&space, &["--fresh=*.dir", "calls.of_dir"]), ["calls.dir"], "the same files again");
    space
        .tapeout(&["run", "--fresh=cuts.*", "calls.of_dir"])
        .exits(2)
        .says(&["`cuts.*`: no such target is to be built"]);
}

fn two_at_once_run_a_task_once() {
    let space = lab();
    let first = space.start(&["run", "calls.waits"]);
    space.wait_for("begun");
    let second = space.start(&["run", "-B", "elsewhere", "calls.waits"]);
    // The second one looks at the build directory while it waits for the first one's result.
    space.wait_for("elsewhere");
    space.write("go", "");
    first.wait(LONG).exits(0);
    second.wait(LONG).exits(0);
    assert_eq!(space.read("begun"), "x\n", "the second one has waited");
    assert!(space.path("build/calls/waits/out.txt").exists() && space.path("elsewhere/calls/waits/out.txt").exists());
}

fn one_build_directory_is_for_one_at_a_time() {
    let space = lab();
    let first = space.start(&["run", "calls.waits"]);
    space.wait_for("begun");
    space.tapeout(&["run", "cuts.shallow"]).exits(3).says_once(&["build"]);
    space.tapeout(&["status", "calls.waits"]).exits(0).prints(&["running"]);
    space.write("go", "");
    first.wait(LONG).exits(0);
    run(&space, "cuts.shallow").exits(0);
}

fn a_kill_leaves_nothing_behind() {
    let space = lab();
    for (count, signal) in (1..).zip(["KILL", "TERM"]) {
        let started = space.start(&["run", "calls.waits"]);
        assert!(until(LONG, || space.path("begun").exists() && space.read("begun").lines().count() == count));
        started.signal(signal);
        let code = started.wait(LONG).code;
        assert!(code != Some(0), "{code:?}");
        space.is_quiet();
        space.tapeout(&["status", "calls.waits"]).exits(0).prints(&["interrupted"]);
        assert!(!space.path("build/calls/waits").exists());
    }
    space.write("go", "");
    run(&space, "calls.waits").exits(0);
    space.tapeout(&["status", "calls.waits"]).exits(0).prints(&["fresh"]);
}

fn results_are_files_for_others() {
    let space = lab();
    run(&space, "results.everything").exits(0);
    let text = space.read("build/results/everything/result.json");
    let file: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&file["block_id"], &file["task_id"]), (&json!("results"), &json!("everything")));
    let mut data = file["data"].as_object().unwrap().clone();
    let [started, finished] = ["time_started", "time_finished"].map(|name| data.remove(name).unwrap());
    assert_eq!((&started["_type"], &finished["_type"]), (&json!("Time"), &json!("Time")));
    assert!(started["value"].as_f64().unwrap() <= finished["value"].as_f64().unwrap(), "{text}");
    let expected = json!({
        "met": true,
        "area": 1234,
        "slack": "-Infinity",
        "nothing": null,
        "pair": [1, "a"],
        "list": ["NaN", 0.5],
        "corners": { "ss": { "slack": -0.25, "name": "slow" } },
        "typed": { "_type": "Dict", "value": { "_type": "Path" } },
        "netlist": { "_type": "Path", "value": "results/everything/netlist.v" },
        "source": { "_type": "Path", "value": "src/kept.txt" },
        "returned_data": true,
    });
    assert_eq!(Value::Object(data), expected);
    run(&space, "cuts.shallow").exits(0);
    assert_eq!(result(&space, "cuts.shallow")["returned_data"], false);
}

fn values_of_another_kind_are_named() {
    let space = lab();
    for (target, expected) in [
        ("results.wrong_kind", "the parameter `depth` of the block `results`: expected an integer, found a string"),
        ("results.wrong_name", "the block `results` has no parameter `dept`; did you mean `depth`?"),
        (
            "results.anything",
            "the attribute `large` of the result of `results.anything`: 18446744073709551615 is larger",
        ),
    ] {
        run(&space, target).exits(2).says_once(&[expected]);
    }
}

fn the_sandbox_shows_what_is_not_declared() {
    if tapeout_engine::confinement_support().is_none() {
        println!("skipped: no Landlock");
        return;
    }
    let space = lab();
    space.tapeout(&["run", "--sandbox", "calls.reads_secret"]).exits(5).says(&["secret.txt"]);
    space.tapeout(&["run", "--sandbox", "calls.of_dir", "calls.carry", "calls.streams"]).exits(0);
    run(&space, "calls.reads_secret").exits(0);
}

fn a_chain_of_ten_thousand() {
    if fast_only() {
        return;
    }
    let space = lab().env(CHAIN, "10000");
    assert_eq!(built(&space, &["chain.t9999"]).len(), 10_000);
    assert_eq!(result(&space, "chain.t9999")["number"], 9_999);
    assert_eq!(built(&space, &["chain.t9999"]), [""; 0]);
}

fn main() -> ExitCode {
    tapeout::serve_if_asked();
    if env::var_os(IS_LAB).is_some() {
        return tapeout::main(tapeout::App::new(tapeout::registry()).project(lab::project));
    }
    if !has(&["sh", "sleep"]) {
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    macro_rules! trials {
        ($($name:ident)*) => {
            vec![$(Trial::test(stringify!($name), || { $name(); Ok(()) })),*]
        };
    }
    let trials = trials! {
        files_go_from_call_to_call
        a_name_is_of_a_file_or_of_a_directory
        streams_environment_and_exit_status
        a_timeout_ends_a_tool
        what_is_promised_must_be_there
        directories_are_results_and_inputs
        links_are_files_and_directories_are_seen
        a_script_without_a_project_says_so
        a_path_that_is_passed_on_is_followed
        tools_of_the_project_and_of_the_task
        what_a_dependency_file_lists_is_read
        a_new_file_is_noticed_where_files_were_listed
        a_parameter_concerns_who_reads_it
        an_attribute_that_nobody_reads_runs_nothing
        always_is_always_and_what_follows_is_not
        a_failure_is_kept_until_success
        an_edited_file_is_moved_aside
        dependencies_can_be_refused_and_results_made_anew
        two_at_once_run_a_task_once
        one_build_directory_is_for_one_at_a_time
        a_kill_leaves_nothing_behind
        results_are_files_for_others
        values_of_another_kind_are_named
        the_sandbox_shows_what_is_not_declared
        a_chain_of_ten_thousand
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}
