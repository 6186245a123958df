//! The keys of both sides: the identity provider's, which verify, and ours, to which it encrypts.

use maud::{Markup, html};

use super::super::{crumbs, own};
use super::{FORM, TITLE, UnsavedFields, bar, carried, elsewhere, grouped, sign, step, unsaved};
use crate::model::sso::health::{Condition, Health};
use crate::model::sso::step::Step;
use crate::model::sso::{IDP_KEYS_MAX, KeyFacts, RemovedKey};
use crate::pages::components::{ButtonStyle, button, code, empty, header, time_utc, time_utc_or};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console};
use crate::protocol::xml::pem;

/// What the page of the keys shows.
pub struct KeysView<'a> {
    pub health: &'a Health,
    pub keys: &'a [KeyFacts],
    pub removed: &'a [RemovedKey],
    pub own_keys: &'a [KeyFacts],
    /// What was typed on the pages of other steps.
    pub others: &'a [UnsavedFields],
}

/// The page of the keys: one form, so that a certificate that is being pasted stays, whatever button is pressed.
pub fn page(frame: &Frame<'_>, view: &KeysView<'_>, fill: &Fill) -> String {
    let wrong = if fill.is_wrong() { "Something to correct" } else { "" };
    let lead = step::lead(Step::Keys);
    let content = html! {
        (form::problems(fill))
        (header(&crumbs(frame, &[("/sso", TITLE)]), Step::Keys.title(), lead, &html! {}))
        (bar(frame, view.health, Step::Keys, wrong, "Add key"))
        (unsaved(view.others, "Your entries are kept until you save them on the page of that step."))
        section.card.flush.sso-keys {
            (form::post_with_id(FORM, &own(frame, "/sso/keys"), frame.token, &html! {
                (carried(view.others))
                (theirs(frame, view))
                @if view.keys.len() < IDP_KEYS_MAX {
                    div.pad {
                        (FormField::area("certificate", "Additional X.509 Public Key")
                            .hint("PEM, with or without the BEGIN and END lines.").code().unmarked().draw(fill))
                    }
                }
                (ours(frame, view.own_keys))
                div.actions.staying.pad {
                    @if view.keys.len() < IDP_KEYS_MAX { (button("Add key", ButtonStyle::Primary)) }
                    a href=(own(frame, "/sso")) { "Back to the overview" }
                    (step::saved(view.health))
                }
            }))
        }
    };
    console(frame, MenuEntry::SignOn, Step::Keys.title(), fill.is_wrong(), &content)
}

fn theirs(frame: &Frame<'_>, view: &KeysView<'_>) -> Markup {
    html! {
        header {
            h2 { "X.509 Public Keys" }
            p {
                "A response signed with any of these keys is accepted. To change keys: add the second, let the identity provider \
                 switch, and remove the first once it is out of use."
            }
        }
        @if view.keys.is_empty() { (empty("There is no key yet, so every sign-in is refused.", &html! {})) }
        @else {
            ul.sso-lines {
                @for key in view.keys {
                    li {
                        (sign(if key.warnings.is_empty() { Condition::Good } else { Condition::Attention }))
                        (facts_of(key))
                        span.do {
                            button.button.small type="submit" name="fingerprint" value=(key.fingerprint)
                                formaction=(own(frame, "/sso/keys/remove")) formnovalidate {
                                "Remove…" span.unseen { " key " (key.position) }
                            }
                        }
                    }
                }
            }
        }
        @if !view.removed.is_empty() {
            header { h2 { "Removed in the last hour" } p { "These keys are not used. You can restore them." } }
            ul.sso-lines {
                @for key in view.removed {
                    li {
                        (sign(Condition::Off))
                        div {
                            (facts_of(&key.facts))
                            p.small.muted { "Can be restored until " (time_utc(key.until)) "." }
                        }
                        span.do {
                            button.button.small type="submit" name="fingerprint" value=(key.facts.fingerprint)
                                formaction=(own(frame, "/sso/keys/restore")) formnovalidate { "Put back" }
                        }
                    }
                }
            }
        }
    }
}

fn ours(frame: &Frame<'_>, keys: &[KeyFacts]) -> Markup {
    html! {
        header {
            h2 { "Our encryption keys" }
            p {
                "For Encrypted SAML 2.0. Our metadata contains the newest certificate. Older key pairs still decrypt until \
                 they are removed."
            }
        }
        ul.sso-lines {
            @for key in keys {
                li {
                    (sign(if key.warnings.is_empty() { Condition::Good } else { Condition::Attention }))
                    div {
                        b { "Pair " (key.position) ", " (key.kind) }
                        p { "Ends " (time_utc(key.ends_at)) ". Last used: " (time_utc_or(key.used_at, "never")) "." }
                        p { code.sso-print { (grouped(&key.fingerprint)) } }
                        details {
                            summary { "Certificate in PEM" }
                            (code("", &pem(&key.certificate)))
                        }
                        p { a href=(own(frame, &format!("/sso/own-keys/{}/certificate.pem", key.position))) {
                            "Download certificate"
                        } }
                    }
                    span.do {
                        button.button.small type="submit" name="number" value=(key.position)
                            formaction=(own(frame, "/sso/own-keys/remove")) formnovalidate {
                            "Remove…" span.unseen { " pair " (key.position) }
                        }
                    }
                }
            }
            li {
                span {}
                div {
                    (elsewhere("Make a key pair", "button", &own(frame, "/sso/own-keys")))
                }
            }
        }
    }
}

/// What tells one key from another.
pub fn facts_of(key: &KeyFacts) -> Markup {
    html! {
        div {
            b { (key.subject) }
            p.muted {
                @if key.position > 0 { "Key " (key.position) ", " } (key.kind) ". " "Ends " (time_utc(key.ends_at))
                ". Last verified: " (time_utc_or(key.used_at, "never")) "."
            }
            p { span.muted { "SHA-256 " } code.sso-print { (grouped(&key.fingerprint)) } }
            @for warning in &key.warnings { p.small { strong { "Warning: " } (warning) } }
        }
    }
}
