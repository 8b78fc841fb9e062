//! Steps and flows in `flow.star`, on the command line: what a step of a script can do, what it depends on, and that a
//! flow of a script gives its steps the same keys as one that is built in.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test starts programs, and fails by panic")]
#![expect(clippy::print_stdout, reason = "a test says why it is skipped")]

mod support;

use std::fs;
use std::time::Duration;

use support::{COUNTER, Ran, TestSpace, has_flow};

const FLOW: &str = r#"
load("helper.star", "counted")

shell = tool("sh", summary = "A shell.")

def _prepare(ctx):
    """Counts the words of a text."""
    text = ctx.source(ctx.config.TEXT)
    upper = script("count.sh", sections = [
        section("count", "wc -w < {} > words.txt".format(text)),
        section("copy", "tr a-z A-Z < {} > top.json".format(text)),
    ])
    return session(command(shell, upper), command(shell, "-c", "exit 3", any_status = True), outputs = ["words.txt", "top.json"])

def _again(ctx, sessions):
    if int(sessions[0].read("words.txt").strip()) < ctx.args.enough:
        return session(command("sh", "-c", "cat", stdin = sessions[0].output("words.txt"), stdout = "few.txt"), outputs = [])

def _collect(ctx, sessions):
    words = counted(sessions[0].read("words.txt"))
    print("counted", words)
    report = ctx.write("report.txt", "{} words\n".format(words))
    return step_result(
        views = {"json": sessions[0].output("top.json"), "timing_report": report},
        metrics = {"my__words": words, "my__sessions": len(sessions), "my__status": sessions[0].status(1)},
        alerts = [alert("few words", code = "my.few")] if len(sessions) > 1 else [],
        failed = "no words at all" if words == 0 else None,
        hint = "write some",
    )

def _nothing(config):
    return "TEXT is not set" if config.TEXT == None else None

def _check(config):
    if config.TEXT and not config.TEXT.endswith(".txt"):
        return ("TEXT", "must be a .txt")

words = step(
    "My.Words",
    outputs = ["json", "timing_report"],
    measures = ["my__words"],
    variables = [variable("TEXT", Path, default = None, doc = "A text.")],
    tools = [shell],
    args = {"enough": 3},
    prepare = _prepare,
    follow_up = _again,
    collect = _collect,
    nothing_to_do = _nothing,
    check = _check,
)

def _look(ctx, sessions):
    view = ctx.view("json")
    return step_result(metrics = {
        "my__size": len(ctx.read(view)),
        "my__twice": 2 * ctx.metric("my__words"),
        "my__given": 1 if ctx.config.explicit("LOOKS") else 0,
    })

look = step(
    "My.Look",
    about = "json",
    inputs = [optional("sdc")],
    metrics = ["my__words"],
    measures = ["my__size"],
    variables = [variable("LOOKS", types.choice("hard", "soft"), default = "soft", doc = "How.")],
    collect = _look,
)

sequential_flow("Words", steps = [words, look], variables = [variable("RUN_LOOK", bool, default = True)], gates = {look: "RUN_LOOK"})
sequential_flow("Only", steps = flow_steps("Words", substituting = {"My.L*": None}))
"#;

const HELPER: &str = "def counted(text):\n    return int(text.strip())\n";

fn words() -> TestSpace {
    TestSpace::with(&[
        ("flow.star", FLOW),
        ("helper.star", HELPER),
        ("config.yaml", "meta: {version: 2, flow: Words}\nDESIGN_NAME: words\nTEXT: dir::text.txt\n"),
        ("text.txt", "one two three four\n"),
    ])
}

fn metric(space: &TestSpace, name: &str) -> serde_json::Value {
    space.summary()["metrics"][name].clone()
}

fn run(space: &TestSpace) -> Ran {
    space.tapeout(&["run"])
}

