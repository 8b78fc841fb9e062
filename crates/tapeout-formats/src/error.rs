//! The one error of all readers.

/// Text that does not read as its format says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// A line of a text format is wrong.
    #[error("{format}, line {line}: expected {expected}, found {found}")]
    Line {
        /// The format, as a reader would call it: `PCF`, `icetime report`.
        format: &'static str,
        /// Counted from 1.
        line: usize,
        /// What the format asks for at this place.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A word of a text format whose line breaks mean nothing is wrong.
    #[error("{format}, line {line}, column {column}: expected {expected}, found {found}")]
    Word {
        /// The format, as a reader would call it: `LEF`, `DEF`.
        format: &'static str,
        /// Counted from 1.
        line: usize,
        /// Of the word's first character, counted from 1 in characters.
        column: usize,
        /// What the format asks for at this place.
        expected: String,
        /// What is there.
        found: String,
    },
    /// Something that the format requires is nowhere in the text; often the tool was cut off while writing.
    #[error("{format}: expected {expected}, not found in {lines} lines")]
    Missing {
        /// The format, as a reader would call it.
        format: &'static str,
        /// What the format asks for.
        expected: String,
        /// How many lines were read.
        lines: usize,
    },
    /// A JSON file is not JSON, or its values have other types than the format says.
    #[error("{format}, line {line}, column {column}: {message}")]
    Json {
        /// The format, as a reader would call it.
        format: &'static str,
        /// Counted from 1; 0 if the place is not known.
        line: usize,
        /// Counted from 1; 0 if the place is not known.
        column: usize,
        /// What was expected and what was found, in the words of the JSON reader.
        message: String,
    },
    /// A record of a binary format is wrong.
    #[error("{format}, byte {offset}: expected {expected}, found {found}")]
    Byte {
        /// The format, as a reader would call it.
        format: &'static str,
        /// Where the record begins, counted from 0.
        offset: usize,
        /// What the format asks for at this place.
        expected: String,
        /// What is there.
        found: String,
    },
}

impl FormatError {
    pub(crate) fn json(format: &'static str, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let place = format!(" at line {line} column {column}");
        let message = text.strip_suffix(&place).unwrap_or(&text).to_owned();
        Self::Json { format, line, column, message }
    }

    /// The line at fault, counted from 1, where one is known.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Line { line, .. } | Self::Word { line, .. } => Some(*line),
            Self::Missing { .. } | Self::Byte { .. } => None,
            Self::Json { line, .. } => (*line > 0).then_some(*line),
        }
    }
}
