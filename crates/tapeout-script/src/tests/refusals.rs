//! What is said of files that are wrong: every message with its place.

use super::support::{load, load_files, problems};

/// Checks that a text is said to be wrong in these words, at this place.
fn refused(text: &str, place: &str, words: &[&str]) {
    let said = problems(text);
    assert!(said.contains(&format!("--> {place}")), "not at {place}:\n{said}");
    for word in words {
        assert!(said.contains(word), "no `{word}` in:\n{said}");
    }
}

/// A block type with these arguments, and a function for it.
fn kind(arguments: &str) -> String {
    format!("def it(ctx):\n    pass\n\nTop = block({arguments})\n")
}

#[test]
fn errors_show_the_line_and_the_way_there() {
    let said = problems("def inner(x):\n    return x.nothing\n\ndef outer(x):\n    return inner(x)\n\nouter([1])\n");
    assert_eq!(
        said,
        "\
error: Object of type `list` has no attribute `nothing`
 --> flow.star:2:12
  |
2 |     return x.nothing
  |            ^^^^^^^^^
...
5 |     return inner(x)
  |            -------- `inner` is called here
6 |
7 | outer([1])
  | ---------- `outer` is called here"
    );
}

#[test]
fn the_language() {
    refused("x = (1,\n", "flow.star:2:1", &[]);
    refused("x = y + 1\n", "flow.star:1:5", &["`y` not found"]);
    refused(
        "def f(x: int):\n    return x\n\nf(\"a\")\n",
        "flow.star:4:1",
        &["does not match the type annotation `int`"],
    );
    refused("fail(\"no\", 1)\n", "flow.star:1:1", &["error: no 1"]);
    refused(&format!("x = {}1{}\n", "(".repeat(5000), ")".repeat(5000)), "flow.star:1:104", &["this nests too deep"]);
    refused(
        "def f(n):\n    return f(n + 1)\n\nf(0)\n",
        "flow.star:2:12",
        &["loading `flow.star` makes more than 200 calls within each other"],
    );
    assert!(load("x = \"a\"\nname = f\"{x} b\"\n\nfor i in range(3):\n    x += str(i)\n").is_ok());
}

#[test]
fn loads() {
    let said = |files: &[(&str, &str)]| load_files(files).err().expect("it does not load");
    let missing = said(&[("flow.star", "load(\"lib/tols.star\", \"x\")\n"), ("lib/tools.star", "x = 1\n")]);
    assert!(missing.contains("`lib/tols.star` does not exist"), "{missing}");
    assert!(missing.contains("flow.star:1:6") && missing.contains("is `lib/tools.star` meant?"), "{missing}");
    let a = ("a.star", "load(\"//lib/b.star\", \"b\")\na = b\n");
    let b = ("lib/b.star", "load(\"../a.star\", \"a\")\nb = a\n");
    let circle = said(&[("flow.star", "load(\"a.star\", \"a\")\n"), a, b]);
    assert!(
        circle.contains("in a circle: a.star → lib/b.star → a.star") && circle.contains("lib/b.star:1:6"),
        "{circle}"
    );
    let private = said(&[("flow.star", "load(\"a.star\", \"_x\")\n"), ("a.star", "_x = 1\n")]);
    assert!(private.contains("`_x`") && private.contains("flow.star:1"), "{private}");
    for (text, words) in [
        ("@tapeout//projct.star", "is `@tapeout//project.star` meant?"),
        ("@other//x.star", "there is no plugin `other`"),
        ("@other", "there is no plugin `other`"),
        ("../x.star", "leads out of the project"),
        ("/etc/passwd", "names no file of the project"),
    ] {
        let said = problems(&format!("load(\"{text}\", \"x\")\n"));
        assert!(said.contains(words) && said.contains("flow.star:1:6"), "{said}");
    }
    // Both files are said to be wrong, and each once.
    let flow = "load(\"a.star\", \"a\")\nload(\"b.star\", \"b\")\n";
    let both = said(&[("flow.star", flow), ("a.star", "a = (\n"), ("b.star", "load(\"a.star\", \"a\")\nb = )\n")]);
    assert_eq!((both.matches("error:").count(), both.matches("a.star:").count()), (2, 1), "{both}");
    assert!(said(&[]).contains("`flow.star` does not exist"));
    assert!(load("load(\"@tapeout//project.star\", \"lines\")\nx = lines(\" a\\n\\nb \")\n").is_ok());
}

#[test]
fn tasks() {
    let top_level = "top level of a file";
    refused("Top = block(tasks = [lambda ctx: 1])\n", "flow.star:1:7", &["a lambda cannot be a task", top_level]);
    refused("Top = block(tasks = [len])\n", "flow.star:1:7", &["`len` cannot be a task", top_level]);
    let inner = "def outer():\n    def it(ctx):\n        pass\n    return it\n\nTop = block(tasks = [task(outer())])\n";
    refused(inner, "flow.star:6:22", &["`it` cannot be a task", top_level]);
    let within = "if True:\n    def it(ctx):\n        pass\nTop = block(tasks = [it])\n";
    refused(within, "flow.star:4:7", &["`it` cannot be a task", top_level]);
    refused(
        "def it():\n    pass\n\ntask(it)\nTop = block(tasks = [it])\n",
        "flow.star:1:5",
        &["must be `ctx`", "def it(ctx):"],
    );
    let takes = "def it(ctx, syn, *rest):\n    pass\n\nTop = block(tasks = [it])\n";
    refused(takes, "flow.star:1:5", &["one parameter for each requirement"]);
    let unknown = "def it(ctx, synth):\n    pass\n\nTop = block(tasks = [task(it, requires = {\"syth\": \".s\"})])\n";
    refused(
        unknown,
        "flow.star:1:5",
        &[
            "parameter `synth` of task `it` is none",
            "is `syth` meant?",
            "requirement `syth` of task `it` is no parameter",
            "def it(ctx, syth):",
            "declared here",
        ],
    );
    for (argument, words) in [
        ("requires = [\".s\"]", "`requires` must be a dict, found a list"),
        ("requires = {\"s\": 1}", "requirement `s` must be a string, found 1"),
        ("requires = {\"s\": \"synth\"}", "malformed requirement `synth`"),
        ("requires = {\"s\": [\".a\", \"..b\"]}", "malformed requirement `..b`"),
        ("id = \"a b\"", "`a b` cannot be the id of a task"),
        ("cores = 0", "at least one core"),
        ("memory = \"4 G\"", "\"4 G\" is no amount of memory"),
        ("licences = {\"x\": True}", "`licences` must say how many of each"),
        ("timeout = 3", "timeout"),
    ] {
        refused(&format!("def it(ctx):\n    pass\n\ntask(it, {argument})\n"), "flow.star:4:1", &[words]);
    }
}

