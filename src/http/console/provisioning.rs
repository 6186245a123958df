//! Provisioning: a group's SCIM tokens.

use super::visit::{Visit, filled, get, post, refused, visit};
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call, Route};
use crate::model::Group;
use crate::pages::console::{confirm, provisioning as pages};
use crate::pages::form::Fill;
use crate::pages::layout::MenuEntry;
use crate::secret::Secret;

pub const ROUTES: &[Route] = &[
    get("/console/groups/{group}/provisioning", get_provisioning),
    post("/console/groups/{group}/provisioning/tokens", post_token),
    get("/console/groups/{group}/provisioning/revoke", get_revoke),
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
    let tokens = visit.desk().people.scim_tokens(&visit.caller, group.id)?;
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
        match visit.desk().people.make_scim_token(&visit.caller, group.id, &label) {
            // Shown in the answer itself: a secret travels in no cookie and no address.
            Ok((_, token)) => page(visit, &group, 200, Some(&token), &Fill::default()),
            Err(error) => {
                let (status, fill) = refused(filled(&form), error, &[("name", "label")])?;
                page(visit, &group, status, None, &fill)
            }
        }
    })
}

fn unknown_token() -> Error {
    Error::not_found("scim_token_unknown", "The group has no such token.")
}

fn get_revoke(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let id = call.query().filled("token").unwrap_or_default();
        let tokens = visit.desk().people.scim_tokens(&visit.caller, group.id)?;
        let token = tokens.into_iter().find(|token| token.id.to_string() == id).ok_or_else(unknown_token)?;
        let used = match token.used_at {
            None => "It was never used.".to_owned(),
            Some(at) => {
                let day_ago = visit.desk().clock().now().plus_seconds(-24 * 60 * 60);
                let within = if at >= day_ago {
                    "It was used in the last day"
                } else {
                    "It was not used in the last day"
                };
                let at = at.to_string();
                format!("{within}: last at {} UTC.", at.get(..16).unwrap_or(&at).replace('T', " "))
            }
        };
        let back = format!("/console/groups/{}/provisioning", group.id);
        let deed = confirm::Deed {
            question: &format!("Revoke the SCIM token {}?", token.label),
            consequences: &[
                "The identity provider that has it can no longer add, change or remove this group's users.",
                &used,
                "You cannot undo this. First create another token and give it to the identity provider.",
            ],
            action: &format!("{back}/revoke"),
            hidden: &[("token", &id)],
            words: "Revoke token",
            keep: "Keep it",
            back: &back,
            ..confirm::Deed::default()
        };
        let crumbs = [(back.clone(), "Provisioning")];
        Ok(answer::html(
            200,
            confirm::page(&visit.frame(Some(&group)), MenuEntry::Provisioning, &crumbs, &deed),
        ))
    })
}

fn post_revoke(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let id = form.filled("token").and_then(|text| text.parse().ok());
        let id = id.ok_or_else(unknown_token)?;
        visit.desk().people.revoke_scim_token(&visit.caller, group.id, id)?;
        let address = format!("/console/groups/{}/provisioning", group.id);
        Ok(visit.done(&address, "The token is revoked."))
    })
}
