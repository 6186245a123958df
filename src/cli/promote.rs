//! `sidelight promote`: a database that was restored from a replica takes over.

use std::path::PathBuf;
use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use super::backup::{told, undone};
use super::host::Host;
use crate::desk::restore;
use crate::error::Result;
use crate::replica;
use crate::server::lock;

/// make a database that was restored from a replica the appliance
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "promote",
    note = "First restore the database into the data directory (litestream restore -o DIR/sidelight.db …), and put the key file beside it. As after sidelight restore, everything that was handed out before has ended. An epoch is written beside the replica: the lost server, should it come back with --replica, does not serve.",
    example = "{command_name} --replica /mnt/replica --data /var/lib/sidelight"
)]
pub struct Promote {
    /// the directory of the replica
    #[argh(option, arg_name = "dir")]
    replica: PathBuf,
}

impl Promote {
    /// Promotes, and says what has ended.
    pub fn run(self, host: &Host) -> ExitCode {
        host.ended(self.promoted(host))
    }

    fn promoted(&self, host: &Host) -> Result<()> {
        let data = host.directory()?;
        let _lock = lock(&data)?;
        let promoted = restore::promote(&data, replica::epoch(&self.replica)?)?;
        // The database first: when this fails, the next start writes it.
        replica::set_epoch(&self.replica, promoted.epoch)?;
        let document = json!({ "data": data, "epoch": promoted.epoch, "proof": promoted.proof, "report": promoted.report });
        let line = format!(
            "{} is the appliance now, in epoch {}: {}.\n{}\n{}\nStart the server: sidelight serve --replica {} --data {}",
            data.display(),
            promoted.epoch,
            promoted.proof,
            "All sessions, tokens and links of before have ended. SAML assertions that were made before are refused.",
            undone(&promoted.report).trim_end(),
            self.replica.display(),
            data.display()
        );
        told(host, &document, &line);
        Ok(())
    }
}
