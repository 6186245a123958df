//! Provisioning: where other programs keep a group's users, and the SCIM tokens with which they may.

use maud::html;

use super::{crumbs, guessed_origin, own};
use crate::clock::Timestamp;
use crate::pages::components::{
    ButtonStyle, button, card, code, empty, flush_card, header, table, time, time_or,
};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console};

/// A token, without its secret.
pub struct TokenLine {
    pub id: i64,
    pub label: String,
    pub made_by: String,
    pub created_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

/// The page; the origin goes with whether it is only what the browser says; `made` is a token that was just made, shown this once.
pub fn page(
    frame: &Frame<'_>,
    (origin, guessed): (&str, bool),
    tokens: &[TokenLine],
    made: Option<&str>,
    fill: &Fill,
) -> String {
    let rows: Vec<_> = tokens
        .iter()
        .map(|token| {
            let revoke = html! {
                a.button.small href={ (own(frame, "/provisioning/revoke")) "?token=" (token.id) } {
                    "Revoke" span.unseen { " " (token.label) } "…"
                }
            };
            vec![
                html! { span.primary { (token.label) } },
                html! { (token.made_by) },
                time(token.created_at),
                time_or(token.used_at, "Never"),
                revoke,
            ]
        })
        .collect();
    let make = form::post(
        &own(frame, "/provisioning/tokens"),
        frame.token,
        &html! {
            (FormField::text("label", "Name of the token").hint("Such as Okta, or Entra.").required().draw(fill))
            div.actions { (button("Make token", ButtonStyle::Primary)) }
        },
    );
    let scim = html! {
        (guessed_origin(guessed))
        (code("Base URL for the identity provider", &format!("{origin}/scim/v2")))
        (make)
    };
    let papi = html! {
        @for call in ["NewUser", "UpdateUser", "DeleteUser", "ShowUsers", "ShowRoles"] {
            (code("", &format!("{origin}/PAPI/{call}.asp")))
        }
        p.hint { "Send the PartnerLogin of an administrator of this group, and PartnerPW or PartnerAuth." }
    };
    let content = html! {
        (form::problems(fill))
        (header(&crumbs(frame, &[]), "Provisioning", "Let other programs manage this group's users.", &html! {}))
        @if let Some(token) = made {
            (card("Your new SCIM token", "The token is shown only once. Click to select it.", &code("SCIM token", token)))
        }
        (flush_card("SCIM tokens", "Identity providers such as Okta and Entra authenticate with a token. A revoked token is refused at once.", &html! {
            @if rows.is_empty() { (empty("There is none yet.", &html! {})) }
            @else { (table("SCIM tokens", &["Name", "Made by", "Made (UTC)", "Used (UTC)", ""], &rows)) }
        }))
        div.columns {
            (card("SCIM 2.0", "", &scim))
            (card("User provisioning API (PAPI)", "", &papi))
        }
    };
    console(frame, MenuEntry::Provisioning, "Provisioning", fill.is_wrong(), &content)
}
