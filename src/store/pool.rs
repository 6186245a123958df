//! The readers: a few connections that are lent out, one task at a time each.

use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use super::connect;
use crate::duty;
use crate::error::{Error, Result};
use crate::promise::closing;

/// How long a closing store waits for those who still read.
const WAIT_FOR_LENT: Duration = Duration::from_secs(5);

pub(super) struct Pool {
    state: Mutex<ConnectionPoolState>,
    returned: Condvar,
}

struct ConnectionPoolState {
    idle: Vec<Connection>,
    /// Waking nobody is a system call too, which would cost each read as much as a look-up.
    waiting: usize,
    lent: usize,
    closed: bool,
}

impl Pool {
    pub fn open(path: &Path, readers: usize) -> Result<Pool> {
        let idle = (0..readers).map(|_| connect::reader(path)).collect::<Result<Vec<_>>>()?;
        Ok(Pool {
            state: Mutex::new(ConnectionPoolState { idle, waiting: 0, lent: 0, closed: false }),
            returned: Condvar::new(),
        })
    }

    /// Lends a connection to `task`; waits while all are lent.
    pub fn with<T>(&self, task: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        let mut state = self.lock();
        if state.idle.is_empty() {
            // Anyone who has them may read for long.
            drop(state);
            duty::relieve();
            state = self.lock();
        }
        let connection = loop {
            if state.closed {
                return Err(closing());
            }
            if let Some(connection) = state.idle.pop() {
                break connection;
            }
            state.waiting += 1;
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        };
        state.lent += 1;
        drop(state);
        let mut lent = Lent { pool: self, connection: Some(connection) };
        match &mut lent.connection {
            Some(connection) => task(connection),
            None => Err(Error::fault("reader_pool", "a lent reader is gone")),
        }
    }

    /// Closes the connections; those that are lent are waited for, a bounded time. Nobody is lent one any more.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.idle.clear();
        self.returned.notify_all();
        drop(self.returned.wait_timeout_while(state, WAIT_FOR_LENT, |state| state.lent > 0));
    }

    fn lock(&self) -> MutexGuard<'_, ConnectionPoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Brings the connection back, also when the task panics.
struct Lent<'p> {
    pool: &'p Pool,
    connection: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            let mut state = self.pool.lock();
            state.lent -= 1;
            if state.closed {
                drop(connection);
                self.pool.returned.notify_all();
                return;
            }
            state.idle.push(connection);
            let somebody_waits = state.waiting > 0;
            drop(state);
            if somebody_waits {
                self.pool.returned.notify_one();
            }
        }
    }
}
