//! A program of the core: assembled, and made into the memory that the core reads it from.

use std::fmt::Write as _;

use tapeout::flow::project::{Blueprint, FilePath, Target, TaskCx, TaskResult};
use tapeout::flow::{Class, Failure};

use crate::isa;

/// What identifies the code of the tasks here.
const CODE: &str = concat!(include_str!("firmware.rs"), include_str!("isa.rs"));

/// How many values a bench looks at.
const LOOKED_AT: usize = 16;

/// A program.
#[derive(TaskResult)]
pub(crate) struct Image {
    /// The memory with the program, a module in Verilog.
    pub(crate) rom: FilePath,
    /// How many instructions it has.
    pub(crate) words: usize,
    /// What it puts out first, as the model says.
    pub(crate) outputs: Vec<u8>,
}

/// The block of the program `firmware/NAME.s`.
pub(crate) fn block(project: &mut Blueprint, name: &str) -> Target<Image> {
    let block = project.block(name, CODE).doc("A program of the core.").param("source", format!("firmware/{name}.s"));
    let block = block.done();
    project.task(block, "assemble").doc("Assemble the program into a memory.").run(assemble)
}

fn assemble(cx: &mut TaskCx<'_, '_>) -> Result<Image, Failure> {
    let path: String = cx.value("source")?;
    let source = cx.input(&path)?;
    let source = String::from_utf8_lossy(&cx.read(&source)?).into_owned();
    let words = isa::assemble(&source).map_err(|reason| Failure::new(Class::Input, format!("{path}: {reason}")))?;
    let rom = cx.write("rom.v", rom(&words).as_bytes())?;
    Ok(Image { rom, words: words.len(), outputs: isa::outputs(&words, LOOKED_AT) })
}

/// The memory. It is read with the clock, as block RAMs are.
fn rom(words: &[u16]) -> String {
    let mut text = String::from(
        "module rom (\n    input  wire        clk,\n    input  wire [7:0]  address,\n    output reg  [11:0] word\n);\n    \
         always @(posedge clk)\n        case (address)\n",
    );
    for (address, word) in words.iter().enumerate() {
        let _ = writeln!(text, "            8'd{address}: word <= 12'h{word:03x};");
    }
    text.push_str("            default: word <= 12'h000;\n        endcase\nendmodule\n");
    text
}
