//! Hooks in `flow.star` and in plugins, on real tools: what they change, what an edit of one makes run again, and what is
//! said of those that fail.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test starts programs, and fails by panic")]
#![expect(clippy::print_stdout, reason = "a test says why it is skipped")]

mod support;

use support::{COUNTER, Ran, TestSpace, has};

const LINT: &str = "Verilator.Lint";
const SYNTH: &str = "Yosys.SynthIce40";
const ROUTE: &str = "Nextpnr.Ice40";

const FLOW: &str = r#"
load("passes.star", "mapped")

def no_carries(ctx):
    """Adds without carry chains."""
    ctx.append(mapped(ctx.params["table"]))

def counted(ctx):
    ctx.append("tee -o %s stat" % ctx.output("before.txt"))

hook(no_carries, after = "Yosys.SynthIce40/coarse", params = {"table": "+/techmap.v"})
hook(counted, before = "Yosys.SynthIce40/no_carries", tool = "yosys")
hook(remove = "synthesis/check")
"#;

const PASSES: &str = "def mapped(table):\n    return \"techmap -map %s\\nopt_clean\" % table\n";

fn has_tools() -> bool {
    has(&["verilator", "yosys", "nextpnr-ice40"])
}

/// A counter with this `flow.star`.
fn counter(flow: &str) -> TestSpace {
    let space = TestSpace::counter();
    space.edit("config.yaml", "TEST_BENCHES: 'dir::tb/*_tb.v'\n", "");
    space.write_all(&[("flow.star", flow), ("passes.star", PASSES)]);
    space
}

fn run(space: &TestSpace) -> Ran {
    space.tapeout(&["run", "--to", ROUTE])
}

fn cells(space: &TestSpace, kind: &str) -> u64 {
    space.summary()["metrics"][format!("design__instance__count__cell:{kind}")].as_u64().unwrap_or_default()
}

#[test]
fn hooks_edit_what_a_tool_is_told() {
    if !has_tools() {
        return;
    }
    let space = counter("");
    run(&space).exits(0);
    assert_eq!((cells(&space, "SB_CARRY"), cells(&space, "SB_DFF")), (2, 4));
    space.write("flow.star", FLOW);
    run(&space).exits(0);
    assert_eq!(space.repeated(), [SYNTH, ROUTE]);
    assert_eq!((cells(&space, "SB_CARRY"), cells(&space, "SB_DFF")), (0, 4));
    let script = space.read_of("yosys-synthice40", "yosys-synthice40.ys");
    let sections: Vec<&str> = script.lines().filter_map(|line| line.strip_prefix("# section ")).collect();
    let coarse = sections.iter().position(|section| *section == "coarse").unwrap();
    assert_eq!(sections[coarse..coarse + 3], ["coarse", "counted", "no_carries"]);
    assert!(!sections.contains(&"check"), "{script}");
    assert!(space.read_of("yosys-synthice40", "before.txt").contains("$alu"));

    // Neither words about it, nor its place, make it another hook.
    space.edit("flow.star", "    \"\"\"Adds without carry chains.\"\"\"\n", "    # More gates.\n");
    space.edit("passes.star", "def mapped", "\n# What maps.\ndef mapped");
    run(&space).exits(0);
    assert_eq!(space.repeated(), [""; 0]);
    // What it calls does; what comes out is the same.
    space.edit("passes.star", "opt_clean\"", "opt_clean\\nopt_clean\"");
    run(&space).exits(0).says(&["the hook `no_carries` changed"]);
    assert_eq!(space.repeated(), [SYNTH]);
    space.edit("flow.star", "\"+/techmap.v\"", "\"+/simlib.v\"");
    space.edit("passes.star", "techmap -map %s", "# %s");
    run(&space).exits(0);
    assert_eq!((space.repeated(), cells(&space, "SB_CARRY")), (vec![SYNTH.to_owned(), ROUTE.to_owned()], 2));
    // A hook for many steps is one of those alone that have its place.
    space.edit(
        "flow.star",
        "hook(remove",
        "hook(after = \"*/coarse\", name = \"stats\", text = \"stat\")\nhook(remove",
    );
    run(&space).exits(0);
    assert_eq!(space.repeated(), [SYNTH]);
    // That of another step leaves this one alone.
    space.edit("flow.star", "hook(remove", "hook(after = \"Verilator.Lint\", name = \"x\", text = \"\")\nhook(remove");
    run(&space).exits(2).says(&["hook `x` (flow.star:14:1)"]);
    assert!(space.repeated().iter().all(|step| step == LINT));
}

