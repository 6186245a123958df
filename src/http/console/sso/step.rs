//! The forms of three steps: shown, saved, and left for another step without losing what was typed.

use super::super::visit::{Visit, filled, get, post, refused, visit};
use super::shown::{gone_to, keys_page, step_page};
use super::typed::{self, TypedFields};
use super::{address, ask_off, standing};
use crate::desk::sso::{CHANGED_MEANWHILE, Change, Opened};
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::router::{App, Call, Route};
use crate::model::Group;
use crate::model::sso::Method;
use crate::model::sso::fields::{self, FIELDS};
use crate::model::sso::step::Step;
use crate::pages::console::sso as pages;
use crate::pages::console::sso::step::EDITION;
use crate::pages::form::Fill;

pub const ROUTES: &[Route] = &[
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
];

fn get_step(app: &App, call: &Call<'_>, step: Step) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let overview = visit.desk().sso.sso_overview(&visit.caller, group.id)?;
        let saved = step.fields().map(|field| (field.name, field.value(&overview.configuration)));
        step_page(visit, &group, step, 200, &Fill::of(saved), &[])
    })
}

fn post_step(app: &App, call: &Call<'_>, step: Step) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        if let Some(response) = gone_to(visit, &group, &form, step)? {
            return Ok(response);
        }
        let mut typed = typed::read(&form, step);
        let of_fields = || typed.iter().filter(|typed| typed.step != Step::Keys);
        let values: Vec<_> = of_fields().flat_map(|typed| typed.values.clone()).collect();
        let opened: Vec<Opened> = of_fields()
            .filter_map(|typed| Some(Opened { step: typed.step, edition: typed.edition.clone()? }))
            .collect();
        let confirmed = form.filled("confirmed");
        let draft = visit.desk().sso.draft_sso(&visit.caller, group.id, &values)?;
        if confirmed.as_deref() == Some("no") {
            return step_page(visit, &group, step, 200, &filled(&form), &typed);
        }
        let switches_off =
            draft.changes.iter().any(|c| c.field == "method" && c.after == Method::Off.as_str());
        if draft.errors.is_empty() && switches_off && confirmed.is_none() {
            let carried = form.iter().filter(|(name, _)| *name != crate::pages::form::TOKEN_FIELD);
            let carried: Vec<(String, String)> =
                carried.map(|(name, value)| (name.to_owned(), value.into_owned())).collect();
            return ask_off(visit, &group, &address(&group, step.path()), &carried, pages::Back::Typed);
        }
        let errors = match draft.errors.is_empty() {
            false => draft.errors,
            true => match visit.desk().sso.set_sso(&visit.caller, group.id, &values, &opened) {
                Ok(changes) => return saved(visit, &group, &changes, &typed),
                Err(error) => vec![error],
            },
        };
        let fields: Vec<(&str, &str)> = FIELDS.iter().map(|field| (field.name, field.name)).collect();
        // What is wrong may stand on the page of another step: that page is shown.
        let step_of = |error: &Error| fields::field(error.field.as_deref()?).and_then(Step::of);
        let wrong: Vec<Step> = errors.iter().filter_map(step_of).collect();
        let shown = if wrong.contains(&step) { step } else { wrong.first().copied().unwrap_or(step) };
        let fill = typed.iter().find(|typed| typed.step == shown).map(TypedFields::fill);
        let (mut status, mut fill) = (400, fill.unwrap_or_else(|| filled(&form)));
        // Anyone who is told what changed meanwhile answers to that from now on; all others still to what they opened.
        let is_told = errors.iter().any(|error| error.code == CHANGED_MEANWHILE);
        for error in errors {
            (status, fill) = refused(fill, error, &fields)?;
        }
        if is_told {
            fill = fill.without_those(|name| name == EDITION);
            typed.iter_mut().for_each(|typed| typed.edition = None);
            for change in &draft.changes {
                let sentence =
                    format!("{}: saved now is {}. Yours stands here.", change.label, quoted(&change.before));
                fill = fill.with_problem(Some(change.field), sentence);
            }
        }
        step_page(visit, &group, shown, status, &fill, &typed)
    })
}

fn quoted(value: &str) -> String {
    match value {
        "" => "nothing".to_owned(),
        value => format!("“{}”", value.replace('\n', " ")),
    }
}

/// Says what a save changed. A certificate that was pasted and not added yet stays, on its page.
fn saved(visit: &Visit<'_>, group: &Group, changes: &[Change], typed: &[TypedFields]) -> Result<Response> {
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
    match typed.iter().find(|typed| typed.step == Step::Keys) {
        Some(pasted) => keys_page(visit, group, 200, &sentence, &pasted.fill(), &[]),
        None => Ok(visit.done(&address(group, ""), &sentence)),
    }
}
