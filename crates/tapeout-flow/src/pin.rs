//! Pins: a step that is held at the result which its run shows, whatever changes, with the reason; and edited files that
//! are adopted as such a result.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{SystemTime, UNIX_EPOCH};

use tapeout_engine::{Failure, KeyHasher};
use tapeout_model::{Class, Output};
use tapeout_store::{Entry, JobRef, Pin, ShownEntry};

use crate::tree::{RunTree, edited_files};
use crate::{InRange, PlannedStep, Run};

impl Run<'_> {
    /// Holds a step at the result that this run shows.
    ///
    /// # Errors
    /// When the run shows none, or shows one that was edited, or the store cannot be written.
    pub fn pin(&mut self, step: usize, reason: &str) -> Result<(), Failure> {
        let _tree = self.claim()?;
        let planned = &self.plan.steps[step];
        let edited = edited_files(self.engine.store(), &self.dir);
        if let Some(files) = edited.get(&planned.dir) {
            let message = format!("`{}` was edited: {}", planned.id, files.join(", "));
            return Err(Failure::new(Class::Input, message)
                .hint("`--adopt` makes the edited files its result; `tapeout run` shows the recorded ones again"));
        }
        let shown = self.shown(planned)?;
        self.hold(planned.id.clone(), shown, reason)
    }

    /// Makes the edited files of a step its result and holds it there.
    ///
    /// # Errors
    /// When the run shows no result of it, nothing was edited, or the store cannot be written.
    pub fn adopt(&mut self, step: usize, reason: &str) -> Result<Vec<String>, Failure> {
        let mut tree = self.claim()?;
        let planned = &self.plan.steps[step];
        let store = self.engine.store();
        let Some(edited) = edited_files(store, &self.dir).remove(&planned.dir) else {
            let message = format!("no file of `{}` was edited", planned.id);
            return Err(Failure::new(Class::Input, message).hint("without `--adopt` it is pinned as it is"));
        };
        let shown = self.shown(planned)?;
        let Some(old) = store.entry(&shown.key, &shown.id) else { return Err(lost_pin(planned)) };
        let dir = self.dir.join(&planned.dir);
        let mut record = old.record().clone();
        let mut key = KeyHasher::new("adopted");
        key.digest(Some(&shown.key)).digest(Some(&shown.id));
        let mut adopted = Vec::new();
        for output in &mut record.outputs {
            if edited.contains(&output.path) {
                let path = dir.join(&output.path);
                let failure = |error| Failure::io(&format!("read `{}`", path.display()), &error);
                let bytes = fs::read(&path).map_err(failure)?;
                let mode = fs::metadata(&path).map_err(failure)?.permissions().mode();
                *output = Output { executable: mode & 0o111 != 0, ..store.put_bytes(&bytes, &output.path)? };
                key.text(&output.path).digest(Some(&output.digest));
                adopted.push(output.path.clone());
            }
        }
        if adopted.is_empty() {
            let message = format!("{} of `{}` is no result of it", edited.join(", "), planned.id);
            return Err(Failure::new(Class::Input, message).hint("only outputs can be adopted, not logs and scripts"));
        }
        let entry = store.commit(Entry::new(key.finish(), &[], record, old.attempt().clone()))?;
        tree.adopt(planned, &entry)?;
        self.hold(planned.id.clone(), ShownEntry { key: entry.key, id: entry.id() }, reason)?;
        Ok(adopted)
    }

    /// Lets a step go its way again. Whether it was pinned.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn unpin(&mut self, step: usize) -> Result<bool, Failure> {
        let mut tree = self.claim()?;
        let planned = &self.plan.steps[step];
        let Some(job) = self.places.get(&planned.id).map(|place| &mut self.reference.jobs[*place]) else {
            return Ok(false);
        };
        let was = job.pin.take().is_some();
        let shown = job.shown.and_then(|shown| self.engine.store().entry(&shown.key, &shown.id));
        // An adopted result is of a person's making: what shows it is kept aside when another one takes its place.
        if was && shown.is_some_and(|entry| entry.reads().next().is_none() && !entry.attempt().commands.is_empty()) {
            tree.disown(&planned.dir)?;
        }
        self.write_reference()?;
        Ok(was)
    }

    /// Keeps runs of this tag from going on meanwhile, and takes in what they have left.
    fn claim(&mut self) -> Result<RunTree, Failure> {
        let tree = RunTree::open(&self.dir)?;
        self.read_reference()?;
        Ok(tree)
    }

    fn shown(&self, step: &PlannedStep) -> Result<ShownEntry, Failure> {
        let shown = self.recorded(&step.id).and_then(|job| job.shown);
        shown.ok_or_else(|| {
            let message = format!("the run `{}` shows no result of `{}`", self.tag, step.id);
            Failure::new(Class::Input, message).hint("`tapeout run` makes one")
        })
    }

    fn hold(&mut self, name: String, shown: ShownEntry, reason: &str) -> Result<(), Failure> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let pin = Some(Pin { reason: reason.to_owned(), since });
        let job = JobRef { name, shown: Some(shown), pin, failed: None };
        match self.places.get(&job.name) {
            Some(place) => self.reference.jobs[*place] = job,
            None => {
                self.places.insert(job.name.clone(), self.reference.jobs.len());
                self.reference.jobs.push(job);
            }
        }
        self.write_reference()
    }
}

/// The failure to find a result that a step is pinned at, or held at because it stands before the range.
pub(crate) fn lost_pin(step: &PlannedStep) -> Failure {
    let lost = |held| {
        let message = format!("the result that `{}` is {held} at is not in the store any more", step.id);
        Failure::new(Class::Environment, message)
    };
    match step.in_range {
        InRange::Held => lost("held").hint(format!("`tapeout run --to {}` makes it anew", step.id)),
        InRange::Inside | InRange::Skipped | InRange::Outside => {
            lost("pinned").hint(format!("`tapeout unpin {}`, and it is made anew", step.id))
        }
    }
}
