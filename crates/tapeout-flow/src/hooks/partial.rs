//! A part of a step: from a section, to a section. Owns checkpoints: where a script leaves them, what they were made of,
//! and going on from one.
//!
//! A script that can leave checkpoints does so behind its sections that change the design and take their time. Each is
//! recorded with its chain: a digest of all that has led to it, and one of each section before it, so that a difference
//! can be named. To begin at a section, a tool goes on from the last checkpoint before it, runs the persistent hooks, and
//! does the rest. A tool that leaves none, or has left none, does all from the beginning again: the same script, so that a
//! recorded result serves. A checkpoint of another chain is refused.

use tapeout_engine::{Failure, Identity, Input};
use tapeout_model::{Class, Data, Output, Record, Verdict};
use tapeout_store::KeyHasher;

use super::arrange::{Bound, Bounds, NoPlace, Occupant, Order, Slot};
use super::set::{OUTPUTS, StepHooks};
use crate::StepCx;
use crate::step::{Script, Section, Session};

/// The datum of a record that tells of its checkpoints.
const CHECKPOINTS: &str = "checkpoints";
/// The names of the parts of a step's identity that only a part of it has.
pub(crate) const STOP: &str = "(stop)";
pub(crate) const CHECKPOINT: &str = "(checkpoint)";
/// The datum of a record of a step that has not come to its end.
const STOPPED: &str = "stopped";

/// What a tool has left behind a section.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Checkpoint {
    /// The section.
    pub(crate) section: String,
    pub(crate) file: String,
    /// All that has led to it.
    chain: String,
    /// The sections that have, each with a digest of its text.
    sections: Vec<(String, String)>,
}

/// The part of a step that is to run, where that is not all of it.
#[derive(Clone, Debug)]
pub(crate) struct PartOfStep {
    pub(crate) bounds: Bounds,
    /// The options that ask for it: `--from Yosys.Synthesis/abc`.
    pub(crate) words: String,
    /// The run whose checkpoints are there.
    pub(crate) tag: String,
    /// What it can go on from, with the files; in the order of the sections.
    pub(crate) left: Vec<(Checkpoint, Output)>,
    /// All files that the run shows of the step.
    pub(crate) outputs: Vec<Output>,
}

/// A session as it runs.
pub(crate) struct Woven {
    pub(crate) session: Session,
    /// What it leaves, or has from earlier.
    pub(crate) checkpoints: Vec<Checkpoint>,
    /// Files of checkpoints that it has from earlier.
    pub(crate) kept: Vec<Output>,
    /// What sections have written that are not in the part.
    pub(crate) earlier: Vec<Output>,
    /// Where its commands have come to between those of hooks, if it has any.
    pub(crate) places: Option<Vec<Option<usize>>>,
}

/// The checkpoints of a result, with their files.
pub(crate) fn checkpoints_of(record: &Record) -> Vec<(Checkpoint, Output)> {
    let datum = record.data.iter().find(|(name, _)| name == CHECKPOINTS);
    let Some((_, Data::List(items))) = datum else { return Vec::new() };
    let read = |item: &Data| {
        let checkpoint = Checkpoint::read(item)?;
        let file = record.output(&checkpoint.file)?.clone();
        Some((checkpoint, file))
    };
    items.iter().filter_map(read).collect()
}

/// Behind which section a step was told to stop, if its result is such a part.
pub(crate) fn stopped(record: &Record) -> Option<&str> {
    match record.data.iter().find(|(name, _)| name == STOPPED) {
        Some((_, Data::Text(section))) => Some(section),
        _ => None,
    }
}

impl Checkpoint {
    fn data(&self) -> Data {
        let text = |text: &String| Data::Text(text.clone());
        let sections = self.sections.iter().map(|(name, digest)| (name.clone(), text(digest)));
        Data::List(vec![text(&self.section), text(&self.file), text(&self.chain), Data::Map(sections.collect())])
    }

    fn read(data: &Data) -> Option<Self> {
        let Data::List(items) = data else { return None };
        let [Data::Text(section), Data::Text(file), Data::Text(chain), Data::Map(sections)] = items.as_slice() else {
            return None;
        };
        let text = |(name, digest): &(String, Data)| match digest {
            Data::Text(digest) => Some((name.clone(), digest.clone())),
            _ => None,
        };
        let sections = sections.iter().map(text).collect::<Option<_>>()?;
        Some(Self { section: section.clone(), file: file.clone(), chain: chain.clone(), sections })
    }

