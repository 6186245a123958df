//! Answers that nobody asked for, to other requests, or of failure.

use super::signer::{Forge, ForgeFail, swap};
use super::{Needs, Recipe, recipe};

fn status(f: &Forge, change: impl FnOnce(&str) -> Result<String, ForgeFail>) -> Result<String, ForgeFail> {
    f.spoilt(|p| {
        p.status = change(&p.status)?;
        Ok(())
    })
}

/// A status of two levels.
fn nested(outer: &str, inner: &str) -> String {
    const STATUS: &str = "urn:oasis:names:tc:SAML:2.0:status:";
    format!(
        "<samlp:Status><samlp:StatusCode Value=\"{STATUS}{outer}\"><samlp:StatusCode Value=\"{STATUS}{inner}\"/>\
         </samlp:StatusCode></samlp:Status>"
    )
}

pub const RECIPES: &[Recipe] = &[
    recipe(
        "unsolicited",
        "unsolicited",
        "The response answers no request.",
        "SAML profiles 4.1.5; CVE-2026-9098",
        |f| {
            let answers = format!("InResponseTo=\"{}\"", f.request()?);
            f.spoilt(|p| {
                p.response_attributes = swap(&p.response_attributes, &answers, "")?;
                p.confirmations = swap(&p.confirmations, &answers, "")?;
                Ok(())
            })
        },
    )
    .needing(Needs::Request),
    recipe(
        "wrong_in_response_to",
        "in_response_to_unknown",
        "The response answers a request that was never sent.",
        "SAML core 3.2.2; spid-sp-test 18",
        |f| {
            let request = f.request()?;
            f.spoilt(|p| {
                p.response_attributes = swap(&p.response_attributes, &request, "_other")?;
                Ok(())
            })
        },
    )
    .needing(Needs::Request),
    recipe(
        "old_assertion_in_a_new_answer",
        "confirmation_in_response_to_missing",
        "An assertion that answers nothing stands in a response that does and that nobody signed.",
        "SAML profiles 4.1.4.3",
        |f| {
            let answers = format!("InResponseTo=\"{}\"", f.request()?);
            let mut parts = f.genuine();
            parts.confirmations = swap(&parts.confirmations, &answers, "")?;
            parts.assertion_signed(f)
        },
    )
    .needing(Needs::Request),
    recipe(
        "status_requester",
        "status_not_success",
        "The status is a failure, and an assertion comes with it.",
        "SAML core 3.2.2.2; spid-sp-test 26",
        |f| status(f, |status| swap(status, "Success", "Requester")),
    ),
    recipe(
        "status_authn_failed",
        "status_not_success",
        "The status says that the user could not be authenticated, and an assertion comes with it.",
        "SAML core 3.2.2.2; spid-sp-test 26",
        |f| status(f, |_| Ok(nested("Responder", "AuthnFailed"))),
    ),
    recipe(
        "status_success_below_a_failure",
        "status_not_success",
        "The top-level status is a failure; the one below it is success.",
        "SAML core 3.2.2.2",
        |f| status(f, |_| Ok(nested("Responder", "Success"))),
    ),
    recipe("two_statuses", "status_missing", "The response has two statuses.", "SAML core 3.2.2", |f| {
        status(f, |status| Ok(status.repeat(2)))
    }),
    recipe("no_status", "status_missing", "The response has no status.", "SAML core 3.2.2", |f| {
        status(f, |_| Ok(String::new()))
    }),
];
