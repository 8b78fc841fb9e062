//! Configurations that nobody wrote in good faith: they are refused, or read, in bounded time and memory. A reader that
//! is not bounded hangs here; nothing is timed.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test starts programs, and fails by panic")]

use std::fs::{self, File};
use std::os::unix::fs::symlink;

use tapeout_config::{Diagnostic, Loader, Schema, SourceMap, Type, Variable};
use tapeout_model::Value;

use crate::design::Design;

const FORMATS: [&str; 3] = ["c.json", "c.yaml", "c.toml"];

/// What is said about a configuration, each diagnostic as it is shown; nothing if it is right.
fn said(design: &Design, loader: Loader, schema: &Schema) -> Vec<String> {
    let mut sources = SourceMap::new();
    let resolved = match loader.load(&mut sources) {
        Ok(loaded) => loaded.resolve(schema, &mut sources),
        Err(diagnostics) => Err(diagnostics),
    };
    let (Ok((_, diagnostics)) | Err(diagnostics)) = resolved;
    // Of very many, some are shown.
    let shown = |index: usize| index.is_multiple_of(1 + diagnostics.len() / 1000);
    let show = |(index, diagnostic): (usize, &Diagnostic)| match shown(index) {
        true => design.strip(&diagnostic.render(&sources, false)),
        false => diagnostic.message.clone(),
    };
    diagnostics.iter().enumerate().map(show).collect()
}

/// What is said of one file.
fn said_of(name: &str, text: &[u8]) -> Vec<String> {
    let design = Design::new(&[]);
    fs::write(design.path(name), text).unwrap();
    said(&design, design.loader(&[name]), &anything())
}

fn anything() -> Schema {
    let of = |name: &'static str, ty: Type| Variable::new(name, ty, "").optional();
    Schema::new([of("A", Type::Any), of("B", Type::Decimal), of("FILES", Type::list(Type::Path))]).unwrap()
}

/// That one thing is said, which contains the words.
#[track_caller]
fn refused(said: &[String], words: &str) {
    assert_eq!(said.len(), 1, "{}", said.iter().take(3).cloned().collect::<String>());
    assert!(said[0].contains(words), "{}", said[0].get(..2000).unwrap_or(&said[0]));
}

#[test]
fn anchors_do_not_multiply_without_end() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    refused(&said_of("c.yaml", bomb.as_bytes()), "aliases add more than 100000 values");
    let option = format!("A={{{}}}", bomb.trim_end().replace('\n', ", "));
    let design = Design::with_config("c.yaml", "B: 1\n");
    let loader = Loader { sets: vec![option], ..design.loader(&["c.yaml"]) };
    refused(&said(&design, loader, &anything()), "aliases add more than 100000 values");
}

