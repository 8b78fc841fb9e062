//! The areas on files of designs: `toolbox.*`, which of them belong to a timing corner, and `io_pin_cfg`.

use serde_json::{Map, Value as Json, json};
use tapeout_formats::pin_order::{self, BusOrder, Pin, Side};
use tapeout_model::Value;
use tapeout_tools::views;

use crate::encoding::{decode, encode};
use crate::outcome::{Outcome, Refusal};
use crate::place::Place;
use crate::run::{entry, only, text};

/// `toolbox.filter_views`: those of a corner, or of the one that counts when none is named.
pub(crate) fn filter(input: &Json, _: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["views", "default_corner", "corner"])?;
    let corner = if input["corner"].is_null() { text(input, "default_corner")? } else { text(input, "corner")? };
    let views = decode(entry(input, "views")?)?;
    Ok(Outcome::Accepted(json!(views::of_corner(&views, corner))))
}

/// The corner in `toolbox.timing_files` when a case names none.
const DEFAULT_CORNER: &str = "nom_tt_025C_1v80";

/// `toolbox.timing_files`: all that timing needs in a corner.
pub(crate) fn timing_files(input: &Json, _: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["config", "corner", "prioritize_nl"])?;
    let config = entry(input, "config")?;
    only(config, &["LIB", "MACROS"])?;
    let corner = if input["corner"].is_null() { DEFAULT_CORNER } else { text(input, "corner")? };
    let by_netlist = entry(input, "prioritize_nl")?.as_bool().ok_or("`prioritize_nl` is not a boolean")?;
    let (libs, macros) = (decode(entry(config, "LIB")?)?, decode(entry(config, "MACROS")?)?);
    let files = views::timing_files(&libs, &macros, corner, by_netlist);
    Ok(Outcome::Accepted(json!([corner, files.as_list()])))
}

/// `io_pin_cfg`: a pin order file.
pub(crate) fn pin_order(input: &Json, _: &Place<'_>) -> Result<Outcome, String> {
    let text = input.as_str().ok_or("the input is not text")?;
    let order = match pin_order::parse(text) {
        Ok(order) => order,
        Err(error) => return Ok(Refusal::outcome(error)),
    };
    let sides = [("N", order.north), ("E", order.east), ("S", order.south), ("W", order.west)];
    Ok(Outcome::Accepted(Json::Object(
        sides.map(|(name, side)| (name.to_owned(), encoded(&side))).into_iter().collect::<Map<_, _>>(),
    )))
}

fn encoded(side: &Side) -> Json {
    let pin = |pin: &Pin| match pin {
        Pin::Pattern(pattern) => json!(pattern),
        Pin::Room(pins) => json!(pins),
    };
    json!({
        "min_distance": side.min_distance.map_or(Json::Null, |distance| encode(&Value::Decimal(distance))),
        "reverse": side.reverse,
        "pins": side.pins.iter().map(pin).collect::<Vec<_>>(),
        "sort": match side.order {
            BusOrder::BusMajor => "busMajor",
            BusOrder::BitMajor => "bitMajor",
        },
    })
}

/// `util.slugify`: an id as a part of a file name.
pub(crate) fn slug(input: &Json, _: &Place<'_>) -> Result<Outcome, String> {
    let id = input.as_str().ok_or("the input is not text")?;
    Ok(Outcome::Accepted(json!(tapeout_flow::slug(id))))
}
