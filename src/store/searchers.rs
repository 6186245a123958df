//! The connections for what may take long: lists, searches, exports.
//!
//! There are few, and those who wait for one hold a thread each. So few wait, not for long, and the others are told
//! to come again: of one asker a handful, of one group not all. Anyone who asks for a group that nobody searches at the
//! moment goes before those whose group has a connection already.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::database_fault;
use super::pool::Pool;
use crate::duty;
use crate::error::{Error, Kind, Result};
use crate::model::{Actor, Caller, GroupId};

/// Who may wait at once, in all.
const WAITING: usize = 16;
/// Of these, for one group.
const OF_A_GROUP: usize = 6;
/// Of these, of one asker.
const OF_AN_ASKER: usize = 3;
/// How long they wait.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long an export waits for its next page: it was let in as one of few, and would be lost.
const PATIENCE_OF_AN_EXPORT: Duration = Duration::from_secs(30);

/// Who searches, and in which group: those who wait take turns by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    pub actor: Actor,
    /// `None`: the whole appliance.
    pub group: Option<GroupId>,
    /// One of the few exports that run: always let in to wait, and for longer.
    pub exports: bool,
    /// How long the reading itself may take; `None` for as long as it takes.
    pub most: Option<Duration>,
}

impl Asker {
    /// The caller, who searches in `group`.
    pub fn of(caller: &Caller, group: Option<GroupId>) -> Asker {
        Asker { actor: caller.actor.clone(), group, exports: false, most: None }
    }

    /// The same, whose search is broken off after `most`, unless it is an export's.
    pub fn within(self, most: Duration) -> Asker {
        Asker { most: (!self.exports).then_some(most), ..self }
    }

    /// The same, for an export that has its place among those that run.
    pub fn exporting(self) -> Asker {
        Asker { exports: true, ..self }
    }
}

pub(super) struct Searchers {
    connections: Pool,
    state: Mutex<SearcherState>,
    changed: Condvar,
    patience: Duration,
}

#[derive(Default)]
struct SearcherState {
    /// Connections that are not lent.
    free: usize,
    /// The groups in which somebody searches, once for each connection.
    searched: Vec<Option<GroupId>>,
    /// Who waits, in the order in which they came.
    waiting: Vec<(u64, Asker)>,
    next_ticket: u64,
}

impl SearcherState {
    /// Whose turn it is when a connection is free.
    fn next(&self) -> Option<u64> {
        let is_new = |(_, asker): &&(u64, Asker)| !self.searched.contains(&asker.group);
        self.waiting.iter().find(is_new).or_else(|| self.waiting.first()).map(|(ticket, _)| *ticket)
    }

    fn may_wait(&self, asker: &Asker) -> bool {
        let waiting =
            |is: &dyn Fn(&Asker) -> bool| self.waiting.iter().filter(|(_, w)| !w.exports && is(w)).count();
        asker.exports
            || waiting(&|_| true) < WAITING
                && waiting(&|w| w.group == asker.group) < OF_A_GROUP
                && waiting(&|w| w.actor == asker.actor) < OF_AN_ASKER
    }
}

impl Searchers {
    pub fn new(connections: Pool, count: usize) -> Searchers {
        let state = SearcherState { free: count, ..SearcherState::default() };
        Searchers { connections, state: Mutex::new(state), changed: Condvar::new(), patience: PATIENCE }
    }

    /// As [`Pool::close`].
    pub fn close(&self) {
        self.connections.close();
    }

    /// Lends a connection to `task`, when it is the asker's turn.
    ///
    /// # Errors
    /// `Unavailable` with code `search_busy` when too many wait already, or it took too long. `Invalid` with code
    /// `search_too_broad` when the asker's search was broken off.
    pub fn with<T>(&self, asker: &Asker, task: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let _turn = self.turn(asker)?;
        self.connections.with(|connection| match asker.most {
            Some(most) => broken_off_after(most, connection, task),
            None => task(connection),
        })
    }

    fn turn(&self, asker: &Asker) -> Result<SearchPermit<'_>> {
        let mut state = self.lock();
        if state.free == 0 || !state.waiting.is_empty() {
            if !state.may_wait(asker) {
                return Err(busy());
            }
            let ticket = state.next_ticket;
            state.next_ticket += 1;
            state.waiting.push((ticket, asker.clone()));
            drop(state);
            // Anyone who has them may read for long.
            duty::relieve();
            let patience = if asker.exports { PATIENCE_OF_AN_EXPORT } else { self.patience };
            let until = Instant::now() + patience;
            state = self.lock();
            while state.free == 0 || state.next() != Some(ticket) {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    state.waiting.retain(|(waiting, _)| *waiting != ticket);
                    // It may have been the next.
                    self.changed.notify_all();
                    return Err(busy());
                }
                state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            }
            state.waiting.retain(|(waiting, _)| *waiting != ticket);
        }
        state.free -= 1;
        state.searched.push(asker.group);
        if state.free > 0 && !state.waiting.is_empty() {
            self.changed.notify_all();
        }
        Ok(SearchPermit { searchers: self, group: asker.group })
    }

    fn lock(&self) -> MutexGuard<'_, SearcherState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to a connection; given back when dropped.
struct SearchPermit<'s> {
    searchers: &'s Searchers,
    group: Option<GroupId>,
}

