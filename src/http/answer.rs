//! Makes responses: pages, text, JSON, redirects, errors; and the headers that every answer leaves with.

use std::io::Cursor;
use std::sync::LazyLock;

use serde::Serialize;
use tiny_http::{Header, StatusCode};

use crate::error::Error;
use crate::gate::Response;
use crate::pages::assets;

/// For a response that brings none of its own: nothing may be loaded, framed or sent anywhere else, and no script runs
/// but the console's, which the policy names by its hash.
static STRICT_CSP: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; \
         base-uri 'none'; script-src '{}'",
        assets::integrity(assets::SCRIPT)
    )
});

/// In which shape a route speaks of errors.
#[derive(Debug, Clone, Copy)]
pub enum Errors {
    /// `{"error":{"code":…,"message":…}}`
    Json,
    /// A page for a person.
    Page,
    /// One line of text.
    Text,
    /// As the surface's own language has it.
    Own(fn(&Error) -> Response),
}

/// Makes a response of bytes.
pub fn bytes(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
    let body = body.into();
    let length = body.len();
    let response = Response::new(StatusCode(status), Vec::new(), Cursor::new(body), Some(length), None)
        .with_chunked_threshold(usize::MAX);
    with(response, "Content-Type", content_type)
}

/// Makes a page of HTML.
pub fn html(status: u16, page: impl Into<String>) -> Response {
    bytes(status, "text/html; charset=utf-8", page.into())
}

/// Makes a plain text document.
pub fn text(status: u16, text: impl Into<String>) -> Response {
    bytes(status, "text/plain; charset=utf-8", text.into())
}

/// Makes a JSON document.
pub fn json(status: u16, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => bytes(status, "application/json", body),
        Err(_) => bytes(500, "application/json", &b"{\"error\":{\"code\":\"unprintable\"}}"[..]),
    }
}

/// Sends the browser on with GET (303). The caller has made sure that `location` is one of ours.
pub fn see_other(location: &str) -> Response {
    with(text(303, ""), "Location", location)
}

/// Makes an empty answer.
pub fn no_content() -> Response {
    Response::new(StatusCode(204), Vec::new(), Cursor::new(Vec::new()), Some(0), None)
}

/// Prints an error in the shape that the route speaks; a page in the lab has its banner with what `lab`'s
/// clock says.
pub fn error_in(error: &Error, shape: Errors, lab: Option<&str>) -> Response {
    let status = error.kind.status();
    let response = match shape {
        Errors::Own(said) => said(error),
        Errors::Json => json(status, &error_document(error)),
        Errors::Text => text(status, format!("{}{}\n", error.public, incident_sentence(error))),
        Errors::Page => html(status, crate::pages::error::page(error, lab)),
    };
    match status {
        401 if response.status_code() == StatusCode(401) => with(response, "WWW-Authenticate", "Bearer"),
        429 | 503 => with(response, "Retry-After", "5"),
        _ => response,
    }
}

/// `{"error":{"code","message","field"?,"incident"?}}`: the one shape of errors in our own JSON.
pub fn error_document(error: &Error) -> serde_json::Value {
    let mut inner = serde_json::json!({ "code": error.code, "message": error.public });
    if let Some(inner) = inner.as_object_mut() {
        for (name, value) in [("field", &error.field), ("incident", &error.incident)] {
            if let Some(value) = value {
                inner.insert(name.into(), value.clone().into());
            }
        }
    }
    serde_json::json!({ "error": inner })
}

fn incident_sentence(error: &Error) -> String {
    error.incident.as_ref().map_or_else(String::new, |code| format!(" Incident {code}."))
}

/// Adds a header. One with control or non-ASCII characters is left out, so that no input can split a
/// response.
pub fn with(response: Response, name: &str, value: &str) -> Response {
    let clean = value.bytes().all(|b| (0x20..0x7f).contains(&b));
    match Header::from_bytes(name.as_bytes(), value.as_bytes()) {
        Ok(header) if clean => response.with_header(header),
        _ => response,
    }
}

/// Adds the headers that every answer leaves with, unless the surface set its own.
pub fn with_house_headers(response: Response, promises_tls: bool) -> Response {
    let house = [
        ("Content-Security-Policy", STRICT_CSP.as_str()),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    ];
    const SECURE: [(&str, &str); 1] = [("Strict-Transport-Security", "max-age=31536000")];
    let more = if promises_tls { SECURE.iter() } else { [].iter() };
    house.iter().chain(more).fold(response, |response, (name, value)| {
        if response.headers().iter().any(|h| h.field.equiv(name)) {
            response
        } else {
            with(response, name, value)
        }
    })
}