#[test]
fn a_step_of_a_script_does_what_a_step_does() {
    let space = words();
    run(&space).exits(0).says(&["counted 4"]);
    for (name, value) in
        [("my__words", 4), ("my__sessions", 1), ("my__status", 3), ("my__size", 19), ("my__twice", 8), ("my__given", 0)]
    {
        assert_eq!(metric(&space, name), value, "{name}");
    }
    assert_eq!(space.read("runs/default/final/json/top.json"), "ONE TWO THREE FOUR\n");
    let script = space.read("runs/default/01-my-words/count.sh");
    assert!(script.starts_with("# section count\nwc -w"), "{script}");
    run(&space).exits(0);
    assert_eq!(space.repeated(), [""; 0]);

    // A second look, and its complaint.
    space.write("text.txt", "one two\n");
    run(&space).exits(0).prints(&["my.few", "few words"]);
    assert_eq!(metric(&space, "my__sessions"), 2);
    assert_eq!(space.read("runs/default/01-my-words/few.txt").trim(), "2");
    // A check that failed.
    space.write("text.txt", "\n");
    run(&space).exits(1).says(&["no words at all", "write some"]);

    space.tapeout(&["plan", "-c", "RUN_LOOK=false"]).exits(0).prints(&["RUN_LOOK is false"]);
    space.tapeout(&["plan", "--flow", "Only"]).exits(0).prints(&["1 of 1 step"]);
    space.edit("config.yaml", "TEXT: dir::text.txt\n", "");
    space.tapeout(&["plan"]).exits(0).prints(&["TEXT is not set", "no step before it makes a view `json`"]);
    space.tapeout(&["plan", "-c", "TEXT=flow.star"]).exits(2).says(&["`TEXT`: must be a .txt"]);
    space.tapeout(&["plan", "-c", "LOOKS=up"]).exits(2).says(&["`LOOKS`"]);
    space.tapeout(&["show", "step", "my.words"]).exits(0).prints(&["Counts the words of a text.", "TEXT"]);
}

#[test]
fn a_result_depends_on_what_the_functions_of_its_step_reach() {
    let space = words();
    run(&space).exits(0);
    space.edit("flow.star", "\"\"\"Counts the words of a text.\"\"\"", "# Counts.\n    \"\"\"Counts.\"\"\"");
    space.edit("flow.star", "must be a .txt", "must be a text");
    run(&space).exits(0);
    assert_eq!(space.repeated(), [""; 0]);
    space.edit("helper.star", "int(text.strip())", "int(text.strip(), 10)");
    run(&space).exits(0);
    assert_eq!(space.repeated(), ["My.Words"], "the words are as many as before");
    space.edit("flow.star", "\"enough\": 3", "\"enough\": 4");
    run(&space).exits(0);
    assert_eq!(space.repeated(), ["My.Words"]);
    run(&space).exits(0);
    assert_eq!(space.tapeout(&["run", "-c", "LOOKS=hard"]).code, Some(0));
    assert_eq!((space.repeated(), metric(&space, "my__given")), (vec!["My.Look".to_owned()], 1.into()));
}

#[test]
fn what_goes_wrong_in_a_function_has_its_place() {
    // The edit, the exit code, and the words.
    let cases: &[(&str, &str, i32, &[&str])] = &[
        ("    words = counted", "    words = sessions[0].reed", 2, &["flow.star:20:13", "no attribute `reed`"]),
        ("counted(sessions", "fail(\"odd\") or counted(sessions", 5, &["odd", "flow.star:20:"]),
        (
            "return step_result(",
            "return dict(",
            2,
            &["flow.star:19:5", "`_collect` of step `My.Words` must return a step_result"],
        ),
        ("\"timing_report\": report", "\"sdc\": report", 2, &["gives the view `sdc`, which the step does not declare"]),
        (
            "command(shell, upper)",
            "command(\"tr\", upper)",
            2,
            &["calls the tool `tr`, which the step does not declare"],
        ),
        ("ctx.config.TEXT)", "ctx.config.TXET)", 2, &["step `My.Words` has no variable `TXET`", "`TEXT`"]),
        (
            "ctx.view(\"json\")",
            "ctx.view(\"lef\")",
            2,
            &["does not declare that it reads the view `lef`", "inputs = ["],
        ),
        ("ctx.metric(\"my__words\")", "ctx.metric(\"x\")", 2, &["does not declare that it reads the metric `x`"]),
        (
            "return \"TEXT is not",
            "return 1 if config.TEXT else \"",
            2,
            &["`_nothing` of step `My.Words` must return a string or None"],
        ),
        (
            "    if config.TEXT and",
            "    return 1\n    if config.TEXT and",
            2,
            &["must return None, what is wrong, or (VARIABLE"],
        ),
        ("not config.TEXT.endswith(\".txt\")", "config.TEXT.nothing", 2, &["no attribute `nothing`"]),
        ("words.txt\").strip()) <", "gone.txt\").strip()) <", 5, &["`gone.txt`: the tool has not written it"]),
        ("outputs = [\"words.txt\", ", "outputs = [\"never.txt\", ", 5, &["never.txt"]),
    ];
    for (from, to, code, words) in cases {
        let space = words_with(from, to);
        run(&space).exits(*code).says(words);
    }
}

