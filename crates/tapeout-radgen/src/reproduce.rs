//! The one command line that stands for a resolved configuration, whatever file or option gave its values.

use tapeout_config::{ConfigSource, Setting, Type, Variable};
use tapeout_model::{Value, shell_quoted};

use crate::options::{Options, Words, is_given_by_users};
use crate::resolve::Resolved;
use crate::words::is_option;

impl Resolved {
    /// The words after `tapeout radgen`: all that was given, and nothing that follows from it. The top configuration is
    /// not among them, as its values are.
    #[must_use]
    pub fn to_command_line(&self) -> Vec<String> {
        let options = Options::new(self.config.schema(), &self.subtools);
        let mut words = vec!["--subtools".to_owned()];
        words.extend(self.subtools.iter().map(|subtool| subtool.name().to_owned()));
        for variable in self.variables().filter(|variable| is_given_by_users(variable)) {
            let setting = self.config.setting(&variable.name);
            if is_given(setting) && !["common.subtools", "common.top_config_fpath"].contains(&variable.name.as_ref()) {
                write(&mut words, options.name_of(variable), variable, setting.value.as_ref());
            }
        }
        words
    }

    /// The same as one line for a shell, with the program.
    #[must_use]
    pub fn command(&self) -> String {
        let words = ["tapeout", "radgen"].map(str::to_owned).into_iter().chain(self.to_command_line());
        words.map(|word| shell_quoted(&word)).collect::<Vec<_>>().join(" ")
    }
}

fn is_given(setting: &Setting) -> bool {
    !matches!(setting.origin.source, ConfigSource::Default | ConfigSource::Derived)
}

fn write(words: &mut Vec<String>, name: &str, variable: &Variable, value: Option<&Value>) {
    let Some(value) = value else {
        words.push(format!("--no-{name}"));
        return;
    };
    match (Words::of(variable), value) {
        (Words::None, Value::Bool(true)) => words.push(format!("--{name}")),
        (Words::Many, Value::List(items)) => {
            let item = match &variable.ty {
                Type::List(item) => item,
                other => other,
            };
            let texts: Vec<String> = items.iter().map(|value| text(item, value)).collect();
            if texts.iter().any(|text| is_option(text)) {
                words.push(format!("--{name}={}", value.to_json()));
            } else {
                words.push(format!("--{name}"));
                words.extend(texts);
            }
        }
        _ => {
            let text = text(&variable.ty, value);
            if Words::of(variable) == Words::None || text.starts_with('-') {
                words.push(format!("--{name}={text}"));
            } else {
                words.extend([format!("--{name}"), text]);
            }
        }
    }
}

/// The value as one word: text as it is, structures as JSON.
fn text(ty: &Type, value: &Value) -> String {
    match ty {
        Type::Bool | Type::Int | Type::Decimal => value.to_string(),
        Type::Str | Type::Path | Type::Dir | Type::NewPath | Type::Choice(_) => value.to_string(),
        Type::Optional(item) => text(item, value),
        _ => value.to_json().to_string(),
    }
}
