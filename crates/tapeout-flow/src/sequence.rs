//! The list of a flow's steps and its edits: each step with an id that no other has, and edits that find steps by these
//! ids. Owns how an edit is written in a configuration and what it does to the list; which layer an edit comes from, and
//! what the steps are, is for others.

use std::collections::BTreeMap;

use tapeout_config::{Diagnostic, Node, Span, Tree};

use crate::{HookKind, StepPattern, nearest_step};

/// A step in its place in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The id of the step itself.
    pub step: String,
    /// Its id in the list: that of the step, with `-1`, `-2`, … where a step stands there again.
    pub id: String,
    /// The edit that brought it there; nothing for a step of the flow's own, and for one that a hook brought.
    pub edit: Option<Span>,
    /// The hook that did, in words.
    pub hook: Option<String>,
    /// When it runs in a part of the flow, where it is there for that.
    pub persistent: Option<Persistent>,
}

/// When a step runs in a part of a flow that may leave it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Persistent {
    /// In every part.
    Always,
    /// In a part that begins with one of these steps, or before.
    Before(StepPattern),
    /// In a part that begins behind it, too.
    After,
}

/// The steps of a flow in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    steps: Vec<Listed>,
}

/// What an edit does with the steps that it finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Each gives its place to this step.
    Replace(String),
    /// This step is put before each.
    Before(String),
    /// This step is put after each.
    After(String),
    /// Each is taken out.
    Remove,
}

/// An edit of a list of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepEdit {
    /// A pattern over the ids that the list has when it is the edit's turn.
    pub target: String,
    /// What is done.
    pub change: Change,
    /// Where the edit is written.
    pub place: Span,
    /// Where the step is written that it brings.
    pub step_place: Span,
}

impl Listed {
    fn new(step: &str) -> Self {
        Self { step: step.to_owned(), id: String::new(), edit: None, hook: None, persistent: None }
    }
}

impl Sequence {
    /// These steps, by their own ids.
    #[must_use]
    pub fn new<'a>(steps: impl IntoIterator<Item = &'a str>) -> Self {
        let listed = |step: &str| Listed::new(step);
        let mut sequence = Self { steps: steps.into_iter().map(listed).collect() };
        sequence.number();
        sequence
    }

    /// A list that was edited before.
    pub(crate) fn of(steps: Vec<Listed>) -> Self {
        let mut sequence = Self { steps };
        sequence.number();
        sequence
    }

    /// The steps in order.
    #[must_use]
    pub fn steps(&self) -> &[Listed] {
        &self.steps
    }

    /// The ids in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|listed| listed.id.as_str())
    }

    /// Makes an edit. All steps that it finds are those that were there before it; then the ids are given anew, so that
    /// `Step-1` is always what is the second such step by then.
    ///
    /// # Errors
    /// The target is not a pattern, or no id matches it.
    pub fn edit(&mut self, edit: &StepEdit) -> Result<(), Diagnostic> {
        let wrong = |message| Diagnostic::error(message).at(edit.place, "not a pattern");
        let pattern = StepPattern::new(&edit.target).map_err(wrong)?;
        if !self.ids().any(|id| pattern.matches(id)) {
            return Err(self.not_found(edit));
        }
        let brought = |step: &String| Listed { edit: Some(edit.place), ..Listed::new(step) };
        let change = |listed: Listed| match &edit.change {
            _ if !pattern.matches(&listed.id) => [Some(listed), None],
            Change::Replace(step) => [Some(brought(step)), None],
            Change::Before(step) => [Some(brought(step)), Some(listed)],
            Change::After(step) => [Some(listed), Some(brought(step))],
            Change::Remove => [None, None],
        };
        self.steps = std::mem::take(&mut self.steps).into_iter().flat_map(change).flatten().collect();
        self.number();
        Ok(())
    }

    /// Lets a hook put this step where it says, or take out what it names. Nothing happens where no id matches.
    pub(crate) fn hook(&mut self, kind: HookKind, pattern: &StepPattern, step: Option<&str>, words: &str) {
        if !self.ids().any(|id| pattern.matches(id)) {
            return;
        }
        let brought =
            |persistent| step.map(|step| Listed { hook: Some(words.to_owned()), persistent, ..Listed::new(step) });
        let change = |listed: Listed| match kind {
            _ if !pattern.matches(&listed.id) => [Some(listed), None],
            HookKind::Replace => [brought(None), None],
            HookKind::Before => [brought(None), Some(listed)],
            HookKind::After => [Some(listed), brought(None)],
            HookKind::PostPersistent => [Some(listed), brought(Some(Persistent::After))],
            HookKind::Remove => [None, None],
            HookKind::Persistent | HookKind::PrePersistent => [Some(listed), None],
        };
        let steps = std::mem::take(&mut self.steps).into_iter().flat_map(change).flatten().collect();
        self.steps = steps;
        let starts = match kind {
            HookKind::Persistent => Some(Persistent::Always),
            HookKind::PrePersistent => Some(Persistent::Before(pattern.clone())),
            _ => None,
        };
        if let Some(listed) = starts.and_then(|persistent| brought(Some(persistent))) {
            // Behind those that were put at the start before it.
            let is_at_start =
                |listed: &Listed| matches!(listed.persistent, Some(Persistent::Always | Persistent::Before(_)));
            let at = self.steps.iter().take_while(|listed| is_at_start(listed)).count();
            self.steps.insert(at, listed);
        }
        self.number();
    }

    pub(crate) fn not_found(&self, edit: &StepEdit) -> Diagnostic {
        let error = Diagnostic::error(format!("the flow has no step `{}`", edit.target)).at(edit.place, "no such step");
        match nearest_step(&edit.target, self.ids()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None if self.steps.is_empty() => error.help("by then it has no steps at all"),
            None => error.help(format!("by then it has `{}`", self.ids().collect::<Vec<_>>().join("`, `"))),
        }
    }

    fn number(&mut self) {
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        for listed in &mut self.steps {
            let times = seen.entry(listed.step.to_lowercase()).or_default();
            listed.id = if *times == 0 { listed.step.clone() } else { format!("{}-{times}", listed.step) };
            *times += 1;
        }
    }
}

