//! The inputs beside the conformance cases: RAD-Gen's own kinds of sweeps and subtools resolve with them.

use std::path::Path;

use serde_json::{Value, json};
use tapeout_radgen::{Surroundings, dump};

fn dumped(words: &str) -> Result<Value, Vec<String>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("conformance/radgen");
    let env = vec![("RAD_GEN_HOME".to_owned(), dir.to_str().unwrap().to_owned())];
    let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    dump(&words, &Surroundings { dir, env })
}

#[test]
fn each_kind_of_run_resolves_to_what_radgen_dumps() {
    let data = "tests/data";
    let alu = format!("-st asic_dse -n alu -o /out/alu -s {data}/alu_vlsi_sweep/inputs/alu_sweep.yml");
    let noc = format!("-st asic_dse -n NoC -l -s {data}/noc_rtl_sweep/inputs/noc_sweep.yml");
    let sram = format!("-st asic_dse -s {data}/sram_gen/inputs/sram_sweep.yml");
    let coffe = format!("-st coffe -o /out/coffe -f {data}/stratix_iv/inputs/stratix_iv_rrg.yml");
    let ic_3d = format!("-st ic_3d -n dummy -l -bd -ic {data}/ic_3d/inputs/3D_ic_explore.yaml");
    let point = format!(
        "-st asic_dse -n alu -syn -par -o /out/alu -t alu_ver -e {data}/asic_dse/env.yml -p \
         {data}/asic_dse/pdks/asap7.yml {data}/asic_dse/cad_tools/cadence_tools.yml \
         {data}/alu_vlsi_sweep/inputs/alu_base.yml"
    );
    let sweep = "asic_dse.design_sweep_info";
    let cases = [
        (&alu, "asic_dse.common.manual_obj_dir".to_owned(), json!("/out/alu")),
        (&alu, "asic_dse.common.rad_gen_home_path".to_owned(), json!("${RAD_GEN_HOME}")),
        (&alu, "asic_dse.common.log_verbosity".to_owned(), json!(1)),
        (&alu, "asic_dse.result_search_path".to_owned(), json!("${RAD_GEN_HOME}/projects")),
        (
            &alu,
            "asic_dse.sram_compiler_settings.rtl_out_dpath".to_owned(),
            json!("${RAD_GEN_HOME}/shared_resources/sram_lib/rtl/gen"),
        ),
        (&alu, format!("{sweep}.hdl_dpath"), json!("${RAD_GEN_HOME}/tests/data/alu_vlsi_sweep/inputs/rtl")),
        (&alu, format!("{sweep}.tool_env_conf_fpaths"), json!(["${RAD_GEN_HOME}/tests/data/asic_dse/env.yml"])),
        (&alu, format!("{sweep}.vlsi_params.custom_map.period"), json!(["0 ns", "0 ns", "2 ns"])),
        (&alu, format!("{sweep}.vlsi_params.custom_map.effort"), json!(["express", "standard", "extreme"])),
        (
            &alu,
            format!("{sweep}.vlsi_params.direct_map.clocks"),
            json!([[{ "name": "clk", "period": "0 ns" }], [{ "name": "clk", "period": "2 ns" }]]),
        ),
        (&alu, "asic_dse.asic_flow_settings".to_owned(), json!({ "cli_driver_bpath": null })),
        (&alu, format!("{sweep}.sram_params"), Value::Null),
        (&noc, format!("{sweep}.type"), json!("rtl")),
        (&noc, format!("{sweep}.rtl_params.sweep.num_vcs.buffer_size"), json!([20, 40, 80])),
        (&noc, format!("{sweep}.rtl_params.sweep.num_ports"), json!([])),
        (
            &sram,
            format!("{sweep}.sram_params.sram_rtl_template_fpath"),
            json!("${RAD_GEN_HOME}/shared_resources/sram_lib/rtl/src/sram_template.sv"),
        ),
        (
            &sram,
            format!("{sweep}.sram_params.mems"),
            json!([{ "rw_ports": 2, "w": 1024, "d": 256 }, { "rw_ports": 2, "w": 256, "d": 512 }]),
        ),
        (&coffe, "coffe.arch_name".to_owned(), json!("stratix_iv_rrg")),
        (&coffe, "coffe.common.obj_dir".to_owned(), json!("/out/coffe")),
        (&ic_3d, "ic_3d.buffer_dse".to_owned(), json!(true)),
        (&point, "asic_dse.mode.vlsi.enable".to_owned(), json!(true)),
        (&point, "asic_dse.mode.vlsi.config_pre_proc".to_owned(), json!(false)),
        (&point, "asic_dse.common_asic_flow.top_lvl_module".to_owned(), json!("alu_ver")),
        (&point, "asic_dse.common_asic_flow.flow_stages.timing.run".to_owned(), json!(false)),
    ];
    for (words, name, expected) in cases {
        let json = dumped(words).unwrap_or_else(|errors| panic!("{words}: {errors:#?}"));
        let found = name.split('.').fold(&json, |json, name| &json[name]);
        assert_eq!(*found, expected, "{words} {name}");
    }
    assert!(dumped(&format!("{alu} -l")).is_err());
}
