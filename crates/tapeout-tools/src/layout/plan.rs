//! The size of a die, and where its rows are.
//!
//! Macros stand one above the other at the lower left of the core, and a row ends where one stands: it goes from one
//! side of the core to the other or is left out, since the supplies come from both sides ([`super::comb`]).

use tapeout_formats::def::Row;
use tapeout_formats::geometry::{Orientation, Point, Rect};

/// How large the die is to be.
#[derive(Clone, Debug)]
pub(super) enum Size {
    /// As large as the cells need.
    Relative {
        /// Which part of the rows the cells fill, above 0.
        utilisation: f64,
        /// Height by width of the core, above 0.
        aspect: f64,
    },
    /// As given.
    Absolute {
        /// The die.
        die: Rect<i64>,
        /// The core; otherwise the die without the margins.
        core: Option<Rect<i64>>,
    },
}

/// A macro, seen from outside.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Block {
    /// Width and height once it is turned.
    pub(super) size: Point<i64>,
    /// What is added to its coordinates to have its lower left corner at 0, 0; it stands so that its own 0, 0 is on the
    /// grid.
    pub(super) origin: Point<i64>,
    /// Where its lower left corner is to be, if someone says so.
    pub(super) at: Option<Point<i64>>,
}

/// What a plan is made for.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// How large.
    pub(super) size: Size,
    /// Name, width and height of the site.
    pub(super) site: (String, Point<i64>),
    /// How many sites all cells need.
    pub(super) cells: i64,
    /// How many sites the widest cell needs.
    pub(super) widest: i64,
    /// The macros.
    pub(super) blocks: Vec<Block>,
    /// How far rows keep away from macros.
    pub(super) halo: Point<i64>,
    /// Places without rows.
    pub(super) obstructions: Vec<Rect<i64>>,
    /// Between die and core: left and bottom.
    pub(super) low_margin: Point<i64>,
    /// Between die and core: right and top.
    pub(super) high_margin: Point<i64>,
    /// Cores and macros begin at multiples of it: where the pins of cells are on tracks.
    pub(super) grid: Point<i64>,
}

/// A floorplan.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    /// From edge to edge.
    pub(super) die: Rect<i64>,
    /// Where rows may be.
    pub(super) core: Rect<i64>,
    /// From bottom to top.
    pub(super) rows: Vec<Row>,
    /// The lower left corners of the macros, in the order of the request.
    pub(super) blocks: Vec<Point<i64>>,
}

impl Plan {
    /// How many sites there are.
    pub(super) fn sites(&self) -> i64 {
        self.rows.iter().map(|row| row.count.x).sum()
    }
}

/// Makes a plan. With an absolute size its rows may be too few or none.
pub(super) fn plan(request: &Request) -> Plan {
    let site = request.site.1;
    let (die, core) = match &request.size {
        Size::Absolute { die, core } => {
            let inner = Rect {
                low: Point::new(die.low.x + request.low_margin.x, die.low.y + request.low_margin.y),
                high: Point::new(die.high.x - request.high_margin.x, die.high.y - request.high_margin.y),
            };
            let wanted = core.unwrap_or(inner);
            let low = Point::new(up(wanted.low.x, request.grid.x), up(wanted.low.y, request.grid.y));
            let whole = |low: i64, high: i64, site: i64| low + (high - low).max(0) / site * site;
            let high = Point::new(whole(low.x, wanted.high.x, site.x), whole(low.y, wanted.high.y, site.y));
            (*die, Rect { low, high })
        }
        Size::Relative { utilisation, aspect } => {
            let size = core_size(request, *utilisation, *aspect);
            let low = Point::new(up(request.low_margin.x, request.grid.x), up(request.low_margin.y, request.grid.y));
            let core = Rect::with_size(low, size);
            let high = Point::new(
                core.high.x + up(request.high_margin.x, request.grid.x),
                core.high.y + up(request.high_margin.y, request.grid.y),
            );
            (Rect::new(Point::new(0, 0), high), core)
        }
    };
    let blocks = stacked(request, core.low);
    let outlines = request.blocks.iter().zip(&blocks).map(|(block, at)| Rect::with_size(*at, block.size));
    let mut closed: Vec<Rect<i64>> = outlines.map(|outline| outline.grown(request.halo)).collect();
    closed.extend(&request.obstructions);
    let count = core.width() / site.x;
    let levels = if count > 0 { (core.height() / site.y).max(0) } else { 0 };
    let mut rows = Vec::new();
    for level in 0..levels {
        let row = Row {
            name: format!("ROW_{level}"),
            site: request.site.0.clone(),
            at: Point::new(core.low.x, core.low.y + level * site.y),
            orientation: if level % 2 == 0 { Orientation::N } else { Orientation::FS },
            count: Point::new(count, 1),
            step: Some(Point::new(site.x, 0)),
            other: Vec::new(),
        };
        if !closed.iter().any(|rect| rect.overlaps(&row.area(site))) {
            rows.push(row);
        }
    }
    Plan { die, core, rows, blocks }
}

