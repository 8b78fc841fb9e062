//! Hooks: edits of what a step's tool does, and of the steps of a flow.
//!
//! A step is a session of [sections](crate::Section), each with a name. A [`Hook`] names a section of a step, of several
//! steps, or of all steps of an [action](crate::Action), and does something there: puts something before or after it, in
//! its place, or takes it out. What it puts there is a [`HookBody`], which runs while the step is prepared: it writes text
//! into the tool's script, has programs called, or, behind the whole step, changes what came out.
//!
//! ```text
//! Registry (hooks of tools and users) ┐
//! PDK (hooks of the technology)       ├─► Hooks ──Hooks::of(step)──► StepHooks (Arrangement) ──weave──► scripts that run
//! HOOKS (published ones, by name)     ┘
//! ```
//!
//! - [`arrange`]: which order that makes, and what of it runs in a part of a step. Knows names only.
//! - [`Hooks`]: all hooks of a plan; says which of them a step has, and what is wrong with them.
//! - `weave`: a session of a step with its hooks: bodies run here.
//! - `partial`: a part of a step, and the checkpoints that it goes on from.
//! - [`HookCx`]: what a body sees.
//!
//! Order: the hooks of a lower [`Layer`] apply first, so that those of a higher one can name them; within a layer, they
//! apply in the order in which they are written.

mod address;
pub mod arrange;
mod calling;
mod cx;
pub(crate) mod partial;
mod set;
mod technology;
mod text;
mod weave;

use std::fmt;
use std::sync::Arc;

use tapeout_config::Variable;
use tapeout_engine::Failure;

pub use address::{Address, Steps};
pub use cx::HookCx;
pub(crate) use cx::Made;
pub(crate) use set::{HOOK, HOOKS, no_such_step};
pub use set::{HookUse, Hooks, PlannedSection, StepHooks};
pub use technology::technology_hooks;
pub use text::TextHook;

use crate::Needs;

/// Where a hook comes from. A hook may name sections and hooks of its own layer and of lower ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// A section that the technology has beside those of the step.
    Section,
    /// The package of a technology.
    Technology,
    /// The package of a tool: what a plugin brings.
    Tool,
    /// The user.
    User,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Section => "technology section",
            Self::Technology => "technology",
            Self::Tool => "tool",
            Self::User => "user",
        })
    }
}

/// What a hook does with its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HookKind {
    /// Stands directly before it.
    Before,
    /// Stands directly after it.
    After,
    /// Takes its place.
    Replace,
    /// Takes it out.
    Remove,
    /// Runs at the start of every invocation of the tool.
    Persistent,
    /// Runs at the start of every invocation that begins at its target or before it.
    PrePersistent,
    /// Runs directly after its target; at the start of an invocation that begins behind it.
    PostPersistent,
}

impl HookKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Before,
        Self::After,
        Self::Replace,
        Self::Remove,
        Self::Persistent,
        Self::PrePersistent,
        Self::PostPersistent,
    ];

    /// The word for it in files: `before`, `post_persistent`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Replace => "replace",
            Self::Remove => "remove",
            Self::Persistent => "persistent",
            Self::PrePersistent => "pre_persistent",
            Self::PostPersistent => "post_persistent",
        }
    }
}

/// What a hook puts into its place.
#[derive(Clone)]
pub enum Puts {
    /// Nothing: it takes something out.
    Nothing,
    /// What its body makes.
    Body(Arc<dyn HookBody>),
    /// A step, by its id: it edits the list of a flow.
    Step(String),
}

/// What a hook does when it is its turn. Sections are made while their step is prepared.
pub trait HookBody: Send + Sync {
    /// What changes with what it does, such as its text or a digest of its code: all that the result depends on beside
    /// parameters of the hook and what is read through the context.
    fn code(&self) -> String;

