//! A tool of one's own: its options are one struct, one function works out the rest, one runs it.
//! `own_options FILE [-c KEY=VALUE]…`

use std::process::ExitCode;

use tapeout_config::{Diagnostic, Init, Loader, Schema, SourceMap};
use tapeout_model::Decimal;

/// Looks for the shortest clock period at which a design meets timing.
#[derive(Schema)]
struct Fmax {
    /// The top module of the design.
    top: String,
    /// How hard the router tries.
    #[schema(default = Effort::Standard)]
    effort: Effort,
    /// The one period to be tried, where there is no sweep.
    #[schema(units = "ns", mandatory_in("single"))]
    period: Option<Decimal>,
    /// The periods to be tried, one after the other.
    sweep: Option<Sweep>,
    /// What is tried.
    #[schema(units = "ns", derived_from("period", "sweep"))]
    periods: Vec<Decimal>,
}

#[derive(Schema, Clone, Copy, Debug)]
enum Effort {
    Express,
    Standard,
    Extreme,
}

/// Periods at the same distance from each other.
#[derive(Schema)]
struct Sweep {
    /// The first period.
    #[schema(units = "ns")]
    from: Decimal,
    /// How many there are.
    #[schema(default = 3)]
    points: u8,
    /// How much shorter each is than the one before.
    #[schema(units = "ns", default = 0.5)]
    step: Decimal,
}

fn init(fmax: &mut Fmax, init: &mut Init<'_>) {
    let Some(sweep) = &fmax.sweep else {
        init.mode("single");
        fmax.periods = fmax.period.into_iter().collect();
        return;
    };
    if init.given("period") {
        init.error("period", "`period` is given, but there is a `sweep`");
    }
    fmax.periods = (0..sweep.points).map(|point| sweep.from - sweep.step * Decimal::from(i64::from(point))).collect();
}

fn run(fmax: &Fmax) -> String {
    let attempt = |period: &Decimal| format!("{} at {period} ns, effort {:?}\n", fmax.top, fmax.effort);
    fmax.periods.iter().map(attempt).collect()
}

/// What is printed for these arguments, or what is wrong.
pub(crate) fn main_with(args: &[String], sources: &mut SourceMap) -> Result<String, Vec<Diagnostic>> {
    let schema = Schema::of::<Fmax>().map_err(|error| vec![Diagnostic::error(error.to_string())])?;
    let (files, sets): (Vec<_>, Vec<_>) = args.iter().filter(|arg| *arg != "-c").partition(|arg| !arg.contains('='));
    let loader = Loader {
        files: files.into_iter().map(Into::into).collect(),
        sets: sets.into_iter().cloned().collect(),
        ..Loader::default()
    };
    let (config, _) = loader.load(sources)?.resolve(&schema, sources)?;
    let (fmax, config) = config.initialise("", init)?;
    let of = |name: &str| format!("{name}: {}\n", config.setting(name).origin);
    Ok(run(&fmax) + &of("effort") + &of("periods"))
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program")]
fn main() -> ExitCode {
    let mut sources = SourceMap::new();
    match main_with(&std::env::args().skip(1).collect::<Vec<_>>(), &mut sources) {
        Ok(text) => print!("{text}"),
        Err(diagnostics) => {
            for diagnostic in diagnostics {
                eprintln!("{}\n", diagnostic.render(&sources, false));
            }
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
