//! `sidelight group sites`: the sites that may frame our pages for a group.

use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use crate::cli::host::{self, Host};
use crate::cli::terminal::{self, say};
use crate::desk::ground::opened::of_sites;
use crate::desk::people::allowed_sites;
use crate::error::{Error, Result};
use crate::model::GroupId;

/// show or change a group's allowed sites: the sites that may embed our pages in a frame
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "sites",
    note = "A site is an origin: scheme, host, and a port if there is one.",
    example = "{command_name} 12345\n{command_name} 12345 --add https://crm.example.com --remove https://old.example.com"
)]
pub(super) struct Sites {
    /// the Group ID
    #[argh(positional, from_str_fn(host::group))]
    id: GroupId,
    /// a site to add
    #[argh(option)]
    add: Vec<String>,
    /// a site to remove
    #[argh(option)]
    remove: Vec<String>,
}

impl Sites {
    pub(super) fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let mut sites = desk.people.group(caller, self.id)?.allowed_sites;
            if !self.add.is_empty() || !self.remove.is_empty() {
                let wanted = self.wanted(&sites)?.join("\n");
                sites = desk.people.set_allowed_sites(caller, self.id, &wanted, Some(&of_sites(&sites)))?;
            }
            if host.json {
                terminal::json(&json!({ "group": self.id, "allowedSites": sites }));
            } else if sites.is_empty() {
                say(format_args!("No site may embed the pages of group {} in a frame.", self.id));
            } else {
                sites.iter().for_each(|site| say(format_args!("{site}")));
            }
            Ok(())
        })
    }

    /// The sites as they are to be.
    ///
    /// # Errors
    /// Those of [`allowed_sites::sites`]; `NotFound` with code `site_unknown` for one that cannot be removed.
    fn wanted(&self, present: &[String]) -> Result<Vec<String>> {
        let remove = allowed_sites::sites(&self.remove.join("\n"))?;
        if let Some(site) = remove.iter().find(|site| !present.contains(site)) {
            let public = format!("{site} is not an allowed site of group {}.", self.id);
            return Err(Error::not_found("site_unknown", public));
        }
        let kept = present.iter().filter(|site| !remove.contains(site)).cloned();
        Ok(kept.chain(self.add.iter().cloned()).collect())
    }
}