#[test]
fn a_hook_behind_a_step_changes_what_came_out() {
    if !has_tools() {
        return;
    }
    let space = counter(
        r#"
def smaller(ctx):
    before = ctx.made_view("json")
    words = "read_json {}; delete t:SB_CARRY; write_json smaller.json".format(before)
    [after] = ctx.run(["yosys", "-p", words], inputs = [before], outputs = ["smaller.json"])
    removed = len(ctx.read(before).split("SB_CARRY")) - len(ctx.read(after).split("SB_CARRY"))
    ctx.set_view("json", after)
    ctx.set_metric("my__removed", 1 if removed > 0 else 0)
    ctx.write("notes/smaller.txt", "made of {}, {} files\n".format(before.name, len(ctx.made_files())))
    ctx.alert(alert("carries are gone", code = "my.smaller"))
    print("smaller", ctx.name, ctx.id)

hook(smaller, after = "Yosys.SynthIce40")
"#,
    );
    run(&space).exits(0).says(&["smaller smaller Yosys.SynthIce40"]).prints(&["my.smaller"]);
    let metrics = &space.summary()["metrics"];
    assert_eq!(metrics["my__removed"], 1);
    // With carry chains it takes seven.
    assert_eq!(metrics["design__instance__count__bel:ICESTORM_LC"], 6);
    assert!(space.read_of("nextpnr-ice40", "COMMANDS").contains("--json smaller.json"));
    assert!(space.read_of("yosys-synthice40", "notes/smaller.txt").starts_with("made of counter.json, "));
    run(&space).exits(0);
    assert_eq!(space.repeated(), [""; 0]);

    space.edit("flow.star", "    print(", "    ctx.fail_check(\"not good enough\")\n    print(");
    run(&space).exits(1).says(&["hook `smaller`: not good enough"]);
    // What yosys made stands.
    assert!(space.read_of("yosys-synthice40", "smaller.json").contains("SB_DFF"));
}

#[test]
fn a_hook_that_cannot_act_stops_its_step() {
    if !has_tools() {
        return;
    }
    let space = counter("");
    // The body, the place, the exit code, the words.
    let cases: &[(&str, &str, i32, &[&str])] = &[
        ("fail(\"no such table\")", SECTION, 2, &["hook `it` (flow.star:4:1): no such table", "flow.star:2:5: fail()"]),
        ("return 3", SECTION, 2, &["`it` of hook `it` must return None, found 3"]),
        ("ctx.set_metric(\"a\", 1)", SECTION, 2, &["flow.star:2:5", "nothing has come out yet", "stands in a script"]),
        ("ctx.config.CLOCK_PERIOT", SECTION, 2, &["no variable `CLOCK_PERIOT`", "is `CLOCK_PERIOD` meant?"]),
        ("ctx.view(\"nl\")", SECTION, 2, &["does not read the view `nl`", "inputs = [\"nl\"]"]),
        ("ctx.run([\"icepack\"])", SECTION, 2, &["declares the tool `icepack`", "tools = [\"icepack\"]"]),
        ("ctx.input(\"gone.v\")", SECTION, 2, &["gone.v"]),
        ("fail(\"too big\")", SYNTH, 5, &["hook `it` (flow.star:4:1): too big", "log: "]),
        ("ctx.append(\"stat\")", SYNTH, 2, &["no script to add text to", "stands behind its step"]),
        ("ctx.set_view(\"nl\", ctx.write(\"a.v\", \"\"))", SYNTH, 2, &["does not make the view `nl`", "makes json"]),
        ("ctx.write(\"../a.v\", \"\")", SYNTH, 2, &["a file must lie in the step's directory"]),
    ];
    const SECTION: &str = "Yosys.SynthIce40/coarse";
    for (body, place, code, words) in cases {
        space.write("flow.star", format!("def it(ctx):\n    {body}\n\nhook(it, after = \"{place}\")\n"));
        run(&space).exits(*code).says_once(words).says(&[SYNTH]);
    }
    let gone = "hook(after = \"Yosys.SynthIce40/coarsse\", name = \"a\", text = \"stat\")\n\
                hook(before = \"Yosys.SynthIce4/read\", name = \"b\", text = \"stat\")\n";
    // A tool that is not there is missed before others start.
    let missing = "gone = tool(\"gonegone\")\ndef it(ctx):\n    ctx.run([gone])\n\nhook(it, after = \"Nextpnr.Ice40\", tools = [gone])\n";
    space.write("flow.star", missing);
    run(&space).exits(3).says(&["`gonegone` was not found on PATH", "nothing was started"]);
    space.write("flow.star", gone);
    run(&space).exits(2).says(&[
        "hook `a` (flow.star:1:1): `Yosys.SynthIce40` has no section or hook `coarsse`",
        "did you mean `coarse`?",
        "hook `b` (flow.star:2:1): there is no step `Yosys.SynthIce4`",
        "did you mean `Yosys.SynthIce40`?",
        "2 errors",
        "nothing was started",
    ]);
}

