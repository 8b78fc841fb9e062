//! Who makes what: the parts of a state that steps have said they make, and where each comes from.

use std::collections::BTreeMap;
use std::sync::Arc;

use tapeout_engine::Part;

use crate::{Needs, StepInfo};

/// For each part of a state the last step that makes it, as a `T` that grows with the order of the steps. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Makers<T>(Arc<BTreeMap<Part, T>>);

impl<T> Default for Makers<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Copy + Ord> Makers<T> {
    /// Adds what a step makes.
    pub(crate) fn add(&mut self, info: &StepInfo, maker: T) {
        let views = info.outputs.iter().map(|format| Part::View((*format).to_owned()));
        let metrics = info.measures.iter().cloned().map(Part::Metric);
        let prefixes = info.measured_prefixes.iter().map(|prefix| Part::Metrics((*prefix).to_owned()));
        self.extend(views.chain(metrics).chain(prefixes), maker);
    }

    /// Adds parts that a step makes.
    pub(crate) fn extend(&mut self, parts: impl IntoIterator<Item = Part>, maker: T) {
        Arc::make_mut(&mut self.0).extend(parts.into_iter().map(|part| (part, maker)));
    }

    /// Why a step has nothing to be about, if so.
    pub(crate) fn nothing_for(&self, info: &StepInfo) -> Option<String> {
        let subject = info.subject?;
        let made = self.0.contains_key(&Part::View(subject.to_owned()));
        (!made).then(|| format!("no step before it makes a view `{subject}`"))
    }

    /// What a step reads, as far as it is made, with who makes it; and the views that it cannot do without and nobody
    /// makes.
    pub(crate) fn inputs_of<'i>(&self, info: &'i StepInfo) -> (Vec<(Part, T)>, Vec<&'i Needs>) {
        let mut inputs = Vec::new();
        let mut missing = Vec::new();
        for needs in &info.inputs {
            let part = Part::View(needs.format.clone());
            match self.0.get(&part) {
                Some(maker) => inputs.push((part, *maker)),
                None if needs.optional => {}
                None => missing.push(needs),
            }
        }
        let exact = info.metrics.iter().cloned().map(Part::Metric);
        let metrics = exact.chain(info.metric_prefixes.iter().cloned().map(Part::Metrics));
        inputs.extend(metrics.filter_map(|part| self.of_metrics(&part).map(|maker| (part, maker))));
        (inputs, missing)
    }

    /// The last step so far that measures a metric, or some of those whose names begin alike.
    fn of_metrics(&self, wanted: &Part) -> Option<T> {
        let measures = |part: &Part| match (wanted, part) {
            (Part::Metric(wanted), Part::Metric(name)) => name == wanted,
            (Part::Metric(wanted), Part::Metrics(prefix)) => wanted.starts_with(prefix),
            (Part::Metrics(wanted), Part::Metric(name)) => name.starts_with(wanted),
            (Part::Metrics(wanted), Part::Metrics(prefix)) => prefix.starts_with(wanted) || wanted.starts_with(prefix),
            _ => false,
        };
        self.0.iter().filter(|(part, _)| measures(part)).map(|(_, maker)| *maker).max()
    }
}
