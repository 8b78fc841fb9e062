//! Makes a bare Debian 12 ready: EDA tools and cargo tools. What is on `PATH` already, from wherever, is left alone.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Stop, apt, measure, process};

/// An executable, the Debian package that has it, and what it is needed for.
pub(crate) struct Tool {
    name: &'static str,
    package: &'static str,
    purpose: &'static str,
    /// The argument that makes it print its version, where it has one.
    version: Option<&'static str>,
}

impl Tool {
    /// Where it is. Debian has servers where only root looks for them.
    fn find(&self) -> Option<PathBuf> {
        process::on_path(self.name).or_else(|| {
            let server = Path::new("/usr/sbin").join(self.name);
            process::is_executable(&server).then_some(server)
        })
    }
}

/// What takes the examples to bitstreams.
pub(crate) const ICE40_TOOLS: &[Tool] = &[
    Tool { name: "yosys", package: "yosys", purpose: "synthesis", version: Some("-V") },
    Tool { name: "nextpnr-ice40", package: "nextpnr-ice40", purpose: "place and route", version: Some("--version") },
    Tool { name: "icetime", package: "fpga-icestorm", purpose: "timing analysis and bitstreams", version: None },
    Tool { name: "icepack", package: "fpga-icestorm", purpose: "bitstreams", version: None },
    Tool { name: "icebox_vlog", package: "fpga-icestorm", purpose: "netlists out of bitstreams", version: None },
    Tool { name: "iverilog", package: "iverilog", purpose: "simulation", version: Some("-V") },
    Tool { name: "vvp", package: "iverilog", purpose: "simulation", version: Some("-V") },
    Tool { name: "verilator", package: "verilator", purpose: "lint", version: Some("--version") },
];

/// What takes the examples from RTL to GDSII.
pub(crate) const ASIC_TOOLS: &[Tool] = &[
    Tool { name: "yosys", package: "yosys", purpose: "synthesis", version: Some("-V") },
    Tool { name: "yosys-abc", package: "yosys", purpose: "mapping to cells", version: None },
    Tool { name: "sta", package: "opensta", purpose: "timing analysis", version: Some("-version") },
    Tool { name: "graywolf", package: "graywolf", purpose: "placement", version: None },
    Tool { name: "qrouter", package: "qrouter", purpose: "routing", version: None },
    Tool { name: "magic", package: "magic", purpose: "layout, design rules, extraction", version: None },
    Tool { name: "netgen-lvs", package: "netgen-lvs", purpose: "layout against netlist", version: None },
    Tool { name: "klayout", package: "klayout", purpose: "layout and pictures", version: None },
];

/// The peer of the flow to GDSII.
const ASIC_PEERS: &[Tool] =
    &[Tool { name: "qflow", package: "qflow", purpose: "a flow to compare with", version: None }];

/// What tests run besides.
pub(crate) const TEST_TOOLS: &[Tool] = &[
    Tool { name: "ghdl", package: "ghdl", purpose: "VHDL, for tests", version: Some("--version") },
    Tool { name: "tclsh", package: "tcl", purpose: "Tcl configurations, for tests", version: None },
    Tool { name: "nginx", package: "nginx", purpose: "a shared cache, for tests", version: Some("-v") },
];

/// What benches compare with.
const BUILD_SYSTEMS: &[Tool] = &[
    Tool { name: "make", package: "make", purpose: "a build system to compare with", version: Some("--version") },
    Tool { name: "ninja", package: "ninja-build", purpose: "another one", version: Some("--version") },
];

/// icetime's device files. Debian's package of icetime only recommends theirs.
const ICE40_DEVICES: (&str, &str) = ("fpga-icestorm-chipdb", "the device files of icetime");

/// Technologies that Debian has, the router that they are for, and where their files are.
const TECHNOLOGIES: [(&str, &str); 3] = [
    ("qflow-tech-osu018", "/usr/share/qflow/tech/osu018"),
    ("qflow-tech-osu035", "/usr/share/qflow/tech/osu035"),
    ("qflow-tech-osu050", "/usr/share/qflow/tech/osu050"),
];

