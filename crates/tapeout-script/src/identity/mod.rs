//! What a function is, as a digest: everything that its text can reach, and nothing else. Comments, documentation, blank
//! lines and other functions do not count; helpers in other files and the values of globals do.

mod mentions;
mod text;
mod value;

use std::collections::HashMap;
use std::sync::Arc;

use starlark::environment::FrozenModule;
use starlark::values::Value;
use tapeout_model::Digest;
use tapeout_store::KeyHasher;

pub(crate) use text::{Binding, DefText, ModuleText, ParamKind};

use crate::globals::API_VERSION;

/// A module that is loaded.
pub(crate) struct Module {
    /// What its text says.
    pub(crate) text: ModuleText,
    /// What its evaluation gave.
    pub(crate) frozen: FrozenModule,
}

/// All modules by id.
pub(crate) type Modules = HashMap<Arc<str>, Module>;

/// Something that a function can reach.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Item {
    /// A function: the module and the name under which its `def` stands.
    Def(Arc<str>, String),
    /// Another global: its value.
    Global(Arc<str>, String),
    /// A module with all that it loads: where it is not known what a value does.
    Whole(Arc<str>),
}

/// Computes what functions are.
pub(crate) struct Coder<'a> {
    modules: &'a Modules,
}

/// The items that have been reached, in the order in which they were.
#[derive(Default)]
struct Reached {
    items: Vec<Item>,
    numbers: HashMap<Item, usize>,
}

impl Reached {
    fn number(&mut self, item: Item) -> u64 {
        let next = self.items.len();
        let number = *self.numbers.entry(item.clone()).or_insert(next);
        if number == next {
            self.items.push(item);
        }
        number as u64
    }
}

impl<'a> Coder<'a> {
    pub(crate) fn new(modules: &'a Modules) -> Self {
        Self { modules }
    }

    /// The `def` at the top level of a module that a function comes from.
    pub(crate) fn def_of(&self, function: Value<'_>) -> Option<(&'a Arc<str>, &'a DefText)> {
        let name = function.function_name()?;
        self.modules.iter().find_map(|(id, module)| {
            let Some(Binding::Def(def)) = module.text.bindings.get(name) else { return None };
            let (bound, _) = module.frozen.get_any_visibility(name).ok()?;
            bound.value().ptr_eq(function).then_some((id, def))
        })
    }

    /// The identity of the function that stands as a `def` under this name at the top level of a module.
    pub(crate) fn code(&self, module: &Arc<str>, name: &str) -> Digest {
        let mut reached = Reached::default();
        reached.number(Item::Def(Arc::clone(module), name.to_owned()));
        let mut key = KeyHasher::new("starlark function");
        key.text(API_VERSION);
        let mut next = 0;
        while let Some(item) = reached.items.get(next).cloned() {
            next += 1;
            self.hash(&item, &mut key, &mut reached);
        }
        key.finish()
    }

    fn hash(&self, item: &Item, key: &mut KeyHasher, reached: &mut Reached) {
        match item {
            Item::Def(id, name) => {
                let Some(Binding::Def(def)) = self.modules.get(id).and_then(|module| module.text.bindings.get(name))
                else {
                    return;
                };
                key.text("def").digest(Some(&def.tokens));
                for mention in &def.mentions {
                    if let Some(item) = self.global(id, mention) {
                        key.text(mention).number(reached.number(item));
                    }
                }
            }
            Item::Global(id, name) => {
                key.text("global");
                let value = self.modules.get(id).and_then(|module| module.frozen.get_any_visibility(name).ok());
                if let Some((value, _)) = value {
                    let mut writer = value::Writer { coder: self, home: id, key, reached };
                    writer.write(value.value());
                }
            }
            Item::Whole(id) => {
                let Some(module) = self.modules.get(id) else { return };
                key.text("module").digest(Some(&module.text.tokens)).number(module.text.loads.len() as u64);
                for load in &module.text.loads {
                    key.number(reached.number(Item::Whole(Arc::clone(load))));
                }
            }
        }
    }

    /// What a name stands for at the top level of a module; nothing for built-in functions.
    fn global(&self, module: &Arc<str>, name: &str) -> Option<Item> {
        let (mut module, mut name) = (module, name);
        loop {
            match self.modules.get(module)?.text.bindings.get(name)? {
                Binding::Load { module: from, name: theirs } => (module, name) = (from, theirs),
                Binding::Def(_) => return Some(Item::Def(Arc::clone(module), name.to_owned())),
                Binding::Value => return Some(Item::Global(Arc::clone(module), name.to_owned())),
                // Which of them a function saw is known to nobody.
                Binding::Several => return Some(Item::Whole(Arc::clone(module))),
            }
        }
    }
}
