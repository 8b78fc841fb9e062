//! Completion in shells: the script in a real bash, and what the program answers to the scripts of others.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs, says what it skips, and fails by panic"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use support::has;
use tempfile::TempDir;

const TAPEOUT: &str = env!("CARGO_BIN_EXE_tapeout");

fn project() -> TempDir {
    let dir = TempDir::new().unwrap();
    let output = Command::new(TAPEOUT).args(["init", "-q"]).current_dir(dir.path()).output().unwrap();
    assert!(output.status.success());
    dir
}

/// What bash has when the function that completes is called: the line up to the cursor, its words as bash splits them,
/// the last of them.
const CALL: &str = r#"
source <(tapeout completions bash) || exit 1
complete -p tapeout > /dev/null || exit 1
COMP_LINE=$1 COMP_POINT=${#1}
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) current=${@: -1}
[[ $current == "=" ]] && current=
_tapeout_complete tapeout "$current" ""
printf '%s\n' "${COMPREPLY[@]}"
"#;

/// What bash proposes for a line, of which blanks and `=` part the words.
fn proposed(dir: &Path, line: &str) -> Vec<String> {
    let mut words: Vec<&str> = Vec::new();
    for word in line.split(' ') {
        let mut parts = word.split('=');
        words.extend(parts.next());
        for part in parts {
            words.push("=");
            words.extend((!part.is_empty()).then_some(part));
        }
    }
    let path = format!("{}:{}", Path::new(TAPEOUT).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", CALL, "bash", line]).args(words).current_dir(dir).env("PATH", path).stdin(Stdio::null());
    let output = bash.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).filter(|line| !line.is_empty()).collect()
}

#[test]
fn bash_completes_names_and_values() {
    if !has(&["bash"]) {
        return;
    }
    let dir = project();
    let cases: [(&str, &[&str]); 14] = [
        ("tapeout conf", &["config"]),
        ("tapeout config sc", &["schema"]),
        ("tapeout run -c CLOCK_P", &["CLOCK_PERIOD=", "CLOCK_PERIODS=", "CLOCK_PORT="]),
        ("tapeout run -c RUN_LINTER=", &["true", "false"]),
        ("tapeout run -c ICE40_DEVICE=up", &["up3k", "up5k"]),
        ("tapeout run --set=ICE40_DEVICE=up", &["up3k", "up5k"]),
        ("tapeout run -c PCF_FILE=src/blinky.p", &["src/blinky.pcf"]),
        ("tapeout config why CTS_CLK_B", &[]),
        ("tapeout config why --flow Classic CTS_CLK_B", &["CTS_CLK_BUFFERS"]),
        ("tapeout config schema --flow C", &["Classic"]),
        ("tapeout show step Yosys.SynthI", &["Yosys.SynthIce40"]),
        ("tapeout show tool yos", &["yosys"]),
        ("tapeout run --from Nex", &["Nextpnr.Ice40"]),
        ("tapeout logs fast/Nex", &["fast/Nextpnr.Ice40"]),
    ];
    for (line, expected) in cases {
        assert_eq!(proposed(dir.path(), line), expected, "{line}");
    }
}

#[test]
fn values_are_files_of_the_design() {
    if !has(&["bash"]) {
        return;
    }
    let dir = project();
    fs::create_dir(dir.path().join("elsewhere")).unwrap();
    let line = "tapeout run .. -c PCF_FILE=src/blinky.p";
    assert_eq!(proposed(&dir.path().join("elsewhere"), line), ["src/blinky.pcf"]);
    // A configuration that cannot be read leaves the names of all flows.
    fs::write(dir.path().join("config.yaml"), "meta: [").unwrap();
    assert_eq!(proposed(dir.path(), "tapeout run -c PNR_SE"), ["PNR_SEED="]);
}

#[test]
fn runs_to_compare_are_completed() {
    if !has(&["bash"]) {
        return;
    }
    let dir = project();
    for tag in ["default", "fast"] {
        let run = dir.path().join("runs").join(tag);
        fs::create_dir_all(&run).unwrap();
        let summary =
            format!(r#"{{"tapeout": "0", "flow": "F", "design": "d", "tag": "{tag}", "steps": [], "metrics": {{}}}}"#);
        fs::write(run.join("run.json"), summary).unwrap();
    }
    fs::create_dir(dir.path().join("elsewhere")).unwrap();
    assert_eq!(proposed(dir.path(), "tapeout compare d"), ["default"]);
    assert_eq!(proposed(dir.path(), "tapeout compare default f"), ["fast"]);
    assert_eq!(proposed(&dir.path().join("elsewhere"), "tapeout compare ..@f"), ["..@fast"]);
    assert_eq!(proposed(&dir.path().join("elsewhere"), "tapeout -C .. compare f"), ["fast"]);
}

/// The program's answer to the script of another shell.
fn answer(shell: &str, words: &[&str]) -> (Option<i32>, String) {
    let dir = project();
    let index = (words.len() - 1).to_string();
    let output = Command::new(TAPEOUT)
        .arg("--")
        .args(words)
        .env("TAPEOUT_COMPLETE", shell)
        .env("_CLAP_COMPLETE_INDEX", index)
        .current_dir(dir.path())
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn other_shells_get_their_scripts_and_answers_with_help() {
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let output = Command::new(TAPEOUT).args(["completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && script.contains("TAPEOUT_COMPLETE"), "{script}");
    }
    let words = ["tapeout", "config", "why", "PNR_SE"];
    let help = "The seed of placement";
    assert_eq!(answer("fish", &words), (Some(0), format!("PNR_SEED\t{help}\n")));
    assert_eq!(answer("zsh", &words), (Some(0), format!("PNR_SEED:{help}")));
    assert_eq!(answer("elvish", &words), (Some(0), "PNR_SEED".to_owned()));
    assert_ne!(answer("ksh", &words).0, Some(0));
}
