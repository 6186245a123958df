//! `sidelight version` and `sidelight --version`.

use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use super::host::Host;

/// print the version of the program and of the SQLite inside it
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "version", example = "{command_name}")]
pub struct Version {}

impl Version {
    /// Prints it.
    pub fn run(self, host: &Host) -> ExitCode {
        let (own, sqlite) = (env!("CARGO_PKG_VERSION"), crate::store::Store::sqlite_version());
        host.done(
            &json!({ "version": own, "sqlite": sqlite }),
            format_args!("sidelight {own} (SQLite {sqlite})"),
        );
        ExitCode::SUCCESS
    }
}
