//! What an abstract of Magic lacks: obstructions. Up to version 8.3.105 at least, `lef write -hide` leaves out what is not a
//! pin, so that whoever uses the block would route over it.
//!
//! All of the block becomes an obstruction on each routing layer that it uses, but for its pins and a way to each from the
//! nearest edge, which leaves as much room on either side as the pin is wide. What other nets have in that way stays an
//! obstruction.

use std::fmt::Write as _;

/// A rectangle on a layer: left, bottom, right and top edge in µm.
type Shape<'a> = (&'a str, [f64; 4]);

/// An abstract as Magic writes it: one statement a line.
#[derive(Debug, Default, PartialEq)]
struct Macro<'a> {
    outline: [f64; 4],
    pins: Vec<(&'a str, Vec<Shape<'a>>)>,
    obstructions: Vec<Shape<'a>>,
}

impl<'a> Macro<'a> {
    /// `None` for what does not look like an abstract of Magic.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parsed = Self::default();
        let (mut origin, mut size, mut layer, mut in_obstructions) = (None, None, "", false);
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match *words.as_slice() {
                ["ORIGIN", x, y, ";"] => origin = Some((x.parse::<f64>().ok()?, y.parse::<f64>().ok()?)),
                ["SIZE", width, "BY", height, ";"] => {
                    size = Some((width.parse::<f64>().ok()?, height.parse::<f64>().ok()?));
                }
                ["PIN", name] => parsed.pins.push((name, Vec::new())),
                ["OBS"] => in_obstructions = true,
                ["LAYER", name, ";"] => layer = name,
                ["RECT", left, bottom, right, top, ";"] => {
                    let edge = |edge: &str| edge.parse::<f64>().ok();
                    let shape = (layer, [edge(left)?, edge(bottom)?, edge(right)?, edge(top)?]);
                    let shapes =
                        if in_obstructions { &mut parsed.obstructions } else { &mut parsed.pins.last_mut()?.1 };
                    shapes.push(shape);
                }
                _ => {}
            }
        }
        let ((x, y), (width, height)) = (origin?, size?);
        // From 0, so that there is no negative one.
        parsed.outline = [0.0 - x, 0.0 - y, width - x, height - y];
        Some(parsed)
    }

    fn layers(&self) -> impl Iterator<Item = &'a str> {
        let pins = self.pins.iter().flat_map(|(_, shapes)| shapes);
        pins.chain(&self.obstructions).map(|(layer, _)| *layer)
    }
}

/// An abstract with obstructions on these layers, as far as the block uses them. `full` is the block with all its shapes.
/// `None` if either text is no abstract of one block.
pub(super) fn with_obstructions(hidden: &str, full: &str, routing: &[String]) -> Option<String> {
    let (seen, all) = (Macro::parse(hidden)?, Macro::parse(full)?);
    let mut text = String::from("  OBS\n");
    for layer in routing.iter().filter(|layer| all.layers().any(|used| used == **layer)) {
        let _ = writeln!(text, "    LAYER {layer} ;");
        let mut blocked = vec![seen.outline];
        let mut kept = Vec::new();
        for (pin, shapes) in &seen.pins {
            let others = all.pins.iter().filter(|(name, _)| name != pin).flat_map(|(_, shapes)| shapes);
            let others: Vec<[f64; 4]> =
                others.chain(&all.obstructions).filter(|(of, _)| of == layer).map(|(_, shape)| *shape).collect();
            for (_, shape) in shapes.iter().filter(|(of, _)| of == layer) {
                let free = way(*shape, seen.outline);
                blocked = blocked.into_iter().flat_map(|rectangle| without(rectangle, free)).collect();
                kept.extend(others.iter().filter_map(|other| common(*other, free)));
            }
        }
        for [left, bottom, right, top] in blocked.into_iter().chain(kept) {
            let _ = writeln!(text, "      RECT {left:.3} {bottom:.3} {right:.3} {top:.3} ;");
        }
    }
    text.push_str("  END\n");
    // The end of the block is the last `END` with a name that is not the library's.
    let end = hidden.rfind("\nEND ").filter(|end| !hidden[*end..].starts_with("\nEND LIBRARY"));
    let end = end.or_else(|| hidden[..hidden.rfind("\nEND LIBRARY")?].rfind("\nEND "))? + 1;
    Some(format!("{}{text}{}", &hidden[..end], &hidden[end..]))
}