fn words_with(from: &str, to: &str) -> TestSpace {
    let space = words();
    space.edit("flow.star", from, to);
    space
}

/// The counter, and the sweep of the example.
fn sweeping() -> TestSpace {
    let space = TestSpace::with(&COUNTER[..COUNTER.len() - 1]);
    space.edit("config.yaml", "TEST_BENCHES: 'dir::tb/*_tb.v'\n", "RUN_LINTER: false\n");
    let example = TestSpace::example("scripted-flow");
    space.write("seed_sweep.star", example.read("seed_sweep.star"));
    space.write("flow.star", "load(\"seed_sweep.star\", \"sweep\")\n");
    space
}

#[test]
fn a_flow_of_a_script_gives_its_steps_the_keys_of_a_built_in_one() {
    if !has_flow() {
        return;
    }
    let space = sweeping();
    let sweep = |flow: &str, seeds: &str| {
        let seeds = format!("SWEEP_SEEDS={seeds}");
        space.tapeout(&["run", "--flow", flow, "--tag", flow, "-c", &seeds])
    };
    sweep("ScriptedSweep", "0").exits(2).says(&["`SWEEP_SEEDS` must be from 1 to 10000"]);
    sweep("SeedSweep", "3").exits(0);
    let scripted = sweep("ScriptedSweep", "3").exits(0);
    assert!(!scripted.err.contains("done"), "a step ran again:\n{}", scripted.err);
    assert_eq!(scripted.err.matches(": reused").count(), 7, "{}", scripted.err);
    let compared = |flow: &str| space.read(&format!("runs/{flow}/seeds.csv"));
    assert_eq!(compared("ScriptedSweep"), compared("SeedSweep"));
    let bitstream = |flow: &str| space.bytes(&format!("runs/{flow}/final/bitstream/counter.bin"));
    assert_eq!(bitstream("ScriptedSweep"), bitstream("SeedSweep"));
    // And the other way round.
    sweep("ScriptedSweep", "4").exits(0).says(&["Nextpnr.Ice40-seed4: done"]);
    let built_in = sweep("SeedSweep", "4").exits(0);
    assert!(!built_in.err.contains("done"), "a step ran again:\n{}", built_in.err);
    // Only looking, the program is ended where nobody knows more.
    let looked = ["run", "-n", "--flow", "ScriptedSweep", "--tag", "ScriptedSweep", "-c", "SWEEP_SEEDS=5"];
    space.tapeout(&looked).exits(0).prints(&["Nextpnr.Ice40-seed5", "the flow may ask for more then"]);
}

#[test]
fn a_flow_of_a_script_is_stopped_in_order() {
    if !has_flow() {
        return;
    }
    let space = sweeping();
    let waits = "case \"$*\" in *--asc*) touch \"$0.$$\"; sleep 300;; esac";
    space.script("bin/nextpnr-ice40", &format!("{waits}\nexec nextpnr-ice40 \"$@\"\n"));
    let config = space.read("config.yaml");
    space.write("config.yaml", format!("{config}tools: {{nextpnr-ice40: {{path: bin/nextpnr-ice40}}}}\n"));
    let files = || fs::read_dir(space.path("bin")).unwrap().count();
    for (signal, code) in [("INT", Some(130)), ("TERM", Some(143))] {
        let before = files();
        let run = space.start(&["run", "-j2", "--flow", "ScriptedSweep", "-c", "SWEEP_SEEDS=3"]);
        assert!(support::until(Duration::from_secs(60), || files() == before + 2), "two layouts at a time");
        run.signal(signal);
        let ended = run.wait(Duration::from_secs(20));
        assert_eq!(ended.code, code, "{}", ended.err);
        let quiet = ["error", "broke", "panicked"].iter().all(|word| !ended.err.contains(word));
        assert!(quiet, "{}", ended.err);
        space.is_quiet();
    }
}

