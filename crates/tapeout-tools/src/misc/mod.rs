//! Steps that run no tool and belong to none.

mod manufacturability;

use tapeout_flow::Registry;

pub(crate) fn register(registry: &mut Registry) {
    registry.add_step(manufacturability::ReportManufacturability);
}
