//! A response in parts, each of which can be spoilt before it is signed.

use super::signer::{Forge, ForgeFail, Occasion, escaped, swap};

/// A response in parts: XML text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    pub response_id: String,
    pub response_attributes: String,
    pub response_issuer: String,
    pub status: String,
    pub assertion_attributes: String,
    pub assertion_id: String,
    pub assertion_issuer: String,
    pub name_id: String,
    pub confirmations: String,
    pub conditions: String,
    pub authn: String,
    pub attributes: String,
}

const MINUTE: i64 = 60_000;
/// When the response was issued, before now.
const ISSUED: i64 = -5_000;
/// Until when the assertion holds, from now.
const END: i64 = 5 * MINUTE;
/// Since when it holds.
const BEGIN: i64 = -MINUTE;

/// The texts that a genuine response is made of, for recipes that change them.
impl Forge {
    /// The audience, as it stands in the document.
    pub fn audience(&self) -> String {
        escaped(&self.occasion.audience)
    }

    /// The ACS, as it stands in the document.
    pub fn acs(&self) -> String {
        escaped(&self.occasion.acs)
    }

    /// The identity provider, as it stands in the document.
    pub fn idp(&self) -> String {
        escaped(&self.occasion.idp)
    }

    /// The genuine name, as it stands in the document.
    pub fn name(&self) -> String {
        escaped(&self.occasion.name_id)
    }

    /// The forged name, as it stands in the document.
    pub fn marker(&self) -> String {
        escaped(&self.occasion.marker)
    }

    /// ` InResponseTo="…"`, or nothing where no request is answered.
    pub fn in_response_to(&self) -> String {
        let request = self.occasion.request.as_ref();
        request.map_or_else(String::new, |id| format!("InResponseTo=\"{}\"", escaped(id)))
    }

    /// The ID of the request that is answered.
    ///
    /// # Errors
    /// [`ForgeFail::Missing`] when none is.
    pub fn request(&self) -> Result<String, ForgeFail> {
        self.occasion
            .request
            .as_ref()
            .map(|id| escaped(id))
            .ok_or_else(|| ForgeFail::Missing("InResponseTo".into()))
    }

    /// Since when the genuine assertion holds.
    pub fn begin(&self) -> String {
        self.instant(BEGIN)
    }

    /// Until when it holds.
    pub fn end(&self) -> String {
        self.instant(END)
    }

    /// When it was issued.
    pub fn issued(&self) -> String {
        self.instant(ISSUED)
    }

    /// An ID of this document.
    pub fn id(&self, id: &str) -> String {
        format!("{id}{}", self.occasion.suffix)
    }

    /// The genuine response.
    pub fn genuine(&self) -> Parts {
        let Occasion { name_id_format, attributes, .. } = &self.occasion;
        let (issued, acs, answers) = (self.issued(), self.acs(), self.in_response_to());
        let issuer = format!("<saml:Issuer>{}</saml:Issuer>", self.idp());
        Parts {
            response_id: self.id("_r1"),
            response_attributes: join([
                format!("Version=\"2.0\" IssueInstant=\"{issued}\" Destination=\"{acs}\""),
                answers.clone(),
            ]),
            response_issuer: issuer.clone(),
            status: "<samlp:Status><samlp:StatusCode \
                     Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>"
                .into(),
            assertion_attributes: format!("Version=\"2.0\" IssueInstant=\"{issued}\""),
            assertion_id: self.id("_a1"),
            assertion_issuer: issuer,
            name_id: format!(
                "<saml:NameID Format=\"{}\">{}</saml:NameID>",
                escaped(name_id_format),
                self.name()
            ),
            confirmations: confirmation(&join([
                format!("NotOnOrAfter=\"{}\" Recipient=\"{acs}\"", self.end()),
                answers,
            ])),
            conditions: format!(
                "<saml:Conditions NotBefore=\"{}\" NotOnOrAfter=\"{}\">{}</saml:Conditions>",
                self.begin(),
                self.end(),
                audience(&self.audience())
            ),
            authn: format!(
                "<saml:AuthnStatement AuthnInstant=\"{}\" SessionIndex=\"{}\">\
                 <saml:AuthnContext><saml:AuthnContextClassRef>\
                 urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport\
                 </saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>",
                self.instant(-10_000),
                self.id("_sess1"),
            ),
            attributes: match attributes.is_empty() {
                true => String::new(),
                false => {
                    let each = attributes.iter().map(|a| attribute(&a.name, &a.values));
                    format!("<saml:AttributeStatement>{}</saml:AttributeStatement>", each.collect::<String>())
                }
            },
        }
    }

    /// What an attacker would like to be believed: the genuine response about somebody else.
    pub fn forged(&self) -> Parts {
        let genuine = self.genuine();
        let name_id = genuine.name_id.replace(&self.name(), &self.marker());
        Parts { assertion_id: self.id("_evil"), name_id, ..genuine }
    }

