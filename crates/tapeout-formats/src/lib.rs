//! Readers of the files, reports and logs of EDA tools: pure functions from text to values.
//!
//! One module per format. Nothing here opens a file, starts a process or prints, and no input makes it panic:
//! text that is not what the format says gives a [`FormatError`] with the line and what was expected there.
//! Keys and lines that a reader does not know are passed over, so that newer versions of a tool still read.
//!
//! - [`pcf`]: physical constraints of iCE40 designs.
//! - [`pin_order`]: on which sides of a block its pins stand.
//! - [`yosys_stat`], [`yosys_netlist`]: the statistics and the ports and cell types of a netlist.
//! - [`icetime`]: the timing report of icetime.
//! - [`asc`]: whether a placed and routed iCE40 design is complete.
//! - [`gds`]: layouts as GDSII.
//! - [`lyrdb`]: violations of design rules that KLayout found.
//! - [`magic_drc`]: violations of design rules that Magic found.
//! - [`netgen`]: how a layout and a netlist compare.
//! - [`tcl`]: values as the Tcl scripts of tools read them.
//! - [`protocol`]: metrics and reports that a tool's script tells in its output.
//! - [`alerts`]: what the tools complain about in their logs.

pub mod alerts;
pub mod asc;
mod error;
pub mod gds;
pub mod icetime;
pub mod lyrdb;
pub mod magic_drc;
pub mod makefile_deps;
pub mod netgen;
pub mod nextpnr;
pub mod pcf;
pub mod pin_order;
pub mod protocol;
pub mod tcl;
pub mod yosys_netlist;
pub mod yosys_stat;

pub use error::FormatError;
