//! What command lines and top configurations come to, and what is said of wrong ones.

use crate::support::{Project, at};
use serde_json::json;

#[test]
fn values_of_every_form() {
    let project = Project::new();
    let cases = [
        ("-st asic_dse -r parallel", "asic_dse.mode.vlsi.run", json!("parallel")),
        ("--subtools asic_dse --mode.vlsi.run=gen_scripts", "asic_dse.mode.vlsi.run", json!("gen_scripts")),
        ("-st asic_dse --asic_dse.mode.vlsi.run parallel", "asic_dse.mode.vlsi.run", json!("parallel")),
        ("-st asic_dse -r serial -r parallel", "asic_dse.mode.vlsi.run", json!("parallel")),
        ("-st asic_dse --common_asic_flow.db_libs a b -c", "asic_dse.common_asic_flow.db_libs", json!(["a", "b"])),
        ("-st asic_dse --common_asic_flow.db_libs=a", "asic_dse.common_asic_flow.db_libs", json!(["a"])),
        (
            r#"-st asic_dse --common_asic_flow.db_libs=["-a","b"]"#,
            "asic_dse.common_asic_flow.db_libs",
            json!(["-a", "b"]),
        ),
        ("-st asic_dse --common_asic_flow.db_libs", "asic_dse.common_asic_flow.db_libs", json!([])),
        ("-st asic_dse --stdcell_lib.sram_lib_path ~/lib", "asic_dse.stdcell_lib.sram_lib_path", json!("home/lib")),
        ("-st asic_dse --hdl_dpath ${RAD_GEN_HOME}/rtl", "asic_dse.hdl_dpath", json!("rtl")),
        ("-st asic_dse -n a~b", "common.project_name", json!("a~b")),
        ("-st coffe -o o -f arch.yml -q -0.5", "coffe.quick_mode", json!(-0.5)),
        ("-st coffe -o o -f arch.yml -q=3", "coffe.quick_mode", json!(3)),
        ("-st coffe -o o -f arch.yml -ns", "coffe.no_sizing", json!(true)),
        ("-st coffe -o o -f arch.yml --no_sizing=false", "coffe.no_sizing", json!(false)),
        ("-st coffe -o o -f arch.yml", "coffe.arch_name", json!("arch")),
        ("-st coffe -o o -f arch.yml", "common.obj_dir", json!("o")),
        ("-st ic_3d coffe -ic arch.yml -o o -f arch.yml -bd", "ic_3d.buffer_dse", json!(true)),
        (
            r#"-st asic_dse --design_sweep_info.sram_params.mems {"rw_ports":1,"w":8,"d":16}"#,
            "asic_dse.design_sweep_info.sram_params.mems",
            json!([{ "rw_ports": 1, "w": 8, "d": 16 }]),
        ),
    ];
    for (words, name, expected) in cases {
        let resolved = project.resolve(words).unwrap_or_else(|errors| panic!("{words}: {errors:#?}"));
        assert_eq!(at(&resolved, name), expected, "{words}");
    }
}

