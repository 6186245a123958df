//! The second of two who save the same thing does not undo unseen what the first saved.
//!
//! A form carries the values that it was made from. They are compared with the present ones inside the transaction that
//! would change them. Web services have their own means for that, and commands on the host say each field that they
//! change: for both there is nothing that was opened.

use crate::error::{Error, Kind, Result};
use crate::model::opened::{SETTING, Values};
use crate::model::person::{self, Field, ROLE};
use crate::model::{Group, Member, Role, Settings};

/// The code of the refusal to undo unseen what somebody else saved.
pub const CHANGED_MEANWHILE: &str = "changed_meanwhile";

/// Passes when nothing was opened, or what was opened still stands in `now`.
///
/// # Errors
/// `Conflict` with code `changed_meanwhile`; those of `now`.
pub fn unchanged(opened: Option<&Values>, now: impl FnOnce() -> Result<Values>) -> Result<()> {
    let Some(opened) = opened else { return Ok(()) };
    if opened.changed_in(&now()?).is_empty() {
        return Ok(());
    }
    let public = "Somebody else saved this after you opened it, so nothing of yours was saved.";
    Err(Error::new(Kind::Conflict, CHANGED_MEANWHILE, public))
}

/// The values of a member's form.
pub fn of_member(member: &Member) -> Values {
    let value = |field: &Field| match field {
        // The form has a role's number.
        role if *role == ROLE => member.membership.role.map_or_else(String::new, |role| role.to_string()),
        field => field.text(member).to_owned(),
    };
    Values::of(person::details().map(|field| (field.name, value(field))))
}

/// The values of a role's form; `settings` are those in force for it.
pub fn of_role(role: &Role, settings: &Settings) -> Values {
    let named = Values::of([("name", role.name.as_str()), ("description", role.description.as_str())]);
    settings.iter().fold(named, |values, (name, on)| values.and_box(SETTING, name, *on))
}

/// The values of a group's name and Unique Account ID.
pub fn of_group(group: &Group) -> Values {
    Values::of([
        ("name", group.name.as_str()),
        ("account_id", group.account_id.as_deref().unwrap_or_default()),
    ])
}

/// The values of a group's allowed sites.
pub fn of_sites(sites: &[String]) -> Values {
    Values::of([("allowed_sites", sites.join("\n"))])
}

/// The values of a group's settings.
pub fn of_settings(settings: &Settings) -> Values {
    settings.iter().fold(Values::default(), |values, (name, on)| values.and_box(SETTING, name, *on))
}
