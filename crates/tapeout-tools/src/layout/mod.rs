//! The native parts of laying out cells: floorplan, pins, rows, fill cells, supplies. They are small and documented, and
//! make what is legal; the placer and the router are tools. Each algorithm is a pure function in a file of its own, and
//! the step around it in another. The unit within is the database unit of the DEF file, as `i64`.

mod abacus;
mod comb;
mod edges;
mod fill;
mod fill_step;
mod floorplan;
mod legalise;
mod pins;
mod plan;
mod power_grid;
mod rows;
mod wirelength;
mod write_netlists;

use tapeout_flow::{Failure, Registry, StepCx, StepResult};
use tapeout_formats::def::{self, Def};

pub(crate) fn register(registry: &mut Registry) {
    registry
        .add_step(floorplan::Floorplan)
        .add_step(pins::PlacePins)
        .add_step(legalise::Legalise)
        .add_step(fill_step::Fill)
        .add_step(power_grid::PowerGrid)
        .add_step(write_netlists::WriteNetlists);
}

/// How long a database unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scale {
    /// Units to the micrometre.
    per_um: i64,
}

impl Scale {
    /// The nearest coordinate.
    fn units(self, um: f64) -> i64 {
        // Rounding of sums such as 0.1 + 0.2 disappears here.
        (um * self.per_um as f64).round() as i64
    }

    fn um(self, units: i64) -> f64 {
        units as f64 / self.per_um as f64
    }

    /// An area in µm².
    fn area(self, units: i128) -> f64 {
        units as f64 / (self.per_um as f64).powi(2)
    }
}

/// A length in µm to the nanometre: without what sums and means of fractions leave behind.
pub(crate) fn to_nm(um: f64) -> f64 {
    (um * 1e3).round() / 1e3
}

/// The layout as the view `def` of a step.
fn result(cx: &StepCx<'_, '_>, design: &Def) -> Result<StepResult, Failure> {
    let path = format!("{}.def", design.design);
    let written = cx.write(&path, def::write(design).as_bytes())?;
    let mut result = StepResult::default().view("def", path);
    result.written.push(written);
    Ok(result)
}
