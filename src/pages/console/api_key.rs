//! A group's API key: hidden, shown on demand, changed. Wire contract §2.8.

use maud::{Markup, html};

use crate::clock::Timestamp;
use crate::model::Group;
use crate::pages::components::{
    ButtonStyle, Tone, badge, button, card, choice_button, code, danger_card, header, link_button, notice,
    pairs, time, time_or,
};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console};

/// The page of the API key; `shown` is the key itself, when somebody asked for it; until `previous_until` the one
/// before can be put back.
pub fn page(
    frame: &Frame<'_>,
    group: &Group,
    shown: Option<&str>,
    previous_until: Option<Timestamp>,
    fill: &Fill,
) -> String {
    let reveal = form::post_button(
        &super::own(frame, "/api-key/reveal"),
        frame.token,
        &html! { div.actions { (button("Show the API key", ButtonStyle::Plain)) span.hint { "This is recorded in the access log." } } },
    );
    let present = html! {
        (pairs(&[
            ("State", if group.has_api_key { badge(Tone::Good, "Set") } else { badge(Tone::Warn, "None") }),
            ("Changed (UTC)", time_or(group.api_key_changed_at, "Never")),
        ]))
        @match shown {
            Some(key) => {
                (code("API key", key))
                p.hint { "Click to select it. Store it where only your servers can read it: with this key, a server can sign in as any user of the group." }
            },
            None => @if group.has_api_key { p { code { "••••••••••••••••" } } (reveal) },
        }
        @if group.has_api_key {
            div.actions { (link_button(&super::own(frame, "/api-key/change"), "Change the API key…", false)) }
        }
    };
    let content = html! {
        (form::problems(fill))
        (header(&super::crumbs(frame, &[]), "API key", "Your servers make login keys with this shared secret.", &html! {}))
        @if let Some(until) = previous_until {
            (notice(Tone::Info, &html! {
                p { "The API key was changed within the last hour. Until " (time(until)) " UTC you can restore the previous key." }
                div.actions { (link_button(&super::own(frame, "/api-key/restore"), "Restore the previous key…", false)) }
            }))
        }
        (card("Present key", "", &present))
        @if !group.has_api_key { (card("Set the API key", "", &choices(frame, ButtonStyle::Plain, fill))) }
    };
    console(frame, MenuEntry::ApiKey, "API key", fill.is_wrong(), &content)
}

/// The page that asks before the API key is changed; `used` says how many signed in with what it makes.
pub fn change(frame: &Frame<'_>, used: &str, fill: &Fill) -> String {
    let consequences = html! {
        ul {
            li { "All login keys made with the current key are rejected at once. There is no overlap." }
            li { (used) }
            li { "Have the new key ready on every server that makes login keys. You can restore the current key for one hour." }
        }
        (choices(frame, ButtonStyle::Danger, fill))
        div.actions { (link_button(&super::own(frame, "/api-key"), "Keep the current key", false)) }
    };
    let title = "Change the API key?";
    let content = html! {
        (form::problems(fill))
        (header(&super::crumbs(frame, &[("/api-key", "API key")]), title, "", &html! {}))
        (danger_card("What ends", "", &consequences))
    };
    console(frame, MenuEntry::ApiKey, title, fill.is_wrong(), &content)
}

/// One made at random, or one that is typed.
fn choices(frame: &Frame<'_>, weight: ButtonStyle, fill: &Fill) -> Markup {
    let address = super::own(frame, "/api-key/change");
    let random = form::post_button(
        &address,
        frame.token,
        &html! {
            div.actions {
                (choice_button("Make a random key", weight, "how", "random"))
                span.hint { "20 characters, 100 random bits." }
            }
        },
    );
    let own = form::post(
        &address,
        frame.token,
        &html! {
            (FormField::text("api_key", "Your own API key").hint("8 to 255 characters.").code().required().draw(fill))
            div.actions { (choice_button("Use my own key", weight, "how", "typed")) }
        },
    );
    html! { (random) (own) }
}
