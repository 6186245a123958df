//! While another process holds the write lock: no test waits for time to pass, each says itself how long that is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::model::queries::LogQuery;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;

use super::queue::LockWait;
use super::tests::{NOW, acme};
use super::*;
use crate::model::Caller;

/// Bounds only a test that fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A store that is told how long the lock has been held, and another process.
struct Beside {
    _directory: tempfile::TempDir,
    store: Store,
    stage: Arc<Mutex<LockWait>>,
    other: Connection,
}

fn beside() -> Beside {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path(), Mode::Lab, NOW).unwrap());
    let path = directory.path().join(DATABASE_FILE);
    let connection = open::for_server(&path, Mode::Lab, NOW, LostLog::Refuse, &|_| Ok(())).unwrap();
    let stage = Arc::new(Mutex::new(LockWait::Short));
    let told = Arc::clone(&stage);
    let patience = move |_| {
        let mut stage = told.lock().unwrap();
        match *stage {
            // Once: who is not told by it is told by nothing.
            LockWait::Over => std::mem::replace(&mut *stage, LockWait::Long),
            stage => stage,
        }
    };
    let other = Connection::open(&path).unwrap();
    Beside {
        store: Store::on(path, connection, Box::new(patience)).unwrap(),
        stage,
        other,
        _directory: directory,
    }
}

impl Beside {
    fn lock(&self, stage: LockWait) {
        self.say(stage);
        self.other.execute_batch("BEGIN IMMEDIATE").unwrap();
    }

    fn say(&self, stage: LockWait) {
        *self.stage.lock().unwrap() = stage;
    }

    fn unlock(&self) {
        self.other.execute_batch("ROLLBACK").unwrap();
    }

    /// Returns when the writer has looked at all that was queued before.
    fn looked(&self) {
        self.store.log_reading(NOW, row("looked")).unwrap();
    }

    fn logged(&self, subject: &str) -> usize {
        let query = LogQuery { limit: 10_000, ..LogQuery::default() };
        let rows = self.store.read(|r| r.log_rows(&query)).unwrap();
        rows.iter().filter(|row| row.subject == subject).count()
    }
}

fn row(subject: &str) -> LogEntry {
    LogEntry::done(&Caller::host(), None, "user.list", subject, "")
}

/// Queues writes of several kinds, and gives back where what became of them is told.
fn writes(store: &Store, each: usize) -> Receiver<Result<()>> {
    let (tell, told) = channel();
    for _ in 0..each {
        for promise in [
            store.write_promised(NOW, |w| w.log(&row("written"))),
            store.write_promised(NOW, |w| w.log(&row("written"))),
            store.log_promised(NOW, row("written")),
        ] {
            let tell = tell.clone();
            promise.deliver(move |outcome| tell.send(outcome()).unwrap());
        }
    }
    told
}

#[test]
fn all_who_wait_for_another_process_are_told_by_one_end_of_patience() {
    let beside = beside();
    beside.lock(LockWait::Long);
    let told = writes(&beside.store, 25);
    beside.looked();
    assert_eq!(told.try_recv(), Err(TryRecvError::Empty), "nobody is told before");
    beside.say(LockWait::Over);
    for _ in 0..75 {
        let error = told.recv_timeout(PATIENCE).unwrap().unwrap_err();
        assert_eq!((error.kind, error.code), (Kind::Unavailable, "database_locked"));
        assert!(error.public.contains("Another process") && error.public.contains("operator"), "{error}");
    }
    beside.unlock();
    assert_eq!(beside.store.log(NOW, row("after")), Ok(()));
    assert_eq!((beside.logged("written"), beside.logged("after")), (0, 1));
}

#[test]
fn a_lock_that_is_given_back_in_time_costs_nobody_anything() {
    let beside = beside();
    beside.lock(LockWait::Short);
    let told = writes(&beside.store, 5);
    let (tell, read) = channel();
    let owed = beside.store.inner.writer.log(NOW, row("read"), Appended::MayFollow);
    owed.deliver(move |outcome| tell.send(outcome()).unwrap());
    beside.unlock();
    (0..15).for_each(|_| told.recv_timeout(PATIENCE).unwrap().unwrap());
    assert_eq!(read.recv_timeout(PATIENCE).unwrap(), Ok(()));
    assert_eq!((beside.logged("written"), beside.logged("read")), (15, 1), "written before the answer");
}

#[test]
fn whoever_only_reads_goes_on_and_the_row_follows() {
    let beside = beside();
    beside.lock(LockWait::Long);
    let store = &beside.store;
    let noted = store.note(NOW, |w| w.insert_group(&acme()));
    assert_eq!(noted.wait(), Ok(()), "a note is left undone");
    assert_eq!(store.log_reading(NOW, row("read")), Ok(()));
    assert_eq!(beside.logged("read"), 0);
    assert_eq!(store.read(|r| r.groups()).unwrap(), []);
    beside.unlock();
    store.write(NOW, |_| Ok(())).unwrap();
    assert_eq!(beside.logged("read"), 1);
    assert_eq!(store.read(|r| r.groups()).unwrap(), [], "the note is not made later");
    // A stop writes them too.
    beside.lock(LockWait::Long);
    store.log_reading(NOW, row("last")).unwrap();
    beside.unlock();
    assert!(!matches!(store.close(), None | Some(Closed::RowsLost(_))));
    let count = "SELECT count(*) FROM access_log WHERE subject = 'last'";
    assert_eq!(beside.other.query_row(count, [], |row| row.get(0)), Ok(1));
}

#[test]
fn rows_that_follow_are_bounded_and_a_stop_says_how_many_are_lost() {
    let beside = beside();
    beside.lock(LockWait::Long);
    for _ in 0..4_096 {
        beside.store.log_reading(NOW, row("read")).unwrap();
    }
    let (tell, told) = channel();
    let one_more = beside.store.inner.writer.log(NOW, row("read"), Appended::MayFollow);
    one_more.deliver(move |outcome| tell.send(outcome()).unwrap());
    beside.say(LockWait::Over);
    assert_eq!(told.recv_timeout(PATIENCE).unwrap().unwrap_err().code, "database_locked");
    // The last job waits as the others do, and then the thread ends.
    beside.say(LockWait::Over);
    assert_eq!(beside.store.close(), Some(Closed::RowsLost(4_096)));
}

#[test]
fn only_so_many_threads_wait() {
    let beside = beside();
    beside.lock(LockWait::Long);
    let (tell, told) = channel();
    std::thread::scope(|scope| {
        for _ in 0..100 {
            let (store, tell) = (&beside.store, tell.clone());
            scope.spawn(move || tell.send(store.write(NOW, |_| Ok(()))).unwrap());
        }
        for _ in 0..4 {
            assert_eq!(told.recv_timeout(PATIENCE).unwrap().unwrap_err().code, "database_locked");
        }
        beside.looked();
        assert!(told.try_recv().is_err(), "96 wait");
        beside.unlock();
        (0..96).for_each(|_| told.recv_timeout(PATIENCE).unwrap().unwrap());
    });
}
