//! Projects in Rust, in which what tasks require are values: a wrong name, or a result of another kind than the task takes,
//! does not compile. Owns how functions and structs become tasks and results; what these are is told a level above.

mod blueprint;
mod datum;
mod needs;
mod result;

pub use blueprint::{BlockDraft, BlockRef, Blueprint, TaskDraft};
pub use datum::{Datum, Mismatch};
pub use needs::{Needs, Target, TargetAttribute};
pub use result::{Attribute, Attributes, Shape, TaskResult};
