//! The built-in steps and flows. All knowledge of a tool (flags, log patterns, script text) is in the folder of that
//! tool; what a report means is in `tapeout-formats`.

mod abstract_cells;
mod checker;
mod classic;
mod corners;
mod design_files;
mod flows;
mod ghdl;
mod graywolf;
mod icarus;
mod icestorm;
mod klayout;
mod layout;
mod layouts;
mod magic;
mod misc;
mod names;
mod netgen;
mod nextpnr;
mod opensta;
pub mod pdk;
mod qrouter;
mod tcl;
mod time_limit;
mod values;
mod verilator;
mod verilog;
pub mod views;
mod yosys;

use tapeout_flow::Registry;

/// Everything built in.
#[must_use]
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    for register in [
        checker::register,
        classic::register,
        flows::register,
        ghdl::register,
        graywolf::register,
        icarus::register,
        icestorm::register,
        klayout::register,
        layout::register,
        magic::register,
        misc::register,
        netgen::register,
        nextpnr::register,
        opensta::register,
        qrouter::register,
        tcl::register,
        verilator::register,
        yosys::register,
    ] {
        register(&mut registry);
    }
    registry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flow_names_steps_and_every_step_names_tools_that_exist() {
        let registry = registry();
        for flow in registry.flows() {
            for step in &flow.steps {
                assert!(registry.step(step).is_some(), "{}: {step}", flow.name);
            }
            assert!(flow.faults().is_empty(), "{:?}", flow.faults());
        }
        for step in registry.steps() {
            // What is only described runs nothing.
            for tool in step.tools.iter().filter(|_| step.vocabulary.is_none()) {
                assert!(registry.tools().any(|known| known.name == *tool), "{}: {tool}", step.id);
            }
            let known = |format: &str| tapeout_model::DesignFormat::by_id(format).is_some();
            assert!(step.inputs.iter().all(|needs| known(&needs.format)), "{}", step.id);
            assert!(step.outputs.iter().all(|format| known(format)), "{}", step.id);
        }
    }

    #[test]
    fn every_step_that_runs_tools_says_what_hooks_may_name_in_it() {
        let registry = registry();
        let mut names = std::collections::BTreeSet::new();
        for step in registry.steps().filter(|step| step.vocabulary.is_none()) {
            assert_eq!(step.tools.is_empty(), step.sections.is_empty(), "{}", step.id);
            for section in &step.sections {
                let place = format!("{}/{}", step.id, section.name);
                let is_name =
                    |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
                assert!(is_name(section.name) && section.name != "outputs", "{place}");
                let doc = section.doc;
                assert!(doc.starts_with(|c: char| c.is_ascii_uppercase()) && doc.ends_with('.'), "{place}: {doc}");
                assert!(names.insert(place), "{}/{} stands twice", step.id, section.name);
            }
        }
    }
}
