//! The domain framework: what a step, a flow and a plan are, and how a plan becomes jobs of the engine and a tree of
//! files that people can read.
//!
//! ```text
//! Config + Flow ──Plan::new──► Plan ──Run::new──► Graph of StepJobs ──Engine::run──► records ──► runs/<tag>/
//! ```
//!
//! - [`Step`]: a descriptor ([`StepInfo`]) with `prepare` (configuration and inputs → [`Session`]s, pure) and `collect`
//!   (outputs → views, metrics, alerts, verdict, pure). The engine does what lies between.
//! - [`Flow`]: a list of step ids, with gates. [`Sequence`]: such a list while it is edited. [`Registry`]: the steps,
//!   flows and tools there are. [`Vocabulary`]: steps that are known by their descriptors only, so that flows with them can
//!   be planned.
//! - [`Hook`]: an edit of what a step's tool does, or of the steps of a flow.
//! - [`InitialState`]: what is there before the first step.
//! - [`Plan`]: everything a run will do, complete and validated; all its errors are reported together.
//! - [`Pack`]: what a step's tools did, for others to do again.
//! - [`Range`]: the part of a plan that is to run; what stands before it is held at the results that the run shows.
//! - [`Run`]: one execution of a plan under a tag, and its views on disk.

mod action;
mod cast;
mod composite;
mod configure;
mod custom;
mod cx;
mod event;
mod finish;
mod flow;
mod flow_cx;
mod flow_job;
pub mod hooks;
mod initial;
mod job;
mod makers;
mod pack;
mod pattern;
mod pin;
mod plan;
pub mod project;
mod range;
mod reason;
mod recorder;
mod registry;
mod retention;
mod run;
mod sequence;
mod settings;
mod showing;
mod stage;
mod standing;
mod state_file;
mod step;
mod summary;
mod tree;
mod vocabulary;

pub use action::Action;
pub use configure::Configured;
pub use custom::{CustomFlow, FlowError};
pub use cx::{StepCx, slug};
pub use event::{EVENTS, Happened, RunEvent, StepDone, StepFailed};
pub use flow::{Flow, Gate};
pub use flow_cx::{FlowCx, FlowState};
pub use flow_job::is_ending_flow;
pub use hooks::{Hook, HookBody, HookCx, HookKind, Layer, Puts, StepHooks, TextHook};
pub use initial::InitialState;
pub use pack::{Pack, Verified, sources_of_step};
pub use pattern::{StepPattern, nearest_step};
pub use plan::{Plan, PlanError, PlannedStep, design_name, universal_variables};
pub use range::{InRange, Range};
pub use reason::Reason;
pub use recorder::recorded_events;
pub use registry::Registry;
pub use retention::{Retention, Retired};
pub use run::{Again, Ended, Run};
pub use sequence::{Change, Listed, Sequence, StepEdit};
pub use stage::{Candidate, Comparison, Placing, Stage};
pub use standing::{Standing, Stands};
pub use state_file::{check_formats, design_format, load_state};
pub use step::{Checkpoints, Completed, Needs, Script, Section, SectionInfo, Session, Step, StepInfo, StepResult};
pub use summary::{RunSummary, StepAttempt, StepStatus, StepSummary};
pub use tapeout_config::{Config, Type, Value, Variable};
pub use tapeout_engine::{Command, DepFormat, Difference, Failure, Identity, Input, Invocation, TIMED_OUT, Tool};
pub use tapeout_model::{Alert, Class, Decimal, Metric, Output, State, View};
pub use tapeout_store::Pin;
pub use tree::Edited;
pub use vocabulary::Vocabulary;
