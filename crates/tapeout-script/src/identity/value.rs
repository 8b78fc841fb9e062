//! The values of globals, written so that two that differ are written differently.

use std::sync::Arc;

use starlark::values::Value;
use starlark::values::dict::DictRef;
use starlark::values::list::ListRef;
use starlark::values::structs::StructRef;
use starlark::values::tuple::TupleRef;
use tapeout_store::KeyHasher;

use super::{Coder, Item, Reached};
use crate::values::scripted::{StepValue, ToolValue};
use crate::values::{FilesValue, PathValue, TimeValue};

/// How deep values are looked into. A list may contain itself.
const DEEPEST: usize = 64;

/// Writes the values of one module.
pub(super) struct Writer<'a, 'b> {
    pub(super) coder: &'a Coder<'b>,
    /// The module in which the value is bound.
    pub(super) home: &'a Arc<str>,
    pub(super) key: &'a mut KeyHasher,
    pub(super) reached: &'a mut Reached,
}

impl Writer<'_, '_> {
    pub(super) fn write(&mut self, value: Value<'_>) {
        self.within(value, DEEPEST);
    }

    fn within(&mut self, value: Value<'_>, left: usize) {
        let kind = value.get_type();
        self.key.text(kind);
        let Some(left) = left.checked_sub(1) else { return self.whole() };
        match kind {
            "NoneType" | "bool" | "int" | "float" | "string" | "bytes" | "range" => _ = self.key.text(&value.to_repr()),
            "function" => match self.coder.def_of(value) {
                Some((module, def)) => {
                    let number = self.reached.number(Item::Def(Arc::clone(module), def.name.clone()));
                    self.key.number(number);
                }
                None => self.whole(),
            },
            _ => self.composite(value, left),
        }
    }

    fn composite(&mut self, value: Value<'_>, left: usize) {
        if let Some(list) = ListRef::from_value(value) {
            self.items(list.content(), left);
        } else if let Some(tuple) = TupleRef::from_value(value) {
            self.items(tuple.content(), left);
        } else if let Some(dict) = DictRef::from_value(value) {
            self.key.number(dict.len() as u64);
            for (key, value) in dict.iter() {
                self.within(key, left);
                self.within(value, left);
            }
        } else if let Some(fields) = StructRef::from_value(value) {
            self.key.number(fields.iter().len() as u64);
            for (name, value) in fields.iter() {
                self.key.text(name.as_str());
                self.within(value, left);
            }
        } else if let Some(path) = PathValue::from_value(value) {
            self.key.text(&format!("{:?}", path.0));
        } else if let Some(time) = TimeValue::from_value(value) {
            self.key.number(time.0.to_bits());
        } else if let Some(files) = FilesValue::from_value(value) {
            self.key.text(&format!("{:?}", files.items()));
        } else if let Some(step) = StepValue::from_value(value) {
            self.key.text(&step.0);
        } else if let Some(tool) = ToolValue::from_value(value) {
            // What it is, apart from its name, is part of the keys of the commands that run it.
            self.key.text(tool.0.tool.name);
        } else {
            self.whole();
        }
    }

    fn items(&mut self, items: &[Value<'_>], left: usize) {
        self.key.number(items.len() as u64);
        for item in items {
            self.within(*item, left);
        }
    }

    /// What the value does follows from the module that made it, and from that alone.
    fn whole(&mut self) {
        let number = self.reached.number(Item::Whole(Arc::clone(self.home)));
        self.key.number(number);
    }
}
