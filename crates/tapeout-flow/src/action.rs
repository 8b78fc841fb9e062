//! What a step does for the design, whichever tool does it.

/// What a step is for. Hooks of a technology name steps by this, as several tools do the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Sources to a netlist.
    Synthesis,
    /// A netlist to a layout, or to a configured device: floorplan, placement, routing and what belongs to them.
    PlaceAndRoute,
    /// Design rule checks.
    Drc,
    /// Layout against schematic, with the extraction of the netlist from the layout.
    Lvs,
    /// Running the design.
    Simulation,
    /// How much power it takes.
    Power,
    /// Proofs, of equivalence among them.
    Formal,
    /// Static timing analysis.
    Timing,
    /// Checks of the sources.
    Lint,
    /// Files for the foundry, or for those who use the block.
    StreamOut,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Synthesis,
        Self::PlaceAndRoute,
        Self::Drc,
        Self::Lvs,
        Self::Simulation,
        Self::Power,
        Self::Formal,
        Self::Timing,
        Self::Lint,
        Self::StreamOut,
    ];

    /// The word for it in files: `place-and-route`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Synthesis => "synthesis",
            Self::PlaceAndRoute => "place-and-route",
            Self::Drc => "drc",
            Self::Lvs => "lvs",
            Self::Simulation => "simulation",
            Self::Power => "power",
            Self::Formal => "formal",
            Self::Timing => "timing",
            Self::Lint => "lint",
            Self::StreamOut => "stream-out",
        }
    }

    /// The one that a word means.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == word)
    }
}
