//! The login-key workbench: make a key, get the URLs that carry it, take a key apart check by check.

use maud::{Markup, html};

use super::{crumbs, own};
use crate::pages::components::{ButtonStyle, Tone, button, card, checks, code, flush_card, header, notice};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console};
use crate::protocol::check::Check;

/// A login key that was just made.
pub struct MadeKey<'a> {
    pub login_key: &'a str,
    /// "2020-07-05 00:20:30 UTC"
    pub expires: &'a str,
    /// What it is for, and the text that carries it: URLs, headers, bodies. Wire contract §2.4.
    pub carriers: &'a [(String, String)],
}

/// A login key that was taken apart.
pub struct TakenApart<'a> {
    /// Whether it would be accepted now.
    pub accepted: bool,
    pub checks: &'a [Check],
    /// What to change; "" when nothing is known to help.
    pub repair: &'a str,
}

/// What the workbench shows.
pub struct Workbench<'a> {
    pub has_api_key: bool,
    pub make: &'a Fill,
    pub made: Option<MadeKey<'a>>,
    pub check: &'a Fill,
    pub taken_apart: Option<TakenApart<'a>>,
}

/// The page of the workbench.
pub fn page(frame: &Frame<'_>, bench: &Workbench<'_>) -> String {
    let lead = "Make a login key as your own server would, or see why one is refused. This page does not sign anyone in.";
    let content = html! {
        (form::problems(bench.make))
        (form::problems(bench.check))
        (header(&crumbs(frame, &[]), "Login keys", lead, &html! {}))
        @if !bench.has_api_key {
            (notice(Tone::Warn, &html! {
                p { "This group has no API key yet. " a href=(own(frame, "/api-key")) { "Set one" } " first." }
            }))
        }
        @if let Some(made) = &bench.made { (made_key(made)) }
        @if let Some(apart) = &bench.taken_apart { (taken_apart(apart)) }
        div.columns {
            (card("Make a login key", "", &make_form(frame, bench.make)))
            (card("Check a login key", "Paste the key exactly as received. It is not trimmed or decoded.", &check_form(frame, bench.check)))
        }
    };
    let wrong = bench.make.is_wrong() || bench.check.is_wrong();
    console(frame, MenuEntry::LoginKeys, "Login keys", wrong, &content)
}

fn make_form(frame: &Frame<'_>, fill: &Fill) -> Markup {
    form::post(
        &own(frame, "/login-keys/make"),
        frame.token,
        &html! {
            (FormField::text("puid", "Partner User ID (PUID)").required().code().draw(fill))
            (FormField::of_type("ttl", "Valid for, in seconds", "number").hint("At most 86400: one day.").required().short().draw(fill))
            (FormField::text("session_key", "Session key or visitor ID").hint("Used only in the URLs that join a session.").short().draw(fill))
            div.actions { (button("Make login key", ButtonStyle::Primary)) }
        },
    )
}

fn check_form(frame: &Frame<'_>, fill: &Fill) -> Markup {
    form::post(
        &own(frame, "/login-keys/check"),
        frame.token,
        &html! {
            (FormField::text("login_key", "Login key").required().code().draw(fill))
            (FormField::text("check_puid", "Partner User ID (PUID)").required().code().draw(fill))
            (FormField::text("now", "Time of the check").hint("RFC 3339, such as 2020-07-05T00:00:00Z. Empty: now.").draw(fill))
            div.actions { (button("Check", ButtonStyle::Primary)) }
        },
    )
}

fn made_key(made: &MadeKey<'_>) -> Markup {
    card(
        "Your login key",
        &format!("Valid until {}. You can use it any number of times until then.", made.expires),
        &html! {
            (code("Login key", made.login_key))
            details.fold open {
                summary { "All ways to send it" }
                div.stack {
                    @for (what, text) in made.carriers { (code(what, text)) }
                }
            }
        },
    )
}

fn taken_apart(apart: &TakenApart<'_>) -> Markup {
    html! {
        @if apart.accepted {
            (notice(Tone::Good, &html! { p { strong { "Accepted." } " Every check passed." } }))
        } @else {
            (notice(Tone::Bad, &html! {
                p { strong { "Rejected." } " The first failed check decided the result." }
                @if !apart.repair.is_empty() { p { strong { "What to change: " } (apart.repair) } }
            }))
        }
        (flush_card("Checks", "", &checks(apart.checks)))
    }
}
