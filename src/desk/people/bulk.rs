//! Acts on several at once: all or none, with an error for each row, and one row in the access log when some were refused.

use super::People;
use crate::desk::ground::Ground;
use crate::desk::ground::permission;
use crate::desk::ground::refusal::what_was_wrong;
use crate::duty;
use crate::error::{Error, Kind, Result};
use crate::model::{Caller, GroupId};
use crate::store::Writer;

/// Most users of one call that makes or changes several. Wire contract §5.2.
pub const BULK_MAX: usize = 1_000;

/// Why several users were not made or changed: nothing was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkError {
    /// The call as a whole was refused or failed.
    Whole(Error),
    /// These rows, counted from 0, were refused.
    Rows(Vec<(usize, Error)>),
}

impl From<Error> for BulkError {
    fn from(error: Error) -> BulkError {
        BulkError::Whole(error)
    }
}

impl People {
    /// Hands `outcome` on; when rows were refused, the access log has one row of it first. `asked` names
    /// the rows that came.
    ///
    /// # Errors
    /// As [`Ground::logging_refusal`].
    pub(super) fn logging_refused_rows<T>(
        &self,
        caller: &Caller,
        group: GroupId,
        operation: &'static str,
        asked: &[impl LogName],
        outcome: std::result::Result<T, BulkError>,
    ) -> std::result::Result<T, BulkError> {
        if let Err(BulkError::Rows(rows)) = &outcome
            && let Some((row, first)) = rows.first()
        {
            self.ground.note_refused(caller, Some(group), operation, first.code, || {
                let subject = match (rows.len(), asked.get(*row)) {
                    (1, Some(named)) => named.name(&self.ground, group),
                    (refused, _) => format!("{refused} rows"),
                };
                let detail = match asked.len() {
                    1 => what_was_wrong(first),
                    _ => format!("nothing was changed; row {row}: {}", first.public),
                };
                (subject, detail)
            })?;
        }
        outcome
    }

    /// Passes a call that takes so many rows.
    pub(super) fn bulk_allowed(
        &self,
        caller: &Caller,
        group: GroupId,
        rows: usize,
        operation: &'static str,
    ) -> Result<()> {
        let allowed = permission::administer(caller, group).and_then(|()| {
            if rows <= BULK_MAX {
                return Ok(());
            }
            let public = format!("One call takes at most {BULK_MAX} users; this one has {rows}.");
            Err(Error::new(Kind::Invalid, "too_many_rows", public))
        });
        self.ground.logging_refusal(caller, Some(group), operation, &format!("{rows} users"), allowed)
    }

    /// Checks every row, on as many threads as there are cores, because passwords take their time.
    pub(super) fn each_row<R: Sync, T: Send>(
        &self,
        group: GroupId,
        with_passwords: bool,
        rows: &[R],
        check: impl Fn(&R) -> Result<T> + Sync,
    ) -> std::result::Result<Vec<T>, BulkError> {
        let _place = with_passwords.then(|| self.bulk_places.place(group)).transpose()?;
        duty::relieve();
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let share = rows.len().div_ceil(threads).max(1);
        let outcomes: Vec<Result<T>> = std::thread::scope(|scope| {
            let running: Vec<_> = rows
                .chunks(share)
                .map(|chunk| scope.spawn(|| chunk.iter().map(&check).collect::<Vec<_>>()))
                .collect();
            running
                .into_iter()
                .flat_map(|thread| {
                    thread
                        .join()
                        .unwrap_or_else(|_| vec![Err(Error::fault("row_check", "checking a row panicked"))])
                })
                .collect()
        });
        sorted_out(outcomes)
    }

    /// Runs a change of several rows in one transaction, and keeps it only when no row was refused.
    pub(super) fn all_or_none<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Writer<'_>) -> std::result::Result<Vec<T>, BulkError> + Send + 'static,
    ) -> std::result::Result<Vec<T>, BulkError> {
        let (report, reported) = std::sync::mpsc::sync_channel(1);
        let outcome = self.ground.store.write(self.ground.clock.now(), move |w| match change(w) {
            Ok(done) => Ok(done),
            Err(BulkError::Whole(error)) => Err(error),
            Err(BulkError::Rows(rows)) => {
                let _ = report.send(rows);
                Err(Error::new(Kind::Invalid, "rows_refused", "Some rows were refused. Nothing was changed."))
            }
        });
        outcome.map_err(|error| match reported.try_recv() {
            Ok(rows) => BulkError::Rows(rows),
            Err(_) => BulkError::Whole(error),
        })
    }
}

/// Does `act` for every row, also after one was refused, so that all refusals are told at once; what is no fault
/// of a row ends it.
pub(super) fn each<R, T>(
    rows: &[R],
    act: impl Fn(&R) -> Result<T>,
) -> std::result::Result<Vec<T>, BulkError> {
    sorted_out(rows.iter().map(act))
}

fn sorted_out<T>(outcomes: impl IntoIterator<Item = Result<T>>) -> std::result::Result<Vec<T>, BulkError> {
    let mut done = Vec::new();
    let mut refused = Vec::new();
    for (row, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(one) => done.push(one),
            // What is no fault of the row ends the whole.
            Err(error) if matches!(error.kind, Kind::Fault | Kind::Unavailable) => return Err(error.into()),
            Err(error) => refused.push((row, error)),
        }
    }
    if refused.is_empty() { Ok(done) } else { Err(BulkError::Rows(refused)) }
}

/// What an act was asked for, as the access log names it where the act succeeds.
pub(super) trait LogName {
    /// The name; as it came, when there is no such thing in `group`.
    fn name(&self, ground: &Ground, group: GroupId) -> String;
}

impl LogName for String {
    fn name(&self, _: &Ground, _: GroupId) -> String {
        self.clone()
    }
}
