//! What is said of the sections of a step and of what hooks have made of them.

use serde_json::{Value, json};
use tapeout_flow::SectionInfo;
use tapeout_flow::hooks::arrange::Runs;
use tapeout_flow::hooks::{PlannedSection, StepHooks};

use crate::terminal::Style;
use crate::terminal::table::Cell;

/// The names of sections without hooks.
pub(super) fn names(sections: &[SectionInfo]) -> String {
    sections.iter().map(|section| section.name).collect::<Vec<_>>().join(", ")
}

/// A row for each section and hook of a step, in their order; the first one with this title. `beyond`: the options that
/// leave only a part of the step, and the names that are not in it.
pub(super) fn rows(title: &str, hooks: &StepHooks, beyond: Option<(&str, Vec<&str>)>) -> Vec<Vec<Cell>> {
    let dim = |text: String| Cell::left(text).style(Some(Style::Dim));
    let row = |(index, section): (usize, PlannedSection)| {
        let title = if index == 0 { title.to_owned() } else { String::new() };
        let beyond = beyond.as_ref().filter(|(_, names)| names.contains(&section.name.as_str()));
        let is_gone = section.removed_by.is_some();
        let name = Cell::left(section.name.as_str()).style((is_gone || beyond.is_some()).then_some(Style::Dim));
        let mut words = words(&section);
        if let (Some((options, _)), false) = (beyond, is_gone) {
            words.push_str(&format!(", not in `{options}`"));
        }
        vec![dim(title), name, dim(words)]
    };
    hooks.listed().into_iter().enumerate().map(row).collect()
}

/// Where it comes from, what it replaced, when it runs, who took it out.
fn words(section: &PlannedSection) -> String {
    let from = match (section.layer, &section.origin) {
        (Some(layer), Some(origin)) => format!("{}, {origin}", of_layer(layer)),
        _ => "step".to_owned(),
    };
    let mut words = vec![from];
    if !section.former.is_empty() {
        let names: Vec<String> = section.former.iter().rev().map(|name| format!("`{name}`")).collect();
        words.push(format!("in place of {}", names.join(", formerly ")));
    }
    let target = section.target.as_deref().unwrap_or_default();
    match section.runs {
        Runs::InPlace => {}
        Runs::AtStart => words.push("at the start of every run".to_owned()),
        Runs::AtStartBefore(_) => words.push(format!("at the start of what begins at `{target}` or before it")),
        Runs::After(_) => words.push(format!("and at the start of what begins behind `{target}`")),
    }
    words.extend(section.removed_by.iter().map(|hook| format!("taken out by the {hook}")));
    words.join(", ")
}

/// What people call a hook of a layer.
pub(super) fn of_layer(layer: tapeout_flow::Layer) -> String {
    match layer {
        // It is no edit of what there is.
        tapeout_flow::Layer::Section => layer.to_string(),
        _ => format!("{layer} hook"),
    }
}

/// The sections of a step for programs, as it has them without hooks.
pub(super) fn own_to_json(sections: &[SectionInfo]) -> Value {
    sections.iter().map(|section| json!({ "name": section.name, "doc": section.doc })).collect()
}

/// What hooks have made of the sections of a step, for programs.
pub(super) fn to_json(hooks: &StepHooks, beyond: Option<(&str, Vec<&str>)>) -> Value {
    let item = |section: PlannedSection| {
        let in_part = !beyond.as_ref().is_some_and(|(_, names)| names.contains(&section.name.as_str()));
        let runs = match section.runs {
            Runs::InPlace => "in_place",
            Runs::AtStart => "at_start",
            Runs::AtStartBefore(_) => "at_start_before",
            Runs::After(_) => "after",
        };
        json!({
            "name": section.name, "former": section.former, "doc": section.doc,
            "layer": section.layer.map(|layer| layer.to_string()), "origin": section.origin, "runs": runs,
            "target": section.target, "removed_by": section.removed_by,
            "in_part": in_part,
        })
    };
    hooks.listed().into_iter().map(item).collect()
}
