//! The one command line that stands for a resolved configuration: read again, it comes to the same.

use crate::support::Project;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tapeout_config::{Role, Type, Variable};
use tapeout_radgen::{Resolved, schema};

#[test]
fn it_has_what_was_given_and_no_more() {
    let project = Project::new();
    let top = "
common: { project_name: a b }
asic_dse:
  mode.vlsi.run: serial
  hdl_dpath: null
  stdcell_lib.pdk_name: -x
  common_asic_flow: { db_libs: [a, 'b c'], flow_stages.syn.run: false }
  design_sweep_info.sram_params.mems: [{ rw_ports: 1, w: 8, d: 16 }]
coffe.max_iterations: 3
";
    let resolved = project.with_top(top, "-st asic_dse -pt").unwrap();
    assert_eq!(
        resolved.command(),
        "tapeout radgen --subtools asic_dse --project_name 'a b' --no-hdl_dpath --mode.vlsi.run serial \
         --stdcell_lib.pdk_name=-x --common_asic_flow.db_libs a 'b c' --common_asic_flow.flow_stages.syn.run=false \
         --common_asic_flow.flow_stages.timing.run --common_asic_flow.flow_stages.power.run \
         --design_sweep_info.sram_params.mems '{\"rw_ports\":1,\"w\":8,\"d\":16}'"
    );
    same(&project, &resolved);
}

/// What the command line of a configuration comes to is that configuration, but for the file that it came from.
fn same(project: &Project, resolved: &Resolved) {
    let words = resolved.to_command_line();
    let again = project.resolve_words(&words).unwrap_or_else(|errors| panic!("{words:?}: {errors:#?}"));
    let without_file = |resolved: &Resolved| {
        let mut json = resolved.to_json();
        json["common"]["top_config_fpath"] = Json::Null;
        json
    };
    assert_eq!(without_file(&again), without_file(resolved), "{words:?}");
    assert_eq!(again.to_command_line(), words);
}

/// Values of a type that are right in every project.
fn value(ty: &Type) -> BoxedStrategy<Json> {
    let text =
        "[a-z =\\-\\[\\]{}'\"$~µ:,#]{1,8}".prop_filter("a reference is another value", |text| !text.contains("::"));
    match ty {
        Type::Bool => any::<bool>().prop_map(Json::from).boxed(),
        // The narrowest of the checks.
        Type::Int => (1i64..=2).prop_map(Json::from).boxed(),
        Type::Decimal => (-999i64..999).prop_map(|value| json!(value as f64 / 8.0)).boxed(),
        Type::Str => text.prop_map(Json::from).boxed(),
        Type::NewPath => "[a-z][a-z \\-=]{0,6}[a-z]".prop_map(Json::from).boxed(),
        Type::Path => prop::sample::select(vec!["flow.yml", "rtl", "-dash/a b.yml"]).prop_map(Json::from).boxed(),
        Type::Dir => prop::sample::select(vec!["rtl", "-dash"]).prop_map(Json::from).boxed(),
        Type::Choice(words) => {
            let words: Vec<String> = words.iter().map(|word| word.clone().into_owned()).collect();
            prop::sample::select(words).prop_map(Json::from).boxed()
        }
        Type::List(item) => prop::collection::vec(value(item), 0..3).prop_map(Json::from).boxed(),
        Type::Map(item) => {
            prop::collection::btree_map("[a-z]{1,4}", value(item), 0..3).prop_map(|map| json!(map)).boxed()
        }
        Type::Struct(of) => {
            let fields: Vec<_> =
                of.fields.iter().map(|field| (Just(field.name.clone().into_owned()), value(&field.ty))).collect();
            fields.prop_map(|fields| Json::Object(fields.into_iter().collect())).boxed()
        }
        Type::Union(_) => prop_oneof![Just(json!([1, "x", true])), Just(json!({ "vals": [1], "d": ["-a"] }))].boxed(),
        Type::Any => prop_oneof![Just(json!("2 ns")), Just(json!([{ "name": "clk", "period": null }]))].boxed(),
        other => panic!("no field has the type {other}"),
    }
}

fn settable() -> Vec<Variable> {
    let schema = schema().unwrap();
    // These decide what is done, and with that what must be given.
    let decide = [
        "common.subtools",
        "common.top_config_fpath",
        "common.override_outputs",
        "asic_dse.sweep_conf_fpath",
        "asic_dse.flow_conf_fpaths",
        "asic_dse.compile_results",
        "coffe.fpga_arch_conf_path",
        "ic_3d.input_config_path",
        "common.manual_obj_dir",
    ];
    let input =
        |variable: &&Variable| matches!(variable.role, Role::Input) && !decide.contains(&variable.name.as_ref());
    schema.iter().filter(input).cloned().collect()
}

fn configuration() -> impl Strategy<Value = Json> {
    let variables = settable();
    let some = prop::sample::subsequence(variables.clone(), 0..=variables.len());
    some.prop_flat_map(|variables| {
        let entries: Vec<_> = variables
            .iter()
            .map(|variable| {
                let name = Just(variable.name.clone().into_owned());
                let value = value(&variable.ty);
                if variable.optional {
                    (name, prop_oneof![9 => value, 1 => Just(Json::Null)].boxed())
                } else {
                    (name, value)
                }
            })
            .collect();
        entries.prop_map(|entries| Json::Object(entries.into_iter().collect()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_comes_to_the_same_configuration(top in configuration()) {
        let project = Project::new();
        project.file("-dash/a b.yml", "");
        project.file("top.json", &top.to_string());
        let words = "--subtools asic_dse ic_3d coffe -tc top.json -o out -f arch.yml -ic arch.yml";
        let resolved = project.resolve(words).unwrap_or_else(|errors| panic!("{top}: {errors:#?}"));
        same(&project, &resolved);
    }
}

/// Options that there are, in all their spellings, and words of all kinds.
fn words() -> impl Strategy<Value = Vec<String>> {
    let schema = schema().unwrap();
    let mut options = vec!["-st".to_owned(), "--json".to_owned(), "--".to_owned(), "-pt".to_owned(), "--=".to_owned()];
    for variable in schema.iter() {
        let name = variable.name.split_once('.').map_or("", |(_, name)| name);
        options.extend([format!("--{name}"), format!("--{}", variable.name), format!("--no-{name}")]);
        options.extend(variable.shortcut.map(|shortcut| format!("-{shortcut}")));
    }
    let values =
        ["asic_dse", "coffe", "ic_3d", "flow.yml", "base.yml", "rtl", "true", "1", "-1", "[1]", "{}", "", "µ\n"];
    let option = prop::sample::select(options);
    let value = prop::sample::select(values.to_vec());
    let word = prop_oneof![
        3 => option.clone(),
        3 => value.clone().prop_map(str::to_owned),
        1 => (option, value).prop_map(|(option, value)| format!("{option}={value}")),
        1 => any::<String>(),
    ];
    prop::collection::vec(word, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_words_come_to_a_configuration_or_to_reasons(words in words()) {
        let project = Project::new();
        let named = ["--subtools".to_owned(), "asic_dse".to_owned(), "coffe".to_owned()];
        for words in [words.clone(), named.into_iter().chain(words).collect()] {
            if let Err(errors) = project.resolve_words(&words) {
                prop_assert!(!errors.is_empty());
            }
        }
    }
}
