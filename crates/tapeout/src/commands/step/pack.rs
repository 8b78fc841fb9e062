//! `tapeout step pack`: what a step's tools did, for somebody who has the tools and nothing else.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tapeout_flow::{Pack, Verified};
use tapeout_model::Class;

use crate::error::CliError;
use crate::terminal::words::from_here;
use crate::{Cx, project};

/// Pack what a step's tools did, so that somebody else can do it again with the tools alone
///
/// For reports to those who develop them. The pack is run in an empty directory elsewhere, to see whether the same comes
/// out; exit code 1 when it does not.
#[derive(Debug, Args)]
pub(crate) struct PackArgs {
    /// A step of the newest run, or `[THING@]TAG/STEP`; `@last` is the newest run [default: the step that failed]
    #[arg(value_name = "RUN/STEP")]
    what: Option<String>,
    /// Where to: a directory that is not there yet, or an archive [default: DESIGN-STEP here]
    #[arg(short, long, value_name = "DIR|FILE.tar.gz")]
    output: Option<PathBuf>,
    /// Do not run it elsewhere
    #[arg(long)]
    no_verify: bool,
}

pub(super) fn run(cx: &Cx, args: &PackArgs) -> Result<u8, CliError> {
    let (run, step) = super::find(args.what.as_deref())?;
    let design_dir = run.dir.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    let engine = project::bare_engine(&cx.registry, design_dir)?;
    let pack = Pack::of_step(&engine, &run.dir, &run.summary.tag, &step)?;
    let slug = step.dir.split_once('-').map_or(step.dir.as_str(), |(_, slug)| slug);
    let to = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}-{slug}", run.summary.design)));
    match archive_stem(&to) {
        Some(stem) => write_archive(&pack, &to, &stem)?,
        None => pack.write(&to)?,
    }
    let terminal = &cx.terminal;
    let verify = !args.no_verify && pack.has_an_end();
    if verify {
        terminal.note(&format!("{} is packed; running the pack elsewhere", step.id));
    }
    let verified = verify.then(|| pack.verify(&engine)).transpose()?;
    let is_same = verified.as_ref().map(Verified::is_same);
    if terminal.json {
        let path = std::path::absolute(&to).unwrap_or_else(|_| to.clone());
        terminal.print_json(&json!({ "step": step.id, "pack": path, "same": is_same, "verified": verified }));
    } else {
        terminal.print(&format!("{}: {}", from_here(&to), words(verified.as_ref(), &pack, args.no_verify)));
    }
    match verified.filter(|verified| !verified.is_same()) {
        None => Ok(0),
        Some(verified) => {
            Err(CliError::new(Class::Check, format!("the pack of `{}` does not do what was done here", step.id))
                .details(differences(&verified))
                .hint("a file that the tools read may be missing: see what they say when you run its `run.sh`"))
        }
    }
}

fn words(verified: Option<&Verified>, pack: &Pack, unwanted: bool) -> String {
    let Some(verified) = verified else {
        let why = if unwanted { "" } else { ": what was ended when its time was up has no end to compare with" };
        return format!("not verified{why}");
    };
    if !verified.is_same() {
        return "not the same elsewhere".to_owned();
    }
    let free = if verified.confined { "" } else { ", where it was free to read the files of this machine" };
    let same = match verified.expected {
        0 if pack.reason.is_some() => "it ends elsewhere as it did here".to_owned(),
        0 => "it gives the same elsewhere".to_owned(),
        status => format!("it fails elsewhere as it did here, with exit status {status}"),
    };
    let own = match verified.own.as_slice() {
        [] => String::new(),
        own => format!("; `{}` made by the step itself, not by its tools", own.join("`, `")),
    };
    format!("verified: {same}{free}{own}")
}

fn differences(verified: &Verified) -> Vec<String> {
    let mut lines = Vec::new();
    match verified.status {
        None => lines.push("a command before the last one ended in another way".to_owned()),
        Some(status) if status != verified.expected => {
            lines.push(format!("exit status {status}, here it was {}", verified.expected));
        }
        Some(_) => {}
    }
    lines.extend(verified.unsaid.iter().map(|line| format!("it does not say: {line}")));
    lines.extend(verified.differs.iter().map(|file| format!("`{file}` is not the same")));
    lines.extend(verified.words.iter().cloned());
    lines
}

/// The name of what is in an archive, if the path is that of one.
fn archive_stem(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let stem = name.strip_suffix(".tar.gz").or_else(|| name.strip_suffix(".tgz"))?;
    (!stem.is_empty()).then(|| stem.to_owned())
}

/// Writes a pack as an archive with one directory in it. Equal packs give equal archives.
fn write_archive(pack: &Pack, to: &Path, stem: &str) -> Result<(), CliError> {
    if to.exists() {
        return Err(CliError::input(format!("`{}` is there already", from_here(to)))
            .hint("remove it, or name another one: `-o FILE.tar.gz`"));
    }
    let failed = |error| CliError::environment(format!("cannot write `{}`: {error}", from_here(to)));
    let dir = tempfile::tempdir().map_err(failed)?;
    let root = dir.path().join(stem);
    pack.write(&root)?;
    let file = BufWriter::new(File::create(to).map_err(failed)?);
    let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    archive.mode(tar::HeaderMode::Deterministic);
    let written = archive.append_dir_all(stem, &root).and_then(|()| archive.into_inner()?.finish()).map_err(failed)?;
    written.into_inner().map(drop).map_err(|error| failed(error.into_error()))
}
