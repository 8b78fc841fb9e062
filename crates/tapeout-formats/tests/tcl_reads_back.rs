//! What is written as Tcl is read by the real Tcl as what it was.
#![expect(clippy::disallowed_methods, reason = "a test starts programs")]

use std::fs;
use std::process::Command;

use tapeout_formats::tcl;
use tapeout_model::Value;

#[test]
fn tclsh_reads_lists_and_words_as_what_they_were() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder.join("tclsh").is_file()) {
        println!("skipped: no tclsh");
        return;
    }
    // All that means something to Tcl, by two and two, at the start, inside, and at the end.
    let special =
        [" ", "\n", "\t", "\r", "\\", "\"", "{", "}", "[", "]", "$", ";", "#", "a", "é", "😀", "(", "*", "~", "-"];
    let mut texts = vec![String::new(), "{*}x".to_owned(), "\\\n x".to_owned(), "$::env(A)".to_owned()];
    for first in special {
        for second in special {
            texts.push(format!("{first}{second}"));
            texts.push(format!("a{first}{second}b"));
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let nested: Vec<Value> = texts.iter().map(|text| Value::List(vec![Value::from(text.as_str())])).collect();
    fs::write(dir.path().join("list"), tcl::value(&Value::List(nested))).unwrap();
    let words: String = texts.iter().map(|text| format!("lappend words {}\n", tcl::quote(text))).collect();
    let script = format!(
        "proc hex text {{ binary scan [encoding convertto utf-8 $text] H* hex; return $hex }}
        {words}
        set channel [open list]; fconfigure $channel -encoding utf-8 -translation lf
        foreach item [read $channel] word $words {{ puts \"[hex [lindex $item 0]] [llength $item] [hex $word]\" }}"
    );
    fs::write(dir.path().join("script"), script).unwrap();
    let mut tclsh = Command::new("tclsh");
    let output = tclsh.args(["-encoding", "utf-8", "script"]).current_dir(dir.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let answer = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answer.lines().count(), texts.len());
    for (line, text) in answer.lines().zip(&texts) {
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(line, format!("{hex} 1 {hex}"), "{text:?}");
    }
}
