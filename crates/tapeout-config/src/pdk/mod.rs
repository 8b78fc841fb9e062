//! PDKs: which one is meant, where it is, and what it and its cell library give. A PDK is described by a manifest of data,
//! in its directory or known to the program, or by scripts in Tcl as OpenLane's PDKs have them.

mod find;
mod hooks;
mod info;
mod manifest;
mod scripts;

pub use hooks::PdkHook;
pub use info::{PdkInfo, PdkLibrary, PdkVariable, Pdks};
pub use manifest::Corner as PdkCorner;
pub(crate) use scripts::evaluate;

use find::{Kind, Place};
use manifest::Manifest;

use crate::diagnostic::Diagnostic;
use crate::layer::{self, Entry, Given};
use crate::load::Loaded;
use crate::meta::Typing;
use crate::schema::Schema;
use crate::sections::Process;
use crate::setting::ConfigSource;
use crate::source::{SourceMap, Span};
use crate::suggest;
use crate::tree::{Key, Node, Tree};

/// The manifests that a program brings along: the name of each PDK and the text.
pub type PdkManifests = &'static [(&'static str, &'static str)];

/// The PDK that a configuration chooses, as far as it is more than values of variables.
#[derive(Clone, Debug, Default)]
pub struct ChosenPdk {
    /// Its name.
    pub name: String,
    /// The oldest versions of tools that will do for it.
    pub tools: Vec<(String, String)>,
    /// Its sections and hooks for steps, the sections first.
    pub hooks: Vec<PdkHook>,
}

/// What a PDK says.
#[derive(Debug, Default)]
pub(crate) struct GivenPdk {
    /// The PDK and the library that is chosen in the end.
    pub(crate) process: Process,
    pub(crate) entries: Vec<Entry>,
    pub(crate) chosen: Option<ChosenPdk>,
}

/// Where the PDK of a process is, or would be.
pub(crate) fn path(process: &Process, known: PdkManifests) -> Option<String> {
    let pdk = process.pdk.as_deref()?;
    match find::find(pdk, process.root.as_deref(), known) {
        Ok(place) => Some(place.dir.to_string_lossy().into_owned()),
        Err(_) => Some(format!("{}/{pdk}", process.root.as_deref()?)),
    }
}

/// What the PDK and its library give, and the library that is chosen in the end. Nothing is read for a schema without
/// variables that a PDK may give.
pub(crate) fn given(
    loaded: &Loaded,
    schema: &Schema,
    mut process: Process,
    sources: &mut SourceMap,
) -> Result<GivenPdk, Diagnostic> {
    let wanted = schema.iter().any(|variable| variable.from_pdk);
    let Some(pdk) = process.pdk.clone().filter(|_| wanted) else {
        return Ok(GivenPdk { process, ..GivenPdk::default() });
    };
    let place = match find::find(&pdk, process.root.as_deref(), loaded.pdks) {
        Ok(place) => place,
        // Without a word of where it is, what is missing is told by the variables.
        Err(absent) if process.root.is_none() && absent.is_unknown() => {
            if let Some(near) = suggest::nearest(&pdk, loaded.pdks.iter().map(|(name, _)| *name)) {
                return Err(
                    Diagnostic::error(format!("there is no PDK `{pdk}`")).help(format!("did you mean `{near}`?"))
                );
            }
            return Ok(GivenPdk { process, ..GivenPdk::default() });
        }
        Err(absent) => return Err(absent.diagnostic(&pdk, process.root.as_deref(), loaded.pdks)),
    };
    let mut hooks = Vec::new();
    let (scl, layers, typing, tools) = match &place.kind {
        Kind::Scripts => {
            let read = scripts::read(loaded, &process, sources)?;
            (read.scl, read.layers, Typing::Permissive, Vec::new())
        }
        Kind::Manifest(_) => {
            let (manifest, span) = manifest_at(&place, sources)?;
            let (scl, layers) = layers_of(&manifest, &place, process.scl.as_deref(), span)?;
            for entry in &manifest.hooks {
                hooks.push(entry.hook(&place.dir, sources)?);
            }
            (scl, layers, Typing::Strict, manifest.tools)
        }
    };
    process.scl = Some(scl);
    let mut entries = Vec::new();
    for (index, (source, node)) in layers.into_iter().enumerate() {
        let Tree::Map(given) = node.value else { continue };
        // What scripts set beside the variables of PDKs are their own names; a manifest says what it means.
        let counts =
            |key: &Key| schema.get(&key.name).is_some_and(|variable| variable.from_pdk || typing == Typing::Strict);
        let layer = loaded.layers + layer::OF_PDK + index;
        let given = given.into_iter().filter(|(key, _)| counts(key));
        entries.extend(given.map(|(key, node)| Entry { source, layer, key, given: Given::Tree(node), typing }));
    }
    Ok(GivenPdk { process, entries, chosen: Some(ChosenPdk { name: pdk, tools, hooks }) })
}

