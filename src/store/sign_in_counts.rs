//! How often a group's people signed in lately, counted from the access log.

use std::collections::BTreeMap;

use super::{Reader, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::GroupId;

/// Rows of a group's log that are looked at for a count: a page must not wait for more.
const LOOKED_AT_MOST: u32 = 20_000;

/// Sign-ins of one kind in the latest rows of a group's log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignInCounts {
    pub accepted: u64,
    pub refused: u64,
    /// The latest that was accepted.
    pub last_accepted_at: Option<Timestamp>,
    /// How often each code refused.
    pub codes: BTreeMap<String, u64>,
    /// The details of those that were accepted, each with its number.
    pub details: BTreeMap<String, u64>,
    /// There were more rows than are looked at: the true numbers are larger.
    pub is_cut: bool,
}

impl SignInCounts {
    /// The code that refused most often.
    pub fn commonest_code(&self) -> Option<&str> {
        self.codes.iter().max_by_key(|(_, count)| **count).map(|(code, _)| code.as_str())
    }
}

impl Reader<'_> {
    /// Counts the rows of `operation` in a group's log since an instant.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn sign_in_counts(&self, group: GroupId, operation: &str, since: Timestamp) -> Result<SignInCounts> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT at, operation, refused, code, detail FROM access_log
                 WHERE group_id = ?1 ORDER BY id DESC LIMIT ?2",
            )
            .map_err(database_fault)?;
        let mut rows = statement.query((group.0, LOOKED_AT_MOST)).map_err(database_fault)?;
        let (mut counts, mut looked_at) = (SignInCounts::default(), 0);
        while let Some(row) = rows.next().map_err(database_fault)? {
            let at = Timestamp(row.get("at").map_err(database_fault)?);
            if at < since {
                return Ok(counts);
            }
            looked_at += 1;
            let row_operation = row.get_ref("operation").map_err(database_fault)?;
            if row_operation.as_str().map_err(|e| database_fault(e.into()))? != operation {
                continue;
            }
            if row.get("refused").map_err(database_fault)? {
                counts.refused += 1;
                let code: Option<String> = row.get("code").map_err(database_fault)?;
                *counts.codes.entry(code.unwrap_or_default()).or_default() += 1;
            } else {
                counts.accepted += 1;
                counts.last_accepted_at.get_or_insert(at);
                *counts.details.entry(row.get("detail").map_err(database_fault)?).or_default() += 1;
            }
        }
        counts.is_cut = looked_at >= LOOKED_AT_MOST;
        Ok(counts)
    }
}
