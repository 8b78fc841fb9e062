//! The steps of OpenLane's flows that are known and not there yet: their descriptors, so that flows with them can be
//! planned. Ids, views and metrics are those of LibreLane 3.0, and two former ids; the words are our own. The checkers and
//! the linter of these flows are there, and not among them.

use tapeout_flow::StepInfo;

/// One step a line, in columns as its first line says.
const TABLE: &str = include_str!("steps.txt");

/// Their descriptors.
pub(super) fn steps() -> Vec<StepInfo> {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(described).collect()
}

fn described(line: &'static str) -> StepInfo {
    let mut columns = line.split('|').map(str::trim);
    let mut next = || columns.next().unwrap_or_default();
    let (id, name, tools, reads) = (next(), next(), next(), next());
    let (makes, measures, doc) = (next(), next(), next());
    let mut info = StepInfo::new(id, name, doc, "");
    info = info.tools(&words(tools)).makes(&words(makes));
    for format in words(reads) {
        info = match format.strip_suffix('?') {
            Some(format) => info.takes(format),
            None => info.needs(format),
        };
    }
    for metric in words(measures) {
        info = match metric.strip_suffix('*') {
            Some(prefix) => info.measures_metrics(&[prefix]),
            None => info.measures(&[metric]),
        };
    }
    info
}

fn words(column: &'static str) -> Vec<&'static str> {
    column.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_its_columns_and_stands_in_order() {
        let lines = || TABLE.lines().filter(|line| !line.is_empty());
        for line in lines() {
            assert_eq!(line.split('|').count(), 7, "{line}");
        }
        let ids: Vec<&str> = steps().iter().map(|step| step.id).collect();
        assert!(ids.is_sorted(), "{ids:?}");
        assert_eq!(ids.len(), 79);
        for step in steps() {
            assert!(step.doc.ends_with('.') && !step.name.is_empty(), "{}", step.id);
        }
    }

    #[test]
    fn views_and_metrics_are_read_by_their_marks() {
        let steps = steps();
        let step = |id: &str| steps.iter().find(|step| step.id == id).unwrap();
        let sta = step("OpenROAD.STAPostPNR");
        let inputs: Vec<_> = sta.inputs.iter().map(|needs| (needs.format.as_str(), needs.optional)).collect();
        assert_eq!(inputs, [("nl", false), ("spef", false), ("odb", true)]);
        assert_eq!((sta.outputs.as_slice(), sta.tools.as_slice()), (&["sdf", "sdc", "lib"][..], &["sta"][..]));
        assert!(sta.measured_prefixes.contains(&"timing__hold_vio__count__corner:"));
        assert_eq!(step("OpenROAD.DetailedRouting").measures, ["route__drc_errors"]);
        assert!(step("Misc.LoadBaseSDC").tools.is_empty());
    }
}
