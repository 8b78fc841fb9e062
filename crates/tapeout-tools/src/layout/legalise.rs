//! `Layout.Legalise`: every cell onto the sites of a row, and every pin onto a track.

use std::collections::HashMap;

use tapeout_flow::{Action, Completed, Failure, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_formats::def::{Placement, Status};
use tapeout_formats::geometry::Point;
use tapeout_formats::lef::Cell as LefCell;

use super::abacus::{Cell, legalise};
use super::rows::{free, outline, site};
use super::wirelength::half_perimeters;
use super::{Scale, pins, result};
use crate::design_files::{self, input};
use crate::names::some;

pub(super) struct Legalise;

impl Step for Legalise {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Layout.Legalise",
            "Place on sites",
            "Moves each placed cell onto the sites of a row, where no other one is, and as little as that takes (Abacus). \
             What is fixed stays. Fails with figures when the rows are too full. Pins for which the placer has chosen a \
             place are put onto the nearest tracks there.",
            env!("IMPLEMENTATION"),
        )
        .action(Action::PlaceAndRoute)
        .needs("def")
        .makes(&["def"])
        .measures(&[
            "design__instance__displacement__total",
            "design__instance__displacement__mean",
            "design__instance__displacement__max",
            "route__wirelength__estimated",
        ])
        .variables(design_files::lef_variables())
        .variables(pins::variables())
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let library = design_files::library(cx)?;
        let mut design = design_files::layout(cx)?;
        let scale = Scale { per_um: design.units };
        let site = site(&design, &library).ok_or_else(|| input("the layout has no rows of a site that LEF has"))?;
        let by_name: HashMap<&str, &LefCell> = library.cells.iter().map(|cell| (cell.name.as_str(), cell)).collect();
        let is_fixed = |placement: Placement| placement.status != Status::Placed;
        let fixed = design.components.iter().filter(|component| component.placement.is_some_and(is_fixed));
        let taken: Vec<_> = fixed.filter_map(|component| outline(component, &library, scale)).collect();
        let segments = free(&design, site, &taken);
        let mut movable = Vec::new();
        let mut without = Vec::new();
        for (index, component) in design.components.iter().enumerate() {
            let cell = by_name.get(component.cell.as_str());
            match (component.placement, cell) {
                (Some(placement), _) if is_fixed(placement) => {}
                (Some(placement), Some(cell)) => {
                    let width = super::plan::up(scale.units(cell.size.x), site.x) / site.x;
                    movable.push((index, Cell { width, at: placement.at }));
                }
                (_, None) => return Err(input(format!("the LEF files have no cell `{}`", component.cell))),
                (None, _) => without.push(component.name.as_str()),
            }
        }
        if !without.is_empty() {
            return Err(input(format!("{} cells have no place yet: {}", without.len(), some(&without)))
                .hint("a placer such as `Graywolf.Place` comes before this step"));
        }
        let cells: Vec<Cell> = movable.iter().map(|(_, cell)| *cell).collect();
        let placed = legalise(&cells, &segments, site.x).map_err(|misfit| {
            let needed: i64 = cells.iter().map(|cell| cell.width).sum();
            let there: i64 = segments.iter().map(|segment| segment.sites).sum();
            let name = &design.components[movable[misfit.cell].0].name;
            let percent = needed as f64 * 100.0 / there.max(1) as f64;
            input(format!(
                "the cells do not fit into the rows: they need {needed} of {there} sites ({percent:.1} %), and `{name}`, \
                 {} sites wide, finds no row with more than {} sites left",
                cells[misfit.cell].width, misfit.left
            ))
            .hint("lower `FP_CORE_UTIL`, or give a larger `DIE_AREA`")
        })?;
        let (mut total, mut most) = (0_i64, 0_i64);
        for ((index, cell), placed) in movable.iter().zip(&placed) {
            let segment = &segments[placed.segment];
            let at = Point::new(placed.x, segment.at.y);
            let moved = (at.x - cell.at.x).abs() + (at.y - cell.at.y).abs();
            total += moved;
            most = most.max(moved);
            // The placer may have mirrored a cell at a vertical line, which every row bears.
            let was =
                design.components[*index].placement.map_or(segment.orientation, |placement| placement.orientation);
            let orientation = segment.orientation.mirrored_as(was);
            design.components[*index].placement = Some(Placement { status: Status::Placed, at, orientation });
        }
        pins::onto_tracks(cx.config, &mut design, &library)?;
        let mean = scale.um(total) / movable.len().max(1) as f64;
        Ok(result(cx, &design)?
            .metric("design__instance__displacement__total", scale.um(total))
            .metric("design__instance__displacement__mean", super::to_nm(mean))
            .metric("design__instance__displacement__max", scale.um(most))
            .metric("route__wirelength__estimated", scale.um(half_perimeters(&design, &library))))
    }
}
