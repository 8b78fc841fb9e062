//! Starts `SmallestDevice` on the design in a directory, and says which device it is.

use std::env;
use std::error::Error;

use tapeout::Design;

fn main() -> Result<(), Box<dyn Error>> {
    tapeout::serve_if_asked();
    let dir = env::args().nth(1).ok_or("name the directory of the design")?;
    let design = Design::new(dir)
        .set("DESIGN_NAME", "correlator")
        .set("VERILOG_FILES", ["dir::src/correlator.v"])
        .set("CLOCK_PORT", "clk")
        .set("CLOCK_PERIOD", 50)
        .flow("SmallestDevice")
        .tag("smallest");
    let ended = design.start(&rust_flow::registry())?;
    for step in ended.steps() {
        println!("{}: {:?}", step.id, step.status);
    }
    for view in ended.state.views["bitstream"].files() {
        println!("{}", view.display());
    }
    Ok(())
}
