//! One variable looked at closely: which layer gives what of it.

use tapeout_config::{Examined, Loader, Schema, SourceMap, Type, Variable};
use tapeout_model::Value;

use crate::design::Design;

fn schema() -> Schema {
    Schema::new([
        Variable::new("CLOCKS", Type::map(Type::Decimal), "The periods.").units("ns").default(Value::Map(Vec::new())),
        Variable::new("ARGS", Type::list(Type::Str), "Arguments.").default(vec!["-d"]),
        Variable::new("SEED", Type::Int, "The seed.").formerly("OLD_SEED").optional(),
        Variable::new("TOKEN", Type::Str, "A password.").secret().optional(),
    ])
    .expect("the schema is sound")
}

/// What layers give, the weakest first, as `part = value place`.
fn given(design: &Design, sets: &[&str], key: &str) -> (Examined, Vec<String>) {
    let sets = sets.iter().map(|&set| set.to_owned()).collect();
    let mut sources = SourceMap::new();
    let loader = Loader { sets, ..design.loader(&["c.yaml"]) };
    let loaded = loader.load(&mut sources).unwrap_or_else(|diagnostics| panic!("{diagnostics:?}"));
    let examined = loaded.examine(&schema(), key, &mut sources).expect("the schema has the variable");
    let show = examined.contributions.iter().map(|given| format!("{} = {} {}", given.part, given.value, given.origin));
    let show = show.map(|text| design.strip(&text)).collect();
    (examined, show)
}

#[test]
fn parts_are_told_from_wholes_and_each_has_its_place() {
    let design = Design::with_config("c.yaml", "CLOCKS: {a: 1, b.c: 2}\nARGS: [x, y]\n");
    let sets = ["CLOCKS.a=5", "CLOCKS.d=4 ns", "ARGS.1=z"];
    let of = |key| given(&design, &sets, key);
    let (clocks, given) = of("CLOCKS");
    assert_eq!(clocks.value.map(|value| value.to_string()).as_deref(), Some("{\"a\":5,\"b.c\":2,\"d\":4}"));
    assert_eq!(
        given,
        [
            " = {} built-in default",
            " = {\"a\":1,\"b.c\":2} c.yaml:1:9",
            "a = 5 <command line>:1:13",
            "d = 4 ns <command line>:2:13"
        ]
    );
    assert_eq!(of("CLOCKS.a").1, [" = 1 c.yaml:1:13", " = 5 <command line>:1:13"]);
    assert_eq!(of("CLOCKS.b.c").1, [" = 2 c.yaml:1:21"]);
    assert_eq!(of("ARGS.0").1, [" = -d built-in default", " = x c.yaml:2:8"]);
    // `CLOCKS.a` is no part of `CLOCKS.aa`.
    assert_eq!(of("CLOCKS.aa").1, [""; 0]);
    let (item, given) = of("ARGS.1");
    assert_eq!(
        (item.value, given),
        (Some("z".into()), vec![" = y c.yaml:2:11".into(), " = z <command line>:3:11".into()])
    );
}

#[test]
fn what_is_wrong_elsewhere_does_not_matter() {
    let design = Design::with_config("c.yaml", "SEED: x\nTOKEN: hidden\nOTHER: 1\nOLD_SEED: 3\n");
    let (token, _) = given(&design, &[], "TOKEN");
    assert!(token.setting.is_some_and(|setting| setting.secret && setting.shown() == "(secret)"));
    assert_eq!(token.diagnostics.len(), 2, "{:?}", token.diagnostics);
    // The former name stands below the one of today.
    let (seed, of_seed) = given(&design, &[], "SEED");
    assert_eq!((seed.value, of_seed), (Some(3i64.into()), vec![" = x c.yaml:1:7".into(), " = 3 c.yaml:4:11".into()]));
    let (wrong, of_seed) = given(&design, &["SEED=y"], "SEED");
    assert_eq!((wrong.setting, wrong.value, of_seed.len()), (None, None, 3));
    let unknown = design
        .loader(&["c.yaml"])
        .load(&mut SourceMap::new())
        .map(|loaded| loaded.examine(&schema(), "OLD_SEED", &mut SourceMap::new()).is_none());
    assert!(unknown.is_ok_and(|unknown| unknown));
}
