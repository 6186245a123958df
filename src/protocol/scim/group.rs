//! A role as a SCIM group, and what a request wants of it. RFC 7643 §4.2.
//!
//! A user has one role in a group of ours, so members are added by moving them here from whatever role they
//! had, and removed by taking the role away.
//!
//! Changes are read as steps, not applied to a document: a role may have a million members.

use serde_json::{Map, Value, json};

use super::filter::{Comparison, Filter};
use super::patch::{Op, Operation, PatchPath, with_paths};
use super::path::member;
use super::values::speaks;
use super::version::version_of;
use super::{GROUP_SCHEMA, ScimReject, ScimType};
use crate::model::{Member, Role, UserId};

/// One step of a change to a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupStep {
    Rename(String),
    /// Gives the role the identity provider's own name, or takes it away.
    Identify(Option<String>),
    Add(Vec<UserId>),
    Remove(Vec<UserId>),
    /// These and no others.
    Replace(Vec<UserId>),
}

/// A role as SCIM shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimGroup {
    pub role: Role,
    /// The identity provider's own name of it.
    pub external_id: Option<String>,
    /// `None` when they were not asked for, or are too many to show.
    pub members: Option<Vec<Member>>,
}

/// What a document says that a group should be; `None` for what it does not name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedGroup {
    pub name: String,
    pub external_id: Option<String>,
    pub members: Option<Vec<UserId>>,
}

/// Reads a whole group.
///
/// # Errors
/// `invalidValue`, naming the attribute that is missing or of the wrong type.
pub fn wanted(document: &Value) -> Result<WantedGroup, ScimReject> {
    speaks(document, GROUP_SCHEMA)?;
    let name = match member(document, "displayName") {
        Some(Value::String(name)) if !name.trim().is_empty() => name.clone(),
        _ => return Err(ScimReject::value("displayName is missing.")),
    };
    let members = match member(document, "members") {
        None | Some(Value::Null) => None,
        Some(members) => Some(user_ids(members)?),
    };
    let external_id = match member(document, "externalId") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id.clone()).filter(|id| !id.is_empty()),
        Some(_) => return Err(ScimReject::value("externalId is a text.")),
    };
    Ok(WantedGroup { name, external_id, members })
}

/// Reads the operations of a PATCH as steps. Attributes that we do not keep are left out.
///
/// # Errors
/// `invalidValue` for members that are none of ours in form, `invalidPath` for a filter that is not by
/// `value`, `mutability` for what cannot be changed.
pub fn steps(operations: Vec<Operation>) -> Result<Vec<GroupStep>, ScimReject> {
    let mut steps = Vec::new();
    for operation in with_paths(operations)? {
        let Some(path) = &operation.path else { continue };
        if path.attribute.is("members") {
            steps.push(members_step(operation.op, path, &operation.value)?);
        } else if path.attribute.is("displayName") {
            match (operation.op, operation.value) {
                (Op::Add | Op::Replace, Value::String(name)) => steps.push(GroupStep::Rename(name)),
                (Op::Remove, _) => {
                    return Err(ScimReject::new(ScimType::Mutability, "displayName is required."));
                }
                _ => return Err(ScimReject::value("displayName is a text.")),
            }
        } else if path.attribute.is("externalId") {
            steps.push(GroupStep::Identify(match (operation.op, operation.value) {
                (Op::Remove, _) | (_, Value::Null) => None,
                (_, Value::String(id)) => Some(id).filter(|id| !id.is_empty()),
                _ => return Err(ScimReject::value("externalId is a text.")),
            }));
        } else if path.attribute.is("id") || path.attribute.is("meta") {
            let detail = format!("{} cannot be changed.", path.attribute);
            return Err(ScimReject::new(ScimType::Mutability, detail));
        }
    }
    Ok(steps)
}