#[test]
fn long_lines_are_read_and_shown_in_part() {
    let long = "x".repeat(10 << 20);
    for (name, open, close) in
        [("c.json", "{\"A\": \"", "\"}"), ("c.yaml", "A: \"", "\"\n"), ("c.toml", "A = \"", "\"\n")]
    {
        assert_eq!(said_of(name, format!("{open}{long}{close}").as_bytes()), [""; 0], "{name}");
        // The fault stands behind the long text, in the same line.
        let broken = format!("{open}{long}\" \"{close}");
        let said = said_of(name, broken.as_bytes());
        assert_eq!(said.len(), 1);
        assert!(said[0].len() < 2000, "{name}: {} bytes are shown", said[0].len());
    }
    let items = format!("[{}1]", "1,".repeat(300_000));
    for (name, text) in
        FORMATS.into_iter().zip([format!("{{\"A\": {items}}}"), format!("A: {items}\n"), format!("A = {items}\n")])
    {
        assert_eq!(said_of(name, text.as_bytes()), [""; 0], "{name}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    for depth in [200, 100_000] {
        let lists = |open: &str, close: &str| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        let texts = [
            ("c.json", format!("{{\"A\": {}}}", lists("[", "]"))),
            ("c.json", lists("{\"A\": ", "}")),
            ("c.json", format!("{{\"A\": {}", "[".repeat(depth))),
            ("c.yaml", format!("A: {}", lists("[", "]"))),
            ("c.yaml", format!("A: {}", "{a: ".repeat(depth))),
            ("c.yaml", format!("A:\n{}x", "- ".repeat(depth))),
            ("c.toml", format!("A = {}", lists("[", "]"))),
            ("c.toml", format!("A = {}", lists("{a = ", "}"))),
            ("c.toml", format!("A{} = 1", ".a".repeat(depth))),
            ("c.toml", format!("[A{}]\nx = 1", ".a".repeat(depth))),
        ];
        for (name, text) in texts {
            assert_eq!(said_of(name, text.as_bytes()).len(), 1, "{name}, {depth} deep: {}", &text[..40]);
        }
    }
}

#[test]
fn names_of_very_many_parts_lead_nowhere() {
    let parts = ".x".repeat(50_000);
    refused(&said_of("c.json", format!("{{\"A{parts}\": 1}}").as_bytes()), "nested more than 128 deep");
    let referring = said_of("c.json", format!("{{\"A\": \"ref::$B{parts}\"}}").as_bytes());
    refused(&referring, "there is no value `B.x.x");
    refused(
        &said_of("c.yaml", format!("meta: {{version: 2}}\nB: 'expr::$B{}'", &parts[..4000]).as_bytes()),
        "no value",
    );
    let unknown = format!("{{\"meta\": {{\"version\": 2}}, \"{}\": 1}}", "FILE".repeat(1 << 20));
    refused(&said_of("c.json", unknown.as_bytes()), "unknown variable");
}

#[test]
fn expressions_have_bounds() {
    for (expression, words) in [
        ("9**9**9**9".to_owned(), "is too large"),
        ("(".repeat(100 << 10), "the expression has 102400 bytes, of at most 4096"),
        ("1.1**".repeat(120) + "1.1", ""),
    ] {
        let said = said_of("c.yaml", format!("B: expr::{expression}\n").as_bytes());
        if words.is_empty() {
            assert!(said.len() < 2);
        } else {
            refused(&said, words);
        }
    }
}

#[test]
fn includes_end() {
    let all: Vec<String> = (0..20).map(|number| format!("f{number}.yaml")).collect();
    // Each includes the next one twice: 2^20 ways.
    let files: Vec<_> = all.windows(2).map(|pair| (&pair[0], format!("include: [{0}, {0}]\n", pair[1]))).collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let design = Design::new(&[files.as_slice(), &[("f19.yaml", "B: 1\n")]].concat());
    let fan = said(&design, design.loader(&["f0.yaml"]), &anything());
    assert!(fan.iter().any(|it| it.contains("more than 1000 included configurations")));
    assert!(fan.len() < 5000);

    let design = Design::new(&[("a.yaml", "include: [b.json]\n"), ("b.json", "{\"include\": \"a.yaml\"}")]);
    refused(&said(&design, design.loader(&["a.yaml"]), &anything()), "includes itself");
}

#[test]
fn files_that_are_no_text_are_refused() {
    for name in FORMATS {
        refused(&said_of(name, b"A = \xff\n"), "is not UTF-8: line 1, byte 4");
    }
}

#[test]
fn what_is_no_file_is_refused_before_it_is_opened() {
    let design = Design::new(&[("d.yaml/x", "")]);
    symlink("/dev/zero", design.path("zero.yaml")).unwrap();
    let pipe = design.path("pipe.yaml");
    assert!(make_pipe(&pipe));
    let sparse = File::create(design.path("sparse.yaml")).unwrap();
    sparse.set_len(5 << 30).unwrap();
    for (name, words) in [
        ("zero.yaml", "cannot read configuration `zero.yaml`: it is a pipe or a device, not a file"),
        ("pipe.yaml", "cannot read configuration `pipe.yaml`: it is a pipe or a device, not a file"),
        ("sparse.yaml", "cannot read configuration `sparse.yaml`: it has 5120 MiB, and at most 64 are read"),
        ("d.yaml", "`d.yaml` is a directory, not a configuration file"),
    ] {
        refused(&said(&design, design.loader(&[name]), &anything()), words);
    }
    let list = Design::new(&[("c.yaml", "VERILOG_FILES: [a.f]\n")]);
    symlink("/dev/zero", list.path("a.f")).unwrap();
    let schema = Schema::new([Variable::new("VERILOG_FILES", Type::list(Type::Path), "")]).unwrap();
    refused(&said(&list, list.loader(&["c.yaml"]), &schema), "cannot read file list `a.f`: it is a pipe or a device");
}

#[test]
fn a_hundred_thousand_of_anything_is_not_looked_at_in_pairs() {
    let many = 100_000;
    // Mistakes, each with a variable that it may be meant to be.
    let schema =
        Schema::new((0..500).map(|number| Variable::new(format!("SOME_VARIABLE_{number}"), Type::Any, "").optional()))
            .unwrap();
    let text: String = (0..many).map(|number| format!("SOME_VARIABEL_{number}: 1\n")).collect();
    let design = Design::with_config("c.yaml", &text);
    assert_eq!(said(&design, design.loader(&["c.yaml"]), &schema).len(), many);

    // References, to one name, to each other, and to nothing.
    let text: String = (0..many).map(|number| format!("- expr::$B * {number}\n")).collect();
    assert_eq!(said_of("c.yaml", format!("B: 2\nA:\n{text}").as_bytes()), [""; 0]);
    let text: String = (0..many).map(|number| format!("- ref::$NOTHING{number}\n")).collect();
    assert_eq!(said_of("c.yaml", format!("A:\n{text}").as_bytes()).len(), many);
    let text: String = (0..many).map(|number| format!("V{}: expr::$V{number} + 1\n", number + 1)).collect();
    assert!(said_of("c.yaml", format!("meta: {{version: 1}}\nV0: 1\n{text}").as_bytes()).len() >= many);

    // An option of a megabyte, and many options.
    let design = Design::with_config("c.yaml", "B: 1\n");
    let sets = vec![format!("A=[{}x]", "x, ".repeat(350_000))];
    let loader = Loader { sets, ..design.loader(&["c.yaml"]) };
    assert_eq!(said(&design, loader, &anything()), [""; 0]);
    let sets = (0..many).map(|number| format!("A.k{number}={number}")).collect();
    let loader = Loader { sets, ..design.loader(&["c.yaml"]) };
    assert_eq!(said(&design, loader, &anything()), [""; 0]);
}

#[test]
fn thousands_of_patterns_and_links_in_circles_end() {
    let files: Vec<String> = (0..200).map(|number| format!("src/m{number}.v")).collect();
    let files: Vec<_> = files.iter().map(|name| (name.as_str(), "")).collect();
    let design = Design::new(&files);
    symlink(".", design.path("src/loop")).unwrap();
    symlink("../src", design.path("src/again")).unwrap();
    let patterns = (0..3000).map(|number| Value::from(format!("dir::src/m{}.[v]", number % 200))).collect();
    for link in 0..30 {
        // By one of two ways each: 2^30 in all.
        fs::create_dir_all(design.path(&format!("way/{link}"))).unwrap();
        symlink(format!("../{}", link + 1), design.path(&format!("way/{link}/a"))).unwrap();
        symlink(format!("../{}", link + 1), design.path(&format!("way/{link}/b"))).unwrap();
    }
    fs::create_dir_all(design.path("way/30")).unwrap();
    fs::write(design.path("way/30/end.v"), "").unwrap();
    let all = Value::from(vec!["dir::src/**/*.v", "dir::way/0/**/end.v", "dir::**/end.v"]);
    for value in [Value::List(patterns), all] {
        let mapping = Value::Map(vec![("FILES".to_owned(), value)]);
        let loader = Loader::from_mapping(mapping, design.dir.path());
        assert_eq!(said(&design, loader, &anything()), [""; 0]);
    }
    let found = |pattern: String| {
        let mapping = Value::Map(vec![("FILES".to_owned(), Value::from(vec![pattern]))]);
        said(&design, Loader::from_mapping(mapping, design.dir.path()), &anything()).join("\n")
    };
    assert_eq!(found(format!("dir::{}end.v", "**/*/**/".repeat(20))), "");
    found(format!("dir::way/0/{}end.v", "*/".repeat(30)));
}

/// A named pipe, which the standard library does not make.
fn make_pipe(path: &std::path::Path) -> bool {
    std::process::Command::new("mkfifo").arg(path).status().is_ok_and(|status| status.success())
}
