//! Fields that follow from others, modes and what they demand.

use std::fs;
use std::time::{Duration, UNIX_EPOCH};

use crate::support::{Project, at};
use serde_json::json;

const SWEEP: &str = "
type: vlsi
base_config_path: base.yml
top_lvl_module: alu
hdl_dpath: rtl
vlsi_params: { custom_map: { core_util: [0.5, 0.7] } }
";

#[test]
fn derived_fields() {
    let project = Project::new();
    project.file("sweep.yml", SWEEP);
    project.file("sram.yml", "type: sram\nsram_params.widths: [8]\n");
    project.file("noc.yml", "type: rtl\nbase_config_path: flow.yml\nrtl_params.sweep: { W: [8, 16], D: [] }\n");
    let stages = "asic_dse.common_asic_flow.flow_stages";
    let cases = [
        ("", "asic_dse.mode.sweep_gen", json!(false)),
        ("-n p -s sweep.yml", "asic_dse.mode.sweep_gen", json!(true)),
        ("-n p -s sweep.yml", "asic_dse.mode.vlsi.enable", json!(false)),
        ("-n p -s sweep.yml", "asic_dse.design_sweep_info.vlsi_params.custom_map.core_util", json!([0.5, 0.7])),
        ("-n p -s sweep.yml --design_sweep_info.flow_threads 3", "asic_dse.design_sweep_info.flow_threads", json!(3)),
        ("-n p -s sweep.yml -c", "asic_dse.mode.sweep_gen", json!(false)),
        ("-n p -s sweep.yml -c", "asic_dse.mode.result_parse", json!(true)),
        ("-s sram.yml", "asic_dse.mode.sweep_gen", json!(true)),
        ("-n p -s noc.yml", "asic_dse.design_sweep_info.top_lvl_module", json!("alu")),
        ("-n p -p base.yml flow.yml", "asic_dse.mode.vlsi.enable", json!(true)),
        ("-n p -p base.yml flow.yml", "asic_dse.common_asic_flow.top_lvl_module", json!("alu")),
        ("-n p -p flow.yml", "asic_dse.mode.vlsi.config_pre_proc", json!(false)),
        ("-n p -p flow.yml -t x -v rtl", "asic_dse.mode.vlsi.config_pre_proc", json!(true)),
        ("-n p -p flow.yml -t x -v rtl", "asic_dse.common_asic_flow.top_lvl_module", json!("x")),
        ("-n p -p flow.yml -m custom -t x -v rtl", "asic_dse.mode.vlsi.config_pre_proc", json!(true)),
        ("-sram -p flow.yml", "asic_dse.mode.vlsi.enable", json!(true)),
        ("", &format!("{stages}.power.run"), json!(true)),
        ("", &format!("{stages}.sram.run"), json!(false)),
        ("-syn", &format!("{stages}.par.run"), json!(false)),
        ("-sram", &format!("{stages}.par.run"), json!(true)),
        ("-pt", &format!("{stages}.timing.run"), json!(true)),
        ("-pt", &format!("{stages}.power.run"), json!(true)),
        ("-pt", &format!("{stages}.syn.run"), json!(false)),
        ("-syn=false", &format!("{stages}.syn.run"), json!(false)),
        ("-syn=false", &format!("{stages}.par.run"), json!(true)),
        ("-c", &format!("{stages}.syn.run"), json!(false)),
        ("-c -syn=false", &format!("{stages}.syn.run"), json!(false)),
        ("-sram", "asic_dse.common_asic_flow.db_libs", json!(["sram_db_libs", "asap7_db_libs"])),
        ("--stdcell_lib.pdk_name x", "asic_dse.common_asic_flow.db_libs", json!(["x_db_libs"])),
        ("--stdcell_lib.sram_lib_path rtl", "asic_dse.stdcell_lib.sram_lib_path", json!("rtl")),
        ("-o out", "common.obj_dir", json!("out")),
        ("-l -o out", "common.obj_dir", json!("out")),
    ];
    for (words, name, expected) in cases {
        let resolved = project.resolve(&format!("-st asic_dse {words}"));
        let resolved = resolved.unwrap_or_else(|errors| panic!("{words}: {errors:#?}"));
        assert_eq!(at(&resolved, name), expected, "{words} {name}");
    }
}

