//! An incident: the checks behind a refusal, what to change, then what failed.

use maud::{Markup, html};

use crate::clock::Timestamp;
use crate::model::GroupId;
use crate::model::sso::compared::ComparedKeys;
use crate::pages::compared_keys::compared_keys;
use crate::pages::components::{
    ButtonStyle, Tone, badge, button, card, failed_first, flush_card, header, link_button, notice, pairs,
    time, to_failed,
};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console};
use crate::protocol::check::Check;

/// An incident as it is shown.
pub struct IncidentView<'a> {
    pub code: &'a str,
    pub at: Timestamp,
    pub group: Option<GroupId>,
    /// Such as `login-key` or `saml`.
    pub surface: &'a str,
    /// The stable code of the reject.
    pub reject: &'a str,
    pub checks: &'a [Check],
    /// "" when nothing is known to help.
    pub repair: &'a str,
    /// The attempt to sign in by SAML that was refused, while it is kept.
    pub attempt: Option<AttemptLink>,
    /// Where no key verified the signature of that attempt.
    pub keys: Option<&'a ComparedKeys>,
}

/// The way to a kept attempt.
pub struct AttemptLink {
    pub group: GroupId,
    pub number: i64,
    /// Its response is kept, so that it can be judged again.
    pub can_be_judged_again: bool,
}

impl AttemptLink {
    fn address(&self) -> String {
        super::at(self.group, &format!("/sso/attempts/{}", self.number))
    }
}

/// The page that opens a code; `fill` has the code and what is wrong with it.
pub fn ask(frame: &Frame<'_>, address: &str, fill: &Fill) -> String {
    let content = html! {
        (form::problems(fill))
        (header(&super::crumbs(frame, &[]), "Explain a refusal", LEAD, &html! {}))
        (card("", "", &form::ask("Explain a refusal", address, &html! {
            (FormField::text("code", "Incident code").unmarked().short().draw(fill))
            (button("Open", ButtonStyle::Primary))
        })))
    };
    console(frame, MenuEntry::Elsewhere, "Explain a refusal", fill.is_wrong(), &content)
}

const LEAD: &str = "A refused user sees a short message and a code such as K7Q2-9XMD. Enter the code to see what was \
                    checked.";

/// What to change, and the way to the check that says so; nothing when nothing is known to help.
pub(super) fn repair(sentence: &str, checks: &[Check], place: &str) -> Markup {
    html! {
        @if !sentence.is_empty() {
            (notice(Tone::Warn, &html! {
                p { strong { "What to change: " } (sentence) }
                (to_failed(checks, place))
            }))
        }
    }
}

/// The page of one incident.
pub fn page(frame: &Frame<'_>, view: &IncidentView<'_>) -> String {
    let title = format!("Incident {}", view.code);
    let facts = pairs(&[
        ("Refused (UTC)", time(view.at)),
        ("By", html! { (view.surface) }),
        ("Reason", html! { (badge(Tone::Bad, view.reject)) }),
        (
            "Group ID",
            html! {
                @match view.group {
                    Some(group) => a href={ "/console/groups/" (group) } { (group) },
                    None => span.muted { "Unknown" },
                }
            },
        ),
    ]);
    let actions = html! {
        @if let Some(attempt) = &view.attempt {
            (link_button(&attempt.address(), "See the attempt", false))
            @if attempt.can_be_judged_again {
                (link_button(&format!("{}#judge-again", attempt.address()), "Check again", true))
            }
        }
    };
    let content = html! {
        (header(&super::crumbs(frame, &[]), &title, "", &actions))
        (repair(view.repair, view.checks, "check"))
        (card("", "", &facts))
        @if let Some(keys) = view.keys { (compared_keys(keys)) }
        @if !view.checks.is_empty() {
            (flush_card("Checks", "The first failed check decided the result.", &failed_first(view.checks, "check")))
        }
    };
    console(frame, MenuEntry::Elsewhere, &title, false, &content)
}
