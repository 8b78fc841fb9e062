//! Variables as settings of a job: what the engine calls them, and their values as text that is compared and recorded.

use std::fmt::Write as _;

use tapeout_config::{Config, ConfigRead, Setting};
use tapeout_engine::KeyHasher;
use tapeout_model::Value;

/// What follows the name of a variable where the setting is not its value. No name of a variable has a space.
const GIVEN: &str = " (given)";
const LAYER: &str = " (layer)";

/// The name of the setting that a read of the configuration is.
pub(crate) fn setting_name(read: ConfigRead) -> String {
    match read {
        ConfigRead::Value(name) => name,
        ConfigRead::Given(name) => name + GIVEN,
        ConfigRead::Layer(name) => name + LAYER,
    }
}

/// The names of all settings that there are of a configuration.
pub(crate) fn setting_names(config: &Config) -> Vec<String> {
    let reads = [ConfigRead::Value, ConfigRead::Given, ConfigRead::Layer];
    config.iter().flat_map(|(name, _)| reads.map(|read| setting_name(read(name.to_owned())))).collect()
}

/// What a setting says, and of which variable.
pub(crate) enum Says<'a> {
    Value(&'a str),
    Given(&'a str),
    Layer(&'a str),
}

impl<'a> Says<'a> {
    pub(crate) fn of(setting: &'a str) -> Self {
        let given = setting.strip_suffix(GIVEN).map(Self::Given);
        given.or_else(|| setting.strip_suffix(LAYER).map(Self::Layer)).unwrap_or(Self::Value(setting))
    }

    pub(crate) fn variable(&self) -> &'a str {
        match self {
            Self::Value(name) | Self::Given(name) | Self::Layer(name) => name,
        }
    }
}

/// A setting's text, `None` when there is no such variable.
pub(crate) fn setting_text(config: &Config, setting: &str) -> Option<String> {
    let says = Says::of(setting);
    let name = says.variable();
    config.declares(name).then(|| match says {
        Says::Value(_) => value_text(name, config.setting(name)),
        Says::Given(_) => config.explicit(name).to_string(),
        Says::Layer(_) => config.setting(name).origin.source.to_string(),
    })
}

/// A value as text; `null` when there is none. A secret is not told: its digest stands for it.
fn value_text(name: &str, setting: &Setting) -> String {
    let mut text = String::new();
    write_value(&mut text, setting.value.as_ref().unwrap_or(&Value::Null));
    if setting.secret && setting.value.is_some() {
        let mut digest = KeyHasher::new("secret");
        digest.text(name).text(&text);
        text = format!("secret {}", digest.finish());
    }
    text
}

/// Writes a value so that values which differ read differently. `20` and `20.0` are one decimal.
fn write_value(text: &mut String, value: &Value) {
    // Writing to a string cannot fail.
    let _ = match value {
        Value::Null => write!(text, "null"),
        Value::Bool(truth) => write!(text, "{truth}"),
        Value::Int(number) => write!(text, "{number}"),
        Value::Decimal(decimal) => write!(text, "{}", decimal.normalize()),
        Value::Str(string) => write!(text, "{string:?}"),
        Value::List(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                write_value(text, item);
            }
            text.push(']');
            Ok(())
        }
        Value::Map(entries) => {
            text.push('{');
            for (index, (name, item)) in entries.iter().enumerate() {
                let _ = write!(text, "{}{name:?}: ", if index > 0 { ", " } else { "" });
                write_value(text, item);
            }
            text.push('}');
            Ok(())
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_reads_the_same_however_it_was_written() {
        let texts = ["20", "20.0", "2e1"].map(|text| {
            let mut written = String::new();
            write_value(&mut written, &Value::List(vec![Value::Decimal(text.parse().unwrap())]));
            written
        });
        assert_eq!(texts, ["[20]", "[20]", "[20]"]);
    }
}
