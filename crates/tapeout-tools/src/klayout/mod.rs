//! KLayout: stream-out, pictures, comparison of layouts, and the decks of a PDK for design rules and LVS. Owns how a session
//! with KLayout begins; a step's own script is in the file of its name.

mod deck;
mod drc;
mod layers;
mod lvs;
mod render;
mod stream_out;
mod xor;

use tapeout_flow::{Command, Registry, Script, Session, Tool};

pub(crate) fn register(registry: &mut Registry) {
    registry
        .add_step(stream_out::StreamOut)
        .add_step(render::Render)
        .add_step(xor::Xor)
        .add_step(drc::Drc)
        .add_step(lvs::Lvs)
        .add_tool(Tool {
            name: "klayout",
            summary: "Layout viewer, comparison and checks",
            package: "klayout",
            version_args: &["-v"],
            minimum: Some("0.28.5"),
            companions: &["../lib/klayout"],
        });
}

/// A setting of a script: a global variable of Ruby.
enum Setting<'a> {
    Text(&'a str),
    List(&'a [String]),
    Flag(bool),
    Number(i64),
    Nothing,
}

/// The section that sets the variables of a script.
fn settings(settings: &[(&str, Setting<'_>)]) -> String {
    let line = |(name, setting): &(&str, Setting<'_>)| {
        let value = match setting {
            Setting::Text(text) => quoted(text),
            Setting::List(items) => {
                format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
            }
            Setting::Flag(on) => on.to_string(),
            Setting::Number(number) => number.to_string(),
            Setting::Nothing => "nil".to_owned(),
        };
        format!("${name} = {value}\n")
    };
    settings.iter().map(line).collect()
}

/// A text in Ruby, in which nothing but its end means anything.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A call of KLayout without a window, and without the user's own settings.
fn batch(script: &str) -> Command {
    Command::new("klayout").args(["-b", "-r", script])
}

/// What Qt needs where there is no screen, and what KLayout takes the user's settings from.
fn environment() -> Vec<(String, String)> {
    [("QT_QPA_PLATFORM", "offscreen"), ("KLAYOUT_HOME", "klayout-home"), ("KLAYOUT_PATH", "klayout-home")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// A session of one script.
fn session(script: Script) -> Session {
    let mut session = Session::default();
    session.invocation.commands = vec![batch(&script.path)];
    session.invocation.env = environment();
    session.scripts = vec![script];
    session
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_mean_themselves_in_ruby() {
        let names = ["a'b".to_owned(), r"c\#{d}".to_owned()];
        let text = settings(&[("names", Setting::List(&names)), ("on", Setting::Flag(true)), ("x", Setting::Nothing)]);
        assert_eq!(text, "$names = ['a\\'b', 'c\\\\#{d}']\n$on = true\n$x = nil\n");
    }
}
