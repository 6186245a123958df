//! A kept response: the keys that were tried beside the certificate that came, and the message decoded.

use maud::{Markup, html};

use super::super::{crumbs, own};
use super::keys::facts_of;
use super::{TITLE, sign};
use crate::model::sso::KeyFacts;
use crate::model::sso::health::Condition;
use crate::pages::components::{ButtonStyle, button, flush_card, header};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console};
use crate::protocol::xml::indented;

/// Bytes of a decoded message that are shown.
const SHOWN_MOST: usize = 128 * 1024;

/// What the page shows.
pub struct MessageView<'a> {
    pub attempt: i64,
    pub document: &'a str,
    pub tried: &'a [KeyFacts],
    pub came: Option<&'a KeyFacts>,
    pub issuer_is_theirs: bool,
    pub may_be_added: bool,
}

/// The page; `fill` has the typed fingerprint.
pub fn page(frame: &Frame<'_>, view: &MessageView<'_>, fill: &Fill) -> String {
    let title = format!("Response of attempt {}", view.attempt);
    let address = format!("/sso/attempts/{}", view.attempt);
    let attempt = format!("Attempt {}", view.attempt);
    let way = [("/sso", TITLE), ("/sso/attempts", "Attempts"), (address.as_str(), attempt.as_str())];
    let (document, is_cut) = indented(view.document, SHOWN_MOST);
    let content = html! {
        (form::problems(fill))
        (header(&crumbs(frame, &way), &title, "This page shows personal data. Each visit is recorded in the access log.", &html! {}))
        (flush_card("Keys", "The group's keys, and the certificate in the message. Signatures are checked only with the group's keys.", &html! {
            ul.sso-lines {
                @for key in view.tried { li { (sign(Condition::Good)) (facts_of(key)) } }
                @match view.came {
                    None => li { (sign(Condition::Off)) div { b { "The message contained no certificate" } } },
                    Some(key) => li { (sign(Condition::Attention)) div {
                        b { "The certificate in the message" }
                        (facts_of(key))
                        (offer(frame, view, fill))
                    } },
                }
            }
        }))
        section.card {
            header {
                h2 { "Decoded" }
                @if is_cut { p { "Only the beginning is shown: the message is longer than 128 KiB." } }
            }
            pre.sso-document tabindex="0" aria-label="The decoded message" { (document) }
        }
    };
    console(frame, MenuEntry::SignOn, &title, fill.is_wrong(), &content)
}

fn offer(frame: &Frame<'_>, view: &MessageView<'_>, fill: &Fill) -> Markup {
    let address = own(frame, &format!("/sso/attempts/{}/key", view.attempt));
    html! {
        @if view.may_be_added {
            p {
                "Anybody can send such a message, with any certificate in it. Ask the identity provider's administrator for the SHA-256 fingerprint over another channel, such as by telephone, and enter it here."
            }
            (form::post(&address, frame.token, &html! {
                (FormField::text("fingerprint", "Fingerprint from the administrators").code().required().draw(fill))
                div.actions { (button("Add this key", ButtonStyle::Plain)) }
            }))
        } @else if !view.issuer_is_theirs {
            p { "The issuer in the message is not the group's identity provider, so you cannot add its certificate here." }
        }
    }
}