/// What fuzzing is compiled with besides.
const COMPILERS: &[Tool] = &[Tool { name: "c++", package: "g++", purpose: "libFuzzer", version: Some("--version") }];

/// The version that `deny.toml` was written for.
const CARGO_DENY: &str = "0.20.2";

/// The version whose targets and options are used.
const CARGO_FUZZ: &str = "0.13.2";

/// The version of the flow framework that flows are compared with.
const LIBRELANE: &str = "3.0.17";

/// The version of the project manager that projects are compared with.
const PYDESIGNFLOW: &str = "0.5.1";

/// Installs those of these EDA tools that are missing, and prints what there is.
pub(crate) fn eda_tools(wanted: &[&[Tool]]) -> Result<(), Stop> {
    provide("EDA tools", wanted)
}

/// The same for the build systems that benches compare with.
pub(crate) fn build_systems() -> Result<(), Stop> {
    provide("Build systems", &[BUILD_SYSTEMS])
}

/// The same for the flow that ours to GDSII is compared with.
pub(crate) fn asic_peers() -> Result<(), Stop> {
    provide("Peers", &[ASIC_PEERS])
}

fn provide(heading: &str, wanted: &[&[Tool]]) -> Result<(), Stop> {
    let missing = missing_packages(wanted);
    if !missing.is_empty() {
        println!("Missing here, and to be installed with apt-get:");
        for (package, purpose) in &missing {
            println!("  {package:<22} {purpose}");
        }
        let packages: Vec<&str> = missing.iter().map(|(package, _)| *package).collect();
        apt::install(&packages)?;
        let still: Vec<&str> = missing_packages(wanted).into_iter().map(|(package, _)| package).collect();
        if !still.is_empty() {
            return Err(Stop::environment(format!(
                "installed, and yet not all of it is on PATH: {}. Is /usr/bin on PATH?",
                still.join(", ")
            )));
        }
    }
    println!("{heading}");
    for tool in wanted.iter().copied().flatten() {
        if let Some(file) = tool.find() {
            let version = tool.version.and_then(|arg| first_line(&file, arg)).unwrap_or_default();
            let line = format!("  {:<14} {:<28} {version}", tool.name, file.display());
            println!("{}", line.trim_end());
        }
    }
    Ok(())
}

/// Debian packages of what is not here, each once, with what they are for.
fn missing_packages(wanted: &[&[Tool]]) -> Vec<(&'static str, &'static str)> {
    let mut missing: Vec<(&str, &str)> = Vec::new();
    for tool in wanted.iter().copied().flatten().filter(|tool| tool.find().is_none()) {
        if !missing.iter().any(|(package, _)| *package == tool.package) {
            missing.push((tool.package, tool.purpose));
        }
    }
    // An icetime from elsewhere knows where its own files are.
    let icetime = wanted.iter().copied().flatten().any(|tool| tool.name == "icetime");
    let debian = process::on_path("icetime").is_none_or(|file| file == Path::new("/usr/bin/icetime"));
    let devices = ["/usr/share/fpga-icestorm/chipdb", "/usr/share/icebox"];
    if icetime && debian && !devices.iter().any(|dir| Path::new(dir).is_dir()) {
        missing.push(ICE40_DEVICES);
    }
    if wanted.iter().copied().flatten().any(|tool| tool.name == "qrouter") {
        let absent = TECHNOLOGIES.iter().filter(|(_, dir)| !Path::new(dir).is_dir());
        missing.extend(absent.map(|(package, _)| (*package, "a technology with its cells")));
    }
    missing
}

/// The first line that a tool prints, wherever it prints it.
fn first_line(tool: &Path, arg: &str) -> Option<String> {
    let output = Command::new(tool).arg(arg).stdin(Stdio::null()).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).lines().find(|line| !line.trim().is_empty()).map(str::to_owned)
}

