//! `/scim/v2/Groups`: the roles.

use serde_json::Value;

use super::{Query, base, body, caller, if_match, projection, resource, shown};
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call};
use crate::model::RoleId;
use crate::protocol::scim::group::{GroupStep, WantedGroup, document, steps, wanted};
use crate::protocol::scim::number;
use crate::protocol::scim::patch::operations;

/// `GET /scim/v2/Groups`
pub fn get_groups(app: &App, call: &Call<'_>) -> Result<Response> {
    list(app, call, Query::of_url)
}

/// `POST /scim/v2/Groups/.search`
pub fn post_groups_search(app: &App, call: &Call<'_>) -> Result<Response> {
    list(app, call, Query::of_body)
}

fn list(app: &App, call: &Call<'_>, query: fn(&Call<'_>) -> Result<Query>) -> Result<Response> {
    let (caller, group) = caller(app, call)?;
    let query = query(call)?;
    let with_members = query.projection.shows("members");
    let page =
        app.desk.people.scim_groups(&caller, group, query.filter.as_ref(), query.window, with_members)?;
    let base = base(app, call);
    let groups = page.groups.iter().map(|group| document(group, &base)).collect();
    Ok(query.answer(page.total, groups))
}

/// `POST /scim/v2/Groups`
pub fn post_groups(app: &App, call: &Call<'_>) -> Result<Response> {
    let (caller, group) = caller(app, call)?;
    let projection = projection(call)?;
    let made = app.desk.people.scim_create_group(&caller, group, &body(call)?)?;
    Ok(resource(201, document(&made, &base(app, call)), &projection))
}

/// `GET /scim/v2/Groups/{id}`
pub fn get_group(app: &App, call: &Call<'_>) -> Result<Response> {
    let (caller, group) = caller(app, call)?;
    let projection = projection(call)?;
    let found = app.desk.people.scim_group(&caller, group, id(call)?, projection.shows("members"))?;
    Ok(shown(call, document(&found, &base(app, call)), &projection))
}

/// `PUT /scim/v2/Groups/{id}`; what is not named at all stays.
pub fn put_group(app: &App, call: &Call<'_>) -> Result<Response> {
    changed(app, call, |document| {
        let WantedGroup { name, external_id, members } = wanted(&document)?;
        let id = external_id.map(|id| GroupStep::Identify(Some(id)));
        let members = members.map(GroupStep::Replace);
        Ok(std::iter::once(GroupStep::Rename(name)).chain(id).chain(members).collect())
    })
}

/// `PATCH /scim/v2/Groups/{id}`
pub fn patch_group(app: &App, call: &Call<'_>) -> Result<Response> {
    changed(app, call, |document| Ok(steps(operations(&document)?)?))
}

fn changed(app: &App, call: &Call<'_>, read: fn(Value) -> Result<Vec<GroupStep>>) -> Result<Response> {
    let (caller, group) = caller(app, call)?;
    let projection = projection(call)?;
    let id = id(call)?;
    let steps = read(body(call)?)?;
    let done = app.desk.people.scim_change_group(&caller, group, id, if_match(call), steps)?;
    Ok(resource(200, document(&done, &base(app, call)), &projection))
}

/// `DELETE /scim/v2/Groups/{id}`
pub fn delete_group(app: &App, call: &Call<'_>) -> Result<Response> {
    let (caller, group) = caller(app, call)?;
    app.desk.people.scim_delete_group(&caller, group, id(call)?, if_match(call))?;
    Ok(answer::no_content())
}

fn id(call: &Call<'_>) -> Result<RoleId> {
    let unknown = || Error::not_found("role_unknown", "The group has no such role.");
    number(call.segment("id")).map(RoleId).ok_or_else(unknown)
}
