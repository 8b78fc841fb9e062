//! Numbers with units. The first byte chooses the variable.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tapeout_config::{Loader, Schema, SourceMap, Type, Value, Variable};
use tapeout_fuzz::{DESIGN, check, confine};

const UNITS: [&str; 10] = ["ns", "MHz", "V", "um^2", "pF", "°C", "%", "Ω", "K", "dB"];

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let of = |ty: Type, name: &'static str| {
        UNITS.into_iter().map(move |unit| Variable::new(format!("{name}{unit}"), ty.clone(), "").units(unit))
    };
    let variables = of(Type::Decimal, "").chain(of(Type::list(Type::Int), "l"));
    Schema::new(variables.map(Variable::optional)).expect("the schema is in order")
});

fuzz_target!(init: confine(), |data: &[u8]| {
    let Some((first, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Some(variable) = SCHEMA.iter().nth(usize::from(*first) % (2 * UNITS.len())) else { return };
    let given = Value::Map(vec![(variable.name.to_string(), Value::from(text))]);
    let mut sources = SourceMap::new();
    let loaded = Loader::from_mapping(given, &*DESIGN).load(&mut sources).expect("a map is a configuration");
    match loaded.resolve(&SCHEMA, &mut sources) {
        Ok((config, _)) => {
            let Some(value) = config.get(&variable.name) else { return };
            // The number is the same with the unit of the variable behind it.
            let written = Value::from(format!("{value} {}", variable.units.unwrap_or_default()));
            let again = config.copy([(variable.name.to_string(), written)]);
            if let (Value::Decimal(decimal), Ok(again)) = (value, again)
                && decimal.is_finite()
            {
                assert_eq!(again.get(&variable.name), Some(value), "{text}");
            }
        }
        Err(diagnostics) => check::refusal(&diagnostics, &sources),
    }
});