/// What the PDK and its library set, as scripts in Tcl see it.
pub(crate) fn environment(
    loaded: &Loaded,
    process: &Process,
    sources: &mut SourceMap,
) -> Result<Vec<(String, String)>, Diagnostic> {
    let pdk = process.pdk.as_deref().unwrap_or_default();
    match find::find(pdk, process.root.as_deref(), loaded.pdks) {
        Ok(place @ Place { kind: Kind::Manifest(_), .. }) => {
            let (manifest, _) = manifest_at(&place, sources)?;
            let library = manifest.library(process.scl.as_deref())?.name.clone();
            let dir = place.dir.to_string_lossy().into_owned();
            let names = [("PDK", pdk.to_owned()), ("PDKPATH", dir), ("STD_CELL_LIBRARY", library)];
            Ok(names.map(|(name, value)| (name.to_owned(), value)).to_vec())
        }
        _ => Ok(scripts::read(loaded, process, sources)?.env),
    }
}

/// The manifest that describes what is at a place, and the place of the text that names no other.
fn manifest_at(place: &Place, sources: &mut SourceMap) -> Result<(Manifest, Span), Diagnostic> {
    let (name, text) = match &place.kind {
        Kind::Manifest(Some((name, text))) => (format!("<PDK {name}>"), (*text).to_owned()),
        _ => {
            let file = place.dir.join(find::MANIFEST);
            let id = crate::read::read_text(&file, "manifest", sources)?;
            (file.display().to_string(), sources.text(id).to_string())
        }
    };
    let file = sources.add(name, text);
    Ok((Manifest::parse(&sources.text(file), file)?, Span::new(file, 0, 0)))
}

/// What a manifest gives, the PDK before the library, and the library that is chosen.
fn layers_of(
    manifest: &Manifest,
    place: &Place,
    scl: Option<&str>,
    span: Span,
) -> Result<(String, Vec<(ConfigSource, Node)>), Diagnostic> {
    let library = manifest.library(scl)?;
    let there = |entries: &[(Key, Node)]| {
        let complete =
            |(_, node): &&(Key, Node)| manifest::files(node).iter().all(|file| place.dir.join(file).exists());
        entries.iter().filter(complete).cloned().collect::<Vec<_>>()
    };
    let name = Key { name: "STD_CELL_LIBRARY".to_owned(), span: library.span };
    let mut of_pdk = vec![(name, Node { value: Tree::Str(library.name.clone()), span: library.span })];
    of_pdk.extend(manifest.given.variables.iter().cloned().chain(there(&manifest.given.if_there)));
    let mut of_library = library.given.variables.clone();
    of_library.extend(there(&library.given.if_there));
    let layer = |entries| Node { value: Tree::Map(entries), span };
    let layers = vec![(ConfigSource::Pdk, layer(of_pdk)), (ConfigSource::CellLibrary, layer(of_library))];
    Ok((library.name.clone(), layers))
}
