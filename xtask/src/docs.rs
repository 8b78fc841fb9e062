//! `cargo xtask docs`: the pages and the picture of the book that are made from the code and from a real run.
//!
//! The picture is drawn from a kept transcript, so that `--check` needs no EDA tools. A new run replaces the transcript
//! only when it says something else than before, times and memory aside.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Stop, conformance, files, process, setup};

/// The pages that `tapeout docs PAGE` prints.
const PAGES: [&str; 2] = ["steps", "variables"];

const TRANSCRIPT: &str = "book/src/images/riscv-soc.ansi";
const PICTURE: &str = "book/src/images/riscv-soc.svg";

/// The example of the picture, and what is typed in it. The words of progress, which move on a terminal, are left out.
const EXAMPLE: &str = "riscv-soc";
const TYPED: [&str; 2] = ["tapeout run", "time tapeout run -q"];

/// Makes all of it again.
pub(crate) fn make() -> Result<u8, Stop> {
    setup::eda_tools(&[setup::ICE40_TOOLS])?;
    let tapeout = build()?;
    for (file, text) in pages(&tapeout)? {
        write(&file, &text)?;
    }
    let new = transcript(&tapeout)?;
    let old = read(TRANSCRIPT);
    if old.as_deref().map(timeless) != Some(timeless(&new)) {
        write(TRANSCRIPT, &new)?;
    }
    write(PICTURE, &picture(&read(TRANSCRIPT).unwrap_or(new)))?;
    Ok(0)
}

/// Names what is out of date.
pub(crate) fn check() -> Result<u8, Stop> {
    let tapeout = build()?;
    let mut made = pages(&tapeout)?;
    made.push((PICTURE.to_owned(), picture(&read(TRANSCRIPT).unwrap_or_default())));
    let stale: Vec<&String> =
        made.iter().filter(|(file, text)| read(file).as_ref() != Some(text)).map(|(file, _)| file).collect();
    for file in &stale {
        println!("{file} is out of date: `cargo xtask docs` makes it again");
    }
    Ok(u8::from(!stale.is_empty()))
}

fn build() -> Result<PathBuf, Stop> {
    let mut command = process::cargo(&["build", "--quiet", "--package", "tapeout"]);
    if !process::succeeds(&mut command)? {
        return Err(Stop::failed("tapeout does not build; the compiler's messages are above"));
    }
    Ok(process::target()?.join("debug/tapeout"))
}

/// Each generated page: its path in the checkout and its text.
fn pages(tapeout: &Path) -> Result<Vec<(String, String)>, Stop> {
    let mut pages = Vec::new();
    for page in PAGES {
        let mut command = Command::new(tapeout);
        command.args(["docs", page]);
        pages.push((format!("book/src/reference/{page}.md"), printed(&mut command)?));
    }
    pages.push((conformance::PAGE.to_owned(), printed(&mut conformance::page()?)?));
    Ok(pages)
}

/// What the run of the example looks like on a terminal.
fn transcript(tapeout: &Path) -> Result<String, Stop> {
    let dir = process::target()?.join("docs").join(EXAMPLE);
    files::copy_example(EXAMPLE, &dir)?;
    let folder = tapeout.parent().unwrap_or(Path::new("."));
    let path = std::env::var("PATH").unwrap_or_default();
    let mut text = String::new();
    for typed in TYPED {
        println!("{EXAMPLE}$ {typed}");
        // `time` speaks on the stream on which `run` tells its progress.
        let script = match typed.strip_prefix("time ") {
            Some(timed) => format!("exec 2>&1; time {timed}"),
            None => format!("{typed} --color always"),
        };
        let mut command = Command::new("bash");
        command.args(["-c", &script]).current_dir(&dir).env("PATH", format!("{}:{path}", folder.display()));
        let _ = writeln!(text, "$ {typed}\n{}", printed(&mut command)?.trim_end());
    }
    Ok(text.replace('\t', "    "))
}