/// Adds rustfmt and clippy to the toolchain where they are missing.
pub(crate) fn rust_components() -> Result<(), Stop> {
    for (component, command) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        let present = || process::cargo(&[command, "--version"]).output().is_ok_and(|output| output.status.success());
        if present() {
            continue;
        }
        println!("Installing {component}, with rustup");
        let mut rustup = Command::new("rustup");
        rustup.args(["component", "add", component]).current_dir(process::root()).stdin(Stdio::null());
        if !rustup.status().is_ok_and(|status| status.success()) || !present() {
            return Err(Stop::environment(format!(
                "cargo {command} is missing. Install it with this Rust toolchain, where rustup manages it by:\n  \
                 rustup component add {component}"
            )));
        }
    }
    Ok(())
}

/// Where cargo-deny is.
pub(crate) fn cargo_deny() -> Result<PathBuf, Stop> {
    cargo_tool("cargo-deny", CARGO_DENY, "licences and sources of dependencies")
}

/// Where cargo-fuzz is, with the compiler of C++ that libFuzzer needs.
pub(crate) fn cargo_fuzz() -> Result<PathBuf, Stop> {
    provide("Compilers", &[COMPILERS])?;
    cargo_tool("cargo-fuzz", CARGO_FUZZ, "hostile input for readers")
}

/// The Python interpreter that has LibreLane. Nothing, where that cannot be had.
pub(crate) fn librelane() -> Result<Option<PathBuf>, Stop> {
    python_with("LibreLane", "librelane", LIBRELANE)
}

/// The Python interpreter that has PyDesignFlow. Nothing, where that cannot be had.
pub(crate) fn pydesignflow() -> Result<Option<PathBuf>, Stop> {
    python_with("PyDesignFlow", "pydesignflow", PYDESIGNFLOW)
}

/// The Python interpreter that has a package. It is installed from PyPI, into an environment of its own in the target
/// directory, where it is not there yet. Nothing, where that cannot be done.
fn python_with(name: &str, package: &str, version: &str) -> Result<Option<PathBuf>, Stop> {
    let environment = process::target()?.join("tools").join(format!("{package}-{version}"));
    let python = environment.join("bin/python");
    let has_it = || {
        let mut command = Command::new(&python);
        let script = format!("import importlib.metadata as m; print(m.version('{package}'))");
        command.args(["-c", &script]).stdin(Stdio::null());
        command.output().is_ok_and(|output| output.stdout.trim_ascii() == version.as_bytes())
    };
    if !has_it() {
        println!("Installing {name} {version} into {}, with pip", environment.display());
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", "--clear"]).arg(&environment).stdin(Stdio::null());
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", &format!("{package}=={version}")]).stdin(Stdio::null());
        // What is wrong they say themselves. A network that gives no answer does not hold a bench up for ever.
        let done = [venv, pip].iter_mut().all(|command| measure::cost(command).is_ok_and(|cost| cost.status.success()));
        if !done || !has_it() {
            return Ok(None);
        }
    }
    Ok(Some(python))
}

/// Where a tool of cargo is. It is compiled, which takes minutes, where it is neither on `PATH` nor in the target
/// directory.
fn cargo_tool(name: &str, version: &str, purpose: &str) -> Result<PathBuf, Stop> {
    if let Some(file) = process::on_path(name) {
        return Ok(file);
    }
    let tools = process::target()?.join("tools");
    let file = tools.join("bin").join(name);
    if !process::is_executable(&file) {
        println!("Compiling {name} {version} into {}: {purpose}", tools.display());
        // It runs for a second: optimising it would cost more than it saves.
        let args = ["install", "--debug", "--quiet", "--locked", name, "--version", version];
        let mut command = process::cargo(&args);
        command.arg("--root").arg(&tools).stdin(Stdio::null());
        if !process::succeeds(&mut command)? || !process::is_executable(&file) {
            return Err(Stop::environment(format!(
                "{name} could not be compiled. Put it on PATH:\n  cargo install --locked {name}@{version}"
            )));
        }
    }
    Ok(file)
}
