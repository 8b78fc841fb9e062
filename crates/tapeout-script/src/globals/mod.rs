//! What every file can use without loading it.

mod flows;
mod hooks;
mod numbers;
mod project;
mod readers;
mod steps;

use std::sync::OnceLock;

use starlark::environment::{Globals, GlobalsBuilder, LibraryExtension};

/// Goes into the identity of each function: what built-in functions do is part of what it does. Counted up when a change
/// of theirs may change results.
pub(crate) const API_VERSION: &str = "1";

/// The built-in functions. Made once: a process may load many files.
pub(crate) fn globals() -> &'static Globals {
    static GLOBALS: OnceLock<Globals> = OnceLock::new();
    GLOBALS.get_or_init(|| {
        let extensions = [
            LibraryExtension::StructType,
            LibraryExtension::RecordType,
            LibraryExtension::EnumType,
            LibraryExtension::SetType,
            LibraryExtension::Map,
            LibraryExtension::Filter,
            LibraryExtension::Partial,
            LibraryExtension::Print,
            LibraryExtension::Json,
            LibraryExtension::Typing,
        ];
        let builder = GlobalsBuilder::extended_by(&extensions)
            .with(numbers::numbers)
            .with(project::project)
            .with(readers::readers);
        let mut builder =
            builder.with(steps::declaring).with(steps::running).with(flows::declaring).with(hooks::declaring);
        builder.namespace("types", flows::types);
        builder.build()
    })
}
