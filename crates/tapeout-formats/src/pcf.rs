//! PCF, the physical constraints of iCE40 designs: `set_io` and `set_frequency`.
//!
//! Source of the format: nextpnr's `ice40/pcf.cc` (0.4), where `#` starts a comment anywhere and options of `set_io` stand
//! before the port. Stricter than nextpnr where nextpnr aborts without naming a line: an option without its value, a
//! frequency that is no number.

use std::fmt::Write as _;

use crate::FormatError;

/// A constraints file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pcf {
    /// In the order of the file.
    pub ios: Vec<SetIo>,
    /// In the order of the file; of several for one net the last one counts.
    pub frequencies: Vec<SetFrequency>,
}

/// `set_io [OPTIONS] PORT PIN`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetIo {
    /// Counted from 1.
    pub line: usize,
    /// A port bit of the top module: `q`, or `q[3]` for a bus, by declared index.
    pub port: String,
    /// A pin of the package: `21` or `A3`.
    pub pin: String,
    /// `-nowarn`: the port may be missing in the design.
    pub nowarn: bool,
    /// `-pullup yes|no|1|0`.
    pub pullup: Option<bool>,
    /// `-pullup_resistor`: `3P3K`, `6P8K`, `10K` or `100K`; nextpnr takes it on UP3K and UP5K only.
    pub pullup_resistor: Option<String>,
    /// Words that nextpnr warns about and ignores: unknown options, and all that follows the pin (such as `-pullup yes`
    /// in the wrong place).
    pub ignored: Vec<String>,
}

/// `set_frequency NET MHZ`.
#[derive(Clone, Debug, PartialEq)]
pub struct SetFrequency {
    /// Counted from 1.
    pub line: usize,
    /// A net of the design before packing; the name of an input port is one, the name after promotion is not.
    pub net: String,
    /// Target in MHz.
    pub mhz: f64,
}

impl Pcf {
    /// Only `set_io PORT PIN`, one a line. icetime aborts on any option of `set_io`, and icebox_vlog stops at one.
    #[must_use]
    pub fn to_plain(&self) -> String {
        self.ios.iter().fold(String::new(), |mut text, io| {
            let _ = writeln!(text, "set_io {} {}", io.port, io.pin);
            text
        })
    }
}

/// Reads a constraints file.
///
/// # Errors
/// All lines that nextpnr would refuse, in the order of the file.
pub fn parse(text: &str) -> Result<Pcf, Vec<FormatError>> {
    let mut pcf = Pcf::default();
    let mut errors = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let result = match words.next() {
            None => continue,
            Some("set_io") => set_io(line_number, words).map(|io| pcf.ios.push(io)),
            Some("set_frequency") => set_frequency(line_number, words).map(|target| pcf.frequencies.push(target)),
            Some(other) => Err(error(line_number, "`set_io` or `set_frequency`", other)),
        };
        errors.extend(result.err());
    }
    if errors.is_empty() { Ok(pcf) } else { Err(errors) }
}

const RESISTORS: [&str; 4] = ["3P3K", "6P8K", "10K", "100K"];

fn set_io<'a>(line: usize, mut words: impl Iterator<Item = &'a str>) -> Result<SetIo, FormatError> {
    let mut io = SetIo { line, ..SetIo::default() };
    let port = loop {
        match words.next() {
            Some("-nowarn") => io.nowarn = true,
            // Accepted by nextpnr and icetime, without effect.
            Some("--warn-no-port") => {}
            Some("-pullup") => {
                io.pullup = match words.next() {
                    Some("yes" | "1") => Some(true),
                    Some("no" | "0") => Some(false),
                    other => return Err(error(line, "`yes` or `no` after `-pullup`", other.unwrap_or_default())),
                }
            }
            Some("-pullup_resistor") => {
                let value = words.next().unwrap_or_default();
                if !RESISTORS.contains(&value) {
                    let expected = "`3P3K`, `6P8K`, `10K` or `100K` after `-pullup_resistor`";
                    return Err(error(line, expected, value));
                }
                io.pullup_resistor = Some(value.to_owned());
            }
            Some(option) if option.starts_with('-') => io.ignored.push(option.to_owned()),
            other => break other,
        }
    };
    io.port = port.ok_or_else(|| error(line, "a port and a pin: `set_io PORT PIN`", ""))?.to_owned();
    io.pin = words.next().ok_or_else(|| error(line, "a pin after the port: `set_io PORT PIN`", ""))?.to_owned();
    io.ignored.extend(words.map(str::to_owned));
    Ok(io)
}

