//! What a hook may ask for and do: its context, as far as the language shows it.

use tapeout_flow::{Alert, Failure, HookCx, Input, Metric, Output, View};

use super::step_ctx::StepOps;

/// A trait, as a context of the flow crate has lifetimes that an evaluator cannot carry.
pub(crate) trait HookOps {
    fn step(&mut self) -> &mut (dyn StepOps + '_);
    fn is_behind(&self) -> bool;
    fn script(&self) -> Result<String, Failure>;
    fn append(&mut self, text: &str) -> Result<(), Failure>;
    fn add_args(&mut self, args: Vec<String>) -> Result<(), Failure>;
    fn run(&mut self, words: Vec<String>) -> Result<(), Failure>;
    fn run_on(&mut self, words: Vec<String>, inputs: Vec<Input>, outputs: &[String]) -> Result<Vec<Output>, Failure>;
    fn add_input(&mut self, input: Input) -> Result<(), Failure>;
    fn output(&mut self, path: &str) -> Result<(), Failure>;
    fn made_view(&self, format: &str) -> Result<Option<View<Output>>, Failure>;
    fn made_files(&self) -> Result<Vec<Output>, Failure>;
    fn made_metric(&self, name: &str) -> Result<Option<Metric>, Failure>;
    fn write(&mut self, path: &str, text: &str) -> Result<Output, Failure>;
    fn keep(&mut self, file: Output) -> Result<(), Failure>;
    fn set_view(&mut self, format: &str, file: Output) -> Result<(), Failure>;
    fn set_metric(&mut self, name: &str, value: Metric) -> Result<(), Failure>;
    fn alert(&mut self, alert: Alert) -> Result<(), Failure>;
    fn fail_check(&mut self, reason: &str) -> Result<(), Failure>;
}

impl HookOps for HookCx<'_, '_, '_> {
    fn step(&mut self) -> &mut (dyn StepOps + '_) {
        &mut *self.step
    }

    fn is_behind(&self) -> bool {
        self.is_behind()
    }

    fn script(&self) -> Result<String, Failure> {
        self.script()
    }

    fn append(&mut self, text: &str) -> Result<(), Failure> {
        self.append(text)
    }

    fn add_args(&mut self, args: Vec<String>) -> Result<(), Failure> {
        self.add_args(args)
    }

    fn run(&mut self, words: Vec<String>) -> Result<(), Failure> {
        self.run(words)
    }

    fn run_on(&mut self, words: Vec<String>, inputs: Vec<Input>, outputs: &[String]) -> Result<Vec<Output>, Failure> {
        let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
        self.run_on(words, inputs, &outputs)
    }

    fn add_input(&mut self, input: Input) -> Result<(), Failure> {
        self.add_input(input)
    }

    fn output(&mut self, path: &str) -> Result<(), Failure> {
        self.output(path)
    }

    fn made_view(&self, format: &str) -> Result<Option<View<Output>>, Failure> {
        self.made_view(format)
    }

    fn made_files(&self) -> Result<Vec<Output>, Failure> {
        Ok(self.made_outputs()?.to_vec())
    }

    fn made_metric(&self, name: &str) -> Result<Option<Metric>, Failure> {
        Ok(self.made_metric(name)?.cloned())
    }

    fn write(&mut self, path: &str, text: &str) -> Result<Output, Failure> {
        self.write(path, text.as_bytes())
    }

    fn keep(&mut self, file: Output) -> Result<(), Failure> {
        self.keep(file)
    }

    fn set_view(&mut self, format: &str, file: Output) -> Result<(), Failure> {
        self.set_view(format, file)
    }

    fn set_metric(&mut self, name: &str, value: Metric) -> Result<(), Failure> {
        self.set_metric(name, value)
    }

    fn alert(&mut self, alert: Alert) -> Result<(), Failure> {
        self.alert(alert)
    }

    fn fail_check(&mut self, reason: &str) -> Result<(), Failure> {
        self.fail_check(reason)
    }
}
