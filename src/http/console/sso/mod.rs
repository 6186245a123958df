//! SSO Configure: the overview. The forms of its steps are in [`step`] and [`keys`], the upload in [`metadata`], attempts
//! and judging again in [`attempts`].

pub mod attempts;
pub mod keys;
pub mod metadata;
mod shown;
pub mod step;
mod typed;

use super::visit::{Visit, get, post, visit};
use crate::desk::sso::Overview;
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call, Route};
use crate::model::Group;
use crate::model::sso::addresses::Addresses;
use crate::model::sso::health::Health;
use crate::model::sso::{Method, Status};
use crate::pages::console::sso as pages;

pub const ROUTES: &[Route] = &[
    get("/console/groups/{group}/sso", get_sso),
    get("/console/groups/{group}/sso/status", get_answer),
    post("/console/groups/{group}/sso/status", post_status),
    get("/console/groups/{group}/sso/off", get_answer),
    post("/console/groups/{group}/sso/off", post_off),
    get("/console/groups/{group}/sso/production", get_answer),
];

fn get_sso(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let (overview, health) = health(visit, &group)?;
        let view = pages::OverviewView {
            configuration: &overview.configuration,
            health: &health,
            ready: overview.ready,
            addresses: &Addresses::of(&app.origin(call.request), group.id),
            origin_is_guessed: app.origin_is_guessed(),
        };
        Ok(answer::html(200, pages::overview(&visit.frame(Some(&group)), &view)))
    })
}

/// For anyone who loads the address of an answer anew.
fn get_answer(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| Ok(redirect(&visit.group()?, "")))
}

fn redirect(group: &Group, rest: &str) -> Response {
    answer::see_other(&address(group, rest))
}

/// The settings, and how well they work.
fn health(visit: &Visit<'_>, group: &Group) -> Result<(Overview, Health)> {
    let overview = visit.desk().sso.sso_overview(&visit.caller, group.id)?;
    let health = visit.desk().sso.sso_health(&visit.caller, group.id, &overview)?;
    Ok((overview, health))
}

/// Sets the Operational Status alone.
fn post_status(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let unknown = || Error::invalid("invalid_field", "status", "There is no such Operational Status.");
        let status = form.filled("status").and_then(|word| Status::parse(&word)).ok_or_else(unknown)?;
        let values = [("status".to_owned(), status.as_str().to_owned())];
        visit.desk().sso.set_sso(&visit.caller, group.id, &values, &[])?;
        Ok(visit.done(&address(&group, ""), &format!("The Operational Status is {}.", status.label())))
    })
}

/// Switches single sign-on off, once that is confirmed.
fn post_off(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        if form.filled("confirmed").as_deref() != Some("yes") {
            let (action, back) = (address(&group, "/off"), address(&group, ""));
            return ask_off(visit, &group, &action, &[], pages::Back::To(&back));
        }
        let values = [("method".to_owned(), Method::Off.as_str().to_owned())];
        visit.desk().sso.set_sso(&visit.caller, group.id, &values, &[])?;
        Ok(visit.done(&address(&group, ""), "Single sign-on is off."))
    })
}

/// Asks before nobody can sign in by SAML any more.
fn ask_off(
    visit: &Visit<'_>,
    group: &Group,
    action: &str,
    carried: &[(String, String)],
    back: pages::Back<'_>,
) -> Result<Response> {
    let used = visit.desk().sso.sso_use(&visit.caller, group.id)?;
    let sentences = [
        format!("After this, no user of {} can sign in through the identity provider.", group.name),
        used,
        "Signed-in users stay signed in. Passwords and login keys still work. All settings and keys are kept, so you can switch it on again."
            .to_owned(),
    ];
    let question = pages::Question {
        title: "Switch single sign-on off?",
        sentences: &sentences,
        about: None,
        action,
        words: "Switch single sign-on off",
        carried,
        keep: "Keep it on",
        back,
    };
    Ok(answer::html(200, pages::ask(&visit.frame(Some(group)), &question)))
}

/// Where a group's single sign-on stands, for the message after a change.
fn standing(visit: &Visit<'_>, group: &Group) -> Result<&'static str> {
    let overview = visit.desk().sso.sso_overview(&visit.caller, group.id)?;
    Ok(match (overview.configuration.method, overview.ready) {
        (Method::Off, _) => "Single sign-on is off.",
        (_, true) => {
            "Single sign-on is on. After you have registered us at the identity provider, test the sign-in."
        }
        (_, false) => "Single sign-on is on but not complete. See below.",
    })
}

fn address(group: &Group, rest: &str) -> String {
    format!("/console/groups/{}/sso{rest}", group.id)
}
