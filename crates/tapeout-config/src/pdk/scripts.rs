//! What a PDK and its standard cell library give: the scripts in Tcl that OpenLane's PDKs have, each of which sees what
//! those before it have set.

use std::path::{Path, PathBuf};

use super::find::Absent;
use crate::diagnostic::Diagnostic;
use crate::load::Loaded;
use crate::read::tcl::{TclEnvironment, TclLimits, TclScripts};
use crate::sections::Process;
use crate::setting::ConfigSource;
use crate::source::SourceMap;
use crate::suggest;
use crate::tree::Node;

/// Where scripts are in a PDK, the first that exists.
pub(super) const SCRIPTS: [&str; 2] = ["libs.tech/librelane", "libs.tech/openlane"];

/// A PDK as its scripts describe it.
pub(crate) struct Pdk {
    /// The standard cell library that is used.
    pub(super) scl: String,
    /// What the scripts set.
    pub(super) layers: Vec<(ConfigSource, Node)>,
    /// All of it as Tcl has it.
    pub(crate) env: Vec<(String, String)>,
}

/// Evaluates the scripts of the PDK and of its library.
pub(crate) fn read(loaded: &Loaded, process: &Process, sources: &mut SourceMap) -> Result<Pdk, Diagnostic> {
    let (Some(root), Some(pdk), Some(path)) = (&process.root, &process.pdk, process.path(loaded.pdks)) else {
        return Err(Diagnostic::error("no PDK is chosen").help("choose one with `--pdk NAME` and `--pdk-root DIR`"));
    };
    let dirs = SCRIPTS.map(|dir| Path::new(&path).join(dir));
    let Some(dir) = dirs.iter().find(|dir| dir.join("config.tcl").is_file()) else {
        let absent = match Path::new(&path).is_dir() {
            true => Absent::NotDescribed(PathBuf::from(&path)),
            false => Absent::Unknown,
        };
        return Err(absent.diagnostic(pdk, Some(root), loaded.pdks));
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
        return Err(diagnostic.help(match suggest::nearest_file(&dir.join(&scl)) {
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
    roots.extend(process.path(loaded.pdks).map(PathBuf::from));
    let scripts =
        TclScripts { interpreter: &**interpreter, dir: &loaded.given_dir, roots: &roots, limits: TclLimits::default() };
    scripts.evaluate(script, given, sources)
}
