//! The one thread that writes.
//!
//! Jobs wait in a bounded queue. The thread takes all that are waiting, runs each in one transaction, in a
//! savepoint of its own, commits once, and only then answers each: anyone who was answered has a durable change.
//! While another process holds the lock, [`super::queue`] says what becomes of them.
//! `synchronous=FULL` makes a commit cost a disk flush; sign-ins that arrive together share it.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::job::{Appended, Job, JobWork, QUEUE, Reply, tell};
use super::queue::{Patience, Queue};
use super::standing::Standing;
use super::{LOCKED, Reader, Writer, access_log, database_fault, log_file};
use crate::clock::Timestamp;
use crate::duty;
use crate::error::{Error, Kind, Result};
use crate::model::LogEntry;
use crate::promise::{Completion, Promise, Waiter, closing};

/// Jobs in one commit: bounds how long the first of them waits for the last.
const BATCH: usize = 256;

pub(super) struct WriterThread {
    // `Option` so that drop can close the queue and then wait for the thread.
    queue: Option<SyncSender<Job>>,
    /// Gives its connection back when it ends, and how many rows were not written that should have followed.
    thread: Mutex<Option<JoinHandle<(Connection, usize)>>>,
    standing: Standing,
}

/// What the thread itself knows.
struct WriterState {
    connection: Connection,
    path: PathBuf,
    log_keeper: log_file::Keeper,
    /// Whether a commit is the thread's own. When the disk is full or fails, SQLite gives the transaction up on
    /// its own, and each statement after that would be kept by itself, and reported as lost.
    committing: Arc<AtomicBool>,
    standing: Standing,
}

impl WriterThread {
    /// Starts the thread. `patience` says what becomes of those who wait while another process holds the database.
    pub fn start(mut connection: Connection, path: &Path, patience: Patience) -> Result<WriterThread> {
        let (queue, jobs) = sync_channel(QUEUE);
        let committing = Arc::new(AtomicBool::new(false));
        let own = Arc::clone(&committing);
        // What the hook answers is whether to roll back instead.
        connection.commit_hook(Some(move || !own.load(Ordering::Relaxed))).map_err(database_fault)?;
        // The queue waits for the lock, not the connection: so others can be answered meanwhile.
        connection.busy_timeout(Duration::ZERO).map_err(database_fault)?;
        let standing = Standing::default();
        let mut work = WriterState {
            connection,
            path: path.to_owned(),
            log_keeper: log_file::Keeper::default(),
            committing,
            standing: standing.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                let standing = work.standing.clone();
                let lost = work.serve(&mut Queue::new(jobs, patience, standing));
                (work.connection, lost)
            })
            .map_err(|e| Error::fault("writer_thread", e.to_string()))?;
        Ok(WriterThread { queue: Some(queue), thread: Mutex::new(Some(thread)), standing })
    }

    /// Whether writes work.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Runs a task in a savepoint of its own. `may_be_left` says that it is refused as soon as another process has held
    /// the database for more than a short while.
    pub fn run<T: Send + 'static>(
        &self,
        now: Timestamp,
        may_be_left: bool,
        task: impl FnOnce(&Writer<'_>) -> Result<T> + Send + 'static,
    ) -> Promise<T> {
        self.promise(may_be_left, move |receiver| {
            JobWork::Task(Box::new(move |begun| {
                let outcome = begun.map_err(Error::clone).and_then(|connection| {
                    let writer = Writer { reader: Reader { connection }, now, hiding: Cell::default() };
                    in_savepoint(&writer, task)
                });
                Box::new(move |committed| receiver(Box::new(move || kept(outcome, committed))))
            }))
        })
    }

    /// Appends a row.
    pub fn log(&self, now: Timestamp, entry: LogEntry, when: Appended) -> Promise<()> {
        self.promise(false, move |receiver| JobWork::Log { now, entry, when, receiver })
    }

    /// Queues the job when the promise is asked for. A job that the closed queue does not take is dropped with
    /// its receiver, which anyone who waits hears.
    fn promise<T: Send + 'static>(
        &self,
        may_be_left: bool,
        work: impl FnOnce(Box<dyn FnOnce(Completion<T>) + Send>) -> JobWork + Send + 'static,
    ) -> Promise<T> {
        let queue = self.queue.clone();
        let standing = self.standing.clone();
        Promise::for_waiter(move |waiter, receiver| match queue {
            Some(queue) => {
                standing.comes();
                let job = Job { waiter, since: Instant::now(), may_be_left, work: work(receiver) };
                match queue.try_send(job) {
                    Err(TrySendError::Full(job)) => {
                        duty::relieve();
                        drop(queue.send(job));
                    }
                    Ok(()) | Err(TrySendError::Disconnected(_)) => {}
                }
            }
            None => receiver(Box::new(|| Err(closing()))),
        })
    }
}

impl WriterThread {
    /// Ends the thread when all that waits is written, and gives its connection back, with the number of rows that
    /// should have followed and could not be written; `None` when it has ended before, or when it is this very
    /// thread, which cannot wait for itself.
    pub fn end(&self) -> Option<(Connection, usize)> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = thread.take_if(|thread| thread.thread().id() != std::thread::current().id())?;
        self.standing.comes();
        let last =
            Job { waiter: Waiter::Thread, since: Instant::now(), may_be_left: false, work: JobWork::End };
        let _ = self.queue.as_ref()?.send(last);
        let (mut connection, lost) = thread.join().ok()?;
        connection.commit_hook(None::<fn() -> bool>).ok()?;
        Some((connection, lost))
    }
}

