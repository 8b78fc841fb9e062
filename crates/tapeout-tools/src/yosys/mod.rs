//! Yosys: synthesis.

mod delay;
mod equivalence;
mod synthesis;

pub(crate) use delay::DELAY;

use tapeout_config::Config;
use tapeout_flow::{
    Action, Checkpoints, Command, Completed, DepFormat, Failure, Invocation, Registry, Script, Session, Step, StepCx,
    StepInfo, StepResult, Tool, Type, Variable, design_name,
};
use tapeout_formats::{alerts, yosys_stat};
use tapeout_model::Alert;

use crate::verilog::{self, Sources};

pub(crate) fn register(registry: &mut Registry) {
    registry
        .add_step(SynthIce40)
        .add_step(delay::DelayIce40)
        .add_step(synthesis::Synthesis)
        .add_step(equivalence::Equivalence)
        .add_tool(Tool {
            name: "yosys",
            summary: "Synthesis",
            package: "yosys",
            version_args: &["-V"],
            minimum: Some("0.23"),
            companions: &["yosys-abc", "../share/yosys", "../libexec/yosys"],
        });
}

struct SynthIce40;

/// The parts of Yosys' `synth_ice40`, as `-run` names them. Run one after the other, they make the same netlist as all at
/// once.
const PARTS: [&str; 10] =
    ["begin", FLATTEN, "coarse", "map_ram", "map_ffram", "map_gates", "map_ffs", "map_luts", "map_cells", CHECK];
const FLATTEN: &str = "flatten";
const CHECK: &str = "check";

