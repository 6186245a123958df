//! The page that says what went wrong, and what to do.

use maud::html;

use super::components::link_button;
use super::layout;
use crate::error::{Error, Kind};

/// The page for an error that ended a request.
pub fn page(error: &Error) -> String {
    let title = match error.kind {
        Kind::NotFound => "Not found",
        Kind::Denied => "Not allowed",
        Kind::Unauthenticated => "Sign in first",
        Kind::TooMany => "Too many attempts",
        Kind::Unavailable => "Busy",
        Kind::Invalid | Kind::Conflict | Kind::Fault => "That did not work",
    };
    let content = html! {
        section.card {
            h1 { (title) }
            p { (error.public) }
            @if let Some(code) = &error.incident {
                p { "Incident " strong { code { (code) } } ". Tell it to your administrator." }
            }
        }
    };
    layout::bare(title, true, None, &content)
}

/// The page for an error in the console: with the way back to it.
pub fn console_page(error: &Error) -> String {
    let content = html! {
        section.card {
            h1 { "That did not work" }
            p { (error.public) }
            @if let Some(code) = &error.incident {
                p { "Incident " strong { code { (code) } } ". The server's log says more under this code." }
            }
            div.actions { (link_button("/console", "To the console", true)) }
        }
    };
    layout::bare("That did not work", true, None, &content)
}
