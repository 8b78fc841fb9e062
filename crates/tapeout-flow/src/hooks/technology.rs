//! The hooks of a technology: what the manifest of a PDK says of sections and hooks, as hooks of its layers.

use std::sync::Arc;

use tapeout_config::{Diagnostic, PdkHook};

use super::set::OUTPUTS;
use super::{Address, Hook, HookKind, Layer, Puts, TextHook};

/// The hooks that a PDK of this name has in its manifest, its sections first.
///
/// # Errors
/// Places that are none, and such where a text can do nothing.
pub fn technology_hooks(pdk: &str, written: &[PdkHook]) -> Result<Vec<Hook>, Vec<Diagnostic>> {
    let (hooks, faults): (Vec<_>, Vec<_>) = written.iter().map(|hook| of_manifest(pdk, hook)).partition(Result::is_ok);
    if faults.is_empty() {
        Ok(hooks.into_iter().flatten().collect())
    } else {
        Err(faults.into_iter().filter_map(Result::err).collect())
    }
}

fn of_manifest(pdk: &str, written: &PdkHook) -> Result<Hook, Diagnostic> {
    let what = if written.is_section { "section" } else { "hook" };
    let fault = |message: String| {
        Diagnostic::error(format!("the {what} `{}` of the PDK `{pdk}`: {message}", written.name))
            .at(written.at_span, "named here")
    };
    let at = Address::parse(&written.at).map_err(&fault)?;
    let kind = HookKind::ALL.into_iter().find(|kind| kind.name() == written.kind);
    let kind = kind.ok_or_else(|| fault(format!("there is no kind `{}`", written.kind)))?;
    match at.section.as_deref() {
        None if kind == HookKind::Persistent => {}
        None if kind == HookKind::After => {
            return Err(behind_step(fault(format!("behind the whole of `{at}` there is no script for a text"))));
        }
        None => {
            let message = format!("`{at}` is a whole step, and the lists of steps are not the PDK's to edit");
            return Err(fault(message).help(format!("name a section: `{at}/SECTION`; flows and users edit lists")));
        }
        Some(section) if section == OUTPUTS.name => {
            return Err(behind_step(fault(format!("`{at}` is behind the tool, where there is no script for a text"))));
        }
        Some(_) => {}
    }
    Ok(Hook {
        name: written.name.clone(),
        doc: written.doc.clone(),
        layer: if written.is_section { Layer::Section } else { Layer::Technology },
        origin: written.origin.clone(),
        kind,
        at,
        tool: written.tool.clone(),
        puts: match &written.text {
            Some(text) => Puts::Body(Arc::new(TextHook(text.clone()))),
            None => Puts::Nothing,
        },
        published_by: written.published.then(|| pdk.to_owned()),
        parameters: written.parameters.clone(),
        inputs: Vec::new(),
        variables: Vec::new(),
        tools: Vec::new(),
    })
}

fn behind_step(error: Diagnostic) -> Diagnostic {
    error.help("name one of its sections; what comes out of a step is changed by hooks in `flow.star` or in Rust")
}
