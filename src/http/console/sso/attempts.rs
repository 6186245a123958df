//! Attempts to sign in, one of them judged again, and the attributes to pick from.

use super::super::visit::{Visit, filled, get, post, refused, visit};
use super::address;
use super::typed::values_of;
use crate::clock::Timestamp;
use crate::desk::sso::{RejudgeSettings, compared_keys};
use crate::error::{Error, Kind, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call, Route};
use crate::model::sso::fields::FIELDS;
use crate::model::sso::{KeptAttempt, Status};
use crate::pages::console::sso::message as pages;
use crate::pages::console::sso_attempts;
use crate::pages::form::Fill;

pub const ROUTES: &[Route] = &[
    get("/console/groups/{group}/sso/attributes", get_attributes),
    get("/console/groups/{group}/sso/attempts", get_attempts),
    get("/console/groups/{group}/sso/attempts/{attempt}", get_attempt),
    post("/console/groups/{group}/sso/attempts/{attempt}", post_attempt),
    get("/console/groups/{group}/sso/attempts/{attempt}/response", get_response),
    get("/console/groups/{group}/sso/attempts/{attempt}/key", get_response),
    post("/console/groups/{group}/sso/attempts/{attempt}/key", post_key_of_response),
];

fn get_attributes(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let recent = visit.desk().sso.recent_sso_attributes(&visit.caller, group.id)?;
        Ok(answer::html(200, sso_attempts::attributes(&visit.frame(Some(&group)), &recent)))
    })
}

fn get_attempts(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let attempts = visit.desk().sso.sso_attempts(&visit.caller, group.id)?;
        let overview = visit.desk().sso.sso_overview(&visit.caller, group.id)?;
        let provisioning = overview.configuration.status == Status::Provisioning;
        Ok(answer::html(200, sso_attempts::list(&visit.frame(Some(&group)), &attempts, provisioning)))
    })
}

fn get_attempt(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let overview = visit.desk().sso.sso_overview(&visit.caller, group.id)?;
        let values = FIELDS.iter().map(|field| (field.name, field.value(&overview.configuration)));
        let (attempt, checks) =
            visit.desk().sso.sso_attempt(&visit.caller, group.id, visit.number("attempt")?)?;
        let repair = repair_of(visit, &attempt)?;
        let keys = compared_keys(&attempt);
        let view = sso_attempts::AttemptView {
            attempt: &attempt,
            checks: &checks,
            repair: &repair,
            keys: keys.as_ref(),
            rejudged: None,
        };
        let frame = visit.frame(Some(&group));
        Ok(answer::html(200, sso_attempts::one(&frame, &view, &Fill::of(values))))
    })
}

/// What to change, as the attempt's incident has it; "" when it was accepted, or so long ago that only the
/// attempt is kept.
fn repair_of(visit: &Visit<'_>, attempt: &KeptAttempt) -> Result<String> {
    let Some(code) = &attempt.incident else { return Ok(String::new()) };
    match visit.desk().appliance.open_incident(&visit.caller, code) {
        Ok(report) => Ok(report.repair),
        Err(error) if error.kind == Kind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

fn get_response(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| response_page(visit, 200, &Fill::default()))
}

fn response_page(visit: &Visit<'_>, status: u16, fill: &Fill) -> Result<Response> {
    let (group, attempt) = (visit.group()?, visit.number("attempt")?);
    let message = visit.desk().sso.sso_kept_message(&visit.caller, group.id, attempt)?;
    let view = pages::MessageView {
        attempt,
        document: &message.document,
        tried: &message.tried,
        came: message.came.as_ref(),
        issuer_is_theirs: message.issuer_is_theirs,
        may_be_added: message.may_be_added(),
    };
    Ok(answer::html(status, pages::page(&visit.frame(Some(&group)), &view, fill)))
}

/// Adds the certificate that came, once its fingerprint is typed.
fn post_key_of_response(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let fingerprint = form.filled("fingerprint").unwrap_or_default();
        let attempt = visit.number("attempt")?;
        match visit.desk().sso.add_sso_key_of_message(&visit.caller, group.id, attempt, &fingerprint) {
            Ok(key) => Ok(visit.done(
                &address(&group, "/keys"),
                &format!("The key of {} is now used to verify signatures.", key.subject),
            )),
            Err(error) => {
                let (status, fill) = refused(filled(&form), error, &[("fingerprint", "fingerprint")])?;
                response_page(visit, status, &fill)
            }
        }
    })
}

fn post_attempt(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let (attempt, checks) =
            visit.desk().sso.sso_attempt(&visit.caller, group.id, visit.number("attempt")?)?;
        let wrong = || {
            Error::invalid("bad_instant", "now", "The time is not valid. Use the form 2026-02-01T12:00:00Z.")
        };
        let now = form.filled("now").map(|text| Timestamp::parse(&text).ok_or_else(wrong)).transpose();
        let rejudged = now.and_then(|now| {
            let fields = values_of(&form, sso_attempts::REJUDGED.into_iter());
            visit.desk().sso.rejudge_sso(
                &visit.caller,
                group.id,
                attempt.id,
                &RejudgeSettings { now, fields },
            )
        });
        let repair = repair_of(visit, &attempt)?;
        let keys = compared_keys(&attempt);
        let view = sso_attempts::AttemptView {
            attempt: &attempt,
            checks: &checks,
            repair: &repair,
            keys: keys.as_ref(),
            rejudged: None,
        };
        let frame = visit.frame(Some(&group));
        match rejudged {
            Ok(rejudged) => {
                let again = sso_attempts::RejudgedView {
                    at: rejudged.at,
                    checks: &rejudged.checks,
                    reject: rejudged.reject.as_ref().map(|(code, repair)| (*code, repair.as_str())),
                };
                let view = sso_attempts::AttemptView { rejudged: Some(again), ..view };
                Ok(answer::html(200, sso_attempts::one(&frame, &view, &filled(&form))))
            }
            Err(error) => {
                let fields: Vec<(&str, &str)> =
                    sso_attempts::REJUDGED.iter().map(|n| (*n, *n)).chain([("now", "now")]).collect();
                let (status, fill) = refused(filled(&form), error, &fields)?;
                Ok(answer::html(status, sso_attempts::one(&frame, &view, &fill)))
            }
        }
    })
}
