//! SCIM 2.0 (RFC 7644): `/scim/v2/Users`, `/scim/v2/Groups`, and what tells clients about us.
//!
//! The bearer token says which group is meant. Enter at [`ROUTES`]; [`users`] and [`groups`] are the two
//! resources, [`discovery`] is what a client reads first. What documents mean is the protocol's.

mod discovery;
mod groups;
mod users;

use serde_json::{Value, json};
use tiny_http::Method;

use super::answer;
use super::router::{App, AtOnce, Call, Errors, NO_BODY, Route};
use crate::desk::people::scim::{PAGE_MAX, Window};
use crate::error::{Error, Kind, Result};
use crate::gate::Response;
use crate::model::person::{self, Field};
use crate::model::{Caller, GroupId};
use crate::protocol::scim::filter::Filter;
use crate::protocol::scim::path::member;
use crate::protocol::scim::projection::Projection;
use crate::protocol::scim::version::is_among;
use crate::protocol::scim::{ERROR_SCHEMA, LIST_SCHEMA, ScimReject, ScimType, group, user};

/// Where everything of SCIM is found.
const BASE: &str = "/scim/v2";
/// The media type of every document. RFC 7644 §3.1.
const MEDIA_TYPE: &str = "application/scim+json";
/// Largest document: a role with 20,000 members, as clients write them.
const DOCUMENT: usize = 4 * 1024 * 1024;
/// Resources of a page when the client does not say.
const PAGE: usize = 100;

pub const ROUTES: &[Route] = &[
    read("/scim/v2/Users", users::get_users),
    write(Method::Post, "/scim/v2/Users", users::post_users),
    write(Method::Post, "/scim/v2/Users/.search", users::post_users_search),
    read("/scim/v2/Users/{id}", users::get_user),
    write(Method::Put, "/scim/v2/Users/{id}", users::put_user),
    write(Method::Patch, "/scim/v2/Users/{id}", users::patch_user),
    write(Method::Delete, "/scim/v2/Users/{id}", users::delete_user),
    read("/scim/v2/Groups", groups::get_groups),
    write(Method::Post, "/scim/v2/Groups", groups::post_groups),
    write(Method::Post, "/scim/v2/Groups/.search", groups::post_groups_search),
    read("/scim/v2/Groups/{id}", groups::get_group),
    write(Method::Put, "/scim/v2/Groups/{id}", groups::put_group),
    write(Method::Patch, "/scim/v2/Groups/{id}", groups::patch_group),
    write(Method::Delete, "/scim/v2/Groups/{id}", groups::delete_group),
    read("/scim/v2/ServiceProviderConfig", discovery::get_service_provider_config),
    read("/scim/v2/ResourceTypes", discovery::get_resource_types),
    read("/scim/v2/ResourceTypes/{id}", discovery::get_resource_type),
    read("/scim/v2/Schemas", discovery::get_schemas),
    read("/scim/v2/Schemas/{id}", discovery::get_schema),
    write(Method::Post, "/scim/v2/.search", post_search),
    write(Method::Post, "/scim/v2/Bulk", discovery::post_bulk),
];

const fn read(path: &'static str, handler: AtOnce) -> Route {
    Route::at_once(Method::Get, path, NO_BODY, Errors::Own(said), handler)
}

const fn write(method: Method, path: &'static str, handler: AtOnce) -> Route {
    Route::at_once(method, path, DOCUMENT, Errors::Own(said), handler)
}

/// Says who calls, and for which group, by the bearer token.
fn caller(app: &App, call: &Call<'_>) -> Result<(Caller, GroupId)> {
    let header = call.request.header("Authorization").unwrap_or_default();
    let (scheme, token) = header.split_once(' ').unwrap_or_default();
    let token = if scheme.eq_ignore_ascii_case("Bearer") { token.trim() } else { "" };
    app.desk.people.scim_caller(call.request.peer, token)
}

