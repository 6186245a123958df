//! The SAML verdict against the shared cases, genuine responses of our own making, and every attack class.
//!
//! `forge` has the test keys for the forge of the program, whose table of recipes has every attack; `vectors` reads the
//! shared cases; `genuine` must be accepted; `fixtures` runs the table; `tampering` changes octets at random; `boundaries`
//! has rules at the value where they turn. The attacks are also files in `tests/fixtures/saml/rejected`, each named for
//! the recipe and for the reject that it must give.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod boundaries;
mod encryption;
mod fixtures;
mod forge;
mod genuine;
mod keys;
mod metadata;
mod tampering;
mod vectors;
