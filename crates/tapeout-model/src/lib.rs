//! Plain typed data of a hardware design flow. No I/O: nothing here opens a file, starts a process or prints.
//!
//! - [`Value`]: what a configuration variable holds.
//! - [`Decimal`]: numbers that print as they were written.
//! - [`Metrics`]: named measurements, after METRICS2.1. [`MetricName`] and [`KnownMetric`] say what a name means,
//!   [`aggregated`] and [`compared`] work on whole sets, [`Filter`] picks from them.
//! - [`DesignFormat`], [`View`], [`State`]: the files of a design at one point of a flow.
//! - [`Data`]: what a task gives to others.
//! - [`Digest`], [`Part`], [`Read`], [`Record`]: what a job read and what came out of it.
//! - [`Alert`], [`Class`]: what went wrong, and whose turn it is to act.

mod alert;
mod arithmetic;
mod data;
mod decimal;
mod digest;
mod format;
mod metrics;
mod part;
mod record;
mod shell;
mod snapshot;
mod state;
mod tool;
mod value;

pub use alert::{Alert, Class, Severity};
pub use data::{Data, FilePath};
pub use decimal::{Decimal, InvalidDecimal};
pub use digest::{Digest, InvalidDigest};
pub use format::{DesignFormat, FORMATS};
pub use metrics::{
    Aggregation, Change, DEFAULT_FILTER, Difference, Filter, InvalidPattern, InvalidTolerance, KNOWN_METRICS,
    KnownMetric, Metric, MetricName, Metrics, Preference, Show, Tolerance, Tolerances, aggregated, compared,
    read_metrics, unit_of,
};
pub use part::Part;
pub use record::{Attempt, Output, PeakBy, Read, Record, Verdict};
pub use shell::shell_quoted;
pub use snapshot::{csv_field, metrics_csv, metrics_json};
pub use state::{State, View};
pub use tool::ToolSettings;
pub use value::Value;
