//! A schema that has every type, role and kind of nesting, and an interpreter of Tcl that answers what it is told to.

use std::sync::{Arc, LazyLock};

use tapeout_config::{Elsewhere, Schema, SchemaError, TclInterpreter, TclProblem, TclRequest, Type, Value, Variable};
use tapeout_model::Decimal;

/// One or more variables of each kind.
pub static SCHEMA: LazyLock<Schema> = LazyLock::new(|| schema().expect("the schema is in order"));

fn schema() -> Result<Schema, SchemaError> {
    let point = Schema::new([
        Variable::new("x", Type::Decimal, "Across.").units("um"),
        Variable::new("y", Type::Decimal, "Up.").units("um").default("0.5").check(positive),
        Variable::new("view", Type::Path, "Its view.").optional(),
        Variable::new("note", Type::Any, "Anything.").optional(),
    ])?;
    let point = Type::structure("Point", point);
    let number_or_list = Type::union([Type::Bool, Type::Decimal, Type::list(Type::Str), Type::map(Type::Int)]);
    let mut schema = Schema::new([
        Variable::new("DESIGN_NAME", Type::Str, "The top module.").default("top"),
        Variable::new("VERILOG_FILES", Type::list(Type::Path), "Sources.").optional(),
        Variable::new("VERILOG_INCLUDE_DIRS", Type::list(Type::Dir), "Where includes are.").optional(),
        Variable::new("VERILOG_DEFINES", Type::list(Type::Str), "Macros.").optional(),
        Variable::new("CLOCK_PERIOD", Type::Decimal, "The period.").units("ns").default(10i64).check(positive),
        Variable::new("CLOCKS", Type::map(Type::Decimal), "Periods.").units("ns").optional(),
        Variable::new("SEED", Type::Int, "A seed.").default(1i64).env("SEED"),
        Variable::new("SEEDS", Type::list(Type::Int), "Seeds.").optional(),
        Variable::new("RUN", Type::Bool, "Whether to.").default(true).formerly("DO"),
        Variable::new("STRATEGY", Type::choice(["AREA", "DELAY 1"]), "The aim.").default("AREA"),
        Variable::new("STRATEGIES", Type::list(Type::choice(["AREA", "DELAY"])), "Aims.").optional(),
        Variable::new("PINS", Type::Path, "Where pins go.").optional(),
        Variable::new("OUT", Type::NewPath, "Where results go.").default("build/out"),
        Variable::new("DIE_AREA", Type::tuple([Type::Decimal, Type::Decimal, Type::Int]), "Corners.").optional(),
        Variable::new("POINTS", Type::map(point.clone()), "Points.").optional(),
        Variable::new("WAY", Type::list(point.or_null()), "A way.").optional(),
        Variable::new("EITHER", number_or_list, "Much.").optional(),
        Variable::new("ANY", Type::Any, "Anything.").optional(),
        Variable::new("A", Type::Any, "Anything, too.").optional().from_pdk(),
        Variable::new("B", Type::Decimal, "A number of the PDK.").optional().from_pdk(),
        Variable::new("TOKEN", Type::Str, "A secret.").optional().secret(),
        Variable::new("OLD", Type::Decimal, "A name of former times.").deprecated(translated),
        Variable::new("FREQUENCY", Type::Decimal, "Made.").units("MHz").derived_from(["CLOCK_PERIOD"]),
        Variable::new("PDK", Type::Str, "The PDK.").optional().env("PDK"),
        Variable::new("PDK_ROOT", Type::Str, "Where PDKs are.").optional().env("PDK_ROOT"),
        Variable::new("STD_CELL_LIBRARY", Type::Str, "The cell library.").optional(),
    ])?;
    let syn = Schema::new([
        Variable::new("run", Type::Bool, "Whether to.").default(false),
        Variable::new("effort", Type::choice(["low", "high"]), "How hard.").default("low"),
        Variable::new("files", Type::list(Type::Path), "Sources.").optional(),
    ])?;
    let mut stages = Schema::default();
    stages.nest("syn", "Synthesis.", syn)?;
    schema.nest("stages", "What is done.", stages)?;
    let sweep = Schema::new([
        Variable::new("from", Type::Decimal, "The first.").units("ns"),
        Variable::new("points", Type::Int, "How many.").default(3i64),
    ])?;
    schema.nest_optional("sweep", "Many.", sweep)?;
    Ok(schema.with_elsewhere(Arc::new(|name| match name {
        "OTHER" => Some(Elsewhere::OtherFlow),
        "GONE" => Some(Elsewhere::Removed("it did nothing".into())),
        _ => None,
    })))
}

fn positive(value: &Value) -> Result<(), String> {
    match value {
        Value::Decimal(decimal) if *decimal > Decimal::ZERO => Ok(()),
        _ => Err("must be positive".to_owned()),
    }
}

fn translated(value: &Value) -> Result<Vec<(std::borrow::Cow<'static, str>, Value)>, String> {
    match value {
        Value::Decimal(decimal) if decimal.is_zero() => Err("zero has no meaning".to_owned()),
        value => Ok(vec![("CLOCK_PERIOD".into(), value.clone())]),
    }
}

/// Gives the same answer to everything.
pub struct Parrot(pub String);

impl TclInterpreter for Parrot {
    fn run(&self, _: &TclRequest<'_>) -> Result<String, TclProblem> {
        match self.0.as_str() {
            "missing" => Err(TclProblem::Missing("tclsh on PATH".to_owned())),
            "late" => Err(TclProblem::TimedOut),
            answer => Ok(answer.to_owned()),
        }
    }
}
