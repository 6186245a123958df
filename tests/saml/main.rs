//! The SAML verdict against the shared cases, genuine responses of our own making, and every attack class.
//!
//! `forge` is the identity provider and the attacker; `vectors` reads the shared cases; `genuine` must be
//! accepted; `wrapping`, `tricks`, `protocol` and `encryption` are tables of what must not; `tampering`
//! changes octets at random; `boundaries` has rules at the value where they turn. The attacks are also files in `tests/fixtures/saml/rejected`, each named for
//! the attack and for the reject that it must give.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod boundaries;
mod encryption;
mod fixtures;
mod forge;
mod genuine;
mod keys;
mod metadata;
mod protocol;
mod tampering;
mod tricks;
mod vectors;
mod wrapping;
