//! Whole configurations: files of all formats, each behind a line such as `==> b.yaml`, `==> options` with a `-c` on each
//! line, `==> env` with a variable on each, `==> tcl` with what the interpreter answers.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use tapeout_config::Loader;
use tapeout_fuzz::schema::Parrot;
use tapeout_fuzz::{DESIGN, check, confine, leads_out, sections, write};

const FILES: [&str; 8] = ["a.json", "b.yaml", "c.toml", "d.json", "e.yaml", "f.toml", "g.tcl", "tapeout.toml"];

fuzz_target!(init: confine(), |data: &[u8]| {
    if leads_out(data) {
        return;
    }
    for file in FILES {
        let _ = std::fs::remove_file(DESIGN.join(file));
    }
    write("a.f", b"");
    let mut loader = Loader { design_dir: Some(DESIGN.clone()), ..Loader::default() };
    for (name, text) in sections(data, b"a.json") {
        let lines = || String::from_utf8_lossy(text).lines().map(str::to_owned).collect::<Vec<_>>();
        match std::str::from_utf8(name) {
            Ok("options") => loader.sets.extend(lines()),
            Ok("env") => {
                let pairs = lines();
                let pairs = pairs.iter().filter_map(|line| line.split_once('='));
                loader.env.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            }
            Ok("tcl") => loader.tcl = Some(Arc::new(Parrot(String::from_utf8_lossy(text).into_owned()))),
            Ok("a.f") => _ = write("a.f", text),
            Ok("tapeout.toml") => _ = write("tapeout.toml", text),
            Ok(name) => {
                // Any other name is that of the file which begins with the same letter.
                let file = FILES.into_iter().find(|file| file.as_bytes().first() == name.as_bytes().first());
                let path = write(file.unwrap_or("a.json"), text);
                if !loader.files.contains(&path) && !text.is_empty() {
                    loader.files.push(path);
                }
            }
            Err(_) => {}
        }
    }
    check::configuration(loader);
});
