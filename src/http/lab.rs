//! The lab's own paths: the clock that the whole process reads. They do not exist in production.

use serde::Deserialize;
use tiny_http::Method;

use super::answer;
use super::router::{App, AtOnce, Call, Errors, NO_BODY, Route};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::gate::Response;

const CLOCK: &str = "/lab/clock";

const fn route(method: Method, handler: AtOnce) -> Route {
    Route::at_once(method, CLOCK, NO_BODY, Errors::Json, handler)
}

pub const ROUTES: &[Route] =
    &[route(Method::Get, get_clock), route(Method::Put, put_clock), route(Method::Delete, delete_clock)];

/// Either of the two, not both.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockSetting {
    now: Option<String>,
    offset_seconds: Option<i64>,
}

/// Furthest that the clock is set off: a hundred years, so that no sum of times overflows.
const OFFSET_MAX_SECONDS: i64 = 100 * 366 * 86_400;

fn get_clock(app: &App, _: &Call<'_>) -> Result<Response> {
    app.desk.appliance.only_in_lab()?;
    Ok(told(app))
}

fn put_clock(app: &App, call: &Call<'_>) -> Result<Response> {
    app.desk.appliance.only_in_lab()?;
    let wrong = |why: &str| {
        let public =
            format!("{why} Send {{\"now\":\"2020-07-05T00:00:00Z\"}} or {{\"offset_seconds\":-60}}.");
        Error::new(Kind::Invalid, "bad_clock", public)
    };
    let setting: ClockSetting =
        serde_json::from_slice(&call.request.body).map_err(|e| wrong(&format!("The body is wrong: {e}.")))?;
    let offset_ms = match (setting.now, setting.offset_seconds) {
        (Some(now), None) => {
            let now = Timestamp::parse(&now).ok_or_else(|| wrong("`now` is not an RFC 3339 instant."))?;
            app.desk.clock().offset_ms() + (now.0 - app.desk.clock().now().0)
        }
        // What does not fit into milliseconds is out of range as well.
        (None, Some(seconds)) => seconds.saturating_mul(1000),
        _ => return Err(wrong("Exactly one of `now` and `offset_seconds` is needed.")),
    };
    if offset_ms.unsigned_abs() > OFFSET_MAX_SECONDS.unsigned_abs() * 1000 {
        return Err(wrong("The clock can be set at most a hundred years from now."));
    }
    app.desk.appliance.set_clock(&call.anonymous(), offset_ms)?;
    Ok(told(app))
}

fn delete_clock(app: &App, call: &Call<'_>) -> Result<Response> {
    app.desk.appliance.only_in_lab()?;
    app.desk.appliance.set_clock(&call.anonymous(), 0)?;
    Ok(told(app))
}

fn told(app: &App) -> Response {
    let document = serde_json::json!({
        "now": app.desk.clock().now().to_string(),
        "offset_seconds": app.desk.clock().offset_ms() / 1000,
    });
    answer::json(200, &document)
}
