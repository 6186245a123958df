//! Provisioning by an identity provider over SCIM 2.0: tokens, users, and roles as groups.
//!
//! What documents mean is [`crate::protocol::scim`]'s; here they become acts of [`crate::desk::people::users::users`] and
//! [`crate::desk::people::users::roles`], so that SCIM obeys the same rules and leaves the same rows in the access log.
//! An If-Match of the client is judged inside the transaction that makes the change.

mod groups;
#[cfg(test)]
mod tests;
mod tokens;
mod users;

pub use groups::{GroupPage, MEMBERS_MOST};
pub use tokens::{TOKEN_PREFIX, TOKENS_MOST};
pub use users::{UserPage, UserWrite};

use crate::error::{Error, Kind, Result};
use crate::protocol::scim::version::is_among;

/// Most resources of one page. RFC 7644 §3.4.2.4.
pub const PAGE_MAX: usize = 1_000;

/// Which resources of a list to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Counted from 0.
    pub first: usize,
    pub count: usize,
}

/// Passes when the client named no version, or this one.
fn expect_version(version: &str, if_match: Option<&str>) -> Result<()> {
    match if_match {
        Some(header) if !is_among(version, header) => {
            let public = "The resource has changed since it was read. Read it again.";
            Err(Error::new(Kind::Conflict, "version_mismatch", public))
        }
        _ => Ok(()),
    }
}