#[test]
fn block_types() {
    refused(&kind("tasks = [it, task(it, hidden = True)]"), "flow.star:4:7", &["two tasks `it`", "another id"]);
    refused(&kind("tasks = it"), "flow.star:4:7", &["`tasks` must be a list, found a function"]);
    refused(&kind("params = [\"a\"]"), "flow.star:4:7", &["`params` must be a dict"]);
    refused(&kind("params = {\"id\": 1}"), "flow.star:4:7", &["cannot be called `id`"]);
    refused(&kind("params = {\"a-b\": 1}"), "flow.star:4:7", &["cannot be the name of a parameter"]);
    refused(&kind("params = {\"a\": str}"), "flow.star:4:7", &["the default of parameter `a`", "param(str)"]);
    refused(&kind("params = {\"a\": param(it)}"), "flow.star:4:28", &["a type is expected, found a function"]);
    refused(
        &kind("params = {\"a\": param(list[int], default = [\"x\"])}"),
        "flow.star:4:28",
        &["the default must be list[int], found a list"],
    );
}

#[test]
fn blocks() {
    let params = kind(
        "params = {\"voltage\": 1.8, \"name\": param(str)}, tasks = [it, task(that, requires = {\"o\": \"other.it\"})]",
    );
    let text = |call: &str| format!("def that(ctx, o):\n    pass\n\n{params}{call}\nflow = Flow()\n");
    let given = "name = \"a\", dependency_map = {\"other\": \"b\"}";
    assert!(load(&text(&format!("Top({given})"))).is_ok());
    for (call, words) in [
        ("voltag = 1", &["Top has no parameter `voltag`", "is `voltage` meant?"][..]),
        ("volt = 1, frequency = 2", &["no parameter `frequency`", "there are: voltage, name, dependency_map"]),
        ("voltage = \"1.8\"", &["`voltage` must be float, found the string \"1.8\""]),
        ("voltage = it", &["`voltage`: a function cannot be kept"]),
    ] {
        refused(&text(&format!("Top({given}, {call})")), "flow.star:8:1", words);
    }
    for (call, words) in [
        ("dependency_map = {\"other\": \"b\"}", &["parameter `name` of Top is missing"][..]),
        ("name = \"a\"", &["does not say which block `other` is", "dependency_map = {\"other\": \"…\"}"]),
        (
            "name = \"a\", dependency_map = {\"other\": \"b\", \"more\": \"c\"}",
            &["names `more`, which no task of Top requires"],
        ),
        ("name = \"a\", dependency_map = {\"other\": it}", &["must be the id of a block, found a function"]),
        ("name = \"a\", dependency_map = [1]", &["`dependency_map` must be a dict"]),
        ("\"a\", dependency_map = {\"other\": \"b\"}", &["given by name: Top(name = …)"]),
    ] {
        refused(&text(&format!("Top({call})")), "flow.star:8:1", words);
    }
    // All that is wrong with all calls.
    let said = problems(&text("Top(x = 1)\nTop(name = 3)"));
    assert_eq!(said.matches("error:").count(), 5, "{said}");
}

#[test]
fn flows() {
    let top = kind("tasks = [it]") + "flow = Flow()\n";
    for (line, words) in [
        ("flow[\"a\"] = Top\n", "call the block type: Top(…)"),
        ("flow[\"a\"] = 3\n", "a block is expected for `a`, found 3"),
        ("flow[\"a b\"] = Top()\n", "`a b` cannot be the id of a block"),
        ("flow[3] = Top()\n", "the id of a block must be a string, found 3"),
        ("flow[\"a\"] = Top(); flow[\"a\"] = Top()\n", "there is a block `a` already"),
        ("x = Top(); flow[\"a\"] = x; flow[\"b\"] = x\n", "this block is `a` already"),
        ("flow[\"core\"] = Top(); flow[\"coer\"]\n", "is `core` meant?"),
    ] {
        refused(&format!("{top}{line}"), "flow.star:6:", &[words]);
    }
    let loaded =
        [("flow.star", "load(\"lib.star\", \"flow\", \"Top\")\nflow[\"b\"] = Top()\n"), ("lib.star", top.as_str())];
    let said = load_files(&loaded).err().expect("frozen");
    assert!(said.contains("flow.star:2:1") && said.contains("in the file that makes it"), "{said}");
    // What only the whole project shows.
    let unknown = "def it(ctx, x):\n    pass\nTop = block(tasks = [task(it, requires = {\"x\": \".that\"})])\nflow = Flow()\nflow[\"a\"] = Top()\n";
    refused(unknown, "flow.star:3:22", &["`a.it` requires `.that`"]);
    assert!(load("x = 1\n").unwrap_or_else(|problems| panic!("{problems}")).project().is_none());
}
