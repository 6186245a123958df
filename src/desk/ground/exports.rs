//! Copies of lists that are being taken: exports of users and of the access log.
//!
//! An export is read by key, a page at a time, while its client takes it: however slow the client is, nothing of the
//! database is held meanwhile. What was changed after it began may stand in it or not. Each is bounded in memory; so
//! that all together are, too, and so that nobody's keep others out, few run at once: one of each caller, some of each
//! group.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Kind, Result};
use crate::model::{Actor, Caller, GroupId};

/// Exports that run at once, in all.
const IN_ALL: usize = 16;
/// Of these, of one group; those of the whole appliance are counted as a group's.
const OF_A_GROUP: usize = 4;

/// The exports that run.
#[derive(Default)]
pub struct Exports {
    running: Arc<Mutex<Vec<Running>>>,
}

type Running = (Actor, Option<GroupId>);

/// The right to run one export; given back when dropped.
pub struct ExportPermit {
    running: Arc<Mutex<Vec<Running>>>,
    own: Running,
}

impl Exports {
    /// Gives a place to an export of `caller`.
    ///
    /// # Errors
    /// `Unavailable` with code `export_busy`.
    pub fn place(&self, caller: &Caller, group: Option<GroupId>) -> Result<ExportPermit> {
        let mut running = locked(&self.running);
        if running.iter().any(|(actor, _)| *actor == caller.actor) {
            return Err(busy("Another export of yours is running. Wait until it ends, or stop it."));
        }
        if running.iter().filter(|(_, of)| *of == group).count() >= OF_A_GROUP || running.len() >= IN_ALL {
            return Err(busy("Other exports are running at this moment. Try again shortly."));
        }
        let own = (caller.actor.clone(), group);
        running.push(own.clone());
        Ok(ExportPermit { running: Arc::clone(&self.running), own })
    }
}

impl Drop for ExportPermit {
    fn drop(&mut self) {
        let mut running = locked(&self.running);
        if let Some(at) = running.iter().position(|running| *running == self.own) {
            running.swap_remove(at);
        }
    }
}

fn locked(running: &Mutex<Vec<Running>>) -> MutexGuard<'_, Vec<Running>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

fn busy(public: &str) -> Error {
    Error::new(Kind::Unavailable, "export_busy", public)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OperatorId;

    fn operator(id: i64) -> Caller {
        let actor = Actor::Operator { id: OperatorId(id), name: format!("operator {id}") };
        Caller { actor, ip: None }
    }

    #[test]
    fn one_export_of_each_caller_some_of_each_group_and_few_in_all() {
        let exports = Exports::default();
        let place = |id, group| exports.place(&operator(id), Some(GroupId(group)));
        let refused = |id, group| place(id, group).err().map(|error| error.code);
        let first = place(1, 7);
        assert_eq!(refused(1, 8), Some("export_busy"));
        let more: Vec<_> = (2..5).map(|id| place(id, 7)).collect();
        assert!(first.is_ok() && more.iter().all(Result::is_ok));
        assert_eq!(refused(9, 7), Some("export_busy"));
        let others: Vec<_> = (10..22).map(|id| place(id, id)).collect();
        assert!(others.iter().all(Result::is_ok));
        assert_eq!(refused(30, 30), Some("export_busy"));
        drop(first);
        assert_eq!(refused(1, 30), None);
        assert_eq!(locked(&exports.running).len(), 15);
    }
}
