//! What built-in functions complain of: a message, and what to do about it. Where it happened is added by starlark.

use std::fmt;

use starlark::ErrorKind;
use tapeout_flow::Failure;

/// A complaint with a hint.
#[derive(Debug)]
pub(crate) struct Complaint {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Complaint {}

/// A failure of something that the script asked for, on its way through starlark.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Failure);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Refused {}

/// An error of a built-in function.
pub(crate) fn complaint(message: impl Into<String>) -> starlark::Error {
    starlark::Error::new_kind(ErrorKind::Native(Complaint { message: message.into(), help: None }.into()))
}

/// An error of a built-in function, with what to do.
pub(crate) fn complaint_with(message: impl Into<String>, help: impl Into<String>) -> starlark::Error {
    starlark::Error::new_kind(ErrorKind::Native(Complaint { message: message.into(), help: Some(help.into()) }.into()))
}

/// The error of a `ctx` that is used when its function has ended.
pub(crate) fn useless_ctx() -> starlark::Error {
    complaint("`ctx` is of no use outside the function that it was given to")
}

/// Carries a failure through starlark.
pub(crate) fn refused(failure: Failure) -> starlark::Error {
    starlark::Error::new_kind(ErrorKind::Native(Refused(failure).into()))
}
