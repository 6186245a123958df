//! SCIM 2.0, the parts that are pure: what a filter means, what a PATCH does to a document, how a member
//! and a role look as documents (RFC 7643, RFC 7644).
//!
//! Strict where the standard decides what may happen, lenient where identity providers are known to write
//! it otherwise; each such leniency stands where it is made and has a test by the dialect's name.
//!
//! In reading order: [`path`] (which attribute), [`filter`] and [`evaluate`] (which resources), [`patch`]
//! (what changes), [`user`] and [`group`] (the two resources), [`version`] (their entity tags),
//! [`projection`] (which attributes are shown).

pub mod details;
pub mod evaluate;
pub mod filter;
pub mod group;
pub mod patch;
pub mod path;
pub mod projection;
mod reject;
pub mod user;
mod values;
pub mod version;

pub use reject::{ScimReject, ScimType};

/// The schema of a user. RFC 7643 §4.1.
pub const USER_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of a group. RFC 7643 §4.2.
pub const GROUP_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The schema of a PATCH. RFC 7644 §3.5.2.
pub const PATCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// The schema of an error. RFC 7644 §3.12.
pub const ERROR_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
/// The schema of an answer to a query. RFC 7644 §3.4.2.
pub const LIST_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// Reads the id of a resource: a positive decimal number as we write it.
pub fn number(text: &str) -> Option<i64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    if plain { text.parse().ok() } else { None }
}