fn set_frequency<'a>(line: usize, mut words: impl Iterator<Item = &'a str>) -> Result<SetFrequency, FormatError> {
    let net = words.next().ok_or_else(|| error(line, "a net and a frequency: `set_frequency NET MHZ`", ""))?;
    let word = words.next().ok_or_else(|| error(line, "a frequency after the net: `set_frequency NET MHZ`", ""))?;
    // nextpnr takes the number in front and ignores the rest, so that `20kHz` would mean 20 MHz.
    let number = word.strip_suffix("MHz").unwrap_or(word);
    match number.parse::<f64>() {
        Ok(mhz) if mhz.is_finite() && mhz > 0.0 => Ok(SetFrequency { line, net: net.to_owned(), mhz }),
        _ => Err(error(line, "a frequency in MHz", word)),
    }
}

fn error(line: usize, expected: &str, found: &str) -> FormatError {
    let found = if found.is_empty() { "the end of the line".to_owned() } else { format!("`{found}`") };
    FormatError::Line { format: "PCF", line, expected: expected.to_owned(), found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_comments_and_spacing() {
        let pcf = parse(
            "# board\r\n\nset_io\tclk  21 # 12 MHz\r\nset_io -nowarn -pullup yes -pullup_resistor 3P3K q[1] A2\n\
             set_io -io_std LVDS x 3 -pullup no\nset_frequency clk 12\nset_frequency c2 55.5MHz",
        )
        .unwrap();
        assert_eq!(pcf.ios[0], SetIo { line: 3, port: "clk".into(), pin: "21".into(), ..SetIo::default() });
        let q = &pcf.ios[1];
        assert_eq!((q.port.as_str(), q.pin.as_str(), q.nowarn, q.pullup), ("q[1]", "A2", true, Some(true)));
        assert_eq!(q.pullup_resistor.as_deref(), Some("3P3K"));
        // As nextpnr reads it: the value of an unknown option is taken for the port.
        assert_eq!((pcf.ios[2].port.as_str(), pcf.ios[2].pin.as_str()), ("LVDS", "x"));
        assert_eq!(pcf.ios[2].ignored, ["-io_std", "3", "-pullup", "no"]);
        assert_eq!(pcf.frequencies[0], SetFrequency { line: 6, net: "clk".into(), mhz: 12.0 });
        assert_eq!(pcf.frequencies[1].mhz, 55.5);
    }

    #[test]
    fn all_errors_at_once_with_their_lines() {
        let text = "set_io\nset_io a\nset_pin a 1\nset_io -pullup a 1\nset_io -pullup\nset_frequency c\n\
                    set_frequency c 20kHz\nset_frequency c -1\nset_io -pullup_resistor 5K a 1\nset_io a 1";
        let errors: Vec<_> = parse(text).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            errors,
            [
                "PCF, line 1: expected a port and a pin: `set_io PORT PIN`, found the end of the line",
                "PCF, line 2: expected a pin after the port: `set_io PORT PIN`, found the end of the line",
                "PCF, line 3: expected `set_io` or `set_frequency`, found `set_pin`",
                "PCF, line 4: expected `yes` or `no` after `-pullup`, found `a`",
                "PCF, line 5: expected `yes` or `no` after `-pullup`, found the end of the line",
                "PCF, line 6: expected a frequency after the net: `set_frequency NET MHZ`, found the end of the line",
                "PCF, line 7: expected a frequency in MHz, found `20kHz`",
                "PCF, line 8: expected a frequency in MHz, found `-1`",
                "PCF, line 9: expected `3P3K`, `6P8K`, `10K` or `100K` after `-pullup_resistor`, found `5K`",
            ]
        );
    }

    #[test]
    fn the_plain_form_reads_as_the_same_pins() {
        let pcf = parse("set_frequency c 1\nset_io -nowarn -pullup no a 1\nset_io b[0] C4").unwrap();
        assert_eq!(pcf.to_plain(), "set_io a 1\nset_io b[0] C4\n");
    }
}
