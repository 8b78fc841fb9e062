//! The subtools by name.

use std::fmt;

use tapeout_config::Schema;

/// A subtool of RAD-Gen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Schema)]
pub enum Subtool {
    /// The standard cell flow and its sweeps.
    AsicDse,
    /// The sizing of an FPGA's transistors.
    Coffe,
    /// The exploration of stacked dies.
    #[schema(name = "ic_3d")]
    Ic3d,
}

impl Subtool {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AsicDse, Self::Coffe, Self::Ic3d];

    /// The name: on the command line, and of its section in a file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AsicDse => "asic_dse",
            Self::Coffe => "coffe",
            Self::Ic3d => "ic_3d",
        }
    }

    /// The subtool of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subtool| subtool.name() == name)
    }
}

impl fmt::Display for Subtool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