/// Width and height of a core in which the rows beside the macros have just enough sites.
fn core_size(request: &Request, utilisation: f64, aspect: f64) -> Point<i64> {
    let site = request.site.1;
    let (stack, widest) = stack_size(request);
    let sites = (request.cells as f64 / utilisation).ceil().max(1.0);
    let area = sites * site.x as f64 * site.y as f64;
    // A core of width w has the height a·w; above the macros, whose height is s, area / w of it is rows.
    let stack_height = stack as f64;
    let width = (stack_height + (stack_height.powi(2) + 4.0 * aspect * area).sqrt()) / (2.0 * aspect);
    let levels = (((aspect * width - stack_height) / site.y as f64).round() as i64).max(1);
    let least = request.widest.max(up(widest, site.x) / site.x);
    let count = ((sites as i64).div_euclid(levels) + i64::from(sites as i64 % levels != 0)).max(least).max(1);
    Point::new(count * site.x, levels * site.y + up(stack, site.y))
}

/// The height of all macros that nobody gave a place, with the space around them, and the width of the widest.
fn stack_size(request: &Request) -> (i64, i64) {
    let free = || request.blocks.iter().filter(|block| block.at.is_none());
    let height = free().map(|block| up(block.size.y + request.halo.y, request.grid.y) + request.grid.y).sum::<i64>();
    let height = if height > 0 { height + up(request.halo.y, request.grid.y) } else { 0 };
    let width = free().map(|block| block.size.x + 2 * request.halo.x + request.grid.x).max().unwrap_or(0);
    // A macro with a place of its own is inside, if it is within reach of the lower left corner.
    let given = request.blocks.iter().filter_map(|block| block.at.map(|at| (at, block.size)));
    let (mut reach, mut width) = (0, width);
    for (at, size) in given {
        reach = reach.max(at.y + size.y + request.halo.y - request.low_margin.y);
        width = width.max(at.x + size.x + request.halo.x - request.low_margin.x);
    }
    (height + reach, width)
}

/// Where macros stand: where someone says, else one above the other, and above those.
fn stacked(request: &Request, low: Point<i64>) -> Vec<Point<i64>> {
    let on_grid = |at: i64, origin: i64, grid: i64| up(at - origin, grid) + origin;
    let given = request.blocks.iter().filter_map(|block| Some(block.at?.y + block.size.y + request.halo.y));
    let mut y = given.max().unwrap_or(low.y + request.halo.y).max(low.y + request.halo.y);
    let place = |block: &Block| {
        block.at.unwrap_or_else(|| {
            let x = on_grid(low.x + request.halo.x, block.origin.x, request.grid.x);
            let at = Point::new(x, on_grid(y, block.origin.y, request.grid.y));
            y = at.y + block.size.y + request.halo.y;
            at
        })
    };
    request.blocks.iter().map(place).collect()
}

