//! A group's API key: shown on demand, changed.

use super::group_end::signed_in_sentence;
use super::visit::{Visit, filled, get, post, refused, visit};
use crate::clock::Timestamp;
use crate::desk::sign_in::Means;
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call, Route};
use crate::model::Group;
use crate::pages::console::{api_key as pages, confirm};
use crate::pages::form::Fill;
use crate::pages::layout::MenuEntry;
use crate::secret::Secret;

pub const ROUTES: &[Route] = &[
    get("/console/groups/{group}/api-key", get_api_key),
    post("/console/groups/{group}/api-key/reveal", post_reveal),
    get("/console/groups/{group}/api-key/change", get_change),
    post("/console/groups/{group}/api-key/change", post_change),
    get("/console/groups/{group}/api-key/restore", get_restore),
    post("/console/groups/{group}/api-key/restore", post_restore),
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
    let until = visit.desk().sign_in.previous_api_key_until(&visit.caller, group.id)?;
    Ok(answer::html(status, pages::page(&visit.frame(Some(group)), group, shown, until, fill)))
}

/// Who signed in by what the API key makes, within a day.
fn by_login_key(visit: &Visit<'_>, group: &Group) -> Result<String> {
    let operation = Some(Means::LoginKey.operation());
    let count = visit.desk().people.signed_in_within_a_day(&visit.caller, group.id, operation)?;
    Ok(signed_in_sentence(count, " with login keys"))
}

/// Asks before login keys end, on the page where the new key is chosen.
fn get_change(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        ask_change(visit, &group, 200, &Fill::default())
    })
}

fn ask_change(visit: &Visit<'_>, group: &Group, status: u16, fill: &Fill) -> Result<Response> {
    let used = by_login_key(visit, group)?;
    Ok(answer::html(status, pages::change(&visit.frame(Some(group)), &used, fill)))
}

fn get_restore(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let back = format!("/console/groups/{}/api-key", group.id);
        let Some(until) = visit.desk().sign_in.previous_api_key_until(&visit.caller, group.id)? else {
            return Ok(visit.done(&back, "There is no longer a previous API key to restore."));
        };
        let deed = confirm::Deed {
            question: "Restore the previous API key?",
            consequences: &[
                "Login keys made with the current API key are rejected at once.",
                "Login keys made with the previous API key are accepted again until they expire.",
                &by_login_key(visit, &group)?,
            ],
            taken_back: &format!(
                "Possible until {} UTC. You can undo this in the same way for one hour.",
                shown(until)
            ),
            action: &format!("{back}/restore"),
            words: "Restore the previous key",
            keep: "Keep the current key",
            back: &back,
            ..confirm::Deed::default()
        };
        let crumbs = [(back.clone(), "API key")];
        Ok(answer::html(200, confirm::page(&visit.frame(Some(&group)), MenuEntry::ApiKey, &crumbs, &deed)))
    })
}

/// An instant as a sentence has it.
fn shown(at: Timestamp) -> String {
    at.to_string().get(..19).unwrap_or_default().replace('T', " ")
}

fn post_restore(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        visit.desk().sign_in.restore_api_key(&visit.caller, group.id)?;
        let sentence = "The previous API key is restored. Login keys made with the other key are rejected.";
        Ok(visit.done(&format!("/console/groups/{}/api-key", group.id), sentence))
    })
}

fn post_reveal(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let key = visit.desk().sign_in.show_api_key(&visit.caller, group.id)?;
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
                let public = "Type the new API key, or choose a random one.";
                Err(Error::invalid("api_key_missing", "api_key", public))
            }
        };
        match chosen.and_then(|chosen| visit.desk().sign_in.change_api_key(&visit.caller, group.id, chosen)) {
            Ok(_) => {
                let sentence = match group.has_api_key {
                    true => {
                        "The API key is changed. Login keys made with the previous key are rejected. You can restore the previous key for one hour."
                    }
                    false => "The API key is set. Show it, and store it on the servers that make login keys.",
                };
                Ok(visit.done(&format!("/console/groups/{}/api-key", group.id), sentence))
            }
            Err(error) => {
                let (status, fill) = refused(filled(&form), error, &[("api_key", "api_key")])?;
                match group.has_api_key {
                    true => ask_change(visit, &group, status, &fill),
                    false => page(visit, &group, status, None, &fill),
                }
            }
        }
    })
}
