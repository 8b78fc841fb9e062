//! Former names whose values mean something else today. Those that only have another name now are with the variables.

use std::borrow::Cow;

use tapeout_config::{Translation, Type, Variable};
use tapeout_model::{Decimal, Value};

/// What replaces a former variable.
type Replaced = Result<Vec<(Cow<'static, str>, Value)>, String>;

pub(super) fn variables() -> Vec<Variable> {
    let former = |name, ty, doc, translation: Translation| Variable::new(name, ty, doc).deprecated(translation);
    let text_or_list = || Type::union([Type::Str, Type::list(Type::Str)]);
    let scalar = || Type::union([Type::Str, Type::Bool, Type::Int, Type::Decimal]);
    vec![
        former(
            "DIODE_INSERTION_STRATEGY",
            Type::Int,
            "How antennas are avoided: 0 not at all, 3 by repair after global routing, 4 by diodes beside gates, 6 by \
             both. Use `RUN_ANTENNA_REPAIR`, `RUN_HEURISTIC_DIODE_INSERTION` and `DIODE_ON_PORTS`.",
            diode_strategy,
        ),
        former(
            "TRISTATE_CELL_PREFIX",
            text_or_list(),
            "How the names of tri-state cells begin. Use `TRISTATE_CELLS`, which takes patterns.",
            |value| {
                let patterns = words(value).into_iter().map(|prefix| format!("{prefix}*"));
                replaced("TRISTATE_CELLS", patterns.collect::<Vec<_>>())
            },
        )
        .from_pdk(),
        former(
            "USE_LIGHTER",
            Type::Bool,
            "Whether enables become clock gates. Use `SYNTH_CLOCKGATE_MIN_WIDTH`.",
            |value| replaced("SYNTH_CLOCKGATE_MIN_WIDTH", if is_true(value) { Value::Int(1) } else { Value::Null }),
        ),
        former(
            "SYNTH_NO_FLAT",
            Type::Bool,
            "Whether the hierarchy is dissolved only after optimisation. Use `SYNTH_HIERARCHY_MODE`.",
            |value| replaced("SYNTH_HIERARCHY_MODE", if is_true(value) { "deferred_flatten" } else { "flatten" }),
        ),
        former(
            "SYNTH_ELABORATE_FLATTEN",
            Type::Bool,
            "Whether a netlist that is only elaborated is flat. Use `SYNTH_HIERARCHY_MODE`.",
            flatten_or_keep,
        ),
        former(
            "SYNTH_FLAT_TOP",
            Type::Bool,
            "Whether the top module is flat. Use `SYNTH_HIERARCHY_MODE`.",
            flatten_or_keep,
        ),
        former(
            "WIRE_RC_LAYER",
            Type::Str,
            "The layer that stands for signal wires. Use `SIGNAL_WIRE_RC_LAYERS`.",
            |value| replaced("SIGNAL_WIRE_RC_LAYERS", vec![value.clone()]),
        )
        .from_pdk(),
        former(
            "DATA_WIRE_RC_LAYER",
            Type::Str,
            "The layer that stands for signal wires. Use `SIGNAL_WIRE_RC_LAYERS`.",
            |value| replaced("SIGNAL_WIRE_RC_LAYERS", vec![value.clone()]),
        )
        .from_pdk(),
        former(
            "CLOCK_WIRE_RC_LAYER",
            Type::Str,
            "The layer that stands for clock wires. Use `CLOCK_WIRE_RC_LAYERS`.",
            |value| replaced("CLOCK_WIRE_RC_LAYERS", vec![value.clone()]),
        )
        .from_pdk(),
        former(
            "FP_PDN_MACRO_HOOKS",
            text_or_list(),
            "How supplies reach macros, separated by commas. Use `PDN_MACRO_CONNECTIONS`.",
            |value| match value {
                Value::Str(text) => {
                    let hooks: Vec<&str> = text.split(',').map(str::trim).collect();
                    replaced("PDN_MACRO_CONNECTIONS", hooks)
                }
                list => replaced("PDN_MACRO_CONNECTIONS", list.clone()),
            },
        ),
        former(
            "PL_TARGET_DENSITY",
            Type::Decimal,
            "How densely cells are placed, from 0 to 1. Use `PL_TARGET_DENSITY_PCT`.",
            |value| match value {
                Value::Decimal(part) => replaced("PL_TARGET_DENSITY_PCT", *part * Decimal::from(100_i64)),
                other => replaced("PL_TARGET_DENSITY_PCT", other.clone()),
            },
        ),
        former(
            "QUIT_ON_UNMATCHED_IO",
            Type::Bool,
            "Whether pins without a place in `IO_PIN_ORDER_CFG` are an error. Use `ERRORS_ON_UNMATCHED_IO`.",
            |value| replaced("ERRORS_ON_UNMATCHED_IO", if is_true(value) { "unmatched_design" } else { "none" }),
        ),
        former(
            "KLAYOUT_DRC_OPTIONS",
            Type::map(scalar()),
            "Variables for KLayout's script of design rules. Use `KLAYOUT_DRC_DEFINES`, whose values are text.",
            |value| match value {
                Value::Map(entries) => {
                    let texts = entries.iter().map(|(name, value)| (name.clone(), Value::Str(value.to_string())));
                    replaced("KLAYOUT_DRC_DEFINES", Value::Map(texts.collect()))
                }
                other => replaced("KLAYOUT_DRC_DEFINES", other.clone()),
            },
        )
        .from_pdk(),
        former(
            "MAGIC_NO_EXT_UNIQUE",
            Type::Bool,
            "Whether nets with one label count as connected. Use `MAGIC_EXT_UNIQUE`.",
            no_unique_labels,
        ),
        former(
            "LVS_CONNECT_BY_LABEL",
            Type::Bool,
            "Whether nets with one label count as connected. Use `MAGIC_EXT_UNIQUE`.",
            no_unique_labels,
        ),
    ]
}

fn replaced(name: &'static str, value: impl Into<Value>) -> Replaced {
    Ok(vec![(Cow::Borrowed(name), value.into())])
}

fn is_true(value: &Value) -> bool {
    *value == Value::Bool(true)
}

/// The words of a text, or the texts of a list.
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::List(items) => items.iter().map(Value::to_string).collect(),
        text => text.to_string().split_whitespace().map(str::to_owned).collect(),
    }
}

