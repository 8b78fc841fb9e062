//! What the initialisation wants to know of a flow's own files, in Hammer's form. They are otherwise not looked at here.

use std::path::Path;

use tapeout_config::{Diagnostic, Node, SourceMap, Tree, read};

const TOP_MODULE: &str = "synthesis.inputs.top_module";
const INPUT_FILES: &str = "synthesis.inputs.input_files";

/// What the files of a flow say about the design.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FlowFacts {
    /// The top module.
    pub(crate) top_module: Option<String>,
    /// Whether HDL files are named.
    pub(crate) has_input_files: bool,
}

impl FlowFacts {
    /// Reads the files, of which a later beats an earlier.
    pub(crate) fn read<'p>(
        files: impl IntoIterator<Item = &'p Path>,
        sources: &mut SourceMap,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut facts = Self::default();
        let mut diagnostics = Vec::new();
        for file in files {
            match read(file, sources) {
                Ok(node) => facts.update(&node),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
        if diagnostics.is_empty() { Ok(facts) } else { Err(diagnostics) }
    }

    fn update(&mut self, file: &Node) {
        if let Some(Tree::Str(top)) = find(file, TOP_MODULE) {
            self.top_module = Some(top.clone());
        }
        if let Some(Tree::List(files)) = find(file, INPUT_FILES) {
            self.has_input_files = !files.is_empty();
        }
    }
}

/// The value of a dotted name, of which any part may be written as nested maps. Of several the last.
fn find<'n>(node: &'n Node, name: &str) -> Option<&'n Tree> {
    if name.is_empty() {
        return Some(&node.value);
    }
    let Tree::Map(entries) = &node.value else { return None };
    let mut below = entries.iter().filter_map(|(key, value)| {
        let rest = name.strip_prefix(key.name.as_str())?;
        let rest = if rest.is_empty() { rest } else { rest.strip_prefix('.')? };
        find(value, rest)
    });
    below.next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_mixture_of_dots_and_maps() {
        let dir = tempfile::tempdir().unwrap();
        let cases = [
            ("synthesis.inputs.top_module: a\n", Some("a"), false),
            ("synthesis:\n  inputs.top_module: b\n  inputs.input_files: [b.v]\n", Some("b"), true),
            ("synthesis:\n  inputs:\n    top_module: c\n    input_files: []\n", Some("c"), false),
            ("synthesis.inputs:\n  top_module: null\nsynthesis.input: {}\n", None, false),
        ];
        for (text, top, files) in cases {
            let path = dir.path().join("flow.yml");
            std::fs::write(&path, text).unwrap();
            let facts = FlowFacts::read([path.as_path()], &mut SourceMap::new()).unwrap();
            assert_eq!((facts.top_module.as_deref(), facts.has_input_files), (top, files), "{text}");
        }
    }
}
