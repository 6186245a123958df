//! The appliance: what the doctor finds.

use super::visit::{Visit, get, visit};
use crate::error::Result;
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call, Route};
use crate::model::doctor::Installation;
use crate::pages::console::appliance as pages;

pub const ROUTES: &[Route] = &[get("/console/appliance", get_appliance)];

fn get_appliance(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let installation = Installation { asked_as: Some(asked_as(visit)), ..app.installation() };
        let findings = visit.desk().appliance.doctor(&visit.caller, &installation)?;
        let view = pages::ApplianceView { findings: &findings, now: visit.desk().clock().now() };
        Ok(answer::html(200, pages::overview(&visit.frame(None), &view)))
    })
}

/// Scheme and authority that the browser came to.
fn asked_as(visit: &Visit<'_>) -> String {
    let request = visit.call.request;
    format!("{}://{}", if request.secure { "https" } else { "http" }, request.host)
}
