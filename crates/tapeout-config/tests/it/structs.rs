//! Structs as schemas: what is declared, read and written, and what initialisation makes of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use tapeout_config::{
    Config, ConfigSource, Configured, Diagnostic, Given, Init, Loader, Role, Schema, SchemaError, SourceMap, Type,
};
use tapeout_model::{Decimal, Value};

/// A flow from RTL to numbers.
#[derive(Schema, Clone, Debug, PartialEq)]
struct Explore {
    /// The project.
    project: String,
    /// The sweep file.
    #[schema(mandatory_in("sweep"))]
    sweep: Option<String>,
    /// The top module.
    #[schema(mandatory_in("sweep", "single"))]
    top: Option<String>,
    #[schema(derived_from("sweep"))]
    /// Whether there is a sweep.
    sweeping: bool,
    /// What is run.
    stages: Stages,
    library: Option<Library>,
}

/// The stages of the flow.
#[derive(Schema, Clone, Debug, PartialEq)]
struct Stages {
    /// Synthesis.
    #[schema(fields(run(shortcut = "syn", doc = "Runs synthesis."), tag(default = "syn"), tool(fields(kind(default = Kind::OpenSource)))))]
    synthesis: Stage,
    #[schema(name = "par", fields(run(default = true)))]
    place_and_route: Stage,
}

/// A stage.
#[derive(Schema, Clone, Debug, PartialEq)]
struct Stage {
    /// Whether it runs.
    #[schema(default = false)]
    run: bool,
    /// The name of its directory.
    #[schema(default = "stage")]
    tag: String,
    /// Its tool.
    tool: Tool,
}

/// A tool.
#[derive(Schema, Clone, Debug, PartialEq)]
struct Tool {
    /// Whose it is.
    #[schema(name = "vendor", default = Kind::Cadence)]
    kind: Kind,
    /// How many threads it may have.
    #[schema(default = 2)]
    threads: u8,
    /// Whether it has more than one.
    #[schema(derived_from("threads", "project"))]
    parallel: bool,
}

#[derive(Schema, Clone, Copy, Debug, PartialEq)]
enum Kind {
    Cadence,
    OpenSource,
    #[schema(name = "Synopsys")]
    Synopsys,
}

/// A cell library.
#[derive(Schema, Clone, Debug, PartialEq)]
struct Library {
    /// Its name.
    name: String,
    /// Its voltage.
    #[schema(units = "V", default = -0.5)]
    voltage: Decimal,
    /// Its corner.
    corner: Option<String>,
}

fn positive(value: &Value) -> Result<(), String> {
    match value {
        Value::Decimal(value) if *value <= Decimal::from(0) => Err("must be positive".to_owned()),
        _ => Ok(()),
    }
}

fn from_frequency(value: &Value) -> Result<Vec<(Cow<'static, str>, Value)>, String> {
    Ok(vec![("period".into(), value.clone())])
}

/// A macro's place.
#[derive(Schema, Clone, Debug, PartialEq)]
#[schema(name = "Placement")]
struct Place {
    /// Where.
    at: (Decimal, Decimal),
    /// How.
    turn: Turn,
}

#[derive(Schema, Clone, Debug, PartialEq)]
struct Turn {
    #[schema(default = 0)]
    degrees: u16,
}

/// Every attribute there is.
#[derive(Schema, Clone, Debug, PartialEq)]
struct All {
    /// The period of the clock,
    /// as the tools have it.
    ///
    /// Zero is no period.
    #[schema(name = "period", units = "ns", env = "PERIOD", check = positive, default = 0.250, formerly("T", "cycle"))]
    clock: Decimal,
    #[schema(secret, from_pdk, doc = "The licence.")]
    licence: Option<String>,
    #[schema(deprecated = from_frequency)]
    frequency: Option<Decimal>,
    #[schema(dir)]
    dirs: Vec<PathBuf>,
    #[schema(new_path, default = "out")]
    out: String,
    #[schema(default = vec!["a", "b"])]
    words: Vec<String>,
    places: Option<BTreeMap<String, Vec<Place>>>,
    r#type: Option<i64>,
}

