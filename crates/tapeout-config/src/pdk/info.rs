//! All that is known of PDKs without a design: for lists and for people who choose one.

use std::path::{Path, PathBuf};

use super::find::{self, Absent, Kind, Place};
use super::manifest::{Corner, Given, Manifest, files};
use super::{PdkHook, PdkManifests, manifest_at};
use crate::diagnostic::Diagnostic;
use crate::source::SourceMap;
use crate::suggest;

/// The PDKs there are: those that the program knows, and those below `PDK_ROOT`.
#[derive(Clone, Debug)]
pub struct Pdks {
    known: PdkManifests,
    root: Option<String>,
}

/// A PDK.
#[derive(Clone, Debug)]
pub struct PdkInfo {
    /// Its name.
    pub name: String,
    /// What it is.
    pub doc: String,
    /// What describes it: the program, its manifest, or its scripts.
    pub described_by: String,
    /// Its directory; where there is none, why.
    pub dir: Result<PathBuf, String>,
    /// What helps where it is not there.
    pub remedy: Option<String>,
    /// The oldest versions of tools that will do.
    pub tools: Vec<(String, String)>,
    /// Its corners.
    pub corners: Vec<Corner>,
    /// What it sets for all libraries.
    pub variables: Vec<PdkVariable>,
    /// Its libraries, the default one first.
    pub libraries: Vec<PdkLibrary>,
    /// Its sections and hooks for steps, without texts that are files of their own.
    pub hooks: Vec<PdkHook>,
}

/// A cell library.
#[derive(Clone, Debug)]
pub struct PdkLibrary {
    /// Its name.
    pub name: String,
    /// What it is.
    pub doc: String,
    /// What it sets.
    pub variables: Vec<PdkVariable>,
}

/// A variable that a PDK sets.
#[derive(Clone, Debug)]
pub struct PdkVariable {
    /// Its name.
    pub name: String,
    /// Its value as it is written.
    pub value: tapeout_model::Value,
    /// The files that it names, below the PDK's directory, and whether each is there.
    pub files: Vec<(String, bool)>,
    /// Whether it is set only where all of its files are there.
    pub if_there: bool,
}

impl Pdks {
    /// The PDKs that a program knows and those in the directory `PDK_ROOT`.
    #[must_use]
    pub fn new(known: PdkManifests, root: Option<&Path>) -> Self {
        Self { known, root: root.map(|root| root.to_string_lossy().into_owned()) }
    }

    /// Their names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.known.iter().map(|(name, _)| (*name).to_owned()).collect();
        if let Some(root) = &self.root {
            let described = |name: &String| find::find(name, Some(root), self.known).is_ok();
            names.extend(find::below(Path::new(root)).into_iter().filter(described));
        }
        names.sort();
        names.dedup();
        names
    }

    /// All that is known of one. The text of its manifest goes to `sources`.
    ///
    /// # Errors
    /// There is none of that name, or its manifest is wrong.
    pub fn info(&self, name: &str, sources: &mut SourceMap) -> Result<PdkInfo, Diagnostic> {
        let text = self.known.iter().find(|(known, _)| *known == name);
        match (find::find(name, self.root.as_deref(), self.known), text) {
            (Ok(place), _) if place.kind == Kind::Scripts => Ok(of_scripts(name, &place)),
            (Ok(place), _) => {
                let (manifest, _) = manifest_at(&place, sources)?;
                Ok(of_manifest(name, &place, None, &manifest, sources))
            }
            (Err(absent), Some(known)) => {
                let place = Place { dir: PathBuf::new(), kind: Kind::Manifest(Some(*known)) };
                let (manifest, _) = manifest_at(&place, sources)?;
                Ok(of_manifest(name, &place, Some(&absent), &manifest, sources))
            }
            (Err(_), None) => {
                let names = self.names();
                let error = Diagnostic::error(format!("there is no PDK `{name}`"));
                Err(match suggest::nearest(name, names.iter().map(String::as_str)) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error.help(format!("there are `{}`", names.join("`, `"))),
                })
            }
        }
    }
}

/// What scripts set is known when they are evaluated for a design.
fn of_scripts(name: &str, place: &Place) -> PdkInfo {
    let dirs = super::scripts::SCRIPTS.map(|scripts| place.dir.join(scripts));
    let script = dirs.iter().map(|dir| dir.join("config.tcl")).find(|script| script.is_file()).unwrap_or_default();
    let mut libraries = Vec::new();
    for dir in &dirs {
        libraries.extend(find::below(dir).into_iter().filter(|name| dir.join(name).join("config.tcl").is_file()));
    }
    libraries.sort();
    libraries.dedup();
    PdkInfo {
        name: name.to_owned(),
        doc: String::new(),
        described_by: script.display().to_string(),
        dir: Ok(place.dir.clone()),
        remedy: None,
        tools: Vec::new(),
        corners: Vec::new(),
        variables: Vec::new(),
        libraries: libraries
            .into_iter()
            .map(|name| PdkLibrary { name, doc: String::new(), variables: Vec::new() })
            .collect(),
        hooks: Vec::new(),
    }
}

fn of_manifest(
    name: &str,
    place: &Place,
    absent: Option<&Absent>,
    manifest: &Manifest,
    sources: &SourceMap,
) -> PdkInfo {
    let dir = absent.is_none().then_some(&*place.dir);
    let described_by = match place.kind {
        Kind::Manifest(Some(_)) => "tapeout".to_owned(),
        _ => place.dir.join(find::MANIFEST).display().to_string(),
    };
    let library = |library: &super::manifest::Library| PdkLibrary {
        name: library.name.clone(),
        doc: library.doc.clone(),
        variables: variables(&library.given, dir),
    };
    PdkInfo {
        name: name.to_owned(),
        doc: manifest.doc.clone(),
        described_by,
        dir: absent.map_or_else(|| Ok(place.dir.clone()), |absent| Err(absent.reason())),
        remedy: absent.and_then(Absent::remedy),
        tools: manifest.tools.clone(),
        corners: manifest.corners.clone(),
        variables: variables(&manifest.given, dir),
        libraries: manifest.libraries.iter().map(library).collect(),
        hooks: manifest.hooks.iter().map(|entry| entry.described(sources)).collect(),
    }
}

fn variables(given: &Given, dir: Option<&Path>) -> Vec<PdkVariable> {
    let is_there = |file: &str| dir.is_some_and(|dir| dir.join(file).exists());
    let all =
        given.variables.iter().map(|entry| (entry, false)).chain(given.if_there.iter().map(|entry| (entry, true)));
    all.map(|((key, node), if_there)| PdkVariable {
        name: key.name.clone(),
        value: node.to_value(),
        files: files(node).into_iter().map(|file| (file.to_owned(), is_there(file))).collect(),
        if_there,
    })
    .collect()
}
