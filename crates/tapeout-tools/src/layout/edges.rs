//! Which pin stands on which edge of the die, in which order, and on which track.
//!
//! An order file says it all; without one, each pin is on the edge that is nearest to where the placer wants it.

use regex::Regex;
use tapeout_formats::geometry::{Point, Rect};
use tapeout_formats::pin_order::{self, BusOrder, PinOrder};

/// An edge of the die.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Edge {
    West,
    North,
    East,
    South,
}

impl Edge {
    /// Clockwise.
    pub(super) const ALL: [Self; 4] = [Self::West, Self::North, Self::East, Self::South];

    /// The one that a point is nearest to.
    pub(super) fn nearest(at: Point<i64>, die: &Rect<i64>) -> Self {
        let [west, south] = [at.x - die.low.x, at.y - die.low.y];
        let [east, north] = [die.high.x - at.x, die.high.y - at.y];
        let edges = [(west, Self::West), (north, Self::North), (east, Self::East), (south, Self::South)];
        edges.into_iter().min_by_key(|(distance, _)| *distance).map_or(Self::West, |(_, edge)| edge)
    }

    /// Whether pins on it are on horizontal wires.
    pub(super) fn is_side(self) -> bool {
        matches!(self, Self::West | Self::East)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::West => "left",
            Self::North => "top",
            Self::East => "right",
            Self::South => "bottom",
        }
    }
}

/// What stands at a place of an edge: a pin by index, or nothing.
pub(super) type Place = Option<usize>;

/// An edge with its pins from left to right or from bottom to top.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Arranged {
    pub(super) places: Vec<Place>,
    /// The least distance of its pins in µm, if the order file says so.
    pub(super) min_distance: Option<f64>,
}

/// What an order file and a design do not agree in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Unmatched {
    /// Pins that the file does not name, by index.
    pub(super) pins: Vec<usize>,
    /// Expressions that stand for no pin.
    pub(super) patterns: Vec<String>,
}

/// The pins as an order file says. Pins that it does not name stand behind the others on the edge with the fewest.
///
/// # Errors
/// An expression that is none, with what is wrong.
pub(super) fn ordered(names: &[&str], order: &PinOrder) -> Result<([Arranged; 4], Unmatched), String> {
    let sides = [&order.west, &order.north, &order.east, &order.south];
    let mut is_free = vec![true; names.len()];
    let mut unmatched = Unmatched::default();
    let mut edges: [Arranged; 4] = Default::default();
    for (edge, side) in edges.iter_mut().zip(sides) {
        edge.min_distance = side.min_distance.map(tapeout_model::Decimal::to_f64);
        for pin in &side.pins {
            match pin {
                pin_order::Pin::Room(count) => edge.places.extend((0..*count).map(|_| None)),
                pin_order::Pin::Pattern(pattern) => {
                    let whole = Regex::new(&format!("^(?:{pattern})$"))
                        .map_err(|error| format!("`{pattern}` is no regular expression: {error}"))?;
                    let mut found: Vec<usize> =
                        (0..names.len()).filter(|pin| is_free[*pin] && whole.is_match(names[*pin])).collect();
                    if found.is_empty() {
                        unmatched.patterns.push(pattern.clone());
                    }
                    found.sort_by_key(|pin| sort_key(names[*pin], side.order));
                    found.iter().for_each(|pin| is_free[*pin] = false);
                    edge.places.extend(found.into_iter().map(Some));
                }
            }
        }
        if side.reverse {
            edge.places.reverse();
        }
    }
    unmatched.pins = (0..names.len()).filter(|pin| is_free[*pin]).collect();
    for pin in &unmatched.pins {
        if let Some(edge) = edges.iter_mut().min_by_key(|edge| edge.places.len()) {
            edge.places.push(Some(*pin));
        }
    }
    Ok((edges, unmatched))
}

/// By bus and then by bit, or the other way round. What is no bit of a bus counts as the first.
fn sort_key(name: &str, order: BusOrder) -> (i64, String, i64) {
    let bit = name.strip_suffix(']').and_then(|name| name.rsplit_once('['));
    let (bus, index) = match bit.and_then(|(bus, index)| Some((bus, index.parse().ok()?))) {
        Some((bus, index)) => (bus, index),
        None => (name, -1),
    };
    match order {
        BusOrder::BusMajor => (0, bus.to_owned(), index),
        BusOrder::BitMajor => (index, bus.to_owned(), index),
    }
}

