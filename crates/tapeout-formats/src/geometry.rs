//! Points, rectangles and orientations of layouts, in whatever unit a format has. Owns no units and no shapes of its own.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

/// A number that coordinates are made of: `i64` database units, `f64` micrometres.
pub trait Coordinate: Copy + PartialOrd + Add<Output = Self> + Sub<Output = Self> + Default {}

impl Coordinate for i64 {}
impl Coordinate for f64 {}

/// A place in a plane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point<T> {
    /// To the right.
    pub x: T,
    /// Upwards.
    pub y: T,
}

impl<T> Point<T> {
    /// The point `( x y )`.
    pub const fn new(x: T, y: T) -> Self {
        Self { x, y }
    }
}

/// A rectangle along the axes. Its corners are in order if it was made with [`Rect::new`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rect<T> {
    /// The lower left corner.
    pub low: Point<T>,
    /// The upper right corner.
    pub high: Point<T>,
}

impl<T: Coordinate> Rect<T> {
    /// The rectangle between two opposite corners, whichever they are.
    pub fn new(a: Point<T>, b: Point<T>) -> Self {
        let ordered = |a, b| if b < a { (b, a) } else { (a, b) };
        let ((x0, x1), (y0, y1)) = (ordered(a.x, b.x), ordered(a.y, b.y));
        Self { low: Point::new(x0, y0), high: Point::new(x1, y1) }
    }

    /// The rectangle of this size whose lower left corner is here.
    pub fn with_size(low: Point<T>, size: Point<T>) -> Self {
        Self::new(low, Point::new(low.x + size.x, low.y + size.y))
    }

    /// From left to right.
    pub fn width(&self) -> T {
        self.high.x - self.low.x
    }

    /// From bottom to top.
    pub fn height(&self) -> T {
        self.high.y - self.low.y
    }

    /// The same rectangle elsewhere.
    #[must_use]
    pub fn moved(&self, by: Point<T>) -> Self {
        let moved = |p: Point<T>| Point::new(p.x + by.x, p.y + by.y);
        Self { low: moved(self.low), high: moved(self.high) }
    }

    /// The same rectangle with this much more on each side; less, if it is negative.
    #[must_use]
    pub fn grown(&self, by: Point<T>) -> Self {
        Self {
            low: Point::new(self.low.x - by.x, self.low.y - by.y),
            high: Point::new(self.high.x + by.x, self.high.y + by.y),
        }
    }

    /// Whether they have more than an edge in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.low.x < other.high.x && other.low.x < self.high.x && self.low.y < other.high.y && other.low.y < self.high.y
    }

    /// Whether a point is inside or on the edge.
    pub fn contains(&self, point: Point<T>) -> bool {
        self.low.x <= point.x && point.x <= self.high.x && self.low.y <= point.y && point.y <= self.high.y
    }

    /// The smallest rectangle around both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let (least, most) = (|a, b| if b < a { b } else { a }, |a, b| if a < b { b } else { a });
        Self {
            low: Point::new(least(self.low.x, other.low.x), least(self.low.y, other.low.y)),
            high: Point::new(most(self.high.x, other.high.x), most(self.high.y, other.high.y)),
        }
    }
}

/// How a cell is turned, as LEF and DEF name it (LEF/DEF 5.8 Language Reference, *Specifying Orientation*): a letter for
/// where its north points, with `F` if it is mirrored first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Orientation {
    /// As drawn.
    #[default]
    N,
    /// Turned by 90° to the left.
    W,
    /// Turned by 180°.
    S,
    /// Turned by 90° to the right.
    E,
    /// Mirrored at a vertical line.
    FN,
    /// Mirrored at a horizontal line, then turned by 90° to the left.
    FW,
    /// Mirrored at a horizontal line.
    FS,
    /// Mirrored at a vertical line, then turned by 90° to the left.
    FE,
}

impl Orientation {
    /// All eight.
    pub const ALL: [Self; 8] = [Self::N, Self::W, Self::S, Self::E, Self::FN, Self::FW, Self::FS, Self::FE];

