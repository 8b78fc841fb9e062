//! Which cells a GDS shows by their abstracts, by what is in it. The files that it was made of do not tell: the GDS of a
//! macro may itself have been made without the layouts of its cells.

use std::collections::BTreeSet;

use tapeout_formats::gds::{Layer, Library, Shape, Structure};
use tapeout_formats::lef::Lef;

/// The cells of rows that have nothing but wires: a cell with a layout has transistors, or wells at least. Wires are on the
/// layers that the design's own structure uses, with those of its vias.
pub(crate) fn shown(library: &Library, design: &str, lef: &Lef) -> BTreeSet<String> {
    // KLayout calls a second cell of one name `NAME$1`.
    let name = |structure: &str| structure.split('$').next().unwrap_or_default().to_owned();
    let cell = |structure: &str| lef.cell(&name(structure));
    let find = |name: &str| library.structures.iter().find(|structure| structure.name == name);
    let Some(top) = find(design) else { return BTreeSet::new() };
    let vias = references(top).filter(|name| cell(name).is_none()).filter_map(find);
    let wires: BTreeSet<Layer> = vias.chain([top]).flat_map(layers).collect();
    let is_abstract = |structure: &&Structure| {
        let of_rows = structure.name != design && cell(&structure.name).is_some_and(|cell| cell.is_core());
        of_rows && references(structure).next().is_none() && layers(structure).all(|layer| wires.contains(&layer))
    };
    library.structures.iter().filter(is_abstract).map(|structure| name(&structure.name)).collect()
}

fn layers(structure: &Structure) -> impl Iterator<Item = Layer> {
    structure.elements.iter().filter_map(|element| match &element.shape {
        Shape::Boundary { layer, .. } | Shape::Path { layer, .. } => Some(*layer),
        _ => None,
    })
}

fn references(structure: &Structure) -> impl Iterator<Item = &str> {
    structure.elements.iter().filter_map(|element| match &element.shape {
        Shape::Reference { structure, .. } | Shape::Array { structure, .. } => Some(structure.as_str()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use tapeout_formats::gds::{Dates, Element, Transform, Units};
    use tapeout_formats::lef;

    use super::*;

    fn structure(name: &str, layers: &[i16], cells: &[&str]) -> Structure {
        let layers = layers
            .iter()
            .map(|layer| Shape::Boundary { layer: Layer { layer: *layer, datatype: 0 }, points: Vec::new() });
        let cells = cells.iter().map(|cell| Shape::Reference {
            structure: (*cell).to_owned(),
            transform: Transform::default(),
            origin: tapeout_formats::geometry::Point::default(),
        });
        let element = |shape| Element { shape, flags: None, plex: None, properties: Vec::new() };
        Structure {
            name: name.to_owned(),
            elements: layers.chain(cells).map(element).collect(),
            dates: Dates::default(),
        }
    }

    #[test]
    fn a_cell_of_wires_alone_is_an_abstract_wherever_it_comes_from() {
        let text = ["inv", "nand", "or"].map(|name| format!("MACRO {name} CLASS CORE ; SIZE 1 BY 1 ; END {name}\n"));
        let lef = lef::parse(&(text.concat() + "MACRO ram CLASS BLOCK ; SIZE 9 BY 9 ; END ram\n")).unwrap();
        let structures = vec![
            structure("inv", &[10, 49], &[]),
            structure("nand$1", &[49, 50], &[]),
            structure("or", &[49], &["part"]),
            structure("ram", &[49], &["nand$1"]),
            structure("via", &[50], &[]),
            structure("top", &[49], &["ram", "inv", "or", "via"]),
        ];
        let library = Library {
            version: 3,
            dates: Dates::default(),
            name: "l".to_owned(),
            units: Units { user: 1e-3, metres: 1e-9 },
            structures,
        };
        assert_eq!(shown(&library, "top", &lef), BTreeSet::from(["nand".to_owned()]));
    }
}
