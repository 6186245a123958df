//! The console through the real binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod appliance;
mod asked_first;
mod backups;
mod browser;
#[path = "../common/mod.rs"]
mod common;
mod group_end;
mod imports;
mod lists;
mod not_found;
mod password_links;
mod people;
mod person;
mod records;
mod sessions;
mod sso;
mod two_savers;
mod walls;
