//! What is wrong with what the user wrote, where, and what to do about it. Owns the two written forms of that: a
//! snippet of the source, and one line for editors. Prints nothing.

use std::fmt::Write;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use tapeout_model::Severity;

use crate::source::{FileId, SourceMap, Span};

/// A place and what there is to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// Shown beside the place; may be empty.
    pub text: String,
}

/// One error or warning about a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// An error stops the plan, a warning does not.
    pub severity: Severity,
    /// What is wrong, in one line that is clear without the snippet.
    pub message: String,
    /// Where it is wrong. Absent if the fault lies in no text, as with a file that cannot be opened.
    pub label: Option<Label>,
    /// Other places that matter, such as the first of two definitions.
    pub secondary: Vec<Label>,
    /// What to do. Boxed to keep the type small enough to be returned as an error.
    pub help: Option<Box<str>>,
}

impl Diagnostic {
    /// Puts diagnostics in the order of their places in the texts, those without a place last.
    pub fn sort(diagnostics: &mut [Self]) {
        diagnostics.sort_by_key(|d| d.label.as_ref().map_or((true, None), |label| (false, Some(label.span))));
    }

    /// An error without a place.
    #[must_use]
    pub fn error(message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), label: None, secondary: Vec::new(), help: None }
    }

    /// A warning without a place.
    #[must_use]
    pub fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    /// Sets the place.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.label = Some(Label { span, text: text.into() });
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Sets what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<Box<str>>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The message with the snippets it points at, without a line break at the end.
    #[must_use]
    pub fn render(&self, sources: &SourceMap, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(&self.message));
        for file in self.files() {
            group = group.element(self.snippet(sources, file));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(&**help));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let text = renderer.decor_style(DecorStyle::Ascii).render(&[group]);
        // Without a snippet there is nothing to set the help apart from.
        if self.files().is_empty() { text.replacen("\n |\n", "\n", 1) } else { text }
    }

    /// `file:line:column: error: message`, the form that editors and CI systems parse.
    #[must_use]
    pub fn one_line(&self, sources: &SourceMap) -> String {
        let mut line = String::new();
        if let Some(label) = &self.label {
            let _ = write!(line, "{}: ", sources.location(label.span));
        }
        let _ = write!(line, "{}: {}", self.severity, self.message);
        line
    }

    /// The files that the labels point into, that of the fault first.
    fn files(&self) -> Vec<FileId> {
        let mut files = Vec::new();
        for label in self.label.iter().chain(&self.secondary) {
            if !files.contains(&label.span.file) {
                files.push(label.span.file);
            }
        }
        files
    }

    /// Only the lines that matter are handed over: the renderer looks at all that it is given, and a configuration may
    /// be large and have many faults.
    fn snippet<'a>(&'a self, sources: &'a SourceMap, file: FileId) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let primary = self.label.iter().map(|label| (AnnotationKind::Primary, label));
        let secondary = self.secondary.iter().map(|label| (AnnotationKind::Context, label));
        let marks: Vec<_> = primary
            .chain(secondary)
            .filter(|(_, label)| label.span.file == file)
            .map(|(kind, label)| (kind, sources.first_line(label.span), label))
            .collect();
        let first = marks.iter().map(|(_, (start, _), _)| *start).min().unwrap_or(0);
        let last = marks.iter().map(|(_, (start, _), _)| *start).max().unwrap_or(0);
        let (text, line, offset) = sources.lines_between(file, first, last);
        let mut snippet = Snippet::source(text).line_start(line).path(sources.name(file));
        for (kind, (start, end), label) in marks {
            let mut mark = kind.span(start - offset..end - offset);
            if !label.text.is_empty() {
                mark = mark.label(&label.text);
            }
            snippet = snippet.annotation(mark);
        }
        snippet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_place() {
        let mut sources = SourceMap::new();
        let file = sources.add("config.yaml", "A: 1\nµ: x # ü\nC: 3\n");
        let diagnostic = Diagnostic::error("`µ` is wrong")
            .at(Span::new(file, 9, 10), "this")
            .also(Span::new(file, 0, 1), "as opposed to this")
            .help("write 2");
        assert_eq!(
            diagnostic.render(&sources, false),
            "\
error: `µ` is wrong
 --> config.yaml:2:4
  |
1 | A: 1
  | - as opposed to this
2 | µ: x # ü
  |    ^ this
  |
  = help: write 2"
        );
        assert_eq!(diagnostic.one_line(&sources), "config.yaml:2:4: error: `µ` is wrong");
        assert!(diagnostic.render(&sources, true).contains("\u{1b}["));
    }

    #[test]
    fn every_span_of_an_awkward_text_renders() {
        let text = "\t{\r\n\u{feff}µ\u{0}\u{1b}[31m漢字\u{202e}\n\n\r\r\r";
        let mut sources = SourceMap::new();
        for text in ["", "\n", text] {
            let file = sources.add("t", text);
            for start in 0..=text.len() + 1 {
                for end in start..=text.len() + 1 {
                    let diagnostic = Diagnostic::warning("w").at(Span::new(file, start, end), "here");
                    assert!(diagnostic.render(&sources, false).starts_with("warning: w\n"), "{start}..{end}");
                }
            }
        }
    }
}
