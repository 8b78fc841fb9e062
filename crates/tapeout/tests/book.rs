//! README and book, executed.
//!
//! A page's blocks share a fresh directory and are taken in order:
//! - `console`: lines that begin with `$ ` are commands for `sh`, continued by lines that begin with `> `. What follows
//!   is what they print, errors included; a last line `? N` is their exit code when it is not 0. A line `...` stands for
//!   any lines, `[..]` for any part of a line. How many blanks stand between words and how much time and memory is told
//!   of do not count.
//! - `yaml config` is a whole configuration, `yaml overlay` one that is laid over `config.yaml`: both must have a plan.
//! - `LANGUAGE file NAME` is a file that the reader writes.
//! - `sh` is not executed, only read by `sh -n`; its `cargo xtask` and `tapeout` commands must exist.
//!
//! In a comment, `<!-- console` … `-->` is a block that readers need not see.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test starts programs, and fails by panic")]
#![expect(clippy::print_stdout, reason = "a test says why it is skipped")]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

const TAPEOUT: &str = env!("CARGO_BIN_EXE_tapeout");

/// What the pages run beside tapeout.
const TOOLS: [&str; 9] =
    ["yosys", "nextpnr-ice40", "icepack", "icetime", "icebox_vlog", "iverilog", "verilator", "ghdl", "tclsh"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// The README and all pages of the book, relative to the checkout.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![PathBuf::from("README.md")];
    let mut folders = vec![PathBuf::from("book/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap().map(Result::unwrap) {
            let path = folder.join(entry.file_name());
            if entry.path().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

fn text_of(page: &Path) -> String {
    fs::read_to_string(root().join(page)).unwrap()
}

/// A fenced block: what its fence says, the line of its first line, its text.
struct Block<'a> {
    tag: &'a str,
    line: usize,
    lines: Vec<&'a str>,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<(Block<'_>, &str)> = None;
    for (index, line) in text.lines().enumerate() {
        match &mut open {
            Some((_, end)) if line == *end => blocks.extend(open.take().map(|(block, _)| block)),
            Some((block, _)) => block.lines.push(line),
            None => {
                let begin = line.strip_prefix("```").map(|tag| (tag, "```"));
                let begin = begin
                    .or_else(|| line.strip_prefix("<!-- ").filter(|tag| !tag.contains("-->")).map(|tag| (tag, "-->")));
                open = begin.map(|(tag, end)| (Block { tag: tag.trim(), line: index + 2, lines: Vec::new() }, end));
            }
        }
    }
    assert!(open.is_none(), "a block is not closed: {:?}", open.map(|(block, _)| block.line));
    blocks
}

/// The text outside of blocks.
fn prose(text: &str) -> String {
    let mut inside = false;
    let mut keep = |line: &&str| {
        inside ^= line.starts_with("```");
        !inside && !line.starts_with("```")
    };
    text.lines().filter(|line| keep(line)).collect::<Vec<_>>().join("\n")
}

/// Why what needs EDA tools is not tested here, if so.
fn skipped() -> bool {
    if env::var_os("TAPEOUT_FAST").is_some() {
        println!("skipped: slow");
        return true;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let missing = TOOLS.iter().find(|tool| !env::split_paths(&path).any(|folder| folder.join(tool).is_file()));
    if let Some(tool) = missing {
        println!("skipped: no {tool}");
    }
    missing.is_some()
}

/// A command as a reader would type it, in an environment that has nothing of this one's but the tools.
fn command(program: &str, dir: &Path, home: &Path) -> Command {
    let mut path = vec![Path::new(TAPEOUT).parent().unwrap().to_owned()];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let mut command = Command::new(program);
    command.current_dir(dir).stdin(Stdio::null()).env_clear().env("HOME", home).env("LC_ALL", "C.UTF-8");
    command.env("PATH", env::join_paths(path).unwrap());
    command
}

/// The state of a page: its directory and where in it the reader is.
struct Reader {
    home: TempDir,
    here: PathBuf,
}

impl Reader {
    fn new() -> Self {
        let home = TempDir::new().unwrap();
        let here = home.path().canonicalize().unwrap();
        Self { home, here }
    }

    /// Runs a command in `sh`. Gives what it printed, both streams in one, and its exit code.
    fn run(&mut self, typed: &str) -> (String, i32) {
        let place = self.home.path().join(".where");
        let script = format!("exec 2>&1\n{typed}\ncode=$?\npwd > \"$WHERE\"\nexit $code\n");
        let output =
            command("sh", &self.here, self.home.path()).arg("-c").arg(script).env("WHERE", &place).output().unwrap();
        if let Ok(here) = fs::read_to_string(&place) {
            self.here = PathBuf::from(here.trim_end());
        }
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code().unwrap_or(-1))
    }
}

/// One command of a block with what must come of it.
struct Example<'a> {
    line: usize,
    typed: String,
    expected: Vec<&'a str>,
    code: i32,
}

