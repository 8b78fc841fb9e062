//! How the script of a tool has a program called, in its language. The program says its words to the log, and the tool
//! stops where the program fails; OpenSTA, which no script can stop, has an error in its log instead, which counts.

use tapeout_model::shell_quoted;

/// The line that has these words called in the script of that name: the program, then its arguments, each as it is. Nothing
/// for a language that is not known.
pub(super) fn calling(script: &str, program: &str, args: &[String]) -> Option<String> {
    let words = || std::iter::once(program).chain(args.iter().map(String::as_str));
    let joined = |quoted: fn(&str) -> String, by: &str| words().map(quoted).collect::<Vec<_>>().join(by);
    Some(match script.rsplit_once('.')?.1 {
        "ys" => format!("exec -expect-return 0 -- {}\n", joined(of_yosys, " ")),
        "tcl" => {
            // Tcl would take `>` and its like for its own, quoted or not: a shell gets all words as one.
            let command = of_tcl(&format!("exec {}", joined(shell_quoted, " ")));
            let program = of_tcl(program);
            format!(
                "if {{[catch {{exec -ignorestderr sh -c {command} >@ stdout}} message]}} {{puts stderr \"Error: {program}: \
                 $message\"; exit 1}}\n"
            )
        }
        "rb" => {
            let args: String = args.iter().map(|word| format!("{}, ", of_ruby(word))).collect();
            let program = of_ruby(program);
            // As a pair, the program is never read as a line for a shell.
            format!("system([{program}, {program}], {args}exception: true)\n")
        }
        "py" => format!("__import__('subprocess').run([{}], check=True)\n", joined(of_python, ", ")),
        _ => return None,
    })
}

/// A word for the shell that Yosys calls. Yosys joins words again with one space between, and takes `;` and `#` for its own,
/// quoted or not: the shell makes them.
fn of_yosys(word: &str) -> String {
    if !word.contains(|c: char| c.is_whitespace() || ";#\"".contains(c)) {
        return shell_quoted(word);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./=,:+@%".contains(&byte);
    let byte = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("\\0{byte:03o}") };
    // Yosys would take away a quotation mark at the beginning of a word.
    format!("''\"$(printf %b '{}')\"", word.bytes().map(byte).collect::<String>())
}

/// A word as Tcl reads it.
fn of_tcl(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./=,:+@%".contains(c);
    let letter = |c: char| match c {
        '\n' => "\\n".to_owned(),
        c if plain(c) => c.to_string(),
        c => format!("\\{c}"),
    };
    word.chars().map(letter).collect()
}

/// A word as Ruby reads it.
fn of_ruby(word: &str) -> String {
    format!("'{}'", word.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A word as Python reads it.
fn of_python(word: &str) -> String {
    of_ruby(word).replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What any of the languages, or a shell on the way, takes for its own.
    const ODD: [&str; 14] =
        ["a  b;", ">x", "|", "$HOME", "it's", "[x]", "{", "\\n", "&", "2>1", "é", "\"q\" #h", "*", ""];

    fn line(script: &str) -> String {
        let args: Vec<String> = ["<%s>\\n"].iter().chain(&ODD).map(|word| (*word).to_owned()).collect();
        calling(script, "printf", &args).unwrap()
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the shell of a tool is none of the engine's")]
    fn a_shell_reads_the_words_that_yosys_gives_it() {
        let line = line("a.ys");
        let words: Vec<&str> = line.split_whitespace().skip(4).collect();
        assert!(words.iter().all(|word| !word.starts_with(['#', '"']) && !word.ends_with(';')), "{line}");
        let said = Command::new("sh").arg("-c").arg(words.join(" ")).output().unwrap().stdout;
        let expected: String = ODD.iter().map(|word| format!("<{word}>\n")).collect();
        assert_eq!(String::from_utf8(said).unwrap(), expected);
    }

    #[test]
    fn languages_have_their_own_ways() {
        let args = ["it's".to_owned(), "\n$x".to_owned()];
        let line = |script| calling(script, "p", &args);
        assert_eq!(line("a.rb").unwrap(), "system(['p', 'p'], 'it\\'s', '\n$x', exception: true)\n");
        assert_eq!(line("a.py").unwrap(), "__import__('subprocess').run(['p', 'it\\'s', '\\n$x'], check=True)\n");
        assert_eq!(
            line("a.tcl").unwrap(),
            "if {[catch {exec -ignorestderr sh -c exec\\ p\\ \\'it\\'\\\\\\'\\'s\\'\\ \\'\\n\\$x\\' >@ stdout} \
             message]} {puts stderr \"Error: p: $message\"; exit 1}\n"
        );
        assert_eq!(line("a.sdc"), None);
    }
}
