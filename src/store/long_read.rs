//! Work on the whole database that takes long, beside everything else: on a connection of its own, and half of the time
//! asleep, so that nobody who signs in waits for it. It ends when the store closes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, InterruptHandle};

use super::database_fault;
use crate::error::Result;
use crate::promise::closing;

/// Steps of SQLite's between two rests.
const STEPS: i32 = 2_000;
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_millis(20);
/// How long a closing store waits for the work to end.
const WAIT_FOR_END: Duration = Duration::from_secs(5);

/// One kind of such work: it runs once at a time.
#[derive(Default)]
pub(super) struct LongRead(Mutex<LongReadState>);

#[derive(Default)]
struct LongReadState {
    running: Option<InterruptHandle>,
    store_is_closed: bool,
}

impl LongRead {
    /// Runs `work` on the connection that `open` opens.
    ///
    /// # Errors
    /// Those of `open` and `work`; `Unavailable` when the store is closed, or while such work runs already.
    pub fn run<T>(
        &self,
        open: impl FnOnce() -> Result<Connection>,
        work: impl FnOnce(&Connection) -> Result<T>,
    ) -> Result<T> {
        let mut connection = {
            let mut state = self.lock();
            if state.store_is_closed || state.running.is_some() {
                return Err(closing());
            }
            let connection = open()?;
            state.running = Some(connection.get_interrupt_handle());
            connection
        };
        let outcome = rest_half_of_the_time(&mut connection).and_then(|()| work(&connection));
        drop(connection);
        self.lock().running = None;
        outcome
    }

    /// Ends the work that runs, and lets none begin.
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

    fn lock(&self) -> MutexGuard<'_, LongReadState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rest_half_of_the_time(connection: &mut Connection) -> Result<()> {
    let mut since = Instant::now();
    let rest = move || {
        std::thread::sleep(since.elapsed().min(LONGEST_REST));
        since = Instant::now();
        false
    };
    connection.progress_handler(STEPS, Some(rest)).map_err(database_fault)
}