/// The address under which the resources are found.
fn base(app: &App, call: &Call<'_>) -> String {
    format!("{}{BASE}", app.origin(call.request))
}

/// Reads the body as JSON.
fn body(call: &Call<'_>) -> Result<Value> {
    serde_json::from_slice(&call.request.body).map_err(|error| {
        ScimReject::new(ScimType::InvalidSyntax, format!("The body is not JSON: {error}.")).into()
    })
}

/// The versions that the client expects, by its If-Match header.
fn if_match<'c>(call: &Call<'c>) -> Option<&'c str> {
    call.request.header("If-Match")
}

/// What a query for resources asks for. RFC 7644 §3.4.2.
struct Query {
    filter: Option<Filter>,
    window: Window,
    projection: Projection,
}

impl Query {
    /// Reads it off the query of a GET.
    fn of_url(call: &Call<'_>) -> Result<Query> {
        let query = call.query();
        let text = |name: &str| query.first(name).unwrap_or_default().into_owned();
        let number = |name: &str| match query.filled(name) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| not_a_number(name)),
        };
        Query::new(&text("filter"), number("startIndex")?, number("count")?, projection(call)?)
    }

    /// Reads it off the body of a POST to `.search`. RFC 7644 §3.4.3.
    fn of_body(call: &Call<'_>) -> Result<Query> {
        let body = body(call)?;
        let number = |name: &str| match member(&body, name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| not_a_number(name)),
        };
        let list = |name: &str| match member(&body, name) {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
            _ => String::new(),
        };
        let filter = member(&body, "filter").and_then(Value::as_str).unwrap_or_default();
        let projection = Projection::parse(&list("attributes"), &list("excludedAttributes"))?;
        Query::new(filter, number("startIndex")?, number("count")?, projection)
    }

    fn new(filter: &str, start: Option<i64>, count: Option<i64>, projection: Projection) -> Result<Query> {
        let filter = if filter.trim().is_empty() { None } else { Some(Filter::parse(filter)?) };
        // Counted from 1; less counts as 1, and a negative count as none. RFC 7644 §3.4.2.4.
        let first = usize::try_from(start.unwrap_or(1).max(1) - 1).unwrap_or(usize::MAX);
        let count = count.map_or(PAGE, |count| usize::try_from(count.max(0)).unwrap_or(PAGE_MAX));
        Ok(Query { filter, window: Window { first, count: count.min(PAGE_MAX) }, projection })
    }

    /// Answers with a page of resources.
    fn answer(&self, total: usize, resources: Vec<Value>) -> Response {
        let resources: Vec<Value> = resources.into_iter().map(|r| self.projection.applied(r)).collect();
        list(total, self.window.first + 1, resources)
    }
}

/// `POST /scim/v2/.search`: users, and after them groups. RFC 7644 §3.4.3.
fn post_search(app: &App, call: &Call<'_>) -> Result<Response> {
    let (caller, group) = caller(app, call)?;
    let query = Query::of_body(call)?;
    let Query { filter, window, projection } = &query;
    let users = app.desk.people.scim_users(&caller, group, filter.as_ref(), *window)?;
    let rest = Window {
        first: window.first.saturating_sub(users.total),
        count: window.count.saturating_sub(users.users.len()),
    };
    let with_members = projection.shows("members");
    let groups = app.desk.people.scim_groups(&caller, group, filter.as_ref(), rest, with_members)?;
    let base = base(app, call);
    let users_shown = users.users.iter().map(|user| user::document(user, &base));
    let groups_shown = groups.groups.iter().map(|group| group::document(group, &base));
    Ok(query.answer(users.total + groups.total, users_shown.chain(groups_shown).collect()))
}

fn not_a_number(name: &str) -> Error {
    ScimReject::new(ScimType::InvalidValue, format!("{name} is a whole number.")).into()
}

