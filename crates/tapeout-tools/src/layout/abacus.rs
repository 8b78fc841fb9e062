//! Cells onto sites, as near to where the placer wants them as there is room.
//!
//! The method is Abacus: Spindler, Schlichtmann, Johannes, *Abacus: fast legalization of standard cell circuits with
//! minimal movement*, ISPD 2008. Cells are taken from left to right, and each goes to the row where it costs the least,
//! with all cells of a row where the sum of squared movements is least. Where that leaves a cell without a row, rows are
//! given out again, wide cells first, and only the places within rows are optimised.

use tapeout_formats::geometry::Point;

use super::rows::Segment;

/// A cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cell {
    /// In sites.
    pub(super) width: i64,
    /// Where its lower left corner is to be.
    pub(super) at: Point<i64>,
}

/// Where a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    /// An index of the segments.
    pub(super) segment: usize,
    /// Its left edge.
    pub(super) x: i64,
}

/// A cell has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    /// An index of the cells.
    pub(super) cell: usize,
    /// The most sites that are left in one place.
    pub(super) left: i64,
}

/// Cells that touch. Within one, each is as near as possible to its place, by least squares.
#[derive(Clone, Copy, Debug)]
struct Cluster {
    /// How many cells.
    cells: usize,
    /// Their width in sites.
    width: i64,
    /// The sum of what each cell wants for the left edge of the cluster, in sites.
    wanted: f64,
    /// Its left edge in sites.
    x: f64,
}

impl Cluster {
    fn of(width: i64, wanted: f64, sites: i64) -> Self {
        let mut new = Self { cells: 1, width, wanted, x: 0.0 };
        new.settle(sites);
        new
    }

    /// Goes to the best place that is inside.
    fn settle(&mut self, sites: i64) {
        self.x = (self.wanted / self.cells as f64).min((sites - self.width) as f64).max(0.0);
    }

    /// Takes in the cluster on its right.
    fn take(&mut self, right: Self, sites: i64) {
        self.wanted += right.wanted - right.cells as f64 * self.width as f64;
        self.cells += right.cells;
        self.width += right.width;
        self.settle(sites);
    }

    fn end(&self) -> f64 {
        self.x + self.width as f64
    }
}

/// A segment with its cells from left to right.
struct Row {
    sites: i64,
    used: i64,
    cells: Vec<usize>,
    clusters: Vec<Cluster>,
}

impl Row {
    fn new(segment: &Segment) -> Self {
        Self { sites: segment.sites, used: 0, cells: Vec::new(), clusters: Vec::new() }
    }

    /// The last cluster if the cell is added at the right, and how many clusters that leaves before it.
    fn with(&self, width: i64, wanted: f64) -> (Cluster, usize) {
        let mut last = Cluster::of(width, wanted, self.sites);
        let mut before = self.clusters.len();
        while before > 0 && self.clusters[before - 1].end() > last.x {
            before -= 1;
            let mut merged = self.clusters[before];
            merged.take(last, self.sites);
            last = merged;
        }
        (last, before)
    }

    fn add(&mut self, cell: usize, width: i64, wanted: f64) {
        let (last, before) = self.with(width, wanted);
        self.clusters.truncate(before);
        self.clusters.push(last);
        self.cells.push(cell);
        self.used += width;
    }

    fn has_room(&self, width: i64) -> bool {
        self.used + width <= self.sites
    }
}

