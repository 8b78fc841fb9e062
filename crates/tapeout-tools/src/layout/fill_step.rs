//! `Layout.Fill`: fill cells into the gaps of rows, so that wells and rails go from end to end.

use std::collections::BTreeMap;

use glob::Pattern;
use tapeout_flow::{Action, Completed, Failure, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_formats::def::{Component, Placement, Status};
use tapeout_formats::geometry::Point;

use super::fill::parts;
use super::rows::{free, outline, site};
use super::{Scale, result};
use crate::classic::variable;
use crate::design_files::{self, input};
use crate::names::some;

pub(super) struct Fill;

impl Step for Fill {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Layout.Fill",
            "Fill rows",
            "Closes the gaps in rows with the cells in `FILL_CELLS`, wide ones first.",
            env!("IMPLEMENTATION"),
        )
        .action(Action::PlaceAndRoute)
        .needs("def")
        .makes(&["def"])
        .measures(&["design__instance__count__class:fill_cell"])
        .variables(design_files::lef_variables())
        .variables([variable("FILL_CELLS")])
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let library = design_files::library(cx)?;
        let mut design = design_files::layout(cx)?;
        let scale = Scale { per_um: design.units };
        let site = site(&design, &library).ok_or_else(|| input("the layout has no rows of a site that LEF has"))?;
        let patterns = cx.config.strings("FILL_CELLS");
        let is_meant = |name: &str| {
            let matches =
                |pattern: &&str| Pattern::new(pattern).map_or(*pattern == name, |pattern| pattern.matches(name));
            patterns.iter().any(matches)
        };
        // Of several cells of a width, the first counts.
        let mut by_width: BTreeMap<i64, &str> = BTreeMap::new();
        for cell in library.cells.iter().filter(|cell| is_meant(&cell.name)) {
            let size = Point::new(scale.units(cell.size.x), scale.units(cell.size.y));
            if size.y == site.y && size.x > 0 && size.x % site.x == 0 {
                by_width.entry(size.x / site.x).or_insert(&cell.name);
            }
        }
        let widths: Vec<i64> = by_width.keys().copied().collect();
        if widths.is_empty() && !patterns.is_empty() {
            return Err(input(format!(
                "the LEF files have no cell as high as a row that `FILL_CELLS` means, which is {}",
                some(&patterns)
            ))
            .hint("name the fill cells of the library in `FILL_CELLS`, or do without by `RUN_FILL_INSERTION: false`"));
        }
        let outlines: Vec<_> = design.components.iter().filter_map(|c| outline(c, &library, scale)).collect();
        let prefix = free_prefix(design.components.iter().map(|component| component.name.as_str()));
        let mut count = 0_usize;
        for gap in free(&design, site, &outlines) {
            let Some(parts) = parts(gap.sites, &widths) else {
                let (x, y) = (scale.um(gap.at.x), scale.um(gap.at.y));
                let widths: Vec<String> = widths.iter().map(ToString::to_string).collect();
                let widths = if widths.is_empty() { "none".to_owned() } else { widths.join(", ") };
                return Err(input(format!(
                    "the gap of {} sites at {x}, {y} µm cannot be filled with cells of these widths in sites: {widths}",
                    gap.sites
                ))
                .hint("name fill cells in `FILL_CELLS`; one of them should be one site wide"));
            };
            let mut x = gap.at.x;
            for width in parts {
                let placement =
                    Placement { status: Status::Placed, at: Point::new(x, gap.at.y), orientation: gap.orientation };
                design.components.push(Component {
                    name: format!("{prefix}{count}"),
                    cell: by_width[&width].to_owned(),
                    placement: Some(placement),
                    source: Some("DIST".to_owned()),
                    other: Vec::new(),
                });
                count += 1;
                x += width * site.x;
            }
        }
        Ok(result(cx, &design)?.metric("design__instance__count__class:fill_cell", count))
    }
}

/// The beginning of names that no component has, in whatever case.
fn free_prefix<'n>(names: impl Iterator<Item = &'n str> + Clone) -> String {
    let mut prefix = "fill_".to_owned();
    while names.clone().any(|name| name.to_ascii_lowercase().starts_with(&prefix)) {
        prefix.push('_');
    }
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_free_in_any_case() {
        assert_eq!(free_prefix(["a", "Fill_1", "fill__x"].into_iter()), "fill___");
    }
}
