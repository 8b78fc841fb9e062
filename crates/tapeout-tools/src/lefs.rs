//! The LEF files of a configuration: of the technology, the cells and the macros, in the order in which tools read them.

use tapeout_config::{Config, Variable};
use tapeout_flow::{Failure, StepCx};
use tapeout_formats::lef::{self, Lef};
use tapeout_model::{Class, Value};

use crate::classic::variable;
use crate::pdk::entry;
use crate::views::{of_corner, texts};

/// The variables that name the files.
pub(crate) fn variables() -> [Variable; 5] {
    ["TECH_LEFS", "CELL_LEFS", "EXTRA_LEFS", "MACROS", "DEFAULT_CORNER"].map(variable)
}

/// The files, each once: a PDK may have technology and cells in one.
pub(crate) fn paths(config: &Config) -> Vec<String> {
    let null = Value::Null;
    let of = |name: &str| config.get(name).unwrap_or(&null);
    let technologies = of("TECH_LEFS");
    let mut technology = of_corner(technologies, config.str("DEFAULT_CORNER"));
    if technology.is_empty() {
        technology = texts(technologies);
    }
    let macros = match of("MACROS") {
        Value::Map(macros) => macros.iter().flat_map(|(_, views)| texts(entry(views, "lef"))).collect(),
        _ => Vec::new(),
    };
    let mut paths: Vec<String> = Vec::new();
    let all = technology.into_iter().take(1).chain(texts(of("CELL_LEFS"))).chain(texts(of("EXTRA_LEFS"))).chain(macros);
    for path in all {
        if !paths.iter().any(|known| known == path) {
            paths.push(path.to_owned());
        }
    }
    paths
}

/// What all of them say together.
pub(crate) fn read(cx: &mut StepCx<'_, '_>) -> Result<Lef, Failure> {
    let mut all = Lef::default();
    for path in paths(cx.config) {
        let bytes = cx.read_source(&path)?.ok_or_else(|| {
            Failure::new(Class::Input, format!("there is no file `{path}`"))
                .hint("`TECH_LEFS`, `CELL_LEFS`, `EXTRA_LEFS` and `MACROS` name the LEF files; `tapeout show pdks` tells where a PDK has them")
        })?;
        let text = String::from_utf8_lossy(&bytes);
        let read = lef::parse(&text)
            .map_err(|error| Failure::new(Class::Input, format!("cannot make sense of `{path}`: {error}")))?;
        all.merge(read);
    }
    Ok(all)
}