    /// Does it. A pure function of what it reads through the context.
    ///
    /// # Errors
    /// Whatever makes it impossible: the step then fails, with the hook's name and place.
    fn run(&self, cx: &mut HookCx<'_, '_, '_>) -> Result<(), Failure>;
}

impl<F> HookBody for (&'static str, F)
where
    F: Fn(&mut HookCx<'_, '_, '_>) -> Result<(), Failure> + Send + Sync,
{
    fn code(&self) -> String {
        self.0.to_owned()
    }

    fn run(&self, cx: &mut HookCx<'_, '_, '_>) -> Result<(), Failure> {
        self.1(cx)
    }
}

/// An edit of steps.
#[derive(Clone)]
pub struct Hook {
    /// What it is called, in its step and by other hooks.
    pub name: String,
    /// What it is for.
    pub doc: String,
    /// Where it comes from.
    pub layer: Layer,
    /// Where it is written: `flow.star:12:1`.
    pub origin: String,
    /// What it does.
    pub kind: HookKind,
    /// Where.
    pub at: Address,
    /// Only in steps that use this tool.
    pub tool: Option<String>,
    /// What it puts there.
    pub puts: Puts,
    /// The package that publishes it, if it acts only where a configuration asks for `PACKAGE.NAME`.
    pub published_by: Option<String>,
    /// Its parameters, with their defaults: what a configuration may say that asks for it.
    pub parameters: Vec<Variable>,
    /// The views that it reads beside those of its steps.
    pub inputs: Vec<Needs>,
    /// Variables of its own. It may read all that the flow has.
    pub variables: Vec<Variable>,
    /// The tools that it calls beside those of its steps.
    pub tools: Vec<&'static str>,
}

impl Hook {
    /// A hook of a user's that does this there: `Hook::new("flatten_early", HookKind::Before, "Yosys.Synthesis/synth",
    /// body)`. See [`Address`] for how places are named.
    ///
    /// # Panics
    /// When the address is none.
    #[must_use]
    #[track_caller]
    pub fn new(name: &str, kind: HookKind, at: &str, puts: Puts) -> Self {
        let place = std::panic::Location::caller();
        Self {
            name: name.to_owned(),
            doc: String::new(),
            layer: Layer::User,
            origin: format!("{}:{}:{}", place.file(), place.line(), place.column()),
            kind,
            at: Address::parse(at).unwrap_or_else(|error| panic!("hook `{name}`: {error}")),
            tool: None,
            puts,
            published_by: None,
            parameters: Vec::new(),
            inputs: Vec::new(),
            variables: Vec::new(),
            tools: Vec::new(),
        }
    }

    /// A hook that puts something directly before a section, or before a step.
    #[must_use]
    #[track_caller]
    pub fn before(at: &str, name: &str, body: impl HookBody + 'static) -> Self {
        Self::new(name, HookKind::Before, at, Puts::Body(Arc::new(body)))
    }

    /// A hook that puts something directly after a section; after a step, it sees what came out and may change it.
    #[must_use]
    #[track_caller]
    pub fn after(at: &str, name: &str, body: impl HookBody + 'static) -> Self {
        Self::new(name, HookKind::After, at, Puts::Body(Arc::new(body)))
    }

    /// A hook that takes the place of a section.
    #[must_use]
    #[track_caller]
    pub fn replace(at: &str, name: &str, body: impl HookBody + 'static) -> Self {
        Self::new(name, HookKind::Replace, at, Puts::Body(Arc::new(body)))
    }

    /// A hook that takes out a section, or a step of a flow.
    #[must_use]
    #[track_caller]
    pub fn remove(at: &str) -> Self {
        Self::new("", HookKind::Remove, at, Puts::Nothing)
    }

    /// Its full name where it is published: `osu018.longer_pins`.
    #[must_use]
    pub fn full_name(&self) -> String {
        match &self.published_by {
            Some(package) => format!("{package}.{}", self.name),
            None => self.name.clone(),
        }
    }

    /// Whether it edits the list of a flow's steps, and no sections.
    #[must_use]
    pub fn is_of_flow(&self) -> bool {
        matches!(self.puts, Puts::Step(_)) || self.kind == HookKind::Remove && self.at.section.is_none()
    }

    /// How people are told of it: `` hook `fix` (pdk.toml:12:3) ``.
    #[must_use]
    pub fn words(&self) -> String {
        let what = if self.kind == HookKind::Remove { "removal of" } else { "hook" };
        let name = if self.kind == HookKind::Remove { self.at.to_string() } else { self.full_name() };
        format!("{what} `{name}` ({})", self.origin)
    }
}
