//! `sidelight key`: how the key file is kept, without which a restored appliance lets nobody in by login key.

use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use super::host::Host;
use crate::desk::Desk;
use crate::error::Result;
use crate::model::Caller;

/// how the key file is kept safe: show, seal-to, unseal, kept
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "key",
    note = "After a restore without the key file (sidelight.key), no user can sign in by login key. Seal the key file into each backup, or keep a copy elsewhere and confirm it.",
    example = "{command_name} seal-to age1…\n{command_name} kept 40FD-6F90-1DD1-BD04"
)]
pub struct Key {
    #[argh(subcommand)]
    act: KeyAction,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum KeyAction {
    Show(Show),
    SealTo(SealTo),
    Unseal(Unseal),
    KeyFileStatus(KeyFileStatus),
}

/// show the name of the key file, and how it is kept safe
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "show", example = "{command_name}")]
struct Show {}

/// include the key file, sealed, in every new backup
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "seal-to",
    note = "Create an age identity on another machine (age-keygen -o age-identity.txt) and keep that file there. Give this command the recipient that age-keygen prints. Only the identity can open the key file in a backup. To test it: sidelight restore FILE --check --identity age-identity.txt",
    example = "{command_name} age1…"
)]
struct SealTo {
    /// the age recipient, a public key
    #[argh(positional)]
    recipient: String,
}

/// leave the key file out of new backups
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "unseal", example = "{command_name}")]
struct Unseal {}

/// confirm that a copy of the key file is kept elsewhere
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "kept",
    note = "Read the name from the copy, not from this machine. The name is the first 16 digits that sha256sum prints for the file.",
    example = "{command_name} 40FD-6F90-1DD1-BD04"
)]
struct KeyFileStatus {
    /// the name of the key file, read from the copy
    #[argh(positional)]
    name: String,
}

impl Key {
    /// Runs the subcommand.
    pub fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            match self.act {
                KeyAction::Show(_) => {}
                KeyAction::SealTo(SealTo { recipient }) => desk.seal_key_to(caller, Some(&recipient))?,
                KeyAction::Unseal(_) => desk.seal_key_to(caller, None)?,
                KeyAction::KeyFileStatus(KeyFileStatus { name }) => desk.confirm_key_kept(caller, &name)?,
            }
            said(host, desk, caller)
        })
    }
}

fn said(host: &Host, desk: &Desk, caller: &Caller) -> Result<()> {
    let (backups, name) = (desk.backups(caller)?, desk.key_name());
    let elsewhere = backups.key_kept.is_some();
    let document = json!({ "key": name, "sealed_to": backups.key_recipient, "kept_elsewhere": elsewhere });
    let kept = match (&backups.key_recipient, elsewhere) {
        (Some(recipient), _) => format!("sealed into each backup, to {recipient}"),
        (None, true) => "not in the backups; an operator confirmed that a copy is kept elsewhere".to_owned(),
        (None, false) => {
            "in no backup, and nobody has confirmed that a copy is kept elsewhere: these backups cannot let \
                          anybody in by login key"
                .to_owned()
        }
    };
    host.done(&document, format_args!("The key {name} is {kept}."));
    Ok(())
}
