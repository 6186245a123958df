//! The stylesheet and the one script, inside the binary, and their addresses, which change whenever the content does.
//!
//! Browsers may keep them for a year: another content has another address.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The stylesheet of every page.
pub const STYLESHEET: &str = include_str!("../../static/console.css");

/// The script of the console's pages: copy buttons, the reader's own time, a question before typed text is left.
pub const SCRIPT: &str = include_str!("../../static/console.js");

/// The directory of their addresses; what follows is [`stylesheet_name`] or [`script_name`].
pub const STATIC: &str = "/console/static/";

/// The stylesheet's file name, with a hash of its content.
pub fn stylesheet_name() -> String {
    const HASH: u64 = fnv1a(STYLESHEET.as_bytes());
    format!("console.{HASH:016x}.css")
}

/// The script's file name, with a hash of its content.
pub fn script_name() -> String {
    const HASH: u64 = fnv1a(SCRIPT.as_bytes());
    format!("console.{HASH:016x}.js")
}

/// The hash by which a page's policy and an `integrity` attribute name a script: `sha256-` and Base64.
pub fn integrity(script: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(script.as_bytes())))
}

/// FNV-1a: tells contents apart for a cache; it protects nothing.
const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        hash = (hash ^ *first as u64).wrapping_mul(0x0000_0100_0000_01b3);
        rest = tail;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_content_has_another_address() {
        assert_ne!(fnv1a(b"a"), fnv1a(b"b"));
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert!(script_name().starts_with("console.") && script_name().ends_with(".js"));
        assert!(stylesheet_name().starts_with("console.") && stylesheet_name().ends_with(".css"));
    }
}
