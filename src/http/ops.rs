//! What watches the server: is it alive, and can it serve.
//!
//! Answered to anybody, so it says neither a version beyond what `/health` always said, nor a path, a number or a name.

use tiny_http::Method;

use super::answer;
use super::router::{App, Call, Errors, NO_BODY, Route};
use crate::error::Result;
use crate::gate::Response;

pub const ROUTES: &[Route] = &[
    Route::at_once(Method::Get, "/health", NO_BODY, Errors::Json, get_health),
    Route::at_once(Method::Get, "/livez", NO_BODY, Errors::Text, get_livez),
    Route::at_once(Method::Get, "/readyz", NO_BODY, Errors::Text, get_readyz),
];

/// `GET /health`: 200 when the appliance can serve, else the first thing that hinders it, as JSON.
fn get_health(app: &App, _: &Call<'_>) -> Result<Response> {
    let readiness = app.desk.appliance.readiness();
    if let Some(failure) = readiness.failure() {
        // Not passed on as an error: each of those is a line of the server log, and probes come every second.
        return Ok(answer::error_in(failure, Errors::Json, None));
    }
    let document = serde_json::json!({
        "status": "ok",
        "mode": app.desk.mode().as_str(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    Ok(answer::json(200, &document))
}

/// `GET /livez`: 200 as long as requests are answered at all. Anyone who restarts what does not answer asks here.
fn get_livez(_: &App, call: &Call<'_>) -> Result<Response> {
    let text = if is_verbose(call) { "[+] alive ok\nalive\n" } else { "alive\n" };
    Ok(answer::text(200, text))
}

/// `GET /readyz`: 200 when the appliance can serve, else 503; with `?verbose` a line for each check.
fn get_readyz(app: &App, call: &Call<'_>) -> Result<Response> {
    let readiness = app.desk.appliance.readiness();
    let mut text = String::new();
    for check in &readiness.0 {
        match &check.failure {
            Some(failure) => text.push_str(&format!("[-] {} failed: {}\n", check.name, failure.code)),
            None if is_verbose(call) => text.push_str(&format!("[+] {} ok\n", check.name)),
            None => {}
        }
    }
    let (status, last) = if readiness.failure().is_some() { (503, "not ready\n") } else { (200, "ready\n") };
    let response = answer::text(status, text + last);
    Ok(if status == 503 { answer::with(response, "Retry-After", "5") } else { response })
}

/// Whether each check is to be shown: `?verbose`, with or without a value.
fn is_verbose(call: &Call<'_>) -> bool {
    call.request.query.split('&').any(|pair| pair.split('=').next() == Some("verbose"))
}
