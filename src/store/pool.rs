//! The readers: a few connections that are lent out, one task at a time each.

use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use rusqlite::Connection;

use super::open;
use crate::error::{Error, Result};

/// Enough to keep the cores busy; a read takes microseconds, so waiting is short.
const READERS: usize = 4;

pub(super) struct Pool {
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
}

impl Pool {
    pub fn open(path: &Path) -> Result<Pool> {
        let idle = (0..READERS).map(|_| open::reader_connection(path)).collect::<Result<Vec<_>>>()?;
        Ok(Pool { idle: Mutex::new(idle), returned: Condvar::new() })
    }

    /// Lends a connection to `task`; waits while all are lent.
    pub fn with<T>(&self, task: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut idle =
            self.returned.wait_while(idle, |idle| idle.is_empty()).unwrap_or_else(PoisonError::into_inner);
        let connection =
            idle.pop().ok_or_else(|| Error::fault("reader_pool", "woken without an idle reader"))?;
        drop(idle);
        let lent = Lent { pool: self, connection: Some(connection) };
        match &lent.connection {
            Some(connection) => task(connection),
            None => Err(Error::fault("reader_pool", "a lent reader is gone")),
        }
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
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            self.pool.returned.notify_one();
        }
    }
}