#[test]
fn mistakes_on_the_command_line_say_where_and_what_to_write() {
    let project = Project::new();
    let cases = [
        ("", "error: no subtool is named (write `--subtools` and any of `asic_dse`, `coffe`, `ic_3d`)"),
        ("-st", "<command line>:1:1: error: no subtool is named"),
        (
            "-st foo",
            "<command line>:1:5: error: `common.subtools[0]` must be one of `asic_dse`, `coffe`, `ic_3d`, not `foo`",
        ),
        ("-st asic_dse asic_dse", "<command line>:1:14: error: `asic_dse` is named twice (name each subtool once)"),
        ("coffe", "<command line>:1:1: error: `coffe` belongs to no option"),
        (
            "-st asic_dse --mode.vlsi.rum serial",
            "<command line>:2:1: error: unknown option `--mode.vlsi.rum` (did you mean `--mode.vlsi.run`?)",
        ),
        (
            "-st asic_dse --syn.run",
            "unknown option `--syn.run` (did you mean `--common_asic_flow.flow_stages.syn.run`?)",
        ),
        ("-st asic_dse --proj x", "unknown option `--proj` (did you mean `--project_name`?)"),
        (
            "-st asic_dse --syn",
            "unknown option `--syn` (did you mean `-syn (which is --common_asic_flow.flow_stages.syn.run)`?)",
        ),
        ("-st asic_dse -sy", "<command line>:2:1: error: unknown option `-sy`"),
        (
            "-st asic_dse -f arch.yml",
            "`-f` is an option of coffe, which is not among the subtools (name it: `--subtools coffe`)",
        ),
        ("-st asic_dse -r", "<command line>:2:1: error: `-r` needs a value"),
        ("-st asic_dse -r serial x", "<command line>:2:11: error: `-r` takes one value, not 2"),
        (
            "-st asic_dse -syn false",
            "<command line>:2:6: error: `false` belongs to no option: `-syn` takes no value (write `-syn=false`)",
        ),
        ("-st asic_dse -syn=maybe", "`asic_dse.common_asic_flow.flow_stages.syn.run` must be a boolean, not a string"),
        ("-st asic_dse -r=serial x", "`x` belongs to no option: `-r` has its value already"),
        ("-st asic_dse --no-mode.vlsi.run", "`--no-mode.vlsi.run`: `asic_dse.mode.vlsi.run` always has a value"),
        (
            "-st asic_dse -r turbo",
            "<command line>:2:4: error: `asic_dse.mode.vlsi.run` must be one of `serial`, `parallel`, `gen_scripts`, not `turbo`",
        ),
        (
            "-st asic_dse --mode.sweep_gen",
            "<command line>:2:1: error: `asic_dse.mode.sweep_gen` is derived and cannot be set (set `asic_dse.sweep_conf_fpath` or `asic_dse.compile_results` instead)",
        ),
        (
            "-st asic_dse --common_asic_flow.flow_stages.pt.run",
            "set `flow_stages.timing.run` and `flow_stages.power.run`",
        ),
        ("-st asic_dse --rad_gen_home_path x", "`common.rad_gen_home_path` is what RAD_GEN_HOME in the environment is"),
        ("-st asic_dse -tc top.toml", "cannot read configuration `top.toml`: it does not exist"),
        (
            "-st asic_dse -s none.yml",
            "<command line>:2:4: error: `asic_dse.sweep_conf_fpath`: `none.yml` does not exist",
        ),
        (
            "-st coffe -o o -f arch.yml -mi many",
            "<command line>:4:5: error: `coffe.max_iterations` must be an integer, not a string",
        ),
        ("-st asic_dse --log_verbosity 7", "`common.log_verbosity` must be 0, 1 or 2, not 7"),
    ];
    for (words, expected) in cases {
        let errors = project.resolve(words).map(|_| ()).expect_err(words);
        assert!(errors.iter().any(|error| error.contains(expected)), "{words}: {errors:#?}");
    }
}

#[test]
fn several_mistakes_are_told_at_once_in_the_order_of_their_places() {
    let project = Project::new();
    let errors = project
        .with_top("asic_dse:\n  compile_results: 1\n  mode.vlsi.run: x\n", "-st asic_dse --bad -r y")
        .unwrap_err();
    let places: Vec<&str> = errors.iter().filter_map(|error| error.split(": error").next()).collect();
    assert_eq!(places, ["<command line>:2:1", "<command line>:3:4", "top.yml:2:20"], "{errors:#?}");
}

#[test]
fn what_is_given_beats_the_file_which_beats_defaults() {
    let project = Project::new();
    let top = "
common: { project_name: p, just_config_init: true }
asic_dse:
  mode.vlsi: { run: parallel }
  compile_results: true
  hdl_dpath: rtl
  common_asic_flow.flow_stages.syn.tool: synopsys
coffe.max_iterations: 2
";
    let cases = [
        ("", "asic_dse.mode.vlsi.run", json!("parallel")),
        // Explicit, though it is the default.
        ("--mode.vlsi.run serial", "asic_dse.mode.vlsi.run", json!("serial")),
        ("--no-compile_results", "asic_dse.compile_results", json!(false)),
        ("-c=false", "asic_dse.compile_results", json!(false)),
        ("", "asic_dse.compile_results", json!(true)),
        ("--no-hdl_dpath", "asic_dse.hdl_dpath", json!(null)),
        ("", "asic_dse.common_asic_flow.flow_stages.syn.tool", json!("synopsys")),
        ("", "asic_dse.common_asic_flow.flow_stages.par.tool", json!("cadence")),
        ("", "common.project_name", json!("p")),
        ("", "common.just_config_init", json!(true)),
    ];
    for (words, name, expected) in cases {
        let resolved = project.with_top(top, &format!("-st asic_dse {words}")).unwrap();
        assert_eq!(at(&resolved, name), expected, "{words} {name}");
    }
    let resolved = project.with_top(top, "-st asic_dse -r serial -r serial").unwrap();
    let run = resolved.config.setting("asic_dse.mode.vlsi.run");
    assert_eq!(run.origin.to_string(), "<command line>:3:4");
    let beaten: Vec<String> = run.beaten.iter().map(|(origin, value)| format!("{origin} {value}")).collect();
    assert_eq!(beaten[0], "built-in default serial");
    assert!(beaten[1].ends_with("top.yml:4:21 parallel") && beaten[2] == "<command line>:2:4 serial", "{beaten:?}");
}

