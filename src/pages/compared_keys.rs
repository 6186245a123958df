//! Keys side by side, where no trusted key made a signature: what an administrator compares before deciding whether the
//! identity provider has a new key, or somebody else sent the message.

use maud::{Markup, html};

use super::components::{Tone, badge, flush_card, time_utc};
use crate::clock::Timestamp;
use crate::model::sso::compared::{ComparedKey, ComparedKeys};
use crate::pages::console::sso::grouped;

/// The comparison as a card of its own.
pub fn compared_keys(keys: &ComparedKeys) -> Markup {
    flush_card(
        "Keys",
        "None of the group's keys made this signature.",
        &html! {
            ul.sso-lines {
                @for key in &keys.tried { (line(badge(Tone::Info, "Tried"), key)) }
                @if let Some(key) = &keys.came { (line(badge(Tone::Warn, "Came in the message"), key)) }
            }
            div.pad { p { (advice(keys)) } }
        },
    )
}

/// What to do with it.
fn advice(keys: &ComparedKeys) -> &'static str {
    match (&keys.came, keys.issuer_is_ours) {
        (None, _) => {
            "The message contained no certificate. Ask the identity provider's administrators for their current signing certificate."
        }
        (Some(_), false) => {
            "The issuer in the message is not the group's identity provider, so do not trust the certificate in it."
        }
        (Some(_), true) => {
            "Anybody can send such a message, with any certificate in it. If the identity provider has a new key, get it another way, such as from its metadata, and compare the fingerprint with what its administrator tells you."
        }
    }
}

fn line(kind: Markup, key: &ComparedKey) -> Markup {
    let at = |seconds| time_utc(Timestamp::from_seconds(seconds));
    html! {
        li { div {
            b { (key.subject) } " " (kind)
            p { "Valid from " (at(key.begins)) " to " (at(key.ends)) "." }
            p { span.muted { "SHA-256 " } code.sso-print { (grouped(&key.fingerprint)) } }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_came_is_shown_and_never_offered() {
        let key = |subject: &str| ComparedKey {
            fingerprint: "ab".repeat(32),
            subject: subject.to_owned(),
            begins: 0,
            ends: 86_400,
            certificate: None,
        };
        let mut keys = ComparedKeys {
            tried: vec![key("CN=ours")],
            came: Some(key("CN=<b>theirs")),
            issuer_is_ours: true,
        };
        let page = compared_keys(&keys).into_string();
        assert!(page.contains("CN=ours") && page.contains("CN=&lt;b&gt;theirs"), "{page}");
        assert!(page.contains("Anybody can send such a message") && !page.contains("<form"));
        keys.issuer_is_ours = false;
        assert!(compared_keys(&keys).into_string().contains("do not trust the certificate"));
        keys.came = None;
        assert!(compared_keys(&keys).into_string().contains("The message contained no certificate"));
    }
}
