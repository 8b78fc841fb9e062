//! Checkers: steps that run no tool and judge what others have measured.

mod setup;

use tapeout_flow::Registry;

pub(crate) fn register(registry: &mut Registry) {
    registry.add_step(setup::SetupViolations);
}
