//! The core's instructions: an assembler, and a model that says what a program puts out.

/// How many instructions a program can have.
pub(crate) const DEPTH: usize = 256;

/// The bits of a word below the operation: its operand.
const OPERAND_BITS: u16 = 8;

/// The operations by their numbers. Whether one has an operand says the flag.
const OPERATIONS: [(&str, bool); 6] =
    [("ldi", true), ("add", true), ("xor", true), ("rol", false), ("out", false), ("jmp", true)];

/// Translates a program: a word of twelve bits for each instruction.
///
/// # Errors
/// The first line that is no instruction, and why.
pub(crate) fn assemble(source: &str) -> Result<Vec<u16>, String> {
    let mut labels: Vec<(&str, usize)> = Vec::new();
    let mut instructions: Vec<(usize, &str)> = Vec::new();
    for (line, text) in (1..).zip(source.lines()) {
        let text = text.split(';').next().unwrap_or_default().trim();
        match text.strip_suffix(':') {
            Some(label) => labels.push((label.trim(), instructions.len())),
            None if text.is_empty() => {}
            None => instructions.push((line, text)),
        }
    }
    if instructions.len() > DEPTH {
        return Err(format!("the program has {} instructions, and the core has room for {DEPTH}", instructions.len()));
    }
    let word = |(line, text): (usize, &str)| encode(text, &labels).map_err(|reason| format!("line {line}: {reason}"));
    instructions.into_iter().map(word).collect()
}

fn encode(text: &str, labels: &[(&str, usize)]) -> Result<u16, String> {
    let (name, operand) = text.split_once(char::is_whitespace).map_or((text, ""), |(name, rest)| (name, rest.trim()));
    let Some((code, (_, has_operand))) = (0_u16..).zip(OPERATIONS).find(|(_, (known, _))| *known == name) else {
        return Err(format!("there is no instruction `{name}`"));
    };
    let operand = match (operand, has_operand) {
        ("", false) => 0,
        ("", true) => return Err(format!("`{name}` needs an operand")),
        (operand, false) => return Err(format!("`{name}` has no operand, found `{operand}`")),
        (operand, true) => match labels.iter().find(|(label, _)| *label == operand) {
            Some((_, place)) => *place as u16,
            None => {
                operand.parse::<u8>().map_err(|_| format!("`{operand}` is no label and no number up to 255"))?.into()
            }
        },
    };
    Ok(code << OPERAND_BITS | operand)
}

/// The first `count` values that a program puts out; fewer if it puts out nothing for long.
pub(crate) fn outputs(program: &[u16], count: usize) -> Vec<u8> {
    /// So many instructions may lie between two values.
    const PATIENCE: usize = 1 << 16;
    let (mut place, mut accumulator) = (0_u8, 0_u8);
    let mut values = Vec::new();
    let mut idle = 0;
    while values.len() < count && idle < PATIENCE {
        let word = program.get(usize::from(place)).copied().unwrap_or_default();
        let operand = word as u8;
        place = place.wrapping_add(1);
        idle += 1;
        match word >> OPERAND_BITS {
            0 => accumulator = operand,
            1 => accumulator = accumulator.wrapping_add(operand),
            2 => accumulator ^= operand,
            3 => accumulator = accumulator.rotate_left(1),
            4 => {
                values.push(accumulator);
                idle = 0;
            }
            _ => place = operand,
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::{assemble, outputs};

    #[test]
    fn a_program_becomes_words_and_the_words_do_what_it_says() {
        let words = assemble("  ldi 1   ; begin\nagain:\n  out\n  rol\n  jmp again\n").unwrap();
        assert_eq!(words, [0x001, 0x400, 0x300, 0x501]);
        assert_eq!(outputs(&words, 9), [1, 2, 4, 8, 16, 32, 64, 128, 1]);
        assert!(outputs(&assemble("again:\njmp again").unwrap(), 3).is_empty(), "it ends");
    }

    #[test]
    fn what_is_no_instruction_is_said_with_its_line() {
        for (source, expected) in [
            ("out\n\nlod 1", "line 3: there is no instruction `lod`"),
            ("ldi", "line 1: `ldi` needs an operand"),
            ("out 3", "line 1: `out` has no operand, found `3`"),
            ("jmp agian", "line 1: `agian` is no label and no number up to 255"),
        ] {
            assert_eq!(assemble(source).unwrap_err(), expected);
        }
        assert!(assemble(&"out\n".repeat(257)).unwrap_err().contains("has 257 instructions"));
    }
}
