//! Text that came in, checked field by field into typed values. Pure.

use super::{NewUser, RoleChoice, UserChange};
use crate::desk::ground::fields;
use crate::error::{Error, Result};
use crate::model::opened::Values;
use crate::model::person::Person;
use crate::model::{GlanceAddress, Puid, ROLE_NAME_MAX};

/// A user to be made, every field of which keeps its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedUser {
    pub address: GlanceAddress,
    pub puid: Option<Puid>,
    pub person: Person<String>,
    pub role: RoleChoice,
    pub password_hash: Option<String>,
    pub administrator: bool,
}

/// A change, every field of which keeps its rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckedChange {
    pub address: Option<GlanceAddress>,
    pub puid: Option<Option<Puid>>,
    pub person: Person<Option<String>>,
    pub role: Option<RoleChoice>,
    pub password_hash: Option<String>,
    pub suspended: Option<bool>,
    pub active: Option<bool>,
    pub administrator: Option<bool>,
    /// As [`UserChange::opened`].
    pub opened: Option<Values>,
}

/// Checks a user to be made, but for the password, which the home group's policy judges.
///
/// # Errors
/// `Invalid`, for the first field that breaks its rule.
pub fn check_new(new: &NewUser) -> Result<CheckedUser> {
    Ok(CheckedUser {
        puid: new.puid.as_deref().map(fields::puid).transpose()?,
        address: fields::address(&new.address)?,
        person: new.person.try_map(|field, typed| field.read(typed))?,
        role: check_role(&new.role)?,
        password_hash: None,
        administrator: new.administrator,
    })
}

/// Checks a change, but for the password, which the home group's policy judges.
///
/// # Errors
/// `Invalid`, for the first field that breaks its rule.
pub fn check_change(change: &UserChange) -> Result<CheckedChange> {
    Ok(CheckedChange {
        puid: match &change.puid {
            Some(Some(puid)) => Some(Some(fields::puid(puid)?)),
            Some(None) => Some(None),
            None => None,
        },
        address: change.address.as_deref().map(fields::address).transpose()?,
        person: change
            .person
            .try_map(|field, typed| typed.as_deref().map(|typed| field.read(typed)).transpose())?,
        role: change.role.as_ref().map(check_role).transpose()?,
        password_hash: None,
        suspended: change.suspended,
        active: change.active,
        administrator: change.administrator,
        opened: change.opened.clone(),
    })
}

fn check_role(role: &RoleChoice) -> Result<RoleChoice> {
    match role {
        RoleChoice::Named(name) if name.chars().count() > ROLE_NAME_MAX => {
            let public = format!("The role's name has more than {ROLE_NAME_MAX} characters.");
            Err(Error::invalid("role_too_long", "role", public))
        }
        role => Ok(role.clone()),
    }
}
