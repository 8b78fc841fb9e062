//! Flows: which steps, in which order.

/// A sequential flow. Each step sees what the steps before it made; steps that need nothing of each other may run at the
/// same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The name by which `meta.flow` and `--flow` ask for it.
    pub name: String,
    /// What it does, for the reference.
    pub doc: String,
    /// The ids of its steps in order.
    pub steps: Vec<String>,
}

impl Flow {
    /// A flow of these steps.
    #[must_use]
    pub fn new(name: &str, doc: &str, steps: &[&str]) -> Self {
        let steps = steps.iter().map(|step| (*step).to_owned()).collect();
        Self { name: name.to_owned(), doc: doc.to_owned(), steps }
    }
}
