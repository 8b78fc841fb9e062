//! The JSON that Yosys' `stat -json` prints: how many wires, cells and memories the modules have.
//!
//! Source: output of Yosys 0.23 and `passes/cmds/stat.cc`. Keys differ between versions and with `-liberty`, so each
//! is optional: 0.23 has no ports and submodules, later ones have; `design` is there only if the design has a top module.
//! Later versions count `$scopeinfo` cells, so [`ModuleStat::num_cells`] of two versions is not comparable;
//! [`ModuleStat::cells`] is.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::FormatError;

/// What `stat -json` prints.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Stat {
    /// Name and version of the program.
    pub creator: Option<String>,
    /// By module name, without the backslash that Yosys puts before names from the source.
    #[serde(deserialize_with = "by_name")]
    pub modules: BTreeMap<String, ModuleStat>,
    /// The whole hierarchy under the top module.
    pub design: Option<ModuleStat>,
}

/// The counts of one module, or of the design.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ModuleStat {
    /// Wires, a bus counting once.
    pub num_wires: Option<u64>,
    /// Wires, by bits.
    pub num_wire_bits: Option<u64>,
    /// Wires with a name of the source.
    pub num_pub_wires: Option<u64>,
    /// The same by bits.
    pub num_pub_wire_bits: Option<u64>,
    /// Ports, a bus counting once.
    pub num_ports: Option<u64>,
    /// Ports, by bits.
    pub num_port_bits: Option<u64>,
    /// Memories that are not yet mapped.
    pub num_memories: Option<u64>,
    /// Their bits.
    pub num_memory_bits: Option<u64>,
    /// Processes that are not yet mapped.
    pub num_processes: Option<u64>,
    /// Cells, as this version of Yosys counts them.
    pub num_cells: Option<u64>,
    /// Instances of modules of the design.
    pub num_submodules: Option<u64>,
    /// Count of each cell type, by name without a leading backslash.
    #[serde(deserialize_with = "by_name")]
    pub num_cells_by_type: BTreeMap<String, Count>,
    /// Area in the unit of the Liberty file (mostly µm²), with `-liberty`.
    pub area: Option<f64>,
}

/// A number of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count(pub u64);

/// Later versions write `{"count": 3, "area": 4.5}` where areas are known. Not an untagged enum: numbers in such are read
/// only as long as no crate asks for those of any precision.
impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = serde_json::Value::deserialize(deserializer)?;
        let count = json.as_u64().or_else(|| json.get("count")?.as_u64());
        count.map(Self).ok_or_else(|| D::Error::custom(format!("expected a number of cells, found `{json}`")))
    }
}

fn by_name<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let raw = BTreeMap::<String, T>::deserialize(deserializer)?;
    Ok(raw.into_iter().map(|(name, value)| (name.strip_prefix('\\').unwrap_or(&name).to_owned(), value)).collect())
}

impl ModuleStat {
    /// Cells that are hardware: without `$scopeinfo`, which later versions add to keep names of flattened modules.
    #[must_use]
    pub fn cells(&self) -> u64 {
        let real = self.num_cells_by_type.iter().filter(|(name, _)| *name != "$scopeinfo");
        real.map(|(_, count)| count.0).sum()
    }

    /// How many cells there are of one type.
    #[must_use]
    pub fn of_type(&self, name: &str) -> u64 {
        self.num_cells_by_type.get(name).map_or(0, |count| count.0)
    }
}

/// Reads what `stat -json` printed.
///
/// # Errors
/// If the text is not JSON or a value has another type than the format says.
pub fn parse(text: &str) -> Result<Stat, FormatError> {
    serde_json::from_str(text).map_err(|error| FormatError::json("Yosys statistics", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_version_0_23() {
        let stat = parse(include_str!("../tests/data/yosys-0.23-stat.json")).unwrap();
        assert_eq!(stat.creator.as_deref(), Some("Yosys 0.23 (git sha1 7ce5011c24b)"));
        let top = &stat.modules["top"];
        assert_eq!((top.num_wire_bits, top.num_ports, top.cells()), (Some(84), None, 2));
        assert_eq!((top.of_type("SB_MAC16"), top.of_type("SB_LUT4")), (1, 0));
        assert_eq!(stat.design.as_ref(), Some(top));
    }

    #[test]
    fn later_versions_and_areas() {
        let stat = parse(
            r#"{"modules": {"\\a": {"num_cells": 198, "num_submodules": 0, "area": 1.5e+03, "new": [],
            "num_cells_by_type": {"$scopeinfo": 5, "\\AND2": {"count": 190, "area": 1500.0}, "$_NOT_": 3}}}}"#,
        )
        .unwrap();
        let module = &stat.modules["a"];
        assert_eq!((module.num_cells, module.cells(), module.of_type("AND2")), (Some(198), 193, 190));
        assert_eq!((module.area, stat.design), (Some(1500.0), None));
    }

    #[test]
    fn what_is_not_a_count_is_an_error() {
        assert_eq!(parse("{\n\"modules\": 3}").unwrap_err().line(), Some(2));
        assert!(parse(r#"{"modules": {"a": {"num_cells": -1}}}"#).unwrap_err().to_string().contains("u64"));
        assert!(parse("").is_err());
    }
}
