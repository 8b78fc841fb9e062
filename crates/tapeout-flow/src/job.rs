//! A planned step as a job of the engine.

use std::sync::Arc;

use tapeout_config::{Config, ConfigReads};
use tapeout_engine::{Cause, Failure, Identity, Input, JobBody, JobCx, KeptAttempt, KeptFile};
use tapeout_model::{Class, Output, Record, Severity, Verdict};

use crate::hooks::partial::{self, Checkpoint, PartOfStep, Woven, join};
use crate::hooks::{Made, StepHooks};
use crate::settings::{setting_names, setting_text};
use crate::{Completed, Session, Step, StepCx, StepInfo, StepResult};

/// How many of a tool's error lines are shown when it fails.
const SHOWN_WORDS: usize = 8;

pub(crate) struct StepJob {
    /// The step's id in the flow. A step that stands there many times has many results at once, which are told apart by
    /// that: a key keeps only so many.
    pub(crate) id: String,
    pub(crate) step: Arc<dyn Step>,
    pub(crate) info: Arc<StepInfo>,
    /// Restricted to the variables that the step declares.
    pub(crate) config: Config,
    /// Whether it is a result when its tools fail.
    pub(crate) keeps_failure: bool,
    pub(crate) hooks: Option<Arc<StepHooks>>,
    /// What of it is to run, where that is not all.
    pub(crate) part: Option<Arc<PartOfStep>>,
}

impl JobBody for StepJob {
    fn identify(&self, identity: &mut Identity<'_>) {
        identify_step(identity, &self.id, &self.info, self.keeps_failure);
        self.step.identify(identity);
        if let Some(hooks) = &self.hooks {
            hooks.identify(identity);
            if let Some(part) = &self.part {
                part.identify(hooks, identity);
            }
        }
    }

    fn settings(&self) -> Vec<String> {
        setting_names(&self.config)
    }

    fn setting(&self, name: &str) -> Option<String> {
        setting_text(&self.config, name)
    }

    fn run(&self, job: &mut JobCx<'_>) -> Result<Record, Failure> {
        let reads = Arc::new(ConfigReads::default());
        let config = self.config.noting(&reads);
        let mut cx = StepCx { job, info: &self.info, config: &config, config_reads: &reads };
        let mut completed = Vec::new();
        let left = match self.run_tools(&mut cx, &mut completed) {
            Ok(left) => left,
            Err(failure) => return self.as_result(&mut cx, failure),
        };
        if let Some(stopped) = &left.stopped {
            return self.stopped(&mut cx, &completed, stopped, left.clone());
        }
        let result = match self.step.collect(&mut cx, &completed) {
            Ok(result) => result,
            Err(failure) => return Err(self.with_logs(failure, &cx, &completed)),
        };
        let mut outputs = outputs_of(&completed);
        outputs.extend(result.written);
        outputs.sort_by(|a, b| a.path.cmp(&b.path));
        if let Some(pair) = outputs.windows(2).find(|pair| pair[0].path == pair[1].path) {
            let message = format!("`{}` writes `{}` twice", self.info.id, pair[0].path);
            return Err(Failure::new(Class::Internal, message));
        }
        let StepResult { views, metrics, alerts, verdict, written: _ } = result;
        let mut made = Made { outputs, views, metrics, alerts, verdict };
        if let Some(hooks) = &self.hooks
            && let Err(failure) = hooks.behind(&mut cx, &mut completed, &mut made)
        {
            return Err(self.with_logs(failure, &cx, &completed));
        }
        cx.note_config_reads();
        join(&mut made.outputs, left.kept);
        made.outputs.sort_by(|a, b| a.path.cmp(&b.path));
        let Made { outputs, views, metrics, alerts, verdict } = made;
        let unmade = views.iter().find_map(|(format, view)| {
            let path = view.files().into_iter().find(|path| !outputs.iter().any(|output| output.path == **path))?;
            Some(format!("`{}` gives `{path}` as its view `{format}`, and has made no such file", self.info.id))
        });
        if let Some(message) = unmade {
            return Err(self.with_logs(Failure::new(Class::Internal, message), &cx, &completed));
        }
        keep_log(&mut cx, &completed)?;
        let data = partial::data(&left.checkpoints, None);
        Ok(Record { outputs, views, metrics, data, statuses: statuses_of(&completed), alerts, verdict })
    }
}

/// What sessions leave beside what they are for.
#[derive(Clone, Default)]
struct Left {
    checkpoints: Vec<Checkpoint>,
    /// Files that were there before: of checkpoints, and what sections before them have written.
    kept: Vec<Output>,
    /// The last section, where that is not the end.
    stopped: Option<String>,
}

