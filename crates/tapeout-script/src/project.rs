//! What a script declares, as blocks and tasks of the flow crate. Functions are looked up here, once everything is
//! frozen, and checked against what is said of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use starlark::values::OwnedFrozenValue;
use tapeout_config::{Diagnostic, Span, nearest};
use tapeout_flow::project::{Block, BlockType, Requires, Task};
use tapeout_model::Digest;

use crate::data::written;
use crate::identity::{Coder, DefText, Modules, ParamKind};
use crate::loader::Loader;
use crate::task::StarTask;
use crate::values::FlowValue;
use crate::values::block::KindDecl;
use crate::values::param::ParamDecl;
use crate::values::task::TaskDecl;

/// The name that the blocks of a project are bound to.
const FLOW: &str = "flow";

/// The first parameter of a task's function.
const CTX: &str = "ctx";

/// Makes blocks and tasks.
struct Maker<'a, 'b> {
    loader: &'a Loader<'b>,
    coder: Coder<'a>,
    problems: Vec<Diagnostic>,
    /// The identities of functions, by module and name: a function may be a task of several types.
    codes: HashMap<(Arc<str>, String), Digest>,
    #[cfg(test)]
    bodies: HashMap<(String, String), Arc<StarTask>>,
}

/// What a script declares.
pub(crate) struct Declared {
    /// Blocks by id; nothing if there is no flow.
    pub(crate) blocks: Option<Vec<(String, Block)>>,
    /// Of which licences there are how many.
    pub(crate) licences: BTreeMap<String, u64>,
    /// The bodies of all tasks by the name of the block type and their id.
    #[cfg(test)]
    pub(crate) bodies: HashMap<(String, String), Arc<StarTask>>,
}

/// What a script declares.
pub(crate) fn declared(loader: &Loader<'_>, root: &str) -> Result<Declared, Vec<Diagnostic>> {
    let modules: &Modules = &loader.modules;
    let mut maker = Maker {
        loader,
        coder: Coder::new(modules),
        problems: Vec::new(),
        codes: HashMap::new(),
        #[cfg(test)]
        bodies: HashMap::new(),
    };
    let kinds = loader.declarations.take_kinds();
    let made: HashMap<*const KindDecl, Arc<BlockType>> =
        kinds.iter().map(|kind| (Arc::as_ptr(kind), Arc::new(maker.block_type(kind)))).collect();
    if !maker.problems.is_empty() {
        return Err(maker.problems);
    }
    let flow = modules.get(root).and_then(|module| module.frozen.get_any_visibility(FLOW).ok());
    let flow = flow.and_then(|(flow, _)| flow.downcast::<FlowValue>().ok());
    Ok(Declared {
        licences: flow.as_ref().map_or_else(BTreeMap::new, |flow| flow.as_ref().licences.clone()),
        blocks: flow.map(|flow| blocks(flow.as_ref(), &made)),
        #[cfg(test)]
        bodies: maker.bodies,
    })
}

/// What is said of a parameter: its type, its default, and what it means.
fn described(param: &ParamDecl) -> String {
    let default = param.default.as_ref().map_or(String::new(), |data| format!(", default {}", written(data)));
    let about = if param.doc.is_empty() { String::new() } else { format!(": {}", param.doc) };
    format!("{}{default}{about}", param.kind)
}

fn blocks(flow: &FlowValue, made: &HashMap<*const KindDecl, Arc<BlockType>>) -> Vec<(String, Block)> {
    let flow = flow.blocks();
    let blocks = flow.iter().filter_map(|(id, block)| {
        let kind = &block.kind;
        let names = kind.params.iter().map(|(name, _)| name.clone());
        let block = Block {
            // Every type of this loading has been made.
            of: Arc::clone(made.get(&Arc::as_ptr(kind))?),
            params: names.zip(block.params.iter().cloned()).collect(),
            dependency_map: Arc::clone(&block.dependency_map),
            origin: block.origin,
        };
        Some((id.clone(), block))
    });
    blocks.collect()
}

