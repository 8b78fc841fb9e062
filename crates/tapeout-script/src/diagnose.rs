//! Errors of starlark in our own terms: with the place, a hint, and the calls that led there.

use starlark::ErrorKind;
use starlark::codemap::FileSpan;
use tapeout_config::{Diagnostic, FileId, SourceMap, Span};
use tapeout_flow::Failure;
use tapeout_model::Class;

use crate::complaint::{Complaint, Refused};
use crate::limits::Limits;
use crate::values::config::CONFIG;
use crate::values::running;

/// How many of the calls that led to an error are shown: the last ones.
const CALLS: usize = 8;

/// What starlark says when it was asked to stop.
const CANCELLED: &str = "Evaluation cancelled";

/// The type whose attributes are those of results.
const RESULT: &str = "Result";

/// What an error says, without its place.
struct Said {
    message: String,
    help: Option<String>,
}

/// The words of an error.
fn said(error: &starlark::Error, limits: Limits, what: &str) -> Said {
    let text = match error.kind() {
        ErrorKind::Fail(message) => message.to_string(),
        _ => error.without_diagnostic().to_string(),
    };
    if let Some(message) = limits.exceeded(&text, what) {
        return Said { message, help: None };
    }
    if let ErrorKind::Native(inner) = error.kind()
        && let Some(complaint) = inner.downcast_ref::<Complaint>()
    {
        return Said { message: complaint.message.clone(), help: complaint.help.clone() };
    }
    let text = text.trim();
    let text = text.strip_prefix("Parse error: ").unwrap_or(text);
    // What follows the first line is detail, such as another place.
    let (message, detail) = text.split_once('\n').unwrap_or((text, ""));
    let detail = detail.trim();
    Said { message: message.to_owned(), help: (!detail.is_empty()).then(|| detail.to_owned()) }
}

/// The calls that led to an error, the last one first, each with the name of what was called.
fn calls(error: &starlark::Error) -> Vec<(&str, &FileSpan)> {
    let frames = error.call_stack().frames.iter().rev();
    let called = frames.filter_map(|frame| Some((frame.name.as_str(), frame.location.as_ref()?)));
    // A built-in function that complains is called where the error is.
    called.filter(|(_, place)| error.span() != Some(*place)).collect()
}

/// An error in a file that is being loaded.
pub(crate) fn diagnostic(
    error: &starlark::Error,
    module: &str,
    limits: Limits,
    span: &dyn Fn(&FileSpan) -> Option<Span>,
) -> Diagnostic {
    let said = said(error, limits, &format!("loading `{module}`"));
    let mut diagnostic = Diagnostic::error(said.message);
    let calls = calls(error);
    let place = error.span().or_else(|| calls.first().map(|(_, place)| *place));
    if let Some(place) = place.and_then(span) {
        diagnostic = diagnostic.at(place, "");
    }
    for (name, place) in calls.iter().take(CALLS) {
        if let Some(place) =
            span(place).filter(|place| diagnostic.label.as_ref().is_none_or(|label| label.span != *place))
        {
            diagnostic = diagnostic.also(place, format!("`{name}` is called here"));
        }
    }
    match said.help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// A place in a message: `flow.star:3:5`. Resolved lines and columns count from 0.
fn location(place: &FileSpan) -> String {
    let begin = place.resolve_span().begin;
    format!("{}:{}:{}", place.filename(), begin.line + 1, begin.column + 1)
}

/// An error of a function, as why its owner failed: `` `core.synthesize` ``, ``step `Lint.Own` ``.
pub(crate) fn failure(error: &starlark::Error, owner: &str, limits: Limits) -> Failure {
    let calls = calls(error);
    let place = error.span().or_else(|| calls.first().map(|(_, place)| *place));
    let aside = running::take_aside();
    if error.without_diagnostic().to_string() == CANCELLED {
        return Failure::interrupted();
    }
    if let ErrorKind::Native(inner) = error.kind()
        && let Some(Refused(failure)) = inner.downcast_ref::<Refused>()
    {
        let mut failure = failure.clone();
        match failure.class {
            Class::Input => failure.words.extend(snippet(place, &calls)),
            // What a tool did is understood without the script: it is enough to find the place.
            Class::Tool | Class::Check => failure.words.extend(way(place, "asked for here", &calls)),
            Class::Environment | Class::Internal | Class::Interrupted => {}
        }
        return failure;
    }
    if let ErrorKind::Fail(message) = error.kind() {
        let message = message.to_string();
        let mut failure = Failure::new(Class::Check, message.trim());
        failure.words.extend(way(place, "fail()", &calls));
        return failure;
    }
    let text = error.without_diagnostic().to_string();
    if let Some((attribute, mut failure)) = aside
        && [RESULT, CONFIG]
            .iter()
            .any(|of| text.starts_with(&format!("Object of type `{of}` has no attribute `{attribute}`")))
    {
        failure.words.extend(snippet(place, &calls));
        return failure;
    }
    let Said { message, help } = said(error, limits, owner);
    let message = place.map_or(message.clone(), |place| format!("{}: {message}", location(place)));
    let mut failure = Failure::new(Class::Input, message);
    failure.hint = help;
    failure.words.extend(snippet(place, &calls));
    failure
}

/// The place of something and the calls that led there, a line each.
fn way(place: Option<&FileSpan>, what: &str, calls: &[(&str, &FileSpan)]) -> Vec<String> {
    let called = calls.iter().take(CALLS).map(|(name, place)| format!("{}: `{name}` is called here", location(place)));
    place.map(|place| format!("{}: {what}", location(place))).into_iter().chain(called).collect()
}

/// The lines of the script that matter, as snippets.
fn snippet(place: Option<&FileSpan>, calls: &[(&str, &FileSpan)]) -> Vec<String> {
    let mut sources = SourceMap::new();
    let mut files: Vec<(String, FileId)> = Vec::new();
    let mut span = |place: &FileSpan| {
        let known = files.iter().find(|(name, _)| name == place.filename()).map(|(_, file)| *file);
        let file = known.unwrap_or_else(|| {
            let file = sources.add(place.filename(), place.file.source());
            files.push((place.filename().to_owned(), file));
            file
        });
        Span::new(file, place.span.begin().get() as usize, place.span.end().get() as usize)
    };
    let Some(place) = place else { return Vec::new() };
    let mut diagnostic = Diagnostic::error("").at(span(place), "");
    for (name, place) in calls.iter().take(CALLS) {
        diagnostic = diagnostic.also(span(place), format!("`{name}` is called here"));
    }
    let rendered = diagnostic.render(&sources, false);
    rendered.lines().skip(1).map(str::to_owned).collect()
}
