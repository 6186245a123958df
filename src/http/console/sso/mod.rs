//! SSO Configure: the overview and the forms of its steps. The keys are in [`keys`], the upload in [`metadata`],
//! attempts and judging again in [`attempts`].

pub mod attempts;
pub mod keys;
pub mod metadata;

use super::visit::{Visit, filled, get, post, refused, visit};
use crate::desk::sso::{CHANGED_MEANWHILE, Change, Opened, Overview};
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::form::Params;
use crate::http::router::{App, Call, Route};
use crate::model::Group;
use crate::model::sso::addresses::Addresses;
use crate::model::sso::fields::{Entry, FIELDS};
use crate::model::sso::health::Health;
use crate::model::sso::step::Step;
use crate::model::sso::{Method, Status};
use crate::pages::console::sso as pages;
use crate::pages::console::sso::step::EDITION;
use crate::pages::form::Fill;

pub const ROUTES: &[Route] = &[
    get("/console/groups/{group}/sso", get_sso),
    get("/console/groups/{group}/sso/identity-provider", |app, call| {
        get_step(app, call, Step::IdentityProvider)
    }),
    post("/console/groups/{group}/sso/identity-provider", |app, call| {
        post_step(app, call, Step::IdentityProvider)
    }),
    get("/console/groups/{group}/sso/request", |app, call| get_step(app, call, Step::Request)),
    post("/console/groups/{group}/sso/request", |app, call| post_step(app, call, Step::Request)),
    get("/console/groups/{group}/sso/people", |app, call| get_step(app, call, Step::People)),
    post("/console/groups/{group}/sso/people", |app, call| post_step(app, call, Step::People)),
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

/// For whoever loads the address of an answer anew.
fn get_answer(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| Ok(redirect(&visit.group()?, "")))
}

fn redirect(group: &Group, rest: &str) -> Response {
    answer::see_other(&address(group, rest))
}

/// The settings, and how well they work.
fn health(visit: &Visit<'_>, group: &Group) -> Result<(Overview, Health)> {
    let overview = visit.desk().sso_overview(&visit.caller, group.id)?;
    let health = visit.desk().sso_health(&visit.caller, group.id, &overview)?;
    Ok((overview, health))
}

fn get_step(app: &App, call: &Call<'_>, step: Step) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let overview = visit.desk().sso_overview(&visit.caller, group.id)?;
        let saved = step.fields().map(|field| (field.name, field.value(&overview.configuration)));
        page(visit, &group, step, 200, &Fill::of(saved))
    })
}

fn page(visit: &Visit<'_>, group: &Group, step: Step, status: u16, fill: &Fill) -> Result<Response> {
    let (overview, health) = health(visit, group)?;
    let told = match step {
        Step::People => visit.desk().told_of_mapping(&visit.caller, &overview.configuration)?,
        _ => Vec::new(),
    };
    let view =
        pages::step::StepView { step, configuration: &overview.configuration, health: &health, told: &told };
    Ok(answer::html(status, pages::step::page(&visit.frame(Some(group)), &view, fill)))
}