impl Drop for SearchPermit<'_> {
    fn drop(&mut self) {
        let mut state = self.searchers.lock();
        state.free += 1;
        if let Some(at) = state.searched.iter().position(|group| *group == self.group) {
            state.searched.swap_remove(at);
        }
        let somebody_waits = !state.waiting.is_empty();
        drop(state);
        if somebody_waits {
            self.searchers.changed.notify_all();
        }
    }
}

/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 1_000;

fn broken_off_after<T>(
    most: Duration,
    connection: &mut Connection,
    task: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    /// Lets the connection run freely again, also when the task panics.
    struct Watched<'c>(&'c mut Connection);
    impl Drop for Watched<'_> {
        fn drop(&mut self) {
            let _ = self.0.progress_handler(0, None::<fn() -> bool>);
        }
    }
    let over = Arc::new(AtomicBool::new(false));
    let (told, begun) = (Arc::clone(&over), Instant::now());
    let is_over = move || {
        let is_over = begun.elapsed() >= most;
        told.fetch_or(is_over, Ordering::Relaxed);
        is_over
    };
    let watched = Watched(connection);
    watched.0.progress_handler(STEPS, Some(is_over)).map_err(database_fault)?;
    let outcome = task(watched.0);
    match outcome {
        Err(_) if over.load(Ordering::Relaxed) => Err(too_broad()),
        outcome => outcome,
    }
}

fn too_broad() -> Error {
    let public = "This search took too long and was stopped. Search for a whole word, or for more letters of a rarer word.";
    Error::invalid("search_too_broad", "search", public)
}

fn busy() -> Error {
    let public = "Too many lists, searches and exports are running. Try again shortly.";
    Error::new(Kind::Unavailable, "search_busy", public)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::mpsc::channel;

    use super::*;
    use crate::model::OperatorId;

    fn searchers(count: usize, patience: Duration) -> Searchers {
        let pool = Pool::open(std::path::Path::new(":memory:"), 0).unwrap();
        Searchers { patience, ..Searchers::new(pool, count) }
    }

    fn asker(id: i64, group: i64) -> Asker {
        Asker {
            actor: Actor::Operator { id: OperatorId(id), name: String::new() },
            group: Some(GroupId(group)),
            exports: false,
            most: None,
        }
    }

    /// As if these waited already.
    fn waiting(searchers: &Searchers, askers: impl IntoIterator<Item = Asker>) {
        searchers.lock().waiting.extend(askers.into_iter().map(|asker| (u64::MAX, asker)));
    }

    fn refused(searchers: &Searchers, asker: &Asker) -> Option<&'static str> {
        searchers.turn(asker).err().map(|error| error.code)
    }

    #[test]
    fn few_wait_fewer_of_one_group_and_of_one_asker_and_none_for_ever() {
        // With patience without end, anyone who is let in to wait would hang here.
        let forever = Duration::from_secs(1 << 32);
        let full = searchers(0, forever);
        waiting(&full, (0..16).map(|n| asker(n, n)));
        assert_eq!(refused(&full, &asker(99, 99)), Some("search_busy"));

        let of_a_group = searchers(0, forever);
        waiting(&of_a_group, (0..6).map(|n| asker(n, 7)));
        assert_eq!(refused(&of_a_group, &asker(99, 7)), Some("search_busy"));

        let of_an_asker = searchers(0, forever);
        waiting(&of_an_asker, (0..3).map(|n| asker(1, n)));
        assert_eq!(refused(&of_an_asker, &asker(1, 99)), Some("search_busy"));

        let soon = searchers(0, Duration::ZERO);
        assert_eq!(refused(&soon, &asker(1, 7)), Some("search_busy"));
        assert!(soon.lock().waiting.is_empty(), "whoever gave up does not wait any more");
    }

    #[test]
    fn a_group_that_nobody_searches_goes_before_one_that_has_a_connection() {
        let state = |searched: &[i64], waiting: &[(u64, i64)]| SearcherState {
            searched: searched.iter().map(|group| Some(GroupId(*group))).collect(),
            waiting: waiting.iter().map(|(ticket, group)| (*ticket, asker(1, *group))).collect(),
            ..SearcherState::default()
        };
        assert_eq!(state(&[7], &[(1, 7), (2, 7), (3, 8)]).next(), Some(3));
        assert_eq!(state(&[7, 8], &[(1, 7), (2, 8)]).next(), Some(1));
        assert_eq!(state(&[], &[(1, 7), (2, 8)]).next(), Some(1));
        assert_eq!(state(&[7], &[]).next(), None);
    }

    #[test]
    fn a_connection_that_comes_back_goes_to_whoever_waits() {
        let searchers = searchers(1, Duration::from_secs(600));
        let turn = searchers.turn(&asker(1, 7)).unwrap();
        let (done, was_done) = channel();
        std::thread::scope(|scope| {
            for n in 2..4 {
                let (searchers, done) = (&searchers, done.clone());
                scope.spawn(move || done.send(searchers.turn(&asker(n, 7)).is_ok()).unwrap());
            }
            drop(turn);
            assert!(was_done.recv().unwrap() && was_done.recv().unwrap());
        });
        assert_eq!(searchers.lock().free, 1);
    }
}
