//! The REST APIs: group users 1.0.0 and 0.1, roles 0.1, and the document that describes them. Wire
//! contract §5.2, §5.3.
//!
//! Several rows come in one call and are done all or none; a refusal names each row that was refused and
//! why. What the contract leaves open (paths of version 1.0.0, bodies of answers, deletion) is our own
//! choice and marked so in docs/compatibility.md.

mod roles;
mod row;
mod users;

use serde_json::json;
use tiny_http::Method;

use super::answer;
use super::credentials::header_proof;
use super::form::without_mark;
use super::router::{App, AtOnce, Call, Errors, NO_BODY, Route};
use crate::desk::people::bulk::BulkError;
use crate::desk::sign_in::privilege::Privilege;
use crate::error::{Error, Kind, Result};
use crate::gate::Response;
use crate::model::person;
use crate::model::{Caller, GroupId};

/// Largest document: 1,000 users with every field at its longest, in ASCII or in most scripts.
const DOCUMENT: usize = 4 * 1024 * 1024;

pub const ROUTES: &[Route] = &[
    read("/api/openapi.json", get_openapi),
    read("/api/v1/groups/{group}/users", users::get_users),
    write(Method::Post, "/api/v1/groups/{group}/users", users::post_users),
    write(Method::Put, "/api/v1/groups/{group}/users", users::put_users),
    write(Method::Post, "/api/v1/groups/{group}/delete-users", users::post_delete_users),
    read("/api/v0/groups/{group}/users", users::get_users),
    write(Method::Post, "/api/v0/groups/{group}/users", users::post_users),
    write(Method::Put, "/api/v0/groups/{group}/users", users::put_users),
    write(Method::Post, "/api/v0/groups/{group}/delete-users", users::post_delete_users),
    read("/api/v0/groups/{group}/roles", roles::get_roles),
    write(Method::Post, "/api/v0/groups/{group}/roles", roles::post_roles),
    write(Method::Put, "/api/v0/groups/{group}/roles", roles::put_roles),
    read("/api/v0/groups/{group}/roles/{role}", roles::get_role),
    write(Method::Post, "/api/v0/groups/{group}/delete-roles", roles::post_delete_roles),
];

const fn read(path: &'static str, handler: AtOnce) -> Route {
    Route::at_once(Method::Get, path, NO_BODY, Errors::Json, handler)
}

const fn write(method: Method, path: &'static str, handler: AtOnce) -> Route {
    Route::at_once(method, path, DOCUMENT, Errors::Json, handler)
}

/// `GET /api/openapi.json`
fn get_openapi(_: &App, _: &Call<'_>) -> Result<Response> {
    Ok(answer::bytes(200, "application/json", include_str!("../../../static/openapi.json")))
}

/// Says who calls, for the group of the path, and that they have the privileges.
fn caller(
    app: &App,
    call: &Call<'_>,
    operation: &'static str,
    privileges: &[Privilege],
) -> Result<(Caller, GroupId)> {
    let nobody = call.anonymous();
    let group = GroupId::parse(call.segment("group"));
    let proof = match header_proof(call) {
        Ok(Some(proof)) => proof,
        Ok(None) => return Err(app.desk.sign_in.refuse_unreadable(&nobody, "REST", group, None)),
        Err(why) => return Err(app.desk.sign_in.refuse_unreadable(&nobody, "REST", group, Some(why))),
    };
    // A group that cannot be is asked about as any other that is not the caller's.
    let asked = group.unwrap_or(GroupId(i64::MAX));
    let signed_in = app.desk.sign_in.identify_bearer(&nobody, &proof, Some(asked), "REST")?;
    let caller = signed_in.caller(Some(call.request.peer));
    app.desk.sign_in.require_privileges(&signed_in, &caller, operation, privileges)?;
    Ok((caller, signed_in.group))
}

/// Answers what came of rows that are done all or none.
fn bulk<T>(
    outcome: std::result::Result<T, BulkError>,
    rows: usize,
    answer: impl FnOnce(T) -> Response,
) -> Result<Response> {
    match outcome {
        Ok(done) => Ok(answer(done)),
        Err(BulkError::Whole(error)) => Err(in_wire_words(error)),
        Err(BulkError::Rows(refused)) => Ok(rows_refused(refused, rows)),
    }
}

/// `{"status":"ok"}`, as the roles API answers changes.
fn ok<T>(_: T) -> Response {
    answer::json(200, &json!({ "status": "ok" }))
}

/// How many rows the body had, for the sentence about those refused.
fn count_of<T, E>(read: &std::result::Result<Vec<T>, E>, body: &[u8]) -> usize {
    match read {
        Ok(rows) => rows.len(),
        Err(_) => serde_json::from_slice::<Vec<serde::de::IgnoredAny>>(without_mark(body))
            .map_or(0, |rows| rows.len()),
    }
}

/// A number in the path; `None` for what cannot name anything.
fn id_of(text: &str) -> Option<i64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    if plain { text.parse().ok() } else { None }
}

fn rows_refused(refused: Vec<(usize, Error)>, rows: usize) -> Response {
    // Input that no group would take outweighs what others may clear away.
    let invalid = refused.iter().any(|(_, error)| status_of(error) == Kind::Invalid.status());
    let first = refused.first().map_or(Kind::Invalid.status(), |(_, error)| status_of(error));
    let status = if invalid { Kind::Invalid.status() } else { first };
    let message = format!("{} of {rows} rows were refused. Nothing was changed.", refused.len());
    let rows: Vec<_> = refused
        .into_iter()
        .map(|(row, error)| {
            let error = in_wire_words(error);
            let mut told = json!({ "row": row, "code": error.code, "message": error.public });
            if let (Some(field), Some(told)) = (error.field, told.as_object_mut()) {
                told.insert("field".into(), field.into());
            }
            told
        })
        .collect();
    let document = json!({ "error": { "code": "rows_refused", "message": message, "rows": rows } });
    answer::json(status, &document)
}

/// The status of one row's error. Well-formed input that this group does not take as it is now (it has no
/// such role, or asks more of passwords) conflicts with its state: 409.
fn status_of(error: &Error) -> u16 {
    match error.code {
        "role_unknown" if error.kind == Kind::Invalid => Kind::Conflict.status(),
        "setting_not_in_group" | "password_too_short" | "password_needs_mixed" | "password_needs_symbol" => {
            Kind::Conflict.status()
        }
        _ => error.kind.status(),
    }
}

/// The same error, with the field's name on this wire.
fn in_wire_words(error: Error) -> Error {
    let wire = match error.field.as_deref() {
        Some("user") => Some("userId"),
        Some(field) => person::field(field).and_then(|field| field.rest),
        None => None,
    };
    match wire {
        Some(wire) => error.with_field(wire),
        None => error,
    }
}