impl StepEdit {
    /// The edits of `meta.substituting_steps`: a map, or a list of pairs, in which a key may stand several times.
    ///
    /// # Errors
    /// All that is wrong with how they are written.
    pub fn read(node: &Node) -> Result<Vec<Self>, Vec<Diagnostic>> {
        let read: Vec<Result<Self, Diagnostic>> = match &node.value {
            Tree::Map(entries) => entries.iter().map(|(key, to)| Self::one(&key.name, key.span, to)).collect(),
            Tree::List(items) => items.iter().map(Self::pair).collect(),
            _ => vec![Err(not_edits(node, node.span))],
        };
        let (edits, errors): (Vec<_>, Vec<_>) = read.into_iter().partition(Result::is_ok);
        if errors.is_empty() {
            Ok(edits.into_iter().flatten().collect())
        } else {
            Err(errors.into_iter().filter_map(Result::err).collect())
        }
    }

    fn pair(node: &Node) -> Result<Self, Diagnostic> {
        match &node.value {
            Tree::List(pair) => match pair.as_slice() {
                [Node { value: Tree::Str(target), span }, to] => Self::one(target, *span, to),
                _ => Err(not_edits(node, node.span)),
            },
            _ => Err(not_edits(node, node.span)),
        }
    }

    fn one(key: &str, place: Span, to: &Node) -> Result<Self, Diagnostic> {
        let (make, target): (fn(String) -> Change, &str) = match (key.strip_prefix('+'), key.strip_prefix('-')) {
            (Some(target), _) => (Change::After, target),
            (_, Some(target)) => (Change::Before, target),
            (None, None) => (Change::Replace, key),
        };
        let change = match &to.value {
            Tree::Str(step) => make(step.clone()),
            Tree::Null if target == key => Change::Remove,
            Tree::Null => {
                let message = format!("`{key}` puts a step beside `{target}`, and none is given");
                return Err(Diagnostic::error(message)
                    .at(to.span, "expected the id of a step")
                    .help(format!("`{target}: null` takes `{target}` out")));
            }
            _ => {
                let message = format!("what takes the place of `{target}` must be the id of a step, not {}", to.kind());
                return Err(Diagnostic::error(message).at(to.span, "expected the id of a step, or null"));
            }
        };
        Ok(Self { target: target.to_owned(), change, place, step_place: to.span })
    }

