//! People by the file: a CSV upload says first what it would do, and then does it; and an export that can
//! be uploaded again. Wire contract §7, §11 Q21.
//!
//! - [`Desk::preview_csv`] judges every row and changes nothing.
//! - [`Desk::apply_csv`] judges again, inside one transaction, and keeps all rows or none; on request the
//!   refused rows are left out and the rest is kept.
//! - [`Desk::export_csv`] writes what [`Desk::preview_csv`] then finds unchanged.
//!
//! A row is found by its Glance Address. A blank cell leaves what is there, and so does a column that is
//! not there. One role for the whole file, or none said: then roles stay. [`table`] reads the file, [`plan`]
//! judges the rows.

mod export;
mod plan;
mod table;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use self::plan::{Plan, Planned};
use self::table::Row;
use super::people::{RoleChoice, created, updated};
use super::{Desk, passwords, permission};
use crate::error::Result;
use crate::model::{Caller, GroupId, LogEntry, UserId};
use crate::store::Writer;

pub use table::{COLUMNS, ROWS_MAX};

/// Held while a file is judged or applied: one long file takes 100 MB and more, two must not take them twice.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What a file would do, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    pub rows: Vec<PreviewRow>,
    pub created: usize,
    pub changed: usize,
    pub unchanged: usize,
    pub refused: usize,
    /// Whether the rows that were not refused are kept.
    pub applied: bool,
}

/// One row of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewRow {
    /// Line of the file, from 1, where the row begins.
    pub line: u64,
    /// As it stands in the file.
    pub address: String,
    pub outcome: RowOutcome,
}

/// What comes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowOutcome {
    Created,
    /// These fields get another value.
    Changed(Vec<&'static str>),
    Unchanged,
    Refused(RowRefusal),
}

/// Why a row is refused, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRefusal {
    /// Stable.
    pub code: &'static str,
    /// The column at fault; "" when it is the row as a whole.
    pub column: &'static str,
    /// The cell; never a password.
    pub value: String,
    pub why: String,
    pub remedy: &'static str,
}

/// How far a long file is; clones share it.
#[derive(Clone, Default)]
pub struct Progress(Arc<[AtomicUsize; 2]>);

impl Progress {
    /// Rows done, and rows in all; 0 in all while the file is being read.
    pub fn rows(&self) -> (usize, usize) {
        let [done, all] = &*self.0;
        (done.load(Ordering::Relaxed), all.load(Ordering::Relaxed))
    }

    fn begin(&self, rows: usize) {
        let [done, all] = &*self.0;
        done.store(0, Ordering::Relaxed);
        all.store(rows, Ordering::Relaxed);
    }

    fn step(&self) {
        let [done, _] = &*self.0;
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// How a file is applied.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// The role of every row; `None` leaves roles as they are, and new users without one.
    pub role: Option<RoleChoice>,
    /// Keep the rows that are not refused, also when others are.
    pub skip_refused: bool,
}

impl Desk {
    /// Says what a file would do, row by row. Changes nothing.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `Invalid` when the file as a whole is refused:
    /// `csv_not_utf8`, `csv_empty`, `csv_malformed`, `csv_column_unknown`, `csv_column_repeated`,
    /// `csv_column_required`, `csv_too_many_rows`, `role_unknown`; `NotFound` with `group_unknown`.
    pub fn preview_csv(
        &self,
        caller: &Caller,
        group: GroupId,
        terms: &Terms,
        file: &[u8],
    ) -> Result<Preview> {
        permission::administer(caller, group)?;
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = table::read(file)?;
        self.store
            .snapshot(|r| plan::planned(r, caller, group, terms, &rows))
            .map(|plan| preview(&plan, &rows))
    }

