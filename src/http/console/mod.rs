//! The console: pages for operators and for administrators of a group. One file a page family.
//!
//! Enter at [`visit`]: it knows who is signed in, passes only forms that came from our own pages, and
//! frames what the page room makes. Who may do what is decided by the desk, with the caller; a link that is
//! not shown protects nothing.

pub(super) mod access_log;
pub(super) mod api_key;
pub(super) mod appliance;
mod attention;
pub(super) mod backups;
pub(super) mod entry;
pub(super) mod group_end;
pub(super) mod groups;
pub(super) mod incidents;
mod interrupted;
mod listing;
pub(super) mod login_keys;
mod meanwhile;
pub(super) mod operators;
pub(super) mod password_links;
pub(super) mod provisioning;
pub(super) mod roles;
pub(super) mod settings;
pub(super) mod sso;
mod taken_up;
pub(super) mod upload;
pub(super) mod users;
mod visit;
