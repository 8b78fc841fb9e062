//! The two texts of a pack: the script that runs the commands, and what there is to say of it.

use std::path::Path;

use super::Pack;

/// The exit status of the script when a command other than the last one ends as it did not then.
pub(super) const OTHER_END: i32 = 100;

impl Pack {
    pub(super) fn run_script(&self) -> String {
        let work = self.layout.work().display().to_string();
        let mut text = String::from("#!/bin/sh\n# Does again what README.md tells of. Needs nothing but the tools.\n");
        text.push_str(&format!("cd \"$(dirname \"$0\")\" && cd {} || exit 99\n", tapeout_model::shell_quoted(&work)));
        text.push_str("export LC_CTYPE=C.UTF-8 TZ=UTC\n");
        for (index, command) in self.commands.iter().enumerate() {
            text.push_str(&format!("\n{command}\n"));
            if index + 1 == self.commands.len() {
                text.push_str("exit $?\n");
            } else {
                let then = self.statuses.get(index).copied().unwrap_or_default();
                text.push_str(&format!(
                    "status=$?; [ $status = {then} ] || {{ echo \"exit status $status, then it was {then}\" >&2; exit \
                     {OTHER_END}; }}\n"
                ));
            }
        }
        text
    }

    pub(super) fn readme(&self) -> String {
        let mut text =
            format!("# {}\n\nWhat the tools of the step `{}` did, to be done again.\n", self.step, self.step);
        text.push_str("\n## Tools\n\n| tool | version |\n|---|---|\n");
        for tool in &self.tools {
            let name =
                Path::new(&tool.path).file_name().map_or(tool.name.as_str().into(), |name| name.to_string_lossy());
            text.push_str(&format!("| `{name}` | {} |\n", tool.version.as_deref().unwrap_or("it does not say")));
        }
        text.push_str("\n## Running it\n\n    ./run.sh\n\nThe tools must be on `PATH`. They run in ");
        text.push_str(&format!("`{}` and write there.\n", self.layout.work().display()));
        if !self.with_tools.is_empty() {
            text.push_str("\nThe commands also name files that come with the tools, and are not here:\n\n");
            self.with_tools.iter().for_each(|path| text.push_str(&format!("- `{path}`\n")));
        }
        text.push_str("\n## What came of it\n\n");
        if let Some(reason) = &self.reason {
            text.push_str(&format!("{reason}.\n\n"));
        }
        for (index, command) in self.commands.iter().enumerate() {
            let command = command.lines().next().unwrap_or_default();
            let status = match self.statuses.get(index) {
                Some(status) => format!("exit status {status}"),
                None if self.timed_out => "ended when its time was up".to_owned(),
                None => "it did not end".to_owned(),
            };
            text.push_str(&format!("- {status}: `{command}`\n"));
        }
        if let Some((name, _)) = &self.log {
            text.push_str(&format!("\nWhat they said then is in `expected/{name}`."));
        }
        if !self.outputs.is_empty() {
            text.push_str(&format!(
                "\nThe files that were written have the digests in `expected/SHA256SUMS`:\n\n    cd {}\n    sha256sum -c \
                 {}\n",
                self.layout.work().display(),
                self.layout.root().join("expected/SHA256SUMS").display()
            ));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }
}