fn members_step(op: Op, path: &PatchPath, value: &Value) -> Result<GroupStep, ScimReject> {
    let selected = path.filter.as_ref().map(selected_ids).transpose()?;
    match (op, selected) {
        (Op::Remove, Some(ids)) => Ok(GroupStep::Remove(ids)),
        // Entra ID lists whom to remove beside the path.
        (Op::Remove, None) if value.is_array() || value.is_object() => {
            Ok(GroupStep::Remove(user_ids(value)?))
        }
        (Op::Remove, None) => Ok(GroupStep::Replace(Vec::new())),
        (Op::Add, None) => Ok(GroupStep::Add(user_ids(value)?)),
        (Op::Replace, None) if value.is_null() => Ok(GroupStep::Replace(Vec::new())),
        (Op::Replace, None) => Ok(GroupStep::Replace(user_ids(value)?)),
        (Op::Add | Op::Replace, Some(_)) => {
            Err(ScimReject::path("Members are added and replaced by the path members, without a filter."))
        }
    }
}

/// The members that `members[value eq "7"]` selects; several with `or`.
fn selected_ids(filter: &Filter) -> Result<Vec<UserId>, ScimReject> {
    match filter {
        Filter::Or(any) => Ok(any.iter().map(selected_ids).collect::<Result<Vec<_>, _>>()?.concat()),
        Filter::Compare { path, operator: Comparison::Equal, value } if path.is("value") => {
            // A value that is none of our numbers selects nobody.
            Ok(value.as_str().and_then(user_id).into_iter().collect())
        }
        _ => Err(ScimReject::path("Members are selected by value: members[value eq \"7\"].")),
    }
}

fn user_ids(members: &Value) -> Result<Vec<UserId>, ScimReject> {
    let one = |element: &Value| {
        let value = member(element, "value").unwrap_or(element);
        let id = value.as_str().and_then(user_id);
        id.ok_or_else(|| ScimReject::value(format!("A member's value is the id of a user, not {value}.")))
    };
    match members {
        Value::Array(elements) => elements.iter().map(one).collect(),
        element => Ok(vec![one(element)?]),
    }
}

/// Reads the id of a user.
pub fn user_id(text: &str) -> Option<UserId> {
    super::number(text).map(UserId)
}

/// Writes a role as a group; `base` is the address under which `/Groups` is found, without a slash at its
/// end.
pub fn document(group: &ScimGroup, base: &str) -> Value {
    let role = &group.role;
    let mut document = Map::new();
    document.insert("schemas".into(), json!([GROUP_SCHEMA]));
    document.insert("id".into(), role.id.to_string().into());
    document.insert("displayName".into(), role.name.clone().into());
    if let Some(id) = &group.external_id {
        document.insert("externalId".into(), id.clone().into());
    }
    let mut meta = json!({
        "resourceType": "Group",
        "created": role.created_at.to_string(),
        "lastModified": role.updated_at.to_string(),
        "location": format!("{base}/Groups/{}", role.id),
    });
    if let Some(members) = &group.members {
        let members: Vec<Value> = members.iter().map(|one| member_of(one, base)).collect();
        document.insert("members".into(), members.into());
    }
    if let (Some(version), Some(meta)) = (version(group), meta.as_object_mut()) {
        meta.insert("version".into(), version.into());
    }
    document.insert("meta".into(), meta);
    document.into()
}

/// The version of a group; `None` when its members were not read. RFC 7644 §3.14.
pub fn version(group: &ScimGroup) -> Option<String> {
    let members: Vec<UserId> = group.members.as_ref()?.iter().map(|one| one.user.id).collect();
    Some(version_of(&json!([group.role.id, group.role.name, group.external_id, members])))
}

