//! The page that says what went wrong, and what to do.

use maud::{DOCTYPE, html};

use crate::error::Error;

/// The page for an error that ended a request.
pub fn page(error: &Error) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Sidelight" }
            }
            body {
                main {
                    h1 { "That did not work" }
                    p { (error.public) }
                    @if let Some(code) = &error.incident {
                        p { "Incident " strong { (code) } ". Tell it to your administrator." }
                    }
                }
            }
        }
    }
    .into_string()
}
