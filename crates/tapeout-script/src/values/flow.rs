//! `Flow`: the blocks of a project by id.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use allocative::Allocative;
use starlark::collections::SmallMap;
use starlark::values::{
    AllocValue, Freeze, FreezeResult, Freezer, Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic,
    StarlarkValue, Trace, Value, starlark_value,
};
use tapeout_config::nearest;

use super::block::{BlockDecl, BlockValue, KindValue};
use crate::complaint::{complaint, complaint_with};
use crate::data;

/// The blocks in the order in which they were added.
type Blocks = SmallMap<String, Arc<BlockDecl>>;

/// The value of `Flow()`.
#[derive(Debug, Trace, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct FlowValue {
    #[allocative(skip)]
    #[trace(unsafe_ignore)]
    blocks: Mutex<Blocks>,
    /// Of which licences there are how many.
    pub(crate) licences: BTreeMap<String, u64>,
    is_frozen: bool,
}

impl FlowValue {
    pub(crate) fn new(licences: BTreeMap<String, u64>) -> Self {
        Self { licences, blocks: Mutex::default(), is_frozen: false }
    }

    pub(crate) fn blocks(&self) -> MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for FlowValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<Flow>")
    }
}

impl<'v> AllocValue<'v> for FlowValue {
    fn alloc_value(self, heap: Heap<'v>) -> Value<'v> {
        heap.alloc_complex(self)
    }
}

impl Freeze for FlowValue {
    type Frozen = Self;

    fn freeze(self, _freezer: &Freezer<'_>) -> FreezeResult<Self> {
        Ok(Self { is_frozen: true, ..self })
    }
}

/// Whether a text can be the id of a block or a task: it becomes the name of a directory, and a part of `block.task`.
pub(crate) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[starlark_value(type = "Flow")]
impl<'v> StarlarkValue<'v> for FlowValue {
    fn set_at(&self, index: Value<'v>, value: Value<'v>) -> starlark::Result<()> {
        if self.is_frozen {
            return Err(complaint("blocks are added to a flow in the file that makes it, while it is loaded"));
        }
        let Some(id) = index.unpack_str() else {
            return Err(complaint(format!("the id of a block must be a string, found {}", data::named(index))));
        };
        if !is_id(id) {
            return Err(complaint_with(
                format!("`{id}` cannot be the id of a block"),
                "ids consist of letters, digits, `_` and `-`, and do not begin with `-`",
            ));
        }
        let Some(block) = BlockValue::from_value(value) else {
            let help = KindValue::from_value(value).map(|kind| format!("call the block type: {}(…)", kind.0.name()));
            let message = format!("a block is expected for `{id}`, found {}", data::named(value));
            return Err(match help {
                Some(help) => complaint_with(message, help),
                None => complaint(message),
            });
        };
        let mut blocks = self.blocks();
        if blocks.contains_key(id) {
            return Err(complaint_with(format!("there is a block `{id}` already"), "give this one another id"));
        }
        if block.0.id.set(id.to_owned()).is_err() {
            let first = block.0.id.get().map_or("", String::as_str);
            return Err(complaint_with(
                format!("this block is `{first}` already"),
                "call the block type again for each block",
            ));
        }
        blocks.insert(id.to_owned(), Arc::clone(&block.0));
        Ok(())
    }

    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let blocks = self.blocks();
        let id = index.unpack_str().unwrap_or_default();
        if let Some(block) = blocks.get(id) {
            return Ok(heap.alloc(BlockValue(Arc::clone(block))));
        }
        let message = format!("there is no block {}", index.to_repr());
        Err(match nearest(id, blocks.keys().map(String::as_str)) {
            Some(near) => complaint_with(message, format!("is `{near}` meant?")),
            None => complaint(message),
        })
    }

    fn is_in(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(other.unpack_str().is_some_and(|id| self.blocks().contains_key(id)))
    }

    fn length(&self) -> starlark::Result<i32> {
        Ok(i32::try_from(self.blocks().len()).unwrap_or(i32::MAX))
    }

    fn iterate_collect(&self, heap: Heap<'v>) -> starlark::Result<Vec<Value<'v>>> {
        Ok(self.blocks().keys().map(|id| heap.alloc(id.as_str())).collect())
    }
}
