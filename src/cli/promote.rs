//! `sidelight promote`: a database that was restored from a replica takes over.

use std::path::PathBuf;
use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use super::backup::{print_result, undone};
use super::host::Host;
use crate::desk::restore;
use crate::error::Result;
use crate::replica;
use crate::server::lock;

/// take over as the appliance, with a database restored from a replica
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "promote",
    note = "First restore the database into the data directory (litestream restore -o DIR/sidelight.db …), and put the key file into the same directory. All earlier sessions, tokens and links end, as after sidelight restore. The command writes an epoch number next to the replica. If the lost server comes back with --replica, it reads that number and does not start.",
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
            "{} is now the appliance, in epoch {}: {}.\n{}\n{}\nStart the server: sidelight serve --replica {} --data {}",
            data.display(),
            promoted.epoch,
            promoted.proof,
            "All earlier sessions, tokens and links have ended. SAML assertions issued before now are refused.",
            undone(&promoted.report).trim_end(),
            self.replica.display(),
            data.display()
        );
        print_result(host, &document, &line);
        Ok(())
    }
}
