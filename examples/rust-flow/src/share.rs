//! A hook: an edit of a step that is built in.

use tapeout::flow::{Failure, Hook, HookCx};

/// Has arithmetic shared before it is mapped.
pub fn share() -> Hook {
    Hook { doc: "Shares arithmetic.".to_owned(), ..Hook::after("Yosys.SynthIce40/coarse", "share", (CODE, more)) }
}

/// What changes with the function.
const CODE: &str = include_str!("share.rs");

fn more(cx: &mut HookCx<'_, '_, '_>) -> Result<(), Failure> {
    let top = cx.config().str("DESIGN_NAME").to_owned();
    cx.append(&format!("share -aggressive {top}"))
}
