//! `Icestorm.ReadBack`: a Verilog netlist from the bitstream, with the interface of the design.
//!
//! `icebox_vlog` gives a module with one port per pin. A wrapper with the ports of the design as they were declared lets
//! the design's own benches drive it. What `icebox_vlog` cannot express makes the step say that nothing was checked.

use std::fmt::Write as _;

use tapeout_flow::{
    Command, Completed, Failure, Input, Invocation, Session, Step, StepCx, StepInfo, StepResult, design_name,
};
use tapeout_formats::pcf;
use tapeout_formats::yosys_netlist::{self, Direction, Module, Netlist};
use tapeout_model::{Class, Verdict};

use crate::nextpnr::{device_variable, package_variable, pcf_variable};

pub(super) struct ReadBack;

/// Cells whose function is not in the netlist that `icebox_vlog` writes, or which have no model to simulate.
const OPAQUE: &[&str] = &[
    "SB_SPRAM256KA",
    "SB_MAC16",
    "SB_PLL40_CORE",
    "SB_PLL40_PAD",
    "SB_PLL40_2_PAD",
    "SB_PLL40_2F_CORE",
    "SB_PLL40_2F_PAD",
    "SB_HFOSC",
    "SB_LFOSC",
    "SB_I2C",
    "SB_SPI",
    "SB_RGBA_DRV",
    "SB_LEDDA_IP",
    "SB_LED_DRV_CUR",
    "SB_WARMBOOT",
    "SB_IO_I3C",
    "SB_IO_OD",
    "SB_FILTER_50NS",
];

const PINS: &str = "pins.pcf";
const RAW: &str = "raw.v";

impl Step for ReadBack {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Icestorm.ReadBack",
            "Read the bitstream back",
            "Makes a Verilog netlist from the packed bitstream, with the ports of the design. Logic, registers and block \
             RAM can be read back; single-port RAM, DSP blocks, PLLs and other hard blocks cannot, and the step says so.",
            env!("IMPLEMENTATION"),
        )
        .needs("bitstream")
        .needs("json")
        .makes(&["post_layout_nl"])
        .variables([design_name(), device_variable(), package_variable(), pcf_variable()])
        .variables(crate::icarus::bench_variables())
        .variables([super::post_layout::switch()])
        .tools(&["iceunpack", "icebox_vlog"])
        .sections(&[
            ("unpack", "Calls iceunpack."),
            ("read", "Calls icebox_vlog, which makes a netlist."),
        ])
    }

    fn nothing_to_do(&self, config: &tapeout_config::Config) -> Option<String> {
        super::post_layout::nothing_to_do(config)
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let Ok((netlist, pins)) = readable(cx)? else { return Ok(Vec::new()) };
        let bitstream = cx.view_file("bitstream")?;
        let top = top_of(&netlist)?.0;
        let unpacked = format!("{top}.asc");
        let unpack = Command::new("iceunpack").args([&bitstream.path, &unpacked]);
        let read = Command::new("icebox_vlog")
            .args(["-s", "-n", &inner(top), "-p", PINS, "-d", &icebox_package(cx), &unpacked])
            .stdout(RAW);
        let invocation = Invocation {
            commands: vec![unpack, read],
            inputs: vec![Input::Output(bitstream), Input::Text { name: PINS.to_owned(), text: pins }],
            outputs: vec![RAW.to_owned()],
            // The order of its output follows Python's hashes.
            env: [("PYTHONHASHSEED", "0"), ("PYTHONDONTWRITEBYTECODE", "1")].map(|(n, v)| (n.into(), v.into())).into(),
            ..Invocation::default()
        };
        Ok(vec![Session::from(invocation).call("unpack", 0).call("read", 1)])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let netlist = match readable(cx)? {
            Ok((netlist, _)) => netlist,
            Err(reason) => {
                return Ok(StepResult { verdict: Verdict::NotChecked { reason }, ..StepResult::default() });
            }
        };
        let (top, module) = top_of(&netlist)?;
        let raw = cx.text(&sessions[0], RAW)?;
        let path = format!("{top}_post_layout.v");
        let netlist = with_separate_ports(&raw).ok_or_else(|| cx.unreadable(RAW, "it does not begin with a module"))?;
        let written = cx.write(&path, format!("{netlist}\n{}", wrapper(top, module)).as_bytes())?;
        let mut result = StepResult::default().view("post_layout_nl", path);
        result.written.push(written);
        Ok(result)
    }
}

/// The synthesised netlist and the plain pin constraints, or why the bitstream cannot be read back into a netlist.
fn readable(cx: &mut StepCx<'_, '_>) -> Result<Result<(Netlist, String), String>, Failure> {
    let json = cx.view_file("json")?;
    let netlist = yosys_netlist::parse(&cx.output_text(&json)?).map_err(|error| cx.unreadable(&json.path, error))?;
    let (_, module) = top_of(&netlist)?;
    let opaque: Vec<&str> = OPAQUE.iter().copied().filter(|cell| module.cell_types.contains_key(*cell)).collect();
    if !opaque.is_empty() {
        return Ok(Err(format!("the design uses {}, which cannot be read back from a bitstream", opaque.join(", "))));
    }
    let Some(path) = cx.config.opt_str("PCF_FILE") else {
        return Ok(Err("without `PCF_FILE` it is not known which pin is which port".to_owned()));
    };
    let text = String::from_utf8(cx.read_source(path)?.unwrap_or_default()).unwrap_or_default();
    let constraints = pcf::parse(&text).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::new(Class::Input, format!("cannot read `{path}`: {}", errors.join("; ")))
    })?;
    let has_pin = |bit: &String| constraints.ios.iter().any(|io| io.port == *bit);
    let bits = module.ports.iter().flat_map(|(name, port)| port.bit_names(name));
    if let Some(bit) = bits.into_iter().find(|bit| !has_pin(bit)) {
        return Ok(Err(format!("`{path}` gives no pin for `{bit}`, so it is not known where it is in the bitstream")));
    }
    Ok(Ok((netlist, constraints.to_plain())))
}

