//! The page before what cannot be undone: says what will happen, and asks.

use maud::html;

use crate::pages::components::{Crumb, Weight, button, danger_card, header, link_button};
use crate::pages::form;
use crate::pages::layout::{Frame, Place, console};

/// What is about to happen.
pub struct Deed<'a> {
    /// A question: "Delete Ann Example?"
    pub question: &'a str,
    /// What it means, one sentence each.
    pub consequences: &'a [&'a str],
    /// Where the form goes.
    pub action: &'a str,
    /// On the button: "Delete user".
    pub words: &'a str,
    /// Where whoever thinks better of it goes.
    pub back: &'a str,
}

/// Asks before a deed is done.
pub fn page(frame: &Frame<'_>, place: Place, crumbs: &[Crumb<'_>], deed: &Deed<'_>) -> String {
    let form = form::post(
        deed.action,
        frame.token,
        &html! {
            ul { @for sentence in deed.consequences { li { (sentence) } } }
            div.actions { (button(deed.words, Weight::Danger)) (link_button(deed.back, "Cancel", false)) }
        },
    );
    let content = html! {
        (header(crumbs, deed.question, "", &html! {}))
        (danger_card("This cannot be undone", "", &form))
    };
    console(frame, place, deed.question, false, &content)
}
