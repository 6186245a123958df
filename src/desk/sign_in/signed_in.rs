//! Who signed in, and by what.

use std::net::IpAddr;

use crate::error::{Error, Result};
use crate::model::{Actor, Caller, GlanceAddress, GroupId, LogEntry, Mark, RoleId, UserId};
use crate::store::SignInState;

/// By what somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    LoginKey,
    Password,
    IssuedCredentials,
    WebSession,
    Token,
    /// Nothing that could be read.
    Unreadable,
}

impl Means {
    /// As metrics have it.
    pub fn name(self) -> &'static str {
        match self {
            Means::LoginKey => "login_key",
            Means::Password => "password",
            Means::IssuedCredentials => "issued_credentials",
            Means::WebSession => "web_session",
            Means::Token => "token",
            Means::Unreadable => "unreadable",
        }
    }

    /// The operation in the access log.
    pub fn operation(self) -> &'static str {
        match self {
            Means::LoginKey => "sign-in.login-key",
            Means::Password => "sign-in.password",
            Means::IssuedCredentials => "sign-in.issued-credentials",
            Means::WebSession => "sign-in.web-session",
            Means::Token => "sign-in.token",
            Means::Unreadable => "sign-in.unreadable",
        }
    }
}

/// Somebody who proved who they are, signed in to one group, and who may sign in there at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub group: GroupId,
    pub user: UserId,
    pub address: GlanceAddress,
    pub role: Option<RoleId>,
    /// Whether the user may run the group.
    pub administrator: bool,
    /// The member's mark when they were judged.
    pub mark: Mark,
    pub means: Means,
}

impl SignedIn {
    pub(super) fn of(group: GroupId, user: UserId, state: &SignInState, means: Means) -> Result<SignedIn> {
        let address = address_of(&state.address)?;
        let SignInState { role, administrator, mark, .. } = *state;
        Ok(SignedIn { group, user, address, role, administrator, mark, means })
    }

    /// The caller that other use cases judge.
    pub fn caller(&self, ip: Option<IpAddr>) -> Caller {
        let actor = Actor::User {
            id: self.user,
            address: self.address.clone(),
            group: self.group,
            administrator: self.administrator,
        };
        Caller { actor, ip }
    }
}

pub(super) fn address_of(stored: &str) -> Result<GlanceAddress> {
    GlanceAddress::parse(stored)
        .ok_or_else(|| Error::fault("stored_address", "a stored Glance Address breaks its rule"))
}

/// The access log's row of a sign-in.
pub(super) fn row(signed_in: &SignedIn, caller: &Caller, detail: String) -> LogEntry {
    LogEntry {
        actor: signed_in.address.to_string(),
        ..LogEntry::done(
            caller,
            Some(signed_in.group),
            signed_in.means.operation(),
            signed_in.address.as_str(),
            detail,
        )
    }
}
