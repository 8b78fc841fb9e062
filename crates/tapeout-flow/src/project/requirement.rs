//! What a task requires, as it is written.

use std::fmt;
use std::str::FromStr;

use super::Block;

/// A result that a task gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// `.task`: of the same block.
    Own {
        /// The task.
        task: String,
    },
    /// `name.task`: of the block that the dependency map has under that name.
    Symbolic {
        /// The name.
        name: String,
        /// The task.
        task: String,
    },
    /// `=block.task`: of the block with that id.
    Direct {
        /// The id.
        block: String,
        /// The task.
        task: String,
    },
}

impl Requirement {
    /// The ids of block and task that are meant in a block with this id; `None` when its dependency map does not have the
    /// name.
    #[must_use]
    pub fn target<'a>(&'a self, id: &'a str, block: &'a Block) -> Option<(&'a str, &'a str)> {
        match self {
            Self::Own { task } => Some((id, task)),
            Self::Symbolic { name, task } => Some((block.dependency(name)?, task)),
            Self::Direct { block, task } => Some((block, task)),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own { task } => write!(f, ".{task}"),
            Self::Symbolic { name, task } => write!(f, "{name}.{task}"),
            Self::Direct { block, task } => write!(f, "={block}.{task}"),
        }
    }
}

/// A requirement that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRequirement(String);

impl fmt::Display for InvalidRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "malformed requirement `{}`: expected `.task` of the same block, `name.task` through the dependency map, or \
             `=block.task`; names are of letters, digits and `_`",
            self.0
        )
    }
}

impl std::error::Error for InvalidRequirement {}

impl FromStr for Requirement {
    type Err = InvalidRequirement;

    fn from_str(text: &str) -> Result<Self, InvalidRequirement> {
        let invalid = || InvalidRequirement(text.to_owned());
        let (block, task) = text.split_once('.').ok_or_else(invalid)?;
        let (is_direct, block) = block.strip_prefix('=').map_or((false, block), |block| (true, block));
        if !is_name(task) || !(is_name(block) || block.is_empty() && !is_direct) {
            return Err(invalid());
        }
        let task = task.to_owned();
        Ok(match (block, is_direct) {
            ("", _) => Self::Own { task },
            (name, false) => Self::Symbolic { name: name.to_owned(), task },
            (block, true) => Self::Direct { block: block.to_owned(), task },
        })
    }
}

/// Whether a text is of ASCII letters, digits and `_`.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What a task gets under one name: a result, or a list of results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requires {
    /// A result.
    One(Requirement),
    /// A list of results.
    Many(Vec<Requirement>),
}

impl Requires {
    /// All that is required.
    #[must_use]
    pub fn each(&self) -> &[Requirement] {
        match self {
            Self::One(requirement) => std::slice::from_ref(requirement),
            Self::Many(requirements) => requirements,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_read_and_nothing_else() {
        for text in [".synthesize", "dependency.synthesize", "=fpga_top.synthesize", ".t1"] {
            assert_eq!(text.parse::<Requirement>().unwrap().to_string(), text);
        }
        for text in ["", "z", ".", "=.t", " .t", "a-b.z", "..t", ".t1 garbage", "a.b.c", ".tä", "==a.b"] {
            assert!(text.parse::<Requirement>().is_err(), "{text}");
        }
    }
}
