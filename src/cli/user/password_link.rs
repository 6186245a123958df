//! `sidelight user password-link`: a link with which the person sets a password, once.

use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use crate::cli::host::{self, Host};
use crate::model::GroupId;

/// create a link for the user to set a password; it works once, within 24 hours
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "password-link",
    note = "The link is printed once and not stored. No mail is sent. Give the link to the user over a channel that only the user can read. A new link replaces the previous one.",
    example = "{command_name} --group 12345 --puid E001234\n{command_name} --group 12345 --puid E001234 --origin https://sso.example.com\n{command_name} --group 12345 --puid E001234 --end"
)]
pub struct PasswordLink {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// the Partner User ID
    #[argh(option)]
    puid: Option<String>,
    /// the Glance Address
    #[argh(option)]
    address: Option<String>,
    /// the user's number
    #[argh(option)]
    id: Option<i64>,
    /// the server's public address (default: --public-url of the running server)
    #[argh(option)]
    origin: Option<String>,
    /// end the current link, and do not create a new one
    #[argh(switch)]
    end: bool,
}

impl PasswordLink {
    pub(super) fn run(self, host: &Host) -> ExitCode {
        let key = host::user_key(self.puid, self.address, self.id);
        let group = self.group;
        if self.end {
            return super::with_key(host, key, |desk, caller, key| {
                let had = desk.people.end_password_link(caller, group, key)?;
                let line = if had { "The link is ended." } else { "There was no open link." };
                host.done(&json!({ "group": group, "ended": had }), format_args!("{line}"));
                Ok(())
            });
        }
        super::with_key(host, key, |desk, caller, key| {
            // Determine the address first: if it is unknown, the previous link must stay valid.
            let origin = host.origin(self.origin)?;
            let made = desk.people.make_password_link(caller, group, key)?;
            let (address, url) = (&made.member.user.address, made.url(&origin));
            let until = made.expires_at.to_string();
            let document = json!({ "group": group, "username": address, "url": url, "expiresAt": until });
            // Only the link goes to standard output, so that it can be piped.
            host.done(&document, format_args!("{url}"));
            host.remark(format_args!("{address} can use the link once to set a password, until {until}."));
            Ok(())
        })
    }
}