fn resolve<T: tapeout_config::Structure>(entries: &[(&str, Value)]) -> Result<(Config, SourceMap), String> {
    let mut sources = SourceMap::new();
    let entries = entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let shown = |diagnostics: Vec<Diagnostic>, sources: &SourceMap| show(&diagnostics, sources);
    let loaded = Loader::from_mapping(Value::Map(entries), ".").load(&mut sources).map_err(|d| shown(d, &sources))?;
    let schema = Schema::of::<T>().map_err(|error| error.to_string())?;
    match loaded.resolve(&schema, &mut sources) {
        Ok((config, _)) => Ok((config, sources)),
        Err(diagnostics) => Err(shown(diagnostics, &sources)),
    }
}

fn show(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    let line = |d: &Diagnostic| match &d.help {
        Some(help) => format!("{} ({help})", d.one_line(sources)),
        None => d.one_line(sources),
    };
    diagnostics.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn nested_structs_have_dotted_names_and_what_was_said_of_their_fields() {
    let schema = Schema::of::<Explore>().unwrap();
    let names: Vec<&str> = schema.iter().map(|variable| variable.name.as_ref()).collect();
    assert_eq!(
        names,
        [
            "project",
            "sweep",
            "top",
            "sweeping",
            "stages.synthesis.run",
            "stages.synthesis.tag",
            "stages.synthesis.tool.vendor",
            "stages.synthesis.tool.threads",
            "stages.synthesis.tool.parallel",
            "stages.par.run",
            "stages.par.tag",
            "stages.par.tool.vendor",
            "stages.par.tool.threads",
            "stages.par.tool.parallel",
            "library.name",
            "library.voltage",
            "library.corner",
        ]
    );
    let run = schema.get("stages.synthesis.run").unwrap();
    assert_eq!((run.shortcut, run.doc.as_ref(), &run.default), (Some("syn"), "Runs synthesis.", &Some(false.into())));
    let run = schema.get("stages.par.run").unwrap();
    assert_eq!((run.shortcut, run.doc.as_ref(), &run.default), (None, "Whether it runs.", &Some(true.into())));
    let default = |name: &str| schema.get(name).unwrap().default.clone();
    assert_eq!(default("stages.synthesis.tag"), Some("syn".into()));
    assert_eq!(default("stages.synthesis.tool.vendor"), Some("open_source".into()));
    assert_eq!(default("stages.par.tool.vendor"), Some("cadence".into()));
    let vendor = schema.get("stages.par.tool.vendor").unwrap();
    assert_eq!(vendor.ty, Type::choice(["cadence", "open_source", "Synopsys"]));
    // A name beside the field belongs to its struct, another to the struct around it that has it.
    match &schema.get("stages.par.tool.parallel").unwrap().role {
        Role::Derived { from } => assert_eq!(from.as_ref(), ["stages.par.tool.threads", "project"]),
        other => panic!("{other:?}"),
    }
    let groups: Vec<(&str, &str)> = schema.groups().collect();
    assert_eq!(
        groups,
        [
            ("library", "A cell library."),
            ("stages", "What is run."),
            ("stages.par", "A stage."),
            ("stages.par.tool", "Its tool."),
            ("stages.synthesis", "Synthesis."),
            ("stages.synthesis.tool", "Its tool."),
        ]
    );
}

#[test]
fn every_attribute_reaches_the_variable() {
    let schema = Schema::of::<All>().unwrap();
    let period = schema.get("period").unwrap();
    assert_eq!(period.ty, Type::Decimal);
    assert_eq!((period.units, period.env), (Some("ns"), Some("PERIOD")));
    assert_eq!(period.default.as_ref().map(ToString::to_string).as_deref(), Some("0.250"));
    assert_eq!(period.doc, "The period of the clock, as the tools have it.\nZero is no period.");
    assert_eq!(period.former.as_ref(), ["T", "cycle"]);
    assert_eq!(period.check.as_ref().unwrap().of(&Value::Decimal(0.into())), Err("must be positive".to_owned()));
    assert_eq!(period.check.as_ref().unwrap().of(&Value::Decimal(1.into())), Ok(()));
    assert_eq!(period.check.as_ref().unwrap().of(&"1".into()), Err("must be a decimal, not a string".to_owned()));
    let licence = schema.get("licence").unwrap();
    assert!(matches!(licence.role, Role::Secret) && licence.from_pdk && licence.optional);
    assert_eq!(licence.doc, "The licence.");
    assert!(matches!(schema.get("frequency").unwrap().role, Role::Deprecated(_)));
    assert_eq!(schema.get("dirs").unwrap().ty, Type::list(Type::Dir));
    assert_eq!(schema.get("out").unwrap().ty, Type::NewPath);
    assert_eq!(schema.get("words").unwrap().default, Some(vec!["a", "b"].into()));
    assert!(schema.get("type").unwrap().optional);
    let places = &schema.get("places").unwrap().ty;
    assert_eq!(places.to_string(), "map of lists of Placements");
    let Type::Map(list) = places else { panic!("{places:?}") };
    let Type::List(item) = list.as_ref() else { panic!("{list:?}") };
    let Type::Struct(place) = item.as_ref() else { panic!("{item:?}") };
    assert_eq!(place.fields.get("at").unwrap().ty, Type::tuple([Type::Decimal, Type::Decimal]));
    // A struct in an item is a value, not a group.
    assert_eq!(place.fields.get("turn").unwrap().ty.to_string(), "Turn");
    let explore = Schema::of::<Explore>().unwrap();
    assert_eq!(explore.get("top").unwrap().mandatory_in.as_ref(), ["sweep", "single"]);
}

#[test]
fn structs_are_read_and_written_back() {
    let (config, _) = resolve::<Explore>(&[
        ("project", "p".into()),
        ("stages.synthesis.tool.threads", 8i64.into()),
        ("stages.par.tool.vendor", "Synopsys".into()),
        ("library.name", "lib".into()),
    ])
    .unwrap();
    let explore: Explore = config.read("");
    let stage = |run: bool, tag: &str, kind: Kind, threads: u8| Stage {
        run,
        tag: tag.to_owned(),
        tool: Tool { kind, threads, parallel: false },
    };
    let expected = Explore {
        project: "p".to_owned(),
        sweep: None,
        top: None,
        sweeping: false,
        stages: Stages {
            synthesis: stage(false, "syn", Kind::OpenSource, 8),
            place_and_route: stage(true, "stage", Kind::Synopsys, 2),
        },
        library: Some(Library { name: "lib".to_owned(), voltage: "-0.5".parse().unwrap(), corner: None }),
    };
    assert_eq!(explore, expected);
    assert_eq!(config.read::<Stages>("stages"), expected.stages);
    let mut values = Vec::new();
    explore.write("", &mut values);
    let values: BTreeMap<String, Value> = values.into_iter().collect();
    for (name, setting) in config.iter().filter(|(name, _)| !name.ends_with("parallel") && *name != "sweeping") {
        assert_eq!(values.get(name), setting.value.as_ref(), "{name}");
    }
    assert_eq!(Explore::read(&Given::Value(&explore.to_value())), Ok(explore));
}

#[test]
fn values_of_every_type_read_back() {
    let all = All {
        clock: "2.5".parse().unwrap(),
        licence: Some("x".to_owned()),
        frequency: None,
        dirs: vec![PathBuf::from("a"), PathBuf::from("b")],
        out: "o".to_owned(),
        words: Vec::new(),
        places: Some(BTreeMap::from([(
            "m".to_owned(),
            vec![Place { at: (Decimal::from(1), Decimal::from(2)), turn: Turn { degrees: 90 } }],
        )])),
        r#type: Some(-3),
    };
    let value = Value::from(all.clone());
    assert_eq!(All::read(&Given::Value(&value)), Ok(all));
    let degrees = Value::Map(vec![("degrees".to_owned(), Value::Int(70000))]);
    assert_eq!(
        Turn::read(&Given::Value(&degrees)),
        Err("has a field `degrees` that must be from 0 to 65535, not 70000".to_owned())
    );
    assert_eq!(
        Vec::<u8>::read(&Given::Value(&vec![1i64, 256].into())),
        Err("has at [1] a value that must be from 0 to 255, not 256".to_owned())
    );
}

fn run(explore: &mut Explore, init: &mut Init<'_>) {
    explore.sweeping = explore.sweep.is_some();
    init.mode(if explore.sweeping { "sweep" } else { "single" });
    for stage in [&mut explore.stages.synthesis, &mut explore.stages.place_and_route] {
        stage.tool.parallel = stage.tool.threads > 1;
    }
    if explore.project == "off" {
        explore.stages.place_and_route.run = false;
        explore.stages.synthesis.run = false;
        init.conflict("stages.par.run", "project `off` runs nothing");
    }
    if init.given("stages.synthesis") && init.given("stages.par.tool.threads") {
        init.error("stages.par.tool.threads", "too much");
        init.error("project", "no");
    }
}

fn initialised(entries: &[(&str, Value)]) -> Result<(Explore, Config), String> {
    let (config, sources) = resolve::<Explore>(entries)?;
    config.initialise("", run).map_err(|diagnostics| show(&diagnostics, &sources))
}

#[test]
fn what_is_worked_out_beats_what_is_given_beats_defaults() {
    let (explore, config) = initialised(&[("project", "off".into()), ("top", "t".into())]).unwrap();
    assert!(!explore.sweeping && explore.stages.par_off());
    let setting = config.setting("stages.par.run");
    assert_eq!((&setting.value, setting.origin.source), (&Some(false.into()), ConfigSource::Derived));
    assert_eq!(setting.beaten[0].1, true.into());
    assert_eq!(setting.origin.to_string(), "derived");
    assert!(config.derived_from("stages.par.run").is_empty());
    // What stays as it was keeps its origin.
    assert_eq!(config.setting("stages.synthesis.run").origin.source, ConfigSource::Default);
    assert_eq!(config.setting("top").origin.source, ConfigSource::Code);
    // A derived field has a value after initialisation, be it that of its type's default.
    assert_eq!(config.get("sweeping"), Some(&false.into()));
    assert_eq!(config.derived_from("sweeping"), ["sweep"]);
    assert_eq!(config.derived_from("stages.par.tool.parallel"), ["stages.par.tool.threads", "project"]);
    // It is the same again after what was worked out has been read.
    assert_eq!(config.read::<Explore>(""), explore);
}

impl Stages {
    fn par_off(&self) -> bool {
        !self.place_and_route.run
    }
}

#[test]
fn what_is_given_is_not_changed() {
    let given =
        |value: bool| initialised(&[("project", "off".into()), ("top", "t".into()), ("stages.par.run", value.into())]);
    let message = given(true).unwrap_err();
    assert_eq!(
        message,
        "<configuration>:4:21: error: `stages.par.run` is given, but project `off` runs nothing (leave it out)"
    );
    // The same value is no conflict, and keeps its origin.
    let (_, config) = given(false).unwrap();
    assert_eq!(config.setting("stages.par.run").origin.source, ConfigSource::Code);
    // A value that equals the default is given all the same. Without a reason there is a general message.
    let message = resolve::<Tool>(&[("threads", 2i64.into())]).map(|(config, sources)| {
        let change = |tool: &mut Tool, _: &mut Init<'_>| tool.threads = 3;
        show(&config.initialise("", change).unwrap_err(), &sources)
    });
    assert_eq!(
        message.unwrap(),
        "<configuration>:2:14: error: `threads` is given, but initialisation sets it to `3` (leave it out)"
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let message = initialised(&[
        ("project", "off".into()),
        ("sweep", Value::Null),
        ("stages.synthesis.tag", "x".into()),
        ("stages.par.tool.threads", 2i64.into()),
        ("stages.par.run", true.into()),
    ])
    .unwrap_err();
    assert_eq!(
        message.lines().collect::<Vec<_>>(),
        [
            "<configuration>:2:14: error: no",
            "<configuration>:5:30: error: too much",
            "<configuration>:6:21: error: `stages.par.run` is given, but project `off` runs nothing (leave it out)",
            "error: the mandatory variable `top` has no value (top (string, mandatory in mode `single`): The top module.)",
        ]
    );
    let (config, sources) = resolve::<Explore>(&[("project", "p".into())]).unwrap();
    let modes = |_: &mut Explore, init: &mut Init<'_>| {
        init.mode("sweep");
        init.mode("single");
    };
    assert_eq!(
        show(&config.initialise("", modes).unwrap_err(), &sources),
        "error: 2 mandatory variables have no value: `sweep`, `top` \
         (sweep (string, mandatory in mode `sweep`): The sweep file.\n\
         top (string, mandatory in mode `sweep` and `single`): The top module.)"
    );
}

#[test]
fn an_optional_struct_is_there_when_any_of_it_is_given() {
    let read = |entries: &[(&str, Value)]| {
        let mut all = vec![("project", Value::from("p"))];
        all.extend(entries.iter().cloned());
        resolve::<Explore>(&all).map(|(config, _)| config.read::<Explore>("").library)
    };
    assert_eq!(read(&[]), Ok(None));
    assert_eq!(read(&[("library.corner", Value::Null)]), Ok(None));
    assert_eq!(
        read(&[("library.voltage", Value::Decimal(1.into()))]),
        Err(
            "<configuration>:3:22: error: `library` is given without `library.name` (library.name (string): Its name.)"
                .to_owned()
        )
    );
    assert!(read(&[("library.name", "l".into())]).unwrap().is_some());
    // Initialisation makes and removes it as a whole.
    let (config, _) = resolve::<Explore>(&[("project", "p".into())]).unwrap();
    let library = Library { name: "l".to_owned(), voltage: 1.into(), corner: None };
    let made = config.initialise::<Explore>("", |explore, _| explore.library = Some(library.clone())).unwrap().1;
    assert_eq!(made.str("library.name"), "l");
    assert_eq!(made.read::<Explore>("").library, Some(library));
}

/// A subtool's options, under its name.
#[derive(Schema, Debug)]
struct Both {
    subtool: Positive,
}

/// A number.
#[derive(Schema, Debug)]
struct Positive {
    /// It.
    #[schema(default = 1, check = positive)]
    number: Decimal,
    /// Two of it.
    #[schema(derived_from("number"), mandatory_in("any"))]
    twice: Option<Decimal>,
}

#[test]
fn a_group_is_initialised_by_itself() {
    let (config, sources) = resolve::<Both>(&[("subtool.number", 2i64.into())]).unwrap();
    let (settings, config) = config
        .initialise::<Positive>("subtool", |settings, init| {
            assert!(init.given("number") && init.given("") && !init.given("twice"));
            init.mode("any");
            settings.twice = Some(settings.number + settings.number);
        })
        .unwrap();
    assert_eq!(settings.twice, Some(4.into()));
    assert_eq!(config.decimal("subtool.twice"), 4.into());
    assert_eq!(config.derived_from("subtool.twice"), ["subtool.number"]);

    let (config, _) = resolve::<Both>(&[]).unwrap();
    let broken = config.initialise::<Positive>("subtool", |settings, init| {
        init.mode("any");
        settings.number = 0.into();
    });
    assert_eq!(
        show(&broken.unwrap_err(), &sources),
        "error: `subtool.number`, as it was worked out, must be positive\n\
         error: the mandatory variable `subtool.twice` has no value \
         (subtool.twice (decimal, mandatory in mode `any`): Two of it.)"
    );
}

#[test]
fn faulty_declarations_are_told() {
    #[derive(Schema)]
    struct Outer {
        #[schema(secret)]
        _inner: Inner,
    }
    #[derive(Schema)]
    struct Inner {
        #[schema(default = "x")]
        _number: i64,
    }
    #[derive(Schema)]
    struct Group {
        #[schema(secret)]
        _inner: Turn,
    }
    assert!(matches!(Schema::of::<Outer>(), Err(SchemaError::Default { name, .. }) if name == "_number"));
    assert_eq!(Schema::of::<Group>().unwrap_err(), SchemaError::Group { name: "_inner".to_owned() });
}
