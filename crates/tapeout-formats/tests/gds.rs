//! Layouts come back as they were written, files of real programs byte by byte, and nothing makes the reader panic.

use proptest::prelude::*;
use tapeout_formats::gds::{
    Dates, Element, Layer, Library, PathStyle, Property, Shape, Structure, Transform, Units, kind, read, set_dates,
    structure_names, write,
};
use tapeout_formats::geometry::Point;

/// A file that Magic 8.3.105 wrote: a cell with two instances of another, wires and labels.
const OF_MAGIC: &[u8] = include_bytes!("data/magic-8.3.105.gds");
/// The same layout as KLayout 0.28.5 wrote it, with an array, a path, a box and a property besides.
const OF_KLAYOUT: &[u8] = include_bytes!("data/klayout-0.28.5.gds");

fn point() -> impl Strategy<Value = Point<i32>> {
    (any::<i32>(), any::<i32>()).prop_map(|(x, y)| Point::new(x, y))
}

fn points() -> impl Strategy<Value = Vec<Point<i32>>> {
    prop::collection::vec(point(), 0..6)
}

fn layer() -> impl Strategy<Value = Layer> {
    (any::<i16>(), any::<i16>()).prop_map(|(layer, datatype)| Layer { layer, datatype })
}

fn text() -> impl Strategy<Value = String> {
    "[ -~\u{a0}-\u{ff}]{0,9}"
}

fn real() -> impl Strategy<Value = f64> {
    prop_oneof![Just(1e-3), Just(90.0), -1e30..1e30, 1e-30..1e-20]
}

fn style() -> impl Strategy<Value = PathStyle> {
    any::<(Option<i16>, Option<i32>, Option<i32>, Option<i32>)>().prop_map(|(path_type, width, begin, end)| PathStyle {
        path_type,
        width,
        begin_extension: begin,
        end_extension: end,
    })
}

fn transform() -> impl Strategy<Value = Transform> {
    (any::<Option<u16>>(), prop::option::of(real()), prop::option::of(real()))
        .prop_map(|(flags, magnification, angle)| Transform { flags, magnification, angle })
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        (layer(), points()).prop_map(|(layer, points)| Shape::Boundary { layer, points }),
        (layer(), points()).prop_map(|(layer, points)| Shape::Node { layer, points }),
        (layer(), points()).prop_map(|(layer, points)| Shape::Box { layer, points }),
        (layer(), style(), points()).prop_map(|(layer, style, points)| Shape::Path { layer, style, points }),
        (text(), transform(), point()).prop_map(|(structure, transform, origin)| Shape::Reference {
            structure,
            transform,
            origin
        }),
        (text(), transform(), any::<[i16; 2]>(), [point(), point(), point()]).prop_map(
            |(structure, transform, [columns, rows], points)| Shape::Array {
                structure,
                transform,
                columns,
                rows,
                points
            }
        ),
        (layer(), any::<Option<u16>>(), style(), transform(), point(), text()).prop_map(
            |(layer, presentation, style, transform, origin, text)| Shape::Text {
                layer,
                presentation,
                style,
                transform,
                origin,
                text
            }
        ),
    ]
}

fn element() -> impl Strategy<Value = Element> {
    let property = (any::<i16>(), text()).prop_map(|(attribute, value)| Property { attribute, value });
    (shape(), any::<Option<u16>>(), any::<Option<i32>>(), prop::collection::vec(property, 0..3))
        .prop_map(|(shape, flags, plex, properties)| Element { shape, flags, plex, properties })
}

fn dates() -> impl Strategy<Value = Dates> {
    any::<([i16; 6], [i16; 6])>().prop_map(|(changed, accessed)| Dates { changed, accessed })
}

fn library() -> impl Strategy<Value = Library> {
    let structure = (dates(), text(), prop::collection::vec(element(), 0..5))
        .prop_map(|(dates, name, elements)| Structure { dates, name, elements });
    (any::<i16>(), dates(), text(), real(), real(), prop::collection::vec(structure, 0..4)).prop_map(
        |(version, dates, name, user, metres, structures)| Library {
            version,
            dates,
            name,
            units: Units { user, metres },
            structures,
        },
    )
}

