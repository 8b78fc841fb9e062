//! RAD-Gen's command line: its options and files, the structs of its subtools, and how fields follow from others. Looks
//! at the file system; starts no process and prints nothing. What the subtools do is not here.
//!
//! The names, defaults and shortcuts are those of RAD-Gen, so that its command lines and top configurations mean here
//! what they mean there.

mod asic_dse;
mod asic_dse_init;
mod coffe;
mod command_line;
mod common;
mod dump;
mod files;
mod flow_files;
mod help;
mod ic_3d;
mod object_dir;
mod options;
mod reproduce;
mod resolve;
mod subtool;
mod sweep;
mod words;

pub use asic_dse::{
    AsicDse, AsicDseMode, CommonAsicFlow, FlowMode, FlowStage, FlowStages, HammerFlow, RunMode, ScriptInfo,
    SramCompilerSettings, StdCellLib, VlsiMode,
};
pub use coffe::{Coffe, OptimizationType, SpiceSimulator};
pub use common::Common;
pub use dump::dump;
pub use files::Surroundings;
pub use help::help;
pub use ic_3d::Ic3d;
pub use object_dir::CannotWrite;
pub use resolve::{Request, Resolved, Settings, resolve, schema};
pub use subtool::Subtool;
pub use sweep::{
    DesignSweepInfo, Effort, RtlAxis, RtlSweepParams, SramMemory, SramSweepParams, SweepType, VlsiCustomMap,
    VlsiSweepParams, Whole,
};