    /// What has become different since it was made, in words.
    fn difference(&self, now: &Self) -> String {
        let was = |name: &str| self.sections.iter().find(|(known, _)| known == name);
        let is = |name: &str| now.sections.iter().any(|(known, _)| known == name);
        let changed = now.sections.iter().find(|(name, digest)| was(name).is_some_and(|(_, before)| before != digest));
        if let Some((name, _)) = changed {
            return format!("`{name}` is not what it was then");
        }
        if let Some((name, _)) = now.sections.iter().find(|(name, _)| was(name).is_none()) {
            return format!("`{name}` was not there then");
        }
        match self.sections.iter().find(|(name, _)| !is(name)) {
            Some((name, _)) => format!("`{name}` was there then"),
            None => "an input, a tool or its arguments are not what they were then".to_owned(),
        }
    }
}

/// The data of a record with these checkpoints, and with where the step was stopped.
pub(crate) fn data(checkpoints: &[Checkpoint], stopped: Option<&str>) -> Vec<(String, Data)> {
    let left = (!checkpoints.is_empty())
        .then(|| (CHECKPOINTS.to_owned(), Data::List(checkpoints.iter().map(Checkpoint::data).collect())));
    let stopped = stopped.map(|section| (STOPPED.to_owned(), Data::Text(section.to_owned())));
    left.into_iter().chain(stopped).collect()
}

impl PartOfStep {
    /// A part of which it is not yet known what it can go on from.
    pub(crate) fn new(bounds: Bounds, words: String) -> Self {
        Self { bounds, words, tag: String::new(), left: Vec::new(), outputs: Vec::new() }
    }

    /// The same for a step with these sessions. Only one script alone is gone on with: what others have done before it is
    /// not in its checkpoints.
    pub(crate) fn of(&self, sessions: &[Session]) -> Self {
        let is_one = sessions.len() == 1 && sessions[0].scripts.len() == 1;
        Self { left: if is_one { self.left.clone() } else { Vec::new() }, ..self.clone() }
    }

    /// The last checkpoint before the part.
    pub(crate) fn resumes(&self, hooks: &StepHooks) -> Option<&(Checkpoint, Output)> {
        let first = self.bounds.first.as_ref()?;
        // A part that ends right behind a section has that section in it; what is empty does not begin at the next.
        let before = |left: &&(Checkpoint, Output)| {
            let from_there = Bound { name: left.0.section.clone(), included: true };
            let until = Bound { name: first.name.clone(), included: !first.included };
            hooks.arrangement.order(&Bounds { first: Some(from_there), last: Some(until) }).is_ok()
        };
        self.left.iter().rev().find(before)
    }

    /// All that a result of the part depends on that one of the whole step does not.
    pub(crate) fn identify(&self, hooks: &StepHooks, identity: &mut Identity<'_>) {
        if let Some(section) = self.stops(hooks) {
            identity.part(STOP, &section);
        }
        let Some((last, _)) = self.resumes(hooks) else { return };
        for (checkpoint, file) in &self.left {
            identity.part(CHECKPOINT, &format!("{} {} {}", checkpoint.section, checkpoint.chain, file.digest));
            if checkpoint == last {
                break;
            }
        }
    }

    /// The name of the last section, where the step does not come to its end.
    pub(crate) fn stops(&self, hooks: &StepHooks) -> Option<String> {
        self.bounds.last.as_ref()?;
        let order = hooks.arrangement.order(&self.bounds).ok()?;
        let outputs = hooks.sections.iter().position(|section| *section == OUTPUTS);
        if order.part.iter().any(|slot| hooks.arrangement.get(*slot).section == outputs) {
            return None;
        }
        order.part.last().map(|slot| hooks.arrangement.get(*slot).name.clone())
    }

    /// The sections and hooks that are not in it, by name.
    pub(crate) fn beyond<'h>(&self, hooks: &'h StepHooks) -> Vec<&'h str> {
        let Ok(order) = hooks.arrangement.order(&self.bounds) else { return Vec::new() };
        let runs: Vec<&Slot> = order.start.iter().chain(&order.part).map(|slot| hooks.arrangement.get(*slot)).collect();
        let all = hooks.arrangement.persistent().chain(hooks.arrangement.in_place());
        all.filter(|slot| !runs.iter().any(|known| std::ptr::eq(*known, *slot)))
            .map(|slot| slot.name.as_str())
            .collect()
    }

    /// What is said of a step that was told to stop.
    pub(crate) fn verdict(&self, section: &str) -> Verdict {
        Verdict::NotChecked { reason: format!("stopped behind `{section}`, as `{}` says", self.words) }
    }
}