/// The standard output of a command that must end well.
fn printed(command: &mut Command) -> Result<String, Stop> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| process::not_started(command, &e))?;
    if !output.status.success() {
        return Err(Stop::failed(format!("{} ended with {}", command.get_program().display(), output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn read(file: &str) -> Option<String> {
    fs::read_to_string(process::root().join(file)).ok()
}

fn write(file: &str, text: &str) -> Result<(), Stop> {
    if read(file).as_deref() == Some(text) {
        println!("{file} is up to date");
        return Ok(());
    }
    let path = process::root().join(file);
    let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
    made.map_err(|e| Stop::environment(format!("cannot write {file}: {e}")))?;
    println!("{file} is made anew");
    Ok(())
}

/// The words of a transcript without times and memory.
fn timeless(transcript: &str) -> Vec<String> {
    let lines: Vec<String> = runs_by_line(transcript)
        .iter()
        .map(|runs| runs.iter().map(|run| run.text.as_str()).collect::<String>())
        .collect();
    let words: Vec<&str> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
    let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let measured = |at: usize| {
        let unit = words.get(at + 1).copied().unwrap_or_default();
        is_number(words[at]) && (["s", "KiB", "MiB", "GiB"].contains(&unit) || words[at].ends_with('s'))
    };
    (0..words.len()).filter(|at| !measured(*at)).map(|at| words[at].to_owned()).collect()
}

/// A part of a line that looks the same throughout.
struct Run {
    column: usize,
    text: String,
    /// The parameters of the escape sequence before it: `1;32`.
    style: String,
}

/// Takes a transcript with the escape sequences that colour it apart.
fn runs_by_line(transcript: &str) -> Vec<Vec<Run>> {
    let mut lines = Vec::new();
    for line in transcript.lines() {
        let mut runs = Vec::new();
        let mut column = 0;
        let mut style = String::new();
        for (index, part) in line.split("\x1b[").enumerate() {
            let text = match part.split_once('m') {
                Some((codes, text)) if index > 0 => {
                    style = codes.to_owned();
                    text
                }
                _ => part,
            };
            if !text.trim().is_empty() {
                let indent = text.chars().take_while(|c| *c == ' ').count();
                runs.push(Run { column: column + indent, text: text.trim().to_owned(), style: style.clone() });
            }
            column += text.chars().count();
        }
        // What was trimmed off for drawing separates words.
        for run in &mut runs {
            run.text.push(' ');
        }
        lines.push(runs);
    }
    lines
}

/// Pixels a character takes, and a line.
const WIDTH: f64 = 7.8;
const HEIGHT: usize = 18;
/// Pixels around the text.
const MARGIN: usize = 16;

/// A transcript as a terminal shows it, in SVG. Each run of text has its own place and length, so that the columns line
/// up in whatever font there is.
fn picture(transcript: &str) -> String {
    let lines = runs_by_line(transcript);
    let end = |run: &Run| run.column + run.text.trim_end().chars().count();
    let columns = lines.iter().flatten().map(end).max().unwrap_or(0);
    let (width, height) = (pixels(columns) + 2.0 * MARGIN as f64, lines.len() * HEIGHT + 2 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height}\" \
         viewBox=\"0 0 {width:.0} {height}\" role=\"img\" aria-label=\"A terminal with the output of tapeout run\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1c2128\"/>\n\
         <g font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"13\" \
         fill=\"#d7dde5\">\n"
    );
    for (row, runs) in lines.iter().enumerate() {
        for run in runs {
            let text = run.text.trim_end();
            let (x, y) = (MARGIN as f64 + pixels(run.column), MARGIN + row * HEIGHT + 13);
            let look = if text.starts_with("$ ") { " font-weight=\"bold\"" } else { look(&run.style) };
            let length = pixels(text.chars().count());
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{y}\" textLength=\"{length:.1}\" xml:space=\"preserve\"{look}>{text}</text>"
            );
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

fn pixels(columns: usize) -> f64 {
    columns as f64 * WIDTH
}

/// What a terminal makes of the parameters of an escape sequence, as attributes.
fn look(style: &str) -> &'static str {
    match style {
        "1" => " font-weight=\"bold\"",
        "2" => " fill=\"#8b95a3\"",
        "32" => " fill=\"#57c27a\"",
        "1;33" => " fill=\"#e0b04c\" font-weight=\"bold\"",
        "1;31" => " fill=\"#f0716b\" font-weight=\"bold\"",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::{PICTURE, TRANSCRIPT, picture, read, timeless};

    const RUN: &str = "$ tapeout run\n  \x1b[32mdone\x1b[0m      0.06 s  12 MiB  a<b\nreal    0m0.016s\n";

    #[test]
    fn the_kept_picture_is_that_of_the_kept_transcript() {
        let transcript = read(TRANSCRIPT).unwrap_or_default();
        assert!(transcript.contains("$ tapeout run\n"), "there is no transcript: `cargo xtask docs` makes it");
        assert!(read(PICTURE) == Some(picture(&transcript)), "`cargo xtask docs` draws it again");
    }

    #[test]
    fn a_picture_has_colours_places_and_no_stray_markup() {
        let svg = picture(RUN);
        assert!(svg.contains("x=\"31.6\" y=\"47\" textLength=\"31.2\" xml:space=\"preserve\" fill=\"#57c27a\">done<"));
        assert!(svg.contains(">0.06 s  12 MiB  a&lt;b<"), "{svg}");
    }

    #[test]
    fn times_and_memory_do_not_count() {
        assert_eq!(timeless(RUN), ["$", "tapeout", "run", "done", "s", "MiB", "a<b", "real"]);
        assert_eq!(timeless(RUN), timeless(&RUN.replace("0.06 s", " 5.7 s").replace("0.016", "0.020")));
        assert_ne!(timeless(RUN), timeless(&RUN.replace("done", "failed")));
    }
}
