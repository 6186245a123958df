//! The front door under honest, careless and hostile clients, over real sockets on loopback.
//!
//! Nothing sleeps and nothing is timed: a test waits for an answer or for a closed connection, and the
//! server's deadlines are made short where a test is about them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod agreement;
mod appliance;
mod crowds;
mod descriptors;
mod harness;
mod languages;
mod requests;
mod slow;
mod smuggling;
mod stop;
mod streams;
mod tls;
mod wording;