    /// The step that it brings.
    #[must_use]
    pub fn brings(&self) -> Option<&str> {
        match &self.change {
            Change::Replace(step) | Change::Before(step) | Change::After(step) => Some(step),
            Change::Remove => None,
        }
    }

    /// The same with the id of the step that it brings written as the step itself writes it.
    pub(crate) fn bringing(mut self, id: &str) -> Self {
        if let Change::Replace(step) | Change::Before(step) | Change::After(step) = &mut self.change {
            id.clone_into(step);
        }
        self
    }
}

fn not_edits(node: &Node, span: Span) -> Diagnostic {
    let message =
        format!("`meta.substituting_steps` must be a map of steps, or a list of pairs of such, not {}", node.kind());
    Diagnostic::error(message)
        .at(span, "expected `STEP: STEP` or `[STEP, STEP]`")
        .help("`A: B` replaces A, `+A: B` puts B after A, `-A: B` before it, `A: null` takes A out")
}

#[cfg(test)]
mod tests {
    use tapeout_config::SourceMap;

    use super::*;

    /// The key of an edit, and the step that it brings.
    type Edit<'a> = (&'a str, Option<&'a str>);

    fn place() -> Span {
        Span::new(SourceMap::new().add("config.yaml", ""), 0, 0)
    }

    fn edited(steps: &[&str], edits: &[Edit<'_>]) -> Result<Vec<String>, String> {
        let mut sequence = Sequence::new(steps.iter().copied());
        for (key, to) in edits {
            let to = to.map_or(Tree::Null, |step| Tree::Str(step.to_owned()));
            let edit = StepEdit::one(key, place(), &Node { value: to, span: place() }).map_err(|e| e.message)?;
            sequence.edit(&edit).map_err(|error| format!("{}; {}", error.message, error.help.unwrap_or_default()))?;
        }
        Ok(sequence.ids().map(str::to_owned).collect())
    }

    #[test]
    fn edits_find_what_is_there_when_it_is_their_turn() {
        let cases: [(&[&str], &[Edit<'_>], &[&str]); 9] = [
            (&["A", "A", "A"], &[], &["A", "A-1", "A-2"]),
            (&["A", "B", "A"], &[("A*", Some("D"))], &["D", "B", "D-1"]),
            (&["A", "B", "A"], &[("+A*", Some("D"))], &["A", "D", "B", "A-1", "D-1"]),
            (&["A", "B", "A"], &[("-a*", Some("A"))], &["A", "A-1", "B", "A-2", "A-3"]),
            (&["A", "B", "A"], &[("A", None)], &["B", "A"]),
            (&["A", "B", "A"], &[("A", None), ("A", None)], &["B"]),
            (&["A", "A", "A"], &[("A", Some("C")), ("A-1", Some("D"))], &["C", "A", "D"]),
            (&["A"], &[("+A", Some("B")), ("+B", Some("C"))], &["A", "B", "C"]),
            (&["A", "B"], &[("*", None)], &[]),
        ];
        for (steps, edits, ids) in cases {
            assert_eq!(edited(steps, edits).unwrap(), ids, "{steps:?} {edits:?}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let error = |edits: &[Edit<'_>]| edited(&["Test.Synth", "Test.Place"], edits).unwrap_err();
        assert_eq!(
            error(&[("Test.Plaice", Some("X"))]),
            "the flow has no step `Test.Plaice`; did you mean `Test.Place`?"
        );
        assert_eq!(
            error(&[("*.Place", None), ("Q", Some("X"))]),
            "the flow has no step `Q`; by then it has `Test.Synth`"
        );
        assert_eq!(error(&[("*", None), ("Q", None)]), "the flow has no step `Q`; by then it has no steps at all");
        assert_eq!(error(&[("+A", None)]), "`+A` puts a step beside `A`, and none is given");
        assert!(error(&[("[", None)]).starts_with("`[` is not a pattern"));
    }
}
