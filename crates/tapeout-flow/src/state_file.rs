//! States that users bring along: files like `state_out.json`, of a run of tapeout or of OpenLane.

use std::fs;
use std::path::{Path, PathBuf};

use tapeout_config::nearest;
use tapeout_engine::Failure;
use tapeout_model::{Class, DesignFormat, FORMATS, State};

/// The format that a user calls by this id or another name it has.
///
/// # Errors
/// There is none; the nearest is the hint.
pub fn design_format(name: &str) -> Result<&'static DesignFormat, Failure> {
    DesignFormat::find(name).ok_or_else(|| {
        let names = FORMATS.iter().flat_map(|format| [format.id].into_iter().chain(format.aliases.iter().copied()));
        let failure = Failure::new(Class::Input, format!("there is no design format `{name}`"));
        match nearest(name, names).and_then(DesignFormat::find) {
            Some(near) => failure.hint(format!("did you mean `{}`?", near.id)),
            None => {
                let ids: Vec<&str> = FORMATS.iter().map(|format| format.id).collect();
                failure.hint(format!("there are {}", ids.join(", ")))
            }
        }
    })
}

/// Whether all views are in formats that are known. Whether their files exist is another matter.
///
/// # Errors
/// The first that is not.
pub fn check_formats<F>(state: &State<F>) -> Result<(), Failure> {
    state.views.keys().try_for_each(|id| design_format(id).map(drop))
}

/// Reads a state. Paths in it are relative to the file, so that a run can be moved; those that come out are not.
///
/// # Errors
/// The file cannot be read, is no state, has a view in an unknown format, or names a file that does not exist.
pub fn load_state(file: &Path) -> Result<State<PathBuf>, Failure> {
    let shown = file.display();
    let text = fs::read_to_string(file).map_err(|error| {
        let message = format!("cannot read the state `{shown}`: {error}");
        Failure::new(Class::Input, message)
    })?;
    let state = State::parse(&text).map_err(|error| {
        Failure::new(Class::Input, format!("`{shown}`: {error}"))
            .hint("a state has the paths of its views, and its measurements in `metrics`, as a `state_out.json` does")
    })?;
    check_formats(&state).map_err(|failure| Failure { message: format!("`{shown}`: {failure}"), ..failure })?;
    let dir = file.parent().unwrap_or(Path::new(""));
    let state = state.map(|path| dir.join(path));
    for (key, path) in state.files() {
        if !path.exists() {
            let message = format!("`{shown}`: the file of `{key}` does not exist: `{}`", path.display());
            return Err(Failure::new(Class::Input, message)
                .hint("paths are relative to the file that names them; was one of both moved alone?"));
        }
    }
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<State<PathBuf>, Failure> {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("b")).unwrap();
        fs::write(dir.path().join("a.v"), "").unwrap();
        let file = dir.path().join("b/state_out.json");
        fs::write(&file, text).unwrap();
        let cut = |text: String| text.replace(dir.path().to_str().unwrap(), "");
        load_state(&file)
            .map(|state| state.map(|path| PathBuf::from(cut(path.display().to_string()))))
            .map_err(|failure| Failure { message: cut(failure.message.clone()), ..failure })
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let state = load(r#"{"NETLIST": "../a.v", "pnl-npc": null, "metrics": {"m": 1}}"#).unwrap();
        assert_eq!(state.files(), [("nl".to_owned(), &PathBuf::from("/b/../a.v"))]);
        assert_eq!(state.metrics["m"], 1_i64.into());
    }

    #[test]
    fn a_state_that_cannot_be_used_says_why() {
        let cases = [
            (
                "",
                "`/b/state_out.json`: this is not JSON: EOF while parsing a value at line 1 column 0",
                Some(
                    "a state has the paths of its views, and its measurements in `metrics`, as a `state_out.json` does",
                ),
            ),
            (
                r#"{"netlst": "../a.v"}"#,
                "`/b/state_out.json`: there is no design format `netlst`",
                Some("did you mean `nl`?"),
            ),
            (
                r#"{"gds": ["../a.v", "c"]}"#,
                "`/b/state_out.json`: the file of `gds[1]` does not exist: `/b/c`",
                Some("paths are relative to the file that names them; was one of both moved alone?"),
            ),
        ];
        for (text, message, hint) in cases {
            let failure = load(text).unwrap_err();
            assert_eq!((failure.message.as_str(), failure.hint.as_deref()), (message, hint));
            assert_eq!(failure.class, Class::Input);
        }
        let unlike = design_format("qq").unwrap_err().hint.unwrap();
        assert!(unlike.starts_with("there are nl, vhdl_nl, "), "{unlike}");
        let missing = load_state(Path::new("/nowhere/state.json")).unwrap_err();
        assert!(missing.message.starts_with("cannot read the state `/nowhere/state.json`: "), "{missing}");
    }
}
