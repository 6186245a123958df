//! The page before what ends something for others: says what ends, for how many, and asks.

use maud::html;

use crate::pages::components::{ButtonStyle, Crumb, button, card, danger_card, header, link_button};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console};

/// What is about to happen.
#[derive(Default)]
pub struct Deed<'a> {
    /// A question: "Delete Ann Example?"
    pub question: &'a str,
    /// What it means, one sentence each.
    pub consequences: &'a [&'a str],
    /// How it can be taken back, and until when; "" when it cannot.
    pub taken_back: &'a str,
    /// Where the form goes.
    pub action: &'a str,
    /// Values that go with it.
    pub hidden: &'a [(&'a str, &'a str)],
    /// What must be typed before it is done: the name of what ends. For what takes many along.
    pub typed: Option<&'a str>,
    /// What was typed, and what is wrong with it.
    pub fill: Fill,
    /// On the button: "Delete user".
    pub words: &'a str,
    /// Where anyone who thinks better of it goes.
    pub back: &'a str,
    /// On the link to there: "Keep it".
    pub keep: &'a str,
}

/// The field with the typed name.
pub const TYPED_NAME: &str = "typed_name";

/// Asks before a deed is done.
pub fn page(frame: &Frame<'_>, place: MenuEntry, crumbs: &[Crumb<'_>], deed: &Deed<'_>) -> String {
    let form = form::post(
        &frame.onward(deed.action),
        frame.token,
        &html! {
            ul { @for sentence in deed.consequences { li { (sentence) } } }
            @for (name, value) in deed.hidden { (form::hidden(name, value)) }
            @if let Some(name) = deed.typed {
                @let label = format!("Type “{name}” to continue");
                (FormField::text(TYPED_NAME, &label).required().draw(&deed.fill))
            }
            div.actions {
                (button(deed.words, ButtonStyle::Danger))
                (link_button(&frame.onward(deed.back), if deed.keep.is_empty() { "Cancel" } else { deed.keep }, false))
            }
        },
    );
    let content = html! {
        (form::problems(&deed.fill))
        (header(crumbs, deed.question, "", &html! {}))
        @if deed.taken_back.is_empty() { (danger_card("This cannot be undone", "", &form)) }
        @else { (card("What ends", deed.taken_back, &form)) }
    };
    console(frame, place, deed.question, deed.fill.is_wrong(), &content)
}
