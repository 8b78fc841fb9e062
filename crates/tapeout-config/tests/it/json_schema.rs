//! The JSON Schema of a schema: that it is one, and that it accepts what the program accepts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value as Json, json};
use tapeout_config::{Schema, SchemaError, Type, Value, Variable};
use tapeout_model::Decimal;

/// A tool.
#[derive(Schema)]
struct Tool {
    /// The period of the clock.
    #[schema(units = "ns", default = 2.5, env = "PERIOD", formerly("T"))]
    period: Decimal,
    /// The key.
    #[schema(secret, mandatory_in("sweep"))]
    key: Option<String>,
    /// A password.
    #[schema(secret, default = "hidden")]
    password: String,
    /// The stages.
    stages: Stages,
    /// Its seeds.
    seeds: Option<Vec<i64>>,
    /// Its sources.
    files: Option<Vec<PathBuf>>,
    /// Macros.
    macros: Option<BTreeMap<String, Macro>>,
    #[schema(derived_from("seeds"))]
    many: bool,
}

#[derive(Schema)]
struct Stages {
    /// Synthesis.
    synthesis: Stage,
}

#[derive(Schema)]
struct Stage {
    /// Whether it runs.
    #[schema(formerly("go"))]
    run: bool,
    /// How hard it tries.
    effort: Effort,
}

#[derive(Schema)]
enum Effort {
    Low,
    VeryHigh,
}

/// A macro.
#[derive(Schema)]
struct Macro {
    /// Where it is.
    at: (Decimal, Decimal),
    /// Its views.
    views: Option<Vec<String>>,
}

fn tool() -> Result<Schema, SchemaError> {
    let mut schema = Schema::of::<Tool>()?;
    let shape = Type::union([Type::Bool, Type::list(Type::Int.or_null())]);
    schema.add(Variable::new("SHAPE", shape, "A union.").optional())?;
    let old = Variable::new("OLD", Type::Int, "An old one.").deprecated(|_| Ok(Vec::new()));
    schema.add(old)?;
    schema.add(Variable::new("ANY", Type::Any, "Anything.").default(Value::Bool(true)))?;
    Ok(schema)
}

#[test]
fn it_is_a_json_schema() {
    let schema = tool().unwrap().json_schema("A tool");
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    // The check is one.
    assert!(jsonschema::draft202012::meta::validate(&json!({ "type": "nothing" })).is_err());
    assert_eq!(schema["title"], "A tool");
    let properties = &schema["properties"];
    assert_eq!(properties["period"]["description"], "The period of the clock. In ns. Also set by `$PERIOD`.");
    assert_eq!(properties["period"]["default"], 2.5);
    assert_eq!(properties["key"]["description"], "The key. Mandatory in mode `sweep`.");
    assert_eq!((&properties["password"]["default"], &properties["many"]), (&Json::Null, &Json::Null));
    assert_eq!(properties["T"]["deprecated"], true);
    assert_eq!(properties["OLD"]["deprecated"], true);
    assert_eq!(properties["stages"]["description"], "The stages.");
    let effort = &schema["$defs"]["stages.synthesis"]["properties"]["effort"]["anyOf"][0];
    assert_eq!(effort["enum"], json!(["low", "very_high"]));
    assert!(!schema.to_string().contains("hidden"));
    // Editors propose what is in `properties`: the nested form alone.
    assert_eq!(properties.get("stages.synthesis.run"), None);
}

#[test]
fn it_accepts_what_is_right_and_nothing_else() {
    let validator = jsonschema::draft202012::new(&tool().unwrap().json_schema("A tool")).unwrap();
    let good = [
        json!({}),
        json!({
            "//": "comment", "# more": 1,
            "meta": { "version": 2, "flow": ["A", "B"], "//": "" },
            "tools": { "yosys": { "path": "/opt/yosys", "at_once": 2, "env": { "A": "1" } } },
            "include": "base.yaml",
            "period": 3, "seeds": [1, null, "ref::$N"], "files": "dir::src/*.v", "key": null,
            "macros": { "ram": { "at": [1, "expr::$X * 2"], "views": ["a"], "//": 1 } },
            "stages": { "synthesis": { "run": true, "effort": "very_high", "# why": "" } },
            "pdk::sky130*": { "period": "10 ns", "scl::hd": { "stages": { "synthesis.run": "refg::$RUN" } } },
            "SHAPE": [1, null], "OLD": 3, "ANY": { "a": [1] },
        }),
        json!({ "period": "2.5e3ps", "stages.synthesis": { "go": false }, "macros.ram.at[0]": 2 }),
        json!({ "period": "expr::$T / 2", "T": "2 µs", "stages.synthesis.effort": "low", "stages": null }),
        json!({ "include": ["a", "b"], "SHAPE": true, "macros": "ref::$OTHER", "files": ["a", "b"] }),
    ];
    for config in good {
        if let Err(error) = validator.validate(&config) {
            panic!("{error} at {} of {config}", error.instance_path());
        }
    }
    let bad = [
        json!([]),
        json!({ "perod": 3 }),
        json!({ "period": "three" }),
        json!({ "period": "3" }),
        json!({ "period": true }),
        json!({ "period": null }),
        json!({ "seeds": [1.5] }),
        json!({ "seeds": ["3 ns"] }),
        json!({ "seeds": "1" }),
        json!({ "T": "x" }),
        json!({ "many": true }),
        json!({ "stages": { "synthesis": { "effort": "medium" } } }),
        json!({ "stages": { "synthesys": {} } }),
        json!({ "stages.synthesis.effort": "medium" }),
        json!({ "stages.synthesis": { "go": 1 } }),
        json!({ "stagesxsynthesis.run": true }),
        json!({ "macros": { "ram": {} } }),
        json!({ "macros": { "ram": { "at": [1] } } }),
        json!({ "macros": { "ram": { "at": [1, 2, 3] } } }),
        json!({ "macros": { "ram": { "at": [1, 2], "of": 1 } } }),
        json!({ "meta": { "version": 3 } }),
        json!({ "meta": { "flows": "x" } }),
        json!({ "tools": { "yosys": { "paths": "" } } }),
        json!({ "include": 1 }),
        json!({ "pdk::x": { "perod": 1 } }),
        json!({ "SHAPE": "yes" }),
    ];
    for config in bad {
        assert!(!validator.is_valid(&config), "{config}");
    }
}
