//! The free parts of rows.

use tapeout_formats::def::{Component, Def};
use tapeout_formats::geometry::{Orientation, Point, Rect};
use tapeout_formats::lef::Lef;

use super::Scale;

/// Sites side by side, all free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The lower left corner of the first.
    pub(super) at: Point<i64>,
    /// How many sites.
    pub(super) sites: i64,
    /// How cells stand in it.
    pub(super) orientation: Orientation,
}

/// The parts of the rows that none of these rectangles meets, in the order of the rows, from left to right.
pub(super) fn free(design: &Def, site: Point<i64>, taken: &[Rect<i64>]) -> Vec<Segment> {
    let mut by_low: Vec<&Rect<i64>> = taken.iter().collect();
    by_low.sort_by_key(|rect| rect.low.x);
    let mut segments = Vec::new();
    for row in &design.rows {
        let area = row.area(site);
        let mut push = |from: i64, to: i64| {
            if to > from {
                let at = Point::new(row.at.x + from * site.x, row.at.y);
                segments.push(Segment { at, sites: to - from, orientation: row.orientation });
            }
        };
        let mut next = 0;
        for rect in by_low.iter().filter(|rect| rect.overlaps(&area)) {
            push(next, (rect.low.x - row.at.x).div_euclid(site.x));
            next = next.max(super::plan::up(rect.high.x - row.at.x, site.x) / site.x);
        }
        push(next, row.count.x);
    }
    segments
}

/// The outline of a placed component; none without a place or a cell in LEF.
pub(super) fn outline(component: &Component, library: &Lef, scale: Scale) -> Option<Rect<i64>> {
    let placement = component.placement?;
    let size = library.cell(&component.cell)?.size;
    let size = placement.orientation.size(Point::new(scale.units(size.x), scale.units(size.y)));
    Some(Rect::with_size(placement.at, size))
}

/// Width and height of the site of the rows, which are all of one.
pub(super) fn site(design: &Def, library: &Lef) -> Option<Point<i64>> {
    let scale = Scale { per_um: design.units };
    let site = library.site(&design.rows.first()?.site)?.size;
    let site = Point::new(scale.units(site.x), scale.units(site.y));
    (site.x > 0 && site.y > 0).then_some(site)
}

#[cfg(test)]
mod tests {
    use tapeout_formats::def::Row;

    use super::*;

    #[test]
    fn what_is_taken_is_cut_out_by_whole_sites() {
        let row = |y, orientation| Row {
            at: Point::new(100, y),
            count: Point::new(10, 1),
            step: Some(Point::new(10, 0)),
            orientation,
            ..Row::default()
        };
        let design = Def { rows: vec![row(0, Orientation::N), row(50, Orientation::FS)], ..Def::default() };
        let rect = |x0, x1| Rect::new(Point::new(x0, 0), Point::new(x1, 50));
        let free = free(&design, Point::new(10, 50), &[rect(155, 161), rect(0, 110), rect(110, 120), rect(195, 300)]);
        let found: Vec<_> = free.iter().map(|s| (s.at.x, s.at.y, s.sites, s.orientation)).collect();
        assert_eq!(found, [(120, 0, 3, Orientation::N), (170, 0, 2, Orientation::N), (100, 50, 10, Orientation::FS)]);
    }
}
