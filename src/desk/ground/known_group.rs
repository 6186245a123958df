//! Which groups there are, and what those were known by that were deleted.

use crate::error::{Error, Kind, Result};
use crate::model::{Group, GroupId};
use crate::store::{Reader, Writer};

/// Passes when there is a group of this number.
///
/// # Errors
/// `NotFound` with code `group_unknown`.
pub fn known(reader: &Reader<'_>, group: GroupId) -> Result<Group> {
    let unknown = || Error::not_found("group_unknown", format!("There is no group {group}."));
    reader.group(group)?.ok_or_else(unknown)
}

/// Refuses the number and the Unique Account ID of a group that was deleted: anyone who still holds a credential or a
/// link with them must not reach somebody else's group.
///
/// # Errors
/// `Conflict` with `group_retired`.
pub fn never_retired(w: &Writer<'_>, id: Option<GroupId>, account_id: Option<&str>) -> Result<()> {
    let refused = |field: &str, what: &str| {
        let public = format!("A deleted group had this {what}. It is never used again; choose another.");
        Err(Error::new(Kind::Conflict, "group_retired", public).with_field(field))
    };
    if let Some(id) = id
        && w.is_retired_group(id)?
    {
        return refused("id", "Group ID");
    }
    match account_id {
        Some(account) if w.is_retired_account(account)? => refused("account_id", "Unique Account ID"),
        _ => Ok(()),
    }
}
