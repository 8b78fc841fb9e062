//! The JSON that nextpnr writes with `--report`: achieved frequency of each clock, utilisation, critical paths.
//!
//! Source of the format: the comment "Report JSON structure" in nextpnr's `common/kernel/report.cc`, and files written
//! by nextpnr-ice40 0.4. Differences from version 0.4 on are tolerated: `budget` exists in old reports only, `sources` in
//! new ones only. `detailed_net_timings` is passed over; its `delay` is a number in 0.4 and a pair later.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::FormatError;

/// The report of one run of nextpnr.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Report {
    /// By clock net, as nextpnr names it after promotion; [`clock_source`] gives the name in the design.
    ///
    /// Only clocks with a path from one register to another *of the same clock and edge pair* are here: a clock that a
    /// design constrains can be absent, and then nothing was checked for it.
    pub fmax: BTreeMap<String, Fmax>,
    /// By type of bel, such as `ICESTORM_LC`.
    pub utilization: BTreeMap<String, Utilization>,
    /// The worst path of each pair of clock events.
    pub critical_paths: Vec<CriticalPath>,
}

/// What a clock reaches, and what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Fmax {
    /// MHz; infinite if the path takes no time.
    #[serde(deserialize_with = "finite_or_infinity")]
    pub achieved: f64,
    /// The target that nextpnr used for this clock, in MHz: of `set_frequency`, derived from a PLL, or else of `--freq`.
    ///
    /// nextpnr keeps periods in whole picoseconds, so this differs from what was asked for by up to one picosecond of the
    /// period (55 MHz comes back as 55.0025), and a target derived from a PLL by some more.
    #[serde(deserialize_with = "finite_or_infinity")]
    pub constraint: f64,
}

/// How much of one kind of resource is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Utilization {
    /// Count.
    pub used: u64,
    /// Count on the die. Parts that sell a larger die as a smaller one (LP4K, HX4K, U1K) give the die's.
    pub available: u64,
}

/// The worst path between two clock events.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct CriticalPath {
    /// `posedge NET`, `negedge NET` or `<async>`.
    pub from: String,
    /// As `from`.
    pub to: String,
    /// In the order of the signal.
    #[serde(default)]
    pub path: Vec<Segment>,
}

impl CriticalPath {
    /// Delay of the whole path in ns, without clock skew.
    #[must_use]
    pub fn delay_ns(&self) -> f64 {
        self.path.iter().map(|segment| segment.delay).sum()
    }

    /// Delay of the wires of the path in ns.
    #[must_use]
    pub fn routing_ns(&self) -> f64 {
        self.path.iter().filter(|segment| segment.kind == SegmentKind::Routing).map(|segment| segment.delay).sum()
    }
}

/// One part of a path: through a cell, or along a net.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Segment {
    /// What it goes through.
    #[serde(rename = "type")]
    pub kind: SegmentKind,
    /// ns.
    pub delay: f64,
    /// Where it starts.
    pub from: Pin,
    /// Where it ends.
    pub to: Pin,
    /// The net, for routing.
    #[serde(default)]
    pub net: Option<String>,
    /// The delay the placer allowed, in ns, for routing; up to about version 0.7.
    #[serde(default)]
    pub budget: Option<f64>,
    /// Where the net is declared (`file.v:3.7-3.9`), for routing; in later versions.
    #[serde(default)]
    pub sources: Vec<String>,
}

/// What a segment goes through.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SegmentKind {
    /// From the clock pin of a register to its output.
    ClkToQ,
    /// From an input of the device or an asynchronous output.
    Source,
    /// Through a cell.
    Logic,
    /// Along a net.
    Routing,
    /// The time before the clock at which the last register needs its input.
    Setup,
    /// A kind that this reader does not know, in nextpnr's word.
    #[serde(untagged)]
    Other(String),
}

/// One pin of a placed cell.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Pin {
    /// The cell after packing.
    pub cell: String,
    /// The port of the cell.
    pub port: String,
    /// Column and row of the tile.
    #[serde(default)]
    pub loc: Option<(i32, i32)>,
}

/// nextpnr's JSON writer has no word for infinity and writes `null`.
fn finite_or_infinity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
}

/// Reads a report.
///
/// # Errors
/// If the text is not JSON (nextpnr exits 0 even if the disk is full) or a value has another type than the format says.
pub fn parse(text: &str) -> Result<Report, FormatError> {
    serde_json::from_str(text).map_err(|error| FormatError::json("nextpnr report", &error))
}

/// The name in the design of a clock net of nextpnr: without the suffixes that packing of an input (`$SB_IO_IN`) and
/// promotion to a global net (`_$glb_clk`) add.
#[must_use]
pub fn clock_source(net: &str) -> &str {
    let net = net.strip_suffix("_$glb_clk").unwrap_or(net);
    net.strip_suffix("$SB_IO_IN").unwrap_or(net)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_version_0_4() {
        let report = parse(include_str!("../tests/data/nextpnr-0.4-report.json")).unwrap();
        let clock = report.fmax["clk$SB_IO_IN_$glb_clk"];
        assert_eq!((clock.achieved.round(), clock.constraint), (684.0, 12.0));
        assert_eq!(report.utilization["ICESTORM_LC"], Utilization { used: 3, available: 1280 });
        let path = &report.critical_paths[0];
        assert_eq!((path.from.as_str(), path.path.len()), ("posedge clk$SB_IO_IN_$glb_clk", 3));
        assert_eq!(path.path[0].kind, SegmentKind::ClkToQ);
        assert_eq!(path.path[1].net.as_deref(), Some("q$SB_IO_OUT"));
        assert_eq!(path.path[1].to.loc, Some((2, 16)));
        assert!((path.delay_ns() - 1.463).abs() < 1e-3 && (path.routing_ns() - 0.588).abs() < 1e-3);
        assert_eq!(report.critical_paths[1].path[0].kind, SegmentKind::Source);
    }

    #[test]
    fn what_other_versions_add_or_leave_out() {
        let later = r#"{"fmax": {"c": {"achieved": null, "constraint": 90.00090026855469}}, "new": [1],
            "critical_paths": [{"from": "<async>", "to": "negedge c", "path": [{"delay": 1, "type": "hold", "sources": ["a.v:1.1-1.2"],
            "from": {"cell": "a", "port": "O"}, "to": {"cell": "b", "port": "I0", "loc": [1, 2]}}]}],
            "detailed_net_timings": [{"endpoints": [{"delay": [0.1, 0.2]}]}]}"#;
        let report = parse(later).unwrap();
        assert!(report.fmax["c"].achieved.is_infinite());
        assert_eq!(report.critical_paths[0].path[0].kind, SegmentKind::Other("hold".to_owned()));
        assert!(report.utilization.is_empty());
    }

    #[test]
    fn a_cut_report_names_the_place() {
        let error = parse("{\"fmax\": {\"c\":\n {\"achieved\": 1").unwrap_err();
        assert_eq!(error.to_string(), "nextpnr report, line 2, column 15: EOF while parsing an object");
        let error = parse(r#"{"utilization": {"A": {"used": "x", "available": 1}}}"#).unwrap_err();
        assert!(error.to_string().contains("expected u64"), "{error}");
    }

    #[test]
    fn clock_names_of_the_design() {
        assert_eq!(clock_source("clk_a$SB_IO_IN_$glb_clk"), "clk_a");
        assert_eq!(clock_source("div_$glb_clk"), "div");
        assert_eq!(clock_source("c2"), "c2");
    }
}
