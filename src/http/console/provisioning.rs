//! Provisioning: a group's SCIM tokens.

use super::visit::{Visit, filled, get, post, refused, visit};
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call, Route};
use crate::model::Group;
use crate::pages::console::provisioning as pages;
use crate::pages::form::Fill;
use crate::secret::Secret;

pub const ROUTES: &[Route] = &[
    get("/console/groups/{group}/provisioning", get_provisioning),
    post("/console/groups/{group}/provisioning/tokens", post_token),
    post("/console/groups/{group}/provisioning/revoke", post_revoke),
];

fn get_provisioning(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| page(visit, &visit.group()?, 200, None, &Fill::default()))
}

fn page(
    visit: &Visit<'_>,
    group: &Group,
    status: u16,
    made: Option<&Secret>,
    fill: &Fill,
) -> Result<Response> {
    let tokens = visit.desk().scim_tokens(&visit.caller, group.id)?;
    let lines: Vec<_> = tokens
        .into_iter()
        .map(|token| pages::TokenLine {
            id: token.id,
            label: token.label,
            made_by: token.made_by,
            created_at: token.created_at,
            used_at: token.used_at,
        })
        .collect();
    let origin = visit.app.origin(visit.call.request);
    let made = made.and_then(Secret::expose_text);
    let origin = (origin.as_str(), visit.app.origin_is_guessed());
    Ok(answer::html(status, pages::page(&visit.frame(Some(group)), origin, &lines, made, fill)))
}

fn post_token(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let label = form.filled("label").unwrap_or_default();
        match visit.desk().make_scim_token(&visit.caller, group.id, &label) {
            // Shown in the answer itself: a secret travels in no cookie and no address.
            Ok((_, token)) => page(visit, &group, 200, Some(&token), &Fill::default()),
            Err(error) => {
                let (status, fill) = refused(filled(&form), error, &[("name", "label")])?;
                page(visit, &group, status, None, &fill)
            }
        }
    })
}

fn post_revoke(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let id = form.filled("token").and_then(|text| text.parse().ok());
        let id = id.ok_or_else(|| Error::not_found("scim_token_unknown", "The group has no such token."))?;
        visit.desk().revoke_scim_token(&visit.caller, group.id, id)?;
        let address = format!("/console/groups/{}/provisioning", group.id);
        Ok(visit.done(&address, "The token is revoked."))
    })
}
