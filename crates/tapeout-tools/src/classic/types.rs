//! The types that variables of the flow share: places on the chip, macros, routing rules.

use tapeout_config::{Schema, SchemaError, Type, Variable};
use tapeout_model::Value;

/// x and y.
pub(super) fn point() -> Type {
    Type::tuple([Type::Decimal, Type::Decimal])
}

/// Left, bottom, right and top edge.
pub(super) fn rectangle() -> Type {
    Type::tuple(vec![Type::Decimal; 4])
}

/// A layer, then a rectangle on it.
pub(super) fn area_on_layer() -> Type {
    Type::tuple([vec![Type::Str], vec![Type::Decimal; 4]].concat())
}

/// A hard macro: its views, and its instances.
pub(super) fn macro_type() -> Type {
    let files = |name, doc| Variable::new(name, Type::list(Type::Path), doc);
    let none = Vec::<String>::new;
    let by_corner =
        |name, doc| Variable::new(name, Type::map(Type::list(Type::Path)), doc).default(Value::Map(Vec::new()));
    structure(
        "Macro",
        Schema::new([
            files("gds", "Its layout as GDS.").check(at_least_one),
            files("lef", "Its abstract as LEF.").check(at_least_one),
            Variable::new("instances", Type::map(instance_type()), "Where its instances stand, by their names.")
                .default(Value::Map(Vec::new())),
            files("vh", "Verilog that declares its ports and nothing else.").default(none()),
            files("nl", "Its netlist without supplies, in Verilog.").default(none()),
            files("pnl", "Its netlist with supplies, in Verilog.").default(none()),
            by_corner("spef", "Its parasitics by corner, a pattern."),
            by_corner("lib", "Its Liberty files by corner, a pattern."),
            files("spice", "Its netlist as SPICE.").default(none()),
            by_corner("sdf", "Its delays by corner, a pattern."),
            Variable::new("json_h", Type::Path, "Its ports as JSON, as Yosys writes them.").optional(),
        ]),
    )
}

/// An instance of a macro or a cell.
pub(super) fn instance_type() -> Type {
    // The words of LEF and DEF, with those of OpenAccess.
    let orientations = [
        ("N", "R0"),
        ("FN", "MY"),
        ("W", "R90"),
        ("FW", "MXR90"),
        ("S", "R180"),
        ("FS", "MX"),
        ("E", "R270"),
        ("FE", "MYR90"),
    ];
    let orientation = Type::choice_with_aliases(orientations);
    structure(
        "Instance",
        Schema::new([
            Variable::new("location", point(), "Its origin as x and y. Without it the tools choose a place.")
                .units("µm")
                .optional(),
            Variable::new(
                "orientation",
                orientation,
                "How it is turned and mirrored, in the words of DEF or OpenAccess.",
            )
            .optional(),
        ]),
    )
}

/// A routing rule other than the usual one.
pub(super) fn routing_rule() -> Type {
    let per_layer = |name, doc| Variable::new(name, Type::list(Type::Str), doc);
    structure(
        "Rule",
        Schema::new([
            per_layer(
                "spacing",
                "The gaps between wires: one for all layers, or layers and gaps in turn. In µm, or `*2` for twice the \
                 usual.",
            ),
            per_layer(
                "width",
                "The widths of wires: one for all layers, or layers and widths in turn. In µm, or `*2` for twice the \
                 usual.",
            ),
            per_layer("via", "The vias that may be used. Otherwise they are the usual ones.").optional(),
        ]),
    )
}

fn structure(name: &'static str, fields: Result<Schema, SchemaError>) -> Type {
    Type::structure(name, fields.expect("the fields have names of their own and defaults of their types"))
}

fn at_least_one(value: &Value) -> Result<(), String> {
    match value {
        Value::List(files) if files.is_empty() => Err("must name at least one file".to_owned()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_macro_has_a_layout_and_an_abstract() {
        let Type::Struct(of) = macro_type() else { panic!("it is a struct") };
        for field in ["gds", "lef"] {
            let field = of.fields.get(field).unwrap();
            assert!(field.is_required());
            let check = field.check.clone().unwrap();
            assert_eq!(check.of(&Value::List(Vec::new())), Err("must name at least one file".to_owned()));
            assert_eq!(check.of(&vec!["a"].into()), Ok(()));
        }
        let required: Vec<&str> = of.fields.iter().filter(|field| field.is_required()).map(|f| &*f.name).collect();
        assert_eq!(required, ["gds", "lef"]);
    }
}