#[test]
fn the_file_can_name_the_subtools_and_is_json_or_yaml() {
    let project = Project::new();
    project.file("top.json", r#"{"common": {"subtools": ["asic_dse"]}, "asic_dse": {"mode.vlsi.run": "parallel"}}"#);
    let resolved = project.resolve("-tc top.json").unwrap();
    assert_eq!(at(&resolved, "asic_dse.mode.vlsi.run"), json!("parallel"));
    let resolved = project.with_top("asic_dse:\n  mode.vlsi.run: parallel\n", "-syn").unwrap();
    assert_eq!(at(&resolved, "asic_dse.mode.vlsi.run"), json!("parallel"));
    assert_eq!(
        resolved.command(),
        "tapeout radgen --subtools asic_dse --mode.vlsi.run parallel \
        --common_asic_flow.flow_stages.syn.run"
    );
    let errors = project.with_top("asic_dse: {}\ncoffe.max_iterations: 1\n", "").unwrap_err();
    assert!(errors[0].contains("no subtool is named"), "{errors:#?}");
    project.file("top.toml", "");
    let errors = project.resolve("-st asic_dse -tc top.toml").unwrap_err();
    assert_eq!(
        errors,
        [
            "<command line>:2:5: error: top configuration `top.toml` is not a YAML or JSON file (accepted are files that \
          end in `.yaml`, `.yml` or `.json`)"
        ]
    );
}

#[test]
fn mistakes_in_the_file_are_placed_in_it() {
    let project = Project::new();
    let cases = [
        (
            "asic_dse:\n  compile_result: true\n",
            "top.yml:2:3: error: unknown field `asic_dse.compile_result` (did you mean `asic_dse.compile_results`?)",
        ),
        ("project_name: x\n", "top.yml:1:1: error: unknown field `project_name` (did you mean `common.project_name`?)"),
        ("asic_dsee:\n  mode: {}\n", "top.yml:1:1: error: unknown section `asic_dsee` (did you mean `asic_dse`?)"),
        ("asic_dse:\n  mode: serial\n", "top.yml:2:9: error: `asic_dse.mode` is a section, not a string"),
        (
            "asic_dse:\n  compile_results: 'false'\n",
            "top.yml:2:20: error: `asic_dse.compile_results` must be a boolean, not a string (remove the quotes)",
        ),
        (
            "asic_dse:\n  mode.vlsi.enable: true\n",
            "top.yml:2:3: error: `asic_dse.mode.vlsi.enable` is derived and cannot be set",
        ),
        (
            "asic_dse:\n  mode.vlsi.run: serial\nasic_dse.mode.vlsi.run: serial\n",
            "top.yml:3:1: error: `asic_dse.mode.vlsi.run` is given twice",
        ),
        (
            "coffe:\n  max_iterations: many\n",
            "top.yml:2:19: error: `coffe.max_iterations` must be an integer, not a string",
        ),
        (
            "common:\n  top_config_fpath: top.yml\n",
            "top.yml:2:3: error: `top_config_fpath` can only be given on the command line",
        ),
        (
            "asic_dse:\n  flow_conf_fpaths: [flow.yml, {a: 1}]\n",
            "top.yml:2:32: error: `asic_dse.flow_conf_fpaths[1]` must be a path, not a map",
        ),
        (
            "asic_dse:\n  hdl_dpath: ${RAD_GEN_HOME}/none\n",
            "top.yml:2:14: error: `asic_dse.hdl_dpath`: `none` does not exist",
        ),
    ];
    for (top, expected) in cases {
        let errors = project.with_top(top, "-st asic_dse").map(|_| ()).expect_err(top);
        assert!(errors.iter().any(|error| error.starts_with(expected)), "{top}: {errors:#?}");
    }
    for nothing in
        ["asic_dse:\n", "asic_dse:\n  sweep_conf_fpath: null\n", "common: {}\nasic_dse: null\n", "\"// note\": 1\n"]
    {
        assert!(project.with_top(nothing, "-st asic_dse").is_ok(), "{nothing}");
    }
}

#[test]
fn directories_of_the_environment_are_needed_only_where_they_are_used() {
    let mut project = Project::new();
    project.surroundings.env.clear();
    assert!(project.resolve("-st asic_dse").is_ok());
    let errors = project.resolve("-st asic_dse -v ${RAD_GEN_HOME}/rtl --stdcell_lib.pdk_rundir_path ~").unwrap_err();
    assert!(errors[0].contains("RAD_GEN_HOME is not set") && errors[1].contains("HOME is not set"), "{errors:#?}");
}
