//! What waits in the writer's queue, and how those who sent it are answered.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use rusqlite::Connection;

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::model::LogEntry;
use crate::promise::{Completion, Waiter};

/// Jobs that may wait; more callers than that wait for a place in the queue.
pub(super) const QUEUE: usize = 1024;
/// Something to be done, and what waits for it.
pub(super) struct Job {
    pub waiter: Waiter,
    /// Since when it waits.
    pub since: Instant,
    /// Whether it is refused as soon as another process has held the database for more than a short while.
    pub may_be_left: bool,
    pub work: JobWork,
}

pub(super) enum JobWork {
    Task(Task),
    /// A row of the access log on which nothing hangs but an answer.
    Log {
        now: Timestamp,
        entry: LogEntry,
        when: Appended,
        receiver: LogReceiver,
    },
    /// The last job: the thread ends.
    End,
}

/// When a row of the access log is appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Appended {
    /// Before anybody is answered.
    First,
    /// The same, but while another process holds the database the answer goes first, and the row follows.
    MayFollow,
}

/// Learns that the row was written.
pub(super) type LogReceiver = Box<dyn FnOnce(Completion<()>) + Send>;

/// Runs inside the transaction, or learns why there is none; gives back how to answer, once it is known whether the
/// commit held. An answer passes an outcome on and does nothing that could take long.
pub(super) type Task = Box<dyn FnOnce(std::result::Result<&Connection, &Error>) -> Reply + Send>;
pub(super) type Reply = Box<dyn FnOnce(Result<()>) + Send>;

/// Tells somebody who waits. The thread outlives whatever is told; who was not told is told that by the drop.
pub(super) fn tell(answer: Reply, committed: Result<()>) {
    let _ = catch_unwind(AssertUnwindSafe(|| answer(committed)));
}
