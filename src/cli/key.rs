//! `sidelight key`: how the key file is kept, without which a restored appliance lets nobody in by login key.

use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use super::host::Host;
use crate::desk::Desk;
use crate::error::Result;
use crate::model::Caller;

/// how the key file is kept: show, seal-to, unseal, kept
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "key",
    note = "Without the key file (sidelight.key) a restored appliance lets nobody in by login key. Seal it into each backup, or confirm that you keep a copy elsewhere.",
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
    Kept(Kept),
}

/// show the name of the key file, and how it is kept
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "show", example = "{command_name}")]
struct Show {}

/// seal the key file into each backup from now on
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "seal-to",
    note = "Make an identity on another machine (age-keygen -o age-identity.txt), keep that file there, and give the recipient that it prints. Only the identity opens the key file in a backup: try it with sidelight restore FILE --check --identity age-identity.txt.",
    example = "{command_name} age1…"
)]
struct SealTo {
    /// the age recipient, a public key
    #[argh(positional)]
    recipient: String,
}

/// leave the key file out of backups from now on
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "unseal", example = "{command_name}")]
struct Unseal {}

/// confirm that a copy of the key file is kept elsewhere
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "kept",
    note = "Read the name off the copy, not off this machine: it is the first 16 digits that sha256sum prints for it.",
    example = "{command_name} 40FD-6F90-1DD1-BD04"
)]
struct Kept {
    /// the name of the key file, read off the copy
    #[argh(positional)]
    name: String,
}

impl Key {
    /// Does what was asked.
    pub fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            match self.act {
                KeyAction::Show(_) => {}
                KeyAction::SealTo(SealTo { recipient }) => desk.seal_key_to(caller, Some(&recipient))?,
                KeyAction::Unseal(_) => desk.seal_key_to(caller, None)?,
                KeyAction::Kept(Kept { name }) => desk.confirm_key_kept(caller, &name)?,
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
        (None, true) => "in no backup; an operator confirmed that a copy is kept elsewhere".to_owned(),
        (None, false) => {
            "in no backup, and nobody has confirmed that a copy is kept elsewhere: these backups cannot let \
                          anybody in by login key"
                .to_owned()
        }
    };
    host.done(&document, format_args!("The key {name} is {kept}."));
    Ok(())
}
