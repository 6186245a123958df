//! Who may do what: deny by default, asked by each use case itself.
//!
//! - Operators and the host may do everything.
//! - A group's administrators, and its provisioning client, may run their own group and nothing else.
//! - A person belongs to their home group: only there may address, names, e-mail, phone and password be
//!   changed. Other groups decide only what the person is among them. Otherwise one customer could take
//!   over another's people.

use crate::error::{Error, Kind, Result};
use crate::model::{Actor, Caller, GroupId, User, UserId};

/// Checks that the caller may run the whole appliance.
///
/// # Errors
/// `Denied` with code `operators_only`; `Unauthenticated` when nobody is signed in.
pub fn run_appliance(caller: &Caller) -> Result<()> {
    if caller.may_run_appliance() {
        return Ok(());
    }
    Err(refused(caller, "operators_only", "Only an operator of this server may do that."))
}

/// Checks that the caller may run `group`.
///
/// # Errors
/// `Denied` with code `administrators_only`; `Unauthenticated` when nobody is signed in.
pub fn administer(caller: &Caller, group: GroupId) -> Result<()> {
    if caller.may_administer(group) {
        return Ok(());
    }
    Err(refused(caller, "administrators_only", "Only an administrator of the group may do that."))
}

/// Checks that the caller may change the person, not only what they are in one group.
///
/// # Errors
/// `Denied` with code `home_group_only`.
pub fn change_person(caller: &Caller, user: &User) -> Result<()> {
    if caller.may_administer(user.home_group) {
        return Ok(());
    }
    let public = "Only administrators of the user's home group may change address, names, e-mail address, \
                  phone number and password.";
    Err(refused(caller, "home_group_only", public))
}

/// Whether the caller is this user.
pub fn is_self(caller: &Caller, user: UserId) -> bool {
    matches!(caller.actor, Actor::User { id, .. } if id == user)
}

fn refused(caller: &Caller, code: &'static str, public: &str) -> Error {
    match caller.actor {
        Actor::Anonymous => Error::new(Kind::Unauthenticated, "not_signed_in", "Sign in first."),
        _ => Error::new(Kind::Denied, code, public),
    }
}