    /// As LEF and DEF write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::N => "N",
            Self::W => "W",
            Self::S => "S",
            Self::E => "E",
            Self::FN => "FN",
            Self::FW => "FW",
            Self::FS => "FS",
            Self::FE => "FE",
        }
    }

    /// Whether width and height change places.
    #[must_use]
    pub const fn is_sideways(self) -> bool {
        matches!(self, Self::W | Self::E | Self::FW | Self::FE)
    }

    /// Mirrored at a vertical line.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::N => Self::FN,
            Self::FN => Self::N,
            Self::S => Self::FS,
            Self::FS => Self::S,
            Self::W => Self::FW,
            Self::FW => Self::W,
            Self::E => Self::FE,
            Self::FE => Self::E,
        }
    }

    /// This upright orientation, mirrored at a vertical line if the other one is: `N` and `FS` are not, `FN` and `S` are.
    #[must_use]
    pub const fn mirrored_as(self, other: Self) -> Self {
        let (is, should_be) = (matches!(self, Self::FN | Self::S), matches!(other, Self::FN | Self::S));
        if is == should_be { self } else { self.mirrored() }
    }

    /// The size of a placed cell, from its size as drawn.
    #[must_use]
    pub fn size<T: Coordinate>(self, size: Point<T>) -> Point<T> {
        if self.is_sideways() { Point::new(size.y, size.x) } else { size }
    }

    /// Where a point of a cell of this size comes to be, seen from the lower left corner of the placed cell.
    #[must_use]
    pub fn place<T: Coordinate>(self, point: Point<T>, size: Point<T>) -> Point<T> {
        let Point { x, y } = point;
        let (left, down) = (size.x - x, size.y - y);
        match self {
            Self::N => Point::new(x, y),
            Self::W => Point::new(down, x),
            Self::S => Point::new(left, down),
            Self::E => Point::new(y, left),
            Self::FN => Point::new(left, y),
            Self::FW => Point::new(y, x),
            Self::FS => Point::new(x, down),
            Self::FE => Point::new(down, left),
        }
    }

    /// Where a rectangle of a cell of this size comes to be when the placed cell's lower left corner is at `at`.
    #[must_use]
    pub fn place_rect<T: Coordinate>(self, rect: &Rect<T>, size: Point<T>, at: Point<T>) -> Rect<T> {
        Rect::new(self.place(rect.low, size), self.place(rect.high, size)).moved(at)
    }
}

impl fmt::Display for Orientation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no orientation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an orientation: N, S, E, W, FN, FS, FE or FW")]
pub struct NoOrientation;

impl FromStr for Orientation {
    type Err = NoOrientation;

    fn from_str(text: &str) -> Result<Self, NoOrientation> {
        Self::ALL.into_iter().find(|orientation| orientation.as_str().eq_ignore_ascii_case(text)).ok_or(NoOrientation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corner_goes_where_the_manual_draws_it() {
        // The lower left and the lower right corner of a cell of 3 by 2.
        let size = Point::new(3, 2);
        let places = Orientation::ALL.map(|o| (o.place(Point::new(0, 0), size), o.place(Point::new(3, 0), size)));
        let p = Point::new;
        assert_eq!(
            places,
            [
                (p(0, 0), p(3, 0)),
                (p(2, 0), p(2, 3)),
                (p(3, 2), p(0, 2)),
                (p(0, 3), p(0, 0)),
                (p(3, 0), p(0, 0)),
                (p(0, 0), p(0, 3)),
                (p(0, 2), p(3, 2)),
                (p(2, 3), p(2, 0)),
            ]
        );
    }

    #[test]
    fn a_placed_rectangle_stays_inside_the_placed_cell() {
        let (size, at) = (Point::new(7_i64, 4), Point::new(10, 20));
        let rect = Rect::new(Point::new(6, 1), Point::new(2, 4));
        for orientation in Orientation::ALL {
            let placed = orientation.place_rect(&rect, size, at);
            let cell = Rect::with_size(at, orientation.size(size));
            assert!(cell.contains(placed.low) && cell.contains(placed.high), "{orientation}");
            assert_eq!(placed.width() * placed.height(), 12, "{orientation}");
            assert_eq!(orientation.as_str().parse(), Ok(orientation));
        }
        assert_eq!("R0".parse::<Orientation>(), Err(NoOrientation));
    }

    #[test]
    fn mirroring_moves_left_to_right() {
        let size = Point::new(3, 2);
        for orientation in Orientation::ALL {
            let (seen, mirrored) =
                (orientation.place(Point::new(0, 0), size), orientation.mirrored().place(Point::new(0, 0), size));
            assert_eq!((seen.x + mirrored.x, seen.y), (orientation.size(size).x, mirrored.y), "{orientation}");
        }
        let o = |text: &str| text.parse::<Orientation>().unwrap();
        for (row, cell, placed) in
            [("N", "N", "N"), ("N", "S", "FN"), ("FS", "FN", "S"), ("FS", "N", "FS"), ("S", "N", "FS")]
        {
            assert_eq!(o(row).mirrored_as(o(cell)), o(placed), "{row} {cell}");
        }
    }

    #[test]
    fn rectangles_that_touch_do_not_overlap() {
        let a = Rect::new(Point::new(0, 0), Point::new(2, 2));
        assert!(!a.overlaps(&a.moved(Point::new(2, 0))) && a.overlaps(&a.moved(Point::new(1, 1))));
        assert_eq!(a.union(&a.moved(Point::new(3, -1))), Rect::new(Point::new(5, -1), Point::new(0, 2)));
        assert_eq!(a.grown(Point::new(1, 0)).width(), 4);
    }
}
