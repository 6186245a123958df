//! Lines for a person at a terminal, whatever strangers have written into them.

use std::fmt::Arguments;

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