#[test]
fn contradictions_and_what_is_missing() {
    let project = Project::new();
    project.file("sweep.yml", SWEEP);
    project.file("unequal.yml", &SWEEP.replace("core_util:", "effort: [express], core_util:"));
    project.file("effort.yml", &SWEEP.replace("core_util: [0.5, 0.7]", "effort: [lazy]"));
    project.file("typo.yml", &SWEEP.replace("hdl_dpath", "hdl_path"));
    project.file("empty.yml", "flow_threads: 0\n");
    project.file("bare.yml", "type: vlsi\nbase_config_path: base.yml\n");
    project
        .file("noc.yml", "type: rtl\nbase_config_path: flow.yml\nrtl_params.sweep: { W: { vals: [1, 2], D: [3] } }\n");
    let cases = [
        (
            "-st asic_dse -c -syn",
            "<command line>:3:1: error: `asic_dse.common_asic_flow.flow_stages.syn.run` is given, but `compile_results` runs nothing",
        ),
        (
            "-st asic_dse -l -o x -n p -p flow.yml",
            "<command line>:2:1: error: `override_outputs` means the newest object directory, `manual_obj_dir` means `x`: give one of them",
        ),
        ("-st asic_dse -s sweep.yml", "error: the mandatory variable `common.project_name` has no value"),
        ("-st asic_dse -p flow.yml", "error: the mandatory variable `common.project_name` has no value"),
        ("-st asic_dse -p base.yml -n p", "<command line>:2:4: error: the top module is not known"),
        (
            "-st asic_dse -p flow.yml -n p -m custom",
            "error: 2 mandatory variables have no value: `asic_dse.top_lvl_module`, `asic_dse.hdl_dpath`",
        ),
        (
            "-st asic_dse -p flow.yml base.yml -n p -m custom -t a -v rtl",
            "the custom flow takes one configuration file, not 2",
        ),
        ("-st coffe -f arch.yml", "error: the mandatory variable `common.manual_obj_dir` has no value"),
        ("-st coffe ic_3d", "`common.manual_obj_dir`, `coffe.fpga_arch_conf_path`, `ic_3d.input_config_path`"),
        ("-st asic_dse -n p -s unequal.yml", "unequal.yml:6:38: error: `effort` has 1 value, but `core_util` has 2"),
        (
            "-st asic_dse -n p -s effort.yml",
            "effort.yml:6:39: error: `asic_dse.design_sweep_info.vlsi_params.custom_map.effort[0]` must be one of `express`, `standard`, `extreme`, not `lazy`",
        ),
        (
            "-st asic_dse -n p -s typo.yml",
            "typo.yml:5:1: error: unknown field `asic_dse.design_sweep_info.hdl_path` (did you mean `asic_dse.design_sweep_info.hdl_dpath`?)",
        ),
        (
            "-st asic_dse -n p -s empty.yml",
            "empty.yml:1:15: error: `asic_dse.design_sweep_info.flow_threads` must be at least 1, not 0",
        ),
        ("-st asic_dse -n p -s bare.yml", "bare.yml:2:19: error: the top module is not known"),
        ("-st asic_dse -n p -s bare.yml", "bare.yml:2:19: error: the design has no files"),
        ("-st asic_dse -n p -s noc.yml", "the sweep of `W`: `D` has 1 value, but `vals` has 2"),
        ("-st asic_dse -n p -s sweep.yml -t other", "`top_lvl_module` is `other`, but the sweep is one of `alu`"),
        (
            "-st asic_dse -n p -s rtl/alu.v",
            "<command line>:3:4: error: sweep file `rtl/alu.v` is not a YAML or JSON file",
        ),
    ];
    for (words, expected) in cases {
        let errors = project.resolve(words).map(|_| ()).expect_err(words);
        assert!(errors.iter().any(|error| error.contains(expected)), "{words}: {errors:#?}");
    }
}

#[test]
fn object_directories() {
    let project = Project::new();
    project.file("sweep.yml", SWEEP);
    let now = UNIX_EPOCH + Duration::from_millis(1_709_251_199_999);
    let save = |words: &str| {
        let resolved = project.resolve(words).unwrap();
        let dir = resolved.save(&project.surroundings, now).unwrap();
        let command = fs::read_to_string(project.dir.path().join(&dir).join("command")).unwrap();
        assert_eq!(command, resolved.command() + "\n");
        let config = fs::read_to_string(project.dir.path().join(&dir).join("config.json")).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&config).unwrap(), resolved.to_json());
        dir.to_str().unwrap().to_owned()
    };
    let sweeps = "projects/p/outputs/alu/obj_dirs";
    assert_eq!(save("-st asic_dse -o out/a"), "out/a");
    assert_eq!(save("-st asic_dse -n p -s sweep.yml"), format!("{sweeps}/alu-sweep-2024-02-29T23-59-59.999Z"));
    // Another one of the same moment.
    assert_eq!(save("-st asic_dse -n p -s sweep.yml"), format!("{sweeps}/alu-sweep-2024-03-01T00-00-00.000Z"));
    fs::create_dir(project.dir.path().join(sweeps).join("alu-sweep-kept")).unwrap();
    assert_eq!(save("-st asic_dse -n p -s sweep.yml -l"), format!("{sweeps}/alu-sweep-2024-03-01T00-00-00.000Z"));
    assert_eq!(save("-st asic_dse -n p -p flow.yml -l"), format!("{sweeps}/alu-2024-02-29T23-59-59.999Z"));
    assert_eq!(
        save("-st ic_3d -ic arch.yml"),
        "projects/default/outputs/ic_3d/obj_dirs/ic_3d-2024-02-29T23-59-59.999Z"
    );
}
