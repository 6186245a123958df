//! People by the file: a CSV upload says first what it would do, and then does it; and an export that can
//! be uploaded again. Wire contract §7, §11 Q21.
//!
//! - [`People::preview_csv`] judges every row and changes nothing.
//! - [`People::apply_csv`] judges again, and keeps all rows or none; on request the refused rows are left out and the
//!   rest is kept. New users are made in [`portions`] that nobody sees, and become visible with the changes in one
//!   short transaction, so that nobody who signs in waits behind a long file.
//!   Passwords are hashed in between, with nothing held that others wait for: see [`turn`].
//! - [`People::export_users`] and [`People::export_csv`] write what [`People::preview_csv`] then finds unchanged.
//!
//! A row is found by its Glance Address. A blank cell leaves what is there, and so does a column that is
//! not there. One role for the whole file, or none said: then roles stay. [`header`] tells which column is which,
//! [`table`] reads the file, [`plan`] judges the rows, [`changes`] keeps what they change.

mod changes;
mod export;
mod header;
mod plan;
mod portions;
mod table;
#[cfg(test)]
mod tests;
mod turn;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use self::plan::{Plan, Planned};
use self::table::Table;
use crate::desk::ground::passwords;
use crate::desk::ground::permission;
use crate::desk::people::People;
use crate::desk::people::users::RoleChoice;
use crate::error::{Error, Result};
use crate::model::{Caller, GroupId};
use crate::secret::Secret;

pub use changes::{FieldChange, OldAndNew};
pub use export::UserExport;
pub use header::{Column, ColumnChoice, Header, HeaderColumn, Meaning, Which, columns};
pub use table::{ROWS_MAX, template};
pub(super) use turn::UploadPermits;

/// What a file would do, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// How the columns of the file were read.
    pub columns: Vec<HeaderColumn>,
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
    /// What looks like a slip, though no rule forbids it: sentences.
    pub warnings: Vec<String>,
}

/// What comes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowOutcome {
    Created,
    /// These fields get another value.
    Changed(Vec<FieldChange>),
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
pub struct ApplyOptions {
    /// The role of every row; `None` leaves roles as they are, and new users without one.
    pub role: Option<RoleChoice>,
    /// Keep the rows that are not refused, also when others are.
    pub skip_refused: bool,
    /// Which column of the file is which, where their names do not say so.
    pub columns: Vec<ColumnChoice>,
}

impl People {
    /// Says what a file would do, row by row. Changes nothing.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `Invalid` when the file as a whole is refused:
    /// `csv_not_utf8`, `csv_is_a_workbook`, `csv_empty`, `csv_malformed`, `csv_column_unknown`,
    /// `csv_column_repeated`, `csv_column_required`, `csv_column_absent`, `csv_too_many_columns`,
    /// `csv_too_many_rows`, `role_unknown`; `NotFound` with `group_unknown`;
    /// `Unavailable` with `upload_busy` while other files are read.
    pub fn preview_csv(
        &self,
        caller: &Caller,
        group: GroupId,
        terms: &ApplyOptions,
        file: &[u8],
    ) -> Result<Preview> {
        permission::administer(caller, group)?;
        let _turn = self.uploads.turns.wait_a_little(group)?;
        let table = table::read(file, &terms.columns)?;
        self.ground
            .store
            .snapshot(|r| plan::planned(r, caller, group, terms, &table.rows))
            .map(|mut plan| preview(&mut plan, &table))
    }

    /// Reads the header of a file. Says which column is which, and what must be said before the rows can be read.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `Invalid`: `csv_not_utf8`, `csv_is_a_workbook`, `csv_empty`,
    /// `csv_malformed`, `csv_too_many_columns`, `csv_column_absent`.
    pub fn csv_header(
        &self,
        caller: &Caller,
        group: GroupId,
        choices: &[ColumnChoice],
        file: &[u8],
    ) -> Result<Header> {
        permission::administer(caller, group)?;
        table::read_header(file, choices)
    }

    /// Does what a file says, all rows or none. When rows are refused and are not to be skipped, nothing is
    /// kept, and the answer says so. Waits while other files are read: not for a thread that answers requests.
    ///
    /// # Errors
    /// As [`People::preview_csv`], but never `upload_busy`; `Conflict` with `people_changed` when a row with a
    /// password may be kept now that was refused when the passwords were hashed.
    pub fn apply_csv(
        &self,
        caller: &Caller,
        group: GroupId,
        terms: &ApplyOptions,
        file: &[u8],
        progress: &Progress,
    ) -> Result<Preview> {
        let operation = "user.import";
        let applied = self.applied(caller, group, terms, file, progress, passwords::hash_of_many);
        self.ground.logging_refusal(caller, Some(group), operation, &group.to_string(), applied)
    }

