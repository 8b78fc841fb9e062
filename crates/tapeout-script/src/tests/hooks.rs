//! What is said of hooks that are wrong, and what a registry gets of those that are not.

use std::sync::Arc;

use tapeout_config::SourceMap;
use tapeout_flow::{Hook, HookKind, Layer, Puts, Registry, Tool};

use super::support::files;
use crate::Script;

/// What comes of loading and registering these files, beside a step and a tool that are there.
fn registered(list: &[(&str, &str)]) -> Result<Registry, String> {
    let dir = files(list);
    let mut sources = SourceMap::new();
    let mut registry = Registry::default();
    registry.add_tool(Tool {
        name: "yosys",
        summary: "",
        package: "",
        version_args: &[],
        minimum: None,
        companions: &[],
    });
    let script = Script::load(dir.path(), &registry, &mut sources);
    match script.and_then(|script| script.register(&mut registry)) {
        Ok(()) => Ok(registry),
        Err(problems) => {
            let shown: Vec<String> = problems.iter().map(|problem| problem.render(&sources, false)).collect();
            Err(shown.join("\n\n"))
        }
    }
}

fn hooks(list: &[(&str, &str)]) -> Vec<Arc<Hook>> {
    registered(list).unwrap_or_else(|problems| panic!("{problems}")).hooks().cloned().collect()
}

#[test]
fn what_is_wrong_with_a_hook_is_said_with_its_place() {
    const FUNCTIONS: &str = "def tidy(ctx):\n    pass\n\ndef two(ctx, state):\n    pass\n\n";
    // What follows the functions, on line 7; where it is wrong; the words.
    let cases: &[(&str, &str, &[&str])] = &[
        ("hook(tidy)", "7:1", &["does not say where it acts", "pre_persistent"]),
        ("hook(tidy, before = \"A.B/c\", after = \"A.B/d\")", "7:1", &["in one place, found `before` and `after`"]),
        ("hook(tidy, after = \"A.B/c/d\")", "7:1", &["`A.B/c/d` is no place of a hook", "STEP/SECTION"]),
        ("hook(tidy, after = 1)", "7:1", &["a step is named by its id, found 1"]),
        ("hook(after = \"A.B/c\")", "7:1", &["puts nothing at `A.B/c`", "text = "]),
        (
            "hook(tidy, after = \"A.B/c\", text = \"x\")",
            "7:1",
            &["puts one thing into its place, found `a function` and `text`"],
        ),
        ("hook(remove = \"A.B/c\", text = \"x\")", "7:1", &["puts nothing there, found `text`", "replace = \"A.B/c\""]),
        ("hook(after = \"A.B/c\", text = \"x\")", "7:1", &["the hook has no name"]),
        ("hook(remove = \"A.B/c\", publish = True)", "7:1", &["the hook has no name"]),
        ("hook(tidy, after = \"A.B/c\", name = \"a/b\")", "7:1", &["`a/b` cannot be the name of a hook"]),
        ("hook(lambda ctx: None, after = \"A.B/c\")", "7:1", &["`function` cannot be a lambda"]),
        ("hook(two, after = \"A.B/c\")", "4:5", &["`function` of hook `two` must take `ctx` alone"]),
        ("hook(after = \"A.B/c\", step = \"X.Y\")", "7:1", &["a step cannot stand at `A.B/c`", "after = \"A.B\""]),
        ("hook(after = \"A.B\", step = \"X.Y\")", "7:1", &["the hook at `A.B` has the step `X.Y`, which there is not"]),
        ("hook(tidy, after = \"A.B\", tool = \"yoys\")", "7:1", &["`A.B` is for the tool `yoys`", "`yosys`"]),
        ("hook(tidy, after = \"A.B\", tools = [\"yoys\"])", "7:1", &["`A.B` runs the tool `yoys`", "`yosys`"]),
        ("hook(tidy, after = \"A.B\", inputs = [\"jsn\"])", "7:1", &["there is no design format `jsn`"]),
        ("hook(tidy, after = \"A.B\", params = {\"n\": param(int)})", "7:1", &["nobody says what `n`", "publish"]),
        ("hook(tidy, after = \"A.B\", params = {\"n\": None, \"hook\": 1})", "7:1", &["cannot be called `hook`"]),
        ("hook(tidy, after = \"A.B\", params = {\"n\": param(Time)})", "7:1", &["`n` of a hook cannot be Time"]),
        (
            "hook(tidy, after = \"A.B\", publish = True)\nhook(tidy, before = \"A.B/c\", publish = True)",
            "8:1",
            &["the hook `flow.tidy` is declared twice", "the first time"],
        ),
    ];
    for (text, place, words) in cases {
        let said =
            registered(&[("flow.star", &format!("{FUNCTIONS}{text}\n"))]).err().unwrap_or_else(|| panic!("{text}"));
        assert!(said.contains(&format!("--> flow.star:{place}")), "{text}: not at {place}:\n{said}");
        for word in *words {
            assert!(said.contains(word), "{text}: no `{word}` in:\n{said}");
        }
    }
}

#[test]
fn hooks_know_their_layer_and_their_place() {
    let flow = "load(\"@lint\", \"more\")\n\
                def _tidy(ctx):\n    \"\"\"Tidies up.\n\n    At length.\"\"\"\n\n\
                hook(_tidy, post_persistent = \"synthesis/abc\", tool = \"yosys\")\n\
                hook(remove = \"Yosys.*/check\")\n\
                hook(_tidy, name = \"of_mine\", publish = True, after = \"A.B\", params = {\"n\": param(int, doc = \"How many.\"), \"m\": 2.5})\n";
    let list = hooks(&[
        ("flow.star", flow),
        ("plugins/lint/plugin.toml", "name = \"lint\"\nversion = \"1\"\nsummary = \"Looks.\"\n"),
        (
            "plugins/lint/plugin.star",
            "more = 1\nhook(before = \"A.B/c\", text = \"x\", name = \"x\", doc = \"X.\", publish = True)\n",
        ),
    ]);
    let [of_plugin, tidy, removal, mine] = &list[..] else { panic!("four hooks") };
    assert_eq!((of_plugin.layer, of_plugin.full_name().as_str()), (Layer::Tool, "lint.x"));
    assert_eq!((of_plugin.origin.as_str(), of_plugin.doc.as_str()), ("@lint//plugin.star:2:1", "X."));
    assert_eq!((tidy.layer, tidy.name.as_str(), tidy.kind), (Layer::User, "tidy", HookKind::PostPersistent));
    assert_eq!((tidy.doc.as_str(), tidy.tool.as_deref()), ("Tidies up.", Some("yosys")));
    assert_eq!((tidy.origin.as_str(), tidy.at.to_string().as_str()), ("flow.star:7:1", "synthesis/abc"));
    assert!(removal.kind == HookKind::Remove && matches!(removal.puts, Puts::Nothing));
    let parameters = mine.parameters.iter().map(|known| format!("{}: {} {:?}", known.name, known.ty, known.default));
    let parameters: Vec<String> = parameters.collect();
    assert_eq!((mine.full_name().as_str(), mine.parameters[0].doc.as_ref()), ("flow.of_mine", "How many."));
    assert_eq!(parameters.len(), 2, "{parameters:?}");
    assert!(parameters[0].starts_with("n: integer None") && parameters[1].starts_with("m: decimal Some"));
}
