//! Wrong parties: for another service provider, to another address, from another identity provider.

use super::parts::audience;
use super::signer::{Forge, ForgeFail, swap};
use super::{Needs, Recipe, recipe};

const OTHER: &str = "https://other.example";
const OTHER_ACS: &str = "https://other.example/acs";

fn assertion_issuer(
    f: &Forge,
    change: impl FnOnce(&str) -> Result<String, ForgeFail>,
) -> Result<String, ForgeFail> {
    f.spoilt(|p| {
        p.assertion_issuer = change(&p.assertion_issuer)?;
        Ok(())
    })
}

pub const RECIPES: &[Recipe] = &[
    recipe(
        "wrong_audience",
        "wrong_audience",
        "The assertion is for another service provider.",
        "SAML core 2.5.1.4; CVE-2026-9093",
        |f| f.with_conditions(&f.audience(), OTHER),
    ),
    recipe(
        "audience_prefix",
        "wrong_audience",
        "The audience begins with the right name and goes on.",
        "SAML core 2.5.1.4",
        |f| f.with_conditions(&f.audience(), &format!("{}.evil", f.audience())),
    ),
    recipe(
        "audience_in_other_case",
        "wrong_audience",
        "The audience is the right name in capital letters.",
        "SAML core 1.3.2: URIs are compared octet by octet",
        |f| f.with_conditions(&f.audience(), &f.audience().to_uppercase()),
    ),
    recipe(
        "two_audience_restrictions",
        "wrong_audience",
        "A second audience restriction names another service provider; all restrictions must hold.",
        "SAML core 2.5.1.4",
        |f| f.with_conditions("</saml:Conditions>", &format!("{}</saml:Conditions>", audience("urn:x"))),
    ),
    recipe(
        "empty_audience_restriction",
        "wrong_audience",
        "The audience restriction names nobody.",
        "SAML core 2.5.1.4",
        |f| f.with_conditions(&audience(&f.audience()), "<saml:AudienceRestriction/>"),
    ),
    recipe(
        "no_audience",
        "audience_missing",
        "The conditions have no audience restriction.",
        "SAML profiles 4.1.4.2",
        |f| f.with_conditions(&audience(&f.audience()), ""),
    ),
    recipe(
        "no_conditions",
        "audience_missing",
        "The assertion has no conditions.",
        "SAML profiles 4.1.4.2; keycloak#48878",
        |f| {
            f.spoilt(|p| {
                p.conditions.clear();
                Ok(())
            })
        },
    ),
    recipe(
        "wrong_recipient",
        "wrong_recipient",
        "The subject confirmation is for another address.",
        "SAML profiles 4.1.4.3; keycloak#45652",
        |f| f.with_confirmation(&f.acs(), OTHER_ACS),
    ),
    recipe(
        "recipient_substring",
        "wrong_recipient",
        "The recipient begins with the right address and goes on.",
        "SAML profiles 4.1.4.3; python3-saml compared so",
        |f| f.with_confirmation(&f.acs(), &format!("{}/x", f.acs())),
    ),
    recipe(
        "no_recipient",
        "recipient_missing",
        "The subject confirmation has no recipient.",
        "SAML profiles 4.1.4.2",
        |f| f.with_confirmation(&format!("Recipient=\"{}\"", f.acs()), ""),
    ),
    recipe(
        "wrong_destination",
        "wrong_destination",
        "The response is addressed to another service provider.",
        "SAML bindings 3.5.5.2; spid-sp-test 21",
        |f| f.with_response(&f.acs(), OTHER_ACS),
    ),
    recipe(
        "empty_destination",
        "wrong_destination",
        "The destination of the response is empty.",
        "SAML bindings 3.5.5.2",
        |f| f.with_response(&f.acs(), ""),
    ),
    recipe(
        "no_destination",
        "destination_missing",
        "A signed response has no destination.",
        "SAML bindings 3.5.5.2",
        |f| f.with_response(&format!("Destination=\"{}\"", f.acs()), ""),
    ),
    recipe(
        "other_response_issuer",
        "response_issuer_mismatch",
        "The response comes from another identity provider than the assertion.",
        "SAML profiles 4.1.4.2",
        |f| {
            f.spoilt(|p| {
                p.response_issuer = swap(&p.response_issuer, &f.idp(), OTHER)?;
                Ok(())
            })
        },
    ),
    recipe(
        "wrong_issuer",
        "assertion_issuer_mismatch",
        "The assertion names another identity provider, and is signed by the right key.",
        "SAML core 2.2.5; spid-sp-test 29, keycloak#18286",
        |f| assertion_issuer(f, |issuer| swap(issuer, &f.idp(), OTHER)),
    ),
    recipe(
        "no_response_issuer",
        "response_issuer_missing",
        "A signed response does not say who issued it.",
        "SAML profiles 4.1.4.2",
        |f| {
            let parts = super::Parts { response_issuer: String::new(), ..f.genuine() };
            f.sign(&parts.response(&parts.assertion_with("", "")), &parts.response_id)
        },
    ),
    recipe(
        "no_issuer",
        "assertion_issuer_missing",
        "The assertion does not say who issued it.",
        "SAML core 2.3.3",
        |f| assertion_issuer(f, |_| Ok(String::new())),
    ),
    recipe(
        "issuer_format",
        "assertion_issuer_mismatch",
        "The issuer says that it is an e-mail address.",
        "SAML core 2.2.5, 8.3.6",
        |f| {
            assertion_issuer(f, |issuer| {
                let format =
                    "<saml:Issuer Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\">";
                swap(issuer, "<saml:Issuer>", format)
            })
        },
    ),
    recipe(
        "two_issuers",
        "assertion_issuer_mismatch",
        "The assertion has two issuers.",
        "SAML core 2.3.3",
        |f| assertion_issuer(f, |issuer| Ok(issuer.repeat(2))),
    ),
    recipe(
        "no_confirmation_data",
        "recipient_missing",
        "The bearer confirmation says neither for whom nor until when.",
        "SAML profiles 4.1.4.2",
        |f| {
            f.spoilt(|p| {
                p.confirmations =
                    "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"/>".into();
                Ok(())
            })
        },
    ),
    recipe(
        "holder_of_key",
        "bearer_missing",
        "The subject is confirmed by holder of key alone.",
        "SAML profiles 3.1, 4.1.4.2",
        |f| f.with_confirmation("cm:bearer", "cm:holder-of-key"),
    ),
    recipe(
        "no_confirmation",
        "bearer_missing",
        "The subject has no confirmation.",
        "SAML profiles 4.1.4.2",
        |f| {
            f.spoilt(|p| {
                p.confirmations.clear();
                Ok(())
            })
        },
    ),
    recipe(
        "confirmation_answers_another_request",
        "confirmation_in_response_to_mismatch",
        "The subject confirmation answers another request than the response.",
        "SAML profiles 4.1.4.3",
        |f| f.with_confirmation(&f.request()?, "_another"),
    )
    .needing(Needs::Request),
];
