//! Which files of a cell library and of hard macros belong to a timing corner.
//!
//! A configuration has them by patterns of corners (`LIB`, and `lib` and `spef` of a macro in `MACROS`). All patterns
//! that stand for the corner count, in their order.

use tapeout_model::Value;

use crate::corners::matches;
use crate::values::{entries, entry, names, texts};

/// The files that timing needs in a corner, and what is odd about them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimingFiles {
    /// Liberty files: of the cell library first, then of macros.
    pub libs: Vec<String>,
    /// Netlists of macros.
    pub netlists: Vec<String>,
    /// Parasitics of macros, with the instance that has them.
    pub parasitics: Vec<(String, String)>,
    /// What is worth saying: files that are missing or cannot be used.
    pub warnings: Vec<String>,
}

/// The files of all patterns that stand for a corner. `views` is a map of patterns to paths or lists of paths.
#[must_use]
pub fn of_corner<'v>(views: &'v Value, corner: &str) -> Vec<&'v str> {
    entries(views).iter().filter(|(pattern, _)| matches(pattern, corner)).flat_map(|(_, files)| texts(files)).collect()
}

/// The files for timing in a corner. `libs` is `LIB` and `macros` is `MACROS` of a configuration, or null. With
/// `by_netlist` a macro counts by netlist and parasitics where it has both, else by its Liberty files.
#[must_use]
pub fn timing_files(libs: &Value, macros: &Value, corner: &str, by_netlist: bool) -> TimingFiles {
    let owned = |files: Vec<&str>| files.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let mut files = TimingFiles { libs: owned(of_corner(libs, corner)), ..TimingFiles::default() };
    if files.libs.is_empty() {
        files.warnings.push(format!("the cell library has no Liberty file for the corner {corner}"));
    }
    for (name, views) in entries(macros) {
        let view = |wanted: &str| entry(views, wanted);
        let netlists = texts(view("nl"));
        let parasitics = of_corner(view("spef"), corner);
        match (netlists.is_empty(), parasitics.is_empty()) {
            (false, false) if by_netlist => {
                files.netlists.extend(owned(netlists));
                let of_instances = |spef: &&str| {
                    let spef = (*spef).to_owned();
                    names(view("instances")).into_iter().map(move |instance| (instance.to_owned(), spef.clone()))
                };
                files.parasitics.extend(parasitics.iter().flat_map(of_instances).collect::<Vec<_>>());
                continue;
            }
            (false, true) if by_netlist => files.warnings.push(format!(
                "the macro {name} has a netlist and no parasitics for the corner {corner}; timing does without both"
            )),
            (true, false) if by_netlist => files.warnings.push(format!(
                "the macro {name} has parasitics for the corner {corner} and no netlist; timing does without both"
            )),
            _ => {}
        }
        let libs = of_corner(view("lib"), corner);
        if libs.is_empty() {
            let message = format!("the macro {name} has no Liberty file for the corner {corner}; it is a black box");
            files.warnings.push(message);
        }
        files.libs.extend(owned(libs));
    }
    files
}

/// The files of one view, such as `gds`, of all hard macros. `macros` is `MACROS` of a configuration, or null.
#[must_use]
pub fn of_macros<'v>(macros: &'v Value, view: &str) -> Vec<&'v str> {
    entries(macros).iter().flat_map(|(_, views)| texts(entry(views, view))).collect()
}

impl TimingFiles {
    /// All files in one list, as OpenLane's scripts take them: parasitics are `INSTANCE@PATH`.
    #[must_use]
    pub fn as_list(&self) -> Vec<String> {
        let parasitics = self.parasitics.iter().map(|(instance, path)| format!("{instance}@{path}"));
        self.libs.iter().chain(&self.netlists).cloned().chain(parasitics).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, Value)]) -> Value {
        Value::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }

    #[test]
    fn a_macro_counts_by_its_netlist_only_with_its_parasitics() {
        let libs = map(&[("*", vec!["scl.lib"].into())]);
        let hard = map(&[
            ("nl", vec!["m.v"].into()),
            ("spef", map(&[("nom_*", "m.spef".into())])),
            ("lib", map(&[("nom_*", vec!["m.lib"].into())])),
            ("instances", map(&[("u1", Value::Null), ("u2", Value::Null)])),
        ]);
        let macros = map(&[("m", hard)]);
        let nominal = timing_files(&libs, &macros, "nom_tt", true);
        assert_eq!(nominal.as_list(), ["scl.lib", "m.v", "u1@m.spef", "u2@m.spef"]);
        assert_eq!(nominal.warnings, [""; 0]);
        assert_eq!(timing_files(&libs, &macros, "nom_tt", false).as_list(), ["scl.lib", "m.lib"]);
        let other = timing_files(&Value::Null, &macros, "max_ss", true);
        assert_eq!((other.as_list().len(), other.warnings.len()), (0, 3), "{other:?}");
    }
}