    fn applied(
        &self,
        caller: &Caller,
        group: GroupId,
        terms: &ApplyOptions,
        file: &[u8],
        progress: &Progress,
        hash: impl Fn(&Secret) -> Result<String> + Sync,
    ) -> Result<Preview> {
        permission::administer(caller, group)?;
        let passwords = match self.first_look(caller, group, terms, file)? {
            FirstLook::Refused(preview) => return Ok(preview),
            FirstLook::Passwords(passwords) => passwords,
        };
        let hashes = hashed_passwords(&passwords, progress, hash)?;
        drop(passwords);
        let _turn = self.uploads.turns.wait();
        let table = table::read(file, &terms.columns)?;
        // What has changed since the first look is judged here; what changes from now on, where it is written.
        let mut plan = self.ground.store.snapshot(|r| plan::planned(r, caller, group, terms, &table.rows))?;
        if plan.refused() > 0 && !terms.skip_refused {
            return Ok(preview(&mut plan, &table));
        }
        plan.give_hashes(&table.rows, hashes)?;
        let done = Preview { applied: true, ..preview(&mut plan, &table) };
        drop(table);
        self.carry_out(caller, group, plan, &done, progress)?;
        Ok(done)
    }

    /// Judges a file before its passwords are hashed. Rows and plan, which are large, do not outlive the turn;
    /// the second look makes them anew.
    fn first_look(
        &self,
        caller: &Caller,
        group: GroupId,
        terms: &ApplyOptions,
        file: &[u8],
    ) -> Result<FirstLook> {
        let _turn = self.uploads.turns.wait();
        let table = table::read(file, &terms.columns)?;
        let mut plan = self.ground.store.snapshot(|r| plan::planned(r, caller, group, terms, &table.rows))?;
        if plan.refused() > 0 && !terms.skip_refused {
            return Ok(FirstLook::Refused(preview(&mut plan, &table)));
        }
        let passwords =
            table.rows.into_iter().zip(&plan.rows).enumerate().filter_map(|(at, (row, planned))| {
                row.password.filter(|_| planned.is_a_change()).map(|password| (at, password))
            });
        Ok(FirstLook::Passwords(passwords.collect()))
    }
}

enum FirstLook {
    Refused(Preview),
    /// By row.
    Passwords(Vec<(usize, Secret)>),
}

/// The hashes of the passwords in the file, by row, made on as many threads as there are cores.
fn hashed_passwords(
    passwords: &[(usize, Secret)],
    progress: &Progress,
    hash: impl Fn(&Secret) -> Result<String> + Sync,
) -> Result<HashMap<usize, String>> {
    progress.begin(passwords.len());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let share = passwords.len().div_ceil(threads).max(1);
    let hash = |(at, password): &(usize, Secret)| -> Result<(usize, String)> {
        let hashed = hash(password)?;
        progress.step();
        Ok((*at, hashed))
    };
    let panicked = || vec![Err(Error::fault("password_hashing", "hashing a password panicked"))];
    let hashed: Vec<Result<(usize, String)>> = std::thread::scope(|scope| {
        let running: Vec<_> = passwords
            .chunks(share)
            .map(|chunk| scope.spawn(|| chunk.iter().map(&hash).collect::<Vec<_>>()))
            .collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|_| panicked())).collect()
    });
    hashed.into_iter().collect()
}

/// Says what a plan does. Takes the old and new values out of it: nobody needs them twice.
fn preview(plan: &mut Plan, table: &Table) -> Preview {
    let mut preview = Preview {
        columns: table.header.columns.clone(),
        rows: Vec::with_capacity(table.rows.len()),
        created: 0,
        changed: 0,
        unchanged: 0,
        refused: 0,
        applied: false,
    };
    for (row, planned) in table.rows.iter().zip(&mut plan.rows) {
        let warnings = if planned.is_a_change() { row.warnings() } else { Vec::new() };
        let (outcome, count) = match planned {
            Planned::Create(_) => (RowOutcome::Created, &mut preview.created),
            Planned::Change { fields, .. } => {
                (RowOutcome::Changed(std::mem::take(fields)), &mut preview.changed)
            }
            Planned::Nothing => (RowOutcome::Unchanged, &mut preview.unchanged),
            Planned::Refused(refusal) => (RowOutcome::Refused(refusal.clone()), &mut preview.refused),
        };
        *count += 1;
        preview.rows.push(PreviewRow { line: row.line, address: row.address.clone(), outcome, warnings });
    }
    preview
}

impl Preview {
    /// Bytes that it takes in memory, about: what was allocated, without what the allocator adds.
    pub fn bytes(&self) -> usize {
        let columns = self.columns.iter().map(|column| size_of::<HeaderColumn>() + column.name.capacity());
        let rows = self.rows.iter().map(PreviewRow::bytes);
        columns.chain(rows).sum()
    }
}

impl PreviewRow {
    fn bytes(&self) -> usize {
        let warnings = self.warnings.iter().map(|warning| size_of::<String>() + warning.capacity());
        let outcome = match &self.outcome {
            RowOutcome::Changed(changes) => changes.iter().map(FieldChange::bytes).sum(),
            RowOutcome::Refused(refusal) => refusal.value.capacity() + refusal.why.capacity(),
            RowOutcome::Created | RowOutcome::Unchanged => 0,
        };
        size_of::<PreviewRow>() + self.address.capacity() + warnings.sum::<usize>() + outcome
    }
}
