//! From RTL to GDSII: what tapeout adds to its tools, and the same way gone by qflow.
//!
//! Three contestants take turns with the same design and the same PDK: tapeout with the steps that qflow has too, and
//! nothing recorded; the command lines of those very steps one after the other, from the files that tapeout's run left;
//! and qflow. What counts is the least wall time of all rounds, from start to end: whatever else the machine does only
//! adds to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Claims, least, median, remove_dir};
use crate::{Stop, files, measure, process, setup};

/// What can be measured alone.
pub(super) const PARTS: &[&str] = &["times", "twice"];

const ROUNDS: usize = 3;
const DESIGN: &str = "spm";
const PDK: &str = "osu035";

/// What qflow does of a flow, in its order.
const STEPS: &[&str] = &[
    "Yosys.Synthesis",
    "OpenSTA.PrePnR",
    "Layout.Floorplan",
    "Layout.PlacePins",
    "Graywolf.Place",
    "Layout.Legalise",
    "Layout.Fill",
    "Layout.PowerGrid",
    "Qrouter.Route",
    "Layout.WriteNetlists",
    "Qrouter.Parasitics",
    "OpenSTA.PostPnR",
    "Magic.StreamOut",
    "Magic.DRC",
    "Magic.SpiceExtraction",
    "Netgen.LVS",
];

/// The same in qflow's words.
const QFLOW_STEPS: &[&str] = &["synthesize", "place", "sta", "route", "backanno", "migrate", "drc", "lvs", "gdsii"];

pub(super) fn run(claims: &mut Claims, parts: &[&str]) -> Result<(), Stop> {
    setup::eda_tools(&[setup::ASIC_TOOLS])?;
    let tapeout = process::release_binary()?;
    let bench = Bench { tapeout, dir: process::target()?.join("bench/asic") };
    remove_dir(&bench.dir)?;
    let measures = [Bench::times, Bench::twice];
    for (_, measure) in PARTS.iter().zip(measures).filter(|(part, _)| parts.contains(part)) {
        measure(&bench, claims)?;
    }
    remove_dir(&bench.dir)
}

struct Bench {
    tapeout: PathBuf,
    dir: PathBuf,
}

impl Bench {
    fn times(&self, claims: &mut Claims) -> Result<(), Stop> {
        setup::asic_peers()?;
        // What the tools are is worked out once on a machine.
        self.ours(&self.design("warm", STEPS)?)?;
        let [mut ours, mut bare, mut qflow] = [Vec::new(), Vec::new(), Vec::new()];
        for round in 0..ROUNDS {
            let dir = self.design(&format!("ours-{round}"), STEPS)?;
            ours.push(self.ours(&dir)?);
            bare.push(commands_of(&dir.join("runs/default"))?);
            qflow.push(self.qflow(&format!("qflow-{round}"))?);
        }
        println!("\n{:<26} {:>10} {:>10}   seconds", format!("{DESIGN}, {PDK}"), "median", "least");
        for (what, times) in [("tapeout", &ours), ("its commands, in turn", &bare), ("qflow", &qflow)] {
            println!("{what:<26} {:>10.2} {:>10.2}", median(times), least(times));
        }
        let whole = self.design("whole", &[])?;
        println!("{:<26} {:>10.2}   with all checks of the flow OpenAsic", "tapeout, whole flow", self.ours(&whole)?);
        claims.at_most("tapeout to qflow", least(&ours) / least(&qflow), 0.95, "times");
        claims.at_most("tapeout to the bare commands", least(&ours) / least(&bare), 1.03, "times");
        Ok(())
    }

    /// Two runs with nothing recorded give the same views, to the last byte.
    fn twice(&self, claims: &mut Claims) -> Result<(), Stop> {
        let mut digests = Vec::new();
        for name in ["once", "twice"] {
            let dir = self.design(name, &[])?;
            self.ours(&dir)?;
            let mut command = Command::new("sh");
            command.args(["-c", "find final -type f ! -name '*.log' | sort | xargs sha256sum"]);
            let output = command.current_dir(dir.join("runs/default")).output();
            let output = output.map_err(|e| process::not_started(&command, &e))?;
            digests.push(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>());
        }
        let differ: Vec<&String> = digests[0].iter().filter(|line| !digests[1].contains(line)).collect();
        println!("\n{} files of two runs compared", digests[0].len());
        differ.iter().for_each(|line| println!("differs: {line}"));
        if digests[0].is_empty() {
            return Err(Stop::failed("the runs left no views"));
        }
        claims.at_most("views that differ from run to run", differ.len() as f64, 0.0, "files");
        Ok(())
    }

    /// A copy of the example, with a flow of these steps; with its own flow, if there are none.
    fn design(&self, name: &str, steps: &[&str]) -> Result<PathBuf, Stop> {
        let dir = self.dir.join(name);
        files::copy_example(DESIGN, &dir)?;
        if !steps.is_empty() {
            let config = dir.join("config.yaml");
            let text = fs::read_to_string(&config).map_err(|e| Stop::environment(format!("no example: {e}")))?;
            let text = text.replace("flow: OpenAsic", &format!("flow: [{}]", steps.join(", ")));
            fs::write(&config, text).map_err(|e| Stop::environment(format!("cannot write the example: {e}")))?;
        }
        Ok(dir)
    }

    /// The seconds of a run with nothing recorded for the project.
    fn ours(&self, dir: &Path) -> Result<f64, Stop> {
        let mut command = Command::new(&self.tapeout);
        command.args(["run", "-q", "config.yaml"]).current_dir(dir).env("XDG_CACHE_HOME", self.dir.join("notes"));
        succeed(command.stdin(Stdio::null()))
    }

    /// The seconds of qflow for the same.
    fn qflow(&self, name: &str) -> Result<f64, Stop> {
        let dir = self.dir.join(name);
        let sources = dir.join("source");
        let from = process::root().join(format!("examples/{DESIGN}/src/{DESIGN}.v"));
        fs::create_dir_all(&sources)
            .and_then(|()| fs::copy(&from, sources.join(format!("{DESIGN}.v"))))
            .map_err(|e| Stop::environment(format!("cannot make {}: {e}", sources.display())))?;
        let mut command = Command::new("qflow");
        // With a display that cannot be reached, graywolf dies.
        command.args(QFLOW_STEPS).args(["-T", PDK, DESIGN]).current_dir(&dir).env_remove("DISPLAY");
        let seconds = succeed(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))?;
        // It ends well whatever happens.
        let layout = dir.join(format!("{DESIGN}.gds"));
        if !layout.is_file() {
            return Err(Stop::failed(format!("qflow ended without {}", layout.display())));
        }
        Ok(seconds)
    }
}

/// The seconds that the command lines of a run take, one after the other, where tapeout ran them.
fn commands_of(run: &Path) -> Result<f64, Stop> {
    let script =
        "for step in [0-9]*; do [ -f $step/COMMANDS ] || continue; (cd $step && sh ./COMMANDS) || exit 1; done";
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(run).env_remove("DISPLAY").env("QT_QPA_PLATFORM", "offscreen");
    succeed(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))
}

fn succeed(command: &mut Command) -> Result<f64, Stop> {
    let cost = measure::cost(command)?;
    if !cost.status.success() {
        return Err(Stop::failed(format!("{command:?} ended with {}", cost.status)));
    }
    Ok(cost.wall.as_secs_f64())
}
