//! A long file is written in portions, and is kept all or not at all.
//!
//! The one thread that writes must not be held for seconds, or everybody's sign-in waits. So a millisecond's work at a
//! time, new users are made, hidden ([`crate::store::ImportId`]), and changes of users who were there before are prepared
//! beside them; between two portions others have their turn. Then one short transaction puts the changes in force, and
//! makes all that was hidden visible. Users whom somebody else has changed meanwhile are judged again in it. What does not
//! go with the file any more ends it, and nothing is kept.
//!
//! A kill leaves hidden users, changes, or rows of the access log that wait; all are dealt with by [`People::end_imports`].

use std::sync::Arc;
use std::time::Instant;

use super::plan::{Plan, Planned, people_changed};
use super::{Preview, Progress};
use crate::desk::ground::pace::Pace;
use crate::desk::people::People;
use crate::desk::people::users::{CheckedChange, CheckedUser, UserKey, created, updated};
use crate::error::{Error, Kind, Result};
use crate::model::{Caller, GroupId, LogEntry, Puid, UserId};
use crate::store::{ImportId, ImportWork, Writer};

/// Up to so many rows go in one transaction.
const FEW: usize = 50;
/// A row of the file that changes something.
type RowChange = (UserKey, Box<CheckedChange>);

/// What a file does.
struct FileChanges {
    /// Users whose PUID another row takes over.
    freed: Vec<i64>,
    /// Neighbours in the indexes follow each other.
    new: Vec<CheckedUser>,
    /// By the user's number.
    changes: Arc<Vec<RowChange>>,
}

/// What is done in the last transaction, row by row.
#[derive(Default)]
struct Rest {
    new: Vec<CheckedUser>,
    /// Places in the changes of the file.
    changes: Vec<usize>,
}

impl FileChanges {
    fn of(plan: Plan) -> FileChanges {
        let (mut new, mut changes) = (Vec::new(), Vec::new());
        for row in plan.rows {
            match row {
                Planned::Create(user) => new.push(*user),
                Planned::Change { key, change, .. } => changes.push((key, change)),
                Planned::Nothing | Planned::Refused(_) => {}
            }
        }
        new.sort_by_cached_key(|user| user.address.as_str().to_ascii_lowercase());
        changes.sort_by_key(|(key, _)| number(key));
        FileChanges { freed: plan.freed, new, changes: Arc::new(changes) }
    }

    fn rows(&self) -> usize {
        self.new.len() + self.changes.len()
    }
}

/// The number of the user whom a row changes: [`super::plan`] names each so.
fn number(key: &UserKey) -> Option<i64> {
    match key {
        UserKey::Id(id) => Some(id.0),
        UserKey::Puid(_) | UserKey::Address(_) => None,
    }
}

impl People {
    /// Does what `plan` says, all or nothing.
    pub(super) fn carry_out(
        &self,
        caller: &Caller,
        group: GroupId,
        plan: Plan,
        done: &Preview,
        progress: &Progress,
    ) -> Result<()> {
        progress.begin(done.created + done.changed);
        let mut work = FileChanges::of(plan);
        let summary = format!(
            "{} created, {} changed, {} unchanged, {} refused",
            done.created, done.changed, done.unchanged, done.refused
        );
        let summary = LogEntry::done(caller, Some(group), "user.import", group.to_string(), summary);
        if work.rows() <= FEW {
            let rest =
                Rest { new: std::mem::take(&mut work.new), changes: (0..work.changes.len()).collect() };
            return self
                .come_into_force(caller, group, work, rest, None, summary, progress)
                .map_err(meanwhile);
        }
        let (count, by_server) = (work.new.len(), self.ground.serves);
        let begin = move |w: &Writer<'_>| w.begin_import(group, count, by_server);
        let import = self.ground.store.write_promised(self.ground.clock.now(), begin).wait()?;
        let kept = self.prepare(caller, group, &mut work, import, progress).and_then(|rest| {
            self.come_into_force(caller, group, work, rest, Some(import), summary, progress)
        });
        let last = if kept.is_ok() { ImportWork::AppendLog(import) } else { ImportWork::Sweep(import) };
        let ended = self.end_import(last);
        kept.map_err(meanwhile)?;
        // What is not appended yet follows: the import is in force.
        ended.or(Ok(()))
    }

