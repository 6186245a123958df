//! The one thread that writes.
//!
//! Jobs wait in a bounded queue. The thread takes all that are waiting, runs each in a savepoint of one
//! transaction, commits once, and only then answers each: whoever was answered has a durable change.
//! `synchronous=FULL` makes a commit cost a disk flush; sign-ins that arrive together share it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::{Reader, Writer, access_log, database_fault};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::model::LogEntry;

/// Jobs that may wait; more callers than that wait for a place in the queue.
const QUEUE: usize = 1024;
/// Jobs in one commit: bounds how long the first of them waits for the last.
const BATCH: usize = 256;

/// Runs inside the transaction, or learns why there is none; gives back how to answer, once it is known
/// whether the commit held.
type Task = Box<dyn FnOnce(std::result::Result<&Connection, &Error>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<()>) + Send>;

enum Job {
    Task(Task),
    Log { now: Timestamp, entry: LogEntry, reply: SyncSender<Result<()>> },
}

pub(super) struct WriterThread {
    // `Option` so that drop can close the queue and then wait for the thread.
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl WriterThread {
    pub fn start(connection: Connection) -> Result<WriterThread> {
        let (queue, jobs) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || serve(&connection, &jobs))
            .map_err(|e| Error::fault("writer_thread", e.to_string()))?;
        Ok(WriterThread { queue: Some(queue), thread: Some(thread) })
    }

    pub fn run<T: Send + 'static>(
        &self,
        now: Timestamp,
        task: impl FnOnce(&Writer<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answered) = sync_channel(1);
        let task: Task = Box::new(move |connection| {
            let outcome = match connection {
                Ok(connection) => in_savepoint(connection, now, task),
                Err(error) => Err(error.clone()),
            };
            Box::new(move |committed: Result<()>| {
                // Whoever asked may be gone; the change stands all the same.
                let _ = reply.send(committed.and(outcome));
            })
        });
        self.send(Job::Task(task))?;
        answered.recv().map_err(|_| closing())?
    }

    pub fn log(&self, now: Timestamp, entry: LogEntry) -> Result<()> {
        let (reply, answered) = sync_channel(1);
        self.send(Job::Log { now, entry, reply })?;
        answered.recv().map_err(|_| closing())?
    }

    fn send(&self, job: Job) -> Result<()> {
        self.queue.as_ref().ok_or_else(closing)?.send(job).map_err(|_| closing())
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn closing() -> Error {
    Error::new(Kind::Unavailable, "store_closing", "The server is stopping. Try again shortly.")
}

fn serve(connection: &Connection, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let mut answers: Vec<Answer> = Vec::new();
        let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(database_fault);
        let mut next = Some(first);
        while let Some(job) = next.take() {
            answers.push(run(begun.as_ref().map(|()| connection), job));
            if answers.len() < BATCH {
                next = jobs.try_recv().ok();
            }
        }
        let committed = begun.and_then(|()| commit(connection));
        for answer in answers {
            answer(committed.clone());
        }
    }
}

fn commit(connection: &Connection) -> Result<()> {
    connection.execute_batch("COMMIT").map_err(|error| {
        // A commit that failed leaves its transaction open; nothing of it is kept.
        let _ = connection.execute_batch("ROLLBACK");
        database_fault(error)
    })
}

fn run(connection: std::result::Result<&Connection, &Error>, job: Job) -> Answer {
    match job {
        Job::Task(task) => task(connection),
        Job::Log { now, entry, reply } => {
            // One statement undoes itself when it fails: no savepoint is needed.
            let written = connection.map_err(Error::clone).and_then(|c| access_log::append(c, now, &entry));
            Box::new(move |committed| {
                let _ = reply.send(committed.and(written));
            })
        }
    }
}

fn in_savepoint<T>(
    connection: &Connection,
    now: Timestamp,
    task: impl FnOnce(&Writer<'_>) -> Result<T>,
) -> Result<T> {
    let statement = |sql| -> Result<()> {
        connection.prepare_cached(sql).and_then(|mut s| s.execute([])).map_err(database_fault)?;
        Ok(())
    };
    statement("SAVEPOINT job")?;
    let writer = Writer { reader: Reader { connection }, now };
    let outcome = catch_unwind(AssertUnwindSafe(|| task(&writer)))
        .unwrap_or_else(|_| Err(Error::fault("writer_panic", "a write panicked")));
    if outcome.is_err() {
        statement("ROLLBACK TO job")?;
    }
    statement("RELEASE job")?;
    outcome
}
