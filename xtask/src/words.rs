//! What no file of the project may say: paths of somebody's machine, addresses of package registries, notes of
//! unfinished work. The patterns are written in two halves, so that this file may be checked as well.

use crate::{Stop, files};

/// Starts of absolute paths that exist on one machine only.
const PATHS: [&str; 2] = [concat!("/ro", "ot/"), concat!("/wo", "rk/")];

/// Hosts that cargo knows by itself.
const HOSTS: [&str; 2] = [concat!("index.", "crates.io"), concat!("static.", "crates.io")];

/// Whole words that say that something is not done.
const UNFINISHED: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("<<<<", "<<<")];

/// Made by cargo, and about registries.
const EXEMPT: &str = "Cargo.lock";

/// The places that say it.
pub(crate) fn check() -> Result<Vec<String>, Stop> {
    let mut problems = Vec::new();
    for file in files::all()? {
        if file.ends_with(EXEMPT) {
            continue;
        }
        if let Some(text) = files::text(&file)? {
            let found = in_text(&text);
            problems.extend(found.into_iter().map(|(line, what)| format!("{}:{line}: {what}", file.display())));
        }
    }
    Ok(problems)
}

/// Line numbers from 1, and what each says.
fn in_text(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut tell = |what: String| found.push((number + 1, what));
        for path in PATHS.iter().filter(|path| starts_a_path(line, path)) {
            tell(format!("`{path}` is a path of one machine"));
        }
        for host in HOSTS.iter().filter(|host| line.contains(**host)) {
            tell(format!("`{host}` is a registry's address"));
        }
        for word in UNFINISHED.iter().filter(|word| has_word(line, word)) {
            tell(format!("`{word}`: finish it, or leave it out"));
        }
    }
    found
}

/// Whether the path stands there from its root on, and not as the tail of a longer one.
fn starts_a_path(line: &str, path: &str) -> bool {
    let in_a_path = |c: char| c.is_alphanumeric() || "._-~})>*".contains(c);
    line.match_indices(path).any(|(at, _)| !line[..at].ends_with(in_a_path))
}

/// Whether the word stands there and is not a part of another.
fn has_word(line: &str, word: &str) -> bool {
    let in_a_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(in_a_word) && !line[at + word.len()..].starts_with(in_a_word))
}

#[cfg(test)]
mod tests {
    use super::{HOSTS, PATHS, UNFINISHED, in_text};

    #[test]
    fn finds_each_where_it_stands() {
        let [root, place] = PATHS;
        let [todo, fixme, conflict] = UNFINISHED;
        let text = format!(
            "fine\n\"{root}x\" and {place}y\nsee https://{}/config.json\n// {todo}: later\n{fixme}\n{conflict} HEAD\n",
            HOSTS[0]
        );
        let lines: Vec<usize> = in_text(&text).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [2, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn leaves_other_words_alone() {
        let [root, place] = PATHS;
        let word = UNFINISHED[0];
        for fine in [format!("$HOME{place}x"), format!(".{place}x"), format!("{{dir}}{root}"), format!("{word}S")] {
            assert_eq!(in_text(&fine), [], "{fine}");
        }
    }
}
