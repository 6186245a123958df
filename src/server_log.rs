//! The server log: what the server itself says, on standard error, where a service manager collects it.
//!
//! Never a secret, never what a request carried beyond its method and path. A standard error that nobody reads is no
//! reason to fail, nor to keep a request waiting: a server's lines wait in a bounded queue for one thread that writes
//! them ([`start`]). What finds no room there is dropped and counted, and the log says so when it is read again.

use std::collections::VecDeque;
use std::fmt::Arguments;
use std::io::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Lines that may wait: more than any second has, where somebody reads.
const LINES: usize = 1_024;
/// Bytes of a line; the rest of a longer one is cut off. With [`LINES`] the most memory that the queue takes.
const LINE: usize = 4_096;
/// How long anyone who stops waits for those who read.
const FLUSH: Duration = Duration::from_secs(2);

static QUEUE: Queue = Queue::new();

/// Writes one line.
pub fn note(line: Arguments<'_>) {
    let line = ended(line.to_string());
    if let Some(line) = QUEUE.take_in(line) {
        write(&line);
    }
}

/// Lines that were dropped, because nobody read those before.
pub fn dropped() -> u64 {
    QUEUE.lock().dropped
}

/// Has lines written by a thread of their own from here on.
///
/// # Errors
/// When the system gives no thread.
pub fn start() -> std::io::Result<Flushing> {
    std::thread::Builder::new()
        .name("server-log".into())
        .stack_size(64 * 1024)
        .spawn(|| QUEUE.write_on(write))?;
    QUEUE.lock().started = true;
    Ok(Flushing(()))
}

/// Waits at its end, a bounded time, until all lines are written.
pub struct Flushing(());

impl Drop for Flushing {
    fn drop(&mut self) {
        QUEUE.flush(FLUSH);
    }
}

/// One write, so that lines of several threads do not mix.
fn write(line: &str) {
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

/// The line with its end, cut to [`LINE`].
fn ended(mut line: String) -> String {
    if line.len() > LINE {
        let end = (0..=LINE).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
        line.truncate(end);
        line.push('…');
    }
    line.push('\n');
    line
}

struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Whether a thread takes lines out.
    started: bool,
    lines: VecDeque<String>,
    /// A line was taken out, and is not written yet.
    writing: bool,
    dropped: u64,
    /// So many of `dropped` the log has told of.
    told: u64,
}

impl Queue {
    const fn new() -> Queue {
        let state = State { started: false, lines: VecDeque::new(), writing: false, dropped: 0, told: 0 };
        Queue { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a line in or drops it; gives it back where no thread writes.
    fn take_in(&self, line: String) -> Option<String> {
        let mut state = self.lock();
        if !state.started {
            return Some(line);
        }
        if state.lines.len() < LINES {
            state.lines.push_back(line);
            self.changed.notify_all();
        } else {
            state.dropped += 1;
        }
        None
    }

    fn write_on(&self, write: impl Fn(&str)) {
        loop {
            let line = self.next();
            write(&line);
            self.lock().writing = false;
            self.changed.notify_all();
        }
    }

    /// Waits for the next line. Those that were dropped are told of first: anyone who reads now has read those before.
    fn next(&self) -> String {
        let mut state = self.lock();
        loop {
            if state.dropped > state.told && state.lines.len() < LINES {
                let lost = state.dropped - state.told;
                state.told = state.dropped;
                state.writing = true;
                return format!("{lost} lines were dropped: nobody read the server log for a while.\n");
            }
            if let Some(line) = state.lines.pop_front() {
                state.writing = true;
                return line;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn flush(&self, longest: Duration) {
        let waits = |state: &mut State| state.writing || !state.lines.is_empty();
        drop(self.changed.wait_timeout_while(self.lock(), longest, waits));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_is_cut_between_letters_and_ends() {
        assert_eq!(ended("a".into()), "a\n");
        assert_eq!(ended("a".repeat(LINE)), format!("{}\n", "a".repeat(LINE)));
        let long = ended("a".to_owned() + &"ü".repeat(LINE));
        assert_eq!(long, format!("a{}…\n", "ü".repeat(LINE / 2 - 1)));
    }

    #[test]
    fn lines_that_nobody_reads_are_dropped_and_told_of() {
        let queue = Queue::new();
        assert_eq!(queue.take_in("at once".into()), Some("at once".into()));
        queue.lock().started = true;
        for number in 0..LINES + 3 {
            assert_eq!(queue.take_in(number.to_string()), None);
        }
        assert_eq!(queue.lock().dropped, 3);
        // The first was under way when they were dropped.
        assert_eq!(queue.next(), "0");
        assert_eq!(queue.next(), "3 lines were dropped: nobody read the server log for a while.\n");
        assert_eq!(queue.next(), "1");
        queue.flush(Duration::ZERO);
        assert!(queue.lock().writing, "whoever stops waits for nobody for ever");
    }
}
