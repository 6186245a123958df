//! The assertion consumer of the running server: refused cases, replays, sign-ins from both sides, which
//! user, results, autoprovisioning, encryption, rotation.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../console/browser.rs"]
mod browser;
#[path = "../common/mod.rs"]
mod common;
#[path = "../saml/forge.rs"]
mod forge;
mod harness;
mod keys;
mod one_reading;
mod people;
mod refusals;
mod replays;
mod results;
mod tile;
mod too_long;
