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
use crate::error::{Error, Result};
use crate::model::LogEntry;
use crate::promise::{Outcome, Promise, closing};

/// Jobs that may wait; more callers than that wait for a place in the queue.
const QUEUE: usize = 1024;
/// Jobs in one commit: bounds how long the first of them waits for the last.
const BATCH: usize = 256;

/// Runs inside the transaction, or learns why there is none; gives back how to answer, once it is known
/// whether the commit held. An answer passes an outcome on and does nothing that could take long.
type Task = Box<dyn FnOnce(std::result::Result<&Connection, &Error>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<()>) + Send>;

enum Job {
    Task(Task),
    Log { now: Timestamp, entry: LogEntry, receiver: Box<dyn FnOnce(Outcome<()>) + Send> },
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
    ) -> Promise<T> {
        self.promise(move |receiver| {
            Job::Task(Box::new(move |connection| {
                let outcome = match connection {
                    Ok(connection) => in_savepoint(connection, now, task),
                    Err(error) => Err(error.clone()),
                };
                Box::new(move |committed: Result<()>| receiver(Box::new(move || committed.and(outcome))))
            }))
        })
    }

    pub fn log(&self, now: Timestamp, entry: LogEntry) -> Promise<()> {
        self.promise(move |receiver| Job::Log { now, entry, receiver })
    }

    /// Queues the job when the promise is asked for. A job that the closed queue does not take is dropped with
    /// its receiver, which whoever waits hears.
    fn promise<T: Send + 'static>(
        &self,
        job: impl FnOnce(Box<dyn FnOnce(Outcome<T>) + Send>) -> Job + Send + 'static,
    ) -> Promise<T> {
        let queue = self.queue.clone();
        Promise::new(move |receiver| match queue {
            Some(queue) => drop(queue.send(job(receiver))),
            None => receiver(Box::new(|| Err(closing()))),
        })
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.queue = None;
        // The last that knows of the store may be an outcome on its way: a thread cannot wait for itself.
        if let Some(thread) =
            self.thread.take_if(|thread| thread.thread().id() != std::thread::current().id())
        {
            let _ = thread.join();
        }
    }
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
            let committed = committed.clone();
            // The thread outlives whatever is told; who was not told is told that by the drop.
            let _ = catch_unwind(AssertUnwindSafe(|| answer(committed)));
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
        Job::Log { now, entry, receiver } => {
            // One statement undoes itself when it fails: no savepoint is needed.
            let written = connection.map_err(Error::clone).and_then(|c| access_log::append(c, now, &entry));
            Box::new(move |committed| receiver(Box::new(move || committed.and(written))))
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
