//! Where files are in a pack. Those of the project keep their places, as commands name them from the work directory, which
//! is always equally deep; when commands reach above the project, so do the places in the pack. All others are put into a
//! tree of their own.

use std::path::{Component, Path, PathBuf};

use tapeout_engine::without_dots;

use super::words::paths;

/// The tree of the project, and the one of the rest.
const PROJECT: &str = "design";
const OUTSIDE: &str = "outside";

/// Where files are in a pack.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    project: PathBuf,
    /// The directory that `design` stands for: the project's, or one above it.
    base: PathBuf,
    /// The work directory, from the pack.
    work: PathBuf,
}

impl Layout {
    /// The layout for a project and a work directory in it, three levels deep, with these texts as commands and scripts.
    pub(super) fn new<'t>(project: &Path, work: &Path, texts: impl IntoIterator<Item = &'t str>) -> Self {
        let depth = work.components().count();
        let above = |path: &String| {
            let levels =
                Path::new(path).components().take_while(|component| *component == Component::ParentDir).count();
            levels.saturating_sub(depth)
        };
        let above = texts.into_iter().flat_map(paths).map(|path| above(&path)).max().unwrap_or(0);
        let base = project.ancestors().nth(above).unwrap_or(Path::new("/")).to_owned();
        let inside = project.strip_prefix(&base).unwrap_or(Path::new(""));
        Self { project: project.to_owned(), work: Path::new(PROJECT).join(inside).join(work), base }
    }

    /// The work directory, from the pack.
    pub(super) fn work(&self) -> &Path {
        &self.work
    }

    /// The pack, from the work directory.
    pub(super) fn root(&self) -> PathBuf {
        self.work.components().map(|_| "..").collect()
    }

    /// A path as commands in the work directory name it, made absolute.
    pub(super) fn resolved(&self, path: &str) -> PathBuf {
        // The place of the work directory in the project: what it is called makes no difference.
        let inside = self.project.strip_prefix(&self.base).unwrap_or(Path::new(""));
        let work = self.work.strip_prefix(Path::new(PROJECT).join(inside)).unwrap_or(&self.work);
        without_dots(&self.project.join(work).join(path))
    }

    /// The absolute path of a file, given from the project or absolute.
    pub(super) fn absolute(&self, path: &str) -> PathBuf {
        without_dots(&self.project.join(path))
    }

    /// Whether a directory is that of the project, or in it, or above it.
    pub(super) fn is_in_project(&self, dir: &Path) -> bool {
        dir.starts_with(&self.project) || self.project.starts_with(dir)
    }

    /// Where an absolute path is in the pack.
    pub(super) fn place(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(&self.base) {
            Ok(inside) => Path::new(PROJECT).join(inside),
            Err(_) => Path::new(OUTSIDE).join(path.strip_prefix("/").unwrap_or(path)),
        }
    }

    /// How commands in the work directory name an absolute path in the pack.
    pub(super) fn named(&self, path: &Path) -> String {
        self.root().join(self.place(path)).display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_commands_say_holds_in_the_pack() {
        let work = Path::new("runs/default/01-synth");
        let inside = Layout::new(Path::new("/home/me/chip"), work, ["yosys ../../../src/a.v"]);
        assert_eq!(inside.work(), Path::new("design/runs/default/01-synth"));
        assert_eq!(inside.place(&inside.absolute("src/a.v")), Path::new("design/src/a.v"));
        assert_eq!(inside.place(Path::new("/pdk/a.lib")), Path::new("outside/pdk/a.lib"));
        assert_eq!(inside.named(Path::new("/pdk/a.lib")), "../../../../outside/pdk/a.lib");
        assert_eq!(inside.resolved("../../../src/a.v"), Path::new("/home/me/chip/src/a.v"));

        let above = Layout::new(Path::new("/home/me/chip"), work, ["yosys ../../../../ip/a.v"]);
        assert_eq!(above.work(), Path::new("design/chip/runs/default/01-synth"));
        assert_eq!(above.place(&above.absolute("../ip/a.v")), Path::new("design/ip/a.v"));
        assert_eq!(above.place(&above.absolute("src/a.v")), Path::new("design/chip/src/a.v"));
        assert_eq!(above.resolved("../../../../ip/a.v"), Path::new("/home/me/ip/a.v"));
    }
}
