//! Which layer of the GDS is which of the DEF.

use tapeout_config::{Config, Type, Value, Variable};
use tapeout_flow::{Failure, Input, StepCx};
use tapeout_model::Class;

use crate::classic;
use crate::design_files::sources;
use crate::values::{named_texts, value};

const MAP: &str = "KLAYOUT_DEF_LAYER_MAP";
const LAYERS: &str = "GDS_LAYERS";

/// What [`layer_map`] reads.
pub(super) fn layer_variables() -> [Variable; 2] {
    let doc = "The layer and datatype of the GDS for each layer of wires and vias in LEF, as `49/0`, from the lowest to the \
               highest: for a PDK without `KLAYOUT_DEF_LAYER_MAP`.";
    [
        classic::variable(MAP).optional(),
        Variable::new(LAYERS, Type::map(Type::Str), doc)
            .default(Value::Map(Vec::new()))
            .check(|layers| match wrong(layers) {
                Some(wrong) => Err(format!("expected `LAYER/DATATYPE`, two numbers, found `{wrong}`")),
                None => Ok(()),
            })
            .from_pdk(),
    ]
}

/// The table as KLayout reads it: that of the PDK, else one that is made of the layers.
pub(super) fn layer_map(cx: &mut StepCx<'_, '_>) -> Result<(String, Vec<Input>), Failure> {
    if let Some(map) = cx.config.opt_str(MAP).map(str::to_owned) {
        let (names, inputs) = sources(cx, &[map])?;
        return Ok((names.concat(), inputs));
    }
    let text = table(cx.config);
    if text.is_empty() {
        let message =
            format!("which layers of the GDS are those of the DEF is not known: neither `{MAP}` nor `{LAYERS}` is set");
        return Err(Failure::new(Class::Input, message).hint("take a PDK that says so, or set one of them"));
    }
    let name = "layers.map".to_owned();
    Ok((name.clone(), vec![Input::Text { name, text }]))
}

/// Shapes of all purposes on the layer, then the texts of pins.
fn table(config: &Config) -> String {
    let layers = named_texts(value(config, LAYERS));
    let shapes =
        layers.iter().map(|(name, gds)| format!("{name} NET,SPNET,PIN,VIA,LEFPIN,LEFOBS {}\n", gds.replace('/', " ")));
    let names = layers.iter().map(|(name, gds)| format!("NAME {name}/PIN {}\n", gds.replace('/', " ")));
    shapes.chain(names).collect()
}

fn wrong(layers: &Value) -> Option<&str> {
    let is_right =
        |gds: &str| gds.split_once('/').is_some_and(|(a, b)| a.parse::<u16>().is_ok() && b.parse::<u16>().is_ok());
    named_texts(layers).into_iter().map(|(_, gds)| gds).find(|gds| !is_right(gds))
}
