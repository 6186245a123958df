//! What watches the server: is it alive, and does its database answer.

use tiny_http::Method;

use super::answer;
use super::router::{App, Call, Errors, NO_BODY, Route};
use crate::error::Result;
use crate::gate::Response;

pub const ROUTES: &[Route] = &[Route::at_once(Method::Get, "/health", NO_BODY, Errors::Json, get_health)];

/// `GET /health`: 200 when the database answers, else the error of the store.
fn get_health(app: &App, _: &Call<'_>) -> Result<Response> {
    app.desk.appliance.check_health()?;
    let document = serde_json::json!({
        "status": "ok",
        "mode": app.desk.mode().as_str(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    Ok(answer::json(200, &document))
}
