//! The readers: a few connections that are lent out, one task at a time each.

use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::open;
use crate::duty;
use crate::error::{Error, Result};

pub(super) struct Pool {
    state: Mutex<State>,
    returned: Condvar,
}

struct State {
    idle: Vec<Connection>,
    /// Waking nobody is a system call too, which would cost each read as much as a look-up.
    waiting: usize,
}

impl Pool {
    pub fn open(path: &Path, readers: usize) -> Result<Pool> {
        let idle = (0..readers).map(|_| open::reader_connection(path)).collect::<Result<Vec<_>>>()?;
        Ok(Pool { state: Mutex::new(State { idle, waiting: 0 }), returned: Condvar::new() })
    }

    /// Lends a connection to `task`; waits while all are lent.
    pub fn with<T>(&self, task: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut state = self.lock();
        if state.idle.is_empty() {
            // Whoever has them may read for long.
            drop(state);
            duty::relieve();
            state = self.lock();
        }
        let connection = loop {
            if let Some(connection) = state.idle.pop() {
                break connection;
            }
            state.waiting += 1;
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        };
        drop(state);
        let lent = Lent { pool: self, connection: Some(connection) };
        match &lent.connection {
            Some(connection) => task(connection),
            None => Err(Error::fault("reader_pool", "a lent reader is gone")),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
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
            state.idle.push(connection);
            let somebody_waits = state.waiting > 0;
            drop(state);
            if somebody_waits {
                self.pool.returned.notify_one();
            }
        }
    }
}
