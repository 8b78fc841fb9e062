//! What hooks cost, for `cargo xtask bench hooks`: `hooks DIR SECTIONS HOOKS ROUNDS` prints the milliseconds of each round,
//! from the configuration to the plan, the order in which one step with so many sections runs its hooks, and the list of
//! them for people. Hooks are of all kinds and layers, on sections and on other hooks.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use tapeout_config::{Loader, SourceMap};
use tapeout_flow::hooks::arrange::Bounds;
use tapeout_flow::{
    Completed, Failure, Flow, Hook, HookCx, HookKind, Layer, Plan, Puts, Registry, Session, Step, StepCx, StepInfo,
    StepResult,
};

/// A step of sections that do nothing.
struct Sectioned(Vec<(&'static str, &'static str)>);

impl Step for Sectioned {
    fn info(&self) -> StepInfo {
        StepInfo::new("Bench.Sectioned", "Sectioned", "Has many sections.", "1").sections(&self.0)
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, _: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult::default())
    }
}

const KINDS: [HookKind; 7] = [
    HookKind::Before,
    HookKind::After,
    HookKind::PostPersistent,
    HookKind::After,
    HookKind::Replace,
    HookKind::PrePersistent,
    HookKind::Persistent,
];

/// A hook by its number. Every third is of the same layer; some are on the one of their layer before them.
fn hook(number: usize, sections: usize) -> Hook {
    let layer = [Layer::Technology, Layer::Tool, Layer::User][number % 3];
    let (kind, on_hook) = match KINDS[number / 3 % KINDS.len()] {
        HookKind::Before if number >= 3 => (HookKind::Before, true),
        HookKind::Replace if number >= 3 => (HookKind::Replace, true),
        kind => (kind, false),
    };
    let at = match kind {
        HookKind::Persistent => "Bench.Sectioned".to_owned(),
        _ if on_hook => format!("Bench.Sectioned/h{}", number - 3),
        _ => format!("Bench.Sectioned/s{}", number / 3 % sections),
    };
    let body = |_: &mut HookCx<'_, '_, '_>| Ok(());
    let puts = Puts::Body(std::sync::Arc::new(("bench", body)));
    Hook { layer, ..Hook::new(&format!("h{number}"), kind, &at, puts) }
}

fn rounds(dir: &Path, sections: usize, hooks: usize, rounds: usize) -> Result<Vec<f64>, Box<dyn Error>> {
    let names: Vec<String> = (0..sections).map(|number| format!("s{number}")).collect();
    let mut registry = Registry::default();
    // They are needed to the end.
    registry.add_step(Sectioned(names.into_iter().map(|name| (&*name.leak(), "")).collect()));
    registry.add_flow(Flow::new("Bench", "", &["Bench.Sectioned"]));
    for number in 0..hooks {
        registry.add_hook(hook(number, sections));
    }
    let file = dir.join("config.yaml");
    fs::write(&file, "DESIGN_NAME: bench\nmeta: {version: 2, flow: Bench}\n")?;
    let mut times = Vec::new();
    for _ in 0..rounds {
        let begin = Instant::now();
        let loader = Loader { files: vec![file.clone()], ..Loader::default() };
        let plan = Plan::load(&registry, loader, None, &mut SourceMap::new());
        let plan = plan.map_err(|problems| format!("there is no plan: {:?}", problems.0.first()))?;
        let planned = plan.steps[0].hooks().ok_or("the step has no hooks")?;
        let order = planned.arrangement().order(&Bounds::default()).map_err(|no| format!("no order: {no:?}"))?;
        let listed = planned.listed();
        let took = begin.elapsed();
        let (runs, shown) = (order.start.len() + order.part.len(), listed.len());
        if runs != shown || runs <= sections {
            return Err(format!("{runs} run, and {shown} are listed").into());
        }
        times.push(took.as_secs_f64() * 1e3);
    }
    Ok(times)
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program")]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let numbers: Option<Vec<usize>> = args.iter().skip(2).map(|arg| arg.parse().ok()).collect();
    let ended = match (args.get(1), numbers.as_deref()) {
        (Some(dir), Some([sections, hooks, count])) => rounds(Path::new(dir), *sections, *hooks, *count),
        _ => return ExitCode::from(2),
    };
    match ended {
        Ok(times) => {
            times.iter().for_each(|time| println!("{time}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
