//! Hooks that are text for a script, as manifests have them.

use tapeout_engine::Failure;
use tapeout_model::{Class, Value};

use super::{HookBody, HookCx};

/// Adds a text to the script. `{{NAME}}` in it stands for a parameter of the hook, or for a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextHook(pub String);

impl HookBody for TextHook {
    fn code(&self) -> String {
        self.0.clone()
    }

    fn run(&self, cx: &mut HookCx<'_, '_, '_>) -> Result<(), Failure> {
        let mut text = String::new();
        let mut rest = self.0.as_str();
        while let Some((before, behind)) = rest.split_once("{{") {
            let Some((name, behind)) = behind.split_once("}}") else { break };
            text.push_str(before);
            text.push_str(&value(cx, name.trim())?);
            rest = behind;
        }
        cx.append(&(text + rest))
    }
}

/// What a name in the text stands for; a list is its items with spaces between.
fn value(cx: &HookCx<'_, '_, '_>, name: &str) -> Result<String, Failure> {
    let value = match cx.parameter(name) {
        Some(value) => Some(value),
        None if cx.config().declares(name) => cx.config().get(name),
        None => {
            let message = format!("`{{{{{name}}}}}` is no parameter of the hook and no variable that it may read");
            return Err(Failure::new(Class::Input, message));
        }
    };
    Ok(match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::Str(text)) => text.clone(),
        Some(Value::List(items)) => {
            let word = |item: &Value| match item {
                Value::Str(text) => text.clone(),
                other => other.to_string(),
            };
            items.iter().map(word).collect::<Vec<_>>().join(" ")
        }
        Some(other) => other.to_string(),
    })
}