    /// A genuine response that was changed in one place before it was signed, around a signed assertion.
    ///
    /// # Errors
    /// Those of `spoil`, and those of signing.
    pub fn spoilt(
        &self,
        spoil: impl FnOnce(&mut Parts) -> Result<(), ForgeFail>,
    ) -> Result<String, ForgeFail> {
        let mut parts = self.genuine();
        spoil(&mut parts)?;
        parts.both_signed(self)
    }

    /// The genuine response with `to` in place of `from` in its conditions.
    ///
    /// # Errors
    /// [`ForgeFail::Missing`] when `from` is not there; those of signing.
    pub fn with_conditions(&self, from: &str, to: &str) -> Result<String, ForgeFail> {
        self.spoilt(|p| swap(&p.conditions, from, to).map(|changed| p.conditions = changed))
    }

    /// As [`Forge::with_conditions`], in the confirmation of its subject.
    ///
    /// # Errors
    /// As [`Forge::with_conditions`].
    pub fn with_confirmation(&self, from: &str, to: &str) -> Result<String, ForgeFail> {
        self.spoilt(|p| swap(&p.confirmations, from, to).map(|changed| p.confirmations = changed))
    }

    /// As [`Forge::with_conditions`], in the attributes of the response.
    ///
    /// # Errors
    /// As [`Forge::with_conditions`].
    pub fn with_response(&self, from: &str, to: &str) -> Result<String, ForgeFail> {
        self.spoilt(|p| swap(&p.response_attributes, from, to).map(|changed| p.response_attributes = changed))
    }
}

impl Parts {
    /// The assertion, self-contained, with a mark for its signature behind the issuer.
    pub fn assertion(&self) -> String {
        self.assertion_with(&format!("{{sign:{}}}", self.assertion_id), "")
    }

    /// The assertion with this in place of its signature, and this at its end.
    pub fn assertion_with(&self, signature: &str, end: &str) -> String {
        format!(
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{}\" {}>{}{signature}\
             <saml:Subject>{}{}</saml:Subject>{}{}{}{end}</saml:Assertion>",
            self.assertion_id,
            self.assertion_attributes,
            self.assertion_issuer,
            self.name_id,
            self.confirmations,
            self.conditions,
            self.authn,
            self.attributes,
        )
    }

    /// A response around this, with a mark for its signature.
    pub fn response(&self, assertions: &str) -> String {
        self.response_with(&self.response_id, &format!("{{sign:{}}}", self.response_id), "", assertions)
    }

    /// A response around this that is not signed.
    pub fn unsigned_response(&self, assertions: &str) -> String {
        self.response_with(&self.response_id, "", "", assertions)
    }

    /// A response of this ID, with this in place of its signature and of its extensions.
    pub fn response_with(&self, id: &str, signature: &str, extensions: &str, assertions: &str) -> String {
        format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{id}\" {}>{}{signature}{extensions}{}\
             {assertions}</samlp:Response>",
            self.response_attributes, self.response_issuer, self.status,
        )
    }

    /// A response whose assertion is signed.
    ///
    /// # Errors
    /// Those of [`Forge::sign`].
    pub fn assertion_signed(&self, forge: &Forge) -> Result<String, ForgeFail> {
        forge.sign(&self.unsigned_response(&self.assertion()), &self.assertion_id)
    }

    /// A response that is signed itself.
    ///
    /// # Errors
    /// Those of [`Forge::sign`].
    pub fn response_signed(&self, forge: &Forge) -> Result<String, ForgeFail> {
        forge.sign(&self.response(&self.assertion_with("", "")), &self.response_id)
    }

    /// A response that is signed around a signed assertion.
    ///
    /// # Errors
    /// Those of [`Forge::sign`].
    pub fn both_signed(&self, forge: &Forge) -> Result<String, ForgeFail> {
        let inner = forge.sign(&self.response(&self.assertion()), &self.assertion_id)?;
        forge.sign(&inner, &self.response_id)
    }
}

/// A bearer confirmation with these attributes of its data.
pub fn confirmation(data: &str) -> String {
    format!(
        "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
         <saml:SubjectConfirmationData {data}/></saml:SubjectConfirmation>"
    )
}

/// An audience restriction.
pub fn audience(name: &str) -> String {
    format!("<saml:AudienceRestriction><saml:Audience>{name}</saml:Audience></saml:AudienceRestriction>")
}

fn attribute(name: &str, values: &[String]) -> String {
    let values =
        values.iter().map(|value| format!("<saml:AttributeValue>{}</saml:AttributeValue>", escaped(value)));
    format!("<saml:Attribute Name=\"{}\">{}</saml:Attribute>", escaped(name), values.collect::<String>())
}

/// Joins XML attributes, leaving out those that are not there.
fn join(attributes: [String; 2]) -> String {
    attributes.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}
