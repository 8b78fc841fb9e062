//! The example of a tool's own options, and the page of the book that shows it.

#[path = "../../examples/own_options.rs"]
#[expect(dead_code, reason = "it is a program, of which a part is called")]
mod example;

use std::fs;
use std::path::Path;

use tapeout_config::SourceMap;
use tempfile::TempDir;

/// The texts of the blocks with this tag.
fn blocks<'a>(page: &'a str, tag: &str) -> Vec<&'a str> {
    let open = format!("```{tag}\n");
    page.split(open.as_str()).skip(1).filter_map(|rest| rest.split_once("\n```")).map(|(block, _)| block).collect()
}

fn run(typed: &str, dir: &Path) -> String {
    let file = dir.join("fmax.yaml");
    let args: Vec<String> = typed
        .split_whitespace()
        .skip(1)
        .map(|word| word.trim_matches('\'').replace("fmax.yaml", &file.to_string_lossy()))
        .collect();
    let mut sources = SourceMap::new();
    let printed = match example::main_with(&args, &mut sources) {
        Ok(text) => text,
        Err(diagnostics) => diagnostics.iter().map(|d| format!("{}\n\n", d.render(&sources, false))).collect(),
    };
    printed.replace(&*file.to_string_lossy(), "fmax.yaml")
}

#[test]
fn the_book_shows_the_example_and_what_it_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../../book/src/own-options.md")).unwrap();
    let example = fs::read_to_string(root.join("examples/own_options.rs")).unwrap();
    assert_eq!(blocks(&page, "rust"), [example.trim_end()]);

    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("fmax.yaml"), blocks(&page, "yaml")[0]).unwrap();
    let mut commands = 0;
    for block in blocks(&page, "text") {
        let made: String = block
            .lines()
            .filter(|line| line.starts_with("$ "))
            .map(|line| format!("{line}\n{}", run(&line[2..], dir.path())))
            .collect();
        assert_eq!(block.trim_end(), made.trim_end());
        commands += made.matches("$ own_options").count();
    }
    assert_eq!(commands, 5);
}