/// How many pins fit on so many tracks, if each is so many tracks from the next.
pub(super) fn room(tracks: usize, apart: usize) -> usize {
    if tracks == 0 { 0 } else { (tracks - 1) / apart.max(1) + 1 }
}

/// On which of the tracks so many pins stand evenly, none if they do not fit.
pub(super) fn spread(count: usize, tracks: usize, apart: usize) -> Option<Vec<usize>> {
    if count > room(tracks, apart) {
        return None;
    }
    // With half a distance left at both ends where there is room for it, else from end to end.
    if count == 0 || tracks / count >= apart {
        return Some((0..count).map(|k| (2 * k + 1) * tracks / (2 * count)).collect());
    }
    Some((0..count).map(|k| k * (tracks - 1) / (count - 1).max(1)).collect())
}

/// On which of the tracks pins stand that want these, in their order, at least so many apart; none if they do not fit.
pub(super) fn near(wanted: &[usize], tracks: usize, apart: usize) -> Option<Vec<usize>> {
    if wanted.len() > room(tracks, apart) {
        return None;
    }
    let mut free = 0;
    let place = |(index, track): (usize, &usize)| {
        // Those behind it need room, too.
        let last = tracks - 1 - (wanted.len() - 1 - index) * apart;
        let place = (*track).max(free).min(last);
        free = place + apart;
        place
    };
    Some(wanted.iter().enumerate().map(place).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_spread_and_never_closer_than_asked_for() {
        for tracks in 0..40 {
            for apart in 1..4 {
                let room = room(tracks, apart);
                assert_eq!(spread(room + 1, tracks, apart), None);
                for count in 0..=room {
                    let places = spread(count, tracks, apart).unwrap();
                    assert_eq!(places.len(), count);
                    assert!(
                        places.windows(2).all(|pair| pair[1] - pair[0] >= apart),
                        "{count} {tracks} {apart} {places:?}"
                    );
                    assert!(places.iter().all(|place| *place < tracks));
                }
            }
        }
        assert_eq!(spread(2, 10, 2), Some(vec![2, 7]));
    }

    #[test]
    fn pins_are_near_where_they_are_wanted() {
        assert_eq!(near(&[3, 7], 10, 2), Some(vec![3, 7]));
        assert_eq!(near(&[3, 3, 4], 10, 2), Some(vec![3, 5, 7]));
        assert_eq!(near(&[8, 9, 12], 10, 2), Some(vec![5, 7, 9]));
        assert_eq!(near(&[0, 0, 0], 5, 2), Some(vec![0, 2, 4]));
        assert_eq!((near(&[0, 0, 0], 4, 2), near(&[], 0, 1)), (None, Some(vec![])));
    }

    #[test]
    fn an_order_file_is_kept_to() {
        let names = ["clk", "a[10]", "a[2]", "b[2]", "b[0]", "rst", "q"];
        let order =
            pin_order::parse("#W\nclk $1 rst\n#NR\n@bit_major\n[ab]\\[.*\\]\n#S\n@min_distance=3\nnone\n").unwrap();
        let (edges, unmatched) = ordered(&names, &order).unwrap();
        // Left is the file's; the top is in reverse.
        assert_eq!(edges[0].places, [Some(0), None, Some(5)]);
        assert_eq!(edges[1].places, [Some(1), Some(3), Some(2), Some(4)]);
        assert_eq!(edges[3].min_distance, Some(3.0));
        assert_eq!(unmatched, Unmatched { pins: vec![6], patterns: vec!["none".to_owned()] });
        assert!(edges[2].places == [Some(6)] || edges[3].places == [Some(6)]);
        let buses = pin_order::parse("#E\n.*\n").unwrap();
        let (edges, _) = ordered(&names, &buses).unwrap();
        assert_eq!(edges[2].places, [2, 1, 4, 3, 0, 6, 5].map(Some));
        assert!(ordered(&names, &pin_order::parse("#E\n(").unwrap()).unwrap_err().contains("no regular expression"));
    }
}
