//! A long file is written in portions, and is kept all or not at all.
//!
//! The one thread that writes must not be held for seconds, or everybody's sign-in waits. So new users are made a
//! millisecond's work at a time, hidden ([`crate::store::ImportId`]), and between two portions others have their turn.
//! Then one short transaction makes the changes to users who were there before, and all that was hidden visible. What
//! somebody else changed meanwhile in a way that does not go with the file ends it, and nothing is kept.
//!
//! A kill leaves hidden users or rows of the access log that wait; both are dealt with by [`People::end_imports`].

use std::time::Instant;

use super::plan::{Plan, Planned, people_changed};
use super::{Preview, Progress};
use crate::desk::ground::pace::Pace;
use crate::desk::people::People;
use crate::desk::people::users::{CheckedChange, CheckedUser, UserKey, created, updated};
use crate::error::{Error, Kind, Result};
use crate::model::{Caller, GroupId, LogEntry, UserId};
use crate::store::{ImportId, ImportWork, Writer};

/// Up to so many new users go with the changes in one transaction.
const FEW: usize = 50;
/// What a file does to users who were there before, and to the few new ones that go with them.
struct Rest {
    /// Users whose PUID another row takes over.
    freed: Vec<i64>,
    changes: Vec<(UserKey, Box<CheckedChange>)>,
    new: Vec<CheckedUser>,
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
        let mut rest = Rest { freed: plan.freed, changes: Vec::new(), new: Vec::new() };
        let mut new = Vec::new();
        for row in plan.rows {
            match row {
                Planned::Create(user) => new.push(*user),
                Planned::Change { key, change, .. } => rest.changes.push((key, change)),
                Planned::Nothing | Planned::Refused(_) => {}
            }
        }
        let summary = format!(
            "{} created, {} changed, {} unchanged, {} refused",
            done.created, done.changed, done.unchanged, done.refused
        );
        let summary = LogEntry::done(caller, Some(group), "user.import", group.to_string(), summary);
        if new.len() <= FEW {
            rest.new = new;
            return self.come_into_force(caller, group, rest, None, summary, progress).map_err(meanwhile);
        }
        // Neighbours in the indexes are written together.
        new.sort_by_cached_key(|user| user.address.as_str().to_ascii_lowercase());
        let (count, by_server) = (new.len(), self.ground.serves);
        let begin = move |w: &Writer<'_>| w.begin_import(group, count, by_server);
        let import = self.ground.store.leave_trace(self.ground.clock.now(), begin).wait()?;
        let kept = self
            .hide(caller, group, new, &mut rest, import, progress)
            .and_then(|()| self.come_into_force(caller, group, rest, Some(import), summary, progress));
        let last = if kept.is_ok() { ImportWork::AppendLog(import) } else { ImportWork::Sweep(import) };
        let ended = self.end_import(last);
        kept.map_err(meanwhile)?;
        // What is not appended yet follows: the import is in force.
        ended.or(Ok(()))
    }

    /// Makes new users that nobody sees. Those that need a PUID which a change frees are left for the end.
    fn hide(
        &self,
        caller: &Caller,
        group: GroupId,
        new: Vec<CheckedUser>,
        rest: &mut Rest,
        import: ImportId,
        progress: &Progress,
    ) -> Result<()> {
        let (mut new, mut pace) = (new.into_iter(), Pace::default());
        let some_are_freed = !rest.freed.is_empty();
        loop {
            let portion: Vec<_> = new.by_ref().take(pace.rows()).collect();
            if portion.is_empty() {
                return Ok(());
            }
            let (caller, progress, begun) = (caller.clone(), progress.clone(), Instant::now());
            let made = self.ground.store.leave_trace(self.ground.clock.now(), move |w| {
                let begun = Instant::now();
                w.hide_in(import)?;
                let mut waiting = Vec::new();
                for user in portion {
                    let owner = user.puid.as_ref().filter(|_| some_are_freed);
                    let owner = owner.map(|puid| w.member_by_puid(group, puid.as_str())).transpose()?;
                    if owner.flatten().is_some() {
                        waiting.push(user);
                        continue;
                    }
                    created(w, &caller, group, &user)?;
                    progress.step();
                }
                Ok((waiting, begun.elapsed()))
            });
            let (waiting, work) = made.wait()?;
            rest.new.extend(waiting);
            pace.portion_done(work, begun.elapsed());
        }
    }

    /// Changes the users who were there before, and makes visible what is hidden.
    fn come_into_force(
        &self,
        caller: &Caller,
        group: GroupId,
        rest: Rest,
        import: Option<ImportId>,
        summary: LogEntry,
        progress: &Progress,
    ) -> Result<()> {
        let (caller, progress) = (caller.clone(), progress.clone());
        self.ground.store.write(self.ground.clock.now(), move |w| {
            // PUIDs that pass from one row's user to another's are freed first.
            rest.freed.iter().try_for_each(|user| w.clear_puid(group, UserId(*user)))?;
            for (key, change) in &rest.changes {
                updated(w, &caller, group, key, change)?;
                progress.step();
            }
            for user in &rest.new {
                created(w, &caller, group, user)?;
                progress.step();
            }
            import.map_or(Ok(()), |import| w.finish_import(import))?;
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
