//! The roles API, version 0.1. Wire contract §5.3.

use serde_json::{Value, json};

use super::row::{JsonRow, number, rows};
use super::{bulk, caller, count_of, id_of, in_wire_words, ok};
use crate::desk::people::roles::{NewRole, RoleChange, RoleView};
use crate::desk::sign_in::privilege::Privilege::GroupOwner;
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call};
use crate::model::RoleId;

/// `GET …/roles`
pub fn get_roles(app: &App, call: &Call<'_>) -> Result<Response> {
    let (caller, group) = caller(app, call, "role.list", &[GroupOwner])?;
    let (roles, _) = app.desk.people.roles(&caller, group)?;
    let roles: Vec<Value> = roles.iter().map(|view| written(view, false)).collect();
    Ok(answer::json(200, &roles))
}

/// `GET …/roles/{role}`
pub fn get_role(app: &App, call: &Call<'_>) -> Result<Response> {
    let (caller, group) = caller(app, call, "role.list", &[GroupOwner])?;
    let unknown = || Error::not_found("role_unknown", "The group has no such role.").with_field("roleId");
    let id = id_of(call.segment("role")).ok_or_else(unknown)?;
    let view = app.desk.people.role(&caller, group, RoleId(id)).map_err(in_wire_words)?;
    Ok(answer::json(200, &written(&view, true)))
}

/// `POST …/roles`
pub fn post_roles(app: &App, call: &Call<'_>) -> Result<Response> {
    let (caller, group) = caller(app, call, "role.create", &[GroupOwner])?;
    let new = rows(&call.request.body, |item| {
        let row = JsonRow::new(item, &["name", "description", "settings"])?;
        Ok(NewRole {
            name: row.text("name")?.unwrap_or_default(),
            description: row.text("description")?.unwrap_or_default(),
            settings: row.flags("settings")?.into_iter().collect(),
        })
    });
    let count = count_of(&new, &call.request.body);
    bulk(new.and_then(|new| app.desk.people.create_roles(&caller, group, new)), count, |made| {
        let made: Vec<Value> =
            made.iter().map(|role| json!({ "roleId": role.id, "name": role.name, "inUse": false })).collect();
        answer::json(200, &made)
    })
}

/// `PUT …/roles`
pub fn put_roles(app: &App, call: &Call<'_>) -> Result<Response> {
    let (caller, group) = caller(app, call, "role.update", &[GroupOwner])?;
    let changes = rows(&call.request.body, |item| {
        // The last two are answered by lists and mean nothing here.
        let known = ["roleId", "name", "description", "settings", "inUse", "userCount"];
        let row = JsonRow::new(item, &known)?;
        let missing = || Error::invalid("role_id_required", "roleId", "roleId is missing.");
        let id = row.number("roleId")?.ok_or_else(missing)?;
        let change = RoleChange {
            // Required here: an empty one is refused by the rule of the field.
            name: Some(row.text("name")?.unwrap_or_default()),
            description: row.text("description")?,
            settings: row.flags("settings")?.into_iter().collect(),
            ..RoleChange::default()
        };
        Ok((RoleId(id), change))
    });
    let count = count_of(&changes, &call.request.body);
    bulk(changes.and_then(|changes| app.desk.people.update_roles(&caller, group, changes)), count, ok)
}

/// `POST …/delete-roles`: a list of role numbers, or of objects with `roleId`.
pub fn post_delete_roles(app: &App, call: &Call<'_>) -> Result<Response> {
    let (caller, group) = caller(app, call, "role.delete", &[GroupOwner])?;
    let ids = rows(&call.request.body, |item| {
        let missing = || Error::invalid("role_id_required", "roleId", "roleId is missing.");
        let id = match number(item) {
            Some(id) => id,
            None => JsonRow::new(item, &["roleId"])?.number("roleId")?.ok_or_else(missing)?,
        };
        Ok(RoleId(id))
    });
    let count = count_of(&ids, &call.request.body);
    bulk(ids.and_then(|ids| app.desk.people.delete_roles(&caller, group, ids)), count, ok)
}

fn written(view: &RoleView, with_settings: bool) -> Value {
    let users = view.active_users + view.inactive_users;
    let mut document = json!({
        "name": view.role.name,
        "roleId": view.role.id,
        "description": view.role.description,
        "inUse": users > 0,
        "userCount": users,
    });
    if let (true, Some(document)) = (with_settings, document.as_object_mut()) {
        document.insert("settings".into(), json!(view.settings));
    }
    document
}