/// Gives each cell a place on the sites of the segments, whose width is `site`. No two overlap.
///
/// # Errors
/// A cell for which there is no room, however rows are given out.
pub(super) fn legalise(cells: &[Cell], segments: &[Segment], site: i64) -> Result<Vec<Placed>, Misfit> {
    let wanted = |cell: &Cell, segment: &Segment| (cell.at.x - segment.at.x) as f64 / site as f64;
    let mut from_left: Vec<usize> = (0..cells.len()).collect();
    from_left.sort_by_key(|index| (cells[*index].at.x, cells[*index].at.y, *index));
    let rows = match by_cost(cells, segments, site, &from_left) {
        Ok(rows) => rows,
        Err(_) => {
            let of_cells = by_width(cells, segments, site)?;
            let mut rows: Vec<Row> = segments.iter().map(Row::new).collect();
            for index in &from_left {
                let segment = of_cells[*index];
                rows[segment].add(*index, cells[*index].width, wanted(&cells[*index], &segments[segment]));
            }
            rows
        }
    };
    let mut placed = vec![Placed { segment: 0, x: 0 }; cells.len()];
    for (segment, row) in rows.iter().enumerate() {
        let mut in_row = row.cells.iter();
        for cluster in &row.clusters {
            // Clusters do not overlap and have whole widths, so they do not after rounding either.
            let mut x = cluster.x.round() as i64;
            for cell in in_row.by_ref().take(cluster.cells) {
                placed[*cell] = Placed { segment, x: segments[segment].at.x + x * site };
                x += cells[*cell].width;
            }
        }
    }
    Ok(placed)
}

/// Each cell to the row where it moves the least.
fn by_cost(cells: &[Cell], segments: &[Segment], site: i64, order: &[usize]) -> Result<Vec<Row>, usize> {
    let mut rows: Vec<Row> = segments.iter().map(Row::new).collect();
    for index in order {
        let cell = &cells[*index];
        let mut best: Option<(f64, usize, f64)> = None;
        for (segment, row) in rows.iter().enumerate().filter(|(_, row)| row.has_room(cell.width)) {
            let from = segments[segment].at;
            let up = (from.y - cell.at.y).abs() as f64;
            if best.is_some_and(|(cost, ..)| up >= cost) {
                continue;
            }
            let wanted = (cell.at.x - from.x) as f64 / site as f64;
            let (last, _) = row.with(cell.width, wanted);
            let along = (last.end() - cell.width as f64 - wanted).abs() * site as f64;
            if best.is_none_or(|(cost, ..)| up + along < cost) {
                best = Some((up + along, segment, wanted));
            }
        }
        let (_, segment, wanted) = best.ok_or(*index)?;
        rows[segment].add(*index, cell.width, wanted);
    }
    Ok(rows)
}

/// A segment for each cell: wide cells first, each to the nearest that has room.
fn by_width(cells: &[Cell], segments: &[Segment], site: i64) -> Result<Vec<usize>, Misfit> {
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_by_key(|index| (-cells[*index].width, cells[*index].at.y, cells[*index].at.x, *index));
    let mut left: Vec<i64> = segments.iter().map(|segment| segment.sites).collect();
    let mut of_cells = vec![0; cells.len()];
    for index in order {
        let cell = &cells[index];
        let far = |segment: &Segment| {
            let along = (segment.at.x - cell.at.x).max(cell.at.x - segment.at.x - segment.sites * site).max(0);
            (segment.at.y - cell.at.y).abs() + along
        };
        let with_room = (0..segments.len()).filter(|segment| left[*segment] >= cell.width);
        let nearest = with_room.min_by_key(|segment| (far(&segments[*segment]), *segment));
        let misfit = || Misfit { cell: index, left: left.iter().copied().max().unwrap_or(0) };
        let nearest = nearest.ok_or_else(misfit)?;
        left[nearest] -= cell.width;
        of_cells[index] = nearest;
    }
    Ok(of_cells)
}

#[cfg(test)]
mod tests {
    use tapeout_formats::geometry::Orientation;

    use super::*;

    fn segments(rows: i64, sites: i64) -> Vec<Segment> {
        let segment = |row: i64| Segment { at: Point::new(1000, 2000 + row * 100), sites, orientation: Orientation::N };
        (0..rows).map(segment).collect()
    }

    fn cell(width: i64, x: i64, y: i64) -> Cell {
        Cell { width, at: Point::new(x, y) }
    }

