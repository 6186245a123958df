//! The pages on a SAML sign-in's way: the form that carries the request, the message to the page that
//! frames us, the diagnostic page, the account page. Wire contract §3.5.
//!
//! Two of them hold a script, each constant, so that the page's policy names its hash and no other script
//! runs. What the scripts work on stands in attributes, escaped like everything else.

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::json;

use super::assets;
use super::compared_keys::compared_keys;
use super::components::{ButtonStyle, Tone, button, card, checks, flush_card, notice, pairs};
use super::layout;
use crate::model::GroupId;
use crate::model::sso::LOGIN_KEY_CHECK;
use crate::model::sso::compared::ComparedKeys;
use crate::protocol::check::{Check, CheckOutcome};

/// A script that never changes.
pub struct Script(&'static str);

impl Script {
    /// What the page's policy names: the hash of the script.
    pub fn csp_source(&self) -> String {
        format!("'{}'", assets::integrity(self.0))
    }

    fn draw(&self) -> Markup {
        html! { script { (PreEscaped(self.0)) } }
    }
}

/// Sends the one form of the page.
pub const SUBMIT: Script = Script("document.forms[0].submit();");

/// Posts the message to the parent, once for each site that may have it: a browser delivers it only where
/// the parent is of that site.
pub const POST_MESSAGE: Script = Script(
    "var d=document.body.dataset,m=JSON.parse(d.message);\
     JSON.parse(d.sites).forEach(function(s){window.parent.postMessage(m,s)});",
);

/// The form that carries a request to the identity provider: it sends itself, or waits for a click.
pub fn post_request(action: &str, request: &str, relay_state: &str) -> String {
    let content = html! {
        section.card {
            h1 { "One moment" }
            p { "You are being sent to your organisation's sign-in page." }
            form method="post" action=(action) {
                input type="hidden" name="SAMLRequest" value=(request);
                input type="hidden" name="RelayState" value=(relay_state);
                div.actions { button.primary type="submit" { "Go on" } }
            }
        }
        (SUBMIT.draw())
    };
    layout::bare("Signing in", false, None, &content)
}

/// The page of `mode=embedded&fmt=html`: nothing to see, one message to the parent.
pub fn embedded(login_key: Option<&str>, allowed_sites: &[String]) -> String {
    let message = match login_key {
        Some(key) => json!({ "glanceEvent": "authenticateSucceeded", "data": { "loginKey": key } }),
        None => json!({ "glanceEvent": "authenticateFailed", "data": {} }),
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { "Sidelight" } }
            body data-message=(message.to_string()) data-sites=(json!(allowed_sites).to_string()) {
                (POST_MESSAGE.draw())
            }
        }
    }
    .into_string()
}

/// What the diagnostic page shows.
pub struct DiagnosisView<'a> {
    pub group: GroupId,
    pub checks: &'a [Check],
    /// Code and likely repair.
    pub reject: Option<(&'a str, &'a str)>,
    pub incident: Option<&'a str>,
    pub name_id: Option<&'a str>,
    pub attributes: &'a BTreeMap<String, Vec<String>>,
    /// The document that came.
    pub document: &'a str,
    /// Where no key verified the signature.
    pub keys: Option<&'a ComparedKeys>,
}

/// The diagnostic page of `test=11`: the numbered checks, and what came.
pub fn diagnosis(view: &DiagnosisView<'_>) -> String {
    let content = html! {
        h1 { "Test of single sign-on for group " (view.group) }
        @match view.reject {
            None => (notice(Tone::Good, &html! {
                p { "The sign-in would succeed. This test did not sign anyone in." }
                @if let Some(check) = view.checks.iter().find(|check| is_open(check)) {
                    p { strong { (check.name) } ": " (check.got) "." }
                }
            })),
            Some((code, repair)) => (notice(Tone::Bad, &html! {
                p { "The sign-in would be refused: " code { (code) } "." }
                p { (repair) }
                @if let Some(incident) = view.incident { p { "Incident " strong { (incident) } "." } }
            })),
        }
        p {
            a href={ "/console/groups/" (view.group) "/sso" } { "To SSO Configure" }
        }
        (flush_card("Checks", "In the order of the standard. The first failed check decides the result.", &checks(view.checks)))
        @if let Some(keys) = view.keys { (compared_keys(keys)) }
        @if view.name_id.is_some() || !view.attributes.is_empty() {
            (card("What the identity provider says", "", &said(view.name_id, view.attributes)))
        }
        @if !view.document.is_empty() {
            section.card {
                details {
                    summary { "The original response" }
                    pre { code { (view.document) } }
                }
            }
        }
    };
    layout::bare("Test of single sign-on", view.reject.is_some(), None, &content)
}

/// Whether a check says that some sign-ins would be refused, though not this one.
fn is_open(check: &Check) -> bool {
    check.name == LOGIN_KEY_CHECK && check.outcome == CheckOutcome::Skipped
}

/// NameID and attributes.
pub fn said(name_id: Option<&str>, attributes: &BTreeMap<String, Vec<String>>) -> Markup {
    let mut facts = vec![("NameID", html! { (name_id.unwrap_or("none")) })];
    for (name, values) in attributes {
        facts.push((name, html! { @for value in values { div { (value) } } }));
    }
    pairs(&facts)
}

/// The account page: who is signed in.
pub fn account_summary(address: &str, group: GroupId) -> String {
    let content = html! {
        section.card {
            h1 { "You are signed in" }
            p { "As " strong { (address) } ", to group " (group) "." }
        }
        form method="post" action="/login/signout.aspx" { (button("Sign out", ButtonStyle::Plain)) }
    };
    layout::bare("Your account", false, None, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_data_and_never_markup() {
        let page = embedded(Some("partnerid=1&partneruserid=\"><script>alert(1)</script>~$1$"), &[]);
        assert_eq!(page.matches("<script").count(), 1);
        assert!(page.contains("&quot;authenticateSucceeded&quot;"));
    }

    #[test]
    fn the_policy_names_the_hash_of_the_script_that_is_drawn() {
        let source = SUBMIT.csp_source();
        assert!(source.starts_with("'sha256-") && source.len() == 53, "{source}");
        assert!(post_request("https://idp.example/", "r", "s").contains(SUBMIT.0));
    }
}