    /// Makes new users that nobody sees, and prepares the changes of others. Rows that need a PUID which another row
    /// gives away are left for the end.
    fn prepare(
        &self,
        caller: &Caller,
        group: GroupId,
        work: &mut FileChanges,
        import: ImportId,
        progress: &Progress,
    ) -> Result<Rest> {
        let (mut rest, mut pace) = (Rest::default(), Pace::default());
        let mut new = std::mem::take(&mut work.new).into_iter();
        let mut changes = 0..work.changes.len();
        let some_are_freed = !work.freed.is_empty();
        loop {
            let portion = Rest {
                new: new.by_ref().take(pace.rows()).collect(),
                changes: changes.by_ref().take(pace.rows()).collect(),
            };
            if portion.new.is_empty() && portion.changes.is_empty() {
                return Ok(rest);
            }
            let (caller, progress, all) = (caller.clone(), progress.clone(), Arc::clone(&work.changes));
            let begun = Instant::now();
            let prepared = self.ground.store.write_promised(self.ground.clock.now(), move |w| {
                let begun = Instant::now();
                w.hide_in(import)?;
                let waits = |puid: Option<&Puid>| -> Result<bool> {
                    match puid.filter(|_| some_are_freed) {
                        None => Ok(false),
                        Some(puid) => Ok(w.member_by_puid(group, puid.as_str())?.is_some()),
                    }
                };
                let mut waiting = Rest::default();
                for user in portion.new {
                    if waits(user.puid.as_ref())? {
                        waiting.new.push(user);
                        continue;
                    }
                    created(w, &caller, group, &user)?;
                    progress.step();
                }
                for at in portion.changes {
                    let Some((key, change)) = all.get(at) else { continue };
                    let waits = waits(change.puid.iter().flatten().next())?;
                    let Some(user) = number(key).filter(|_| !waits) else {
                        waiting.changes.push(at);
                        continue;
                    };
                    w.prepare_change(UserId(user), || updated(w, &caller, group, key, change))?;
                    progress.step();
                }
                Ok((waiting, begun.elapsed()))
            });
            let (waiting, work) = prepared.wait()?;
            rest.new.extend(waiting.new);
            rest.changes.extend(waiting.changes);
            pace.portion_done(work, begun.elapsed());
        }
    }

    /// Puts in force what is prepared, does the rest, and makes visible what is hidden.
    #[allow(clippy::too_many_arguments)] // One transaction, from two callers.
    fn come_into_force(
        &self,
        caller: &Caller,
        group: GroupId,
        work: FileChanges,
        mut rest: Rest,
        import: Option<ImportId>,
        summary: LogEntry,
        progress: &Progress,
    ) -> Result<()> {
        let (caller, progress) = (caller.clone(), progress.clone());
        self.ground.store.write(self.ground.clock.now(), move |w| {
            import.map_or(Ok(()), |import| w.finish_import(import))?;
            // PUIDs that pass from one row's user to another's are freed first.
            work.freed.iter().try_for_each(|user| w.clear_puid(group, UserId(*user)))?;
            if let Some(import) = import {
                // Whom somebody else has changed meanwhile is judged again.
                for user in w.put_changes_in_force(import)? {
                    rest.changes
                        .extend(work.changes.binary_search_by_key(&Some(user.0), |(key, _)| number(key)));
                }
            }
            for (key, change) in rest.changes.iter().filter_map(|at| work.changes.get(*at)) {
                updated(w, &caller, group, key, change)?;
                progress.step();
            }
            for user in &rest.new {
                created(w, &caller, group, user)?;
                progress.step();
            }
            w.log(&summary)
        })
    }

    /// Ends what imports left behind: after a kill, at the start and about once a minute.
    ///
    /// # Errors
    /// Those of the store.
    pub(in crate::desk) fn end_imports(&self) -> Result<()> {
        let work = self.ground.store.read(|r| r.import_work())?;
        work.into_iter().try_for_each(|work| self.end_import(work))
    }

    /// Sweeps an import out, or appends its rows to the access log, a portion at a time.
    fn end_import(&self, work: ImportWork) -> Result<()> {
        self.ground.in_portions(move |w, rows| match work {
            ImportWork::Sweep(import) => w.sweep_import(import, rows),
            ImportWork::AppendLog(import) => w.append_import_log(import, rows),
        })
    }
}

/// What somebody else changed while the file was applied is not the fault of the file.
fn meanwhile(error: Error) -> Error {
    match error.kind {
        Kind::Conflict | Kind::Invalid | Kind::NotFound => people_changed().with_detail(error.to_string()),
        _ => error,
    }
}

#[cfg(test)]
#[path = "portions_tests.rs"]
mod tests;
