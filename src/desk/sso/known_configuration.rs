//! The configuration of a group that exists.

use crate::error::{Error, Result};
use crate::model::GroupId;
use crate::model::sso::Configuration;
use crate::store::Reader;

/// The configuration of a group that exists.
pub(super) fn known(reader: &Reader<'_>, group: GroupId) -> Result<Configuration> {
    let unknown = || Error::not_found("group_unknown", format!("There is no group {group}."));
    reader.sso_configuration(group)?.ok_or_else(unknown)
}
