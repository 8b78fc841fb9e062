//! The words of command lines and scripts that name files. What a language means by them is not known here: a word counts
//! when there is such a file.

/// The command lines of a text, which are divided by line breaks outside of quotes. They are as a shell reads them.
pub(super) fn command_lines(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        if c == '\n' && !quoted && !escaped {
            lines.push(String::new());
            continue;
        }
        (quoted, escaped) = match c {
            _ if escaped => (quoted, false),
            '\'' => (!quoted, false),
            '\\' => (quoted, !quoted),
            _ => (quoted, false),
        };
        lines.last_mut().expect("there is a line from the beginning").push(c);
    }
    lines.retain(|line| !line.trim().is_empty());
    lines
}

/// Replaces the paths in a text for which there is something to put in their place.
pub(super) fn with_paths(text: &str, mut place: impl FnMut(&str) -> Option<String>) -> String {
    let mut changed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if divides(first) {
            changed.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let word = &rest[..rest.find(divides).unwrap_or(rest.len())];
        let begin = path_begin(word);
        changed.push_str(&word[..begin]);
        match place(&word[begin..]) {
            Some(path) => changed.push_str(&path),
            None => changed.push_str(&word[begin..]),
        }
        rest = &rest[word.len()..];
    }
    changed
}

/// The paths in a text, or what could be some.
pub(super) fn paths(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    with_paths(text, |word| {
        if word.contains('/') {
            paths.push(word.to_owned());
        }
        None
    });
    paths
}

/// What stands between words that may be paths.
fn divides(c: char) -> bool {
    c.is_whitespace() || "'\"`,;:=()[]{}<>|&\\$".contains(c)
}

/// Where the path begins in words such as `-I../inc` and `+incdir+../inc`.
fn path_begin(word: &str) -> usize {
    if let Some(plus) = word.strip_prefix('+').and_then(|rest| rest.find('+')) {
        return plus + 2;
    }
    let flag = word.starts_with('-') && word.chars().nth(1).is_some_and(|c| c.is_ascii_alphabetic());
    if flag && word[2..].starts_with(['.', '/']) { 2 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_end_outside_of_quotes() {
        let text = "yosys -p 'a\nb '\\''c\n' x\nicepack a\\'b\n\n";
        assert_eq!(command_lines(text), ["yosys -p 'a\nb '\\''c\n' x", "icepack a\\'b"]);
    }

    #[test]
    fn paths_are_found_where_tools_expect_them() {
        let text = "read_verilog -I../../../inc -DX=/a/b +incdir+/opt/x/inc '/pdk/s.lib' out.v a/b; 1/2";
        assert_eq!(paths(text), ["../../../inc", "/a/b", "/opt/x/inc", "/pdk/s.lib", "a/b", "1/2"]);
        let moved = with_paths(text, |path| path.strip_prefix("/opt").map(|rest| format!("../opt{rest}")));
        assert_eq!(moved, text.replace("/opt/x", "../opt/x"));
    }
}
