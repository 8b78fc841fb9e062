//! The context of a running job: all that its body may touch. What is read through it becomes the trace of the result.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use tapeout_model::{Attempt, Class, Digest, Metric, Output, Read, View};
use tapeout_store::{Entry, KeyHasher, hash_bytes};

use crate::{Engine, Failure, FoundTool, Job, JobId, Part, Sink};

/// What a body sees of its run.
pub struct JobCx<'run> {
    pub(crate) engine: &'run Engine,
    pub(crate) sink: Sink<'run>,
    pub(crate) id: JobId,
    pub(crate) job: &'run Job,
    pub(crate) inputs: &'run [Option<Arc<Entry>>],
    /// The place of each declared part among the inputs.
    pub(crate) parts: HashMap<&'run Part, u32>,
    pub(crate) fresh: bool,
    pub(crate) reads: Vec<Read>,
    pub(crate) noted: HashSet<Read>,
    pub(crate) attempt: Attempt,
}

impl JobCx<'_> {
    /// The project's directory: paths of sources are relative to it.
    #[must_use]
    pub fn project(&self) -> &std::path::Path {
        self.engine.project()
    }

    /// The parts of other results that the job declared as inputs.
    #[must_use]
    pub fn inputs(&self) -> Vec<Part> {
        self.job.inputs.iter().map(|(part, _)| part.clone()).collect()
    }

    /// Whether another job of the graph offers this part: which ones do is in the job's key.
    #[must_use]
    pub fn sees(&self, part: &Part) -> bool {
        self.parts.contains_key(part)
    }

    /// Keeps the log of the job as a whole, where it has several of its invocations.
    pub fn attempt_log(&mut self, log: Output) {
        self.attempt.log = Some(log);
    }

    /// The view in a format that another job made, or `None` when it made none.
    ///
    /// # Panics
    /// When the job did not declare this view as an input.
    pub fn view(&mut self, format: &str) -> Option<View<Output>> {
        let (index, entry) = self.input(&Part::View(format.to_owned()));
        let (view, digest) = find_view(entry, format);
        self.note(Read::Input { index, digest });
        view
    }

    /// A metric that another job measured, or `None` when it did not.
    ///
    /// # Panics
    /// When the job did not declare this metric as an input.
    pub fn metric(&mut self, name: &str) -> Option<Metric> {
        let (index, entry) = self.input(&Part::Metric(name.to_owned()));
        let metric = entry.record.metrics.get(name).cloned();
        self.note(Read::Input { index, digest: metric.as_ref().map(metric_digest) });
        metric
    }

    /// The place of a part among the job's inputs, and the result that it is a part of.
    fn input(&self, part: &Part) -> (u32, &Entry) {
        let Some(index) = self.parts.get(part) else {
            panic!("`{}` did not declare {part} as an input", self.job.name)
        };
        let entry = self.inputs[*index as usize].as_deref();
        (*index, entry.expect("a job starts after the jobs it has inputs from"))
    }

    /// Notes that the job reads a file of the user's and returns how to name it on a command line in the work
    /// directory.
    ///
    /// # Errors
    /// When the file is not there or cannot be read.
    pub fn source(&mut self, path: &str) -> Result<String, Failure> {
        if self.digest(path)?.is_none() {
            return Err(Failure::new(Class::Input, format!("there is no file `{path}`"))
                .hint("it was there when the configuration was read: was it moved?"));
        }
        Ok(crate::invocation::from_work_dir(path))
    }

    /// Whether there is such a file of the user's. Its content, or its absence, is a read.
    ///
    /// # Errors
    /// When it exists and cannot be read.
    pub fn exists(&mut self, path: &str) -> Result<bool, Failure> {
        Ok(self.digest(path)?.is_some())
    }

    /// The content of a file of the user's, or `None` when there is no such file. Both are reads.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn read_source(&mut self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        if self.digest(path)?.is_none() {
            return Ok(None);
        }
        let full = self.absolute(path);
        std::fs::read(&full)
            .map(Some)
            .map_err(|error| Failure::new(Class::Environment, format!("cannot read `{}`: {error}", full.display())))
    }

    /// The content of a file that came out of a job.
    ///
    /// # Errors
    /// When the store cannot give it.
    pub fn read_output(&self, output: &Output) -> Result<Vec<u8>, Failure> {
        Ok(self.engine.store().read(&output.digest)?)
    }

    /// Keeps bytes that the body made as an output of the job.
    ///
    /// # Errors
    /// When the store cannot take them.
    pub fn write_output(&self, bytes: &[u8], path: &str) -> Result<Output, Failure> {
        Ok(self.engine.store().put_bytes(bytes, path)?)
    }

    /// The path of a file that comes with a tool, given from the directory of the tool's real executable; when it is not
    /// there because the tool is wrapped, from that of the one on `PATH`.
    ///
    /// # Errors
    /// When the tool is not there.
    pub fn tool_file(&mut self, tool: &str, path: &str) -> Result<PathBuf, Failure> {
        let found = self.found_tool(tool)?;
        let beside = |executable: PathBuf| {
            let real = std::fs::canonicalize(&executable).unwrap_or(executable);
            crate::execute::without_dots(&real.with_file_name("").join(path))
        };
        let expected = beside(PathBuf::from(&found.path));
        let on_path = || self.engine.resolve(tool).map(beside).filter(|file| file.exists());
        Ok(if expected.exists() { expected } else { on_path().unwrap_or(expected) })
    }

    /// A tool, noting that it is read.
    pub(crate) fn found_tool(&mut self, name: &str) -> Result<Arc<FoundTool>, Failure> {
        let identified = self.engine.tool(name).and_then(|tool| Ok((self.engine.identity(&tool)?, tool)));
        let digest = identified.as_ref().ok().map(|(identity, _)| *identity);
        self.note(Read::Tool { name: name.to_owned(), digest });
        match identified {
            Ok((_, tool)) => Ok(tool),
            Err(problem) => Err(Failure::new(Class::Environment, problem.to_string())),
        }
    }

    pub(crate) fn digest(&mut self, path: &str) -> Result<Option<Digest>, Failure> {
        let digest = self.engine.store().file_digest(&self.absolute(path))?;
        self.note(Read::File { path: path.to_owned(), digest });
        Ok(digest)
    }

    pub(crate) fn absolute(&self, path: &str) -> PathBuf {
        self.engine.project().join(path)
    }

    pub(crate) fn note(&mut self, read: Read) {
        if self.noted.insert(read.clone()) {
            self.reads.push(read);
        }
    }
}

/// The digest of a part of a job's result, `None` when it has no such part.
pub(crate) fn part_digest(entry: &Entry, part: &Part) -> Option<Digest> {
    match part {
        Part::View(format) => find_view(entry, format).1,
        Part::Metric(name) => entry.record.metrics.get(name).map(metric_digest),
    }
}

fn metric_digest(metric: &Metric) -> Digest {
    hash_bytes(metric.to_json().to_string().as_bytes())
}

/// A view with the files in place of their paths, and its digest, which covers names and contents.
fn find_view(entry: &Entry, format: &str) -> (Option<View<Output>>, Option<Digest>) {
    let Some(view) = entry.record.views.get(format) else { return (None, None) };
    let view = view.map(&mut |path: &String| {
        entry.record.output(path).cloned().expect("a record's views name its outputs; checked when it was made")
    });
    let mut key = KeyHasher::new("view");
    for file in view.files() {
        key.text(&file.path).digest(Some(&file.digest));
    }
    let shape = view.map(&mut |_| ());
    key.text(&format!("{shape:?}"));
    (Some(view), Some(key.finish()))
}
