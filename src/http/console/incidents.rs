//! Opening an incident code.

use super::visit::{Visit, filled, get, refused, visit};
use crate::desk::sso::compared_keys;
use crate::error::Result;
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call, Route};
use crate::model::Group;
use crate::pages::console::incidents as pages;

pub const ROUTES: &[Route] =
    &[get("/console/incidents", get_incident), get("/console/groups/{group}/incidents", get_group_incident)];

fn get_incident(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| page(visit, None, "/console/incidents"))
}

fn get_group_incident(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        page(visit, Some(&group), &format!("/console/groups/{}/incidents", group.id))
    })
}

fn page(visit: &Visit<'_>, group: Option<&Group>, address: &str) -> Result<Response> {
    let params = visit.call.query();
    let frame = visit.frame(group);
    let Some(code) = params.filled("code") else {
        return Ok(answer::html(200, pages::ask(&frame, address, &filled(&params))));
    };
    match visit.desk().appliance.open_incident(&visit.caller, &code) {
        Ok(report) => {
            let attempt = match report.group {
                Some(group) => {
                    visit.desk().sso.sso_attempt_of_incident(&visit.caller, group, &report.code)?
                }
                None => None,
            };
            let keys = attempt.as_ref().and_then(compared_keys);
            let attempt = attempt.map(|attempt| pages::AttemptLink {
                group: attempt.group,
                number: attempt.id,
                can_be_judged_again: attempt.kept_until.is_some(),
            });
            let view = pages::IncidentView {
                code: &report.code,
                at: report.at,
                group: report.group,
                surface: &report.surface,
                reject: &report.reject,
                checks: &report.checks,
                repair: &report.repair,
                attempt,
                keys: keys.as_ref(),
            };
            Ok(answer::html(200, pages::page(&frame, &view)))
        }
        Err(error) => {
            let (status, fill) = refused(filled(&params), error, &[("code", "code")])?;
            Ok(answer::html(status, pages::ask(&frame, address, &fill)))
        }
    }
}
