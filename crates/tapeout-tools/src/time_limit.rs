//! How long a tool may run: variables that say so.

use std::time::Duration;

use tapeout_config::{Config, Type, Variable};
use tapeout_model::Value;

/// A variable that limits the time of a tool, in seconds. Without a default there is no limit.
pub(crate) fn variable(name: &'static str, doc: &'static str) -> Variable {
    Variable::new(name, Type::Int, doc).units("s").check(|value| match value {
        Value::Int(seconds) if *seconds <= 0 => Err("must be above 0".to_owned()),
        _ => Ok(()),
    })
}

/// The limit that such a variable sets.
pub(crate) fn of(config: &Config, name: &str) -> Option<Duration> {
    config.opt_int(name).and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
}
