//! The iCE40 devices, and the packages that nextpnr-ice40 0.4 and later place for each.

use tapeout_config::Config;
use tapeout_flow::{Type, Variable};

/// A device of the iCE40 family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    /// As nextpnr's flag and the variable `ICE40_DEVICE` name it.
    pub(crate) name: &'static str,
    /// The die, as icetime names it with the speed grade, and IceStorm without.
    pub(crate) die: &'static str,
    /// Packages it comes in.
    pub(crate) packages: &'static [&'static str],
    /// Bytes of a bitstream: icepack writes one of full size even from a layout that was cut off.
    pub(crate) bitstream_bytes: u64,
}

const P1K: &[&str] = &["cb121", "cb132", "cb81", "cm121", "cm36", "cm49", "cm81", "qn84", "swg16tr", "tq144", "vq100"];
const P4K: &[&str] = &["bg121", "cb132", "cm121", "cm225", "cm81", "tq144"];
const P8K: &[&str] = &["bg121", "cb132", "cm121", "cm225", "cm81", "ct256"];

const fn device(
    name: &'static str,
    die: &'static str,
    bitstream_bytes: u64,
    packages: &'static [&'static str],
) -> Device {
    Device { name, die, packages, bitstream_bytes }
}

/// Every device that nextpnr-ice40 has. Each was placed, packed and timed in each of its packages.
pub(crate) const DEVICES: &[Device] = &[
    device("lp384", "384", 7_334, &["cm36", "cm49", "qn32"]),
    device("lp1k", "1k", 32_220, P1K),
    device("hx1k", "1k", 32_220, P1K),
    device("lp4k", "8k", 135_100, P4K),
    device("hx4k", "8k", 135_100, P4K),
    device("lp8k", "8k", 135_100, P8K),
    device("hx8k", "8k", 135_100, P8K),
    device("up3k", "5k", 104_090, &["sg48", "uwg30"]),
    device("up5k", "5k", 104_090, &["sg48", "uwg30"]),
    device("u1k", "u4k", 71_260, &["sg48"]),
    device("u2k", "u4k", 71_260, &["sg48"]),
    device("u4k", "u4k", 71_260, &["sg48"]),
];

const NAMES: &[&str] = &["lp384", "lp1k", "hx1k", "lp4k", "hx4k", "lp8k", "hx8k", "up3k", "up5k", "u1k", "u2k", "u4k"];

/// `ICE40_DEVICE`.
pub(crate) fn device_variable() -> Variable {
    Variable::new("ICE40_DEVICE", Type::choice(NAMES.iter().copied()), "The device.")
}

/// `ICE40_PACKAGE`.
pub(crate) fn package_variable() -> Variable {
    Variable::new("ICE40_PACKAGE", Type::Str, "The package of the device, such as `ct256`.")
}

impl Device {
    /// The device of a configuration.
    pub(crate) fn of(config: &Config) -> Option<&'static Self> {
        let name = config.str("ICE40_DEVICE");
        DEVICES.iter().find(|device| device.name == name)
    }

    /// What `synth_ice40 -device` calls its family.
    pub(crate) fn synth_family(&self) -> &'static str {
        match &self.name[..1] {
            "h" => "hx",
            "l" => "lp",
            _ => "u",
        }
    }
}

/// Whether the package exists for the device.
pub(super) fn check(config: &Config) -> Result<(), (&'static str, String)> {
    let Some(device) = Device::of(config) else { return Ok(()) };
    let package = config.str("ICE40_PACKAGE");
    if device.packages.contains(&package) {
        return Ok(());
    }
    let packages = device.packages.join("`, `");
    Err(("ICE40_PACKAGE", format!("`{}` does not come in `{package}`; its packages are `{packages}`", device.name)))
}

/// What to try when nextpnr failed with these words.
pub(super) fn advice(log: &str) -> Option<String> {
    let cases = [
        ("package does not have a pin named", "look the pin up in the data sheet of the package in `ICE40_PACKAGE`"),
        ("no BELs remaining", "the design is too big for the device: choose a larger `ICE40_DEVICE`"),
        ("Unable to find a placement location", "the design is too big for the device: choose a larger `ICE40_DEVICE`"),
        ("ombinational loop", "break the loop, or add `--ignore-loops` to `NEXTPNR_EXTRA_ARGS` if it is meant"),
        // Also a warning, where it is allowed: what else is wrong comes first.
        (
            "is unconstrained in PCF",
            "give the port a pin in `PCF_FILE`, or set `PCF_ALLOW_UNCONSTRAINED: true` to let nextpnr choose",
        ),
    ];
    cases.iter().find(|(words, _)| log.contains(words)).map(|(_, advice)| (*advice).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choices_of_the_variable_are_the_devices() {
        let devices: Vec<&str> = DEVICES.iter().map(|device| device.name).collect();
        assert_eq!(devices, NAMES);
    }

    #[test]
    fn a_full_device_is_what_is_wrong_where_ports_without_pins_are_allowed() {
        let warning = "Warning: IO 'leds' is unconstrained in PCF and will be automatically placed";
        let full = format!("{warning}\nERROR: Unable to place cell 'a', no BELs remaining to implement it");
        assert!(advice(&full).unwrap().contains("larger `ICE40_DEVICE`"));
        assert!(advice("ERROR: IO 'leds' is unconstrained in PCF").unwrap().contains("PCF_FILE"));
    }
}
