//! Flows: which steps, in which order.

use tapeout_model::Value;

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
    /// Values that it gives to variables where nobody else does, such as those of its technology.
    pub defaults: Vec<(String, Value)>,
}

impl Flow {
    /// A flow of these steps.
    #[must_use]
    pub fn new(name: &str, doc: &str, steps: &[&str]) -> Self {
        let steps = steps.iter().map(|step| (*step).to_owned()).collect();
        Self { name: name.to_owned(), doc: doc.to_owned(), steps, defaults: Vec::new() }
    }

    /// Gives a variable another default than its own.
    #[must_use]
    pub fn default(mut self, variable: &str, value: impl Into<Value>) -> Self {
        self.defaults.push((variable.to_owned(), value.into()));
        self
    }
}
