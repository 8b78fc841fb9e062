//! What files declare while they are loaded: handed to the built-in functions through the evaluator.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use starlark::codemap::FileSpan;
use starlark::eval::Evaluator;
use starlark::values::{ProvidesStaticType, Value};
use tapeout_config::{Diagnostic, FileId, Span};

use super::block::KindDecl;
use super::scripted::Scripted;
use super::task::Slot;
use crate::complaint::complaint_with;

/// The state of a loading.
#[derive(Debug, Default, ProvidesStaticType)]
pub(crate) struct Declarations {
    /// The file of each module's text.
    files: RefCell<HashMap<String, FileId>>,
    /// The module that is being evaluated.
    current: RefCell<Arc<str>>,
    /// How many functions have been put aside.
    kept: Cell<usize>,
    /// The types of blocks.
    kinds: RefCell<Vec<Arc<KindDecl>>>,
    /// What is wrong, where evaluation could go on.
    problems: RefCell<Vec<Diagnostic>>,
    /// What the files said by `print`.
    said: RefCell<Vec<String>>,
    /// Steps, tools, flows, and hooks.
    pub(crate) scripted: Scripted,
}

impl Declarations {
    /// Those of the files that are being loaded.
    pub(crate) fn of<'a>(eval: &Evaluator<'_, 'a, '_>, function: &str) -> starlark::Result<&'a Self> {
        eval.extra.and_then(|extra| extra.downcast_ref::<Self>()).ok_or_else(|| {
            complaint_with(
                format!("`{function}` declares what the project consists of: no task can call it"),
                "call it where the file is loaded",
            )
        })
    }

    pub(crate) fn begin(&self, module: Arc<str>) {
        self.current.replace(module);
    }

    /// The module that is being evaluated.
    pub(crate) fn module(&self) -> Arc<str> {
        Arc::clone(&self.current.borrow())
    }

    pub(crate) fn add_file(&self, module: &str, file: FileId) {
        self.files.borrow_mut().insert(module.to_owned(), file);
    }

    /// A place in our own terms.
    pub(crate) fn span(&self, place: &FileSpan) -> Option<Span> {
        let file = *self.files.borrow().get(place.filename())?;
        Some(Span::new(file, place.span.begin().get() as usize, place.span.end().get() as usize))
    }

    /// Where the built-in function that runs was called.
    pub(crate) fn call_site(&self, eval: &Evaluator<'_, '_, '_>) -> Option<Span> {
        self.span(&eval.call_stack_top_location()?)
    }

    /// Keeps a function with the module that is being evaluated.
    pub(crate) fn keep<'v>(&self, function: Value<'v>, eval: &Evaluator<'v, '_, '_>) -> Slot {
        let number = self.kept.replace(self.kept.get() + 1);
        let name = format!("kept!{number}");
        eval.module().set(&name, function);
        Slot { module: self.module(), name }
    }

    pub(crate) fn add_problem(&self, problem: Diagnostic) {
        self.problems.borrow_mut().push(problem);
    }

    pub(crate) fn add_kind(&self, kind: Arc<KindDecl>) {
        self.kinds.borrow_mut().push(kind);
    }

    pub(crate) fn take_kinds(&self) -> Vec<Arc<KindDecl>> {
        self.kinds.take()
    }

    pub(crate) fn say(&self, text: &str) {
        self.said.borrow_mut().push(text.to_owned());
    }

    pub(crate) fn take_problems(&self) -> Vec<Diagnostic> {
        self.problems.take()
    }

    pub(crate) fn take_said(&self) -> Vec<String> {
        self.said.take()
    }
}
