//! Attempts to sign in by SAML: the latest, one with its checks, judged again; the attributes to pick from.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::incidents::repair;
use super::sso::step::drawn;
use super::{crumbs, own};
use crate::clock::Timestamp;
use crate::model::sso::KeptAttempt;
use crate::model::sso::compared::ComparedKeys;
use crate::model::sso::fields::field;
use crate::pages::compared_keys::compared_keys;
use crate::pages::components::{
    ButtonStyle, Tone, badge, button, card, empty, failed_first, flush_card, header, link_button, notice,
    pairs, table, time, time_or, time_utc, to_failed,
};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console};
use crate::pages::sso::said;
use crate::protocol::check::Check;

/// The fields with which a response may be judged again.
pub const REJUDGED: [&str; 8] = [
    "entity_id",
    "idp_entity_id",
    "identity_attribute",
    "clock_skew",
    "allow_sha1",
    "allow_rsa15",
    "allow_3des",
    "method",
];

/// The latest attempts.
pub fn list(frame: &Frame<'_>, attempts: &[KeptAttempt], provisioning: bool) -> String {
    const TITLE: &str = "Attempts to sign in";
    let rows: Vec<Vec<Markup>> = attempts
        .iter()
        .map(|attempt| {
            let address = own(frame, &format!("/sso/attempts/{}", attempt.id));
            vec![
                html! { a.primary href=(address) { (time(attempt.at)) } },
                outcome(attempt),
                html! { (attempt.subject) },
                html! { (attempt.incident.as_deref().unwrap_or("")) },
            ]
        })
        .collect();
    let lead = match provisioning {
        true => "In status Provisioning, every attempt is kept with its checks.",
        false => {
            "In status Production, only refusals are kept. To keep all attempts, set the Operational Status to Provisioning."
        }
    };
    let content = html! {
        (header(&crumbs(frame, &[("/sso", "SSO Configure")]), TITLE, lead, &html! {}))
        section.card.flush {
            @if rows.is_empty() { (empty("No sign-in attempts yet.", &html! {})) }
            @else { (table("Attempts", &["Time", "Outcome", "NameID", "Incident"], &rows)) }
        }
    };
    console(frame, MenuEntry::SignOn, TITLE, false, &content)
}

fn outcome(attempt: &KeptAttempt) -> Markup {
    html! {
        span.badges {
            @match &attempt.code {
                None => (badge(Tone::Good, "Accepted")),
                Some(code) => (badge(Tone::Bad, code)),
            }
            @if attempt.test { (badge(Tone::Info, "Test")) }
        }
    }
}

/// An attempt as it is shown.
pub struct AttemptView<'a> {
    pub attempt: &'a KeptAttempt,
    pub checks: &'a [Check],
    /// What to change; "" when nothing is known to help.
    pub repair: &'a str,
    /// Where no key verified the signature.
    pub keys: Option<&'a ComparedKeys>,
    pub rejudged: Option<RejudgedView<'a>>,
}

/// A response that was judged again.
pub struct RejudgedView<'a> {
    pub at: Timestamp,
    pub checks: &'a [Check],
    /// Code and likely repair.
    pub reject: Option<(&'a str, &'a str)>,
}

/// One attempt with its checks, and, where its response is kept, the form to judge it again.
pub fn one(frame: &Frame<'_>, view: &AttemptView<'_>, fill: &Fill) -> String {
    let attempt = view.attempt;
    let title = format!("Attempt {}", attempt.id);
    let attributes: Option<BTreeMap<String, Vec<String>>> =
        attempt.attributes.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let way = [("/sso", "SSO Configure"), ("/sso/attempts", "Attempts")];
    let content = html! {
        (form::problems(fill))
        (header(&crumbs(frame, &way), &title, "", &html! {}))
        @if let Some(view) = &view.rejudged { (again(view)) }
        (repair(view.repair, view.checks, "check"))
        (card("", "", &pairs(&[
            ("Time (UTC)", time(attempt.at)),
            ("Outcome", outcome(attempt)),
            ("Incident", html! {
                @match &attempt.incident {
                    Some(code) => a href=(own(frame, &format!("/incidents?code={code}"))) { (code) },
                    None => "None",
                }
            }),
            ("Response kept until (UTC)", time_or(attempt.kept_until, "Not kept")),
        ])))
        @if attempt.kept_until.is_some() {
            div.actions {
                (link_button(&own(frame, &format!("/sso/attempts/{}/response", attempt.id)), "See the response and its keys", false))
            }
        }
        @if let Some(keys) = view.keys { (compared_keys(keys)) }
        (flush_card("Original checks", "The first failed check decided the result.", &failed_first(view.checks, "check")))
        @if let Some(attributes) = &attributes {
            (card("What the identity provider said", "", &said(Some(&attempt.subject), attributes)))
        }
        @if attempt.kept_until.is_some() { (rejudge_form(frame, attempt, fill)) }
    };
    console(frame, MenuEntry::SignOn, &title, fill.is_wrong(), &content)
}

fn again(view: &RejudgedView<'_>) -> Markup {
    html! {
        (notice(if view.reject.is_none() { Tone::Good } else { Tone::Bad }, &html! {
            @match view.reject {
                None => p { "Checked again as of " (time_utc(view.at)) ", the response would be accepted. No user was signed in." },
                Some((code, repair)) => {
                    p { "Checked again as of " (time_utc(view.at)) ", the response would be refused: " code { (code) } "." }
                    p { (repair) }
                    (to_failed(view.checks, "again"))
                }
            }
        }))
        (flush_card("Checks when run again", "", &failed_first(view.checks, "again")))
    }
}

fn rejudge_form(frame: &Frame<'_>, attempt: &KeptAttempt, fill: &Fill) -> Markup {
    let sentence = "Check the response with other settings, or at another time. No user is signed in, and nothing is saved.";
    let form = form::post(
        &own(frame, &format!("/sso/attempts/{}", attempt.id)),
        frame.token,
        &html! {
            (FormField::text("now", "Time").hint("Such as 2026-02-01T12:00:00Z. If empty: the time when the response arrived.").draw(fill))
            @for name in REJUDGED { @if let Some(field) = field(name) { (drawn(field, fill, &[])) } }
            div.actions { (button("Check again", ButtonStyle::Primary)) }
        },
    );
    html! {
        section.card.sso-form id="judge-again" {
            header { h2 { "Check again" } p { (sentence) } }
            (form)
        }
    }
}

/// The attributes of recent assertions: name and an example.
pub fn attributes(frame: &Frame<'_>, recent: &[(String, String)]) -> String {
    const TITLE: &str = "Attributes of recent assertions";
    let rows: Vec<Vec<Markup>> = recent
        .iter()
        .map(|(name, example)| vec![html! { code { "{" (name) "}" } }, html! { (example) }])
        .collect();
    let lead = "Recorded while the Operational Status is Provisioning. Copy a name with its braces into a field of the \
                mapping.";
    let content = html! {
        (header(&crumbs(frame, &[("/sso", "SSO Configure")]), TITLE, lead, &html! {}))
        section.card.flush {
            @if rows.is_empty() { (empty("There are none yet. Test the connection once in status Provisioning.", &html! {})) }
            @else { (table("Attributes", &["In a mapping", "Latest value"], &rows)) }
        }
    };
    console(frame, MenuEntry::SignOn, TITLE, false, &content)
}
