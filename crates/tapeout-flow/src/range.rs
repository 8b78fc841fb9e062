//! A part of a plan: from a step, to a step, without some. Owns what it makes of the plan: which steps are left out and
//! why, and which are held at the results that a run under the same tag shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use tapeout_engine::{Engine, Failure, Mode, Outcome, Wish};
use tapeout_model::Class;
use tapeout_store::Entry;

use crate::hooks::StepHooks;
use crate::hooks::arrange::{Bound, Bounds, NoPlace};
use crate::hooks::partial::{PartOfStep, checkpoints_of, stopped};
use crate::sequence::Persistent;
use crate::{Again, Plan, PlannedStep, Reason, Run, StepPattern, nearest_step};

/// The part of a flow that is to run. All of it, unless something is said. An end is a step, by its id or a pattern that
/// only one matches, or a section or hook in one: `Yosys.Synthesis/abc`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// What it begins with.
    pub from: Option<String>,
    /// What it begins behind.
    pub after: Option<String>,
    /// What it ends with.
    pub to: Option<String>,
    /// What it ends before.
    pub until: Option<String>,
    /// What it consists of. It takes the place of all the others.
    pub only: Option<String>,
    /// Patterns of steps that are left out. Each must match one.
    pub skip: Vec<String>,
}

/// An end of a range, as it is given.
#[derive(Clone, Copy)]
struct End<'a> {
    option: &'static str,
    text: &'a str,
    /// Whether what is named belongs to the range.
    included: bool,
}

/// Where a step lies, seen from a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InRange {
    /// In it.
    #[default]
    Inside,
    /// Before it: the step stays at the result that the run shows.
    Held,
    /// Left out by its name.
    Skipped,
    /// After it; or before it and without a result.
    Outside,
}

impl Range {
    /// Whether it is the whole flow.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Where it begins.
    fn first(&self) -> Option<End<'_>> {
        End::one_of([("--only", &self.only, true), ("--from", &self.from, true), ("--after", &self.after, false)])
    }

    /// Where it ends.
    fn last(&self) -> Option<End<'_>> {
        End::one_of([("--only", &self.only, true), ("--to", &self.to, true), ("--until", &self.until, false)])
    }

    /// Refuses ends of which one contradicts another.
    fn refuse_contradictions(&self) -> Result<(), Failure> {
        let others = [&self.from, &self.after, &self.to, &self.until];
        if self.only.is_some() && others.iter().any(|end| end.is_some()) {
            let message =
                "`--only` names the whole range: it does not go with `--from`, `--after`, `--to` and `--until`";
            return Err(wrong(message.to_owned()));
        }
        let twice = |one: &Option<String>, other: &Option<String>, words: &str| match (one, other) {
            (Some(_), Some(_)) => Err(wrong(format!("{words}: only one of them"))),
            _ => Ok(()),
        };
        twice(&self.from, &self.after, "`--from` and `--after` both say where the range begins")?;
        twice(&self.to, &self.until, "`--to` and `--until` both say where the range ends")
    }
}

impl<'a> End<'a> {
    fn one_of<const N: usize>(options: [(&'static str, &'a Option<String>, bool); N]) -> Option<Self> {
        let given = options.into_iter().find_map(|(option, text, included)| Some((option, text.as_deref()?, included)));
        given.map(|(option, text, included)| Self { option, text, included })
    }

    fn words(&self) -> String {
        format!("{} {}", self.option, self.text)
    }

    /// The step, and the section in it.
    fn parts(&self) -> (&'a str, Option<&'a str>) {
        match self.text.split_once('/') {
            Some((step, section)) => (step, Some(section)),
            None => (self.text, None),
        }
    }

    /// The section as a bound of its step.
    fn bound(&self) -> Option<Bound> {
        let (_, section) = self.parts();
        section.map(|section| Bound { name: section.to_owned(), included: self.included })
    }
}