fn outputs_of(completed: &[Completed]) -> Vec<Output> {
    completed.iter().flat_map(|session| session.outputs().iter().cloned()).collect()
}

fn statuses_of(completed: &[Completed]) -> Vec<i32> {
    completed.iter().flat_map(|session| session.entry.record().statuses.iter().copied()).collect()
}

/// Keeps what the tools said as the log of the attempt.
fn keep_log(cx: &mut StepCx<'_, '_>, completed: &[Completed]) -> Result<(), Failure> {
    if completed.is_empty() {
        return Ok(());
    }
    let log: String = completed.iter().map(|session| session.log.as_str()).collect();
    let name = format!("{}.log", cx.slug());
    let log = cx.job.write_output(log.as_bytes(), &name)?;
    cx.job.attempt_log(log);
    Ok(())
}

/// The end of a log, as a tool's words where nothing in it is known to be an error.
pub(crate) fn last_words(log: &str) -> Vec<String> {
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.iter().rev().take(SHOWN_WORDS).rev().map(|line| (*line).to_owned()).collect()
}

/// What identifies a step in its place, apart from what its body tells.
pub(crate) fn identify_step(identity: &mut Identity<'_>, id: &str, info: &StepInfo, keeps_failure: bool) {
    identity.part(STEP, id).part(IMPLEMENTATION, info.implementation);
    if keeps_failure {
        // Whoever does not reckon with a failure must not find one recorded.
        identity.part(FAILURE, "a result");
    }
}

/// Why a step's tools did not come to their end.
struct Stopped {
    failure: Failure,
    /// Whether all that they read is known, although they did not come to tell.
    knows_reads: bool,
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self { failure, knows_reads: false }
    }
}

/// The names of the parts of a step's identity.
pub(crate) const STEP: &str = "(step)";
pub(crate) const IMPLEMENTATION: &str = "(implementation)";
pub(crate) const FAILURE: &str = "(failure)";

impl StepJob {
    fn run_tools(&self, cx: &mut StepCx<'_, '_>, completed: &mut Vec<Completed>) -> Result<Left, Stopped> {
        let mut left = Left::default();
        let sessions = self.step.prepare(cx)?;
        let part = self.part.as_ref().map(|part| part.of(&sessions));
        if let (Some(part), Some(hooks)) = (&part, &self.hooks)
            && part.bounds.first.is_some()
            && part.resumes(hooks).is_none()
        {
            cx.say(&format!(
                "`{}`: no checkpoint is there before it, so that the step begins at its beginning",
                part.words
            ));
        }
        for session in sessions {
            self.execute(part.as_ref(), cx, session, completed, &mut left)?;
        }
        if let (Some(part), Some(hooks)) = (part, &self.hooks) {
            left.stopped = part.stops(hooks);
        }
        if left.stopped.is_none() {
            for session in self.step.follow_up(cx, completed)? {
                self.execute(None, cx, session, completed, &mut left)?;
            }
        }
        Ok(left)
    }

    /// The result of a step that was told to stop before its end: what its tools have written so far.
    fn stopped(
        &self,
        cx: &mut StepCx<'_, '_>,
        completed: &[Completed],
        section: &str,
        left: Left,
    ) -> Result<Record, Failure> {
        cx.note_config_reads();
        let mut outputs = outputs_of(completed);
        join(&mut outputs, left.kept);
        outputs.sort_by(|a, b| a.path.cmp(&b.path));
        keep_log(cx, completed)?;
        let log: String = completed.iter().map(|session| session.log.as_str()).collect();
        Ok(Record {
            outputs,
            data: partial::data(&left.checkpoints, Some(section)),
            statuses: statuses_of(completed),
            alerts: self.step.alerts(&log),
            verdict: self.part.as_ref().map(|part| part.verdict(section)).unwrap_or_default(),
            ..Record::default()
        })
    }

