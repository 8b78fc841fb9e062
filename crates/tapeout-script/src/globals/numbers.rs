//! Numbers for people.

use starlark::environment::GlobalsBuilder;
use starlark::starlark_module;
use starlark::values::{Heap, Value};
use tapeout_model::Data;

use crate::complaint::complaint;
use crate::data::{named, to_data};

/// More digits than a double has.
const MOST: i32 = 17;

#[starlark_module]
pub(super) fn numbers(builder: &mut GlobalsBuilder) {
    /// A number with so many digits after the point; without them a whole number. Of two that are equally near, the even
    /// one.
    fn round<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        digits: Option<i32>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let number = match to_data(x) {
            Ok(Data::Int(_) | Data::BigInt(_)) => return Ok(x),
            Ok(Data::Float(number)) => number,
            _ => return Err(complaint(format!("`round` takes a number, found {}", named(x)))),
        };
        match digits {
            None => {
                let whole = number.round_ties_even();
                // Every double in this range is a whole number of 64 bits.
                match whole.abs() < 9.2e18 {
                    true => Ok(heap.alloc(whole as i64)),
                    false => Err(complaint(format!("{} is no whole number of 64 bits", x.to_repr()))),
                }
            }
            Some(digits @ 0..=MOST) => {
                // Writing it is what rounds: exactly, whatever binary digits it has.
                let written = format!("{number:.*}", digits as usize);
                Ok(heap.alloc(written.parse().unwrap_or(number)))
            }
            Some(digits) => Err(complaint(format!("`digits` must be from 0 to {MOST}, found {digits}"))),
        }
    }
}