fn top_of(netlist: &Netlist) -> Result<(&str, &Module), Failure> {
    netlist.top().ok_or_else(|| Failure::new(Class::Tool, "the netlist of Yosys has no top module"))
}

/// What IceStorm's database calls the package: 4K parts are 8K dies with fewer pins.
fn icebox_package(cx: &StepCx<'_, '_>) -> String {
    let package = cx.config.str("ICE40_PACKAGE");
    if cx.config.str("ICE40_DEVICE").ends_with("4k") && cx.config.str("ICE40_DEVICE") != "u4k" {
        format!("{package}:4k")
    } else {
        package.to_owned()
    }
}

fn inner(top: &str) -> String {
    format!("{top}__netlist")
}

/// The netlist with its ports declared behind the header. `icebox_vlog` declares them in the header and then once more as
/// wires and registers, which is an error (IEEE 1800-2017, 23.2.2.2) that newer simulators do not let pass.
fn with_separate_ports(netlist: &str) -> Option<String> {
    let (before, rest) = netlist.split_once("module ")?;
    let (name, rest) = rest.split_once(" (")?;
    let (ports, body) = rest.split_once(");\n")?;
    let ports: Vec<(&str, &str)> = ports.split(", ").map(|port| port.split_once(' ')).collect::<Option<_>>()?;
    let names: Vec<&str> = ports.iter().map(|(_, name)| *name).collect();
    let declared: String = ports.iter().map(|(direction, name)| format!("{direction} {name};\n")).collect();
    Some(format!("{before}module {name} ({});\n{declared}{body}", names.join(", ")))
}

/// A module with the ports of the design around the netlist, whose ports are the pins.
fn wrapper(top: &str, module: &Module) -> String {
    let mut text = format!("module {}(", escaped(top));
    for (i, (name, port)) in module.ports.iter().enumerate() {
        let direction = match port.direction {
            Direction::Input => "input",
            Direction::Output => "output",
            Direction::Inout => "inout",
        };
        let range = port.range().map(|(left, right)| format!(" [{left}:{right}]")).unwrap_or_default();
        let _ = write!(text, "{}\n  {direction}{range} {}", if i == 0 { "" } else { "," }, escaped(name));
    }
    let _ = write!(text, "\n);\n  {} netlist (", escaped(&inner(top)));
    let mut first = true;
    for (name, port) in &module.ports {
        for (i, bit) in port.bit_names(name).iter().enumerate() {
            let select = port.range().map(|_| format!("[{}]", i64::from(port.offset) + i as i64)).unwrap_or_default();
            let comma = if first { "" } else { "," };
            let _ = write!(text, "{comma}\n    .{} ({}{select})", escaped(bit), escaped(name));
            first = false;
        }
    }
    text.push_str("\n  );\nendmodule\n");
    text
}

/// A name as Verilog reads it whatever its characters (IEEE 1800-2017, 5.6.1).
fn escaped(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        name.to_owned()
    } else {
        format!("\\{name} ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_declared_once_as_ports() {
        let raw = "// x\n\nmodule n (input clk, output \\q[4] );\n\nwire clk;\nreg \\q[4]  = 0;\nendmodule\n";
        let expected =
            "// x\n\nmodule n (clk, \\q[4] );\ninput clk;\noutput \\q[4] ;\n\nwire clk;\nreg \\q[4]  = 0;\nendmodule\n";
        assert_eq!(with_separate_ports(raw).as_deref(), Some(expected));
        assert_eq!(with_separate_ports("nothing"), None);
    }

    #[test]
    fn the_wrapper_has_the_ports_as_declared_whatever_their_ranges() {
        let netlist = yosys_netlist::parse(
            r#"{"modules": {"top": {"attributes": {"top": "1"}, "ports": {
                "clk": {"direction": "input", "bits": [2]},
                "a": {"direction": "input", "bits": [3, 4], "upto": 1},
                "q": {"direction": "output", "bits": [5, 6], "offset": 4}}, "cells": {}}}}"#,
        )
        .unwrap();
        let (top, module) = netlist.top().unwrap();
        let expected = "module top(\n  input clk,\n  input [0:1] a,\n  output [5:4] q\n);\n  top__netlist netlist (\n    \
            .clk (clk),\n    .\\a[0]  (a[0]),\n    .\\a[1]  (a[1]),\n    .\\q[4]  (q[4]),\n    .\\q[5]  (q[5])\n  );\nendmodule\n";
        assert_eq!(wrapper(top, module), expected);
    }
}