#[test]
fn a_plugin_publishes_hooks_for_calls_and_scripts() {
    if !has(&["verilator", "iverilog", "vvp"]) {
        return;
    }
    let space = TestSpace::with(COUNTER);
    space.write_all(&[
        ("flow.star", "load(\"@loud\", \"LOUD\")\nprint(LOUD)\n"),
        ("plugins/loud/plugin.toml", "name = \"loud\"\nversion = \"1\"\nsummary = \"Says more.\"\n"),
        (
            "plugins/loud/plugin.star",
            "LOUD = 1\n\
             def defines(ctx):\n    \
                 ctx.args([\"-D{}={}\".format(ctx.params[\"name\"], ctx.params[\"value\"])])\n\n\
             hook(defines, before = \"simulation/compile\", publish = True, params = {\n    \
                 \"name\": param(str, doc = \"What is defined.\"), \"value\": 1})\n",
        ),
    ]);
    let simulate = || space.tapeout(&["run", "--to", "Icarus.Simulate"]);
    simulate().exits(0);
    assert!(!space.read_of("icarus-simulate", "COMMANDS").contains("-DLOUD"));
    space.edit("config.yaml", "CLOCK_PORT", "HOOKS: [{hook: loud.defines, name: LOUD, value: 3}]\nCLOCK_PORT");
    simulate().exits(0);
    assert!(space.read_of("icarus-simulate", "COMMANDS").contains("-DLOUD=3"));
    assert_eq!(space.repeated(), ["Icarus.Simulate"]);
    space.edit("config.yaml", "name: LOUD", "nam: LOUD");
    simulate().exits(2).says(&["the hook `loud.defines` has no parameter `nam`"]);
}

#[test]
fn steps_of_scripts_have_sections_and_actions() {
    const FLOW: &str = r#"
shell = tool("sh", summary = "A shell.")

def _prepare(ctx):
    text = script("say.sh", sections = [section("first", "echo first"), section("last", "echo last")])
    return session(command(shell, text, stdout = "said.txt"), command(shell, "-c", "cat said.txt", section = "tell"))

def _collect(ctx, sessions):
    return step_result(metrics = {"my__lines": len(sessions[0].read("said.txt").split("\n")) - 1})

say = step("My.Say", action = "lint", sections = {"first": "Begins.", "last": "Ends.", "tell": "Tells."}, tools = [shell],
           prepare = _prepare, collect = _collect)
sequential_flow("Say", steps = [say])

def more(ctx):
    ctx.append("echo {}".format(ctx.config.DESIGN_NAME))
    ctx.append("echo {} {}".format(ctx.script_name, ctx.script.count("echo")))

def wrapped(ctx):
    ctx.append("echo around; " + ctx.replaced)

hook(more, before = "My.Say/last")
hook(text = "echo {{DESIGN_NAME}} {{times}}", name = "again", persistent = "lint", params = {"times": 3})
hook(wrapped, replace = "my.*/first")
"#;
    let space =
        TestSpace::with(&[("flow.star", FLOW), ("config.yaml", "meta: {version: 2, flow: Say}\nDESIGN_NAME: words\n")]);
    space.tapeout(&["run"]).exits(0);
    assert_eq!(space.read_of("my-say", "said.txt"), "words 3\naround\nfirst\nwords\nsay.sh 4\nlast\n");
    space.edit("flow.star", "section(\"last\", \"echo last\")", "section(\"lost\", \"echo last\")");
    space.tapeout(&["run"]).exits(2).says(&["the section `lost`, which the step does not declare", "`last`"]);

    // One that declares none has none, and can still be hooked as a whole.
    let declared = "sections = {\"first\": \"Begins.\", \"last\": \"Ends.\", \"tell\": \"Tells.\"}, ";
    let whole = "def behind(ctx):\n    ctx.set_metric(\"my__lines\", 7)\n\nhook(behind, after = \"My.Say\")\n";
    let (step, _) = FLOW.split_once("hook(").unwrap();
    space.write("flow.star", step.replace(declared, "") + whole);
    space.tapeout(&["run"]).exits(0);
    assert_eq!(space.read_of("my-say", "said.txt"), "first\nlast\n");
    assert_eq!(space.summary()["metrics"]["my__lines"], 7);
    for (place, words) in [
        ("before = \"My.Say/first\"", "`My.Say` has no section or hook `first`"),
        ("persistent = \"My.Say\"", "`My.Say` has no sections that it could stand before"),
    ] {
        let hook = format!("hook({place}, name = \"a\", text = \"echo a\")\n");
        space.write("flow.star", step.replace(declared, "") + &hook);
        space.tapeout(&["run"]).exits(2).says(&["hook `a` (flow.star:", words]);
    }
}
