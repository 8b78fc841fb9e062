//! Is a project what can be built? All that is wrong is told at once, before anything runs.

use std::collections::{BTreeSet, HashMap};

use tapeout_config::{Diagnostic, Span, nearest};

use super::requirement::is_name;
use super::{Block, Project, Required, Requirement, TargetId, Task, or_near};

/// What the targets of a project require, in their order; else all that is wrong with it, but for circles.
pub(super) fn required(project: &Project) -> Result<Required, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let mut required = Required::default();
    let mut checked = BTreeSet::new();
    if project.by_id.len() < project.blocks.len() {
        errors.extend(given_twice(project));
    }
    for (id, block) in &project.blocks {
        errors.extend(invalid_block_id(id).map(|message| located(message, block.origin, "this block")));
        // Blocks of a type have their tasks in common.
        if checked.insert(std::sync::Arc::as_ptr(&block.of)) {
            errors.extend(of_tasks(&block.of.tasks));
        }
        of_requirements(project, id, block, &mut required, &mut errors);
    }
    once_per_place(&mut errors);
    if errors.is_empty() { Ok(required) } else { Err(errors) }
}

/// Of each id that several blocks have, all but the first.
fn given_twice(project: &Project) -> Vec<Diagnostic> {
    let mut first: HashMap<&str, Option<Span>> = HashMap::new();
    let mut errors = Vec::new();
    for (id, block) in &project.blocks {
        if let Some(before) = first.insert(id, block.origin) {
            let error = located(format!("the block id `{id}` is given twice"), block.origin, "the second one");
            errors.push(also(error, before, "the first one"));
        }
    }
    errors
}

/// Why a block cannot have an id.
pub(super) fn invalid_block_id(id: &str) -> Option<String> {
    let is_valid = !id.is_empty() && id.split('-').all(|part| part.is_empty() || is_name(part));
    (!is_valid).then(|| format!("the block id `{id}` is no name: expected letters, digits, `_` and `-`"))
}

/// Why a task cannot have an id.
pub(super) fn invalid_task_id(id: &str) -> Option<String> {
    (!is_name(id)).then(|| format!("the task id `{id}` is no name: expected letters, digits and `_`"))
}

/// Of what is wrong at one place in a type, and so with each of its blocks, one is told.
fn once_per_place(errors: &mut Vec<Diagnostic>) {
    let mut seen = BTreeSet::new();
    errors.retain(|error| match (&error.label, error.secondary.as_slice()) {
        (Some(label), [block]) if block.text == IN_BLOCK => seen.insert(label.span),
        _ => true,
    });
}

/// What is said of a block in which a task of its type has something wrong.
const IN_BLOCK: &str = "in this block";

fn located(message: String, origin: Option<Span>, label: &str) -> Diagnostic {
    let error = Diagnostic::error(message);
    match origin {
        Some(span) => error.at(span, label),
        None => error,
    }
}

fn also(error: Diagnostic, origin: Option<Span>, label: &str) -> Diagnostic {
    match origin {
        Some(span) => error.also(span, label),
        None => error,
    }
}

fn of_tasks(tasks: &[Task]) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    let mut first: HashMap<&str, &Task> = HashMap::with_capacity(tasks.len());
    for task in tasks {
        errors.extend(invalid_task_id(&task.id).map(|message| located(message, task.origin, "this task")));
        if let Some(before) = first.insert(&task.id, task) {
            let error = located(format!("the task `{}` is given twice", task.id), task.origin, "the second one");
            errors.push(also(error, before.origin, "the first one"));
        }
    }
    errors
}

/// Adds what the targets of a block require, and what is wrong with that.
fn of_requirements(project: &Project, id: &str, block: &Block, required: &mut Required, errors: &mut Vec<Diagnostic>) {
    let mut used = BTreeSet::new();
    let mut missing = BTreeSet::new();
    for task in &block.of.tasks {
        required.begin.push(required.targets.len());
        for (name, requirement) in
            task.requires.iter().flat_map(|(name, requires)| requires.each().iter().map(move |each| (name, each)))
        {
            if let Requirement::Symbolic { name, .. } = requirement {
                used.insert(name.as_str());
            }
            let Some((to_block, to_task)) = requirement.target(id, block) else {
                if let Requirement::Symbolic { name, .. } = requirement {
                    missing.insert(name.as_str());
                }
                continue;
            };
            if let Some(target) = project.target(to_block, to_task) {
                required.targets.push(target);
                continue;
            }
            let reason = project.find(&format!("{to_block}.{to_task}")).err().unwrap_or_default();
            let message = format!("`{id}.{}` requires `{requirement}` as `{name}`: {reason}", task.id);
            let error = located(message, task.origin, "this task");
            errors.push(also(error, block.origin.filter(|_| task.origin != block.origin), IN_BLOCK));
        }
    }
    if !missing.is_empty() {
        let names = missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let message = format!("the tasks of the block `{id}` know {names}, which its `dependency_map` does not have");
        let near =
            missing.iter().find_map(|name| nearest(name, block.dependency_map.iter().map(|(name, _)| name.as_str())));
        errors.push(
            located(message, block.origin, "this block")
                .help(format!("it must say which block each of these names means{}", or_near(near))),
        );
    }
    let surplus: Vec<String> = (block.dependency_map.iter())
        .filter(|(name, _)| !used.contains(name.as_str()))
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    if !surplus.is_empty() {
        let message = format!(
            "the `dependency_map` of the block `{id}` has {}, which none of its tasks uses",
            surplus.join(", ")
        );
        errors.push(located(message, block.origin, "this block"));
    }
}

/// The first circle of requirements.
pub(super) fn circle(project: &Project) -> Option<Diagnostic> {
    // Most often targets require only such as were declared before them.
    let is_before = |target: TargetId| project.required(target).all(|(_, required)| required < target);
    if project.targets().all(is_before) {
        return None;
    }
    let order: Vec<TargetId> = project.targets().collect();
    // Kahn: what is left when all that waits for nothing has been taken away, again and again, is in a circle or behind one.
    let mut waits = vec![0_usize; order.len()];
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); order.len()];
    for (index, target) in order.iter().enumerate() {
        for (_, required) in project.required(*target) {
            waits[index] += 1;
            waiting[project.index(required)].push(index);
        }
    }
    let mut free: Vec<usize> = (0..order.len()).filter(|index| waits[*index] == 0).collect();
    while let Some(index) = free.pop() {
        for other in &waiting[index] {
            waits[*other] -= 1;
            if waits[*other] == 0 {
                free.push(*other);
            }
        }
    }
    let mut at = (0..order.len()).find(|index| waits[*index] > 0)?;
    let mut way = Vec::new();
    let circle = loop {
        if let Some(begin) = way.iter().position(|seen| *seen == at) {
            break &way[begin..];
        }
        way.push(at);
        let stuck = |(_, required): (&str, TargetId)| Some(project.index(required)).filter(|index| waits[*index] > 0);
        at = project.required(order[at]).find_map(stuck).expect("what waits, waits for something that waits");
    };
    let mut names: Vec<String> = circle.iter().map(|index| project.name(order[*index])).collect();
    names.push(names[0].clone());
    let task = project.task(order[circle[0]]);
    let message = format!("targets require each other in a circle: {}", names.join(" → "));
    Some(located(message, task.origin, "one of them"))
}
