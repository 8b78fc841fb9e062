//! The registry: the steps, flows, vocabularies, hooks and tools there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use tapeout_config::Config;
use tapeout_engine::Tool;

use crate::composite::Composite;
use crate::hooks::{Hook, StepHooks};
use crate::vocabulary::Described;
use crate::{CustomFlow, Flow, Step, StepInfo, Vocabulary};

/// A step with its descriptor.
#[derive(Clone)]
pub(crate) struct Registered {
    pub(crate) step: Arc<dyn Step>,
    pub(crate) info: Arc<StepInfo>,
    /// The steps that it consists of, if it is a composite one.
    pub(crate) parts: Vec<Registered>,
    /// Its hooks, in a plan.
    pub(crate) hooks: Option<Arc<StepHooks>>,
}

impl Registered {
    pub(crate) fn new(step: impl Step + 'static) -> Self {
        let info = Arc::new(step.info());
        Self { step: Arc::new(step), info, parts: Vec::new(), hooks: None }
    }

    /// The tools that it and its hooks call with this configuration.
    pub(crate) fn tools(&self, config: &Config) -> Vec<&'static str> {
        let mut tools = self.step.tools(config);
        tools.extend(self.hooks.iter().flat_map(|hooks| hooks.tools()));
        tools
    }

    /// Whether it, or a part of it, has hooks.
    pub(crate) fn is_hooked(&self) -> bool {
        self.hooks.is_some() || self.parts.iter().any(Self::is_hooked)
    }

    /// Its hooks, or those of its parts, each with the id of the step that has them.
    pub(crate) fn hooked(&self) -> Vec<(&str, &StepHooks)> {
        let own = self.hooks.iter().map(|hooks| (self.info.id, &**hooks));
        own.chain(self.parts.iter().flat_map(Self::hooked)).collect()
    }
}

/// What plans are made of. Names are found regardless of case.
#[derive(Clone, Default)]
pub struct Registry {
    steps: BTreeMap<String, Registered>,
    flows: BTreeMap<String, Flow>,
    programs: BTreeMap<String, Arc<dyn CustomFlow>>,
    vocabularies: Vec<Vocabulary>,
    hooks: Vec<Arc<Hook>>,
    tools: BTreeMap<&'static str, Tool>,
}

impl Registry {
    /// Adds a step. A later one of the same id replaces an earlier one.
    pub fn add_step(&mut self, step: impl Step + 'static) -> &mut Self {
        let step = Registered::new(step);
        self.steps.insert(step.info.id.to_lowercase(), step);
        self
    }

    /// Adds a step that consists of others, which run one after the other. What it reads and makes follows from theirs.
    ///
    /// # Panics
    /// When one of them has not been added before.
    pub fn add_composite(
        &mut self,
        id: &'static str,
        name: &'static str,
        doc: &'static str,
        steps: &[&str],
    ) -> &mut Self {
        // The parts of a composite step within it are parts of this one.
        let parts_of = |step: &&str| match self.registered(step) {
            Some(part) if part.parts.is_empty() => vec![part.clone()],
            Some(composite) => composite.parts.clone(),
            None => panic!("`{id}` consists of `{step}`, which has not been added before it"),
        };
        let parts: Vec<Registered> = steps.iter().flat_map(parts_of).collect();
        let step = Registered { parts: parts.clone(), ..Registered::new(Composite { id, name, doc, parts }) };
        self.steps.insert(id.to_lowercase(), step);
        self
    }

    /// Adds a flow. A later one of the same name replaces an earlier one.
    pub fn add_flow(&mut self, flow: Flow) -> &mut Self {
        self.programs.remove(&flow.name.to_lowercase());
        self.flows.insert(flow.name.to_lowercase(), flow);
        self
    }

    /// Adds a flow that is a program, under the name and with the steps that it tells.
    pub fn add_custom_flow(&mut self, flow: impl CustomFlow + 'static) -> &mut Self {
        let described = flow.describe(Flow::new(flow.name(), flow.doc(), &flow.steps()));
        self.programs.insert(flow.name().to_lowercase(), Arc::new(flow));
        self.flows.insert(described.name.to_lowercase(), described);
        self
    }

    /// The program that a flow is, if it is one.
    #[must_use]
    pub fn program(&self, name: &str) -> Option<&Arc<dyn CustomFlow>> {
        self.programs.get(&name.to_lowercase())
    }

    /// Adds steps that are known by their descriptors only, so that flows with them can be planned. A step of the same id
    /// that is there comes first, whichever is added first.
    pub fn add_vocabulary(&mut self, vocabulary: Vocabulary) -> &mut Self {
        for info in (vocabulary.steps)() {
            let described = || Registered::new(Described::new(info.clone(), vocabulary.name));
            self.steps.entry(info.id.to_lowercase()).or_insert_with(described);
        }
        self.vocabularies.push(vocabulary);
        self
    }

    /// Adds a hook. It applies to all plans in which there is what it names, after the hooks of lower layers and those of
    /// its own layer that were added before it.
    pub fn add_hook(&mut self, hook: Hook) -> &mut Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// All hooks, in the order in which they were added.
    pub fn hooks(&self) -> impl Iterator<Item = &Arc<Hook>> {
        self.hooks.iter()
    }

    /// Adds a tool.
    pub fn add_tool(&mut self, tool: Tool) -> &mut Self {
        self.tools.insert(tool.name, tool);
        self
    }

    pub(crate) fn registered(&self, id: &str) -> Option<&Registered> {
        self.steps.get(&id.to_lowercase())
    }

    /// The descriptor of a step.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&StepInfo> {
        self.registered(id).map(|registered| &*registered.info)
    }

    /// The descriptors of all steps by id.
    pub fn steps(&self) -> impl Iterator<Item = &StepInfo> {
        self.steps.values().map(|registered| &*registered.info)
    }

    /// A flow.
    #[must_use]
    pub fn flow(&self, name: &str) -> Option<&Flow> {
        self.flows.get(&name.to_lowercase())
    }

    /// All flows by name.
    pub fn flows(&self) -> impl Iterator<Item = &Flow> {
        self.flows.values()
    }

    /// All vocabularies.
    pub fn vocabularies(&self) -> impl Iterator<Item = &Vocabulary> {
        self.vocabularies.iter()
    }

    /// All tools by name.
    pub fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.tools.values()
    }
}
