//! Instants: too late, too early, unreadable, missing.

use super::signer::{Forge, ForgeFail, swap};
use super::{Recipe, recipe};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// The genuine response, with this in place of `from` in its conditions.
fn conditions(f: &Forge, changes: &[(String, String)]) -> Result<String, ForgeFail> {
    f.spoilt(|p| {
        for (from, to) in changes {
            p.conditions = swap(&p.conditions, from, to)?;
        }
        Ok(())
    })
}

fn authn(f: &Forge, from: &str, to: &str) -> Result<String, ForgeFail> {
    f.spoilt(|p| {
        p.authn = swap(&p.authn, from, to)?;
        Ok(())
    })
}

fn begin_attribute(f: &Forge) -> String {
    format!("NotBefore=\"{}\"", f.begin())
}

pub const RECIPES: &[Recipe] = &[
    recipe(
        "expired",
        "expired",
        "The assertion ended an hour ago.",
        "SAML core 2.5.1.2; CVE-2026-9096",
        |f| conditions(f, &[(f.begin(), f.instant(-2 * HOUR)), (f.end(), f.instant(-HOUR))]),
    ),
    recipe(
        "expired_at_the_edge",
        "expired",
        "The assertion ended one minute ago, to the millisecond: what a skew of a minute allows no more.",
        "SAML core 2.5.1.2",
        |f| conditions(f, &[(f.begin(), f.instant(-2 * HOUR)), (f.end(), f.instant(-MINUTE))]),
    ),
    recipe(
        "conditions_inverted",
        "conditions_inverted",
        "The assertion ends before it begins.",
        "SAML core 2.5.1.2",
        |f| conditions(f, &[(begin_attribute(f), format!("NotBefore=\"{}\"", f.instant(6 * MINUTE)))]),
    ),
    recipe(
        "not_yet",
        "not_yet",
        "The assertion begins one minute and a millisecond from now.",
        "SAML core 2.5.1.2; CVE-2026-9096",
        |f| conditions(f, &[(begin_attribute(f), format!("NotBefore=\"{}\"", f.instant(MINUTE + 1)))]),
    ),
    recipe(
        "confirmation_expired",
        "confirmation_expired",
        "The subject confirmation ended a minute ago; the conditions still hold.",
        "SAML profiles 4.1.4.3; keycloak#45652",
        |f| f.with_confirmation(&f.end(), &f.instant(-MINUTE)),
    ),
    recipe(
        "confirmation_not_yet",
        "confirmation_not_yet",
        "The subject confirmation begins in the future, which a bearer confirmation must not say at all.",
        "SAML profiles 4.1.4.2",
        |f| {
            let later = format!("NotBefore=\"{}\" NotOnOrAfter", f.instant(MINUTE + 1));
            f.with_confirmation("NotOnOrAfter", &later)
        },
    ),
    recipe(
        "confirmation_without_end",
        "confirmation_unbounded",
        "The subject confirmation has no end.",
        "SAML profiles 4.1.4.2",
        |f| f.with_confirmation(&format!("NotOnOrAfter=\"{}\"", f.end()), ""),
    ),
    recipe(
        "confirmation_end_malformed",
        "time_malformed",
        "The end of the subject confirmation is a word.",
        "XML Schema 2 3.2.7",
        |f| f.with_confirmation(&f.end(), "tomorrow"),
    ),
    recipe(
        "conditions_end_malformed",
        "time_malformed",
        "The end of the conditions is a word.",
        "XML Schema 2 3.2.7",
        |f| conditions(f, &[(f.end(), "INVALID-DATE".to_owned())]),
    ),
    recipe(
        "conditions_end_without_seconds",
        "time_malformed",
        "The end of the conditions has no seconds.",
        "XML Schema 2 3.2.7",
        |f| {
            let end = f.end();
            let minutes = end.get(..16).unwrap_or_default();
            conditions(f, &[(end.clone(), format!("{minutes}Z"))])
        },
    ),
    recipe(
        "conditions_end_empty",
        "time_malformed",
        "The end of the conditions is empty.",
        "XML Schema 2 3.2.7",
        |f| conditions(f, &[(f.end(), String::new())]),
    ),
    recipe(
        "conditions_begin_malformed",
        "time_malformed",
        "The begin of the conditions is a number.",
        "XML Schema 2 3.2.7",
        |f| conditions(f, &[(begin_attribute(f), "NotBefore=\"0\"".to_owned())]),
    ),
    recipe(
        "authentication_instant_malformed",
        "time_malformed",
        "When the user signed in at the identity provider is a word.",
        "SAML core 2.7.2",
        |f| authn(f, &f.instant(-10_000), "now"),
    ),
    recipe(
        "session_expired",
        "session_expired",
        "The session at the identity provider is over.",
        "SAML core 2.7.2; CVE-2024-25718; spid-sp-test 40",
        |f| {
            let over = format!("SessionNotOnOrAfter=\"{}\" SessionIndex", f.instant(-MINUTE - 1_000));
            authn(f, "SessionIndex", &over)
        },
    ),
    recipe(
        "issue_instant_malformed",
        "issue_instant_malformed",
        "When the response was issued is a word.",
        "SAML core 3.2.2",
        |f| {
            f.spoilt(|p| {
                p.response_attributes = swap(&p.response_attributes, &f.issued(), "yesterday")?;
                Ok(())
            })
        },
    ),
    recipe(
        "no_issue_instant",
        "issue_instant_malformed",
        "The assertion does not say when it was issued.",
        "SAML core 2.3.3",
        |f| {
            f.spoilt(|p| {
                p.assertion_attributes = "Version=\"2.0\"".into();
                Ok(())
            })
        },
    ),
];
