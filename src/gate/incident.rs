//! Ids for incidents: short enough to read out, not guessable from one another.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Digits and letters that are not mistaken for one another (Crockford's Base32).
const ALPHABET: [u8; 32] = *b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 40 bits.
const LENGTH: usize = 8;

/// Makes a new incident id of eight characters: a count under a hash whose key is random for each process.
pub fn new_incident() -> String {
    static KEY: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut bits = KEY.get_or_init(RandomState::new).hash_one(COUNT.fetch_add(1, Ordering::Relaxed));
    let mut id = String::with_capacity(LENGTH);
    for _ in 0..LENGTH {
        let digit = usize::try_from(bits % 32).unwrap_or(0);
        id.push(char::from(*ALPHABET.get(digit).unwrap_or(&b'0')));
        bits /= 32;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incident_ids_differ() {
        let (one, other) = (new_incident(), new_incident());
        assert_eq!((one.len(), other.len()), (LENGTH, LENGTH));
        assert_ne!(one, other);
    }
}
