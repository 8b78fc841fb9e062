//! Words as a shell reads them.

/// The word, quoted where a POSIX shell would otherwise read something else.
#[must_use]
pub fn shell_quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shell_would_change_is_quoted() {
        let cases = [
            ("--a.b=c/d", "--a.b=c/d"),
            ("", "''"),
            ("2 ns", "'2 ns'"),
            ("${HOME}", "'${HOME}'"),
            ("it's", r"'it'\''s'"),
            ("~/a", "'~/a'"),
            ("µ", "'µ'"),
        ];
        for (word, expected) in cases {
            assert_eq!(shell_quoted(word), expected);
        }
    }
}
