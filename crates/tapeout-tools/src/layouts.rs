//! What the tools that write and check layouts have alike: the GDS as a view, without dates, and complaints of abstract cells
//! and of violations. Owns no tool, and no files of the PDK: see `design_files`.

use tapeout_config::Config;
use tapeout_flow::{Failure, StepCx, StepResult};
use tapeout_formats::gds;
use tapeout_model::{Alert, Severity};

/// How many kinds of cells a GDS shows by their abstracts only.
pub(crate) const ABSTRACT_CELLS: &str = "design__gds__abstract_cells";

/// What to say of cells that a layout shows by their abstracts only, if there are such.
pub(crate) fn abstract_cells_alert(cells: &[String]) -> Option<Alert> {
    let mut cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    cells.sort_unstable();
    let shown = cells.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    let more = if cells.len() > 5 { ", …" } else { "" };
    (!cells.is_empty()).then(|| Alert {
        severity: Severity::Warning,
        code: "layout.abstract-cells".to_owned(),
        message: format!(
            "this GDS cannot be manufactured: {} kinds of cells have no layout and are shown by their abstracts ({shown}{more}); \
             name the GDS files of the cells in `CELL_GDS`",
            cells.len()
        ),
        count: 1,
    })
}

/// One complaint of many violations: the rules with the most of them, and how many each has. Complaints of one code are
/// shown as one.
pub(crate) fn violations_alert(code: &str, what: &str, mut rules: Vec<(String, u64)>) -> Option<Alert> {
    rules.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let total: u64 = rules.iter().map(|(_, count)| count).sum();
    let left_out = rules.len().saturating_sub(MOST_RULES);
    let shown = rules.iter().take(MOST_RULES).map(|(rule, count)| format!("{rule} (×{count})"));
    let more = (left_out > 0).then(|| format!("and {left_out} more"));
    let message = format!("{what}: {}", shown.chain(more).collect::<Vec<_>>().join(", "));
    (total > 0).then(|| Alert { severity: Severity::Warning, code: code.to_owned(), message, count: 1 })
}

/// How many rules a complaint names.
const MOST_RULES: usize = 5;

/// Adds the GDS of a tool to a result: as the view of that tool, and as `gds` if it is the one to tape out or there is no
/// other. Else the `gds` from before stays: of two steps that make a view the later one is asked for it.
pub(crate) fn with_gds(
    cx: &mut StepCx<'_, '_>,
    mut result: StepResult,
    (tool, view): (&str, &str),
    bytes: &[u8],
) -> Result<StepResult, Failure> {
    let design = cx.config.str("DESIGN_NAME").to_owned();
    let of_tool = format!("{design}.{tool}.gds");
    result.written.push(cx.write(&of_tool, bytes)?);
    let is_primary = cx.config.str("PRIMARY_GDSII_STREAMOUT_TOOL") == tool;
    let earlier = if is_primary || cx.view("gds").is_none() { None } else { Some(cx.view_file("gds")?) };
    let earlier = earlier.map(|earlier| cx.output_bytes(&earlier)).transpose()?;
    let path = format!("{design}.gds");
    result.written.push(cx.write(&path, earlier.as_deref().unwrap_or(bytes))?);
    Ok(result.view(view, of_tool).view("gds", path))
}

/// Whether one of the tools is named whose GDS there can be.
pub(crate) fn check_primary(config: &Config) -> Result<(), (&'static str, String)> {
    match config.opt_str("PRIMARY_GDSII_STREAMOUT_TOOL") {
        None | Some("magic" | "klayout") => Ok(()),
        Some(other) => Err(("PRIMARY_GDSII_STREAMOUT_TOOL", format!("expected `magic` or `klayout`, found `{other}`"))),
    }
}

/// A GDS without dates, so that two runs give the same file.
pub(crate) fn without_dates(cx: &StepCx<'_, '_>, path: &str, mut bytes: Vec<u8>) -> Result<Vec<u8>, Failure> {
    gds::set_dates(&mut bytes, gds::Dates::default()).map_err(|error| cx.unreadable(path, error))?;
    Ok(bytes)
}
