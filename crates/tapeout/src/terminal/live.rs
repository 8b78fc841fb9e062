//! Progress on a terminal: what has ended scrolls away above, what runs stays below with the last words of its log.
//!
//! ```text
//! ✓ Yosys.SynthIce40  done, 1.2 s
//! Ice40 - Stage 4 - Place and route ━━━━━━╺━━━━━ 4/10 0:00:20
//!   NextPNR.PlaceRoute  Info: annealing …
//! ```
//!
//! The stages of a sequential flow are its steps. A custom flow says itself what its stages are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tapeout_flow::{Happened, RunEvent, Stage};

use super::tail::Follower;
use super::watch::{Billing, Ending, Watcher, ending, remark};
use super::{Paint, Style, Terminal};

/// Redraws a second: as often as a person can see.
const REDRAWS: u8 = 10;

pub(crate) struct Live {
    billing: Billing,
    screen: Arc<Screen>,
    logs: Follower,
}

/// What is drawn; shared with the thread that follows logs.
struct Screen {
    area: MultiProgress,
    main: ProgressBar,
    running: Mutex<BTreeMap<usize, Line>>,
    paint: Paint,
}

/// The line of a step that runs.
struct Line {
    id: String,
    name: String,
    bar: ProgressBar,
}

impl Live {
    pub(crate) fn new(terminal: &Terminal, billing: Billing) -> Self {
        let area = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(REDRAWS));
        let main = match billing.is_program {
            false => ProgressBar::new(billing.total as u64),
            // It says itself how far it is.
            true => ProgressBar::no_length(),
        };
        let main = area.add(main.with_style(main_style(terminal.err)));
        main.set_prefix(billing.title.clone());
        main.enable_steady_tick(Duration::from_secs(1) / u32::from(REDRAWS));
        let screen = Arc::new(Screen { area, main, running: Mutex::default(), paint: terminal.err });
        let logs = {
            let screen = Arc::clone(&screen);
            let verbose = terminal.verbose;
            Follower::start(move |step, lines| screen.lines(step, lines, verbose))
        };
        Self { billing, screen, logs }
    }

    fn started(&self, step: usize, id: &str, name: &str) {
        let bar = self.screen.area.add(ProgressBar::new_spinner().with_style(line_style()));
        bar.set_prefix(format!("{id:width$}", width = self.billing.width));
        bar.tick();
        self.screen.running().insert(step, Line { id: id.to_owned(), name: name.to_owned(), bar });
        self.head();
    }

    fn ended(&self, step: usize, id: &str, ending: &Ending) {
        self.logs.leave(id);
        if let Some(line) = self.screen.running().remove(&step) {
            line.bar.finish_and_clear();
            self.screen.area.remove(&line.bar);
        }
        let paint = self.screen.paint;
        let id = format!("{id:width$}", width = self.billing.width);
        let mark = paint.paint(ending.style, &ending.mark.to_string());
        self.screen.println(&format!("{mark} {id}  {}", paint.paint(ending.style, &ending.words)));
        if !self.billing.is_program {
            self.screen.main.inc(1);
        }
        self.head();
    }

    /// Names the first of the steps that run: the stage where a sequential flow is.
    fn head(&self) {
        if self.billing.is_program {
            return;
        }
        let running = self.screen.running();
        let text = match running.first_key_value() {
            // Tasks need not say what they do.
            Some((step, line)) if !line.name.is_empty() => {
                stage_text(&self.billing.title, self.billing.of(*step).unwrap_or_default(), &line.name)
            }
            _ => self.billing.title.clone(),
        };
        self.screen.main.set_prefix(text);
    }

    fn stage(&self, stage: &Stage) {
        if let Some(of) = stage.of {
            self.screen.main.set_length(u64::from(of));
        }
        self.screen.main.set_prefix(stage_text(&self.billing.title, stage.number as usize, &stage.name));
    }
}

impl Watcher for Live {
    fn heard(&self, step: Option<usize>, happened: &Happened) {
        let (Some(step), Some(id)) = (step, happened.step.as_deref()) else {
            return match &happened.event {
                RunEvent::StageStarted(stage) => self.stage(stage),
                RunEvent::StageEnded => self.screen.main.inc(1),
                RunEvent::Message { text } => self.screen.println(text),
                _ => {}
            };
        };
        match &happened.event {
            RunEvent::StepStarted { name, .. } => self.started(step, id, name),
            RunEvent::StepRunning { log, .. } => self.logs.follow(id, log),
            event => match (ending(event), remark(event)) {
                (Some(ending), _) => self.ended(step, id, &ending),
                (None, Some(remark)) => self.screen.println(&format!("  {id}  {remark}")),
                (None, None) => {}
            },
        }
    }

    fn say(&self, text: &str) {
        self.screen.println(text);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.screen.main.finish_and_clear();
    }
}

impl Screen {
    fn running(&self) -> MutexGuard<'_, BTreeMap<usize, Line>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn println(&self, text: &str) {
        // A terminal that is gone is no reason to stop the run.
        let _ = self.area.println(text);
    }

    fn lines(&self, step: &str, lines: &[String], verbose: bool) {
        if verbose {
            self.println(&lines.join("\n"));
        } else if let Some(last) = lines.iter().rev().find(|line| !line.trim().is_empty())
            && let Some(line) = self.running().values().find(|line| line.id == step)
        {
            line.bar.set_message(self.paint.paint(Style::Dim, last.trim()));
        }
    }
}

/// `Classic - Stage 17 - CTS`.
fn stage_text(flow: &str, number: usize, name: &str) -> String {
    format!("{flow} - Stage {number} - {name}")
}

fn main_style(paint: Paint) -> ProgressStyle {
    // As wide as the terminal leaves room for: long names of stages must not break the line.
    let bar = if paint.is_on() { "{wide_bar:.green/dim}" } else { "{wide_bar}" };
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
