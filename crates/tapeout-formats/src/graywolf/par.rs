//! `.par`: the rules of the process and how placement goes about. Written only.

use std::fmt::Write as _;

/// What the file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    /// The layers for wires, from the lowest to the highest.
    pub layers: Vec<Layer>,
    /// The width of a site, in 1/100 µm.
    pub site_width: i64,
    /// How many rows there are.
    pub rows: u32,
    /// Height of the core by its width.
    pub aspect_ratio: f64,
    /// Another one gives another placement.
    pub seed: u32,
    /// Further lines, such as `TWSC*slow : on`.
    pub further: Vec<String>,
}

/// A layer for wires.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// Whether wires go from left to right.
    pub is_horizontal: bool,
    /// Ω per square.
    pub resistance: f64,
    /// fF/µm².
    pub capacitance: f64,
    /// The width of wires, in 1/100 µm.
    pub width: i64,
    /// From track to track, in 1/100 µm.
    pub pitch: i64,
}

/// The text of the file.
///
/// Global routing is off: it is not used, and it is what graywolf 0.1.6 breaks down in from about 2,000 cells on.
#[must_use]
pub fn write(parameters: &Parameters) -> String {
    let Parameters { layers, site_width: site, rows, aspect_ratio, seed, further } = parameters;
    let mut text = "RULES\n".to_owned();
    for layer in layers {
        let direction = if layer.is_horizontal { "horizontal" } else { "vertical" };
        let _ = writeln!(text, " layer {} {} {} {direction}", layer.name, layer.resistance, layer.capacitance);
    }
    let vias: Vec<(String, &Layer, &Layer)> =
        (layers.windows(2).zip(1..)).map(|(pair, k)| (format!("via{k}{}", k + 1), &pair[0], &pair[1])).collect();
    for (via, below, above) in &vias {
        let _ = writeln!(text, " via {via} {} {}", below.name, above.name);
    }
    for layer in layers {
        let _ = writeln!(text, " width {} {}", layer.name, layer.width.max(1));
    }
    for (via, below, _) in &vias {
        let _ = writeln!(text, " width {via} {}", below.width.max(1));
    }
    // It has no pitch; it takes the sum of width and spacing for it.
    for Layer { name, pitch, width, .. } in layers {
        let _ = writeln!(text, " spacing {name} {name} {}", (pitch - width).max(1));
    }
    for pair in vias.windows(2) {
        let _ = writeln!(text, " spacing {} {} 0", pair[0].0, pair[1].0);
    }
    for (via, below, above) in &vias {
        let _ = writeln!(text, " overhang {via} {} 1\n overhang {via} {} 1", below.name, above.name);
    }
    let row_pitch = layers.iter().find(|layer| layer.is_horizontal).map_or(*site, |layer| layer.pitch);
    let _ = write!(
        text,
        "ENDRULES\n\n*vertical_wire_weight : 1.0\n*vertical_path_weight : 1.0\n*padspacing : variable\n*rowSep : 0.0 0\n\
         *track.pitch : {site}\n*minimum_pad_space : {site}\n*gridX : {site}\n*gridY : {row_pitch}\n*gridOffsetX : 0\n\
         *gridOffsetY : 0\n*graphics.wait : off\n*last_chance.wait : off\n*random.seed : {seed}\n\n\
         TWMC*chip.aspect.ratio : {aspect_ratio}\n\nTWSC*feedThruWidth : {site} layer 1\nTWSC*do.global.route : off\n\
         TWSC*ignore_feeds : true\nTWSC*call_row_evener : true\nTWSC*even_rows_maximally : true\n\n\
         GENR*row_to_tile_spacing: 1\nGENR*numrows : {rows}\nGENR*flip_alternate_rows : 1\n"
    );
    for line in further {
        let _ = writeln!(text, "{line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_made_of_widths_and_pitches() {
        let layer = |name: &str, is_horizontal, pitch| Layer {
            name: name.into(),
            is_horizontal,
            resistance: 0.07,
            capacitance: 0.03,
            width: 60,
            pitch,
        };
        let text = write(&Parameters {
            layers: vec![layer("m1", true, 200), layer("m2", false, 160), layer("m3", true, 200)],
            site_width: 160,
            rows: 12,
            aspect_ratio: 0.75,
            seed: 7,
            further: vec!["TWSC*slow : on".into()],
        });
        for line in [
            " layer m2 0.07 0.03 vertical",
            " via via23 m2 m3",
            " spacing m2 m2 100",
            " spacing via12 via23 0",
            "*gridY : 200",
            "*random.seed : 7",
            "TWMC*chip.aspect.ratio : 0.75",
            "GENR*numrows : 12",
            "TWSC*slow : on",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
