//! What a step sees while it prepares and collects: its slice of the configuration, its inputs, the user's sources.

use std::sync::Arc;

use tapeout_config::{Config, ConfigReads};
use tapeout_engine::{Failure, JobCx, Part};
use tapeout_formats::protocol;
use tapeout_model::{Class, Metric, Metrics, Output, View};

use crate::settings::setting_name;
use crate::stage::Note;
use crate::step::unreadable;
use crate::{Completed, StepInfo, StepResult};

/// The context of a step. What is read through it is noted in the trace of the result.
pub struct StepCx<'a, 'run> {
    pub(crate) job: &'a mut JobCx<'run>,
    pub(crate) info: &'a StepInfo,
    /// The variables that the step declares. What is read of them is noted.
    pub config: &'a Config,
    /// Where that is noted until it becomes reads of the job.
    pub(crate) config_reads: &'a ConfigReads,
}

impl<'run> StepCx<'_, 'run> {
    /// Makes what was read of the configuration reads of the job.
    pub(crate) fn note_config_reads(&mut self) {
        for read in self.config_reads.take_new() {
            self.job.setting(&setting_name(read));
        }
    }

    /// The job, for a read: what was read of the configuration came before it.
    pub(crate) fn noting_job(&mut self) -> &mut JobCx<'run> {
        self.note_config_reads();
        self.job
    }

    /// The name for the step's log and scripts: its id in lower case with dashes.
    #[must_use]
    pub fn slug(&self) -> String {
        slug(self.info.id)
    }

    /// The file of a declared view, when the view is one file.
    ///
    /// # Errors
    /// When the view is missing although required, or is several files.
    pub fn view_file(&mut self, format: &str) -> Result<Output, Failure> {
        match self.view(format) {
            Some(View::File(file)) => Ok(file),
            Some(_) => {
                let message = format!("`{}` takes one file in the format `{format}`, found several", self.info.id);
                Err(Failure::new(Class::Input, message))
            }
            None => {
                let message = format!("`{}` needs a view `{format}`, and no step before it has made one", self.info.id);
                Err(Failure::new(Class::Input, message))
            }
        }
    }

    /// A declared view, if there is one.
    pub fn view(&mut self, format: &str) -> Option<View<Output>> {
        self.job.sees(&Part::View(format.to_owned())).then(|| self.noting_job().view(format)).flatten()
    }

    /// A declared metric, if there is one.
    pub fn metric(&mut self, name: &str) -> Option<Metric> {
        self.job.sees(&Part::Metric(name.to_owned())).then(|| self.noting_job().metric(name)).flatten()
    }

    /// The metrics whose names begin like this, declared with [`StepInfo::reads_metrics`]; none if no step measures
    /// such.
    pub fn metrics(&mut self, prefix: &str) -> Metrics {
        let seen = self.job.sees(&Part::Metrics(prefix.to_owned()));
        if seen { self.noting_job().metrics(prefix) } else { Metrics::new() }
    }

    /// Notes a read of a file of the user's; gives its name for a command line.
    ///
    /// # Errors
    /// When it is not there.
    pub fn source(&mut self, path: &str) -> Result<String, Failure> {
        self.noting_job().source(path)
    }

    /// Whether there is such a file of the user's. Its content, or its absence, is noted as read.
    ///
    /// # Errors
    /// When it exists and cannot be read.
    pub fn exists(&mut self, path: &str) -> Result<bool, Failure> {
        self.noting_job().exists(path)
    }

    /// The content of a file of the user's, `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_source(&mut self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.noting_job().read_source(path)
    }

    /// The text of an output of a session.
    ///
    /// # Errors
    /// When the session has no such output, or it is not UTF-8.
    pub fn text(&self, session: &Completed, path: &str) -> Result<String, Failure> {
        let output = session.output(path).ok_or_else(|| unreadable(path, "the tool has not written it"))?;
        self.output_text(output)
    }

    /// The metrics and reports that the tools of a session told by lines of their output, see
    /// [`tapeout_formats::protocol`]: the beginning of what [`crate::Step::collect`] gives, with the reports as outputs
    /// of the step.
    ///
    /// # Errors
    /// A line of the log is wrong, or a report has the path of another output.
    pub fn told(&self, session: &Completed) -> Result<StepResult, Failure> {
        let Some(log) = &session.entry.attempt().log else { return Ok(StepResult::default()) };
        let told = protocol::parse(&self.job.read_output(log)?).map_err(|error| unreadable(&log.path, error))?;
        let mut result = StepResult { metrics: told.metrics, ..StepResult::default() };
        for (path, report) in told.reports {
            if session.output(&path).is_some() {
                return Err(unreadable(&log.path, format!("the report `{path}` is also a file that the tool wrote")));
            }
            result.written.push(self.write(&path, &report)?);
        }
        Ok(result)
    }

    /// The bytes of an output of a session.
    ///
    /// # Errors
    /// When the session has no such output.
    pub fn bytes(&self, session: &Completed, path: &str) -> Result<Vec<u8>, Failure> {
        let output = session.output(path).ok_or_else(|| unreadable(path, "the tool has not written it"))?;
        self.output_bytes(output)
    }

    /// The bytes of an output.
    ///
    /// # Errors
    /// When the store cannot give them.
    pub fn output_bytes(&self, output: &Output) -> Result<Vec<u8>, Failure> {
        self.job.read_output(output)
    }

    /// The text of an output.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn output_text(&self, output: &Output) -> Result<String, Failure> {
        String::from_utf8(self.job.read_output(output)?).map_err(|error| unreadable(&output.path, error))
    }

    /// Keeps bytes that the step itself made as an output, under a path in its directory.
    ///
    /// # Errors
    /// When the store cannot take them.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<Output, Failure> {
        self.job.write_output(bytes, path)
    }

    /// Says something to whoever watches. It is no part of the result: a step whose result is recorded says nothing.
    pub fn say(&self, text: &str) {
        self.job.tell(Arc::new(Note::Message(text.to_owned())));
    }

    /// The absolute path of a file that comes with a tool, from the directory of the tool's real executable.
    ///
    /// # Errors
    /// When the tool is not there.
    pub fn tool_file(&mut self, tool: &str, path: &str) -> Result<String, Failure> {
        Ok(self.noting_job().tool_file(tool, path)?.to_string_lossy().into_owned())
    }

    /// Makes a parser's error a failure of the tool that wrote the file.
    #[must_use]
    pub fn unreadable(&self, path: &str, reason: impl std::fmt::Display) -> Failure {
        unreadable(path, reason)
    }
}

/// An id as part of a file name: lower case, and one dash for what is between letters, digits and `_`.
#[must_use]
pub fn slug(id: &str) -> String {
    let mut slug = String::with_capacity(id.len());
    for c in id.chars() {
        if c.is_alphanumeric() || c == '_' {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug
}