    fn check(cells: &[Cell], segments: &[Segment], placed: &[Placed]) {
        for (segment, of) in segments.iter().enumerate() {
            let mut inside: Vec<_> =
                placed.iter().zip(cells).filter(|(p, _)| p.segment == segment).map(|(p, c)| (p.x, c.width)).collect();
            inside.sort();
            let mut end = of.at.x;
            for (x, width) in inside {
                assert!(x >= end && (x - of.at.x) % 10 == 0, "{x} {end}");
                end = x + width * 10;
            }
            assert!(end <= of.at.x + of.sites * 10);
        }
    }

    /// Numbers that look random and are the same each time.
    fn numbers(seed: u64) -> impl FnMut(i64) -> i64 {
        let mut state = seed;
        move |below| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as i64 % below
        }
    }

    #[test]
    fn what_is_legal_stays() {
        let cells = [cell(3, 1050, 2000), cell(2, 1080, 2000), cell(4, 1000, 2100)];
        let segments = segments(2, 20);
        let placed = legalise(&cells, &segments, 10).unwrap();
        let found: Vec<_> = placed.iter().map(|p| (p.segment, p.x)).collect();
        assert_eq!(found, [(0, 1050), (0, 1080), (1, 1000)]);
    }

    #[test]
    fn cells_that_overlap_share_the_movement() {
        let cells = [cell(4, 1100, 2000), cell(4, 1100, 2000)];
        let placed = legalise(&cells, &segments(1, 50), 10).unwrap();
        let mut xs = [placed[0].x, placed[1].x];
        xs.sort_unstable();
        assert_eq!(xs, [1080, 1120]);
        // At the edge, they go where there is room.
        let placed = legalise(&[cell(4, 900, 0), cell(4, 900, 0)], &segments(1, 50), 10).unwrap();
        assert_eq!([placed[0].x, placed[1].x], [1000, 1040]);
    }

    #[test]
    fn any_placement_becomes_legal_and_not_far_away() {
        for seed in 0..20 {
            let mut random = numbers(seed);
            let segments = segments(12, 100);
            let mut cells = Vec::new();
            let mut total = 0;
            while total < 12 * 100 * 85 / 100 {
                let width = 2 + random(9);
                total += width;
                cells.push(cell(width, 1000 + random(1000), 2000 + random(1200)));
            }
            let placed = legalise(&cells, &segments, 10).unwrap();
            check(&cells, &segments, &placed);
            let far = |(p, c): (&Placed, &Cell)| (p.x - c.at.x).abs() + (segments[p.segment].at.y - c.at.y).abs();
            let total: i64 = placed.iter().zip(&cells).map(far).sum();
            assert!(total / (cells.len() as i64) < 150, "{}", total / cells.len() as i64);
        }
    }

    #[test]
    fn full_rows_are_filled_as_long_as_the_widths_allow() {
        for seed in 0..20 {
            let mut random = numbers(seed);
            // Rows that are full to the last site, in another order.
            let mut cells = Vec::new();
            for _ in 0..10 {
                let mut left = 60;
                while left > 0 {
                    let width = (1 + random(6)).min(left);
                    left -= width;
                    cells.push(cell(width, 1000 + random(600), 2000 + random(1000)));
                }
            }
            let segments = segments(10, 60);
            let placed = legalise(&cells, &segments, 10).unwrap();
            check(&cells, &segments, &placed);
        }
    }

    #[test]
    fn what_has_no_room_is_named() {
        let cells = [cell(6, 1000, 2000), cell(6, 1000, 2000), cell(6, 1000, 2000)];
        assert_eq!(legalise(&cells, &segments(2, 10), 10), Err(Misfit { cell: 2, left: 4 }));
        assert_eq!(legalise(&[cell(1, 0, 0)], &[], 10), Err(Misfit { cell: 0, left: 0 }));
    }
}
