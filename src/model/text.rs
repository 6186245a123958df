//! One line of text that somebody typed: trimmed, capped, and without control characters.

use crate::error::{Error, Result};

/// Reads one line; it may be empty. `what` begins the sentence of a refusal; `codes` are those for a line that is too long
/// and for one with a control character.
///
/// # Errors
/// `Invalid` with one of `codes`, for `field`.
pub fn line(
    text: &str,
    most: usize,
    field: &str,
    what: &str,
    [long, malformed]: [&'static str; 2],
) -> Result<String> {
    let text = text.trim();
    if text.chars().count() > most {
        return Err(too_long(long, field, what, text, most));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(malformed, field, format!("{what} has a control character in it.")));
    }
    Ok(text.to_owned())
}

/// The error for a text of more than `most` characters.
pub fn too_long(code: &'static str, field: &str, what: &str, text: &str, most: usize) -> Error {
    let count = text.chars().count();
    Error::invalid(code, field, format!("{what} has {count} characters; at most {most} are allowed."))
}
