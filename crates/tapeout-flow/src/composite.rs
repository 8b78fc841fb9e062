//! Composite steps: steps that consist of others, one after the other, and count as one in a flow. The parts are jobs of
//! their own, so that a change runs only what it concerns; their files are in numbered subdirectories of the step's.

use std::sync::Arc;

use tapeout_config::{Config, ConfigReads};
use tapeout_engine::{Claims, Failure, Identity, Job, JobBody, JobCx};
use tapeout_model::{Class, Output, Read, Record, Verdict};
use tapeout_store::Entry;

use crate::cx::slug;
use crate::job::{IMPLEMENTATION, StepJob, identify_step};
use crate::makers::Makers;
use crate::registry::Registered;
use crate::settings::{setting_name, setting_names, setting_text};
use crate::{Completed, Session, Step, StepCx, StepInfo, StepResult};

/// A step made of others: what it says of itself follows from theirs.
pub(crate) struct Composite {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) parts: Vec<Registered>,
}

impl Step for Composite {
    fn info(&self) -> StepInfo {
        let mut info = StepInfo::new(self.id, self.name, self.doc, env!("CARGO_PKG_VERSION"));
        let mut makers = Makers::default();
        // A check that stops the step must stop the flow, too.
        let mut defers = true;
        for Registered { info: part, .. } in &self.parts {
            let (made, missing) = makers.inputs_of(part);
            let outside = |format: &str| missing.iter().any(|needs| needs.format == format);
            let inputs = part.inputs.iter().filter(|needs| needs.optional || outside(&needs.format));
            for needs in inputs {
                match info.inputs.iter_mut().find(|known| known.format == needs.format) {
                    Some(known) => known.optional &= needs.optional,
                    None => info.inputs.push(needs.clone()),
                }
            }
            let measured = |name: &String| made.iter().any(|(made, ())| made.name() == name);
            add_new(&mut info.metrics, part.metrics.iter().filter(|name| !measured(name)));
            add_new(&mut info.metric_prefixes, part.metric_prefixes.iter().filter(|name| !measured(name)));
            add_new(&mut info.outputs, &part.outputs);
            add_new(&mut info.measures, &part.measures);
            add_new(&mut info.measured_prefixes, &part.measured_prefixes);
            add_new(&mut info.tools, &part.tools);
            add_new(&mut info.yields, &part.yields);
            for variable in &part.variables {
                if !info.variables.iter().any(|known| known.name == variable.name) {
                    info.variables.push(variable.clone());
                }
            }
            defers &= part.defers_check;
            info.acts_outside |= part.acts_outside;
            // It can run only when all of them can.
            info.vocabulary = info.vocabulary.or(part.vocabulary);
            makers.add(part, ());
        }
        info.defers_check = defers && !self.parts.is_empty();
        info
    }

    fn nothing_to_do(&self, config: &Config) -> Option<String> {
        let reasons: Option<Vec<String>> = self.parts.iter().map(|part| part.step.nothing_to_do(config)).collect();
        reasons?.into_iter().next()
    }

    fn tools(&self, config: &Config) -> Vec<&'static str> {
        self.parts.iter().flat_map(|part| part.tools(config)).collect()
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        self.parts.iter().try_for_each(|part| part.step.check(config))
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        unreachable!("the parts of a composite step run, and not it")
    }

    fn collect(&self, _: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        unreachable!("the parts of a composite step run, and not it")
    }
}

fn add_new<'a, T: Clone + PartialEq + 'a>(known: &mut Vec<T>, new: impl IntoIterator<Item = &'a T>) {
    for item in new {
        if !known.contains(item) {
            known.push(item.clone());
        }
    }
}

/// A composite step as a job: asks for its parts.
pub(crate) struct CompositeJob {
    pub(crate) id: String,
    pub(crate) info: Arc<StepInfo>,
    pub(crate) parts: Vec<Registered>,
    pub(crate) config: Config,
    pub(crate) keeps_failure: bool,
    /// What each part needs while it runs.
    pub(crate) claims: Claims,
}

