//! The SAML verdict against the shared cases, genuine responses of our own making, and every attack class.
//!
//! `forge` is the identity provider and the attacker; `vectors` reads the shared cases; `genuine`,
//! `attacks` and `tampering` are tables. The forged documents are also files in `tests/fixtures/saml`, each
//! named for its attack and for the reject that it must give.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod vectors;
