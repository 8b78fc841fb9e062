//! Numbers, times, sizes and paths as people read them.

use std::env;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// `1 error`, `2 errors`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// `0.03 s`, `1.2 s`, `3:07`, `1:02:03`.
pub(crate) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match milliseconds {
        0..1_000 => format!("{:.2} s", milliseconds as f64 / 1e3),
        1_000..60_000 => format!("{:.1} s", milliseconds as f64 / 1e3),
        60_000..3_600_000 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

/// `640 KiB`, `35 MiB`, `2.1 GiB`.
pub(crate) fn memory(kib: u64) -> String {
    match kib {
        0..1024 => format!("{kib} KiB"),
        1024..1_048_576 => format!("{} MiB", kib / 1024),
        _ => format!("{:.1} GiB", kib as f64 / 1_048_576.0),
    }
}

/// `512 B`, else as [`memory`].
pub(crate) fn bytes(bytes: u64) -> String {
    if bytes < 1024 { format!("{bytes} B") } else { memory(bytes / 1024) }
}

/// `just now`, `3 minutes ago`.
pub(crate) fn ago(then: SystemTime) -> String {
    let seconds = SystemTime::now().duration_since(then).unwrap_or(Duration::ZERO).as_secs();
    let (count, unit) = match seconds {
        0..60 => return "just now".to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{} ago", plural(usize::try_from(count).unwrap_or(usize::MAX), unit))
}

/// A path as seen from here, if it is below.
pub(crate) fn from_here(path: &Path) -> String {
    let here = env::current_dir().ok();
    let near = here.as_deref().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
    if near.as_os_str().is_empty() { ".".to_owned() } else { near.display().to_string() }
}

/// Paragraphs as lines of at most 96 columns, indented; words are not broken.
pub(crate) fn filled(text: &str, indent: usize) -> String {
    const WIDTH: usize = 96;
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > WIDTH {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    let indented = |line: &String| if line.is_empty() { String::new() } else { " ".repeat(indent) + line };
    lines.iter().map(indented).collect::<Vec<_>>().join("\n")
}

/// Text without what could make a terminal do things: escape sequences, control characters.
pub(crate) fn printable(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' if chars.peek() == Some(&'[') => {
                // ESC [ parameters final, the final one being a letter or one of `@~`.
                _ = chars.by_ref().skip(1).find(|c| ('@'..='~').contains(c));
            }
            '\t' => plain.push_str("    "),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_short() {
        let times = [(30, "0.03 s"), (1_234, "1.2 s"), (187_000, "3:07"), (3_723_000, "1:02:03")];
        for (milliseconds, text) in times {
            assert_eq!(duration(milliseconds), text);
        }
        for (kib, text) in [(640, "640 KiB"), (36_000, "35 MiB"), (2_202_009, "2.1 GiB")] {
            assert_eq!(memory(kib), text);
        }
    }

    #[test]
    fn a_log_cannot_steer_the_terminal() {
        assert_eq!(printable("\x1b[1;31mred\x1b[0m\tx\x07\r"), "red    x");
        assert_eq!(printable("\x1b[2Jcleared \x1b"), "cleared ");
    }
}
