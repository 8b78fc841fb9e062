//! Which violations of design rules lie in the abstracts of cells: shapes that stand for a layout which is not there.
//!
//! A LEF file cuts the metal of a cell into rectangles, and leaves out what no wire could meet. What is left may break rules
//! that the cell itself keeps. So a violation is not the design's if the abstract has it alone: if it lies within those of
//! that rule in the abstracts, each checked without anything around it, where they stand.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tapeout_formats::gds::{Library, Shape, Structure, Transform};
use tapeout_formats::magic_drc::{Report, Rule};

use super::abstracts::without;

/// A rectangle: left, bottom, right and top edge in µm.
type Edges = [f64; 4];

/// Distances below this are none, in µm. Reports have four decimals, and each Magic rounds for itself.
const NEAR: f64 = 0.002;

/// Takes the violations out of a report that lie in abstracts: `of_abstracts` has the reports of those alone, each of a cell
/// and how it is turned about its origin, such as `INVX1 FS`, as Magic marks another place then; `placed` is the design with
/// the places of its cells. Gives how many violations there were, and in which abstracts.
pub(super) fn leave_out<'r>(
    report: &mut Report,
    of_abstracts: &'r [Report],
    placed: &Library,
) -> (usize, BTreeSet<String>) {
    let mut known: HashMap<&str, Vec<(Edges, &str)>> = HashMap::new();
    let turned = |report: &'r Report| Some((report.cell.rsplit_once(' ')?, report.rules.as_slice()));
    let by_cell: BTreeMap<(&str, &str), &[Rule]> = of_abstracts.iter().filter_map(turned).collect();
    let names: BTreeSet<&str> = by_cell.keys().map(|(cell, _)| *cell).collect();
    let structures: HashMap<&str, &Structure> =
        placed.structures.iter().map(|structure| (structure.name.as_str(), structure)).collect();
    let unit = placed.units.metres * 1e6;
    let mut pending = vec![(report.cell.as_str(), Affine::default())];
    while let Some((cell, at)) = pending.pop() {
        if let Some(cell) = names.get(cell) {
            let rules = at.turned().and_then(|turned| by_cell.get(&(*cell, turned)));
            for rule in rules.copied().unwrap_or_default() {
                let [x, y] = at.origin;
                let moved = |[left, bottom, right, top]: Edges| [left + x, bottom + y, right + x, top + y];
                let boxes = rule.boxes.iter().map(|edges| (moved(*edges), *cell));
                known.entry(rule.text.as_str()).or_default().extend(boxes);
            }
            continue;
        }
        let Some(structure) = structures.get(cell) else { continue };
        for element in &structure.elements {
            pending.extend(instances(&element.shape, unit).map(|(cell, inner)| (cell, at.after(inner))));
        }
    }
    let (mut count, mut cells) = (0, BTreeSet::new());
    for rule in &mut report.rules {
        let Some(known) = known.get_mut(rule.text.as_str()) else { continue };
        known.sort_by(|one, other| one.0[0].total_cmp(&other.0[0]));
        let widest = known.iter().map(|(edges, _)| edges[2] - edges[0]).fold(0.0, f64::max);
        rule.boxes.retain(|edges| {
            let from = known.partition_point(|(other, _)| other[0] < edges[0] - widest - NEAR);
            let near = known[from..].iter().take_while(|(other, _)| other[0] < edges[2] + NEAR);
            let mut rest = vec![*edges];
            let mut within = Vec::new();
            for (other, cell) in near {
                let wide = [other[0] - NEAR, other[1] - NEAR, other[2] + NEAR, other[3] + NEAR];
                let before = rest.clone();
                rest = rest.into_iter().flat_map(|part| without(part, wide)).collect();
                if rest != before {
                    within.push((*cell).to_owned());
                }
            }
            let is_inside = rest.is_empty();
            if is_inside {
                count += 1;
                cells.extend(within);
            }
            !is_inside
        });
    }
    report.rules.retain(|rule| !rule.boxes.is_empty());
    (count, cells)
}

/// The cells that an element places, with how they are. Distances are in database units of `unit` µm.
fn instances(shape: &Shape, unit: f64) -> impl Iterator<Item = (&str, Affine)> {
    let um = |at: i32| f64::from(at) * unit;
    let all: Vec<(&str, Affine)> = match shape {
        Shape::Reference { structure, transform, origin } => {
            vec![(structure, Affine::of(transform, [um(origin.x), um(origin.y)]))]
        }
        Shape::Array { structure, transform, columns, rows, points: [first, right, up] } => {
            let step = |to: i32, from: i32, count: i16| (um(to) - um(from)) / f64::from(count.max(1));
            let columns_by = [step(right.x, first.x, *columns), step(right.y, first.y, *columns)];
            let rows_by = [step(up.x, first.x, *rows), step(up.y, first.y, *rows)];
            let place = |column: i16, row: i16| {
                [0, 1].map(|axis| {
                    let origin = um([first.x, first.y][axis]);
                    origin + f64::from(column) * columns_by[axis] + f64::from(row) * rows_by[axis]
                })
            };
            let places = (0..*columns).flat_map(|column| (0..*rows).map(move |row| (column, row)));
            places.map(|(column, row)| (structure.as_str(), Affine::of(transform, place(column, row)))).collect()
        }
        _ => Vec::new(),
    };
    all.into_iter()
}

/// How a cell is turned and where it is: x and y of a point are `matrix` times the point, plus `origin`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Affine {
    matrix: [[f64; 2]; 2],
    origin: [f64; 2],
}

