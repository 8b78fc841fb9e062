//! Decks: scripts of a PDK that KLayout runs. Whether a deck can run here is asked before, and what could not run is not
//! passed.

use tapeout_engine::Version;
use tapeout_flow::{Command, Completed, Invocation, Session, StepCx, StepResult, Type, Variable};
use tapeout_model::Verdict;

use super::environment;

/// The file in which a KLayout says which one it is.
const VERSION: &str = "version.txt";

/// The oldest KLayout that runs the decks of the PDK.
pub(super) fn minimum_version() -> Variable {
    Variable::new(
        "KLAYOUT_DECK_VERSION",
        Type::Str,
        "The oldest KLayout that runs the decks of the PDK, such as `0.30.0`. With an older one they are not run, and count \
         as not checked.",
    )
    .optional()
    .from_pdk()
}

/// A session that asks KLayout for its version.
pub(super) fn ask_version() -> Session {
    Invocation {
        commands: vec![Command::new("klayout").args(["-v"]).stdout(VERSION)],
        outputs: vec![VERSION.to_owned()],
        env: environment(),
        ..Invocation::default()
    }
    .into()
}

/// Why the decks cannot run with the KLayout of that session, if so.
pub(super) fn too_old(cx: &StepCx<'_, '_>, asked: &Completed) -> Option<String> {
    let minimum = cx.config.opt_str("KLAYOUT_DECK_VERSION")?;
    let found = cx.text(asked, VERSION).unwrap_or_default();
    too_old_for(minimum, &found)
}

fn too_old_for(minimum: &str, found: &str) -> Option<String> {
    let older = match (Version::find_in(found), Version::find_in(minimum)) {
        (Some(found), Some(minimum)) => found < minimum,
        // A version that cannot be read is no reason not to try.
        _ => false,
    };
    older.then(|| format!("the deck needs KLayout {minimum}, and {} is found", found.trim()))
}

/// Why a deck did not get to its end that wants what this KLayout does not have.
pub(super) fn misses_something(log: &str) -> Option<String> {
    let line = log.lines().find(|line| line.contains("uninitialized constant RBA::"))?;
    Some(format!("the deck needs a newer KLayout: {}", line.trim_start_matches("ERROR:").trim()))
}

/// A result that says nothing of the design.
pub(super) fn not_checked(reason: String) -> StepResult {
    StepResult { verdict: Verdict::NotChecked { reason }, ..StepResult::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deck_that_needs_a_newer_klayout_is_not_available() {
        let reason = too_old_for("0.30.0", "KLayout 0.28.5\n");
        assert_eq!(reason.as_deref(), Some("the deck needs KLayout 0.30.0, and KLayout 0.28.5 is found"));
        assert_eq!((too_old_for("0.28.5", "KLayout 0.28.5"), too_old_for("0.28.5", "?")), (None, None));
        let log = "x\nERROR: uninitialized constant RBA::EdgePairToEdgeOperator in a.lydrc\n";
        let reason = "the deck needs a newer KLayout: uninitialized constant RBA::EdgePairToEdgeOperator in a.lydrc";
        assert_eq!(misses_something(log).as_deref(), Some(reason));
    }
}
