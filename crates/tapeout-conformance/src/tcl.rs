//! The areas on Tcl: `tcl.value`, `tcl.escape`, `tcl.eval_env`. Owns the PDKs of the cases, which are Tcl.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use tapeout::Tclsh;
use tapeout_config::{SourceMap, TclInterpreter, TclLimits, TclScripts, Tree};
use tapeout_engine::GuardCommand;
use tapeout_formats::tcl;

use crate::encoding::{decode, encode};
use crate::outcome::Outcome;
use crate::place::Place;
use crate::run::{entry, only, text};

/// What evaluates Tcl in all cases.
pub(crate) fn interpreter() -> Arc<dyn TclInterpreter> {
    Arc::new(Tclsh { guard: GuardCommand::current_exe() })
}

/// `tcl.value`: a value as Tcl's scripts get it.
pub(crate) fn value(input: &Json, _: &Place<'_>) -> Result<Outcome, String> {
    Ok(Outcome::Accepted(Json::String(tcl::value(&decode(input)?))))
}

/// `tcl.escape`: text as one word of Tcl.
pub(crate) fn escape(input: &Json, _: &Place<'_>) -> Result<Outcome, String> {
    let text = input.as_str().ok_or("the input is not text")?;
    Ok(Outcome::Accepted(Json::String(tcl::quote(text))))
}

/// `tcl.eval_env`: the environment after a script, as the configuration gets it.
pub(crate) fn environment(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["env", "script"])?;
    let path = place.cwd().join("c0.tcl");
    place.write(&path, text(input, "script")?)?;
    let env = entry(input, "env")?.as_object().ok_or("`env` is not a map")?;
    let mut given = Vec::new();
    for (name, value) in env {
        given.push((name.clone(), value.as_str().ok_or("a variable of `env` is not text")?.to_owned()));
    }
    let interpreter = interpreter();
    let roots = [place.cwd()];
    let scripts =
        TclScripts { interpreter: &*interpreter, dir: &place.cwd(), roots: &roots, limits: TclLimits::default() };
    let mut sources = SourceMap::new();
    let made = match scripts.evaluate(&path, &given, &mut sources) {
        Ok(made) => made,
        Err(diagnostic) => return Ok(Outcome::refused(&[diagnostic], &sources)),
    };
    let Tree::Map(set) = &made.variables.value else { return Err("a script made no map".to_owned()) };
    let mut variables: Map<String, Json> = env.clone();
    for removed in &made.removed {
        variables.shift_remove(&removed.name);
    }
    variables.extend(set.iter().map(|(key, node)| (key.name.clone(), encode(&node.to_value()))));
    Ok(Outcome::Accepted(Json::Object(variables)))
}

/// Writes the PDKs that a definition describes: for each script the settings in it, once for each value of the names in
/// its path.
pub(crate) fn write_pdks(definition: &Json, place: &Place<'_>) -> Result<(), String> {
    let Some(definition) = definition.as_object() else { return Ok(()) };
    for (path, what) in definition {
        let Json::String(what) = what else { continue };
        let names = definition.iter().filter_map(|(key, values)| Some((key, values.as_array()?)));
        for (key, values) in names {
            for value in values.iter().filter_map(Json::as_str) {
                let filled = |text: &str| text.replace(&format!("<{key}>"), value);
                let script = script(&filled(what))?;
                place.write(&PathBuf::from(place.filled(&filled(path))), &script)?;
            }
        }
    }
    Ok(())
}

/// The script that does what `sets A to x unless given; B="y z"; C=1 (a remark)` says.
fn script(what: &str) -> Result<String, String> {
    let mut script = String::new();
    for setting in what.split(';') {
        let setting = setting.split('(').next().unwrap_or(setting).trim();
        let (name, value, guard) = match setting.strip_prefix("sets ").and_then(|rest| rest.split_once(" to ")) {
            Some((name, rest)) => match rest.strip_suffix(" unless given") {
                Some(value) => (name, value, true),
                None => (name, rest, false),
            },
            None => {
                let assigned = setting.split_once('=');
                let (name, value) = assigned.ok_or_else(|| format!("`{setting}` does not say what a PDK sets"))?;
                (name, value, false)
            }
        };
        let set = format!("set ::env({name}) {}", tcl::quote(value.trim_matches('"')));
        script +=
            &if guard { format!("if {{ ![info exists ::env({name})] }} {{ {set} }}\n") } else { format!("{set}\n") };
    }
    Ok(script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_pdk_become_a_script() {
        let made = script("sets A to x unless given; B=\"y z\"; C=1 (a remark)").unwrap();
        let expected = "if { ![info exists ::env(A)] } { set ::env(A) x }\nset ::env(B) \"y z\"\nset ::env(C) 1\n";
        assert_eq!(made, expected);
        assert!(script("does something").is_err());
    }
}
