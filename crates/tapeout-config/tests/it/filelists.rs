//! File lists among the sources.

use tapeout_config::Loader;

use crate::design::Design;

const CONFIG: &str = "\
DESIGN_NAME: counter
VERILOG_FILES: [src/first.v, src/all.f, src/last.v]
VERILOG_DEFINES: [GIVEN]
";

fn design(list: &str) -> Design {
    Design::new(&[
        ("c.yaml", CONFIG),
        ("src/first.v", ""),
        ("src/last.v", ""),
        ("src/a.v", ""),
        ("src/with space.v", ""),
        ("src/inc/x.vh", ""),
        ("ip/b.v", ""),
        ("ip/ip.f", "+define+IP\nb.v\n+incdir+."),
        ("src/all.f", list),
    ])
}

fn loader(design: &Design) -> Loader {
    Loader { env: vec![("IP".to_owned(), "../ip".to_owned())], ..design.loader(&["c.yaml"]) }
}

#[test]
fn lists_become_sources_directories_and_macros() {
    let design = design(
        "// comment with a.v\n# another\n/* and\n one */ a.v \"with space.v\"\n+incdir+inc+.\n+define+A=1+B \\\n\
         -f ${IP}/ip.f -F $(IP)/ip.f $IP/b.v",
    );
    let (config, _) = design.resolve(loader(&design)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        config.strings("VERILOG_FILES"),
        ["src/first.v", "src/a.v", "src/with space.v", "ip/b.v", "ip/b.v", "ip/b.v", "src/last.v"]
    );
    assert_eq!(config.strings("VERILOG_INCLUDE_DIRS"), ["src/inc", "src", "ip"]);
    assert_eq!(config.strings("VERILOG_DEFINES"), ["GIVEN", "A=1", "B", "IP"]);
    assert!(config.explicit("VERILOG_INCLUDE_DIRS"));
}

#[test]
fn faults_are_shown_in_the_list() {
    let cases = [
        ("\n  -y lib", "error: `-y` is not supported in a file list\n --> src/all.f:2:3\n"),
        ("-v lib.v", "error: `-v` is not supported in a file list\n --> src/all.f:1:1\n"),
        ("+libext+.v", "error: `+libext+.v` is not supported in a file list\n --> src/all.f:1:1\n"),
        ("$NONE/a.v", "error: the environment has no variable `NONE`\n --> src/all.f:1:1\n"),
        ("${IP", "error: `${IP`: `}` is missing\n --> src/all.f:1:1\n"),
        ("a.v\nb.v", "error: `VERILOG_FILES`: `src/b.v` does not exist\n --> src/all.f:2:1\n"),
        ("+incdir+a.v", "error: `VERILOG_INCLUDE_DIRS`: `src/a.v` is not a directory\n --> src/all.f:1:1\n"),
        ("-f all.f", "error: file list `src/all.f` includes itself\n --> src/all.f:1:4\n"),
        ("-f", "error: `-f` is followed by nothing\n --> src/all.f:1:1\n"),
        ("/* a", "error: the comment is not closed\n --> src/all.f:1:1\n"),
        ("\"a.v\n", "error: the quote is not closed\n --> src/all.f:1:1\n"),
    ];
    for (list, expected) in cases {
        let design = design(list);
        let error = design.resolve(loader(&design)).expect_err(list);
        assert!(error.starts_with(expected), "{list}: {error}");
    }
}
