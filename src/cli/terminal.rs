//! Lines for a person at a terminal, whatever strangers have written into them; and questions to that person.

use std::fmt::Arguments;
use std::io::{BufRead, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::error::{Error, Kind, Result};

/// Work that takes longer says how far it is.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it says so.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// Prints one line. What was sent, stored or read from a document stays one line and steers nothing.
pub fn say(line: Arguments<'_>) {
    let line: String = line.to_string().chars().map(harmless).collect();
    println!("{line}");
}

/// Control characters could steer the terminal or begin a line of their own, and direction marks turn a name
/// around.
pub fn harmless(character: char) -> char {
    let turns =
        matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(character, '\u{2028}' | '\u{2029}');
    if character.is_control() || turns || breaks { '\u{fffd}' } else { character }
}

/// Prints a table whose columns are as wide as their widest cell.
pub fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) {
    let mut widths = head.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; N]| {
        let padded: Vec<String> =
            cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        say(format_args!("{}", padded.join("  ").trim_end()));
    };
    line(head);
    for row in rows {
        line(row.each_ref().map(String::as_str));
    }
}

/// Prints a value as JSON.
pub fn json(value: &serde_json::Value) {
    println!("{value:#}");
}

/// Whether to colour what goes to standard output: on a terminal, unless the person asked not to (no-color.org).
pub fn colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Asks whether to go on with what ends something for others; `what` says what ends. Only a person at a terminal is
/// asked, who can also read the question: scripts go on, and `--yes` answers beforehand.
///
/// # Errors
/// `Denied` with code `not_confirmed` unless the answer was yes.
pub fn confirm(yes: bool, what: Arguments<'_>) -> Result<()> {
    if yes || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(());
    }
    let what: String = what.to_string().chars().map(harmless).collect();
    eprint!("{what}\nGo on? [y/N] ");
    let _ = std::io::stderr().flush();
    answered(&mut std::io::stdin().lock())
}

fn answered(input: &mut impl BufRead) -> Result<()> {
    let mut answer = String::new();
    let read = input.read_line(&mut answer).is_ok();
    if read && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Error::new(Kind::Denied, "not_confirmed", "Not confirmed. Nothing was changed."))
}

/// Runs `work`. When it takes long, `so_far` is told to a person at a terminal, on standard error.
pub fn telling<T>(so_far: impl Fn() -> String + Sync, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(!std::io::stderr().is_terminal());
    std::thread::scope(|scope| {
        let teller = scope.spawn(|| {
            let mut wait = PATIENCE;
            while !done.load(Ordering::Acquire) {
                std::thread::park_timeout(wait);
                wait = TELL_EVERY;
                if !done.load(Ordering::Acquire) {
                    eprint!("\r\x1b[K{}", so_far());
                }
            }
            if wait == TELL_EVERY && std::io::stderr().is_terminal() {
                eprint!("\r\x1b[K");
            }
        });
        let outcome = work();
        done.store(true, Ordering::Release);
        teller.thread().unpark();
        outcome
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        for (answer, code) in [
            ("y\n", None),
            ("Yes\r\n", None),
            ("\n", Some("not_confirmed")),
            ("", Some("not_confirmed")),
            ("no\n", Some("not_confirmed")),
            ("yesterday\n", Some("not_confirmed")),
        ] {
            assert_eq!(answered(&mut answer.as_bytes()).err().map(|e| e.code), code, "{answer:?}");
        }
    }
}
