//! What came of it all, as a page.

use std::fmt::Write as _;

use tapeout::flow::Failure;
use tapeout::flow::project::{Blueprint, FilePath, TaskCx, TaskResult};

use crate::core::{Core, Layout, Netlist};

/// The page.
#[derive(TaskResult)]
struct Page {
    page: FilePath,
    slowest_mhz: f64,
}

/// The block that reports on these cores.
pub(crate) fn block(project: &mut Blueprint, cores: &[Core; 2]) {
    let names: Vec<String> = cores.iter().map(|core| core.name.clone()).collect();
    let block = project.block("report", include_str!("report.rs")).doc("What came of it all.").param("names", names);
    let block = block.done();
    (project.task(block, "summary"))
        .doc("Write a page with a row for each core; all benches must have passed.")
        .requires(
            cores.iter().map(|core| core.simulation.attribute(crate::core::Simulation::VALUES)).collect::<Vec<_>>(),
        )
        .requires(cores.iter().map(|core| core.netlist.attribute(Netlist::CELLS)).collect::<Vec<_>>())
        .requires(cores.iter().map(|core| core.layout.attribute(Layout::MAX_FREQUENCY_MHZ)).collect::<Vec<_>>())
        .run(summary);
}

fn summary(
    cx: &mut TaskCx<'_, '_>,
    values: Vec<usize>,
    cells: Vec<i64>,
    frequencies: Vec<f64>,
) -> Result<Page, Failure> {
    let names: Vec<String> = cx.value("names")?;
    let mut page = String::from("| core | values compared | cells | MHz |\n|---|---|---|---|\n");
    for (index, name) in names.iter().enumerate() {
        let (values, cells, frequency) = (values[index], cells[index], frequencies[index]);
        let _ = writeln!(page, "| {name} | {values} | {cells} | {frequency:.1} |");
    }
    let page = cx.write("report.md", page.as_bytes())?;
    Ok(Page { page, slowest_mhz: frequencies.into_iter().fold(f64::INFINITY, f64::min) })
}
