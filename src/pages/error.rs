//! The page that says what went wrong, and what to do.

use maud::html;

use super::components::{Tone, header, link_button, notice};
use super::layout::{self, Frame, MenuEntry};
use crate::error::{Error, Kind};

/// The page for an error that ended a request. `lab`: in the lab, what its clock says.
pub fn page(error: &Error, lab: Option<&str>) -> String {
    page_with_again(error, lab, None)
}

/// As [`page`]; `again` is the path of this server where the person may try again.
pub fn page_with_again(error: &Error, lab: Option<&str>, again: Option<&str>) -> String {
    let title = title(error.kind);
    let content = html! {
        section.card {
            h1 { (title) }
            p { (error.public) }
            @if let Some(code) = &error.incident {
                p { "Incident " strong { code { (code) } } ". Give this code to your administrator." }
            }
            @if let Some(path) = again {
                div.actions { (link_button(path, "Try again", true)) }
            }
        }
    };
    layout::bare(title, true, lab, &content)
}

/// The page for a refusal to somebody who is signed in to the console. `address` is the page that is not there, `back`
/// the one from which they came.
pub fn framed(frame: &Frame<'_>, error: &Error, address: Option<&str>, back: Option<&str>) -> String {
    let title = title(error.kind);
    let content = html! {
        (header(&[], title, "", &html! {}))
        (notice(Tone::Bad, &html! {
            p { (error.public) }
            @if let Some(address) = address { p { code { (address) } } }
            @if let Some(code) = &error.incident { p { "Incident " strong { code { (code) } } "." } }
        }))
        div.actions {
            @if let Some(back) = back { (link_button(back, "Go back", true)) }
            (link_button("/console", "Go to the console home page", back.is_none()))
        }
    };
    layout::console(frame, MenuEntry::Elsewhere, title, true, &content)
}

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::NotFound => "Not found",
        Kind::Denied => "Not allowed",
        Kind::Unauthenticated => "Sign in first",
        Kind::WrongMethod => "Not allowed",
        Kind::TooMany => "Too many attempts",
        Kind::Unavailable => "Busy",
        Kind::Http(413) => "Too large",
        Kind::Http(408) => "Too slow",
        Kind::Invalid | Kind::Conflict | Kind::Fault | Kind::Http(_) => "That did not work",
    }
}
