//! Parts that are missing, doubled, empty, or of another version.

use super::parts::{Parts, confirmation};
use super::signer::{Forge, ForgeFail, cut, swap};
use super::{Recipe, recipe};

fn with(f: &Forge, change: impl FnOnce(&mut Parts)) -> Result<String, ForgeFail> {
    f.spoilt(|p| {
        change(p);
        Ok(())
    })
}

pub const RECIPES: &[Recipe] = &[
    recipe(
        "response_version",
        "wrong_version",
        "The response is of SAML 1.1.",
        "SAML core 3.2.2, 4.1.1",
        |f| f.with_response("Version=\"2.0\"", "Version=\"1.1\""),
    ),
    recipe("no_version", "wrong_version", "The response has no version.", "SAML core 3.2.2", |f| {
        f.with_response("Version=\"2.0\"", "")
    }),
    recipe(
        "assertion_version",
        "assertion_wrong_version",
        "The assertion is of SAML 1.1.",
        "SAML core 2.3.3, 4.1.1",
        |f| {
            f.spoilt(|p| {
                p.assertion_attributes = swap(&p.assertion_attributes, "\"2.0\"", "\"1.1\"")?;
                Ok(())
            })
        },
    ),
    recipe(
        "no_assertion",
        "assertion_missing",
        "A signed response of success has no assertion.",
        "SAML profiles 4.1.4.2",
        |f| {
            let parts = f.genuine();
            f.sign(&parts.response(""), &parts.response_id)
        },
    ),
    recipe(
        "request_instead_of_a_response",
        "not_a_response",
        "The message says that it is an authentication request.",
        "SAML core 3.4.1",
        |f| swap(&f.genuine().both_signed(f)?, "samlp:Response", "samlp:AuthnRequest"),
    ),
    recipe("two_subjects", "subject_missing", "The assertion has two subjects.", "SAML core 2.3.3", |f| {
        let parts = f.genuine();
        let assertion = parts.assertion();
        let subject = cut(&assertion, "<saml:Subject>", "</saml:Subject>")?.to_owned();
        let twice = assertion.replace(&subject, &subject.repeat(2));
        f.sign(&parts.unsigned_response(&twice), &parts.assertion_id)
    }),
    recipe(
        "two_conditions",
        "conditions_repeated",
        "The assertion has its conditions twice.",
        "SAML core 2.3.3",
        |f| with(f, |p| p.conditions = p.conditions.repeat(2)),
    ),
    recipe(
        "unknown_condition",
        "condition_unknown",
        "The assertion has a condition of no known kind, so nobody can say that it holds.",
        "SAML core 2.5.1.1",
        |f| {
            f.spoilt(|p| {
                let more = "<saml:Condition/></saml:Conditions>";
                p.conditions = swap(&p.conditions, "</saml:Conditions>", more)?;
                Ok(())
            })
        },
    ),
    recipe(
        "no_authentication_statement",
        "authn_statement_missing",
        "The assertion does not say that anybody authenticated.",
        "SAML profiles 4.1.4.2",
        |f| with(f, |p| p.authn.clear()),
    ),
    recipe("empty_nameid", "name_id_empty", "The name is white space.", "SAML core 2.2.3", |f| {
        f.spoilt(|p| {
            p.name_id = swap(&p.name_id, &f.name(), " \n")?;
            Ok(())
        })
    }),
    recipe(
        "nobody_named",
        "name_id_missing",
        "The assertion has neither a name nor attributes.",
        "SAML core 2.4.1",
        |f| {
            with(f, |p| {
                p.name_id.clear();
                p.attributes.clear();
            })
        },
    ),
    recipe("two_nameids", "name_id_repeated", "The subject has two names.", "SAML core 2.4.1", |f| {
        with(f, |p| p.name_id = p.name_id.repeat(2))
    }),
    recipe(
        "attribute_without_a_name",
        "attribute_unnamed",
        "An attribute has no name.",
        "SAML core 2.7.3.1",
        |f| {
            with(f, |p| {
                let unnamed = "<saml:Attribute><saml:AttributeValue>x</saml:AttributeValue></saml:Attribute>";
                p.attributes = match p.attributes.split_once("<saml:Attribute Name=") {
                    Some((before, rest)) => {
                        let behind = rest.split_once('>').map_or("", |(_, behind)| behind);
                        format!("{before}<saml:Attribute >{behind}")
                    }
                    None => format!("<saml:AttributeStatement>{unnamed}</saml:AttributeStatement>"),
                };
            })
        },
    ),
    recipe(
        "two_confirmation_data",
        "bearer_missing",
        "The subject confirmation has its data twice.",
        "SAML core 2.4.1.1",
        |f| {
            f.spoilt(|p| {
                let data = cut(&p.confirmations, "<saml:SubjectConfirmationData", "/>")?.to_owned();
                p.confirmations = p.confirmations.replace(&data, &data.repeat(2));
                Ok(())
            })
        },
    ),
    recipe(
        "sender_vouches",
        "bearer_missing",
        "The subject is confirmed by the method “sender vouches”.",
        "SAML profiles 3.2",
        |f| with(f, |p| p.confirmations = confirmation("").replace("cm:bearer", "cm:sender-vouches")),
    ),
];
