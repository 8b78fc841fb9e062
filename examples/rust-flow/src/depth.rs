//! `My.Depth`: how many cells the longest path of a netlist has between registers.

use tapeout::flow::{
    Command, Completed, Failure, Input, Invocation, Script, Session, Step, StepCx, StepInfo, StepResult,
};

pub struct Depth;

const SCRIPT: &str = "depth.ys";
const REPORT: &str = "depth.rpt";

impl Step for Depth {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "My.Depth",
            "Depth of the logic",
            "Counts the cells on the longest path of the netlist between registers.",
            include_str!("depth.rs"),
        )
        .needs("json")
        .measures(&["my__depth"])
        .tools(&["yosys"])
        .sections(&[("read", "Reads the netlist."), ("depth", "Finds the longest path.")])
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let netlist = cx.view_file("json")?;
        let script = Script::new(SCRIPT, "#")
            .section("read", format!("read_json {}\nflatten", netlist.path))
            .section("depth", format!("tee -o {REPORT} ltp -noff"));
        let invocation = Invocation {
            commands: vec![Command::new("yosys").args(["-s", SCRIPT])],
            inputs: vec![Input::Output(netlist)],
            outputs: vec![REPORT.to_owned()],
            ..Invocation::default()
        };
        Ok(vec![Session::of(script, invocation)])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let report = cx.text(&sessions[0], REPORT)?;
        match depth(&report) {
            Some(cells) => Ok(StepResult::default().metric("my__depth", cells)),
            None => Err(cx.unreadable(REPORT, "it does not tell the length of the longest path")),
        }
    }
}

/// The number in `Longest topological path in top (length=7):`.
fn depth(report: &str) -> Option<i64> {
    let (_, behind) = report.split_once("(length=")?;
    behind.split_once(')')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_length_is_found() {
        assert_eq!(super::depth("\nLongest topological path in top (length=7):\n    0: a\n"), Some(7));
        assert_eq!(super::depth("nothing to see"), None);
    }
}
