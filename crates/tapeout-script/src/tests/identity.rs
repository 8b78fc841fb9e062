//! What makes a function another one, and what does not.

use super::support::load_files;

const FLOW: &str = r#"
load("lib/help.star", "helper", short = "rather_long")

LIMIT = {"area": [1, 2.5, ("x", None)], "corner": struct(v = 1.8)}
UNUSED = 1
UNSEEN = 5

def _own(x):
    if x:
        return helper(x)
    return short

def task_it(ctx):
    """Says what it does."""
    y = [UNSEEN for UNSEEN in LIMIT["area"]]
    return Result(x = _own(y), f = f"{LIMIT}")

def other(ctx):
    return Result(unused = UNUSED)

made = made_by(3)
ask = lambda x: made(x)

def indirect(ctx):
    return Result(x = made(1))

def by_table(ctx):
    return Result(x = TABLE["f"](1))

TABLE = {"f": _own}

Top = block(tasks = [task_it, other, indirect, by_table])
flow = Flow()
flow["top"] = Top()
"#;

const HELP: &str = r#"
def helper(x):
    return _deeper(x) + 1

def _deeper(x):
    return len(x)

rather_long = [1]
"#;

const MAKER: &str = r#"
def made_by(n):
    def inner(x):
        return x + n
    return inner
"#;

/// The identities of all tasks of these files.
fn codes(flow: &str, help: &str, maker: &str) -> Vec<(String, String)> {
    let flow = format!("load(\"maker.star\", \"made_by\")\n{flow}");
    let files = [("flow.star", flow.as_str()), ("lib/help.star", help), ("maker.star", maker)];
    let script = load_files(&files).unwrap_or_else(|problems| panic!("{problems}"));
    let mut codes: Vec<_> = script.bodies.iter().map(|((_, task), body)| (task.clone(), body.code.clone())).collect();
    codes.sort();
    codes
}

/// The tasks that are other ones after an edit: the first text of each pair is replaced by the second one.
fn changed(edits: &[(&str, &str)]) -> Vec<String> {
    let edited = |text: &str| edits.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    let all = format!("{FLOW}{HELP}{MAKER}");
    for (from, _) in edits {
        assert!(all.contains(from), "nothing says {from}");
    }
    let before = codes(FLOW, HELP, MAKER);
    let after = codes(&edited(FLOW), &edited(HELP), &edited(MAKER));
    before.into_iter().zip(after).filter(|(before, after)| before.1 != after.1).map(|(before, _)| before.0).collect()
}

#[test]
fn what_nothing_does_does_not_count() {
    for edit in [
        ("def task_it(ctx):", "# A comment.\n\ndef task_it(ctx): # another"),
        ("Says what it does.", "Says what it does not."),
        ("    y = [", "\n    # Indented.\n\n    y =   ["),
        ("    if x:\n        return helper(x)\n", "    if x:\n            return helper(x)\n\n"),
        ("\"\"\"Says what it does.\"\"\"\n", "\n"),
        // The name in the comprehension is its own.
        ("UNSEEN = 5", "UNSEEN = 6"),
        ("block(tasks", "block(doc = \"A block.\", tasks"),
    ] {
        let changed = changed(&[edit]);
        // The value of a call is known only by all that could have made it.
        let expected: &[&str] = match edit.0 {
            "block(tasks" | "UNSEEN = 5" => &["indirect"],
            _ => &[],
        };
        assert_eq!(changed, expected, "{edit:?}");
    }
}

#[test]
fn what_is_reached_counts_for_those_that_reach_it() {
    for (edit, expected) in [
        (("x = _own(y)", "z = _own(y)"), &["indirect", "task_it"][..]),
        (("return short", "return short[0]"), &["by_table", "indirect", "task_it"]),
        (("return len(x)", "return len(x) + 1"), &["by_table", "indirect", "task_it"]),
        (("rather_long = [1]", "rather_long = [2]"), &["by_table", "indirect", "task_it"]),
        (("2.5", "2.25"), &["indirect", "task_it"]),
        (("v = 1.8", "v = 1.2"), &["indirect", "task_it"]),
        (("UNUSED = 1", "UNUSED = 2"), &["indirect", "other"]),
        (("return x + n", "return x - n"), &["indirect"]),
        (("made_by(3)", "made_by(4)"), &["indirect"]),
        (("{\"f\": _own}", "{\"f\": len}"), &["by_table", "indirect"]),
        (("f\"{LIMIT}\"", "f\"{LIMIT}!\""), &["indirect", "task_it"]),
    ] {
        assert_eq!(changed(&[edit]), expected, "{edit:?}");
    }
}

#[test]
fn names_of_files_do_not_count() {
    let moved = |path: &str| {
        let flow = FLOW.replace("lib/help.star", path).replace("made_by(3)", "len").replace("made(x)", "made([x])");
        let script = load_files(&[("flow.star", &flow), (path, HELP)]).unwrap_or_else(|problems| panic!("{problems}"));
        script.bodies[&("Top".to_owned(), "task_it".to_owned())].code.clone()
    };
    assert_eq!(moved("lib/help.star"), moved("elsewhere/of.star"));
}

#[test]
fn functions_may_reach_each_other() {
    let even = "def even(n):\n    return n == 0 or odd(n - 1)\n";
    let odd = "def odd(n):\n    return n != 0 and even(n - 1)\n";
    let code = |even: &str, odd: &str| {
        let text = format!("{even}\n{odd}\ndef it(ctx):\n    return Result(x = even(4))\nTop = block(tasks = [it])\n");
        let script = load_files(&[("flow.star", &text)]).unwrap_or_else(|problems| panic!("{problems}"));
        script.bodies[&("Top".to_owned(), "it".to_owned())].code.clone()
    };
    assert_eq!(code(even, odd), code(even, odd));
    assert_ne!(code(even, odd), code(even, &odd.replace("!=", ">")));
    assert_ne!(code(even, odd), code(&even.replace("n == 0", "False"), odd));
}

#[test]
fn a_name_that_is_bound_twice_is_never_trusted() {
    let code = |first: &str| {
        let text = format!(
            "N = {first}\ndef it(ctx, x = N):\n    return Result(x = x)\nN = 3\nTop = block(tasks = [task(it, requires = {{\"x\": \".it\"}})])\n"
        );
        let script = load_files(&[("flow.star", &text)]).unwrap_or_else(|problems| panic!("{problems}"));
        script.bodies[&("Top".to_owned(), "it".to_owned())].code.clone()
    };
    assert_ne!(code("1"), code("2"));
}
