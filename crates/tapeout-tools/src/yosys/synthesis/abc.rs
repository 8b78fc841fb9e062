//! The scripts of ABC by which logic is mapped to cells: one for each of OpenLane's strategies, in commands of our own.

/// A strategy a line: its name and its commands.
const STRATEGIES: &str = include_str!("strategies.txt");

/// How ABC maps, as the configuration says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mapping<'a> {
    /// `AREA 0` and so on.
    pub(super) strategy: &'a str,
    /// The target of delay, in ps.
    pub(super) target_ps: i64,
    /// How many inputs an output may drive.
    pub(super) fan_out: i64,
    /// Whether buffers are inserted and cells sized where the strategy does not do so.
    pub(super) buffering: bool,
    /// Whether cells are sized.
    pub(super) sizing: bool,
    /// Whether `&nf` maps for area in the place of `amap`.
    pub(super) area_by_nf: bool,
}

impl Mapping<'_> {
    /// The script.
    pub(super) fn script(&self) -> String {
        let lines = STRATEGIES.lines().filter_map(|line| line.split_once(" | "));
        let found = lines.filter(|(name, _)| *name == self.strategy).map(|(_, commands)| commands).next();
        let mut commands = found.unwrap_or_default().to_owned();
        if self.area_by_nf {
            commands = commands.replace("amap -m", "&get -n; &nf -a 10; &put");
        }
        let sizes_itself = commands.contains("upsize");
        if self.buffering && !sizes_itself {
            commands.push_str("; topo; buffer -c -N {F}; upsize {D}; dnsize {D}");
        } else if self.sizing && !sizes_itself {
            commands.push_str("; topo; upsize {D}; dnsize {D}");
        }
        commands.push_str("; stime -p");
        let commands =
            commands.replace("{D}", &format!("-D {}", self.target_ps)).replace("{F}", &self.fan_out.to_string());
        commands.split("; ").map(|command| format!("{command}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_strategy_of_the_variable_has_a_script() {
        let ty = crate::classic::variable("SYNTH_STRATEGY").ty.to_string();
        let names: Vec<&str> = STRATEGIES.lines().filter_map(|line| Some(line.split_once(" | ")?.0)).collect();
        assert_eq!(names.len(), 9);
        for name in names {
            assert!(ty.contains(name), "{ty}");
            let mapping = Mapping {
                strategy: name,
                target_ps: 2500,
                fan_out: 16,
                buffering: true,
                sizing: false,
                area_by_nf: false,
            };
            let script = mapping.script();
            assert!(script.starts_with("strash\n") && !script.contains('{'), "{script}");
            assert_eq!(script.matches("upsize -D 2500\n").count(), 1, "{script}");
        }
    }
}
