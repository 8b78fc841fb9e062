//! The supplies of rows: one trunk of power on the left of the core, one of ground on the right, and a tooth from it to
//! the end of each rail. One tooth begins at the edge of the die, where the pin is, so that a design that becomes a macro
//! can be reached from outside. The rails themselves are in the cells, which touch from end to end once rows are filled. So
//! each supply needs one layer only, and no vias.

use std::collections::BTreeSet;

use tapeout_formats::geometry::{Point, Rect};

/// Half of the supplies: one side of the core.
#[derive(Clone, Debug)]
pub(super) struct Side {
    /// The edge of the die.
    pub(super) edge: i64,
    /// Where the trunk is.
    pub(super) trunk: i64,
    /// Where rails end.
    pub(super) core: i64,
    /// The rails' heights.
    pub(super) rails: BTreeSet<i64>,
    /// For each macro, where its supply pin has metal on the layer of the rails.
    pub(super) macros: Vec<Vec<Rect<i64>>>,
    /// Half the width of wires.
    pub(super) half: i64,
    /// How far they keep from other metal.
    pub(super) spacing: i64,
    /// Metal that is not of this supply.
    pub(super) others: Vec<Rect<i64>>,
}

/// Straight wires of one supply: from a point to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Comb {
    pub(super) wires: Vec<(Point<i64>, Point<i64>)>,
    /// The end of the tooth that begins at the edge of the die.
    pub(super) pin: Point<i64>,
}

/// The trunk and its teeth.
///
/// # Errors
/// The index of a macro whose supply pin no straight tooth reaches.
pub(super) fn comb(side: &Side) -> Result<Comb, usize> {
    let mut teeth: Vec<(i64, i64)> = side.rails.iter().map(|y| (*y, side.core)).collect();
    for (index, rects) in side.macros.iter().enumerate() {
        teeth.push(reach(side, rects).ok_or(index)?);
    }
    let Some((low, high)) = teeth
        .iter()
        .map(|(y, _)| *y)
        .fold(None, |ends: Option<(i64, i64)>, y| Some(ends.map_or((y, y), |(low, high)| (low.min(y), high.max(y)))))
    else {
        return Ok(Comb::default());
    };
    // The corners are whole where the trunk goes beyond the middle of its last tooth.
    let trunk = (Point::new(side.trunk, low - side.half), Point::new(side.trunk, high + side.half));
    let mut heights: Vec<i64> = teeth.iter().map(|(y, _)| *y).collect();
    heights.sort_unstable();
    let pin = Point::new(side.edge, heights[heights.len() / 2]);
    let tooth = |(y, to): &(i64, i64)| {
        let from = if *y == pin.y { side.edge } else { side.trunk };
        (Point::new(from.min(*to), *y), Point::new(from.max(*to), *y))
    };
    Ok(Comb { wires: [trunk].into_iter().chain(teeth.iter().map(tooth)).collect(), pin })
}

/// The height of a tooth to a pin of a macro, and where it ends: the shortest that meets nothing else.
fn reach(side: &Side, rects: &[Rect<i64>]) -> Option<(i64, i64)> {
    let is_left = side.trunk < side.core;
    let mut by_distance: Vec<&Rect<i64>> = rects.iter().collect();
    by_distance.sort_by_key(|rect| if is_left { rect.low.x - side.trunk } else { side.trunk - rect.high.x });
    for rect in by_distance {
        // Into the pin by the width of a wire, as far as it goes.
        let inside = (2 * side.half).min(rect.width());
        let (edge, end) = if is_left { (rect.low.x, rect.low.x + inside) } else { (rect.high.x, rect.high.x - inside) };
        let heights = heights(rect, side.half);
        let is_free = |y: &i64| {
            // What is beside the pin may be close to it: only up to its edge does the tooth keep its distance.
            let tooth = Rect::new(Point::new(side.trunk, y - side.half), Point::new(edge, y + side.half));
            let tooth = tooth.grown(Point::new(0, side.spacing));
            !side.others.iter().any(|other| other.overlaps(&tooth))
        };
        if let Some(y) = heights.into_iter().find(is_free) {
            return Some((y, end));
        }
    }
    None
}

/// Where a tooth may meet a pin: its middle first, then from bottom to top.
fn heights(rect: &Rect<i64>, half: i64) -> Vec<i64> {
    let middle = rect.low.y + rect.height() / 2;
    let step = usize::try_from(2 * half).unwrap_or(1).max(1);
    let all = (rect.low.y + half..=rect.high.y - half).step_by(step);
    [middle].into_iter().chain(all).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(trunk: i64, core: i64) -> Side {
        Side {
            edge: if trunk < core { 0 } else { 600 },
            trunk,
            core,
            rails: [100, 300].into(),
            macros: Vec::new(),
            half: 5,
            spacing: 7,
            others: Vec::new(),
        }
    }

    fn rect(x0: i64, y0: i64, x1: i64, y1: i64) -> Rect<i64> {
        Rect::new(Point::new(x0, y0), Point::new(x1, y1))
    }

    #[test]
    fn a_trunk_has_a_tooth_for_each_rail() {
        let found = comb(&side(20, 50)).unwrap();
        let p = Point::new;
        assert_eq!(found.wires, [(p(20, 95), p(20, 305)), (p(20, 100), p(50, 100)), (p(0, 300), p(50, 300))]);
        assert_eq!(found.pin, p(0, 300));
        let found = comb(&side(520, 450)).unwrap();
        assert_eq!((found.wires[1], found.wires[2]), ((p(450, 100), p(520, 100)), (p(450, 300), p(600, 300))));
        assert_eq!(comb(&Side { rails: BTreeSet::new(), ..side(0, 1) }).unwrap(), Comb::default());
    }

    #[test]
    fn a_macro_is_reached_where_nothing_is_in_the_way() {
        let with = |others: Vec<Rect<i64>>| {
            let pins = vec![vec![rect(200, 0, 220, 10), rect(80, 400, 90, 600)]];
            comb(&Side { macros: pins, others, ..side(20, 50) })
        };
        let found = with(vec![]).unwrap();
        assert_eq!(found.wires[0].1.y, 505);
        assert_eq!(found.wires[3], (Point::new(20, 500), Point::new(90, 500)));
        // Something in the middle: a tooth lower down; all of the first pin hidden: the other one.
        assert_eq!(with(vec![rect(60, 490, 70, 700)]).unwrap().wires[3].1, Point::new(90, 405));
        assert_eq!(with(vec![rect(60, 390, 70, 700)]).unwrap().wires[3].1, Point::new(210, 5));
        assert_eq!(with(vec![rect(60, 0, 70, 700)]), Err(0));
    }
}
