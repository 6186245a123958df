//! `/scim/v2/Users`.

use serde_json::Value;

use super::{Query, base, body, caller, if_match, projection, resource, shown};
use crate::desk::people::scim::UserWrite;
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call};
use crate::model::UserId;
use crate::protocol::scim::number;
use crate::protocol::scim::patch::operations;
use crate::protocol::scim::user::document;

/// `GET /scim/v2/Users`
pub fn get_users(app: &App, call: &Call<'_>) -> Result<Response> {
    list(app, call, Query::of_url)
}

/// `POST /scim/v2/Users/.search`
pub fn post_users_search(app: &App, call: &Call<'_>) -> Result<Response> {
    list(app, call, Query::of_body)
}

fn list(app: &App, call: &Call<'_>, query: fn(&Call<'_>) -> Result<Query>) -> Result<Response> {
    let (caller, group) = caller(app, call)?;
    let query = query(call)?;
    let page = app.desk.people.scim_users(&caller, group, query.filter.as_ref(), query.window)?;
    let base = base(app, call);
    let users = page.users.iter().map(|user| document(user, &base)).collect();
    Ok(query.answer(page.total, users))
}

/// `POST /scim/v2/Users`
pub fn post_users(app: &App, call: &Call<'_>) -> Result<Response> {
    let (caller, group) = caller(app, call)?;
    let projection = projection(call)?;
    let member = app.desk.people.scim_create_user(&caller, group, &body(call)?)?;
    Ok(resource(201, document(&member, &base(app, call)), &projection))
}

/// `GET /scim/v2/Users/{id}`
pub fn get_user(app: &App, call: &Call<'_>) -> Result<Response> {
    let (caller, group) = caller(app, call)?;
    let member = app.desk.people.scim_user(&caller, group, id(call)?)?;
    Ok(shown(call, document(&member, &base(app, call)), &projection(call)?))
}

/// `PUT /scim/v2/Users/{id}`
pub fn put_user(app: &App, call: &Call<'_>) -> Result<Response> {
    changed(app, call, |document| Ok(UserWrite::Replace(document)))
}

/// `PATCH /scim/v2/Users/{id}`
pub fn patch_user(app: &App, call: &Call<'_>) -> Result<Response> {
    changed(app, call, |document| Ok(UserWrite::Patch(operations(&document)?)))
}

fn changed(app: &App, call: &Call<'_>, read: fn(Value) -> Result<UserWrite>) -> Result<Response> {
    let (caller, group) = caller(app, call)?;
    let projection = projection(call)?;
    let id = id(call)?;
    let write = read(body(call)?)?;
    let member = app.desk.people.scim_change_user(&caller, group, id, if_match(call), &write)?;
    Ok(resource(200, document(&member, &base(app, call)), &projection))
}

/// `DELETE /scim/v2/Users/{id}`
pub fn delete_user(app: &App, call: &Call<'_>) -> Result<Response> {
    let (caller, group) = caller(app, call)?;
    app.desk.people.scim_delete_user(&caller, group, id(call)?, if_match(call))?;
    Ok(answer::no_content())
}

fn id(call: &Call<'_>) -> Result<UserId> {
    let unknown = || Error::not_found("user_unknown", "The group has no such user.");
    number(call.segment("id")).map(UserId).ok_or_else(unknown)
}