#[test]
fn the_example_finds_the_smallest_device() {
    if support::fast_only() || !has_flow() {
        return;
    }
    let space = TestSpace::example("scripted-flow");
    space.tapeout(&["run"]).exits(0).prints(&["lp384      qn32     –  failed", "lp1k       qn84  91 %  best"]);
    space.tapeout(&["run"]).exits(0);
    assert_eq!(space.repeated(), [""; 0]);
    space.edit("logic.star", "length of the longest path", "longest path");
    space.tapeout(&["run"]).exits(0);
    assert_eq!(space.repeated(), ["My.Depth-lp384", "My.Depth-lp1k"]);
    let device = ["-c", "ICE40_DEVICE=lp1k", "-c", "ICE40_PACKAGE=qn84"];
    let my = space.tapeout(&[&["run", "--flow", "MyFlow", "--tag", "my"], &device[..]].concat()).exits(0);
    my.prints(&["My.Logic                 done", "my__port__count                                      3"]);
}

const PROGRAM: &str = r#"
shell = tool("sh")

def _collect_try(ctx, sessions):
    if ctx.config.LEVEL > 2:
        return step_result(failed = "level {} is too high".format(ctx.config.LEVEL))
    return step_result(metrics = {"my__level": ctx.config.LEVEL})

def _prepare_try(ctx):
    if ctx.config.LEVEL == 9:
        return command(shell, "-c", "echo nine; exit 1")

attempt = step(
    "My.Try",
    variables = [variable("LEVEL", int, default = 0)],
    measures = ["my__level"],
    tools = [shell],
    prepare = _prepare_try,
    collect = _collect_try,
)

def _inner(ctx, state):
    return ctx.start(attempt, state)

inner = custom_flow("Inner", steps = [attempt], run = _inner)

def _run(ctx, state):
    print("from", ctx.config.LEVEL)
    ctx.stages(2)
    ctx.start_stage("Tries")
    high = ctx.labelled("high").with_config({"LEVEL": 3}).attempt(attempt, state)
    if high.state or not high.error.is_failed_check or high.error.step != "My.Try-high":
        fail("it must fail")
    broken = ctx.labelled("broken").with_config({"LEVEL": 9}).may_fail().start_async(attempt, state)
    error = ctx.wait(broken)
    ctx.say("broken: {} {}".format(error.is_failed_check, error.message))
    low = ctx.with_config({"LEVEL": 1}).run(inner, state)
    if ctx.metric(low, "my__level") != 1 or ctx.metrics(low) != {"my__level": 1} or ctx.view(low, "json") != None:
        fail("level 1 is expected")
    ctx.compared("levels", columns = ["level"], rows = [("best", [1]), ("failed", [None])])
    END

custom_flow("Program", steps = [], flows = [inner], run = _run)
"#;

#[test]
fn a_program_of_a_script_has_answers_to_failures() {
    let ends = |end: &str, config: &str| {
        let space = TestSpace::with(&[("config.yaml", "meta: {version: 2, flow: Program}\nDESIGN_NAME: levels\n")]);
        space.write("flow.star", PROGRAM.replace("END", end));
        space.tapeout(&["run", "-c", config])
    };
    let good = ends("return low", "LEVEL=0").exits(0);
    let good = good.says(&["from 0", "broken: False", "My.Try-high: check failed: level 3 is too high"]);
    assert!(good.out.contains("levels") && good.err.contains("My.Try: done"), "{}{}", good.out, good.err);
    ends("return high.error", "LEVEL=0").exits(1).says(&["level 3 is too high"]);
    ends("return flow_error(\"no way\", hint = \"go\")", "LEVEL=0").exits(1).says(&["no way", "go"]);
    ends("fail(\"not so\")", "LEVEL=0").exits(1).says(&["not so"]);
    ends("return ctx.start(attempt, broken)", "LEVEL=0").exits(5).says(&["exit code 1"]);
    let undeclared = "return ctx.start(\"My.Tri\", low)";
    ends(undeclared, "LEVEL=0").exits(2).says(&["flow.star:41:12", "does not declare the step `My.Tri`", "My.Try"]);
    ends("return ctx.with_config({\"LEVL\": 1})", "LEVEL=0").exits(2).says(&["`LEVL`"]);
    ends("return 1", "LEVEL=0").exits(2).says(&["`_run` of flow `Program` must return a state or an error"]);
    ends("return ctx.nothing", "LEVEL=0").exits(2).says(&["flow.star:41:12", "nothing"]);
    ends("return ctx.run(\"Ice40\", low)", "LEVEL=0")
        .exits(2)
        .says(&["does not declare that it runs the flow `Ice40`"]);
}