fn examples<'a>(block: &Block<'a>) -> Vec<Example<'a>> {
    let mut examples: Vec<Example<'a>> = Vec::new();
    for (index, line) in block.lines.iter().enumerate() {
        match (line.strip_prefix("$ "), line.strip_prefix("> "), line.strip_prefix("? "), examples.last_mut()) {
            (Some(typed), ..) => {
                let typed = typed.to_owned();
                examples.push(Example { line: block.line + index, typed, expected: Vec::new(), code: 0 });
            }
            (_, Some(more), _, Some(last)) if last.expected.is_empty() => {
                last.typed.push('\n');
                last.typed.push_str(more);
            }
            (_, _, Some(code), Some(last)) => last.code = code.parse().unwrap(),
            (_, _, _, Some(last)) => last.expected.push(line),
            (_, _, _, None) => panic!("line {}: the block does not begin with a command", block.line),
        }
    }
    examples
}

/// A line without what differs from run to run and from machine to machine.
fn canonical(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_number = |word: &str| word.chars().all(|c| c.is_ascii_digit() || ".:".contains(c));
    let is_unit = |word: &str| ["s", "KiB", "MiB", "GiB"].contains(&word.trim_end_matches([',', ';', ')']));
    let word = |at: usize| {
        let measured = is_number(words[at]) && words.get(at + 1).is_some_and(|next| is_unit(next));
        if measured { "#" } else { words[at] }
    };
    let line = (0..words.len()).map(word).collect::<Vec<_>>().join(" ");
    // A page takes some minutes to follow on a busy machine.
    let minutes = (2..60).rev().map(|count| format!("{count} minutes ago"));
    minutes.chain(["1 minute ago".to_owned()]).fold(line, |line, ago| line.replace(&ago, "just now"))
}

