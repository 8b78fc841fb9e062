//! What must hold of every answer, whatever was asked.

use std::path::Path;

use serde_json::Value as Json;
use tapeout_config::{Config, Diagnostic, Loader, Node, SourceMap, Tree, Value, read};
use tapeout_model::Severity;

use crate::schema::SCHEMA;

/// All diagnostics can be shown, and one of them is an error.
pub fn refusal(diagnostics: &[Diagnostic], sources: &SourceMap) {
    assert!(diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error), "refused without an error");
    shown(diagnostics, sources);
}

/// All diagnostics can be shown.
pub fn shown(diagnostics: &[Diagnostic], sources: &SourceMap) {
    if let Some(first) = diagnostics.first() {
        assert!(!first.render(sources, true).is_empty());
    }
    for diagnostic in diagnostics {
        assert!(!diagnostic.message.is_empty());
        assert!(diagnostic.render(sources, false).starts_with(&diagnostic.severity.to_string()));
        assert!(diagnostic.one_line(sources).contains(&diagnostic.severity.to_string()));
    }
}

/// What a reader accepts has its places in the text, and reads back the same when it is printed as JSON.
pub fn file(path: &Path) {
    let mut sources = SourceMap::new();
    match read(path, &mut sources) {
        Ok(node) => {
            places(&node, &sources);
            reads_back(&node.to_value());
        }
        Err(diagnostic) => refusal(&[diagnostic], &sources),
    }
}

/// Every place of a tree is one of its text.
pub fn places(node: &Node, sources: &SourceMap) {
    let text = sources.text(node.span.file);
    let place = |start, end| assert!(text.get(start..end).is_some(), "{start}..{end} of {} bytes", text.len());
    place(node.span.start, node.span.end);
    match &node.value {
        Tree::List(items) => items.iter().for_each(|item| places(item, sources)),
        Tree::Map(entries) => {
            for (key, value) in entries {
                place(key.span.start, key.span.end);
                places(value, sources);
            }
        }
        _ => {}
    }
}

/// A map reads back the same when it is printed as JSON.
pub fn reads_back(value: &Value) {
    let json = value.to_json();
    // An empty object is a configuration too.
    let back = read(&crate::write("back.json", json.to_string().as_bytes()), &mut SourceMap::new());
    match back {
        Ok(node) => {
            let back = node.to_value().to_json();
            assert!(same(&back, &json), "{json} reads back as {back}");
        }
        Err(diagnostic) => panic!("{json} is refused: {}", diagnostic.message),
    }
}

/// Whether two values are the same. A decimal of more than the 17 digits that are printed may come back whole.
fn same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| one.0 == other.0 && same(one.1, other.1))
        }
        _ => one == other,
    }
}

/// A configuration is right, and all of it can be shown and copied, or all that is wrong can be shown.
pub fn configuration(loader: Loader) {
    let mut sources = SourceMap::new();
    let resolved = match loader.load(&mut sources) {
        Ok(loaded) => loaded.resolve(&SCHEMA, &mut sources),
        Err(diagnostics) => return refusal(&diagnostics, &sources),
    };
    match resolved {
        Ok((config, warnings)) => {
            shown(&warnings, &sources);
            assert!(warnings.iter().all(|warning| warning.severity == Severity::Warning));
            whole(&config);
        }
        Err(diagnostics) => refusal(&diagnostics, &sources),
    }
}

fn whole(config: &Config) {
    let json = config.to_json().to_string();
    assert!(serde_json::from_str::<Json>(&json).is_ok(), "{json}");
    for (_, setting) in config.iter() {
        for origin in setting.beaten.iter().map(|(origin, _)| origin).chain([&setting.origin]) {
            if let Some((location, span)) = &origin.place {
                assert_eq!(config.sources().location(*span), *location);
                assert!(config.sources().text(span.file).contains(config.sources().line(*span)));
            }
        }
    }
    match config.copy(Vec::<(String, Value)>::new()) {
        Ok(copy) => assert!(copy == *config, "a copy without overrides is another configuration"),
        Err(error) => panic!("a copy without overrides is refused: {error}"),
    }
}
