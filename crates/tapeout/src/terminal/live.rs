//! Progress on a terminal: what has ended scrolls away above, what runs stays below with the last words of its log.
//!
//! ```text
//! ✓ Yosys.SynthIce40  done, 1.2 s
//! Ice40 - Stage 4 - Place and route ━━━━━━╺━━━━━ 4/10 0:00:20
//!   NextPNR.PlaceRoute  Info: annealing …
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tapeout_flow::{Happened, Plan, RunEvent};

use super::tail::Follower;
use super::watch::{Ending, Places, Watcher, ending, remark};
use super::{Paint, Style, Terminal};

/// Redraws a second: as often as a person can see.
const REDRAWS: u8 = 10;

pub(crate) struct Live<'a> {
    plan: &'a Plan,
    places: Places,
    screen: Arc<Screen>,
    logs: Follower,
    /// The longest id, so that what follows ids lines up.
    width: usize,
}

/// What is drawn; shared with the thread that follows logs.
struct Screen {
    area: MultiProgress,
    main: ProgressBar,
    running: Mutex<BTreeMap<usize, ProgressBar>>,
    paint: Paint,
}

impl<'a> Live<'a> {
    pub(crate) fn new(terminal: &Terminal, plan: &'a Plan) -> Self {
        let places = Places::new(plan);
        let area = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(REDRAWS));
        let main = area.add(ProgressBar::new(places.total as u64).with_style(main_style(terminal.err)));
        main.set_prefix(plan.flow.clone());
        main.enable_steady_tick(Duration::from_secs(1) / u32::from(REDRAWS));
        let screen = Arc::new(Screen { area, main, running: Mutex::default(), paint: terminal.err });
        let logs = {
            let screen = Arc::clone(&screen);
            let verbose = terminal.verbose;
            Follower::start(move |step, lines| screen.lines(step, lines, verbose))
        };
        let width = plan.running().map(|(_, step)| step.id.len()).max().unwrap_or(0);
        Self { plan, places, screen, logs, width }
    }

    fn started(&self, step: usize) {
        let id = &self.plan.steps[step].id;
        let line = ProgressBar::new_spinner().with_style(line_style());
        let line = self.screen.area.add(line);
        line.set_prefix(format!("{id:width$}", width = self.width));
        line.tick();
        self.screen.running().insert(step, line);
        self.head();
    }

    fn ended(&self, step: usize, ending: &Ending) {
        self.logs.leave(step);
        if let Some(line) = self.screen.running().remove(&step) {
            line.finish_and_clear();
            self.screen.area.remove(&line);
        }
        let paint = self.screen.paint;
        let id = format!("{:width$}", self.plan.steps[step].id, width = self.width);
        let mark = paint.paint(ending.style, &ending.mark.to_string());
        self.screen.println(&format!("{mark} {id}  {}", paint.paint(ending.style, &ending.words)));
        self.screen.main.inc(1);
        self.head();
    }

    /// Names the first of the steps that run: the stage where the flow is.
    fn head(&self) {
        let first = self.screen.running().keys().next().copied();
        let text = match first {
            Some(step) => {
                let name = self.plan.steps[step].info.name;
                format!("{} - Stage {} - {name}", self.plan.flow, self.places.of(step))
            }
            None => self.plan.flow.clone(),
        };
        self.screen.main.set_prefix(text);
    }
}

impl Watcher for Live<'_> {
    fn heard(&self, step: Option<usize>, happened: &Happened) {
        let Some(step) = step else { return };
        match &happened.event {
            RunEvent::StepStarted { .. } => self.started(step),
            RunEvent::StepRunning { log, .. } => self.logs.follow(step, log),
            event => match (ending(event), remark(event)) {
                (Some(ending), _) => self.ended(step, &ending),
                (None, Some(remark)) => self.screen.println(&format!("  {}  {remark}", self.plan.steps[step].id)),
                (None, None) => {}
            },
        }
    }

    fn say(&self, text: &str) {
        self.screen.println(text);
    }
}

impl Drop for Live<'_> {
    fn drop(&mut self) {
        self.screen.main.finish_and_clear();
    }
}

impl Screen {
    fn running(&self) -> MutexGuard<'_, BTreeMap<usize, ProgressBar>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn println(&self, text: &str) {
        // A terminal that is gone is no reason to stop the run.
        let _ = self.area.println(text);
    }

    fn lines(&self, step: usize, lines: &[String], verbose: bool) {
        if verbose {
            self.println(&lines.join("\n"));
        } else if let Some(last) = lines.iter().rev().find(|line| !line.trim().is_empty())
            && let Some(line) = self.running().get(&step)
        {
            line.set_message(self.paint.paint(Style::Dim, last.trim()));
        }
    }
}

fn main_style(paint: Paint) -> ProgressStyle {
    let bar = if paint.is_on() { "{bar:24.green/dim}" } else { "{bar:24}" };
    template(&format!("{{prefix}} {bar} {{pos}}/{{len}} {{clock}}"))
        .with_key("clock", |state: &ProgressState, to: &mut dyn std::fmt::Write| {
            let seconds = state.elapsed().as_secs();
            let _ = write!(to, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        })
        .progress_chars("━╺━")
}

fn line_style() -> ProgressStyle {
    template("  {prefix}  {wide_msg}")
}

fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).expect("the templates in this file are well-formed")
}