    /// Does what a file says, all rows or none. When rows are refused and are not to be skipped, nothing is
    /// kept, and the answer says so.
    ///
    /// # Errors
    /// As [`Desk::preview_csv`].
    pub fn apply_csv(
        &self,
        caller: &Caller,
        group: GroupId,
        terms: &Terms,
        file: &[u8],
        progress: &Progress,
    ) -> Result<Preview> {
        let operation = "user.import";
        let attempt = || {
            permission::administer(caller, group)?;
            let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
            let rows = table::read(file)?;
            let first = self.store.snapshot(|r| plan::planned(r, caller, group, terms, &rows))?;
            if first.refused() > 0 && !terms.skip_refused {
                return Ok(preview(&first, &rows));
            }
            let hashes = hashed_passwords(&first, &rows, progress)?;
            // The second look needs its memory.
            drop(first);
            let (caller, terms, progress) = (caller.clone(), terms.clone(), progress.clone());
            self.store.write(self.clock.now(), move |w| {
                // What has changed since the first look is judged here.
                let mut plan = plan::planned(w, &caller, group, &terms, &rows)?;
                if plan.refused() > 0 && !terms.skip_refused {
                    return Ok(preview(&plan, &rows));
                }
                plan.give_hashes(hashes);
                carried_out(w, &caller, group, &plan, &progress)?;
                let done = Preview { applied: true, ..preview(&plan, &rows) };
                let detail = format!(
                    "{} created, {} changed, {} unchanged, {} refused",
                    done.created, done.changed, done.unchanged, done.refused
                );
                w.log(&LogEntry::done(&caller, Some(group), operation, group.to_string(), detail))?;
                Ok(done)
            })
        };
        self.logging_refusal(caller, Some(group), operation, &group.to_string(), attempt())
    }
}

fn carried_out(
    w: &Writer<'_>,
    caller: &Caller,
    group: GroupId,
    plan: &Plan,
    progress: &Progress,
) -> Result<()> {
    progress.begin(plan.rows.len());
    // PUIDs that pass from one row's user to another's are freed first.
    for user in &plan.freed {
        w.clear_puid(group, UserId(*user))?;
    }
    for row in &plan.rows {
        match row {
            Planned::Create(user) => {
                created(w, caller, group, user)?;
            }
            Planned::Change { key, change, .. } => {
                updated(w, caller, group, key, change)?;
            }
            Planned::Nothing | Planned::Refused(_) => {}
        }
        progress.step();
    }
    Ok(())
}

/// The hashes of the passwords in the file, by row, made on as many threads as there are cores.
fn hashed_passwords(plan: &Plan, rows: &[Row], progress: &Progress) -> Result<Vec<(usize, String)>> {
    let wanted: Vec<(usize, &Row)> = rows
        .iter()
        .enumerate()
        .filter(|(at, row)| row.password.is_some() && plan.rows.get(*at).is_some_and(Planned::is_a_change))
        .collect();
    progress.begin(wanted.len());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let share = wanted.len().div_ceil(threads).max(1);
    let hash = |(at, row): &(usize, &Row)| -> Result<Option<(usize, String)>> {
        let hashed = row.password.as_ref().map(passwords::hash).transpose()?;
        progress.step();
        Ok(hashed.map(|hash| (*at, hash)))
    };
    let hashed: Vec<Result<Option<(usize, String)>>> = std::thread::scope(|scope| {
        let running: Vec<_> = wanted
            .chunks(share)
            .map(|chunk| scope.spawn(|| chunk.iter().map(hash).collect::<Vec<_>>()))
            .collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    hashed.into_iter().filter_map(Result::transpose).collect()
}

fn preview(plan: &Plan, rows: &[Row]) -> Preview {
    let mut preview = Preview {
        rows: Vec::with_capacity(rows.len()),
        created: 0,
        changed: 0,
        unchanged: 0,
        refused: 0,
        applied: false,
    };
    for (row, planned) in rows.iter().zip(&plan.rows) {
        let (outcome, count) = match planned {
            Planned::Create(_) => (RowOutcome::Created, &mut preview.created),
            Planned::Change { fields, .. } => (RowOutcome::Changed(fields.clone()), &mut preview.changed),
            Planned::Nothing => (RowOutcome::Unchanged, &mut preview.unchanged),
            Planned::Refused(refusal) => (RowOutcome::Refused(refusal.clone()), &mut preview.refused),
        };
        *count += 1;
        preview.rows.push(PreviewRow { line: row.line, address: row.address.clone(), outcome });
    }
    preview
}
