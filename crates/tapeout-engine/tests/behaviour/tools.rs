//! What a tool is, and when it is another one.

use tapeout_engine::{Engine, Graph, Options, Tool};

use crate::common::{Project, all, call, output, run, runs, sh, tool};

/// Writes what it is made of.
const TOOL: &str = "#!/bin/sh\ncat \"${0%/*}/../share/cells\" > out\n";

fn engine(project: &Project, path: &str) -> Engine {
    let made = Tool { companions: &["../share"], ..tool("made") };
    project.engine_with(Options::cores(1), [(made, path)])
}

fn graph() -> Graph {
    all([runs("uses it", call("made", &[])), runs("does not", sh("touch out"))])
}

pub(crate) fn an_edited_tool_or_companion_runs_its_jobs_again() {
    let project = Project::new();
    let expect = |ran: &str, text: &str, what: &str| {
        let engine = engine(&project, "suite/bin/made");
        let (letters, outcomes, _) = run(&engine, &graph());
        assert_eq!((letters.as_str(), output(&engine, &outcomes[0]).trim()), (ran, text), "{what}");
    };
    project.write("suite/share/cells", "A");
    project.write_tool("suite/bin/made", TOOL);
    expect("rr", "A", "all for the first time");
    expect("uu", "A", "nothing changed");
    project.write("suite/share/cells", "B");
    expect("ru", "B", "a companion changed");
    project.write("suite/share/more", "");
    expect("ru", "B", "a companion was added");
    project.write_tool("suite/bin/made", &format!("{TOOL}echo edited >> out\n"));
    expect("ru", "Bedited", "it was edited");
    project.write("suite/other/cells", "C");
    expect("uu", "Bedited", "what does not belong to it does not count");
    project.write_tool("suite/bin/made", TOOL);
    std::fs::remove_file(project.path("suite/share/more")).unwrap();
    expect("uu", "B", "this is what it was before");
}

pub(crate) fn a_tool_elsewhere_with_the_same_content_is_the_same() {
    let project = Project::new();
    for suite in ["one", "two", "three"] {
        project.write(&format!("{suite}/share/cells"), if suite == "three" { "B" } else { "A" });
        project.write_tool(&format!("{suite}/bin/made"), TOOL);
    }
    assert_eq!(run(&engine(&project, "one/bin/made"), &graph()).0, "rr");
    assert_eq!(run(&engine(&project, "two/bin/made"), &graph()).0, "uu");
    assert_eq!(run(&engine(&project, "three/bin/made"), &graph()).0, "ru");
}
