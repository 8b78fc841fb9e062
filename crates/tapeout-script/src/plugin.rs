//! Plugins: directories with files that several projects load, each with a manifest. Owns where they are looked for and
//! what a manifest says; which of their files is meant is for `resolve`.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tapeout_config::nearest;
use tapeout_model::Digest;
use tapeout_store::hash_bytes;
use toml::de::{DeTable, DeValue};

use crate::resolve::NotFound;

/// The manifest in the directory of a plugin.
pub(crate) const MANIFEST: &str = "plugin.toml";

/// The directory of a project's own plugins.
const OWN: &str = "plugins";

/// The variable of the environment with further directories of plugins, separated as those of `PATH` are.
const ELSEWHERE: &str = "TAPEOUT_PLUGINS";

/// The file that is meant where a manifest names none.
const ENTRY: &str = "plugin.star";

/// A plugin, as its manifest describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// The name by which files load it: that of its directory.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is, in a few words.
    pub summary: String,
    /// The oldest version of tapeout that it works with.
    pub minimum: Option<String>,
    /// The file that `load("@name", …)` means.
    pub entry: String,
    /// Where it is.
    pub dir: PathBuf,
    /// What was in its manifest.
    pub digest: Digest,
}

/// The directories in which plugins are looked for, the first one first.
fn places(project: &Path) -> Vec<PathBuf> {
    let elsewhere = env::var_os(ELSEWHERE).unwrap_or_default();
    let elsewhere = env::split_paths(&elsewhere).filter(|dir| !dir.as_os_str().is_empty());
    [project.join(OWN)].into_iter().chain(elsewhere).collect()
}

/// The plugin of that name.
pub(crate) fn find(project: &Path, name: &str) -> Result<Plugin, NotFound> {
    let places = places(project);
    let is_word = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    match places.iter().map(|place| place.join(name)).find(|dir| is_word && dir.is_dir()) {
        Some(dir) => read(name, &dir),
        None => {
            let all = Plugin::all(project);
            let names = all.iter().filter_map(|plugin| Some(plugin.as_ref().ok()?.name.as_str()));
            let places: Vec<String> = places.iter().map(|place| shown(place, project)).collect();
            let looked = format!("looked in {} and in the directories of {ELSEWHERE}", places.join(", "));
            let help = match nearest(name, names) {
                Some(near) => format!("is `@{near}` meant? {looked}"),
                None => looked,
            };
            Err(NotFound { message: format!("there is no plugin `{name}`"), help: Some(help) })
        }
    }
}

/// A directory as a reader of the project would name it.
fn shown(dir: &Path, project: &Path) -> String {
    let inside = dir.strip_prefix(project).map(|inside| format!("`{}/`", inside.display()));
    inside.unwrap_or_else(|_| format!("`{}`", dir.display()))
}

/// Reads a manifest.
fn read(name: &str, dir: &Path) -> Result<Plugin, NotFound> {
    let file = dir.join(MANIFEST);
    let wrong = |reason: String| NotFound {
        message: format!("the plugin `{name}` cannot be loaded: `{}` {reason}", file.display()),
        help: Some("a manifest says `name`, `version`, `summary`, and perhaps `tapeout` and `entry`".to_owned()),
    };
    let text = fs::read_to_string(&file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => wrong("does not exist".to_owned()),
        _ => wrong(format!("cannot be read: {error}")),
    })?;
    let table = DeTable::parse(&text).map_err(|error| wrong(format!("is no TOML: {}", error.message())))?;
    let table = table.get_ref();
    let known = ["name", "version", "summary", "tapeout", "entry"];
    if let Some(key) = table.keys().map(|key| key.get_ref().as_ref()).find(|key| !known.contains(key)) {
        return Err(wrong(format!("has the key `{key}`, which means nothing")));
    }
    let said = |key: &str| match table.get(key).map(|value| value.get_ref()) {
        None => Ok(None),
        Some(DeValue::String(text)) if !text.is_empty() => Ok(Some(text.as_ref().to_owned())),
        Some(_) => Err(wrong(format!("says for `{key}` what is no text"))),
    };
    let must = |key: &str| said(key)?.ok_or_else(|| wrong(format!("does not say `{key}`")));
    let plugin = Plugin {
        name: must("name")?,
        version: must("version")?,
        summary: must("summary")?,
        minimum: said("tapeout")?,
        entry: said("entry")?.unwrap_or_else(|| ENTRY.to_owned()),
        dir: dir.to_owned(),
        digest: hash_bytes(text.as_bytes()),
    };
    if plugin.name != name {
        return Err(wrong(format!("is that of the plugin `{}`: its directory must have the same name", plugin.name)));
    }
    if let Some(minimum) = &plugin.minimum {
        let needed =
            numbers(minimum).ok_or_else(|| wrong(format!("says `tapeout = \"{minimum}\"`, which is no version")))?;
        let ours = env!("CARGO_PKG_VERSION");
        if numbers(ours).is_some_and(|ours| ours < needed) {
            return Err(NotFound {
                message: format!(
                    "the plugin `{name}` {} needs tapeout {minimum} or newer, this is {ours}",
                    plugin.version
                ),
                help: Some(format!("it is in `{}`: take an older version of it, or a newer tapeout", dir.display())),
            });
        }
    }
    Ok(plugin)
}

/// The numbers of a version, without those at its end that are zero: `1.2` and `1.2.0` are the same.
fn numbers(version: &str) -> Option<Vec<u64>> {
    let mut numbers: Vec<u64> = version.split('.').map(|number| number.parse().ok()).collect::<Option<_>>()?;
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    Some(numbers)
}

impl Plugin {
    /// All plugins that the files of a project can load, by name; what is wrong with the others, in words.
    #[must_use]
    pub fn all(project: &Path) -> Vec<Result<Self, String>> {
        let mut seen: Vec<String> = Vec::new();
        let mut all = Vec::new();
        for place in places(project) {
            let Ok(listed) = place.read_dir() else { continue };
            let names = listed.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            let mut names: Vec<String> =
                names.filter(|name| place.join(name).is_dir() && !seen.contains(name)).collect();
            // Directories are listed in any order.
            names.sort();
            all.extend(names.iter().map(|name| read(name, &place.join(name)).map_err(|not_found| not_found.message)));
            seen.append(&mut names);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(numbers("0.10").unwrap() > numbers("0.9.3").unwrap());
        assert_eq!(numbers("1.2"), numbers("1.2.0"));
        assert_eq!(numbers("1.x"), None);
    }
}
