//! The writer's queue, and what becomes of those who wait in it while another process holds the database's write lock.
//!
//! A command on the host holds the lock for milliseconds, a repair or a backup tool for as long as it likes. So:
//!
//! - For a short while ([`LockWait::Short`]) everyone waits: nobody notices a command that writes.
//! - Then ([`LockWait::Long`]) anyone who has read something and only owes a row of the access log is answered, and the row
//!   follows when the lock is free; a note on which nothing hangs is left undone; and of those who wait with a thread each,
//!   only so many go on waiting, so that reads find threads.
//! - When [`BOUND`] is over ([`LockWait::Over`]), counted from the first that waited, all are told so together, and
//!   anyone who comes after that is told at once, until the lock is free.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::connect::BUSY_TIMEOUT;
use super::job::{Appended, Job, JobWork, QUEUE, tell};
use super::standing::Standing;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::model::LogEntry;
use crate::promise::Waiter;

/// For how long a lock is taken for that of a command on the host.
const SHORT: Duration = Duration::from_millis(100);
/// After which all who wait are told.
const BOUND: Duration = BUSY_TIMEOUT;
/// How often the writer tries to have the lock: so late it learns that it is free.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Threads that may wait for longer than [`SHORT`]. The gate has 128.
const THREADS: usize = 96;
/// Rows that may be written later; each has a few hundred bytes. Anyone who owes one more waits as those do who write.
const ROWS: usize = 4_096;

/// How long another process has held the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LockWait {
    Short,
    Long,
    Over,
}

/// Judges how long that is.
pub(super) type Patience = Box<dyn Fn(Duration) -> LockWait + Send>;

/// The patience of a server, and of a command.
pub(super) fn patience() -> Patience {
    Box::new(|held_for| match held_for {
        short if short < SHORT => LockWait::Short,
        long if long < BOUND => LockWait::Long,
        _ => LockWait::Over,
    })
}

pub(super) struct Queue {
    jobs: Receiver<Job>,
    /// What was taken out of `jobs` while the lock was held.
    waiting: VecDeque<Job>,
    /// Rows of the access log that follow what was answered.
    pub rows: Vec<(Timestamp, LogEntry)>,
    /// Since when another process has held the lock, as far as is known.
    held_since: Option<Instant>,
    patience: Patience,
    standing: Standing,
}

impl Queue {
    pub fn new(jobs: Receiver<Job>, patience: Patience, standing: Standing) -> Queue {
        Queue { jobs, waiting: VecDeque::new(), rows: Vec::new(), held_since: None, patience, standing }
    }

    /// Waits until the lock is to be tried: for a job, or while it is held, a little. `false` when nobody can send a
    /// job any more.
    pub fn wait(&mut self) -> bool {
        let job = match self.held_since {
            None if !self.waiting.is_empty() => return true,
            None => self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(_) => self.jobs.recv_timeout(LOOK_EVERY),
        };
        let goes_on = job.as_ref().err() != Some(&RecvTimeoutError::Disconnected);
        self.waiting.extend(job);
        goes_on
    }

    /// The next job that is there.
    pub fn next(&mut self) -> Option<Job> {
        self.waiting.pop_front().or_else(|| self.jobs.try_recv().ok())
    }

    pub fn lock_is_free(&mut self) {
        self.held_since = None;
    }

    /// Answers whom it may answer without the lock. Says whether the last job was among them.
    pub fn lock_is_held(&mut self, held: &Error) -> bool {
        let since = *self.held_since.get_or_insert_with(Instant::now);
        // Looked at before anybody is taken out of the queue, so that anyone who is told was there in time.
        let stage = (self.patience)(since.elapsed());
        let places =
            if stage == LockWait::Short { QUEUE.saturating_sub(self.waiting.len()) } else { usize::MAX };
        self.waiting.extend(self.jobs.try_iter().take(places));
        let mut ends = false;
        if stage == LockWait::Short {
            return ends;
        }
        if stage == LockWait::Over {
            self.standing.failed(held);
        }
        let (mut threads, mut places) = (THREADS, QUEUE);
        for job in std::mem::take(&mut self.waiting) {
            let Some(job) = self.answered_before_its_row(job) else { continue };
            let is_last = matches!(job.work, JobWork::End);
            let stays = match job.waiter {
                _ if stage == LockWait::Over || job.may_be_left => false,
                _ if is_last => true,
                Waiter::Thread => threads > 0 && places > 0,
                Waiter::Receiver => places > 0,
            };
            ends |= is_last && !stays;
            if !stays {
                refuse(job, held, &self.standing);
                continue;
            }
            threads = threads.saturating_sub(usize::from(job.waiter == Waiter::Thread));
            places = places.saturating_sub(1);
            self.waiting.push_back(job);
        }
        ends
    }

    /// Answers anyone who owes only a row, while there is room for it; gives back any other job.
    fn answered_before_its_row(&mut self, job: Job) -> Option<Job> {
        match job.work {
            JobWork::Log { now, entry, when: Appended::MayFollow, receiver } if self.rows.len() < ROWS => {
                self.standing.is_served(job.since.elapsed());
                self.rows.push((now, entry));
                tell(Box::new(|_| receiver(Box::new(|| Ok(())))), Ok(()));
                None
            }
            _ => Some(job),
        }
    }
}

fn refuse(job: Job, held: &Error, standing: &Standing) {
    standing.is_served(job.since.elapsed());
    let refused: Result<()> = Err(held.clone());
    match job.work {
        JobWork::Task(task) => {
            let answer = task(Err(held));
            tell(answer, refused);
        }
        JobWork::Log { receiver, .. } => {
            let error = held.clone();
            tell(Box::new(|_| receiver(Box::new(|| Err(error)))), refused);
        }
        JobWork::End => {}
    }
}
