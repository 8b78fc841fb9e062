//! What a PDK and its standard cell library give: the scripts in Tcl that OpenLane's PDKs have, each of which sees what
//! those before it have set.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::layer::{self, Entry, Given};
use crate::load::Loaded;
use crate::meta::Typing;
use crate::read::tcl::{TclEnvironment, TclLimits, TclScripts};
use crate::schema::Schema;
use crate::sections::Process;
use crate::setting::ConfigSource;
use crate::source::SourceMap;
use crate::suggest;
use crate::tree::{Node, Tree};

/// Where scripts are in a PDK, the first that exists.
const SCRIPTS: [&str; 2] = ["libs.tech/librelane", "libs.tech/openlane"];

/// A PDK as its scripts describe it.
pub(crate) struct Pdk {
    /// The standard cell library that is used.
    scl: String,
    /// What the scripts set.
    layers: Vec<(ConfigSource, Node)>,
    /// All of it as Tcl has it.
    pub(crate) env: Vec<(String, String)>,
}

/// The entries of the PDK and of its library, and the library that is chosen in the end. Nothing is read for a schema
/// without variables that a PDK may give.
pub(crate) fn entries(
    loaded: &Loaded,
    schema: &Schema,
    mut process: Process,
    sources: &mut SourceMap,
) -> Result<(Process, Vec<Entry>), Diagnostic> {
    if process.path().is_none() || !schema.iter().any(|variable| variable.from_pdk) {
        return Ok((process, Vec::new()));
    }
    let pdk = read(loaded, &process, sources)?;
    process.scl = Some(pdk.scl);
    let mut entries = Vec::new();
    for (index, (source, node)) in pdk.layers.into_iter().enumerate() {
        let Tree::Map(given) = node.value else { continue };
        let given = given.into_iter().filter(|(key, _)| schema.get(&key.name).is_some_and(|of| of.from_pdk));
        let layer = loaded.layers + layer::OF_PDK + index;
        let typing = Typing::Permissive;
        entries.extend(given.map(|(key, node)| Entry { source, layer, key, given: Given::Tree(node), typing }));
    }
    Ok((process, entries))
}

/// Evaluates the scripts of the PDK and of its library.
pub(crate) fn read(loaded: &Loaded, process: &Process, sources: &mut SourceMap) -> Result<Pdk, Diagnostic> {
    let (Some(root), Some(pdk), Some(path)) = (&process.root, &process.pdk, process.path()) else {
        return Err(Diagnostic::error("no PDK is chosen").help("choose one with `--pdk NAME` and `--pdk-root DIR`"));
    };
    let dirs = SCRIPTS.map(|dir| Path::new(&path).join(dir));
    let Some(dir) = dirs.iter().find(|dir| dir.join("config.tcl").is_file()) else {
        return Err(no_pdk(Path::new(root), pdk, Path::new(&path)));
    };
    let chosen = [("PDK_ROOT", Some(root.clone())), ("PDK", Some(pdk.clone())), ("PDKPATH", Some(path.clone()))];
    let chosen = chosen.into_iter().chain([("STD_CELL_LIBRARY", process.scl.clone())]);
    let given: Vec<_> = chosen.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    let first = evaluate(loaded, &dir.join("config.tcl"), process, &given, sources)?;
    let scl = first.env.iter().find(|(name, _)| name == "STD_CELL_LIBRARY").map(|(_, scl)| scl.clone());
    let Some(scl) = scl.or_else(|| process.scl.clone()) else {
        return Err(Diagnostic::error(format!("the PDK `{pdk}` sets no `STD_CELL_LIBRARY`"))
            .at(first.variables.span, "in this script")
            .help("choose one with `--scl NAME`"));
    };
    // The library may be in the older of the two places alone.
    let places = dirs.each_ref().map(|dir| dir.join(&scl).join("config.tcl"));
    let Some(script) = places.iter().find(|script| script.is_file()) else {
        let diagnostic = Diagnostic::error(format!("the PDK `{pdk}` has no cell library `{scl}`"));
        let looked = places.map(|script| format!("`{}`", script.display())).join(" and ");
        return Err(diagnostic.help(match suggest::file(&dir.join(&scl)) {
            Some(near) => {
                format!("did you mean `{}`? looked for {looked}", near.file_name().unwrap_or_default().display())
            }
            None => format!("looked for {looked}"),
        }));
    };
    let second = evaluate(loaded, script, process, &first.env, sources)?;
    let layers = vec![(ConfigSource::Pdk, first.variables), (ConfigSource::CellLibrary, second.variables)];
    Ok(Pdk { scl, layers, env: second.env })
}

/// Evaluates a script that may read the design and the PDK.
pub(crate) fn evaluate(
    loaded: &Loaded,
    script: &Path,
    process: &Process,
    given: &[(String, String)],
    sources: &mut SourceMap,
) -> Result<TclEnvironment, Diagnostic> {
    let Some(interpreter) = &loaded.tcl else {
        return Err(Diagnostic::error(format!(
            "`{}` is in Tcl, which this program does not evaluate",
            script.display()
        )));
    };
    let mut roots = vec![loaded.design_dir.clone()];
    roots.extend(script.parent().filter(|dir| !dir.as_os_str().is_empty()).map(Path::to_owned));
    roots.extend(process.path().map(PathBuf::from));
    let scripts =
        TclScripts { interpreter: &**interpreter, dir: &loaded.given_dir, roots: &roots, limits: TclLimits::default() };
    scripts.evaluate(script, given, sources)
}

fn no_pdk(root: &Path, pdk: &str, path: &Path) -> Diagnostic {
    if path.is_dir() {
        let looked = SCRIPTS.map(|dir| format!("`{dir}/config.tcl`")).join(" and ");
        return Diagnostic::error(format!("`{}` is no PDK for this flow", path.display()))
            .help(format!("looked for {looked} in it"));
    }
    let diagnostic = Diagnostic::error(format!("there is no PDK `{pdk}` in `{}`", root.display()));
    let entries = root.read_dir().into_iter().flatten().filter_map(Result::ok);
    let dirs = entries.filter(|entry| entry.path().is_dir()).filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = dirs.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    match suggest::nearest(pdk, names.iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if names.is_empty() => diagnostic.help("that directory has no PDKs; choose another with `--pdk-root DIR`"),
        None => diagnostic.help(format!("there are `{}`", names.join("`, `"))),
    }
}
