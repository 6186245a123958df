//! How the database is opened, closed and found to be.

use crate::clock::Timestamp;
use crate::error::Error;

/// What is done with a database that was not closed cleanly and whose log is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostLog {
    /// It is refused: what was changed last may be missing.
    Refuse,
    /// It is taken as it is.
    Accept,
}

/// How the database was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// The file alone is the database.
    Whole,
    /// Another process holds the database open: what was written last stands in the log until that process ends.
    HeldByAnother,
    /// So many rows of the access log, of what had been read, could not be written: another process held the database,
    /// or the disk is full. What was written last may stand in the log.
    RowsLost(usize),
    /// What was written last stands in the log.
    Failed(Error),
}

/// What a check of the whole database found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseCheck {
    pub at: Timestamp,
    /// What is damaged first; `None` when nothing is.
    pub damage: Option<String>,
}
