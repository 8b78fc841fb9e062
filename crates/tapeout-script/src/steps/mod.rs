//! Steps, flows and hooks whose functions are those of scripts: from what files declare to what a registry takes.

mod flow;
mod function;
mod hook;
mod made;
mod register;
mod step;

pub(crate) use function::Function;
pub(crate) use made::{Made, made};
pub(crate) use register::register;
pub(crate) use step::StepFacts;
