//! The help text, made from the schema.

use std::fmt::Write as _;

use tapeout_config::{Schema, Type, Variable};

use crate::options::{COMMON, Options, Words, is_given_by_users};
use crate::subtool::Subtool;

const WIDTH: usize = 100;

const USAGE: &str = "\
Set up RAD-Gen's subtools by its own command line

Usage: tapeout radgen --subtools NAMES… [--top_config_fpath FILE] [OPTIONS]

An option has the name of its field without the subtool: `--mode.vlsi.run` is `asic_dse.mode.vlsi.run` in a file. A list
takes all words up to the next option. A flag takes none; `--x=false` and `--no-x` switch it off. For other options
`--no-x` takes a value of the file away. What the command line gives beats the file, which beats defaults.
";

/// What there is to say of the options that all subtools share, and of those of these subtools.
#[must_use]
pub fn help(schema: &Schema, subtools: &[Subtool]) -> String {
    let options = Options::new(schema, subtools);
    let mut text = USAGE.to_owned();
    let doc = |section: &str| schema.groups().find(|(name, _)| *name == section).map_or("", |(_, doc)| doc).to_owned();
    for section in std::iter::once(COMMON).chain(subtools.iter().map(|subtool| subtool.name())) {
        let _ = write!(text, "\n{section}: {}\n", doc(section));
        for variable in options.of(section).filter(|variable| is_given_by_users(variable)) {
            option(&mut text, options, variable);
        }
    }
    text.push_str("\nEverywhere:\n  -h, --help\n      Say this; with `--subtools NAMES…` also the options of these\n");
    text.push_str("  --json\n      Print JSON instead of text\n");
    if subtools.is_empty() {
        text.push_str("\nSubtools, each with options of its own:\n");
        for subtool in Subtool::ALL {
            let _ = writeln!(text, "  {:<10}{}", subtool.name(), doc(subtool.name()));
        }
    }
    text
}

fn option(text: &mut String, options: Options<'_>, variable: &Variable) {
    let short = variable.shortcut.map(|short| format!("-{short}, ")).unwrap_or_default();
    let value = match Words::of(variable) {
        Words::None => "",
        Words::One => placeholder(&variable.ty),
        Words::Many => match &variable.ty {
            Type::List(item) => placeholder(item),
            other => placeholder(other),
        },
    };
    let more = if Words::of(variable) == Words::Many { "…" } else { "" };
    let _ = writeln!(text, "{}", format!("  {short}--{} {value}{more}", options.name_of(variable)).trim_end());
    let mut doc = variable.doc.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Type::Choice(_) = variable.ty {
        let _ = write!(doc, " [{}]", variable.ty);
    }
    if let Some(units) = variable.units {
        let _ = write!(doc, " [in {units}]");
    }
    if let Some(default) = variable.default.as_ref().filter(|_| variable.ty != Type::Bool) {
        let _ = write!(doc, " [default: {default}]");
    }
    let mut line = String::new();
    for word in doc.split(' ') {
        if !line.is_empty() && line.chars().count() + word.chars().count() + 7 > WIDTH {
            let _ = writeln!(text, "      {line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(text, "      {line}");
}

fn placeholder(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "BOOLEAN",
        Type::Int => "INTEGER",
        Type::Decimal => "NUMBER",
        Type::Path | Type::NewPath => "PATH",
        Type::Dir => "DIR",
        Type::Choice(_) => "WORD",
        Type::Str => "TEXT",
        Type::Optional(item) => placeholder(item),
        _ => "JSON",
    }
}
