//! The files of qrouter, the router: resistances and capacitances of nets ([`rc`]), and its log ([`log`]).

pub mod log;
pub mod rc;
