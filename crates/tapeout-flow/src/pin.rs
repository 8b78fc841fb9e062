//! Pins: a step that is held at the result which its run shows, whatever changes, with the reason; and edited files that
//! are adopted as such a result.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{SystemTime, UNIX_EPOCH};

use tapeout_engine::{Failure, KeyHasher};
use tapeout_model::{Class, Output};
use tapeout_store::{Entry, JobRef, Pin, ShownEntry};

use crate::Run;
use crate::tree::{RunTree, edited_files};

impl Run<'_> {
    /// Holds a step at the result that this run shows.
    ///
    /// # Errors
    /// When the run shows none, or shows one that was edited, or the store cannot be written.
    pub fn pin(&mut self, step: &str, reason: &str) -> Result<(), Failure> {
        let _tree = self.claim()?;
        let edited = edited_files(self.engine.store(), &self.dir);
        if let Some(files) = self.dir_of(step).and_then(|dir| edited.get(dir)) {
            let message = format!("`{step}` was edited: {}", files.join(", "));
            return Err(Failure::new(Class::Input, message)
                .hint("`--adopt` makes the edited files its result; `tapeout run` shows the recorded ones again"));
        }
        let shown = self.shown(step)?;
        self.hold(step.to_owned(), shown, reason)
    }

    /// Makes the edited files of a step its result and holds it there.
    ///
    /// # Errors
    /// When the run shows no result of it, nothing was edited, or the store cannot be written.
    pub fn adopt(&mut self, step: &str, reason: &str) -> Result<Vec<String>, Failure> {
        let mut tree = self.claim()?;
        let shown_in = self.dir_of(step).unwrap_or_default().to_owned();
        let store = self.engine.store();
        let Some(edited) = edited_files(store, &self.dir).remove(&shown_in) else {
            let message = format!("no file of `{step}` was edited");
            return Err(Failure::new(Class::Input, message).hint("without `--adopt` it is pinned as it is"));
        };
        let shown = self.shown(step)?;
        let Some(old) = store.entry(&shown.key, &shown.id) else { return Err(lost_pin(step)) };
        let dir = self.dir.join(&shown_in);
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
            let message = format!("{} of `{}` is no result of it", edited.join(", "), step);
            return Err(Failure::new(Class::Input, message).hint("only outputs can be adopted, not logs and scripts"));
        }
        let entry = store.commit(Entry::new(key.finish(), &[], record, old.attempt().clone()))?;
        tree.adopt(&shown_in, &entry)?;
        self.hold(step.to_owned(), ShownEntry { key: entry.key, id: entry.id() }, reason)?;
        Ok(adopted)
    }

    /// Lets a step go its way again. Whether it was pinned.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn unpin(&mut self, step: &str) -> Result<bool, Failure> {
        let mut tree = self.claim()?;
        let dir = self.dir_of(step).map(str::to_owned);
        let Some(job) = self.places.get(step).map(|place| &mut self.reference.jobs[*place]) else { return Ok(false) };
        let was = job.pin.take().is_some();
        let shown = job.shown.and_then(|shown| self.engine.store().entry(&shown.key, &shown.id));
        // An adopted result is of a person's making: what shows it is kept aside when another one takes its place.
        let is_adopted =
            shown.is_some_and(|entry| entry.reads().next().is_none() && !entry.attempt().commands.is_empty());
        if let Some(dir) = dir.filter(|_| was && is_adopted) {
            tree.disown(&dir)?;
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

    /// Where the run shows a step: by its plan; of a program, as the last run did.
    fn dir_of(&self, step: &str) -> Option<&str> {
        let planned = self.plan.steps.iter().find(|planned| planned.id == step).map(|planned| planned.dir.as_str());
        let mut last = self.last.iter().flat_map(|last| &last.steps);
        planned.or_else(|| Some(last.find(|last| last.id == step)?.dir.as_str()))
    }

    fn shown(&self, step: &str) -> Result<ShownEntry, Failure> {
        let shown = self.recorded(step).and_then(|job| job.shown);
        shown.ok_or_else(|| {
            let message = format!("the run `{}` shows no result of `{step}`", self.tag);
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

/// The failure to find a result that a step is pinned at.
pub(crate) fn lost_pin(step: &str) -> Failure {
    lost(step, "pinned").hint(format!("`tapeout unpin {step}`, and it is made anew"))
}

/// The failure to find a result that a step is held at because it stands before the range.
pub(crate) fn lost_held(step: &str) -> Failure {
    lost(step, "held").hint(format!("`tapeout run --to {step}` makes it anew"))
}

fn lost(step: &str, held: &str) -> Failure {
    let message = format!("the result that `{step}` is {held} at is not in the store any more");
    Failure::new(Class::Environment, message)
}