impl Plan {
    /// Leaves of the plan what a range leaves of it. What stands before the range is to be held at recorded results, see
    /// [`Plan::hold`].
    ///
    /// # Errors
    /// What is named is no step, or not one only; the range is empty or reversed; a step in it needs what a skipped one
    /// makes.
    pub fn select(&mut self, range: &Range) -> Result<(), Failure> {
        if range.is_all() {
            return Ok(());
        }
        if self.is_program() {
            return self.select_of_program(range);
        }
        range.refuse_contradictions()?;
        let (first, last) = (range.first(), range.last());
        let from = first.map(|end| self.end(&end)).transpose()?;
        let to = last.map(|end| self.end(&end)).transpose()?;
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            let [before, behind] = [to, from].map(|index| &self.steps[index].id);
            let words = [first, last].map(|end| end.map(|end| end.words()).unwrap_or_default());
            let (reason, swapped) = match range.from.is_some() && range.to.is_some() {
                true => {
                    (format!("`{behind}` comes after `{before}`"), Some(format!("`--from {before} --to {behind}`")))
                }
                false => (format!("nothing is between `{}` and `{}`", words[0], words[1]), None),
            };
            let message = format!("the range is empty: {reason} in the flow `{}`", self.flow);
            return Err(Failure { hint: swapped, ..wrong(message) });
        }
        self.select_sections(first.as_ref().zip(from), last.as_ref().zip(to))?;
        let skipped = self.skipped(&range.skip)?;
        let wanted = from.map(|from| self.persistent(from)).unwrap_or_default();
        let begins = self.steps.iter().any(|step| step.is_initial_state());
        let after = last.map(|end| match end.included {
            true => format!("it comes after `{}`", end.words()),
            false => format!("it does not come before `{}`", end.words()),
        });
        for (index, step) in self.steps.iter_mut().map(Arc::make_mut).enumerate() {
            let left_out = if to.is_some_and(|to| index > to) {
                after.clone().map(|after| (InRange::Outside, after))
            } else if let Some(pattern) = &skipped[index] {
                Some((InRange::Skipped, format!("skipped by `--skip {pattern}`")))
            } else {
                let is_before =
                    from.is_some_and(|from| index < from) && !step.is_initial_state() && !wanted.contains(&index);
                if is_before && begins {
                    let first = first.map(|first| first.words()).unwrap_or_default();
                    let reason = format!("the initial state stands for what comes before `{first}`");
                    Some((InRange::Skipped, reason))
                } else {
                    if is_before && step.left_out.is_none() {
                        step.in_range = InRange::Held;
                    }
                    None
                }
            };
            // What the plan itself leaves out has its own reason.
            if let (Some((in_range, reason)), None) = (left_out, &step.left_out) {
                step.in_range = in_range;
                step.left_out = Some(reason);
            }
        }
        self.refuse_nothing(from.unwrap_or(0), to.unwrap_or(self.steps.len().saturating_sub(1)), first.or(last))?;
        self.refuse_missing()
    }

    /// The steps that run although they stand before the range: they are persistent.
    fn persistent(&self, from: usize) -> Vec<usize> {
        let is_wanted = |step: &PlannedStep| match &step.persistent {
            None => false,
            Some(Persistent::Always | Persistent::After) => true,
            Some(Persistent::Before(pattern)) => self.steps[from..].iter().any(|step| pattern.matches(&step.id)),
        };
        (0..from).filter(|index| is_wanted(&self.steps[*index])).collect()
    }

    /// A program decides itself which step comes next: of a range only what it is to do without applies.
    fn select_of_program(&mut self, range: &Range) -> Result<(), Failure> {
        if let Some(end) = range.first().or(range.last()) {
            let message =
                format!("`{}`: the flow `{}` is a program, in which no step has a place", end.words(), self.flow);
            return Err(wrong(message).hint("what is recorded does not run again; `--skip` leaves steps out"));
        }
        let mut skipped = Vec::new();
        for text in &range.skip {
            let pattern = StepPattern::new(text).map_err(|error| wrong(format!("`--skip`: {error}")))?;
            let ids: Vec<&str> = self.declared().map(|step| step.id).collect();
            if !ids.iter().any(|id| pattern.matches(id)) {
                return Err(no_such_step("--skip", text, &self.flow, &ids));
            }
            skipped.push((text.clone(), pattern));
        }
        if let Some(program) = &mut self.program {
            program.skipped = skipped;
        }
        Ok(())
    }

    /// Sees to it that each step before the range is held at the result that the runs under this tag have of it. One
    /// without a result is left out.
    ///
    /// # Errors
    /// A step in the range reads what one before it makes, of which there is no result; the store cannot be read.
    pub fn hold(&mut self, engine: &Engine, tag: &str) -> Result<(), Failure> {
        self.resume(engine, tag)?;
        if !self.steps.iter().any(|step| step.in_range == InRange::Held) {
            return Ok(());
        }
        let run = Run::new(self, engine, tag)?;
        let missing: Vec<bool> = self
            .steps
            .iter()
            .map(|step| {
                step.in_range == InRange::Held && !run.shown_entry(&step.id).is_some_and(|entry| is_whole(&entry))
            })
            .collect();
        let inside = self.running().filter(|(_, step)| step.in_range == InRange::Inside);
        let needed = inside.flat_map(|(_, step)| step.inputs.iter().map(move |(part, from)| (step, part, *from)));
        let lacking: Vec<_> = needed.filter(|(.., from)| missing[*from]).collect();
        if let Some((step, _, from)) = lacking.first() {
            let maker = &self.steps[*from];
            let message =
                format!("`{}` reads what `{}` makes, and the run `{tag}` has no result of that", step.id, maker.id);
            let words = lacking
                .iter()
                .map(|(step, part, from)| format!("`{}`: the {part} of `{}`", step.id, self.steps[*from].id));
            let of = if tag == "default" { String::new() } else { format!(" --tag {tag}") };
            let last = lacking.iter().map(|(.., from)| *from).max().unwrap_or_default();
            let hint = format!("`tapeout run --to {}{of}` makes it", self.steps[last].id);
            let words = if lacking.len() > 1 { words.collect() } else { Vec::new() };
            return Err(Failure { words, ..wrong(message).hint(hint) });
        }
        for (step, missing) in self.steps.iter_mut().map(Arc::make_mut).zip(missing) {
            if missing {
                step.in_range = InRange::Outside;
                step.left_out = Some(format!("it comes before the range, and the run `{tag}` has no result of it"));
            }
        }
        // What stands in the range has all it needs; what is held needs nothing.
        self.link();
        Ok(())
    }

    /// Finds what the steps of which only a part runs can go on from.
    fn resume(&mut self, engine: &Engine, tag: &str) -> Result<(), Failure> {
        if self.steps.iter().all(|step| step.part.is_none()) {
            return Ok(());
        }
        let run = Run::new(self, engine, tag)?;
        let left = |step: &PlannedStep| {
            run.shown_entry(&step.id).map(|entry| (checkpoints_of(entry.record()), entry.record().outputs.clone()))
        };
        let left: Vec<_> = self.steps.iter().map(|step| left(step).unwrap_or_default()).collect();
        for (step, (left, outputs)) in self.steps.iter_mut().zip(left) {
            if let Some(part) = &step.part {
                let part = PartOfStep { left, outputs, tag: tag.to_owned(), ..PartOfStep::clone(part) };
                Arc::make_mut(step).part = Some(Arc::new(part));
            }
        }
        Ok(())
    }

    /// Whether the range ends with the flow and nothing before it is missing: what came out is then that of the flow.
    pub(crate) fn is_whole(&self) -> bool {
        let stops = |step: &PlannedStep| {
            step.part.as_ref().zip(step.hooks.as_ref()).is_some_and(|(part, hooks)| part.stops(hooks).is_some())
        };
        !self.steps.iter().any(|step| step.in_range == InRange::Outside || stops(step))
    }

    /// The step that an end of the range is at, or beside.
    fn end(&self, end: &End<'_>) -> Result<usize, Failure> {
        let (step, section) = end.parts();
        let found = self.matching(end.option, step)?;
        let [index] = found.as_slice() else {
            let words = found.iter().map(|index| self.steps[*index].id.clone()).collect();
            let message = format!("`{} {step}` must name one step, and matches {}", end.option, found.len());
            return Err(Failure { words, ..wrong(message).hint("name the one that is meant") });
        };
        if self.steps[*index].persistent.is_some() {
            let message =
                format!("`{}`: the step is persistent: whether it runs depends on what else does", end.words());
            return Err(wrong(message).hint("begin or end at another one"));
        }
        let beside = || wrong(format!("the range is empty: nothing is beyond `{}`", end.words()));
        match (end.included || section.is_some(), end.option) {
            (true, _) => Ok(*index),
            (false, "--after") if index + 1 < self.steps.len() => Ok(index + 1),
            (false, "--until") if *index > 0 && !self.steps[index - 1].is_initial_state() => Ok(index - 1),
            (false, _) => Err(beside()),
        }
    }

    /// Has only a part run of the steps in which the range begins and ends.
    fn select_sections(
        &mut self,
        first: Option<(&End<'_>, usize)>,
        last: Option<(&End<'_>, usize)>,
    ) -> Result<(), Failure> {
        let mut parts: BTreeMap<usize, (Bounds, Vec<String>)> = BTreeMap::new();
        for (end, at, is_first) in
            first.map(|(end, at)| (end, at, true)).into_iter().chain(last.map(|(end, at)| (end, at, false)))
        {
            let Some(bound) = end.bound() else { continue };
            let (bounds, words) = parts.entry(at).or_default();
            if is_first {
                bounds.first = Some(bound);
            } else {
                bounds.last = Some(bound);
            }
            if !words.contains(&end.words()) {
                words.push(end.words());
            }
        }
        for (at, (bounds, words)) in parts {
            let step = Arc::make_mut(&mut self.steps[at]);
            let words = words.join(" ");
            if !step.parts.is_empty() {
                let parts = step.parts.iter().map(|part| part.info.id.to_owned()).collect();
                let message = format!("`{words}`: `{}` consists of steps, and has no sections", step.id);
                return Err(Failure { words: parts, ..wrong(message) });
            }
            let hooks = step.hooks.get_or_insert_with(|| Arc::new(StepHooks::none(&step.info)));
            hooks.arrangement().order(&bounds).map_err(|no| no_such_part(&words, &step.id, hooks, &no))?;
            step.part = Some(Arc::new(PartOfStep::new(bounds, words)));
        }
        Ok(())
    }

    /// The steps that a pattern matches; there is one.
    fn matching(&self, option: &str, text: &str) -> Result<Vec<usize>, Failure> {
        let pattern = StepPattern::new(text).map_err(|error| wrong(format!("`{option}`: {error}")))?;
        let ids: Vec<&str> = self.steps.iter().map(|step| step.id.as_str()).collect();
        let found: Vec<usize> =
            ids.iter().enumerate().filter(|(_, id)| pattern.matches(id)).map(|(index, _)| index).collect();
        if found.is_empty() { Err(no_such_step(option, text, &self.flow, &ids)) } else { Ok(found) }
    }

    /// For each step the first pattern that skips it.
    fn skipped(&self, patterns: &[String]) -> Result<Vec<Option<String>>, Failure> {
        let mut skipped = vec![None; self.steps.len()];
        for pattern in patterns {
            for index in self.matching("--skip", pattern)? {
                skipped[index].get_or_insert_with(|| pattern.clone());
            }
        }
        Ok(skipped)
    }

    /// A range of which all is left out is a mistake, unless that is what `--skip` alone says.
    fn refuse_nothing(&self, from: usize, to: usize, named: Option<End<'_>>) -> Result<(), Failure> {
        let Some(end) = named else { return Ok(()) };
        let range = &self.steps[from..=to];
        let range: Vec<&Arc<PlannedStep>> = range.iter().filter(|step| !step.is_initial_state()).collect();
        if range.iter().any(|step| step.left_out.is_none()) {
            return Ok(());
        }
        let reason =
            |step: &Arc<PlannedStep>| format!("`{}`: {}", step.id, step.left_out.as_deref().unwrap_or_default());
        let message = format!("`{}`: nothing is left to run", end.words());
        Err(Failure { words: range.into_iter().map(reason).collect(), ..wrong(message) })
    }

    fn refuse_missing(&mut self) -> Result<(), Failure> {
        let missing = self.link();
        let Some(first) = missing.first() else { return Ok(()) };
        let makes = |step: &&Arc<PlannedStep>| {
            step.in_range == InRange::Skipped && step.info.outputs.contains(&first.format.as_str())
        };
        let maker = self.steps.iter().rev().find(makes).map_or("", |step| step.id.as_str());
        let message = format!(
            "`{}` needs the view `{}`, which only `{maker}` makes, and that is skipped",
            first.step, first.format
        );
        Err(wrong(message).hint(format!("leave the step in, or skip `{}`, too", first.step)))
    }
}

impl Run<'_> {
    /// The steps that are held at results which are not good any more, with why. Nothing is run.
    #[must_use]
    pub fn stale(&self) -> Vec<(&PlannedStep, Vec<Reason>)> {
        if self.holds_nothing() {
            return Vec::new();
        }
        let last = self.last_times();
        let graph = self.plan.graph(|step| last.get(step).copied(), |step| self.pinned_entry(&step.id).is_some());
        let wish = |step: &str| self.pinned_entry(step).map_or(Wish::Result, Wish::Pinned);
        let outcomes = self.engine.run(&graph, Mode::Look, |job| wish(&job.name), &|_| {});
        let good = |(step, _, outcome): (usize, Arc<PlannedStep>, &Outcome)| match outcome {
            Outcome::Done { entry, .. } => Some((step, entry.clone())),
            Outcome::Failed(_) | Outcome::Skipped | Outcome::WouldRun => None,
        };
        let results = self.outcomes_of_steps(&outcomes).filter_map(good).collect();
        let mut stale = Vec::new();
        for ((job, outcome), (step, planned)) in graph.ids().zip(&outcomes).zip(self.plan.running()) {
            if planned.in_range == InRange::Held
                && !matches!(outcome, Outcome::Done { .. })
                && !planned.info.acts_outside
            {
                stale.push((planned, self.reasons(&graph, job, step, Again::No, &results)));
            }
        }
        stale
    }
}

