//! Sidelight stands in on-prem for Glance's single sign-on services.
//!
//! The rooms, and who may know whom, are drawn in `ARCHITECTURE.md`; `tests/tidy` keeps them apart.
//! In reading order:
//!
//! 1. [`model`], [`error`], [`clock`], [`secret`], [`server_log`], [`promise`], [`duty`], [`whole_file`], [`folding`], [`percent`],
//!    [`machine`], [`tally`], [`metrics`]:
//!    the few types that every room shares.
//! 2. [`protocol`]: login keys, XML signatures and SAML. Bytes, keys and a time in; a value out.
//! 3. [`store`]: the only SQL.
//! 4. [`desk`]: the use cases: signing in, people, keys, roles.
//! 5. [`gate`], [`http`] and [`pages`]: the front door, the surfaces behind it, and the HTML they answer with.
//! 6. [`cli`], [`config`], [`seed_file`] and [`server`]: the command line, and the server that it starts.

pub mod backup_file;
pub mod cli;
pub mod clock;
pub mod config;
pub mod desk;
pub mod duty;
pub mod error;
pub mod folding;
pub mod gate;
pub mod http;
pub mod machine;
pub mod metrics;
pub mod model;
pub mod pages;
pub mod percent;
pub mod promise;
pub mod protocol;
pub mod replica;
pub mod secret;
pub mod seed_file;
pub mod server;
pub mod server_log;
pub mod store;
pub mod tally;
pub mod whole_file;
