//! `sidelight api-key`: a group's API key, from the host. Wire contract §2.8.

use std::path::PathBuf;
use std::process::ExitCode;

use argh::FromArgs;

use super::host;
use crate::error::{Error, Kind};
use crate::model::GroupId;

/// a group's API key: show, change
///
/// Login keys are made from it. Changing it rejects all outstanding login keys at once.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "api-key",
    example = "{command_name} show --group 12345\n{command_name} change --group 12345\n{command_name} change --group 12345 --from-file key.txt"
)]
pub struct ApiKey {
    #[argh(subcommand)]
    act: Act,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Act {
    Show(Show),
    Change(Change),
}

/// print the API key; the access log will say so
#[derive(FromArgs)]
#[argh(subcommand, name = "show")]
struct Show {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// put another API key in force and print it: 20 random characters, or the one of a file or of the
/// environment variable SIDELIGHT_API_KEY, or from the file that SIDELIGHT_API_KEY_FILE names
#[derive(FromArgs)]
#[argh(subcommand, name = "change")]
struct Change {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// file that holds the key to put in force, 8 to 255 characters
    #[argh(option)]
    from_file: Option<PathBuf>,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

impl ApiKey {
    /// Does what was asked.
    pub fn run(self) -> ExitCode {
        match self.act {
            Act::Show(command) => command.run(),
            Act::Change(command) => command.run(),
        }
    }
}

impl Show {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let none = || Error::new(Kind::NotFound, "no_api_key", "The group has no API key.");
            let key = desk.show_api_key(caller, self.group)?.ok_or_else(none)?;
            println!("{}", key.expose_text().unwrap_or_default());
            Ok(())
        })
    }
}

impl Change {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let chosen = host::given_secret(self.from_file.as_deref(), "SIDELIGHT_API_KEY")?;
            let key = desk.change_api_key(caller, self.group, chosen)?;
            println!("{}", key.expose_text().unwrap_or_default());
            Ok(())
        })
    }
}
