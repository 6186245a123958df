//! `sidelight user password-link`: a link with which the person sets a password, once.

use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use crate::cli::host::{self, Host};
use crate::model::GroupId;

/// make a link with which the user sets a password, once, within 24 hours
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "password-link",
    note = "The link is printed once and not kept. No mail is sent: give it to the user by a way that only they read. A new link ends the one before.",
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
    /// by which address people reach the server; the running server's --public-url if not given
    #[argh(option)]
    origin: Option<String>,
    /// end the link that there is, and make none
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
                let line = if had { "The link is ended." } else { "There was no link that was open." };
                host.done(&json!({ "group": group, "ended": had }), format_args!("{line}"));
                Ok(())
            });
        }
        super::with_key(host, key, |desk, caller, key| {
            // Asked first: a link whose address is not known must not end the one before.
            let origin = host.origin(self.origin)?;
            let made = desk.people.make_password_link(caller, group, key)?;
            let (address, url) = (&made.member.user.address, made.url(&origin));
            let until = made.expires_at.to_string();
            let document = json!({ "group": group, "username": address, "url": url, "expiresAt": until });
            // Only the link goes to standard output, so that it can be piped to where it belongs.
            host.done(&document, format_args!("{url}"));
            host.remark(format_args!("{address} sets a password with it, once, until {until}."));
            Ok(())
        })
    }
}
