//! Netlists: no two nets or instances have one name, and what is written of SPICE reads back.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use tapeout_formats::netlist::Netlist;
use tapeout_formats::spice;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(netlist) = Netlist::from_yosys(text, "t", &["vdd", "gnd"]) {
        let instances = netlist.instances.iter().map(|instance| &instance.name);
        let mut names = HashSet::new();
        for name in netlist.nets.iter().chain(instances) {
            assert!(names.insert(name.to_ascii_lowercase()), "{name} stands for two things");
        }
        assert!(netlist.to_verilog(None).ends_with("endmodule\n"));
    }
    if let Ok(read) = spice::parse(text) {
        let again = spice::parse(&spice::write(&read)).expect("what is written reads");
        assert_eq!(again.subckts.len(), read.subckts.len());
    }
});
