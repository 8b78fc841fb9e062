//! `Yosys.Equivalence`: whether the netlist does what the sources say, proved register by register.
//!
//! Both sides keep their registers, so each bit of state has its like on the other side, found by its name; what feeds
//! them is then compared by SAT, and by induction where that is not enough. A design whose registers were moved or recoded
//! cannot be proved like this.

use tapeout_config::Config;
use tapeout_flow::{
    Action, Command, Completed, Failure, Input, Invocation, Script, Session, Step, StepCx, StepInfo, StepResult,
    TIMED_OUT,
};
use tapeout_formats::netlist;
use tapeout_model::{Alert, Severity, Verdict};

use super::synthesis;
use crate::design_files;
use crate::verilog::{self, Sources};
use crate::{classic, pdk, time_limit};

pub(super) struct Equivalence;

const LIMIT: &str = "EQUIVALENCE_TIME_LIMIT";

/// How many unproved registers are named.
const SHOWN: usize = 5;

impl Step for Equivalence {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Yosys.Equivalence",
            "Prove the netlist",
            "Proves with Yosys that the netlist of the layout does what the sources say: each register and output of one has \
             its like in the other, and equal logic before it. What takes longer than `EQUIVALENCE_TIME_LIMIT` is not \
             checked. The functions of the cells are those of the Liberty file. Hard macros are black boxes: what goes into one \
             is proved to be the same.",
            env!("IMPLEMENTATION"),
        )
        .about("nl")
        .takes("vhdl_nl")
        .needs("json")
        .measures(&["equivalence__point__count", "equivalence__point__count__unproved"])
        .variables(verilog::variables())
        .variables(pdk::choice())
        .variables(design_files::netlist_variables())
        .variables(["LIB", "DEFAULT_CORNER", "SYNTH_PARAMETERS"].map(classic::variable))
        .variables(synthesis::BLACK_BOXES.map(classic::variable))
        .variables([
            time_limit::variable(LIMIT, "How long the proof may take.").default(300_i64),
        ])
        .tools(&["yosys"])
        .action(Action::Formal)
        .sections(&[
            ("sources", "Reads the sources, with black boxes."),
            ("parameters", "Sets the parameters of the top module."),
            ("gold", "Makes the sources registers and logic."),
            ("cells", "Reads the functions of the cells."),
            ("gate", "Makes the netlist of the layout registers and logic, with the names of the sources."),
            ("prove", "Proves that both are the same."),
        ])
        .defers_check()
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        verilog::check(config)
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        if cx.view("nl").is_none() {
            return Ok(Vec::new());
        }
        let netlist = cx.view_file("nl")?;
        let sources = Sources::gather(cx, &[])?;
        let (config, slug) = (cx.config, cx.slug());
        let top = config.str("DESIGN_NAME");
        let named = design_files::netlist(cx)?;
        let options: Vec<String> = [sources.defines, sources.includes].concat();
        let options = options.iter().map(|word| super::quoted(word)).collect::<Vec<_>>().join(" ");
        let read = |file: &String| format!("read_verilog -sv {options} {}\n", super::quoted(file));
        let libs =
            config.opt_str("DEFAULT_CORNER").map(|corner| design_files::lib_files(config, corner)).unwrap_or_default();
        let cell =
            |path: &&str| format!("read_liberty -ignore_miss_func {}\n", super::quoted(&verilog::in_work_dir(path)));
        // By the names of the sources, which the netlist has not where other tools would stumble over them.
        let name = |(net, sources): (&String, &Vec<String>)| {
            let source = sources.first().filter(|source| *source != net)?;
            Some(format!("rename {net} {source}\n"))
        };
        let names: String = named.nets.iter().zip(&named.sources).filter_map(name).collect();
        // Black boxes are matched by the names of their instances.
        let is_of_source = |name: &str| name.starts_with(|c: char| c.is_ascii_alphabetic());
        let instance = |instance: &netlist::Instance| {
            let (name, source) = (&instance.name, &instance.source);
            (name != source && is_of_source(source)).then(|| format!("rename {name} {source}\n"))
        };
        let boxes = synthesis::black_boxes(config);
        let (instances, copied) = match boxes.is_empty() {
            true => (String::new(), ""),
            false => (named.instances.iter().filter_map(instance).collect(), "design -copy-from gold =A:blackbox\n"),
        };
        let declare =
            |(command, path): &(&str, String)| format!("{command} {}\n", super::quoted(&verilog::in_work_dir(path)));
        let declared: String = boxes.iter().map(declare).collect();
        let script = Script::new(format!("{slug}.ys"), "#")
            .section("sources", declared.clone() + &sources.files.iter().map(read).collect::<String>())
            .section("parameters", super::parameters(config))
            // No register is merged or recoded here, and names of nets live as long as nothing cleans them away.
            .section(
                "gold",
                format!(
                    "hierarchy -check -top {top}\nproc\nflatten\nmemory_map\nasync2sync\nopt -nosdff -nodffe\ndffunmap\n\
                     splitnets -format []\nrename -top gold\ndesign -stash gold"
                ),
            )
            .section("cells", libs.iter().map(cell).collect::<String>() + &declared)
            .section(
                "gate",
                format!(
                    "read_verilog {}\nhierarchy -check -top {top}\ncd {top}\n{instances}cd ..\nflatten\nasync2sync\ndffunmap\n\
                     splitnets -format []\ncd {top}\n{names}cd ..\nrename -top gate\ndesign -stash gate",
                    super::quoted(&netlist.path)
                ),
            )
            .section(
                "prove",
                format!(
                    "design -copy-from gold gold\ndesign -copy-from gate gate\n{copied}equiv_make gold gate equiv\n\
                     hierarchy -top equiv\nequiv_simple\nequiv_induct\nequiv_status"
                ),
            );
        let prove = Command::new("yosys").arg("-s").arg(format!("{slug}.ys"));
        let prove = match time_limit::of(config, LIMIT) {
            Some(limit) => prove.within(limit),
            None => prove,
        };
        let invocation = Invocation {
            commands: vec![prove],
            inputs: [
                sources.inputs,
                vec![Input::Output(netlist)],
                libs.iter().map(|path| Input::Source { path: (*path).to_owned() }).collect(),
                boxes.into_iter().map(|(_, path)| Input::Source { path }).collect(),
            ]
            .concat(),
            ..Invocation::default()
        };
        Ok(vec![Session::of(script, invocation)])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let Some(session) = sessions.first() else {
            return Ok(not_checked("no step before it has made a netlist".to_owned()));
        };
        if session.status(0) == TIMED_OUT {
            let limit = cx.config.int(LIMIT);
            return Ok(not_checked(format!(
                "the proof was not done within {limit} s, which `{LIMIT}` allows; `--fresh=Yosys.Equivalence` tries again"
            )));
        }
        let Some((proved, unproved)) = counts(session.log()) else {
            let mut failure = cx.unreadable("the log of Yosys", "it does not say what was proved");
            failure.words = self.alerts(session.log()).into_iter().map(|alert| alert.message).take(SHOWN).collect();
            return Err(failure);
        };
        let result = StepResult::default()
            .metric("equivalence__point__count", proved + unproved)
            .metric("equivalence__point__count__unproved", unproved)
            .alerts(self.alerts(session.log()));
        if unproved == 0 {
            return Ok(result);
        }
        let names: Vec<String> = unproved_points(session.log()).take(SHOWN).map(|name| format!("`{name}`")).collect();
        // Inputs of black boxes have names of Yosys' own.
        let named = match (names.is_empty(), unproved as usize > names.len()) {
            (true, _) => "inputs of black boxes".to_owned(),
            (false, true) => format!("{}, ...", names.join(", ")),
            (false, false) => names.join(", "),
        };
        Ok(result.failed(
            format!(
                "{unproved} of {} registers and outputs could not be proved to be equal: {named}",
                proved + unproved,
            ),
            Some(
                "either the netlist differs, which the benches on it would show, too, or the proof needs more than \
                 induction over one cycle; `-c RUN_EQUIVALENCE=false` does without"
                    .to_owned(),
            ),
        ))
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        // Warnings of the sources are those of synthesis, once more.
        let alerts = tapeout_formats::alerts::yosys(log).into_iter();
        alerts.filter(|alert| alert.severity == Severity::Error).collect()
    }
}