impl WriterState {
    /// Works until it is told to end, and tells how many rows were not written that should have followed.
    fn serve(&mut self, queue: &mut Queue) -> usize {
        while queue.wait() {
            match self.begin() {
                Err(held) if held.code == LOCKED => {
                    if queue.lock_is_held(&held) {
                        break;
                    }
                }
                begun => {
                    queue.lock_is_free();
                    if self.transaction(begun, queue) {
                        break;
                    }
                    self.keep_log_short();
                }
            }
        }
        queue.rows.len()
    }

    /// Runs what waits in one transaction, and answers after its commit. Says whether the last job was among it.
    fn transaction(&mut self, begun: Result<()>, queue: &mut Queue) -> bool {
        let began = Instant::now();
        let mut answers: Vec<Reply> = Vec::new();
        let mut ends = false;
        let followed = if begun.is_ok() { self.append(&queue.rows) } else { 0 };
        while answers.len() < BATCH {
            // Those that wait still have the next transaction, when this one is gone.
            let goes_on = answers.is_empty() || !self.connection.is_autocommit();
            if !goes_on {
                break;
            }
            let Some(job) = queue.next() else { break };
            self.standing.is_served(job.since.elapsed());
            let Some(answer) = self.run(&begun, job) else {
                ends = true;
                break;
            };
            answers.push(answer);
        }
        let committed = begun.and_then(|()| self.commit());
        match &committed {
            Ok(()) => {
                queue.rows.drain(..followed);
                self.standing.worked(began.elapsed());
            }
            Err(error) => self.standing.failed(error),
        }
        answers.into_iter().for_each(|answer| tell(answer, committed.clone()));
        ends
    }

    /// Appends rows that follow what was answered; tells how many of them, from the first on, stand.
    fn append(&self, rows: &[(Timestamp, LogEntry)]) -> usize {
        rows.iter()
            .take_while(|(now, entry)| access_log::append(&self.connection, *now, entry).is_ok())
            .count()
    }

    /// After the answers, which need not wait for it. What fails here fails at the next commit too, and is said there.
    fn keep_log_short(&mut self) {
        self.committing.store(true, Ordering::Relaxed);
        let _ = self.log_keeper.keep_short(&self.connection, &self.path);
        self.committing.store(false, Ordering::Relaxed);
    }

    fn begin(&self) -> Result<()> {
        execute(&self.connection, "BEGIN IMMEDIATE")
    }

    fn commit(&self) -> Result<()> {
        self.still_begun()?;
        self.committing.store(true, Ordering::Relaxed);
        let committed = execute(&self.connection, "COMMIT").inspect_err(|_| self.roll_back());
        self.committing.store(false, Ordering::Relaxed);
        committed
    }

    /// A transaction that failed stays open; nothing of it is kept.
    fn roll_back(&self) {
        let _ = execute(&self.connection, "ROLLBACK");
    }

    fn still_begun(&self) -> Result<()> {
        match self.connection.is_autocommit() {
            false => Ok(()),
            true => Err(given_up()),
        }
    }

    /// Runs a job, unless there is no transaction. No answer: it was the last one.
    fn run(&mut self, begun: &Result<()>, job: Job) -> Option<Reply> {
        let begun = begun.clone().and_then(|()| self.still_begun());
        let failed = begun.as_ref().err();
        match job.work {
            JobWork::Task(task) => Some(task(failed.map_or(Ok(&self.connection), Err))),
            JobWork::End => None,
            JobWork::Log { now, entry, receiver, .. } => {
                let written = match failed {
                    Some(error) => Err(error.clone()),
                    // One statement undoes itself when it fails: no savepoint is needed.
                    None => access_log::append(&self.connection, now, &entry),
                };
                Some(Box::new(move |committed| receiver(Box::new(move || kept(written, committed)))))
            }
        }
    }
}

/// What came of a job, if its transaction held; a job that failed says more of it than the transaction.
fn kept<T>(outcome: Result<T>, committed: Result<()>) -> Result<T> {
    let value = outcome?;
    committed.map(|()| value)
}

fn in_savepoint<T>(writer: &Writer<'_>, task: impl FnOnce(&Writer<'_>) -> Result<T>) -> Result<T> {
    let connection = writer.reader.connection;
    execute(connection, "SAVEPOINT job")?;
    let outcome = caught(writer, task);
    // Where SQLite gave the transaction up, the savepoint is gone with it.
    if connection.is_autocommit() {
        return outcome.and(Err(given_up()));
    }
    let undone = if outcome.is_err() { execute(connection, "ROLLBACK TO job") } else { Ok(()) };
    match undone.and_then(|()| execute(connection, "RELEASE job")) {
        Ok(()) => outcome,
        // What cannot be undone alone is undone with the rest.
        Err(error) => {
            let _ = execute(connection, "ROLLBACK");
            Err(error)
        }
    }
}

fn caught<T>(writer: &Writer<'_>, task: impl FnOnce(&Writer<'_>) -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(|| task(writer)))
        .unwrap_or_else(|_| Err(Error::fault("writer_panic", "a write panicked")))
}

/// What those are told whose transaction ended without a commit.
fn given_up() -> Error {
    let public = "The database could not keep this. Nothing was changed; try again shortly.";
    Error::new(Kind::Unavailable, "transaction_given_up", public)
}

fn execute(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map_err(database_fault)?;
    Ok(())
}
