//! The check of the whole database, beside everything else: on a connection of its own, a table at a time, and half of
//! the time asleep, so that nobody who signs in waits for it.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, InterruptHandle};

use super::{connect, database_fault};
use crate::error::Result;
use crate::promise::closing;

/// Steps of SQLite's check between two rests.
const STEPS: i32 = 2_000;
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_millis(20);

/// How long a closing store waits for the check to end.
const WAIT_FOR_END: Duration = Duration::from_secs(5);

/// The check that runs, if one does, so that a closing store can end it.
#[derive(Default)]
pub(super) struct RunningCheck(Mutex<CheckState>);

#[derive(Default)]
struct CheckState {
    running: Option<InterruptHandle>,
    store_is_closed: bool,
}

impl RunningCheck {
    /// Checks all tables with their indexes; gives back what is damaged, `None` when nothing is.
    pub fn run(&self, path: &Path) -> Result<Option<String>> {
        let mut connection = {
            let mut state = self.lock();
            if state.store_is_closed || state.running.is_some() {
                return Err(closing());
            }
            let connection = connect::reader(path)?;
            state.running = Some(connection.get_interrupt_handle());
            connection
        };
        let outcome = check(&mut connection);
        drop(connection);
        self.lock().running = None;
        outcome
    }

    /// Ends the check that runs, and lets none begin.
    pub fn end(&self) {
        let ends = Instant::now() + WAIT_FOR_END;
        loop {
            let mut state = self.lock();
            state.store_is_closed = true;
            match &state.running {
                Some(running) if Instant::now() < ends => running.interrupt(),
                _ => return,
            }
            drop(state);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn lock(&self) -> MutexGuard<'_, CheckState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(connection: &mut Connection) -> Result<Option<String>> {
    let mut since = Instant::now();
    let rest = move || {
        std::thread::sleep(since.elapsed().min(LONGEST_REST));
        since = Instant::now();
        false
    };
    connection.progress_handler(STEPS, Some(rest)).map_err(database_fault)?;
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .and_then(|mut names| names.query_map([], |row| row.get(0))?.collect())
        .map_err(database_fault)?;
    // A table at a time: the log beside the database can be cut in between.
    for table in tables {
        let found: String = connection
            .query_row("SELECT integrity_check FROM pragma_integrity_check(?1)", [&table], |row| row.get(0))
            .map_err(database_fault)?;
        if found != "ok" {
            return Ok(Some(format!("table {table}: {found}")));
        }
    }
    Ok(None)
}