/// A session of a step with hooks, or of which only a part runs.
///
/// # Errors
/// A hook fails; or the checkpoint that it is to go on from was made of something else.
pub(crate) fn woven(
    hooks: &StepHooks,
    part: Option<&PartOfStep>,
    cx: &mut StepCx<'_, '_>,
    session: Session,
) -> Result<Option<Woven>, Failure> {
    let mut whole = session.clone();
    let places = hooks.weave(&order(hooks, &Bounds::default())?, cx, &mut whole)?;
    let Some(part) = part else {
        let woven = left_by(hooks, None, cx, whole)?;
        return Ok(Some(Woven { places: Some(places), ..woven }));
    };
    let all = left_by(hooks, Some(part), cx, whole)?;
    let restored = match part.resumes(hooks) {
        Some((checkpoint, file)) => {
            let now = all.checkpoints.iter().find(|now| now.section == checkpoint.section);
            match now {
                Some(now) if now.chain == checkpoint.chain => {}
                _ => return Err(refused(part, checkpoint, now)),
            }
            Some((checkpoint, file))
        }
        None => None,
    };
    let first = restored.map(|(checkpoint, _)| Bound { name: checkpoint.section.clone(), included: false });
    let bounds = Bounds { first, last: part.bounds.last.clone() };
    let order = order(hooks, &bounds)?;
    let mut session = session;
    let places = hooks.weave(&order, cx, &mut session)?;
    if !keep_calls(&mut session) {
        return Ok(None);
    }
    let is_in_part = |name: &str| order.part.iter().any(|slot| hooks.arrangement.get(*slot).name == name);
    // By whatever name: a hook in the place of a section writes what it has written.
    let runs = |section: &str| {
        let number = hooks.sections.iter().position(|known| known.name == section);
        let is_it = |slot: &Slot| number.is_some_and(|number| slot.origin() == Occupant::Section(number));
        order.part.iter().any(|slot| is_it(hooks.arrangement.get(*slot)))
    };
    let mut earlier: Vec<Output> = Vec::new();
    let mut kept = Vec::new();
    let mut checkpoints: Vec<Checkpoint> = Vec::new();
    for now in all.checkpoints {
        if is_in_part(&now.section) {
            checkpoints.push(now);
        } else if let Some((_, file)) = part.left.iter().find(|(left, _)| *left == now) {
            kept.push(file.clone());
            checkpoints.push(now);
        }
    }
    for script in &mut session.scripts {
        save(script, &checkpoints, &mut session.invocation.outputs);
        if let (Some((checkpoint, file)), Some(way)) = (restored, script.checkpoints) {
            let text = way.restore.replace("{file}", &checkpoint.file);
            script.sections.insert(0, Section { name: format!("restore {}", checkpoint.section).into(), text });
            session.invocation.inputs.push(Input::Output(file.clone()));
            session.invocation.outputs.retain(|path| *path != checkpoint.file);
            let written = script.writes.iter().filter(|(section, _)| !runs(section));
            earlier
                .extend(written.filter_map(|(_, path)| part.outputs.iter().find(|known| known.path == *path).cloned()));
            session.invocation.outputs.retain(|path| !earlier.iter().any(|known| known.path == *path));
        }
    }
    if part.stops(hooks).is_some() {
        // What it does not come to is not there; a checkpoint it must leave.
        let is_left = |path: &String| checkpoints.iter().any(|checkpoint| checkpoint.file == *path);
        let (left, others) = std::mem::take(&mut session.invocation.outputs).into_iter().partition(is_left);
        session.invocation.outputs = left;
        session.invocation.optional_outputs.extend::<Vec<String>>(others);
    }
    Ok(Some(Woven { session, checkpoints, kept, earlier, places: Some(places) }))
}

/// A session that has no hooks, with the checkpoints that it leaves.
///
/// # Errors
/// An input or a tool is not there.
pub(crate) fn plain(cx: &mut StepCx<'_, '_>, session: Session) -> Result<Woven, Failure> {
    let names = |script: &Script| -> Vec<String> {
        script.checkpoints.iter().flat_map(|way| way.behind).map(|name| (*name).to_owned()).collect()
    };
    with_checkpoints(cx, session, &names)
}

/// A whole session with the checkpoints that it leaves.
fn left_by(
    hooks: &StepHooks,
    part: Option<&PartOfStep>,
    cx: &mut StepCx<'_, '_>,
    session: Session,
) -> Result<Woven, Failure> {
    let last = part.and_then(|part| part.stops(hooks));
    let names = |script: &Script| -> Vec<String> {
        let behind = script.checkpoints.iter().flat_map(|way| way.behind);
        let number = |name: &&str| hooks.sections.iter().position(|section| section.name == *name);
        let own = behind.filter_map(number).filter_map(|number| {
            let is_it = |slot: &&Slot| slot.origin() == Occupant::Section(number);
            hooks.arrangement.in_place().find(is_it).map(|slot| slot.name.clone())
        });
        let mut names: Vec<String> = own.collect();
        if let (Some(last), Some(_)) = (&last, script.checkpoints)
            && !names.contains(last)
        {
            names.push(last.clone());
        }
        names
    };
    with_checkpoints(cx, session, &names)
}