/// What a task needs that asks for the flow `Program`.
const ASKS: &str = r#"

def _ask(ctx):
    done = ctx.flow("Program", config = {"DESIGN_NAME": "levels", "LEVEL": 0})
    return Result(level = done.metrics["my__level"])

Asking = block(tasks = [task(_ask, id = "ask")])
flow = Flow()
flow["it"] = Asking()
"#;

#[test]
fn a_task_can_ask_for_a_flow_that_is_a_program() {
    let space = TestSpace::new();
    let script = format!("{}{ASKS}", PROGRAM.replace("END", "return low"));
    space.write("flow.star", &script);
    let ask = || space.tapeout(&["run", "-j1", "it.ask"]).exits(0);
    ask().says(&["done", "from 0", "broken: False", "it.ask | [1/2] Tries"]).prints(&["level  1"]);
    assert_eq!(space.read("build/it/ask/program/levels.csv"), "level\n1\n–\n");
    ask().prints(&["reused"]);
    for (from, to, again) in [
        ("\"level 1 is expected\"", "\"level 1 was expected\"", "the plan of a flow that it asks for changed"),
        ("echo nine", "echo nine times", "the plan of a flow that it asks for changed"),
        ("\"LEVEL\": 0}", "\"LEVEL\": 2}", "changed"),
    ] {
        space.edit("flow.star", from, to);
        ask().says(&["started: ", again]);
        ask().prints(&["reused"]);
    }
    space.edit("flow.star", "    print(\"from\"", "    # Where it begins.\n    print(\"from\"");
    ask().prints(&["reused"]);
    space.write("flow.star", format!("{}\nhook(remove = \"My.Try\")\n", space.read("flow.star")));
    let ran = space.tapeout(&["run", "it.ask"]).exits(1);
    ran.says(&["the plan of a flow that it asks for changed", "it must fail"]);
    space.edit("flow.star", "hook(remove = \"My.Try\")\n", "");
    space.edit("flow.star", "return low\n", "return high.error\n");
    space.tapeout(&["run", "it.ask"]).exits(1).says_once(&["it.ask: My.Try-high: level 3 is too high"]);
}

#[test]
fn a_program_in_a_task_finds_the_files_of_its_steps() {
    let space = words();
    let asks = r#"
def _twice(ctx, state):
    first = ctx.start(words, state)
    return ctx.labelled("again").with_config({"TEXT": ctx.view(first, "timing_report")}).start(words, first)

custom_flow("Twice", steps = [words], run = _twice)

def _ask(ctx):
    done = ctx.flow("Twice", config = {"DESIGN_NAME": "d", "TEXT": ctx.input("text.txt")})
    return Result(words = done.metrics["my__words"], report = done.views["timing_report"])

Asking = block(tasks = [task(_ask, id = "ask")])
flow = Flow()
flow["it"] = Asking()
"#;
    space.write("flow.star", format!("{FLOW}{asks}"));
    let ran = space.tapeout(&["run", "it.ask"]).exits(0);
    ran.prints(&["words   2", "build/it/ask/twice/02-my-words-again/report.txt"]);
    assert_eq!(space.read("build/it/ask/twice/02-my-words-again/report.txt"), "2 words\n");
}

#[test]
fn a_task_hears_of_a_changed_hook() {
    let space = words();
    let asks = r#"
def _quote(ctx):
    ctx.append("echo quoted >> words.log")

hook(_quote, after = "My.Words/count")

def _ask(ctx):
    return Result(words = ctx.step("My.Words", config = {"DESIGN_NAME": "d", "TEXT": ctx.input("text.txt")}).metrics["my__words"])

Asking = block(tasks = [task(_ask, id = "ask")])
flow = Flow()
flow["it"] = Asking()
"#;
    space.write("flow.star", format!("{FLOW}{asks}"));
    space.edit("flow.star", "    args = {", "    sections = [\"count\", \"copy\"],\n    args = {");
    let ask = || space.tapeout(&["run", "it.ask"]).exits(0);
    ask();
    ask().prints(&["reused"]);
    space.edit("flow.star", "echo quoted", "echo unquoted");
    ask().says(&["the plan of a flow that it asks for changed"]).prints(&["done"]);
}
