//! Bash, which splits words at `=` and `:` and replaces only the last of the pieces. So `-c KEY=VALUE` needs a script of
//! its own, `bash.sh`; what the program is asked and answers is then the same as for other shells.

use std::ffi::OsString;
use std::io::{Error, Write};
use std::path::Path;

use clap::Command;
use clap_complete::engine;
use clap_complete::env::EnvCompleter;
use tapeout_model::shell_quoted;

/// Bash 4.4 or later.
pub(super) struct Bash;

const SCRIPT: &str = include_str!("bash.sh");

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        name == "bash"
    }

    fn write_registration(
        &self,
        variable: &str,
        name: &str,
        bin: &str,
        completer: &str,
        buf: &mut dyn Write,
    ) -> Result<(), Error> {
        let is_part = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let function = format!("_{}_complete", name.chars().map(is_part).collect::<String>());
        let script = SCRIPT.replace("@FUNCTION@", &function).replace("@VARIABLE@", variable);
        let script = script.replace("@BIN@", &shell_quoted(bin)).replace("@COMPLETER@", &shell_quoted(completer));
        buf.write_all(script.as_bytes())
    }

    /// The words end at the cursor.
    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        here: Option<&Path>,
        buf: &mut dyn Write,
    ) -> Result<(), Error> {
        let last = words.len().saturating_sub(1);
        for candidate in engine::complete(command, words, last, here)? {
            writeln!(buf, "{}", candidate.get_value().to_string_lossy())?;
        }
        Ok(())
    }
}