impl<'a> Maker<'a, '_> {
    fn block_type(&mut self, kind: &KindDecl) -> BlockType {
        let params: Arc<[String]> = kind.params.iter().map(|(name, _)| name.clone()).collect();
        let mut tasks = Vec::with_capacity(kind.tasks.len());
        for decl in &kind.tasks {
            let Some((task, _body)) = self.task(decl, &params) else { continue };
            #[cfg(test)]
            self.bodies.insert((kind.name().to_owned(), decl.id.clone()), _body);
            tasks.push(task);
        }
        BlockType {
            name: kind.name().to_owned(),
            doc: kind.doc.clone(),
            params: kind.params.iter().map(|(name, param)| (name.clone(), described(param))).collect(),
            tasks,
            origin: kind.origin,
        }
    }

    fn task(&mut self, decl: &TaskDecl, params: &Arc<[String]>) -> Option<(Task, Arc<StarTask>)> {
        let function = self.function(decl)?;
        let Some((module, def)) = self.coder.def_of(function.value()) else {
            let name = match function.value().function_name() {
                Some("lambda") | None => "a lambda".to_owned(),
                Some(name) => format!("`{name}`"),
            };
            self.complain(
                format!("{name} cannot be a task: it is not a `def` at the top level of a file"),
                decl.origin,
                Some(
                    "only of such a function it is known what it does; what it uses may be made in any way".to_owned(),
                ),
            );
            return None;
        };
        let file = self.loader.file(module)?;
        let signature = Span::new(file, def.signature.start, def.signature.end);
        self.check_parameters(decl, def, signature);
        let code = self.codes.entry((Arc::clone(module), def.name.clone()));
        let code = code.or_insert_with(|| self.coder.code(module, &def.name)).to_string();
        let many = |requires: &_| matches!(requires, Requires::Many(_));
        let body = Arc::new(StarTask {
            function,
            code,
            origin: self.loader.location(signature).to_string(),
            requires: decl.requires.iter().map(|(name, requires)| (name.as_str().into(), many(requires))).collect(),
            params: Arc::clone(params),
        });
        let task = Task {
            id: decl.id.clone(),
            doc: decl.doc.clone().unwrap_or_else(|| def.doc.clone()),
            requires: decl.requires.clone(),
            always_rebuild: decl.always_rebuild,
            hidden: decl.hidden,
            claims: decl.claims.clone(),
            body: Arc::<StarTask>::clone(&body),
            origin: decl.origin,
        };
        Some((task, body))
    }

    fn function(&self, decl: &TaskDecl) -> Option<OwnedFrozenValue> {
        let module = self.loader.modules.get(&decl.function.module)?;
        module.frozen.get_any_visibility(&decl.function.name).ok().map(|(function, _)| function)
    }

    /// A function takes `ctx` and one parameter for each requirement.
    fn check_parameters(&mut self, decl: &TaskDecl, def: &DefText, signature: Span) {
        let name = &def.name;
        let names: Vec<&str> = decl.requires.iter().map(|(name, _)| name.as_str()).collect();
        let expected = || {
            let all: Vec<&str> = [CTX].into_iter().chain(names.iter().copied()).collect();
            Some(format!("def {name}({}):", all.join(", ")))
        };
        let (first, rest) = match def.params.split_first() {
            Some((first, rest)) => (Some(first), rest),
            None => (None, &[][..]),
        };
        if first.is_none_or(|first| first.name != CTX || first.kind != ParamKind::One) {
            let message = format!("the first parameter of a task's function must be `{CTX}`");
            self.complain(message, Some(signature), expected());
            return;
        }
        if rest.iter().any(|param| param.kind != ParamKind::One) {
            let message =
                format!("task `{}`: its function takes `{CTX}` and one parameter for each requirement", decl.id);
            self.complain(message, Some(signature), expected());
            return;
        }
        for param in rest.iter().filter(|param| !names.contains(&param.name.as_str())) {
            let help = match nearest(&param.name, names.iter().copied()) {
                Some(near) => format!("is `{near}` meant?"),
                None => format!("task({name}, requires = {{\"{}\": \".…\"}})", param.name),
            };
            let message = format!("parameter `{}` of task `{}` is none of its requirements", param.name, decl.id);
            self.complain_with(message, Some(signature), Some(help), decl.origin);
        }
        for missing in names.iter().filter(|name| !rest.iter().any(|param| param.name == **name)) {
            let message = format!("requirement `{missing}` of task `{}` is no parameter of its function", decl.id);
            self.complain_with(message, Some(signature), expected(), decl.origin);
        }
    }

    fn complain(&mut self, message: String, at: Option<Span>, help: Option<String>) {
        self.complain_with(message, at, help, None);
    }

    fn complain_with(&mut self, message: String, at: Option<Span>, help: Option<String>, task: Option<Span>) {
        let mut problem = Diagnostic::error(message);
        if let Some(at) = at {
            problem = problem.at(at, "");
        }
        if let Some(task) = task {
            problem = problem.also(task, "declared here");
        }
        problem.help = help.map(String::into_boxed_str);
        self.problems.push(problem);
    }
}