impl Default for Affine {
    fn default() -> Self {
        Self { matrix: [[1.0, 0.0], [0.0, 1.0]], origin: [0.0, 0.0] }
    }
}

impl Affine {
    fn of(transform: &Transform, origin: [f64; 2]) -> Self {
        let (sine, cosine) = transform.angle.unwrap_or(0.0).to_radians().sin_cos();
        let size = transform.magnification.unwrap_or(1.0);
        let y = if transform.reflects() { -size } else { size };
        Self { matrix: [[cosine * size, -sine * y], [sine * size, cosine * y]], origin }
    }

    fn point(self, [x, y]: [f64; 2]) -> [f64; 2] {
        [0, 1].map(|axis| self.matrix[axis][0] * x + self.matrix[axis][1] * y + self.origin[axis])
    }

    /// First the other, then this.
    fn after(self, inner: Self) -> Self {
        let entry = |row: usize, column: usize| {
            self.matrix[row][0] * inner.matrix[0][column] + self.matrix[row][1] * inner.matrix[1][column]
        };
        Self { matrix: [0, 1].map(|row| [entry(row, 0), entry(row, 1)]), origin: self.point(inner.origin) }
    }

    /// The name of that in a LEF, for those that keep rows level.
    fn turned(self) -> Option<&'static str> {
        let is = |x: f64, y: f64| {
            let expected = [[x, 0.0], [0.0, y]];
            self.matrix.iter().flatten().zip(expected.iter().flatten()).all(|(one, other)| (one - other).abs() < 1e-9)
        };
        let names = [("N", 1.0, 1.0), ("FN", -1.0, 1.0), ("FS", 1.0, -1.0), ("S", -1.0, -1.0)];
        names.into_iter().find(|(_, x, y)| is(*x, *y)).map(|(name, ..)| name)
    }
}

#[cfg(test)]
mod tests {
    use tapeout_formats::gds::{Dates, Element, Units};
    use tapeout_formats::geometry::Point;

    use super::*;

    fn placed(places: &[(Transform, i32, i32)]) -> Library {
        let element = |(transform, x, y): &(Transform, i32, i32)| Element {
            shape: Shape::Reference { structure: "INV".into(), transform: *transform, origin: Point { x: *x, y: *y } },
            flags: None,
            plex: None,
            properties: Vec::new(),
        };
        let structure =
            Structure { dates: Dates::default(), name: "top".into(), elements: places.iter().map(element).collect() };
        Library {
            version: 3,
            dates: Dates::default(),
            name: "l".into(),
            units: Units { user: 0.001, metres: 1e-9 },
            structures: vec![structure],
        }
    }

    fn report(cell: &str, rules: &[(&str, &[Edges])]) -> Report {
        let rules = rules.iter().map(|(text, boxes)| Rule { text: (*text).into(), boxes: boxes.to_vec() });
        Report { cell: cell.into(), style: "s".into(), rules: rules.collect() }
    }

    #[test]
    fn what_an_abstract_has_alone_is_left_out_wherever_it_stands() {
        let upright = Transform::default();
        let mirrored = Transform { flags: Some(0x8000), ..upright };
        let turned = Transform { angle: Some(180.0), ..upright };
        let library = placed(&[(upright, 10_000, 0), (mirrored, 20_000, 0), (turned, 30_000, 0)]);
        let alone = [
            report("INV N", &[("width", &[[1.0, 2.0, 3.0, 4.0], [3.0, 2.0, 4.0, 4.0]])]),
            report("INV FS", &[("width", &[[1.0, -4.0, 3.0, -2.0]])]),
            report("INV S", &[("width", &[[-3.0, -5.0, -1.0, -3.0]])]),
        ];
        let inside: &[Edges] = &[
            [11.0, 2.0, 13.0, 4.0],
            // Over two boxes of the abstract, and half of one.
            [12.0, 2.0, 14.0, 3.0],
            [21.0, -4.0, 23.0, -2.0],
            [27.0, -5.0, 29.0, -3.0],
        ];
        let outside: &[Edges] = &[[11.0, 2.0, 13.0, 4.5], [1.0, 2.0, 3.0, 4.0], [27.0, -4.0, 29.0, -2.0]];
        let mut all = report("top", &[("width", &[inside, outside].concat()), ("spacing", inside)]);
        let (count, cells) = leave_out(&mut all, &alone, &library);
        assert_eq!((count, cells), (4, BTreeSet::from(["INV".to_owned()])));
        assert_eq!(all, report("top", &[("width", outside), ("spacing", inside)]));
    }

    #[test]
    fn cells_in_cells_and_arrays_are_found() {
        let mut library = placed(&[(Transform { angle: Some(180.0), ..Transform::default() }, 10_000, 10_000)]);
        library.structures[0].name = "block".into();
        let points = [Point { x: 0, y: 0 }, Point { x: 200_000, y: 0 }, Point { x: 0, y: 100_000 }];
        let array =
            Shape::Array { structure: "block".into(), transform: Transform::default(), columns: 2, rows: 1, points };
        let mut top = library.structures[0].clone();
        top.name = "top".into();
        top.elements[0].shape = array;
        library.structures.push(top);
        let alone = [report("INV S", &[("width", &[[-3.0, -4.0, -1.0, -2.0]])])];
        let mut all = report("top", &[("width", &[[7.0, 6.0, 9.0, 8.0], [107.0, 6.0, 109.0, 8.0]])]);
        assert_eq!(leave_out(&mut all, &alone, &library).0, 2);
        assert_eq!(all.count(), 0);
    }
}