/// Whether a line has the parts of a pattern in their order, its beginning first and its end last.
fn line_matches(pattern: &str, line: &str) -> bool {
    let (pattern, line) = (canonical(pattern), canonical(line));
    let parts: Vec<&str> = pattern.split("[..]").collect();
    let (Some(mut rest), [_, middle @ .., last]) = (line.strip_prefix(parts[0]), parts.as_slice()) else {
        return pattern == line;
    };
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether lines match patterns, of which `...` stands for any lines.
fn matches(patterns: &[&str], lines: &[&str]) -> bool {
    match (patterns, lines) {
        ([], []) => true,
        (["...", more @ ..], _) => (0..=lines.len()).any(|skip| matches(more, &lines[skip..])),
        ([pattern, patterns @ ..], [line, lines @ ..]) => line_matches(pattern, line) && matches(patterns, lines),
        _ => false,
    }
}

/// What is wrong with a page when a reader does all that it says.
fn read_and_do(page: &Path) -> Vec<String> {
    let text = text_of(page);
    let mut reader = Reader::new();
    let mut problems = Vec::new();
    for block in blocks(&text) {
        match block.tag {
            "console" => {
                for Example { line, typed, expected, code } in examples(&block) {
                    let (printed, ended) = reader.run(&typed);
                    let lines: Vec<&str> = printed.trim_end().lines().collect();
                    let expected: Vec<&str> =
                        if expected.iter().all(|line| line.is_empty()) { vec![] } else { expected };
                    let until = expected.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
                    if ended != code || !matches(&expected[..until], &lines) {
                        problems.push(format!(
                            "{}:{line}: `{typed}` ended with {ended}, printed\n{printed}",
                            page.display()
                        ));
                    }
                }
            }
            "yaml config" | "yaml overlay" => {
                let file = reader.here.join(".page.yaml");
                fs::write(&file, block.lines.join("\n")).unwrap();
                let with = if block.tag == "yaml overlay" { "--with" } else { "" };
                let (printed, ended) = reader.run(&format!("tapeout plan {with} .page.yaml"));
                fs::remove_file(file).unwrap();
                if ended != 0 {
                    problems.push(format!("{}:{}: no plan:\n{printed}", page.display(), block.line));
                }
            }
            tag => {
                if let Some((_, name)) = tag.split_once(" file ") {
                    let file = reader.here.join(name);
                    fs::create_dir_all(file.parent().unwrap()).unwrap();
                    fs::write(file, block.lines.join("\n") + "\n").unwrap();
                }
            }
        }
    }
    problems
}

#[test]
fn what_the_pages_show_is_what_happens() {
    if skipped() {
        return;
    }
    let pages = pages();
    let problems: Vec<String> = thread::scope(|scope| {
        let readers: Vec<_> = pages.iter().map(|page| scope.spawn(|| read_and_do(page))).collect();
        readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect()
    });
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

#[test]
fn elisions_stand_for_what_they_say() {
    assert!(line_matches("done  just now", "done  12 minutes ago"));
    let lines = ["a  b", "done, 0.07 s", "yosys 0.23 (x)", "end"];
    assert!(matches(&["a b", "done, 12 s", "yosys [..] (x)", "end"], &lines));
    assert!(matches(&["...", "end"], &lines) && matches(&["a b", "..."], &lines) && matches(&["..."], &[]));
    assert!(matches(&["...", "yosys[..]", "..."], &lines));
    assert!(!matches(&["a b"], &lines) && !matches(&["...", "done, 1 m", "..."], &lines));
    assert!(!line_matches("ends with [..] end", "ends with an end or two"));
    assert!(!line_matches("[..]aa", "a") && !line_matches("a[..]b[..]c", "a c b"));
}

/// What a command of tapeout prints, without a project.
fn printed(args: &[&str]) -> String {
    let output = Command::new(TAPEOUT).args(args).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "tapeout {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn generated_pages_are_up_to_date() {
    for page in ["steps", "variables"] {
        let file = root().join("book/src/reference").join(page).with_extension("md");
        let kept = fs::read_to_string(&file).unwrap();
        assert!(kept == printed(&["docs", page]), "{} is out of date: run `cargo xtask docs`", file.display());
    }
}

/// The names of the commands that a help text lists.
fn commands_in(help: &str) -> Vec<&str> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let entries = listed.filter_map(|line| line.strip_prefix("  ")).filter(|entry| !entry.starts_with(' '));
    let names = entries.filter_map(|entry| entry.split_whitespace().next());
    names.filter(|name| *name != "help").collect()
}

#[test]
fn every_command_and_option_is_described() {
    let page = text_of(Path::new("book/src/command-line.md"));
    let mut problems = BTreeSet::new();
    let all = printed(&["--help"]);
    let mut commands: Vec<Vec<String>> = Vec::new();
    for command in commands_in(&all) {
        if !page.contains(&format!("\n### `{command}`")) {
            problems.insert(format!("no section on `{command}`"));
        }
        commands.push(vec![command.to_owned()]);
        for below in commands_in(&printed(&[command, "--help"])) {
            if !page.contains(&format!("`tapeout {command} {below}")) {
                problems.insert(format!("nothing on `{command} {below}`"));
            }
            commands.push(vec![command.to_owned(), below.to_owned()]);
        }
    }
    for command in commands {
        let words: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let (help, command) = (printed(&words), command.join(" "));
        let words = help.split_whitespace().map(|word| word.trim_end_matches([',', ']', '.']));
        for option in words.filter_map(|word| word.strip_prefix("--")).filter(|option| !option.is_empty()) {
            let option = option.split(['=', '[']).next().unwrap();
            if !page.contains(&format!("--{option}")) {
                problems.insert(format!("`{command} --{option}`"));
            }
        }
    }
    assert!(problems.is_empty(), "not in book/src/command-line.md: {problems:#?}");
}

/// The text with the indentation of its lines taken away: a page shows parts of files.
fn dedented<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.map(|line| format!("{}\n", line.trim())).collect()
}

/// All code of the examples and the tests.
fn compiled() -> String {
    let mut code = String::new();
    let mut paths = vec![root().join("examples"), root().join("crates")];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
            let named = |path: &PathBuf, name: &str| path.file_name().is_some_and(|it| it == name);
            paths.extend(entries.filter(|path| !named(path, "target") && !path.ends_with(file!())));
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "tcl") {
            code += &dedented(fs::read_to_string(&path).unwrap().lines());
        }
    }
    code
}

