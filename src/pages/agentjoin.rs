//! What an agent sees: the sign-in form, and the pages behind the Service Target URLs. Wire contract §3.7,
//! §6.3.
//!
//! Sidelight signs agents in; it carries no Glance sessions and has no viewer. The pages say so.

use maud::{Markup, html};

use super::components::{ButtonStyle, Tone, button, header, link_button, notice, pairs};
use super::form::{self, Fill, FormField};
use super::layout;
use crate::error::Error;
use crate::model::GroupId;

/// Tells the page that opened this one what happened, as the vendor's viewer does, and takes the login key
/// out of the address bar. The message holds nothing secret, so that any opener may read it.
pub const SCRIPT: &str = "(function () {\n  'use strict';\n  var told = document.currentScript.dataset;\n  \
     var message = { glanceEvent: told.event, data: told.reason ? { reason: told.reason } : {} };\n  \
     [window.opener, window.parent].forEach(function (other) {\n    \
     if (other && other !== window) { other.postMessage(message, '*'); }\n  });\n  \
     window.history.replaceState(null, '', window.location.pathname);\n})();\n";

/// Where [`SCRIPT`] is served.
pub const SCRIPT_PATH: &str = "/agentjoin/message.js";

/// The form that asks for user name and password.
pub struct SignIn<'a> {
    /// Where the form goes.
    pub action: &'a str,
    /// Parameters that travel along.
    pub hidden: &'a [(String, String)],
    pub fill: &'a Fill,
    /// In the lab: what its clock says.
    pub lab: Option<&'a str>,
}

/// Draws the form that asks for user name and password.
pub fn sign_in(view: &SignIn<'_>) -> String {
    let group_hint = "Only when you belong to several groups.";
    let content = html! {
        (header(&[], "Sign in", "With your Glance Address and password.", &html! {}))
        (form::problems(view.fill))
        section.card {
            form method="post" action=(view.action) accept-charset="utf-8" {
                @for (name, value) in view.hidden { (form::hidden(name, value)) }
                (FormField::text("username", "Glance Address").required().autocomplete("username").draw(view.fill))
                (FormField::password("password", "Password", "current-password").required().draw(view.fill))
                (FormField::text("groupid", "Group ID").hint(group_hint).short().draw(view.fill))
                div.actions { (button("Sign in", ButtonStyle::Primary)) }
            }
        }
    };
    layout::bare("Sign in", view.fill.is_wrong(), view.lab, &content)
}

/// What an agent came for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// AgentJoin: a session key is asked for.
    Join,
    /// AgentView: the session key or the visitor is known.
    View { session: String },
    /// To start a session in the native client.
    Start,
    /// Only to sign in.
    SignIn,
}

/// A page of somebody who is signed in.
pub struct SignedInView<'a> {
    pub purpose: &'a Purpose,
    pub address: &'a str,
    pub group: GroupId,
    /// The address that hands over to the native client, when a login key came along.
    pub launch: Option<&'a str>,
    /// In the lab: what its clock says.
    pub lab: Option<&'a str>,
}

/// Draws the page of somebody who is signed in.
pub fn signed_in(view: &SignedInView<'_>) -> String {
    let title = match view.purpose {
        Purpose::Join => "Join a session",
        Purpose::View { .. } => "Ready to join",
        Purpose::Start => "Start a session",
        Purpose::SignIn => "You are signed in",
    };
    let content = html! {
        (header(&[], title, "", &html! {}))
        section.card {
            (pairs(&[
                ("Signed in as", html! { (view.address) }),
                ("Group ID", html! { (view.group) }),
            ]))
            (of_purpose(view))
        }
        form method="post" action="/login/signout.aspx" { (button("Sign out", ButtonStyle::Plain)) }
        (told(view.purpose))
    };
    layout::bare(title, false, view.lab, &content)
}

fn of_purpose(view: &SignedInView<'_>) -> Markup {
    let launch = html! {
        @match view.launch {
            Some(address) => div.actions { (link_button(address, "Open the Glance client", true)) },
            None => p { "This page opens the Glance client only when the request contains a login key." },
        }
    };
    match view.purpose {
        Purpose::SignIn => html! {},
        Purpose::Join => html! {
            form method="get" action="/agentjoin/AgentView.aspx" {
                (FormField::text("SessionKey", "Session key").required().short().draw(&Fill::default()))
                div.actions { (button("Join", ButtonStyle::Primary)) }
            }
        },
        Purpose::View { session } => html! {
            p { "Session " strong { (session) } "." }
            (notice(Tone::Info, &html! {
                p { "This server signs agents in. It does not host sessions, so this page has no viewer." }
            }))
            (launch)
        },
        Purpose::Start => html! {
            (notice(Tone::Info, &html! {
                p { "The Glance client starts sessions. If nothing happens, the client is not installed on this computer." }
            }))
            (launch)
        },
    }
}

/// What the opener is told: who joins gets no viewer here, and must not wait for one.
fn told(purpose: &Purpose) -> Markup {
    html! {
        @if matches!(purpose, Purpose::View { .. }) {
            script src=(SCRIPT_PATH) data-event="joinFailed" data-reason="viewer_unavailable" {}
        }
    }
}

/// Draws the page of somebody who was refused; `sign_in` is the address of the sign-in form.
pub fn refused(error: &Error, sign_in: &str, lab: Option<&str>) -> String {
    let content = html! {
        (header(&[], "Not signed in", "", &html! {}))
        section.card {
            p { (error.public) }
            @if let Some(code) = &error.incident {
                p { "Incident " strong { code { (code) } } ". Give this code to your administrator, who can look up the reason." }
            }
            div.actions { (link_button(sign_in, "Sign in with a password", false)) }
        }
        script src=(SCRIPT_PATH) data-event="authenticateFailed" {}
    };
    layout::bare("Not signed in", true, lab, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_wrote_is_escaped() {
        let purpose = Purpose::View { session: "<script>alert(1)</script>".into() };
        let page = signed_in(&SignedInView {
            purpose: &purpose,
            address: "ann.acme",
            group: GroupId(72),
            launch: Some("glance://startssn?key=\"><b>"),
            lab: None,
        });
        assert!(!page.contains("<script>alert") && !page.contains("\"><b>"), "{page}");
    }
}
