//! A project from its files to the call of a task.

use tapeout_flow::project::{Requirement, Requires, Word};
use tapeout_model::{Data, FilePath};

use super::support::{Recorder, load_files, own, run};

const FLOW: &str = r#"
"""A small system."""

load("lib/tools.star", "yosys")

def _stat(ctx):
    return json.decode(ctx.read(ctx.cwd / "stat.json"))

def synthesize(ctx):
    """Synthesises.

    All of it.
    """
    ctx.write("stat.json", '{"cells": 12}')
    yosys(ctx, ctx.input("rtl/*.v"))
    result = Result(voltage = ctx.block.voltage)
    result.netlist = ctx.cwd / "netlist.json"
    result.cells = _stat(ctx)["cells"]
    return result

def place(ctx, syn, all):
    print("cells", syn.cells)
    return Result(sum = sum([one.cells for one in all]), netlist = syn.netlist)

def sum(numbers):
    total = 0
    for number in numbers:
        total += number
    return total

Core = block(
    doc = "A core.",
    params = {"voltage": 1.8, "name": param(str, doc = "Its name.")},
    tasks = [synthesize, task(place, requires = {"syn": ".synthesize", "all": ["other.synthesize", "=b.synthesize"]}, cores = 2, memory = "4 GiB", licences = {"pnr": 1})],
)

flow = Flow(licences = {"pnr": 2})
flow["a"] = Core(name = "a", dependency_map = {"other": "b"})
flow["b"] = Core(name = "b", voltage = 1, dependency_map = {"other": "a"})
"#;

const TOOLS: &str = r#"
def yosys(ctx, sources):
    ctx.run(["yosys", "-p", "synth", sources, 3, "-o" + str(ctx.cwd / "x")], outputs = ["netlist.json"], timeout = "2 m")
"#;

#[test]
fn a_project_is_loaded_and_its_tasks_run() {
    let script = load_files(&[("flow.star", FLOW), ("lib/tools.star", TOOLS)]).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(script.doc(), "A small system.");
    assert_eq!(script.files().len(), 2);
    let [(a, core_a), (b, core_b)] = script.project().unwrap().blocks() else { panic!() };
    let of = &core_a.of;
    assert_eq!((a.as_str(), b.as_str(), of.name.as_str(), of.doc.as_str()), ("a", "b", "Core", "A core."));
    assert!(std::sync::Arc::ptr_eq(of, &core_b.of), "blocks of a type share it");
    assert_eq!(core_b.params, [("voltage".to_owned(), Data::Float(1.0)), ("name".to_owned(), "b".into())]);
    assert_eq!(core_a.dependency("other"), Some("b"));
    let params = [("voltage", "float, default 1.8"), ("name", "str: Its name.")];
    assert_eq!(of.params, params.map(|(name, doc)| (name.to_owned(), doc.to_owned())));
    assert_eq!(script.project().unwrap().licences()["pnr"], 2);
    let place = &of.tasks[1];
    assert_eq!((place.claims.cores, place.claims.memory_mib, place.claims.tokens["pnr"]), (2, 4096, 1));
    let syn = Requires::One(Requirement::Own { task: "synthesize".into() });
    let all = Requires::Many(vec![
        Requirement::Symbolic { name: "other".into(), task: "synthesize".into() },
        Requirement::Direct { block: "b".into(), task: "synthesize".into() },
    ]);
    assert_eq!(place.requires, [("syn".to_owned(), syn), ("all".to_owned(), all)]);
    assert_eq!(of.tasks[0].doc, "Synthesises.\n\nAll of it.");

    let mut ops = Recorder::default();
    ops.sources.insert("rtl/a.v".into(), String::new());
    ops.sources.insert("rtl/b.v".into(), String::new());
    let result = run(&script, "a", "synthesize", &mut ops).unwrap().unwrap();
    let expected: [(String, Data); 3] =
        [("voltage".into(), 1.8.into()), ("netlist".into(), own("netlist.json").into()), ("cells".into(), 12.into())];
    assert_eq!(result, expected);
    assert_eq!(ops.asked, ["glob rtl/*.v", "param voltage"]);
    let text = |text: &str| Word::Text(text.into());
    let source = |path: &str| Word::Path(FilePath::Source(path.into()));
    let argv = [text("yosys"), text("-p"), text("synth"), source("rtl/a.v"), source("rtl/b.v"), text("3"), text("-ox")];
    assert_eq!(ops.calls[0].argv, argv);
    assert_eq!(ops.calls[0].outputs.as_deref(), Some(&["netlist.json".to_owned()][..]));
    assert_eq!(ops.calls[0].timeout, Some(std::time::Duration::from_secs(120)));

    let mut ops = Recorder::default();
    ops.results.insert("syn".into(), vec![result]);
    ops.results.insert("all".into(), vec![vec![("cells".into(), 1.into())], vec![("cells".into(), 2.into())]]);
    let result = run(&script, "a", "place", &mut ops).unwrap().unwrap();
    assert_eq!(result, [("sum".to_owned(), 3.into()), ("netlist".to_owned(), own("netlist.json").into())]);
    assert_eq!(ops.asked, ["syn[0].cells", "say cells 12", "all[0].cells", "all[1].cells", "syn[0].netlist"]);
}