proptest! {
    #[test]
    fn a_library_reads_back_as_it_was_written(library in library()) {
        let bytes = write(&library).unwrap();
        prop_assert_eq!(&read(&bytes).unwrap(), &library);
        let names: Vec<String> = library.structures.iter().map(|structure| structure.name.clone()).collect();
        prop_assert_eq!(structure_names(&bytes).unwrap(), names);
    }

    #[test]
    fn damage_is_an_error_or_another_library(at in 0..OF_KLAYOUT.len(), byte: u8, cut in 0..OF_KLAYOUT.len()) {
        let mut damaged = OF_KLAYOUT.to_vec();
        damaged[at] = byte;
        let _ = read(&damaged).map(|library| write(&library));
        let _ = set_dates(&mut damaged, Dates::default());
        prop_assert!(read(&OF_KLAYOUT[..cut]).is_err());
    }
}

#[test]
fn files_of_other_programs_come_back_byte_by_byte() {
    for bytes in [OF_MAGIC, OF_KLAYOUT] {
        let library = read(bytes).unwrap();
        assert_eq!(library.units, Units { user: 1e-3, metres: 1e-9 });
        let written = write(&library).unwrap();
        assert_eq!(written, bytes[..written.len()], "of the library `{}`", library.name);
        assert!(bytes[written.len()..].iter().all(|byte| *byte == 0));
    }
    assert_eq!(structure_names(OF_MAGIC).unwrap(), ["leaf", "top"]);
    let library = read(OF_KLAYOUT).unwrap();
    let shapes = |is: fn(&Shape) -> bool| {
        library.structures.iter().flat_map(|structure| &structure.elements).filter(|element| is(&element.shape)).count()
    };
    assert_eq!(shapes(|shape| matches!(shape, Shape::Array { columns, rows, .. } if columns * rows == 6)), 1);
    assert_eq!(shapes(|shape| matches!(shape, Shape::Path { .. })), 1);
    assert!(shapes(|shape| matches!(shape, Shape::Text { .. })) > 0);
    assert!(library.structures.iter().flat_map(|s| &s.elements).any(|element| !element.properties.is_empty()));
}

#[test]
fn dates_are_set_and_nothing_else() {
    let mut bytes = OF_MAGIC.to_vec();
    let dates = Dates { changed: [2001, 2, 3, 4, 5, 6], accessed: [7, 8, 9, 10, 11, 12] };
    set_dates(&mut bytes, dates).unwrap();
    let mut expected = read(OF_MAGIC).unwrap();
    assert_ne!(expected.dates, dates);
    expected.dates = dates;
    expected.structures.iter_mut().for_each(|structure| structure.dates = dates);
    assert_eq!(read(&bytes).unwrap(), expected);
}

#[test]
fn errors_say_where() {
    let cut = read(&OF_MAGIC[..OF_MAGIC.len() / 2]).unwrap_err().to_string();
    assert!(cut.starts_with("GDSII, byte ") && cut.contains("expected a record"), "{cut}");
    let text = read(b"not a layout").unwrap_err().to_string();
    assert_eq!(text, "GDSII, byte 0: expected a record of 28271 bytes, found only 12 bytes");
    assert_eq!(
        read(b"").unwrap_err().to_string(),
        "GDSII, byte 0: expected a record, or the end of the library before, found the end of the file after 0 bytes"
    );
    let swapped = [0, 4, kind::ENDLIB, 0];
    assert!(read(&swapped).unwrap_err().to_string().contains("byte 0: expected a header, found a record of kind 0x04"));
    let too_long = vec![Point::default(); 8192];
    let shape = Shape::Boundary { layer: Layer::default(), points: too_long };
    let structure = Structure { dates: Dates::default(), name: "a".to_owned(), elements: vec![shape.into()] };
    let units = Units { user: 1e-3, metres: 1e-9 };
    let name = "l".to_owned();
    let library = Library { version: 600, dates: Dates::default(), name, units, structures: vec![structure] };
    assert!(write(&library).unwrap_err().to_string().contains("at most 65530 bytes in a record"));
}
