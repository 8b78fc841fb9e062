//! Readers of the files, reports and logs of EDA tools: pure functions from text to values.
//!
//! One module per format. Nothing here opens a file, starts a process or prints, and no input makes it panic:
//! text that is not what the format says gives a [`FormatError`] with the line and what was expected there.
//! Keys and lines that a reader does not know are passed over, so that newer versions of a tool still read.
//!
//! - [`pcf`]: physical constraints of iCE40 designs.
//! - [`pin_order`]: on which sides of a block its pins stand.
//! - [`yosys_stat`], [`yosys_netlist`]: the statistics and the ports and cell types of a netlist.
//! - [`liberty`]: the cells of a library, their pins and areas.
//! - [`netlist`]: the flat netlist of library cells, its names, and what is written of it.
//! - [`spice`]: subcircuits, read and written.
//! - [`graywolf`], [`qrouter`]: the files of placer and router.
//! - [`spef`]: parasitics, written.
//! - [`icetime`], [`opensta`]: the reports of timing analysis.
//! - [`asc`]: whether a placed and routed iCE40 design is complete.
//! - [`lef`], [`def`]: the cells and layers of a process, and a design's floorplan, placement and routing, read and
//!   written. [`geometry`] is what they share.
//! - [`tcl`]: values as the Tcl scripts of tools read them.
//! - [`protocol`]: metrics and reports that a tool's script tells in its output.
//! - [`alerts`]: what the tools complain about in their logs.

pub mod alerts;
pub mod asc;
pub mod def;
mod error;
pub mod geometry;
pub mod graywolf;
pub mod icetime;
pub mod lef;
pub mod liberty;
pub mod makefile_deps;
pub mod netlist;
pub mod nextpnr;
pub mod opensta;
pub mod pcf;
pub mod pin_order;
pub mod protocol;
pub mod qrouter;
pub mod spef;
pub mod spice;
pub mod tcl;
mod words;
pub mod yosys_netlist;
pub mod yosys_stat;

pub use error::FormatError;