/// Whether a result is that of a step that came to its end.
fn is_whole(entry: &Entry) -> bool {
    stopped(entry.record()).is_none()
}

/// Why a part of a step cannot run.
fn no_such_part(words: &str, step: &str, hooks: &StepHooks, no: &NoPlace) -> Failure {
    match no {
        NoPlace::Missing { target, nearest } => {
            let error = wrong(format!("`{words}`: `{step}` has no section or hook `{target}`"));
            let in_place = hooks.arrangement().in_place().filter(|slot| slot.removed_by.is_none());
            let hint = nearest.as_ref().map(|near| format!("did you mean `{step}/{near}`?"));
            Failure { words: in_place.map(|slot| slot.name.clone()).collect(), hint, ..error }
        }
        NoPlace::Removed { target, by } => {
            wrong(format!("`{words}`: `{target}` is not there: the {} took it out", hooks.hook(*by).hook.words()))
        }
        NoPlace::EndsAtPersistent { target } => {
            wrong(format!("`{words}`: `{target}` is persistent: where it runs depends on what else does"))
                .hint("begin or end at a section")
        }
        _ => wrong(format!("`{words}`: the range is empty: no section of `{step}` is in it")),
    }
}

/// A pattern that matches none of the steps.
fn no_such_step(option: &str, text: &str, flow: &str, ids: &[&str]) -> Failure {
    let error = wrong(format!("`{option} {text}`: the flow `{flow}` has no such step"));
    let near = nearest_step(text, ids.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    Failure { hint: near, words: ids.iter().map(|id| (*id).to_owned()).collect(), ..error }
}

/// What the user asked for cannot be done.
fn wrong(message: String) -> Failure {
    Failure::new(Class::Input, message)
}
