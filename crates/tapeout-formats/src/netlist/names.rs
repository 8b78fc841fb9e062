//! What nets and instances are called: one name for Verilog, DEF, SPICE, SPEF, graywolf and qrouter.
//!
//! SPICE and netgen do not tell upper from lower case, Verilog has nets and instances in one name space, graywolf and
//! qrouter read words, and `0` is the ground of every SPICE netlist. So a name is letters, digits and `_`, begins with a
//! letter or `_`, is in no other case a name of something else, and is no word of those languages. Only the bits of ports
//! have brackets, as in `a[3]`.

use std::collections::HashSet;

use super::NetlistError;

/// Longer names of the sources are replaced: the tools have buffers of fixed size.
const LONGEST: usize = 64;

/// Words of Verilog (IEEE 1364-2005, annex B) and of DEF, and names that stand for supplies in SPICE, in lower case.
const WORDS: &str = "always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign default \
    defparam design disable edge else end endcase endconfig endfunction endgenerate endmodule endprimitive endspecify \
    endtable endtask event for force forever fork function generate genvar highz0 highz1 if ifnone incdir include initial \
    inout input instance integer join large liblist library localparam macromodule medium module nand negedge nmos nor \
    noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1 pulldown pullup \
    pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat rnmos rpmos rtran rtranif0 rtranif1 \
    scalared showcancelled signed small specify specparam strong0 strong1 supply0 supply1 table task time tran tranif0 \
    tranif1 tri tri0 tri1 triand trior trireg unsigned use vectored wait wand weak0 weak1 while wire wor xnor xor \
    logic bit byte int do return new pin nets pins components vss vdd gnd vcc nil";

/// The names that are taken.
pub(super) struct Names {
    /// In lower case.
    taken: HashSet<String>,
    /// The names of supplies, in lower case.
    supplies: Vec<String>,
}

impl Names {
    /// With the words that no net may be called.
    pub(super) fn new(supplies: &[&str]) -> Self {
        let words = WORDS.split_whitespace().chain(supplies.iter().copied());
        Self {
            taken: words.map(str::to_ascii_lowercase).collect(),
            supplies: supplies.iter().map(|name| name.to_ascii_lowercase()).collect(),
        }
    }

    /// Takes the name of a port or a bit of one, which must be as the sources have it.
    pub(super) fn port(&mut self, name: &str, bit: &str) -> Result<(), NetlistError> {
        let wrong = |why: String| NetlistError::Name { what: "port", name: bit.to_owned(), why };
        if let Some(why) = unsafe_because(name) {
            return Err(wrong(why));
        }
        // A port may be called as a word only where it has an index.
        let name = bit.to_ascii_lowercase();
        if !self.taken.insert(name.clone()) {
            let why = if self.supplies.contains(&name) {
                "it is the name of a supply, as `VDD_NETS`, `GND_NETS`, `VDD_PIN` and `GND_PIN` have it"
            } else if WORDS.split_whitespace().any(|word| word.eq_ignore_ascii_case(&name)) {
                "it is a reserved word in one of them"
            } else {
                "another port differs from it only in upper and lower case"
            };
            return Err(wrong(why.to_owned()));
        }
        Ok(())
    }

    /// Takes a name: the first candidate that is free, as [`readable`] makes it, else `fallback` with as many `_` behind it
    /// as it takes.
    pub(super) fn give<'c>(&mut self, candidates: impl IntoIterator<Item = &'c str>, fallback: String) -> String {
        for candidate in candidates {
            if let Some(name) = readable(candidate).filter(|name| self.taken.insert(name.to_ascii_lowercase())) {
                return name;
            }
        }
        let mut name = fallback;
        while !self.taken.insert(name.to_ascii_lowercase()) {
            name.push('_');
        }
        name
    }
}

/// Why a name of the sources cannot stay as it is.
pub(super) fn unsafe_because(name: &str) -> Option<String> {
    if let Some(c) = name.chars().find(|c| !is_plain(*c)) {
        return Some(format!("`{c}` is none of letters, digits and `_`"));
    }
    match name.chars().next() {
        None => Some("it is empty".to_owned()),
        Some(c) if c.is_ascii_digit() => Some("it begins with a digit".to_owned()),
        Some(_) => None,
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// A name with `_` for what is neither letter nor digit: `core.state[3]` is `core_state_3`. None for what has no letter to
/// begin with, is too long, or begins like a name that graywolf makes itself.
fn readable(name: &str) -> Option<String> {
    let mut new = String::with_capacity(name.len());
    for c in name.chars() {
        if is_plain(c) {
            new.push(c);
        } else if !new.ends_with('_') {
            new.push('_');
        }
    }
    if !name.ends_with('_') {
        new.truncate(new.trim_end_matches('_').len());
    }
    let first = new.chars().find(|c| *c != '_')?;
    let lower = new.to_ascii_lowercase();
    (first.is_ascii_alphabetic() && new.len() <= LONGEST && !lower.starts_with("tw")).then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_readable_where_they_can_be() {
        let cases = [
            ("state", Some("state")),
            ("core.state[3]", Some("core_state_3")),
            ("_x_", Some("_x_")),
            ("_00_", None),
            ("0", None),
            ("a$b", Some("a_b")),
            ("é", None),
            ("", None),
            ("twpin_a", None),
        ];
        for (name, expected) in cases {
            assert_eq!(readable(name).as_deref(), expected, "{name}");
        }
        assert_eq!(readable(&"x".repeat(65)), None);
    }

    #[test]
    fn no_two_things_have_one_name() {
        let mut names = Names::new(&["VPWR"]);
        names.port("a", "a[0]").unwrap();
        names.port("Clk", "Clk").unwrap();
        assert_eq!(names.give(["clk", "clock"], "n1".into()), "clock");
        assert_eq!(names.give(["CLOCK"], "n2".into()), "n2");
        assert_eq!(names.give(["N2", "vpwr", "wire"], "n2".into()), "n2_");
        for (name, bit) in [("CLK", "CLK"), ("vpwr", "vpwr"), ("a.b", "a.b"), ("0", "0"), ("", ""), ("wire", "wire")] {
            assert!(names.port(name, bit).is_err(), "{name}");
        }
        assert!(names.port("A", "A[0]").is_err());
    }
}