fn flatten_or_keep(value: &Value) -> Replaced {
    replaced("SYNTH_HIERARCHY_MODE", if is_true(value) { "flatten" } else { "keep" })
}

fn no_unique_labels(value: &Value) -> Replaced {
    replaced("MAGIC_EXT_UNIQUE", if is_true(value) { "none" } else { "all" })
}

/// The strategies of OpenLane 1 that there still is a way to.
fn diode_strategy(value: &Value) -> Replaced {
    let (repair, beside_gates) = match value {
        Value::Int(0) => (false, false),
        Value::Int(3) => (true, false),
        Value::Int(4) => (false, true),
        Value::Int(6) => (true, true),
        other => {
            return Err(format!(
                "must be 0, 3, 4 or 6, not {other}: the other strategies are no more; set `RUN_ANTENNA_REPAIR`, \
                 `RUN_HEURISTIC_DIODE_INSERTION` and `DIODE_ON_PORTS`"
            ));
        }
    };
    Ok(vec![
        ("RUN_ANTENNA_REPAIR".into(), repair.into()),
        ("RUN_HEURISTIC_DIODE_INSERTION".into(), beside_gates.into()),
        ("DIODE_ON_PORTS".into(), if beside_gates { "in" } else { "none" }.into()),
    ])
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use tapeout_config::Role;

    use super::*;

    /// What a former variable with this value becomes: `NAME=VALUE`, or the reason why there is no way.
    fn translated(name: &str, value: Value) -> Result<Vec<String>, String> {
        let variable = variables().into_iter().find(|variable| variable.name == name).unwrap();
        let Role::Deprecated(translation) = variable.role else { panic!("{name} is deprecated") };
        let pairs = translation(&value)?;
        Ok(pairs.into_iter().map(|(name, value)| format!("{name}={}", value.to_json())).collect())
    }

    #[test]
    fn former_values_become_todays() {
        let map = Value::Map(vec![("feol".to_owned(), true.into()), ("n".to_owned(), 2_i64.into())]);
        let density = Value::Decimal(Decimal::from_str("0.55").unwrap());
        let cases: [(&str, Value, &str); 20] = [
            ("TRISTATE_CELL_PREFIX", "a_ b_".into(), r#"TRISTATE_CELLS=["a_*","b_*"]"#),
            ("TRISTATE_CELL_PREFIX", vec!["a_"].into(), r#"TRISTATE_CELLS=["a_*"]"#),
            ("USE_LIGHTER", true.into(), "SYNTH_CLOCKGATE_MIN_WIDTH=1"),
            ("USE_LIGHTER", false.into(), "SYNTH_CLOCKGATE_MIN_WIDTH=null"),
            ("SYNTH_NO_FLAT", true.into(), r#"SYNTH_HIERARCHY_MODE="deferred_flatten""#),
            ("SYNTH_NO_FLAT", false.into(), r#"SYNTH_HIERARCHY_MODE="flatten""#),
            ("SYNTH_ELABORATE_FLATTEN", true.into(), r#"SYNTH_HIERARCHY_MODE="flatten""#),
            ("SYNTH_FLAT_TOP", false.into(), r#"SYNTH_HIERARCHY_MODE="keep""#),
            ("WIRE_RC_LAYER", "met1".into(), r#"SIGNAL_WIRE_RC_LAYERS=["met1"]"#),
            ("DATA_WIRE_RC_LAYER", "met2".into(), r#"SIGNAL_WIRE_RC_LAYERS=["met2"]"#),
            ("CLOCK_WIRE_RC_LAYER", "met5".into(), r#"CLOCK_WIRE_RC_LAYERS=["met5"]"#),
            ("FP_PDN_MACRO_HOOKS", "a V G v g, b V G v g".into(), r#"PDN_MACRO_CONNECTIONS=["a V G v g","b V G v g"]"#),
            ("FP_PDN_MACRO_HOOKS", vec!["a V G v g"].into(), r#"PDN_MACRO_CONNECTIONS=["a V G v g"]"#),
            ("PL_TARGET_DENSITY", density, "PL_TARGET_DENSITY_PCT=55"),
            ("QUIT_ON_UNMATCHED_IO", true.into(), r#"ERRORS_ON_UNMATCHED_IO="unmatched_design""#),
            ("QUIT_ON_UNMATCHED_IO", false.into(), r#"ERRORS_ON_UNMATCHED_IO="none""#),
            ("KLAYOUT_DRC_OPTIONS", map, r#"KLAYOUT_DRC_DEFINES={"feol":"true","n":"2"}"#),
            ("MAGIC_NO_EXT_UNIQUE", true.into(), r#"MAGIC_EXT_UNIQUE="none""#),
            ("LVS_CONNECT_BY_LABEL", false.into(), r#"MAGIC_EXT_UNIQUE="all""#),
            ("LVS_CONNECT_BY_LABEL", true.into(), r#"MAGIC_EXT_UNIQUE="none""#),
        ];
        for (name, value, expected) in cases {
            let found = translated(name, value.clone()).unwrap().join(" ");
            assert_eq!(found.trim_end_matches(".00").trim_end_matches(".0"), expected, "{name}: {value}");
        }
    }

    #[test]
    fn four_strategies_against_antennas_have_a_way() {
        let cases = [(0, "false", "false", "none"), (3, "true", "false", "none"), (4, "false", "true", "in")];
        for (strategy, repair, beside_gates, ports) in cases.into_iter().chain([(6, "true", "true", "in")]) {
            let expected = [
                format!("RUN_ANTENNA_REPAIR={repair}"),
                format!("RUN_HEURISTIC_DIODE_INSERTION={beside_gates}"),
                format!("DIODE_ON_PORTS=\"{ports}\""),
            ];
            assert_eq!(translated("DIODE_INSERTION_STRATEGY", Value::Int(strategy)).unwrap(), expected);
        }
        for strategy in [1, 2, 5, 7, -1] {
            let reason = translated("DIODE_INSERTION_STRATEGY", Value::Int(strategy)).unwrap_err();
            assert!(reason.starts_with(&format!("must be 0, 3, 4 or 6, not {strategy}:")), "{reason}");
        }
    }

    #[test]
    fn what_replaces_a_former_variable_exists_and_takes_the_value() {
        let all = super::super::variables();
        let find = |name: &str| all.iter().find(|variable| variable.name == name);
        for variable in variables() {
            let Role::Deprecated(translation) = variable.role else { panic!("{} is deprecated", variable.name) };
            let example = match &variable.ty {
                Type::Bool => true.into(),
                Type::Int => Value::Int(6),
                Type::Decimal => Value::Decimal(Decimal::from(1_i64)),
                Type::Map(_) => Value::Map(vec![("a".to_owned(), "b".into())]),
                _ => "word".into(),
            };
            for (name, value) in translation(&example).unwrap() {
                let target = find(&name).unwrap_or_else(|| panic!("{}: there is no `{name}`", variable.name));
                let given = Variable::new("GIVEN", target.ty.clone(), "").default(value.clone());
                assert!(tapeout_config::Schema::new([given]).is_ok(), "{}: `{name}` cannot be {value}", variable.name);
                assert_eq!(variable.from_pdk, target.from_pdk, "{name}");
            }
        }
    }
}
