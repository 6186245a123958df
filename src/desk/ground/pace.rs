//! Long work at the database, a portion at a time, so that nobody who signs in waits behind it.
//!
//! The one thread that writes does a millisecond's work of it at a time; between two portions others have their turn.

use std::time::{Duration, Instant};

use super::Ground;
use crate::error::Result;
use crate::store::Writer;

/// How long a portion may take: everybody who signs in meanwhile waits as long.
const PORTION: Duration = Duration::from_millis(1);
/// Rows of the first portion, before anything is known of the machine, and of any.
const FIRST: usize = 16;
const LARGEST: usize = 1_000;
/// The longest pause between two portions.
const PAUSE_MOST: Duration = Duration::from_millis(50);

/// How large the portions are, by how long the last one took.
pub struct Pace {
    rows: usize,
}

impl Default for Pace {
    /// Begins with a small portion.
    fn default() -> Pace {
        Pace { rows: FIRST }
    }
}

impl Pace {
    /// Rows of the next portion.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// After a portion whose work took `work`, and which took `whole` with its commit: gives the others as long.
    pub fn portion_done(&mut self, work: Duration, whole: Duration) {
        let fit = PORTION.as_nanos().saturating_mul(self.rows as u128) / work.as_nanos().max(1);
        // Not more than twice as many as before: one quick portion says little.
        self.rows = usize::try_from(fit).unwrap_or(LARGEST).clamp(1, (2 * self.rows).min(LARGEST));
        std::thread::sleep(whole.min(PAUSE_MOST));
    }
}

impl Ground {
    /// Has `portion` work at so many rows, each time in a transaction of its own, until it says `false`: nothing is
    /// left. What it changes is hidden from all, or changes nothing that a sign-in rests on.
    ///
    /// # Errors
    /// What `portion` returns; those of the store.
    pub fn in_portions(
        &self,
        portion: impl FnOnce(&Writer<'_>, u32) -> Result<bool> + Copy + Send + 'static,
    ) -> Result<()> {
        let mut pace = Pace::default();
        loop {
            let (rows, begun) = (u32::try_from(pace.rows()).unwrap_or(1), Instant::now());
            let done = self.store.write_promised(self.clock.now(), move |w| {
                let begun = Instant::now();
                Ok((portion(w, rows)?, begun.elapsed()))
            });
            let (more, work) = done.wait()?;
            if !more {
                return Ok(());
            }
            pace.portion_done(work, begun.elapsed());
        }
    }
}
