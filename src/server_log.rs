//! The server log: what the server itself says, on standard error, where a service manager collects it.
//!
//! Never a secret, never what a request carried beyond its method and path. A standard error that nobody
//! reads any more is no reason to fail.

use std::fmt::Arguments;
use std::io::Write;

/// Writes one line.
pub fn note(line: Arguments<'_>) {
    // One write, so that lines of several threads do not mix.
    let _ = std::io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}
