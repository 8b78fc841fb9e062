//! A part of a plan: from a step, to a step, without some. Owns what it makes of the plan: which steps are left out and
//! why, and which are held at the results that a run under the same tag shows.

use std::sync::Arc;

use tapeout_engine::{Engine, Failure, Mode, Outcome, Wish};
use tapeout_model::Class;

use crate::{Again, Plan, PlannedStep, Reason, Run, StepPattern, nearest_step};

/// The part of a flow that is to run. All of it, unless something is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The first step, by its id or a pattern that only one matches.
    pub from: Option<String>,
    /// The last step, likewise.
    pub to: Option<String>,
    /// The only step, likewise. It takes the place of `from` and `to`.
    pub only: Option<String>,
    /// Patterns of steps that are left out. Each must match one.
    pub skip: Vec<String>,
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

    /// The option that gives the first step, and what is said there.
    fn first(&self) -> Option<(&'static str, &str)> {
        let only = self.only.as_deref().map(|only| ("--only", only));
        only.or_else(|| Some(("--from", self.from.as_deref()?)))
    }

    /// The option that gives the last step, and what is said there.
    fn last(&self) -> Option<(&'static str, &str)> {
        let only = self.only.as_deref().map(|only| ("--only", only));
        only.or_else(|| Some(("--to", self.to.as_deref()?)))
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
        if range.only.is_some() && (range.from.is_some() || range.to.is_some()) {
            return Err(wrong("`--only` names the whole range: it does not go with `--from` and `--to`".to_owned()));
        }
        let (first, last) = (range.first(), range.last());
        let from = first.map(|(option, step)| self.one_step(option, step)).transpose()?;
        let to = last.map(|(option, step)| self.one_step(option, step)).transpose()?;
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            let [from, to] = [from, to].map(|index| self.steps[index].id.clone());
            return Err(wrong(format!("the range is empty: `{from}` comes after `{to}` in the flow `{}`", self.flow))
                .hint(format!("`--from {to} --to {from}`")));
        }
        let skipped = self.skipped(&range.skip)?;
        let begins = self.steps.iter().any(|step| step.is_initial_state());
        let after = last.map(|(option, step)| format!("it comes after `{option} {step}`"));
        for (index, step) in self.steps.iter_mut().map(Arc::make_mut).enumerate() {
            let left_out = if to.is_some_and(|to| index > to) {
                after.clone().map(|after| (InRange::Outside, after))
            } else if let Some(pattern) = &skipped[index] {
                Some((InRange::Skipped, format!("skipped by `--skip {pattern}`")))
            } else {
                let is_before = from.is_some_and(|from| index < from) && !step.is_initial_state();
                if is_before && begins {
                    let (option, first) = first.unwrap_or_default();
                    Some((
                        InRange::Skipped,
                        format!("the initial state stands for what comes before `{option} {first}`"),
                    ))
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

    /// A program decides itself which step comes next: of a range only what it is to do without applies.
    fn select_of_program(&mut self, range: &Range) -> Result<(), Failure> {
        if let Some((option, step)) = range.first().or(range.last()) {
            let message =
                format!("`{option} {step}`: the flow `{}` is a program, in which no step has a place", self.flow);
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
        if !self.steps.iter().any(|step| step.in_range == InRange::Held) {
            return Ok(());
        }
        let run = Run::new(self, engine, tag)?;
        let missing: Vec<bool> = self
            .steps
            .iter()
            .map(|step| step.in_range == InRange::Held && run.shown_entry(&step.id).is_none())
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

    /// Whether the range ends with the flow and nothing before it is missing: what came out is then that of the flow.
    pub(crate) fn is_whole(&self) -> bool {
        !self.steps.iter().any(|step| step.in_range == InRange::Outside)
    }

    /// The only step that a pattern matches.
    fn one_step(&self, option: &str, text: &str) -> Result<usize, Failure> {
        let found = self.matching(option, text)?;
        match found.as_slice() {
            [index] => Ok(*index),
            several => {
                let words = several.iter().map(|index| self.steps[*index].id.clone()).collect();
                let message = format!("`{option} {text}` must name one step, and matches {}", several.len());
                Err(Failure { words, ..wrong(message).hint("name the one that is meant") })
            }
        }
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
    fn refuse_nothing(&self, from: usize, to: usize, named: Option<(&str, &str)>) -> Result<(), Failure> {
        let Some((option, step)) = named else { return Ok(()) };
        let range = &self.steps[from..=to];
        let range: Vec<&Arc<PlannedStep>> = range.iter().filter(|step| !step.is_initial_state()).collect();
        if range.iter().any(|step| step.left_out.is_none()) {
            return Ok(());
        }
        let reason =
            |step: &Arc<PlannedStep>| format!("`{}`: {}", step.id, step.left_out.as_deref().unwrap_or_default());
        let message = format!("`{option} {step}`: nothing is left to run");
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
