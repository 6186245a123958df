//! The wing of people: users, roles and groups, what a group asks of passwords, and all ways by which many come at once:
//! CSV uploads and SCIM.

pub mod allowed_sites;
pub mod bulk;
mod bulk_places;
pub mod csv_upload;
pub mod group_end;
pub mod groups;
pub mod password_links;
pub mod password_policy;
pub mod roles;
pub mod scim;
pub mod uploads;
pub mod users;

use std::sync::Arc;

use super::ground::Ground;

/// The wing of people.
pub struct People {
    ground: Arc<Ground>,
    /// Uploaded files that wait to be applied.
    uploads: uploads::Uploads,
    /// The links that somebody sets a password by.
    links_in_use: password_links::InUse,
    /// Calls that hash the passwords of several users.
    bulk_places: bulk_places::BulkPlaces,
}

impl People {
    pub(super) fn new(ground: Arc<Ground>) -> People {
        People {
            ground,
            uploads: uploads::Uploads::default(),
            links_in_use: password_links::InUse::default(),
            bulk_places: bulk_places::BulkPlaces::default(),
        }
    }
}
