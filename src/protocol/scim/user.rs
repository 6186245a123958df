//! A member of a group as a SCIM user, and back. RFC 7643 §4.1.
//!
//! | SCIM | here |
//! | --- | --- |
//! | `id` | the user's number |
//! | `userName` | Glance Address; one with an `@` stands for an address, see [`super::details`] |
//! | `externalId` | partner user ID |
//! | `name.givenName`, `name.familyName` | first and last name |
//! | `displayName` | kept beside the user, see [`super::details`] |
//! | `emails`, `phoneNumbers` | one e-mail address, one phone number: the primary, else the work one; the lists are [`super::details`] |
//! | `active` | active: a suspension by an administrator is not SCIM's to see or to lift |
//! | `groups` | the role |
//!
//! Lines of text stand where [`crate::model::person`] says. The other attributes are read and written by hand: each has a
//! rule of its own for what is missing, for what is written in its place, or for who may change it.
//!
//! Attributes that we do not keep are accepted and forgotten, as RFC 7644 §3.3 allows.

use serde_json::{Map, Value, json};

use super::details::{Details, glance_address};
use super::patch::{Operation, apply};
use super::path::member;
use super::values::{flag, identifier, kept_value, speaks, text};
use super::version::version_of;
use super::{ScimReject, ScimType, USER_SCHEMA};
use crate::model::person::{Person, Scim};
use crate::model::{Member, Puid};
use crate::secret::Secret;

/// A member as SCIM shows them.
#[derive(Debug, Clone, PartialEq)]
pub struct ScimUser {
    pub member: Member,
    pub details: Details,
}

/// What a document says that a user should be.
pub struct WantedUser {
    pub address: String,
    pub external_id: Option<String>,
    /// `None` for what SCIM does not have; what a document leaves out is empty.
    pub person: Person<Option<String>>,
    pub active: Option<bool>,
    pub password: Option<Secret>,
    pub details: Details,
}

/// Reads a whole user.
///
/// # Errors
/// `invalidValue`, naming the attribute that is missing or of the wrong type; `invalidSyntax` for what is
/// no object.
pub fn wanted(document: &Value) -> Result<WantedUser, ScimReject> {
    if !document.is_object() {
        return Err(ScimReject::syntax("A user is an object."));
    }
    speaks(document, USER_SCHEMA)?;
    let user_name = text(document, "userName")?.filter(|name| !name.is_empty());
    let name = match member(document, "name") {
        None | Some(Value::Null) => &Value::Null,
        Some(name @ Value::Object(_)) => name,
        Some(_) => return Err(ScimReject::value("name is an object.")),
    };
    Ok(WantedUser {
        address: glance_address(&user_name.ok_or_else(|| ScimReject::value("userName is missing."))?),
        external_id: identifier(document, "externalId")?.filter(|id| !id.is_empty()),
        person: Person::try_of(|line| {
            Ok::<_, ScimReject>(match line.scim {
                Some(Scim::Name(part)) => Some(text(name, part)?.unwrap_or_default()),
                Some(Scim::Attribute(attribute)) => Some(text(document, attribute)?.unwrap_or_default()),
                Some(Scim::List { name, any_will_do }) => Some(kept_value(document, name, any_will_do)?),
                None => None,
            })
        })?,
        active: flag(document, "active")?,
        password: text(document, "password")?.filter(|p| !p.is_empty()).map(Secret::new),
        details: Details::of(document),
    })
}

/// What a member should be after a PATCH.
///
/// # Errors
/// Those of [`apply`] and [`wanted`]; `mutability` for `groups`, which is changed on the group.
pub fn patched(user: &ScimUser, operations: &[Operation]) -> Result<WantedUser, ScimReject> {
    let names_groups = |o: &Operation| o.path.as_ref().is_some_and(|path| path.attribute.is("groups"));
    if operations.iter().any(names_groups) {
        return Err(ScimReject::new(ScimType::Mutability, "A user's groups are changed on the group."));
    }
    let mut document = content(user, "");
    apply(&mut document, operations.to_vec())?;
    wanted(&document)
}

/// Writes a member as a user, without `meta`.
pub fn content(shown: &ScimUser, base: &str) -> Value {
    let ScimUser { member, details } = shown;
    let user = &member.user;
    let mut document = Map::new();
    document.insert("schemas".into(), json!([USER_SCHEMA]));
    document.insert("id".into(), user.id.to_string().into());
    let user_name = details.user_name_of(user).unwrap_or(user.address.as_str());
    document.insert("userName".into(), user_name.into());
    document.insert("active".into(), member.membership.active.into());
    if let Some(puid) = member.membership.puid.as_ref().map(Puid::as_str) {
        document.insert("externalId".into(), puid.into());
    }
    let mut name = Map::new();
    for (line, value) in user.person.iter() {
        match line.scim {
            Some(Scim::List { name: list, any_will_do }) => {
                if let Some(written) = details.list_of(list, value, any_will_do) {
                    document.insert(list.into(), json!(written));
                } else if !value.is_empty() {
                    document
                        .insert(list.into(), json!([{ "value": value, "type": "work", "primary": true }]));
                }
            }
            Some(Scim::Name(part)) if !value.is_empty() => {
                name.insert(part.into(), value.as_str().into());
            }
            Some(Scim::Attribute(attribute)) if !value.is_empty() => {
                document.insert(attribute.into(), value.as_str().into());
            }
            _ => {}
        }
    }
    if !name.is_empty() {
        document.insert("name".into(), name.into());
    }
    if let Some(display_name) = details.display_name_of(user) {
        document.insert("displayName".into(), display_name.into());
    }
    if let Some((role, role_name)) = member.membership.role.zip(member.role_name.as_ref()) {
        let group = json!({
            "value": role.to_string(), "display": role_name, "type": "direct",
            "$ref": format!("{base}/Groups/{role}"),
        });
        document.insert("groups".into(), json!([group]));
    }
    document.into()
}

/// The version of a member. RFC 7644 §3.14.
pub fn version(user: &ScimUser) -> String {
    version_of(&content(user, ""))
}

/// Writes a member as a user; `base` is the address under which `/Users` is found, without a slash at its
/// end.
pub fn document(user: &ScimUser, base: &str) -> Value {
    let member = &user.member;
    let mut document = content(user, base);
    let changed = member.user.updated_at.max(member.membership.updated_at);
    if let Some(document) = document.as_object_mut() {
        let meta = json!({
            "resourceType": "User",
            "created": member.membership.created_at.to_string(),
            "lastModified": changed.to_string(),
            "location": format!("{base}/Users/{}", member.user.id),
            "version": version(user),
        });
        document.insert("meta".into(), meta);
    }
    document
}

#[cfg(test)]
#[path = "user_tests.rs"]
mod tests;
