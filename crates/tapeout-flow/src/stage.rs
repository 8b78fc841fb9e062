//! What a custom flow tells of itself while it runs: the stages of its work, tables of what it compared, messages.

use std::fmt;

use serde::{Deserialize, Serialize};
use tapeout_model::csv_field;

use crate::slug;

/// A stage of a flow: what its progress is counted in. It may stand for any number of steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Its place among the stages, from 1.
    pub number: u32,
    /// How many there will be, as far as the flow has said.
    pub of: Option<u32>,
    /// What is done in it, in a few words.
    pub name: String,
}

/// `[2/3] Floorplanning`.
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of {
            Some(of) => write!(f, "[{}/{of}] {}", self.number, self.name),
            None => write!(f, "[{}] {}", self.number, self.name),
        }
    }
}

/// A comparison that a flow made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What was compared, in a few words. Also the name of the file `NAME.csv` in the run's directory, with dashes.
    pub title: String,
    /// The headings, with units: `area (LUTs)`.
    pub columns: Vec<String>,
    /// One thing that was compared each.
    pub rows: Vec<Candidate>,
}

impl Comparison {
    /// A comparison of nothing yet.
    #[must_use]
    pub fn new(title: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|heading| (*heading).to_owned()).collect();
        Self { title: title.to_owned(), columns, rows: Vec::new() }
    }

    /// Adds one of the things compared: its cells, and how it came off.
    pub fn add(&mut self, standing: Placing, cells: &[&str]) {
        let cells = cells.iter().map(|cell| (*cell).to_owned()).collect();
        self.rows.push(Candidate { cells, standing });
    }

    /// The file that it becomes: its name and its text, for spreadsheets.
    pub(crate) fn csv(&self) -> (String, String) {
        let rows = std::iter::once(&self.columns).chain(self.rows.iter().map(|row| &row.cells));
        let line = |row: &Vec<String>| row.iter().map(|cell| csv_field(cell)).collect::<Vec<_>>().join(",") + "\n";
        (format!("{}.csv", slug(&self.title)), rows.map(line).collect())
    }
}

/// One of the things compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The cells below the headings; the first is its name.
    pub cells: Vec<String>,
    /// How it came off.
    pub standing: Placing,
}

/// How one of several things came off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placing {
    /// The flow goes on with it.
    Best,
    /// Another one is better.
    Also,
    /// It gave no result.
    Failed,
}

/// What a flow tells, on its way through the engine.
pub(crate) enum Note {
    StageStarted(Stage),
    StageEnded,
    Compared(Comparison),
    Message(String),
}