fn post_step(app: &App, call: &Call<'_>, step: Step) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let values = values_of(&form, step.fields().map(|field| field.name));
        let confirmed = form.filled("confirmed");
        let draft = visit.desk().draft_sso(&visit.caller, group.id, &values)?;
        if confirmed.as_deref() == Some("no") {
            return page(visit, &group, step, 200, &filled(&form));
        }
        let switches_off =
            draft.changes.iter().any(|c| c.field == "method" && c.after == Method::Off.as_str());
        if draft.errors.is_empty() && switches_off && confirmed.is_none() {
            let carried = form.iter().filter(|(name, _)| *name != crate::pages::form::TOKEN_FIELD);
            let carried: Vec<(String, String)> =
                carried.map(|(name, value)| (name.to_owned(), value.into_owned())).collect();
            return ask_off(visit, &group, &address(&group, step.path()), &carried, pages::Back::Typed);
        }
        let opened = form.filled(EDITION).map(|edition| Opened { step, edition });
        let errors = match draft.errors.is_empty() {
            false => draft.errors,
            true => match visit.desk().set_sso(&visit.caller, group.id, &values, opened) {
                Ok(changes) => return saved(visit, &group, &changes),
                Err(error) => vec![error],
            },
        };
        let fields: Vec<(&str, &str)> = FIELDS.iter().map(|field| (field.name, field.name)).collect();
        let (mut status, mut fill) = (400, filled(&form));
        // Whoever is told what changed meanwhile answers to that from now on; all others still to what they opened.
        let is_told = errors.iter().any(|error| error.code == CHANGED_MEANWHILE);
        for error in errors {
            (status, fill) = refused(fill, error, &fields)?;
        }
        if is_told {
            fill = fill.without(EDITION);
            for change in &draft.changes {
                let sentence =
                    format!("{}: saved now is {}. Yours stands here.", change.label, quoted(&change.before));
                fill = fill.with_problem(Some(change.field), sentence);
            }
        }
        page(visit, &group, step, status, &fill)
    })
}

fn quoted(value: &str) -> String {
    match value {
        "" => "nothing".to_owned(),
        value => format!("“{}”", value.replace('\n', " ")),
    }
}

/// Says what a save changed.
fn saved(visit: &Visit<'_>, group: &Group, changes: &[Change]) -> Result<Response> {
    let mut sentence = match changes {
        [] => "Nothing was changed.".to_owned(),
        [only] => {
            format!("{} was changed from {} to {}.", only.label, quoted(&only.before), quoted(&only.after))
        }
        several => {
            let labels: Vec<&str> = several.iter().map(|change| change.label).collect();
            format!("{} fields were changed: {}.", several.len(), labels.join(", "))
        }
    };
    if changes.iter().any(|change| change.field == "method") {
        sentence = format!("{sentence} {}", standing(visit, group)?);
    }
    Ok(visit.done(&address(group, ""), &sentence))
}

/// Sets the Operational Status alone.
fn post_status(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let unknown = || Error::invalid("invalid_field", "status", "There is no such Operational Status.");
        let status = form.filled("status").and_then(|word| Status::parse(&word)).ok_or_else(unknown)?;
        let values = [("status".to_owned(), status.as_str().to_owned())];
        visit.desk().set_sso(&visit.caller, group.id, &values, None)?;
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
        visit.desk().set_sso(&visit.caller, group.id, &values, None)?;
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
    let used = visit.desk().sso_use(&visit.caller, group.id)?;
    let sentences = [
        format!("From then on nobody of {} signs in through the identity provider.", group.name),
        used,
        "Who is signed in stays signed in; passwords and login keys go on. All settings and keys stay, so that it \
         can be switched on again."
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
    let overview = visit.desk().sso_overview(&visit.caller, group.id)?;
    Ok(match (overview.configuration.method, overview.ready) {
        (Method::Off, _) => "Single sign-on is off.",
        (_, true) => "Single sign-on is on. When the identity provider knows us, test the sign-in.",
        (_, false) => "Single sign-on is on, and not complete yet: see below.",
    })
}

/// The values of a form; a box that was not ticked is off.
fn values_of<'n>(form: &Params<'_>, names: impl Iterator<Item = &'n str>) -> Vec<(String, String)> {
    let value = |name: &str| {
        let came = form.first(name).map(|value| value.replace("\r\n", "\n"));
        let switch = FIELDS.iter().any(|field| field.name == name && field.entry == Entry::Switch);
        came.or_else(|| switch.then(|| "false".to_owned())).map(|value| (name.to_owned(), value))
    };
    names.filter_map(value).collect()
}

fn address(group: &Group, rest: &str) -> String {
    format!("/console/groups/{}/sso{rest}", group.id)
}