    /// A failure of the tools as a result, where that was reckoned with and they would fail again.
    fn as_result(&self, cx: &mut StepCx<'_, '_>, stopped: Stopped) -> Result<Record, Failure> {
        let Stopped { failure, knows_reads } = stopped;
        let repeats = failure.class == Class::Tool && failure.cause == Some(Cause::Tool);
        let (Some(dir), Some(log), true) =
            (&failure.work_dir, &failure.log, self.keeps_failure && repeats && knows_reads)
        else {
            return Err(failure);
        };
        let read = |name: &str| std::fs::read(dir.join(name)).unwrap_or_default();
        cx.note_config_reads();
        let log = cx.job.write_output(&read(log), &format!("{}.log", cx.slug()))?;
        // With these, somebody else can have the same failure.
        let kept = KeptAttempt::read(dir).unwrap_or_default();
        let input = |file: &KeptFile| {
            let output = cx.job.write_output(&read(&file.path), &file.path)?;
            Ok(Output { executable: file.executable, ..output })
        };
        let inputs = kept.inputs.iter().map(input).collect::<Result<_, Failure>>()?;
        cx.job.attempt_failed(log, String::from_utf8_lossy(&read("COMMANDS")).into_owned(), inputs);
        let reason = match failure.words.first() {
            Some(words) => format!("{}: {words}", failure.message),
            None => failure.message,
        };
        // The directory of the attempt has said all that is kept of it.
        let _ = std::fs::remove_dir_all(dir);
        let verdict = Verdict::Broke { reason, hint: failure.hint };
        Ok(Record { alerts: failure.alerts, statuses: kept.statuses, verdict, ..Record::default() })
    }

    /// Runs a session, or what is to run of it.
    fn execute(
        &self,
        part: Option<&PartOfStep>,
        cx: &mut StepCx<'_, '_>,
        session: Session,
        completed: &mut Vec<Completed>,
        left: &mut Left,
    ) -> Result<(), Stopped> {
        let woven = match &self.hooks {
            Some(hooks) => partial::woven(hooks, part, cx, session)?,
            None => Some(partial::plain(cx, session)?),
        };
        let Some(Woven { session, checkpoints, kept, places, earlier }) = woven else { return Ok(()) };
        left.checkpoints.extend(checkpoints);
        left.kept.extend(kept);
        left.kept.extend(earlier.iter().cloned());
        let Session { scripts, mut invocation, calls: _ } = session;
        invocation.log = format!("{}.log", cx.slug());
        for script in scripts {
            if let Some(option) = script.given_by {
                if script.is_empty() {
                    continue;
                }
                if let Some(command) = invocation.commands.first_mut() {
                    command.args.extend([option.to_owned(), script.path.clone()]);
                }
            }
            let text = script.render();
            invocation.inputs.push(Input::Text { name: script.path, text });
        }
        let knows_reads = invocation.depfiles.is_empty();
        let entry = cx.noting_job().execute(&invocation);
        let entry = entry.map_err(|failure| Stopped { failure: self.explained(failure), knows_reads })?;
        let log = match &entry.attempt().log {
            Some(log) => String::from_utf8_lossy(&cx.job.read_output(log)?).into_owned(),
            None => String::new(),
        };
        completed.push(Completed { entry, log, places, earlier });
        Ok(())
    }

    /// Keeps the logs of tools that ended well, with results that the step cannot use.
    fn with_logs(&self, mut failure: Failure, cx: &StepCx<'_, '_>, completed: &[Completed]) -> Failure {
        if completed.is_empty() {
            return failure;
        }
        let name = format!("{}.log", cx.slug());
        let log: String = completed.iter().map(|session| session.log.as_str()).collect();
        let commands: String = completed.iter().map(|session| session.entry.attempt().commands.as_str()).collect();
        let entries: Vec<_> = completed.iter().map(|session| &*session.entry).collect();
        if let Ok(dir) = cx.job.keep_failed(&[(&name, &log), ("COMMANDS", &commands)], [], &entries) {
            failure.work_dir = Some(dir);
            failure.log = Some(name);
        }
        failure
    }

    /// Adds the tool's own words to its failure: its error lines, or the end of the log.
    fn explained(&self, mut failure: Failure) -> Failure {
        let (Some(dir), Some(log)) = (&failure.work_dir, &failure.log) else { return failure };
        let Ok(log) = std::fs::read(dir.join(log)) else { return failure };
        let log = String::from_utf8_lossy(&log);
        failure.alerts = self.step.alerts(&log);
        failure.words = (failure.alerts.iter())
            .filter(|alert| alert.severity == Severity::Error)
            .map(|alert| alert.message.clone())
            .take(SHOWN_WORDS)
            .collect();
        if failure.words.is_empty() {
            failure.words = last_words(&log);
        }
        // A step knows better than the engine what to do about its own time limit.
        if failure.hint.is_none() || failure.cause == Some(Cause::TimedOut) {
            failure.hint = self.step.advice(&log).or(failure.hint);
        }
        failure
    }
}
