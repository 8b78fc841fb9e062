//! What commands do with targets of a project.

pub(super) mod docs;
pub(super) mod follow;
pub(super) mod logs;
pub(super) mod plan;
pub(super) mod run;
pub(super) mod status;
pub(super) mod why;
