//! Where a PDK is: below `PDK_ROOT`, or where packages put it, and what describes it there. Looks at single files; walks
//! through no directory but to name the PDKs that there are.

use std::path::{Path, PathBuf};

use super::PdkManifests;
use super::manifest::{Found, Manifest};
use super::scripts::SCRIPTS;
use crate::diagnostic::Diagnostic;
use crate::source::SourceMap;
use crate::suggest;

/// The manifest in the directory of a PDK.
pub(crate) const MANIFEST: &str = "pdk.toml";

/// A PDK that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) dir: PathBuf,
    pub(crate) kind: Kind,
}

/// What describes a PDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Scripts in Tcl.
    Scripts,
    /// A manifest: its own, or the one of that name and text that the program knows.
    Manifest(Option<(&'static str, &'static str)>),
}

/// Why a PDK is nowhere.
#[derive(Debug)]
pub(crate) enum Absent {
    /// Nothing is known of where it would be.
    Unknown,
    /// The directory is there, and nothing in it that would describe it.
    NotDescribed(PathBuf),
    /// A known PDK whose files are in none of the directories.
    Missing { looked: Vec<PathBuf>, found: Found },
}

/// Looks for a PDK. One with a description of its own beats one that only the program knows.
pub(crate) fn find(pdk: &str, root: Option<&str>, known: PdkManifests) -> Result<Place, Absent> {
    let own = root.map(|root| Path::new(root).join(pdk));
    if let Some(dir) = &own {
        if SCRIPTS.iter().any(|scripts| dir.join(scripts).join("config.tcl").is_file()) {
            return Ok(Place { dir: dir.clone(), kind: Kind::Scripts });
        }
        if dir.join(MANIFEST).is_file() {
            return Ok(Place { dir: dir.clone(), kind: Kind::Manifest(None) });
        }
    }
    let Some(manifest) = known.iter().find(|(name, _)| *name == pdk) else {
        return Err(match own {
            Some(dir) if dir.is_dir() => Absent::NotDescribed(dir),
            _ => Absent::Unknown,
        });
    };
    let found = found(manifest.1);
    let below = root.iter().flat_map(|root| found.below_root.iter().map(|below| Path::new(root).join(below)));
    let looked: Vec<PathBuf> =
        own.into_iter().chain(below).chain(found.directories.iter().map(PathBuf::from)).collect();
    let is_whole = |dir: &&PathBuf| !found.files.is_empty() && found.files.iter().all(|file| dir.join(file).is_file());
    match looked.iter().find(is_whole) {
        Some(dir) => Ok(Place { dir: dir.clone(), kind: Kind::Manifest(Some(*manifest)) }),
        None => Err(Absent::Missing { looked, found }),
    }
}

/// Where a manifest that the program knows says its files are. One that is wrong says so when it is read.
fn found(text: &str) -> Found {
    let file = SourceMap::new().add("", "");
    Manifest::parse(text, file).map(|manifest| manifest.found).unwrap_or_default()
}

/// The PDKs that have a directory of their own below a root, by name.
pub(crate) fn below(root: &Path) -> Vec<String> {
    let entries = root.read_dir().into_iter().flatten().filter_map(Result::ok);
    let dirs = entries.filter(|entry| entry.path().is_dir()).filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = dirs.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

impl Absent {
    /// Whether nothing is known of where it would be.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Why, in one line.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Unknown => "nothing is known of it".to_owned(),
            Self::NotDescribed(dir) => format!("`{}` has neither `{MANIFEST}` nor scripts", dir.display()),
            Self::Missing { looked, found } => {
                let dirs: Vec<String> = looked.iter().map(|dir| format!("`{}`", dir.display())).collect();
                let file = found.files.first().map(String::as_str).unwrap_or_default();
                format!(
                    "`{file}` is not in {}",
                    if dirs.is_empty() { "any directory".to_owned() } else { dirs.join(", ") }
                )
            }
        }
    }

    /// What helps.
    pub(crate) fn remedy(&self) -> Option<String> {
        let Self::Missing { found, .. } = self else { return None };
        let root = "say with `--pdk-root DIR` where it is".to_owned();
        Some(match (&found.package, &found.origin) {
            (Some(package), _) => format!("apt-get install {package}; or {root}"),
            (None, Some(origin)) => format!("it comes with {origin}: {root}"),
            (None, None) => root,
        })
    }

    pub(crate) fn diagnostic(&self, pdk: &str, root: Option<&str>, known: PdkManifests) -> Diagnostic {
        let root = Path::new(root.unwrap_or_default());
        match self {
            Self::Missing { .. } => {
                let diagnostic = Diagnostic::error(format!("the PDK `{pdk}` is not there: {}", self.reason()));
                diagnostic.help(self.remedy().unwrap_or_default())
            }
            Self::NotDescribed(dir) => {
                let scripts = SCRIPTS.map(|dir| format!("`{dir}/config.tcl`")).join(" and ");
                Diagnostic::error(format!("`{}` is no PDK for this flow", dir.display()))
                    .help(format!("looked for `{MANIFEST}`, {scripts} in it"))
            }
            Self::Unknown => {
                let diagnostic = Diagnostic::error(format!("there is no PDK `{pdk}` in `{}`", root.display()));
                let names = below(root);
                let all = names.iter().map(String::as_str).chain(known.iter().map(|(name, _)| *name));
                match suggest::nearest(pdk, all) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None if names.is_empty() => {
                        diagnostic.help("that directory has no PDKs; choose another with `--pdk-root DIR`")
                    }
                    None => diagnostic.help(format!("there are `{}`", names.join("`, `"))),
                }
            }
        }
    }
}
