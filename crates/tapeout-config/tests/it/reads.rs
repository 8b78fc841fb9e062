//! What is noted of the reads of a configuration, by each way to read it.

use std::sync::Arc;

use tapeout_config::{Config, ConfigRead, ConfigReads, Loader, Schema, SourceMap};

use crate::design::Design;

type Read = fn(&Config);

/// What something reads: `NAME` for a value, `NAME?` for whether it was given, `NAME@` for its layer.
fn reads(config: &Config, read: impl FnOnce(&Config)) -> Vec<String> {
    let reads = Arc::new(ConfigReads::default());
    read(&config.noting(&reads));
    words(&reads)
}

fn words(reads: &ConfigReads) -> Vec<String> {
    let word = |read| match read {
        ConfigRead::Value(name) => name,
        ConfigRead::Given(name) => name + "?",
        ConfigRead::Layer(name) => name + "@",
    };
    reads.take_new().into_iter().map(word).collect()
}

/// A configuration, and its design, which copies look at.
fn config() -> (Design, Config) {
    let text = "DESIGN_NAME: counter\nVERILOG_FILES: [dir::src/*.v]\nCLOCK_PERIOD: 10\nWEIGHTS: {a: 1}\n";
    let design = Design::with_config("c.yaml", text);
    let config = design.resolve(design.loader(&["c.yaml"])).unwrap_or_else(|error| panic!("{error}")).0;
    (design, config)
}

#[test]
fn each_getter_notes_what_it_is_asked_for() {
    let (_design, config) = config();
    let cases: [(&str, Read); 14] = [
        ("", |_| ()),
        ("DESIGN_NAME", |config| assert_eq!(config.str("DESIGN_NAME"), "counter")),
        ("PIN_CONSTRAINTS", |config| assert_eq!(config.opt_str("PIN_CONSTRAINTS"), None)),
        ("CLOCK_PERIOD", |config| _ = config.decimal("CLOCK_PERIOD")),
        ("CLOCK_PERIOD", |config| _ = config.opt_decimal("CLOCK_PERIOD")),
        ("SEED", |config| _ = (config.int("SEED"), config.opt_int("SEED"))),
        ("RUN_LINTER", |config| _ = (config.bool("RUN_LINTER"), config.opt_bool("RUN_LINTER"))),
        ("VERILOG_FILES", |config| _ = config.strings("VERILOG_FILES")),
        ("WEIGHTS", |config| _ = config.get("WEIGHTS")),
        ("SEED?", |config| assert!(!config.explicit("SEED"))),
        ("SEED SEED@", |config| assert!(!config.setting("SEED").secret)),
        ("SEED NOWHERE", |config| assert!(config.declares("SEED") && !config.declares("NOWHERE"))),
        ("SEED", |config| _ = config.restricted_to(&["SEED", "WEIGHTS"]).clone().int("SEED")),
        ("", |config| _ = (config.design_dir(), config.schema(), config.meta())),
    ];
    for (expected, read) in cases {
        assert_eq!(reads(&config, read).join(" "), expected);
    }
    let all: Vec<&str> = config.iter().map(|(name, _)| name).collect();
    assert_eq!(reads(&config, |config| _ = config.to_json()), all);
    assert_eq!(reads(&config, |config| _ = format!("{config:?}")), all);
    assert_eq!(reads(&config, |config| _ = config.copy([("SEED", 2_i64)])), all);
    // What the values of a copy come from is one thing, who gave them another.
    let explicit = |config: &Config| assert!(!config.copy([("CLOCK_PERIOD", 2_i64)]).unwrap().explicit("SEED"));
    assert_eq!(reads(&config, explicit), [&all[..], &["SEED?"]].concat());
    assert_eq!(reads(&config, |config| _ = config.iter().count()).len(), 2 * all.len());
}

#[test]
fn reads_come_in_their_order_and_each_once() {
    let reads = Arc::new(ConfigReads::default());
    let (_design, config) = config();
    let noting = config.noting(&reads);
    assert_eq!(noting, config);
    _ = (noting.int("SEED"), noting.str("DESIGN_NAME"), noting.int("SEED"));
    assert_eq!(words(&reads), ["SEED", "DESIGN_NAME"]);
    _ = (noting.clone().bool("RUN_LINTER"), noting.int("SEED"), noting.explicit("SEED"));
    assert_eq!(words(&reads), ["RUN_LINTER", "SEED?"]);
    _ = (config.get("WEIGHTS"), noting.noting(&Arc::default()).get("WEIGHTS"));
    assert_eq!(words(&reads), [""; 0]);
}

/// A sweep.
#[derive(Schema)]
struct Sweep {
    /// The seeds.
    seeds: Vec<i64>,
    /// How many there are.
    #[schema(derived_from("seeds"))]
    count: i64,
    /// The placer's own.
    placer: Option<Placer>,
}

/// The placer.
#[derive(Schema)]
struct Placer {
    /// How long.
    #[schema(default = 1)]
    effort: i64,
}

#[test]
fn a_struct_reads_its_fields_and_initialisation_what_it_asks() {
    let schema = Schema::of::<Sweep>().unwrap_or_else(|error| panic!("{error}"));
    let mut sources = SourceMap::new();
    let design = Design::with_config("c.yaml", "seeds: [1, 2]\n");
    let loader: Loader = design.loader(&["c.yaml"]);
    let loaded = loader.load(&mut sources).unwrap_or_else(|errors| panic!("{errors:?}"));
    let (config, _) = loaded.resolve(&schema, &mut sources).unwrap_or_else(|errors| panic!("{errors:?}"));
    let read = reads(&config, |config| assert!(config.read::<Sweep>("").placer.is_none()));
    for expected in ["seeds", "placer.effort@"] {
        assert!(read.iter().any(|read| read == expected), "{expected}: {read:?}");
    }
    assert!(!read.iter().any(|read| read == "seeds@"), "{read:?}");
    let read = reads(&config, |config| {
        let given = config.initialise::<Sweep>("", |sweep, init| {
            sweep.count = i64::from(init.given("seeds")) * 2;
        });
        let (_, config) = given.unwrap_or_else(|errors| panic!("{errors:?}"));
        assert_eq!(config.int("count"), 2);
    });
    assert!(read.iter().any(|read| read == "seeds@") && read.iter().any(|read| read == "count"), "{read:?}");
}