impl Step for SynthIce40 {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Yosys.SynthIce40",
            "Synthesis",
            "Synthesises the sources for iCE40. Parameters of the top module come from `SYNTH_PARAMETERS`.",
            env!("IMPLEMENTATION"),
        )
        .takes("vhdl_nl")
        .makes(&["json"])
        .variables(verilog::variables())
        .variables([
            design_name(),
            Variable::new(
                "SYNTH_PARAMETERS",
                Type::list(Type::Str),
                "Parameters of the top module, each `NAME=VALUE`.",
            )
            .default(Vec::<String>::new()),
            Variable::new("SYNTH_FLATTEN", Type::Bool, "Whether the hierarchy is dissolved before optimisation.")
                .default(true),
            Variable::new("SYNTH_ABC9", Type::Bool, "Whether timing-driven mapping by `abc9` is used.").default(false),
            Variable::new("SYNTH_ABC2", Type::Bool, "Whether the netlist is mapped twice, for a few cells less.")
                .default(false),
            Variable::new("SYNTH_DFF", Type::Bool, "Whether mapping may change and remove registers.").default(false),
            Variable::new("SYNTH_RETIME", Type::Bool, "Whether registers may be moved across logic.").default(false),
            Variable::new("ICE40_DSP", Type::Bool, "Whether multipliers become DSP blocks, on devices that have them.")
                .default(false),
            crate::nextpnr::device_variable(),
        ])
        .tools(&["yosys"])
        .action(Action::Synthesis)
        .sections(&[
            ("read", "Reads the sources."),
            ("parameters", "Sets the parameters of the top module."),
            ("begin", "Reads the cells of the device, and finds the modules below the top module."),
            ("flatten", "Dissolves the hierarchy, unless `SYNTH_FLATTEN` is false."),
            ("coarse", "Optimises, and finds arithmetic, DSP blocks and memories."),
            ("map_ram", "Maps memories to block RAM."),
            ("map_ffram", "Makes registers of the other memories."),
            ("map_gates", "Makes gates and carry chains of arithmetic."),
            ("map_ffs", "Maps registers."),
            ("map_luts", "Maps logic to look-up tables."),
            ("map_cells", "Maps what is left to cells of the device."),
            ("check", "Names cells and nets, and checks the netlist."),
            ("write", "Writes statistics and the netlist."),
        ])
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        verilog::check(config)?;
        // Yosys does not take an option in quotes for one.
        for name in ["VERILOG_DEFINES", "VERILOG_INCLUDE_DIRS"] {
            if let Some(word) = config.strings(name).iter().find(|word| needs_quotes(word)) {
                return Err((name, format!("Yosys cannot take `{word}`: white space, `;` and `#` are special to it")));
            }
        }
        match config.strings("SYNTH_PARAMETERS").iter().find(|parameter| !parameter.contains('=')) {
            Some(parameter) => Err(("SYNTH_PARAMETERS", format!("expected `NAME=VALUE`, found `{parameter}`"))),
            None => Ok(()),
        }
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let sources = Sources::gather(cx, &[])?;
        let config = cx.config;
        let top = config.str("DESIGN_NAME");
        let slug = cx.slug();

        let options =
            [sources.defines, sources.includes].concat().iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        let read: String =
            (sources.files.iter()).map(|file| format!("read_verilog -sv {options} {}\n", quoted(file))).collect();
        let flags = [
            ("-noflatten", !config.bool("SYNTH_FLATTEN")),
            ("-abc9", config.bool("SYNTH_ABC9")),
            ("-abc2", config.bool("SYNTH_ABC2")),
            ("-dff", config.bool("SYNTH_DFF")),
            ("-retime", config.bool("SYNTH_RETIME")),
            ("-dsp", config.bool("ICE40_DSP")),
        ];
        let flags: String = flags.iter().filter(|(_, on)| *on).map(|(flag, _)| format!(" {flag}")).collect();
        let family = crate::nextpnr::Device::of(config).map_or("hx", |device| device.synth_family());
        let mut script =
            Script::new(format!("{slug}.ys"), "#").section("read", read).section("parameters", parameters(config));
        let synth = format!("synth_ice40 -device {family} -top {top}{flags}");
        let is_there = |part: &&str| *part != FLATTEN || config.bool("SYNTH_FLATTEN");
        let parts: Vec<&str> = PARTS.iter().copied().filter(is_there).collect();
        for part in PARTS {
            // Without `flatten` Yosys does not know this part, and would neither begin nor stop there.
            let text = parts.iter().position(|known| *known == part).map(|index| {
                let end = parts.get(index + 1).copied().unwrap_or_default();
                format!("{synth} -run {part}:{end}\n")
            });
            let more = if part == CHECK { "check\n" } else { "" };
            script = script.section(part, text.unwrap_or_default() + more);
        }
        let script = script
            .checkpoints(checkpoints(&["map_luts", "map_cells"]))
            .section("write", format!("tee -q -o stat.json stat -json\nwrite_json {top}.json"));
        let synth = Command::new("yosys").args(["-E", "deps.d", "-s"]).arg(format!("{slug}.ys"));
        let invocation = Invocation {
            commands: vec![synth],
            inputs: sources.inputs,
            outputs: vec![format!("{top}.json"), "stat.json".to_owned()],
            depfiles: vec![("deps.d".to_owned(), DepFormat::Makefile)],
            ..Invocation::default()
        };
        Ok(vec![Session::of(script, invocation)])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let session = &sessions[0];
        let text = cx.text(session, "stat.json")?;
        let stat = yosys_stat::parse(&text).map_err(|error| cx.unreadable("stat.json", error))?;
        let mut result = StepResult::default()
            .view("json", format!("{}.json", cx.config.str("DESIGN_NAME")))
            .alerts(self.alerts(session.log()));
        let design = stat.design.as_ref().or_else(|| stat.modules.get(cx.config.str("DESIGN_NAME")));
        if let Some(design) = design {
            result = result.metric("design__instance__count", design.cells() as i64);
            for (cell, count) in &design.num_cells_by_type {
                result = result.metric(&format!("design__instance__count__cell:{cell}"), count.0 as i64);
            }
        }
        Ok(result)
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        // ABC says so of every design without registers between the cells that it maps, which is how it is called.
        alerts::yosys(log).into_iter().filter(|alert| alert.code != "yosys.abc-combinational").collect()
    }

    fn advice(&self, log: &str) -> Option<String> {
        (log.contains("is not part of the design") || log.contains("Module `") && log.contains("not found"))
            .then(|| verilog::TOP_ADVICE.to_owned())
    }
}

/// Checkpoints of a script behind these sections. What comes after one may be in another order and have other names than in
/// a whole run, as both depend on the order in which the netlist is kept; what it computes is the same.
fn checkpoints(behind: &'static [&'static str]) -> Checkpoints {
    Checkpoints { behind, save: "write_rtlil {file}", restore: "read_rtlil {file}", extension: "il" }
}

/// The commands that set the parameters of the top module.
fn parameters(config: &Config) -> String {
    let top = config.str("DESIGN_NAME");
    (config.strings("SYNTH_PARAMETERS").iter())
        .filter_map(|parameter| parameter.split_once('='))
        .map(|(name, value)| format!("chparam -set {name} {value} {top}\n"))
        .collect()
}

/// A word of a Yosys command; Yosys knows double quotes and no escapes within them.
fn quoted(word: &str) -> String {
    if needs_quotes(word) { format!("\"{word}\"") } else { word.to_owned() }
}

fn needs_quotes(word: &str) -> bool {
    word.contains(|c: char| c.is_whitespace() || c == ';' || c == '#')
}