fn member_of(one: &Member, base: &str) -> Value {
    json!({
        "value": one.user.id.to_string(),
        "type": "User",
        "$ref": format!("{base}/Users/{}", one.user.id),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::protocol::scim::patch::operations;

    fn read(operation: Value) -> Result<Vec<GroupStep>, ScimType> {
        let operations = operations(&json!({"Operations": [operation]})).map_err(|r| r.scim_type)?;
        steps(operations).map_err(|r| r.scim_type)
    }

    fn ids(numbers: &[i64]) -> Vec<UserId> {
        numbers.iter().copied().map(UserId).collect()
    }

    #[test]
    fn patches_are_read_as_steps() {
        let check = |operation: Value, expected: GroupStep| {
            assert_eq!(read(operation.clone()), Ok(vec![expected]), "{operation}");
        };
        check(
            json!({"op": "add", "path": "members", "value": [{"value": "7"}, {"value": "8"}]}),
            GroupStep::Add(ids(&[7, 8])),
        );
        check(json!({"op": "Add", "path": "members", "value": {"value": "7"}}), GroupStep::Add(ids(&[7])));
        check(json!({"op": "add", "value": {"members": [{"value": "7"}]}}), GroupStep::Add(ids(&[7])));
        check(json!({"op": "remove", "path": "members[value eq \"7\"]"}), GroupStep::Remove(ids(&[7])));
        check(
            json!({"op": "remove", "path": "members[value eq \"7\" or value eq \"8\"]"}),
            GroupStep::Remove(ids(&[7, 8])),
        );
        check(json!({"op": "remove", "path": "members[value eq \"x\"]"}), GroupStep::Remove(vec![]));
        check(
            json!({"op": "Remove", "path": "members", "value": [{"value": "7"}]}),
            GroupStep::Remove(ids(&[7])),
        );
        check(json!({"op": "remove", "path": "members"}), GroupStep::Replace(vec![]));
        check(json!({"op": "replace", "path": "members", "value": []}), GroupStep::Replace(vec![]));
        check(json!({"op": "replace", "path": "members", "value": ["7"]}), GroupStep::Replace(ids(&[7])));
        check(
            json!({"op": "replace", "path": "displayName", "value": "Sales"}),
            GroupStep::Rename("Sales".into()),
        );
        check(
            json!({"op": "replace", "value": {"id": "3", "displayName": "Sales"}}),
            GroupStep::Rename("Sales".into()),
        );
        check(
            json!({"op": "add", "path": "externalId", "value": "x"}),
            GroupStep::Identify(Some("x".into())),
        );
        check(json!({"op": "remove", "path": "externalId"}), GroupStep::Identify(None));
        assert_eq!(read(json!({"op": "replace", "path": "description", "value": "x"})), Ok(vec![]));
    }

    #[test]
    fn what_cannot_be_done_is_rejected_by_its_type() {
        let check = |operation: Value, expected: ScimType| {
            assert_eq!(read(operation.clone()), Err(expected), "{operation}");
        };
        check(json!({"op": "add", "path": "members", "value": [{"value": "x"}]}), ScimType::InvalidValue);
        check(json!({"op": "add", "path": "members", "value": "-7"}), ScimType::InvalidValue);
        check(json!({"op": "add", "path": "members"}), ScimType::InvalidValue);
        check(json!({"op": "remove", "path": "members[display sw \"a\"]"}), ScimType::InvalidPath);
        check(
            json!({"op": "replace", "path": "members[value eq \"7\"]", "value": {}}),
            ScimType::InvalidPath,
        );
        check(json!({"op": "remove", "path": "displayName"}), ScimType::Mutability);
        check(json!({"op": "replace", "path": "displayName", "value": 1}), ScimType::InvalidValue);
        check(json!({"op": "replace", "path": "id", "value": "4"}), ScimType::Mutability);
    }

    #[test]
    fn a_whole_group_needs_a_name() {
        let sales = wanted(&json!({"displayName": "Sales"})).unwrap();
        assert_eq!(sales, WantedGroup { name: "Sales".into(), external_id: None, members: None });
        let sales = wanted(&json!({"displayName": "Sales", "members": [{"value": "7"}]})).unwrap();
        assert_eq!(sales.members, Some(ids(&[7])));
        for bad in [json!({}), json!({"displayName": " "}), json!({"displayName": 1}), json!([])] {
            assert!(wanted(&bad).is_err(), "{bad}");
        }
    }
}
