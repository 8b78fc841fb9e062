//! The structs of a sweep. The file of a sweep has the same keys.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tapeout_config::{Configured, Given, Schema, SchemaError, Type};
use tapeout_model::{Decimal, Value};

/// The sweep of a design.
#[derive(Clone, Debug, Schema)]
pub struct DesignSweepInfo {
    /// The flow configuration in Hammer's form that each point begins with.
    #[schema(mandatory_in("sweep of a design"))]
    pub base_config_path: Option<PathBuf>,
    /// The top module. Without it, what the base configuration names.
    pub top_lvl_module: Option<String>,
    /// The directory of the design's HDL files. Without it, the files that the base configuration names.
    #[schema(dir)]
    pub hdl_dpath: Option<PathBuf>,
    /// What is varied: parameters of the flow, of the RTL, or of SRAMs.
    #[schema(name = "type", mandatory_in("sweep"))]
    pub kind: Option<SweepType>,
    /// How many points are run at the same time.
    #[schema(default = 1, check = at_least_one)]
    pub flow_threads: i64,
    /// Flow parameters to vary.
    pub vlsi_params: VlsiSweepParams,
    /// SRAMs to generate.
    pub sram_params: SramSweepParams,
    /// RTL parameters to vary.
    pub rtl_params: RtlSweepParams,
    /// Hammer's environment files for each point.
    pub tool_env_conf_fpaths: Option<Vec<PathBuf>>,
    /// Flow configuration files for each point.
    pub flow_conf_fpaths: Option<Vec<PathBuf>>,
}

/// What a sweep varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Schema)]
pub enum SweepType {
    /// Parameters of the flow.
    Vlsi,
    /// Parameters of the RTL.
    Rtl,
    /// SRAMs.
    Sram,
}

/// Flow parameters to vary.
#[derive(Clone, Debug, Schema)]
pub struct VlsiSweepParams {
    /// Hammer's keys, each with a list of whole values.
    pub direct_map: Option<BTreeMap<String, Vec<Whole>>>,
    /// Parameters that take more than one of Hammer's keys. The lists go together: the first point has the first value
    /// of each.
    pub custom_map: VlsiCustomMap,
}

/// Flow parameters that take more than one of Hammer's keys.
#[derive(Clone, Debug, Schema)]
pub struct VlsiCustomMap {
    /// Clock periods, each with its unit: `2 ns`.
    pub period: Option<Vec<String>>,
    /// Shares of the core that cells take, from 0 to 1.
    pub core_util: Option<Vec<Decimal>>,
    /// How hard placement and routing try.
    pub effort: Option<Vec<Effort>>,
}

/// How hard placement and routing try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Schema)]
pub enum Effort {
    /// Least.
    Express,
    /// As usual.
    Standard,
    /// Most.
    Extreme,
}

/// SRAMs to generate from the macros of a technology.
#[derive(Clone, Debug, Schema)]
pub struct SramSweepParams {
    /// The RTL of a single macro between registers, which is filled in for each. Without it, that of the project tree.
    pub sram_rtl_template_fpath: Option<PathBuf>,
    /// Memories to put together from several macros.
    pub mems: Option<Vec<SramMemory>>,
    /// Numbers of ports that read and write, for single macros: each with each of `widths` and `depths`.
    pub rw_ports: Option<Vec<i64>>,
    /// Widths of single macros, in bits.
    pub widths: Option<Vec<i64>>,
    /// Depths of single macros, in words.
    pub depths: Option<Vec<i64>>,
}

/// A memory.
#[derive(Clone, Debug, PartialEq, Eq, Schema)]
pub struct SramMemory {
    /// How many ports read and write.
    pub rw_ports: i64,
    /// The width in bits.
    pub w: i64,
    /// The depth in words.
    pub d: i64,
}

/// RTL parameters to vary.
#[derive(Clone, Debug, Schema)]
pub struct RtlSweepParams {
    /// The header with the parameters' definitions.
    pub base_header_fpath: Option<PathBuf>,
    /// Parameters by their names: a list of values, or a map with `vals` and the values of other parameters that go
    /// together with them. An empty list only has the parameter reported.
    pub sweep: Option<BTreeMap<String, RtlAxis>>,
}

/// A whole value of a key of Hammer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole(pub Value);

/// The values of an RTL parameter: a list, or a map of lists that go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtlAxis(pub Value);

fn scalar() -> Type {
    Type::union([Type::Bool, Type::Int, Type::Decimal, Type::Str])
}

impl Configured for Whole {
    fn ty() -> Result<Type, SchemaError> {
        Ok(Type::Any)
    }

    fn read(given: &Given<'_>) -> Result<Self, String> {
        given.required().cloned().map(Self)
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }
}

impl Configured for RtlAxis {
    fn ty() -> Result<Type, SchemaError> {
        Ok(Type::union([Type::list(scalar()), Type::map(Type::list(scalar()))]))
    }

    fn read(given: &Given<'_>) -> Result<Self, String> {
        given.required().cloned().map(Self)
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }
}

impl RtlAxis {
    /// Whether parameters that go together have as many values each.
    pub(crate) fn goes_together(&self) -> Result<(), String> {
        let Value::Map(lists) = &self.0 else { return Ok(()) };
        let length = |value: &Value| match value {
            Value::List(items) => items.len(),
            _ => 0,
        };
        let Some((_, reported)) = lists.iter().find(|(name, _)| name == "vals") else {
            return Err("parameters that go together need `vals`, the values that are reported".to_owned());
        };
        match lists.iter().find(|(_, list)| length(list) != length(reported)) {
            Some((name, list)) => {
                Err(format!("`{name}` has {}, but `vals` has {}", values(length(list)), length(reported)))
            }
            None => Ok(()),
        }
    }
}

/// `1 value`, `2 values`.
pub(crate) fn values(count: usize) -> String {
    format!("{count} value{}", if count == 1 { "" } else { "s" })
}

fn at_least_one(value: &Value) -> Result<(), String> {
    match value {
        Value::Int(threads) if *threads >= 1 => Ok(()),
        other => Err(format!("must be at least 1, not {other}")),
    }
}