#[test]
fn code_is_compiled() {
    let code = compiled();
    let mut unknown = Vec::new();
    for page in pages() {
        let text = text_of(&page);
        for block in blocks(&text).iter().filter(|block| ["rust", "tcl"].contains(&block.tag)) {
            // A block may show parts of several files.
            let parts = block.lines.split(|line| line.is_empty()).map(|lines| dedented(lines.iter().copied()));
            let parts = parts.filter(|part| !code.contains(part.as_str()));
            unknown
                .extend(parts.map(|part| format!("{}:{}: no test compiles this:\n{part}", page.display(), block.line)));
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

#[test]
fn commands_that_are_not_run_exist() {
    let xtask = fs::read_to_string(root().join("xtask/src/main.rs")).unwrap();
    let help = printed(&["--help"]);
    let commands = commands_in(&help);
    let home = TempDir::new().unwrap();
    let mut checked = 0;
    for page in pages() {
        let text = text_of(&page);
        for Block { line, lines, .. } in blocks(&text).into_iter().filter(|block| block.tag == "sh") {
            let place = format!("{}:{line}", page.display());
            let script = lines.join("\n");
            let output = command("sh", home.path(), home.path()).args(["-n", "-c", &script]).output().unwrap();
            assert!(output.status.success(), "{place}: {}", String::from_utf8_lossy(&output.stderr));
            for line in lines {
                let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
                let known = match words[..] {
                    ["cargo", "xtask", name, ..] => xtask.contains(&format!("[\"{name}\"")),
                    ["tapeout", name, ..] => commands.contains(&name),
                    _ => continue,
                };
                assert!(known, "{place}: there is no such command: {line}");
                checked += 1;
            }
        }
    }
    assert!(checked > 0);
}

/// Words in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn names_in_the_prose_exist() {
    let names = |kind: &str, key: &str| -> BTreeSet<String> {
        let list: Value = serde_json::from_str(&printed(&["list", kind, "--json"])).unwrap();
        list.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap().to_owned()).collect()
    };
    let steps = names("steps", "id");
    // The steps of the example that pages show are registered by it.
    let example = fs::read_to_string(root().join("examples/rust-flow/src/lib.rs")).unwrap()
        + &fs::read_to_string(root().join("examples/rust-flow/src/depth.rs")).unwrap()
        + &fs::read_to_string(root().join("examples/rust-flow/src/ports.rs")).unwrap();
    let mut variables = names("variables", "name");
    let classic: Value = serde_json::from_str(&printed(&["config", "schema", "--flow", "Classic"])).unwrap();
    variables.extend(classic["properties"].as_object().unwrap().keys().cloned());
    let environment: BTreeSet<String> = names("tools", "name")
        .iter()
        .map(|tool| format!("TAPEOUT_{}", tool.to_uppercase().replace('-', "_")))
        .collect();
    let others = [
        "NO_COLOR",
        "DESIGN_DIR",
        "RAD_GEN_HOME",
        "HAMMER_HOME",
        "POST_LAYOUT",
        "TAPEOUT_FAST",
        "TAPEOUT_TOOL",
        "LD_LIBRARY_PATH",
        "TAPEOUT_PLUGINS",
        "TAPEOUT_SHARED_CACHE",
        "TAPEOUT_CACHE_LIMIT",
        "LC_ALL",
        "WAYLAND_DISPLAY",
    ];
    let mut problems = Vec::new();
    for page in pages() {
        let text = prose(&text_of(&page));
        for word in quoted(&text) {
            let is_variable = word.contains('_')
                && word.starts_with(|c: char| c.is_ascii_uppercase())
                && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
            let known = variables.contains(word)
                || environment.contains(word)
                || others.contains(&word)
                || word.starts_with("SB_")
                || word.ends_with("LICENSE_FILE");
            let is_step = word.split_once('.').is_some_and(|(tool, name)| {
                let begins = |part: &str| part.starts_with(|c: char| c.is_ascii_uppercase());
                begins(tool) && begins(name) && name.chars().all(char::is_alphanumeric)
            });
            let is_there = steps.contains(word) || example.contains(&format!("\"{word}\""));
            if (is_variable && !known) || (is_step && !is_there && word != "Tool.Name") {
                problems.push(format!("{}: `{word}`", page.display()));
            }
        }
    }
    assert!(problems.is_empty(), "no such step or variable: {problems:#?}");
}

#[test]
fn links_lead_somewhere_and_the_summary_has_every_page() {
    let mut problems = Vec::new();
    for page in pages() {
        let text = prose(&text_of(&page));
        let folder = root().join(page.parent().unwrap());
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { root().join(&page) } else { folder.join(file) };
            let is_there = path.exists() && (anchor.is_empty() || anchors(&path).contains(anchor));
            if !is_there {
                problems.push(format!("{}: {target}", page.display()));
            }
        }
    }
    let summary = text_of(Path::new("book/src/SUMMARY.md"));
    for page in pages() {
        let Ok(name) = page.strip_prefix("book/src") else { continue };
        if name != Path::new("SUMMARY.md") && !summary.contains(&format!("]({})", name.display())) {
            problems.push(format!("SUMMARY.md does not have {}", name.display()));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

/// The anchors of a page's headings, as mdBook and GitHub make them.
fn anchors(page: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(page).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let keep = |c: char| c.is_alphanumeric() || "-_ ".contains(c);
    headings
        .map(|heading| heading.chars().filter(|c| keep(*c)).collect::<String>().to_lowercase().replace(' ', "-"))
        .collect()
}

/// Adds the names of all fields, except those below metrics and variables, which are names of the design flow.
fn fields(json: &Value, names: &mut BTreeSet<String>) {
    match json {
        Value::Object(object) => {
            for (name, value) in object {
                names.insert(name.clone());
                if !["metrics", "variables"].contains(&name.as_str()) || value.is_array() {
                    fields(value, names);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| fields(item, names)),
        _ => {}
    }
}

#[test]
fn every_field_of_json_output_is_described() {
    if skipped() {
        return;
    }
    let mut reader = Reader::new();
    let mut names = BTreeSet::new();
    let mut collect = |typed: &str| {
        let (text, _) = reader.run(&format!("{typed} 2>/dev/null"));
        let values: Vec<Value> = serde_json::Deserializer::from_str(&text).into_iter().map(Result::unwrap).collect();
        assert!(!values.is_empty(), "`{typed}` printed nothing");
        values.iter().for_each(|value| fields(value, &mut names));
    };
    collect("tapeout init --json");
    // Broken, then with a failed check, then well: each ending has fields of its own.
    collect("tapeout run --log-format json -c NEXTPNR_EXTRA_ARGS=--bogus -c RUN_SIMULATION=false");
    collect("tapeout run --log-format json -c CLOCK_PERIOD=1 -c RUN_POST_LAYOUT_SIMULATION=false");
    // A program tells of more, and has more to tell where a failure of its steps is no end.
    collect("tapeout plan --flow SeedSweep --json");
    collect(
        "tapeout run --flow SeedSweep --tag sweep --log-format json -c SWEEP_SEEDS=2 -c NEXTPNR_EXTRA_ARGS=--bogus",
    );
    collect("tapeout run --flow Ice40Optimizing --tag sweep --log-format json -c HARD_CLOCK_PERIOD=1");
    for typed in [
        "run -n -c CLOCK_PERIOD=2",
        "run -c RUN_POST_LAYOUT_SIMULATION=false",
        "status",
        "why",
        "pin pack -r reason",
        "status",
        "unpin pack",
        "run --log-format json --check-repeat=*pack -c RUN_POST_LAYOUT_SIMULATION=false",
        "plan",
        "compare default @last --show all",
        "doctor",
        "open",
        "open pack",
        "step pack synth -o p",
        "step run pack",
    ] {
        collect(&format!("tapeout {typed} --json"));
    }
    for kind in ["steps", "flows", "tools", "variables", "runs"] {
        collect(&format!("tapeout list {kind} --json"));
    }
    for thing in ["step pack", "flow Ice40", "tool yosys", "variable PNR_SEED"] {
        collect(&format!("tapeout show {thing} --json"));
    }
    for what in ["", "synth"] {
        collect(&format!("tapeout logs {what} --json"));
    }
    for what in ["check", "why CLOCK_PERIOD", "diff config.yaml other.yaml"] {
        collect(&format!("echo '{{include: config.yaml, PNR_SEED: 2}}' > other.yaml; tapeout config {what} --json"));
    }
    for what in ["stat", "gc -n", "verify"] {
        collect(&format!("tapeout cache {what} --json"));
    }
    let page = text_of(Path::new("book/src/command-line.md"));
    let described: BTreeSet<&str> = quoted(&page).into_iter().collect();
    let missing: Vec<&String> = names.iter().filter(|name| !described.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "not in book/src/command-line.md: {missing:?}");
}
