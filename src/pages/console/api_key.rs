//! A group's API key: hidden, shown on demand, changed. Wire contract §2.8.

use maud::html;

use crate::model::Group;
use crate::pages::components::{
    Tone, Weight, badge, button, card, choice_button, code, danger_card, header, notice, pairs, time_or,
};
use crate::pages::form::{self, Field, Fill};
use crate::pages::layout::{Frame, Place, console};

/// The page of the API key; `shown` is the key itself, when somebody asked for it.
pub fn page(frame: &Frame<'_>, group: &Group, shown: Option<&str>, fill: &Fill) -> String {
    let reveal = form::post_button(
        &super::own(frame, "/api-key/reveal"),
        frame.token,
        &html! { div.actions { (button("Show the API key", Weight::Plain)) span.hint { "The access log notes that you looked." } } },
    );
    let present = html! {
        (pairs(&[
            ("State", if group.has_api_key { badge(Tone::Good, "Set") } else { badge(Tone::Warn, "None") }),
            ("Changed", time_or(group.api_key_changed_at, "Never")),
        ]))
        @match shown {
            Some(key) => {
                (code("API key", key))
                p.hint { "One click selects it. Keep it where only your servers read it: it stands for every user of the group." }
            },
            None => @if group.has_api_key { p { code { "••••••••••••••••" } } (reveal) },
        }
    };
    let weight = if group.has_api_key { Weight::Danger } else { Weight::Plain };
    let address = super::own(frame, "/api-key/change");
    let random = form::post_button(
        &address,
        frame.token,
        &html! {
            div.actions {
                (choice_button("Make one at random", weight, "how", "random"))
                span.hint { "20 characters, 100 random bits." }
            }
        },
    );
    let own = form::post(
        &address,
        frame.token,
        &html! {
            (Field::text("api_key", "Your own API key").hint("8 to 255 characters.").code().required().draw(fill))
            div.actions { (choice_button("Put my own in force", weight, "how", "typed")) }
        },
    );
    let change = html! { (random) (own) };
    let warning = "All login keys made with the present key are rejected from that moment, without an overlap. \
                   Have the new key ready wherever login keys are made.";
    let content = html! {
        (form::problems(fill))
        (header(&super::crumbs(frame, &[]), "API key", "The shared secret from which login keys are made.", &html! {}))
        (card("Present key", "", &present))
        @if group.has_api_key {
            (danger_card("Change the API key", "", &html! {
                (notice(Tone::Warn, &html! { p { (warning) } }))
                (change)
            }))
        } @else {
            (card("Set the API key", "", &change))
        }
    };
    console(frame, Place::ApiKey, "API key", fill.is_wrong(), &content)
}