/// The next multiple.
pub(super) fn up(value: i64, step: i64) -> i64 {
    (value + step - 1).div_euclid(step) * step
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(size: Size) -> Request {
        Request {
            size,
            site: ("core".to_owned(), Point::new(10, 100)),
            cells: 1000,
            widest: 12,
            blocks: Vec::new(),
            halo: Point::new(20, 20),
            obstructions: Vec::new(),
            low_margin: Point::new(55, 90),
            high_margin: Point::new(55, 90),
            grid: Point::new(10, 20),
        }
    }

    fn relative(utilisation: f64, aspect: f64) -> Size {
        Size::Relative { utilisation, aspect }
    }

    #[test]
    fn the_rows_have_just_the_sites_that_the_utilisation_asks_for() {
        for (utilisation, aspect) in [(0.5, 1.0), (0.8, 0.5), (1.0, 2.0), (0.01, 1.0)] {
            let plan = plan(&request(relative(utilisation, aspect)));
            let (needed, rows) = ((1000.0 / utilisation) as i64, plan.rows.len() as i64);
            assert!(plan.sites() >= needed && plan.sites() < needed + rows, "{utilisation} {}", plan.sites());
            let found = plan.core.height() as f64 / plan.core.width() as f64;
            assert!((found / aspect - 1.0).abs() < 0.35, "{found} {aspect}");
        }
        let plan = plan(&request(relative(0.5, 1.0)));
        assert_eq!((plan.core.low, plan.die.low), (Point::new(60, 100), Point::new(0, 0)));
        assert_eq!((plan.die.high.x - plan.core.high.x, plan.die.high.y - plan.core.high.y), (60, 100));
        assert_eq!((plan.rows[0].orientation, plan.rows[1].orientation), (Orientation::N, Orientation::FS));
        assert_eq!(plan.rows[1].at, Point::new(60, 200));
    }

    #[test]
    fn a_row_is_never_narrower_than_a_cell() {
        let mut request = request(relative(0.9, 100.0));
        request.widest = 40;
        assert_eq!(plan(&request).rows[0].count.x, 40);
    }

    #[test]
    fn a_given_die_is_kept_and_the_core_is_on_the_grid() {
        let die = Rect::new(Point::new(-5, 0), Point::new(500, 1000));
        let found = plan(&request(Size::Absolute { die, core: None }));
        assert_eq!((found.die, found.core), (die, Rect::new(Point::new(50, 100), Point::new(440, 900))));
        assert_eq!((found.rows.len(), found.sites()), (8, 8 * 39));
        let core = Rect::new(Point::new(100, 100), Point::new(95, 95));
        assert_eq!(plan(&request(Size::Absolute { die, core: Some(core) })).rows, []);
    }

    #[test]
    fn macros_stand_on_the_grid_and_no_row_meets_them() {
        let mut request = request(relative(0.7, 1.0));
        let block = |at| Block { size: Point::new(333, 507), origin: Point::new(-5, -6), at };
        request.blocks = vec![block(None), block(None)];
        let plan = plan(&request);
        assert!(plan.sites() >= 1429, "{}", plan.sites());
        let outlines: Vec<_> = plan.blocks.iter().map(|at| Rect::with_size(*at, request.blocks[0].size)).collect();
        assert!(!outlines[0].overlaps(&outlines[1]));
        for outline in &outlines {
            assert!(plan.core.contains(outline.low) && plan.core.contains(outline.high), "{plan:?}");
            assert_eq!(((outline.low.x + 5) % 10, (outline.low.y + 6) % 20), (0, 0));
            let halo = outline.grown(request.halo);
            assert!(plan.rows.iter().all(|row| !row.area(request.site.1).overlaps(&halo)));
        }
        // Rows keep the orientation of their level, so that neighbours share a rail.
        assert!(
            plan.rows
                .iter()
                .all(|row| (row.at.y - plan.core.low.y) / 100 % 2 == i64::from(row.orientation != Orientation::N))
        );
    }

    #[test]
    fn a_macro_stands_where_someone_says() {
        let mut request = request(relative(0.7, 1.0));
        let at = Point::new(200, 300);
        let block = |at| Block { size: Point::new(100, 100), origin: Point::new(0, 0), at };
        request.blocks = vec![block(Some(at))];
        let found = plan(&request);
        assert_eq!(found.blocks, [at]);
        let is_clear = |plan: &Plan| plan.rows.iter().all(|row| !(180..420).contains(&(row.at.y + 50)));
        assert!(found.sites() >= 1429 && is_clear(&found));
        // One that nobody gave a place stands above.
        request.blocks.push(block(None));
        let found = plan(&request);
        assert_eq!(found.blocks, [at, Point::new(80, 420)]);
        assert!(found.sites() >= 1429 && is_clear(&found));
    }
}