impl JobBody for CompositeJob {
    fn identify(&self, identity: &mut Identity<'_>) {
        identify_step(identity, &self.id, &self.info, self.keeps_failure);
        // A part is asked for by its own key, which a recorded result of the whole knows only as it was.
        for part in &self.parts {
            identity.part("(part)", part.info.id).part(IMPLEMENTATION, part.info.implementation);
            part.step.identify(identity);
            if let Some(hooks) = &part.hooks {
                hooks.identify(identity);
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
        let mut makers = Makers::default();
        for (part, from) in job.input_jobs() {
            makers.extend([part.clone()], *from);
        }
        let mut record = Record::default();
        let mut log = Vec::new();
        for (number, part) in (1..).zip(&self.parts) {
            let is_idle = part.step.nothing_to_do(&config).is_some();
            for read in reads.take_new() {
                job.setting(&setting_name(read));
            }
            if is_idle {
                continue;
            }
            let dir = format!("{number}-{}", slug(part.info.id));
            let id = job.start(self.part_job(&dir, part, &makers)?)?;
            let entry = job.wait(id).map_err(|failure| of_part(part, failure))?;
            for read in entry.reads() {
                if let Read::Setting { name, .. } = read {
                    job.setting(&name);
                }
            }
            job.attempt_of_part(&entry, &dir);
            if let Some(own) = &entry.attempt().log {
                log.extend(job.read_output(own)?);
            }
            makers.add(&part.info, id);
            take(&mut record, &entry, &dir);
            if entry.is_bad() && !part.info.defers_check {
                break;
            }
        }
        if !log.is_empty() {
            job.attempt_log(job.write_output(&log, &format!("{}.log", slug(self.info.id)))?);
        }
        record.outputs.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(record)
    }
}

impl CompositeJob {
    fn part_job(&self, dir: &str, part: &Registered, makers: &Makers<tapeout_engine::JobId>) -> Result<Job, Failure> {
        let (inputs, missing) = makers.inputs_of(&part.info);
        if let Some(needs) = missing.first() {
            let message = format!(
                "`{}` in `{}` needs a view `{}`, and nothing before it has made one",
                part.info.id, self.id, needs.format
            );
            return Err(Failure::new(Class::Input, message));
        }
        let names: Vec<&str> = part.info.variables.iter().map(|variable| variable.name.as_ref()).collect();
        let body = StepJob {
            id: format!("{}/{dir}", self.id),
            step: Arc::clone(&part.step),
            info: Arc::clone(&part.info),
            config: if part.is_hooked() { self.config.clone() } else { self.config.restricted_to(&names) },
            keeps_failure: self.keeps_failure,
            hooks: part.hooks.clone(),
            part: None,
        };
        Ok(Job {
            inputs,
            defers_check: part.info.defers_check,
            always: part.info.acts_outside,
            claims: self.claims.clone(),
            ..Job::new(format!("{}/{dir}", self.id), Arc::new(body))
        })
    }
}

/// Adds what came out of a part.
fn take(record: &mut Record, entry: &Entry, dir: &str) {
    let part = entry.record();
    let inside = |path: &String| format!("{dir}/{path}");
    record.outputs.extend(part.outputs.iter().map(|output| Output { path: inside(&output.path), ..output.clone() }));
    record.views.extend(part.views.iter().map(|(format, view)| (format.clone(), view.map(&mut |path| inside(path)))));
    record.metrics.extend(part.metrics.iter().map(|(name, metric)| (name.clone(), metric.clone())));
    record.statuses.extend(&part.statuses);
    record.alerts.extend(part.alerts.iter().cloned());
    // The first complaint stands; what could not be checked does not hide behind what passed.
    if !record.verdict.is_bad() && part.verdict != Verdict::Passed {
        record.verdict = part.verdict.clone();
    }
}

fn of_part(part: &Registered, failure: Failure) -> Failure {
    Failure { message: format!("{}: {}", part.info.id, failure.message), ..failure }
}
