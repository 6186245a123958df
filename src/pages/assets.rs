//! The stylesheet, inside the binary, and the address that changes whenever its content does.
//!
//! Browsers may keep it for a year: another content has another address.

/// The stylesheet of every page.
pub const STYLESHEET: &str = include_str!("../../static/console.css");

/// The directory of the stylesheet's address; what follows is [`stylesheet_name`].
pub const STATIC: &str = "/console/static/";

/// The stylesheet's file name, with a hash of its content.
pub fn stylesheet_name() -> String {
    const HASH: u64 = fnv1a(STYLESHEET.as_bytes());
    format!("console.{HASH:016x}.css")
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
        assert!(stylesheet_name().starts_with("console.") && stylesheet_name().ends_with(".css"));
    }
}