fn projection(call: &Call<'_>) -> Result<Projection> {
    let query = call.query();
    let text = |name: &str| query.first(name).unwrap_or_default().into_owned();
    Ok(Projection::parse(&text("attributes"), &text("excludedAttributes"))?)
}

/// A list of resources. RFC 7644 §3.4.2.
fn list(total: usize, start: usize, resources: Vec<Value>) -> Response {
    let document = json!({
        "schemas": [LIST_SCHEMA],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    });
    document_with(200, &document)
}

fn document_with(status: u16, document: &Value) -> Response {
    answer::bytes(status, MEDIA_TYPE, document.to_string())
}

/// Answers with one resource: ETag, and Location when it was made.
fn resource(status: u16, resource: Value, projection: &Projection) -> Response {
    let of_meta = |name: &str| {
        resource.get("meta").and_then(|meta| meta.get(name)).and_then(Value::as_str).map(str::to_owned)
    };
    let (version, location) = (of_meta("version"), of_meta("location"));
    let mut response = document_with(status, &projection.applied(resource));
    for (name, value) in [("ETag", version), ("Location", location)] {
        if let Some(value) = value {
            response = answer::with(response, name, &value);
        }
    }
    response
}

/// Whether the client has the resource already, by its If-None-Match header.
fn is_known(call: &Call<'_>, resource: &Value) -> bool {
    let version = resource.get("meta").and_then(|meta| meta.get("version")).and_then(Value::as_str);
    call.request
        .header("If-None-Match")
        .zip(version)
        .is_some_and(|(header, version)| is_among(version, header))
}

/// Answers a GET of one resource.
fn shown(call: &Call<'_>, document: Value, projection: &Projection) -> Response {
    if is_known(call, &document) {
        let version = document.get("meta").and_then(|meta| meta.get("version")).and_then(Value::as_str);
        return answer::with(answer::bytes(304, MEDIA_TYPE, ""), "ETag", version.unwrap_or_default());
    }
    resource(200, document, projection)
}

/// An error in SCIM's shape. RFC 7644 §3.12.
fn said(error: &Error) -> Response {
    let (status, document) = error_document(error);
    answer::bytes(status, MEDIA_TYPE, document.to_string())
}

fn error_document(error: &Error) -> (u16, Value) {
    let status = match error.code {
        "version_mismatch" => 412,
        _ => error.kind.status(),
    };
    let mut detail = match error.field.as_deref().and_then(attribute) {
        Some(attribute) => format!("{attribute}: {} ({})", error.public, error.code),
        None => format!("{} ({})", error.public, error.code),
    };
    if error.code.starts_with("address_") && error.kind == Kind::Invalid {
        detail.push_str(" Map userName to what holds the Glance Address.");
    }
    if let Some(incident) = &error.incident {
        detail.push_str(&format!(" Incident {incident}."));
    }
    let mut document = json!({ "schemas": [ERROR_SCHEMA], "status": status.to_string(), "detail": detail });
    if let (Some(scim_type), Some(document)) = (scim_type(error), document.as_object_mut()) {
        document.insert("scimType".into(), scim_type.name().into());
    }
    (status, document)
}

fn scim_type(error: &Error) -> Option<ScimType> {
    if let Some(named) = ScimType::ALL.into_iter().find(|named| named.code() == error.code) {
        return Some(named);
    }
    match (error.kind, error.code) {
        (Kind::Conflict, "puid_taken" | "address_taken" | "role_exists") => Some(ScimType::Uniqueness),
        (Kind::Denied, "home_group_only") => Some(ScimType::Mutability),
        (Kind::Invalid, _) => Some(ScimType::InvalidValue),
        _ => None,
    }
}

/// What a field of the house is called in SCIM.
fn attribute(field: &str) -> Option<String> {
    match field {
        // Of a role.
        "name" => Some("displayName".to_owned()),
        "members" => Some("members".to_owned()),
        field => person::field(field).and_then(Field::scim_path),
    }
}
