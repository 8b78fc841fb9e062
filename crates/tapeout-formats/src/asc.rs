//! The text form of an iCE40 bitstream (`.asc`), as far as it takes to see that it is complete.
//!
//! nextpnr exits 0 if the disk is full, and icepack makes a bitstream of full size, and wrong, from a file that ends early,
//! both without a word; so someone has to count. Source of the format: IceStorm's `format.html`; numbers of tiles from
//! output of nextpnr-ice40 0.4 for each die.

use crate::FormatError;

const FORMAT: &str = "iCE40 .asc";

/// Rows of bits in each tile and in each block of memory contents.
const ROWS: usize = 16;

/// Die, as `.device` names it, and its number of tiles.
const TILES: [(&str, usize); 5] = [("384", 76), ("1k", 248), ("8k", 1152), ("5k", 828), ("u4k", 568)];

/// A complete design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asc {
    /// The die: `384`, `1k`, `8k`, `5k`, `u4k` or another.
    pub device: String,
    /// Number of tiles.
    pub tiles: usize,
    /// Number of memory blocks with contents.
    pub memories: usize,
    /// Number of nets with names. nextpnr writes them last; they don't reach the bitstream.
    pub symbols: usize,
}

/// Reads a design as nextpnr writes it and checks that nothing is cut off.
///
/// nextpnr names nets at the end of the file, if only those of constants; a file without a name is taken for cut off (so
/// are those of iceunpack, which has no names). A cut between two names is not noticed, and harmless.
///
/// # Errors
/// If there is no `.device`, a tile or block has not 16 rows, there are fewer tiles than the die has, or no `.sym`.
pub fn parse(text: &str) -> Result<Asc, FormatError> {
    let mut asc = Asc { device: String::new(), tiles: 0, memories: 0, symbols: 0 };
    // The block that rows belong to, the line it began in, and its rows so far.
    let mut open: Option<(&str, usize, usize)> = None;
    let mut lines = 0;
    for (index, line) in text.lines().enumerate() {
        lines = index + 1;
        if let Some(command) = line.strip_prefix('.') {
            closed(open.take())?;
            let word = command.split(' ').next().unwrap_or_default();
            match word {
                "device" => asc.device = command["device".len()..].trim().to_owned(),
                "sym" => asc.symbols += 1,
                "ram_data" => {
                    asc.memories += 1;
                    open = Some((word, lines, 0));
                }
                _ if word.ends_with("_tile") => {
                    asc.tiles += 1;
                    open = Some((word, lines, 0));
                }
                _ => {}
            }
        } else if let Some((_, _, rows)) = &mut open
            && !line.is_empty()
        {
            *rows += 1;
        }
    }
    closed(open)?;
    let missing = |expected: String| Err(FormatError::Missing { format: FORMAT, expected, lines });
    if asc.device.is_empty() {
        return missing("a line `.device DIE`".to_owned());
    }
    if let Some((_, tiles)) = TILES.iter().find(|(device, tiles)| *device == asc.device && *tiles > asc.tiles) {
        return missing(format!("{tiles} tiles of a {} (there are {})", asc.device, asc.tiles));
    }
    if asc.symbols == 0 {
        return missing("names of nets (`.sym`) at the end".to_owned());
    }
    Ok(asc)
}

fn closed(block: Option<(&str, usize, usize)>) -> Result<(), FormatError> {
    match block {
        Some((kind, line, rows)) if rows != ROWS => Err(FormatError::Line {
            format: FORMAT,
            line,
            expected: format!("{ROWS} rows in `.{kind}`"),
            found: rows.to_string(),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design(tiles: usize, end: &str) -> String {
        let block = |kind: &str| format!(".{kind} 1 0\n{}", "0110\n".repeat(ROWS));
        format!(".comment x\n.device 384\n{}{}{end}", block("io_tile").repeat(tiles), block("ram_data"))
    }

    #[test]
    fn a_complete_design() {
        let asc = parse(&design(76, "\n.sym 3 clk\n")).unwrap();
        assert_eq!(asc, Asc { device: "384".to_owned(), tiles: 76, memories: 1, symbols: 1 });
    }

    #[test]
    fn a_cut_is_seen_wherever_it_matters() {
        let whole = design(76, ".sym 3 clk\n");
        let symbols = whole.find(".sym").unwrap();
        assert!(whole.match_indices('\n').filter(|(at, _)| *at < symbols).all(|(at, _)| parse(&whole[..=at]).is_err()));
        let error = parse(&whole[..200]).unwrap_err();
        assert_eq!(error.to_string(), "iCE40 .asc, line 20: expected 16 rows in `.io_tile`, found 15");
        let error = parse(&design(75, ".sym 3 clk\n")).unwrap_err();
        assert_eq!(error.to_string(), "iCE40 .asc: expected 76 tiles of a 384 (there are 75), not found in 1295 lines");
        assert!(parse("").is_err());
    }
}