fn with_checkpoints(
    cx: &mut StepCx<'_, '_>,
    mut session: Session,
    names: &dyn Fn(&Script) -> Vec<String>,
) -> Result<Woven, Failure> {
    let mut checkpoints = Vec::new();
    for index in 0..session.scripts.len() {
        let Some(way) = session.scripts[index].checkpoints else { continue };
        let names = names(&session.scripts[index]);
        for at in 0..session.scripts[index].sections.len() {
            let section = session.scripts[index].sections[at].name.to_string();
            // Behind the last section there is nothing to go on to.
            if !names.contains(&section) || at + 1 == session.scripts[index].sections.len() {
                continue;
            }
            let script = &session.scripts[index];
            let before = Script { sections: script.sections[..=at].to_vec(), ..script.clone() };
            let digest = |section: &Section| (section.name.to_string(), digest_of(&section.text));
            let sections = before.sections.iter().map(digest).collect();
            let mut invocation = session.invocation.clone();
            invocation.inputs.push(Input::Text { name: before.path.clone(), text: before.render() });
            invocation.outputs.clear();
            invocation.optional_outputs.clear();
            let chain = cx.noting_job().key_of(&invocation)?.to_string();
            let file = format!("checkpoint-{section}.{}", way.extension);
            checkpoints.push(Checkpoint { section, file, chain, sections });
        }
    }
    for script in &mut session.scripts {
        save(script, &checkpoints, &mut session.invocation.outputs);
    }
    Ok(Woven { session, checkpoints, kept: Vec::new(), earlier: Vec::new(), places: None })
}

/// Has a script leave these checkpoints, as far as it has their sections.
fn save(script: &mut Script, checkpoints: &[Checkpoint], outputs: &mut Vec<String>) {
    let Some(way) = script.checkpoints else { return };
    for checkpoint in checkpoints {
        let Some(at) = script.sections.iter().position(|section| section.name == checkpoint.section) else { continue };
        let text = way.save.replace("{file}", &checkpoint.file);
        script.sections.insert(at + 1, Section { name: format!("checkpoint {}", checkpoint.section).into(), text });
        outputs.push(checkpoint.file.clone());
    }
}

fn digest_of(text: &str) -> String {
    let mut digest = KeyHasher::new("section");
    digest.text(text);
    digest.finish().to_string()
}

pub(super) fn order(hooks: &StepHooks, bounds: &Bounds) -> Result<Order, Failure> {
    let unplanned = |no: NoPlace| Failure::new(Class::Internal, format!("a part of a step has no order: {no:?}"));
    hooks.arrangement.order(bounds).map_err(unplanned)
}

/// Leaves out of a session the scripts of which nothing is in the part, and the calls that would read them. Says whether
/// anything is left. Calls that are sections were left out by the order itself.
fn keep_calls(session: &mut Session) -> bool {
    let is_left = |script: &Script| !script.sections.is_empty() || script.given_by.is_some();
    let (kept, gone): (Vec<Script>, Vec<Script>) = std::mem::take(&mut session.scripts).into_iter().partition(is_left);
    session.scripts = kept;
    let reads = |args: &[String]| gone.iter().any(|script| args.contains(&script.path));
    session.invocation.commands.retain(|command| !reads(&command.args));
    !session.invocation.commands.is_empty()
}

fn refused(part: &PartOfStep, checkpoint: &Checkpoint, now: Option<&Checkpoint>) -> Failure {
    let why = match now {
        Some(now) => checkpoint.difference(now),
        None => format!("the tool leaves none behind `{}` any more", checkpoint.section),
    };
    let message = format!(
        "`{}`: the checkpoint behind `{}` that the run `{}` has is not of these sections: {why}",
        part.words, checkpoint.section, part.tag
    );
    Failure::new(Class::Input, message).hint("begin at what has changed, or before it")
}

/// The files that a step has from earlier runs of other parts, beside those that it made now.
pub(crate) fn join(outputs: &mut Vec<Output>, kept: Vec<Output>) {
    for file in kept {
        if !outputs.iter().any(|output| output.path == file.path) {
            outputs.push(file);
        }
    }
}
