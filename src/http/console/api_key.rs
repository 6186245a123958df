//! A group's API key: shown on demand, changed.

use super::visit::{Visit, filled, get, post, refused, visit};
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call, Route};
use crate::model::Group;
use crate::pages::console::api_key as pages;
use crate::pages::form::Fill;
use crate::secret::Secret;

pub const ROUTES: &[Route] = &[
    get("/console/groups/{group}/api-key", get_api_key),
    post("/console/groups/{group}/api-key/reveal", post_reveal),
    post("/console/groups/{group}/api-key/change", post_change),
];

fn get_api_key(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| page(visit, &visit.group()?, 200, None, &Fill::default()))
}

fn page(
    visit: &Visit<'_>,
    group: &Group,
    status: u16,
    shown: Option<&Secret>,
    fill: &Fill,
) -> Result<Response> {
    let shown = shown.and_then(Secret::expose_text);
    Ok(answer::html(status, pages::page(&visit.frame(Some(group)), group, shown, fill)))
}

fn post_reveal(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let key = visit.desk().show_api_key(&visit.caller, group.id)?;
        page(visit, &group, 200, key.as_ref(), &Fill::default())
    })
}

fn post_change(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let typed = form.filled("api_key").map(|key| Secret::new(key.as_bytes()));
        let random = form.filled("how").as_deref() == Some("random");
        let chosen = match (random, typed) {
            (true, _) => Ok(None),
            (false, Some(key)) => Ok(Some(key)),
            (false, None) => {
                let public = "Type the new API key, or have one made at random.";
                Err(Error::invalid("api_key_missing", "api_key", public))
            }
        };
        match chosen.and_then(|chosen| visit.desk().change_api_key(&visit.caller, group.id, chosen)) {
            Ok(_) => {
                let sentence = match group.has_api_key {
                    true => "The new API key is in force. Login keys made with the one before are rejected.",
                    false => "The API key is in force. Show it, and keep it where login keys are made.",
                };
                Ok(visit.done(&format!("/console/groups/{}/api-key", group.id), sentence))
            }
            Err(error) => {
                let (status, fill) = refused(filled(&form), error, &[("api_key", "api_key")])?;
                page(visit, &group, status, None, &fill)
            }
        }
    })
}