fn not_checked(reason: String) -> StepResult {
    StepResult { verdict: Verdict::NotChecked { reason }, ..StepResult::default() }
}

/// How many points are proved and how many not, as `equiv_status` says.
fn counts(log: &str) -> Option<(i64, i64)> {
    let line = log.lines().rev().find_map(|line| line.trim().strip_prefix("Of those cells "))?;
    let (proved, rest) = line.split_once(" are proven and ")?;
    Some((proved.parse().ok()?, rest.split_once(" are unproven")?.0.parse().ok()?))
}

/// The registers and outputs of the sources that are not proved.
fn unproved_points(log: &str) -> impl Iterator<Item = &str> {
    log.lines().filter_map(|line| {
        let (_, names) = line.trim().strip_prefix("Unproven $equiv ")?.split_once(": ")?;
        names.split(' ').next()?.strip_prefix('\\')?.strip_suffix("_gold")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_proved_has_the_name_that_it_has_in_the_sources() {
        let log = "Found 36 $equiv cells in equiv:\n  Of those cells 35 are proven and 1 are unproven.\n  Unproven $equiv \
                   $auto$equiv_make.cc:274:find_same_wires$213: \\core.state[0]_gold \\_682_.DS0000_gate\n";
        assert_eq!(counts(log), Some((35, 1)));
        assert_eq!(unproved_points(log).collect::<Vec<_>>(), ["core.state[0]"]);
        assert_eq!(counts("ERROR: no such file"), None);
    }
}