/// A pin with the room around it, up to the nearest edge of the block.
fn way([left, bottom, right, top]: [f64; 4], outline: [f64; 4]) -> [f64; 4] {
    let room = (right - left).min(top - bottom);
    let mut way = [left - room, bottom - room, right + room, top + room];
    let distances = [left - outline[0], bottom - outline[1], outline[2] - right, outline[3] - top];
    let nearest = (0..4).min_by(|one, other| distances[*one].total_cmp(&distances[*other])).unwrap_or(0);
    // The pin may reach beyond the outline.
    way[nearest] = if nearest < 2 { way[nearest].min(outline[nearest]) } else { way[nearest].max(outline[nearest]) };
    way
}

/// Less than this is nothing, in µm: what sums of decimals leave.
const NOTHING: f64 = 1e-6;

fn is_there(rectangle: &[f64; 4]) -> bool {
    rectangle[2] - rectangle[0] > NOTHING && rectangle[3] - rectangle[1] > NOTHING
}

/// What two rectangles have in common.
fn common(one: [f64; 4], other: [f64; 4]) -> Option<[f64; 4]> {
    let shared = [one[0].max(other[0]), one[1].max(other[1]), one[2].min(other[2]), one[3].min(other[3])];
    Some(shared).filter(is_there)
}

/// What is left of a rectangle without another: up to four rectangles.
pub(super) fn without(of: [f64; 4], hole: [f64; 4]) -> Vec<[f64; 4]> {
    let Some([left, bottom, right, top]) = common(of, hole) else { return vec![of] };
    let parts = [
        [of[0], of[1], of[2], bottom],
        [of[0], top, of[2], of[3]],
        [of[0], bottom, left, top],
        [right, bottom, of[2], top],
    ];
    parts.into_iter().filter(is_there).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "MACRO b\n  CLASS BLOCK ;\n  ORIGIN 1.000 0.000 ;\n  SIZE 10.000 BY 10.000 ;\n";
    const PIN: &str = "  PIN a\n    PORT\n      LAYER m2 ;\n        RECT 0.000 4.000 2.000 5.000 ;\n    END\n  END a\n";

    #[test]
    fn all_but_the_pins_and_the_ways_to_them_is_blocked_where_the_block_has_wires() {
        let hidden = format!("{HEAD}{PIN}END b\nEND LIBRARY\n");
        let full = format!(
            "{HEAD}{PIN}  OBS\n    LAYER m1 ;\n      RECT 0 0 1 1 ;\n    LAYER m2 ;\n      RECT -0.8 3.5 -0.3 9 ;\n    LAYER v1 ;\n      RECT 0 0 1 1 ;\n  END\nEND b\nEND LIBRARY\n"
        );
        let layers = ["m1", "m2", "m3"].map(str::to_owned);
        let text = with_obstructions(&hidden, &full, &layers).unwrap();
        let obstructions = "  OBS
    LAYER m1 ;
      RECT -1.000 0.000 9.000 10.000 ;
    LAYER m2 ;
      RECT -1.000 0.000 9.000 3.000 ;
      RECT -1.000 6.000 9.000 10.000 ;
      RECT 3.000 3.000 9.000 6.000 ;
      RECT -0.800 3.500 -0.300 6.000 ;
  END
";
        assert_eq!(text, format!("{HEAD}{PIN}{obstructions}END b\nEND LIBRARY\n"));
        assert_eq!(with_obstructions("", &full, &layers), None);
    }
}
