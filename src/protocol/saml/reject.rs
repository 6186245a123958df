//! Why a response is refused: one code for each way to break a rule, and the likely repair.
//!
//! A table and the value that carries it. Codes are stable: they stand in the access log, in pages and in
//! tests. Enter at [`SamlReject`].

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::bindings::BindingReject;
use super::rule::Rule;
use crate::protocol::xml::{DecryptReject, SignatureReject, XmlRule};

/// A refused response: the first rule that it broke, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SamlReject {
    pub code: RejectCode,
    /// The rule that was broken.
    pub rule: Rule,
    /// What would have passed, for a person.
    pub expected: String,
    /// What came, for a person.
    pub got: String,
}

impl SamlReject {
    /// The clause of the standard that was broken.
    pub fn clause(&self) -> &'static str {
        match self.code {
            RejectCode::Signature(reject) => reject.clause(),
            _ => self.rule.clause(),
        }
    }

    /// What an administrator would most likely have to do, in one sentence.
    pub fn repair(&self) -> &'static str {
        self.code.repair()
    }
}

impl Serialize for SamlReject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut reject = serializer.serialize_struct("SamlReject", 5)?;
        reject.serialize_field("code", self.code.code())?;
        reject.serialize_field("clause", self.clause())?;
        reject.serialize_field("expected", &self.expected)?;
        reject.serialize_field("got", &self.got)?;
        reject.serialize_field("repair", self.repair())?;
        reject.end()
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $code:literal $repair:expr,)*) => {
        /// The way in which a rule was broken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum RejectCode {
            /// The message could not be unwrapped.
            Binding(BindingReject),
            /// The document is refused before anybody looks at what it says.
            Xml(XmlRule),
            /// A signature is there and does not hold.
            Signature(SignatureReject),
            /// Something encrypted cannot be decrypted. All that depends on a key is one reject: the
            /// difference would help to decrypt.
            Decryption(DecryptReject),
            $($(#[$doc])* $variant,)*
        }

        impl RejectCode {
            /// Every code of this file, without those of the message, the document and the signature.
            pub const OWN: &'static [RejectCode] = &[$(RejectCode::$variant,)*];

            /// The stable code, snake_case.
            pub fn code(self) -> &'static str {
                match self {
                    Self::Binding(reject) => reject.code(),
                    Self::Xml(rule) => rule.code(),
                    Self::Signature(reject) => reject.code(),
                    Self::Decryption(reject) => reject.code(),
                    $(Self::$variant => $code,)*
                }
            }

            /// What an administrator would most likely have to do, in one sentence.
            pub fn repair(self) -> &'static str {
                match self {
                    Self::Binding(_) => "Paste the whole value of the SAMLResponse form field, unchanged.",
                    Self::Xml(_) => "No real identity provider sends such a document: find out who sent it.",
                    Self::Signature(SignatureReject::Sha1) => SHA1_REPAIR,
                    Self::Signature(_) => SIGNATURE_REPAIR,
                    Self::Decryption(DecryptReject::Rsa15) => RSA15_REPAIR,
                    Self::Decryption(DecryptReject::TripleDes) => TRIPLE_DES_REPAIR,
                    Self::Decryption(_) => DECRYPTION_REPAIR,
                    $(Self::$variant => $repair,)*
                }
            }
        }
    };
}

const SIGNATURE_REPAIR: &str = "Compare the certificate that the identity provider signs with to those of the \
     group: it may have changed its key. If it is the same, the response was altered on its way, or it \
     uses an algorithm that the group's settings do not allow.";
const SHA1_REPAIR: &str = "Let the identity provider sign with SHA-256. While it cannot, switch on “Take SHA-1 signatures” \
     under “For old identity providers”.";
const RSA15_REPAIR: &str = "Let the identity provider encrypt keys with RSA-OAEP. While it cannot, switch on “Take RSA 1.5 \
     key transport” under “For old identity providers”.";
const TRIPLE_DES_REPAIR: &str = "Let the identity provider encrypt with AES-GCM. While it cannot, switch on “Take Triple \
     DES encryption” under “For old identity providers”.";
const DECRYPTION_REPAIR: &str = "Give the identity provider our present encryption certificate, and let it use \
     AES-GCM and RSA-OAEP.";
const CLOCK_REPAIR: &str =
    "Compare both clocks, in UTC; if they agree, the response is old: sign in once more.";
const ENTITY_REPAIR: &str =
    "Set the group's identity provider entity ID to the issuer that came, if that is the right provider.";
const UNUSUAL_REPAIR: &str = "No identity provider does this unasked: find out who sent the response.";
const PROVIDER_REPAIR: &str = "Ask the identity provider's administrator: its response breaks the standard.";

codes! {
    /// The root is no `samlp:Response`.
    NotAResponse "not_a_response" "Give the SAML response, not a request, an assertion or metadata.",
    /// Some version other than 2.0.
    WrongVersion "wrong_version" "Switch the identity provider's connection to SAML 2.0.",
    /// `IssueInstant` is missing or no instant.
    IssueInstantMalformed "issue_instant_malformed" PROVIDER_REPAIR,
    /// There is not exactly one status.
    StatusMissing "status_missing" PROVIDER_REPAIR,
    /// The identity provider says that the sign-in failed.
    StatusNotSuccess "status_not_success" "The identity provider refused: look into its log; the status that came says why.",
    /// The response names no issuer although it must.
    ResponseIssuerMissing "response_issuer_missing" PROVIDER_REPAIR,
    /// The response comes from another identity provider.
    ResponseIssuerMismatch "response_issuer_mismatch" ENTITY_REPAIR,
    /// The response is signed and names no destination.
    DestinationMissing "destination_missing" PROVIDER_REPAIR,
    /// The response is meant for another address.
    WrongDestination "wrong_destination" "Give the identity provider our ACS URL exactly; behind a proxy, set the public address.",
    /// It answers a request that is not outstanding.
    UnknownRequest "in_response_to_unknown" "The sign-in took too long, or was started in another browser or under another address of this server than its public one: start it again there.",
    /// It answers no request, and only answers are taken.
    Unsolicited "unsolicited" "Start the sign-in here, or allow sign-ins that the identity provider starts.",
    /// The response holds no assertion.
    AssertionMissing "assertion_missing" PROVIDER_REPAIR,
    /// The response holds several assertions.
    SeveralAssertions "several_assertions" UNUSUAL_REPAIR,
    /// An assertion or response stands where none may stand.
    AssertionMisplaced "assertion_misplaced" UNUSUAL_REPAIR,
    /// The response has a child that the schema does not allow, or one twice.
    UnexpectedChild "unexpected_child" UNUSUAL_REPAIR,
    /// No key was given to verify with.
    NoTrustAnchor "no_trust_anchor" "Upload the identity provider's metadata, or paste its signing certificate.",
    /// Nothing is signed.
    Unsigned "unsigned" "Let the identity provider sign the response or the assertion.",
    /// A signature stands elsewhere than directly in the response or the assertion.
    SignatureMisplaced "signature_misplaced" UNUSUAL_REPAIR,
    /// The assertion came in the clear and must not.
    EncryptionRequired "encryption_required" "Give the identity provider our encryption certificate and let it encrypt assertions.",
    /// Some version other than 2.0.
    AssertionVersion "assertion_wrong_version" "Switch the identity provider's connection to SAML 2.0.",
    /// The assertion has no ID by which a second use could be told.
    AssertionIdMissing "assertion_id_missing" PROVIDER_REPAIR,
    /// The assertion names no issuer.
    AssertionIssuerMissing "assertion_issuer_missing" PROVIDER_REPAIR,
    /// The assertion comes from another identity provider.
    AssertionIssuerMismatch "assertion_issuer_mismatch" ENTITY_REPAIR,
    /// There is not exactly one subject.
    SubjectMissing "subject_missing" PROVIDER_REPAIR,
    /// No confirmation of the subject is by bearer.
    BearerMissing "bearer_missing" PROVIDER_REPAIR,
    /// The confirmation names no recipient.
    RecipientMissing "recipient_missing" PROVIDER_REPAIR,
    /// The assertion is meant for another address.
    WrongRecipient "wrong_recipient" "Give the identity provider our ACS URL exactly; behind a proxy, set the public address.",
    /// The confirmation has no end.
    ConfirmationUnbounded "confirmation_unbounded" PROVIDER_REPAIR,
    /// The confirmation is over.
    ConfirmationExpired "confirmation_expired" CLOCK_REPAIR,
    /// The confirmation has not begun.
    ConfirmationNotYet "confirmation_not_yet" CLOCK_REPAIR,
    /// The confirmation answers another request than the response does.
    ConfirmationAnswerMismatch "confirmation_in_response_to_mismatch" UNUSUAL_REPAIR,
    /// The confirmation answers no request, although the response does.
    ConfirmationAnswerMissing "confirmation_in_response_to_missing" PROVIDER_REPAIR,
    /// A time is malformed.
    TimeMalformed "time_malformed" PROVIDER_REPAIR,
    /// There is more than one `Conditions`.
    ConditionsRepeated "conditions_repeated" PROVIDER_REPAIR,
    /// A condition that we do not understand; then nothing may be relied on.
    ConditionUnknown "condition_unknown" "Switch off the extra condition in the identity provider.",
    /// It ends before it begins.
    ConditionsInverted "conditions_inverted" PROVIDER_REPAIR,
    /// It has not begun.
    NotYet "not_yet" CLOCK_REPAIR,
    /// It is over.
    Expired "expired" CLOCK_REPAIR,
    /// No audience is named.
    AudienceMissing "audience_missing" "Let the identity provider name our entity ID as the audience.",
    /// Another audience is named.
    WrongAudience "wrong_audience" "Give the identity provider our entity ID exactly as the audience (SP entity ID).",
    /// Nothing says that anybody was authenticated.
    AuthnStatementMissing "authn_statement_missing" PROVIDER_REPAIR,
    /// The identity provider's session is over.
    SessionExpired "session_expired" "Sign in at the identity provider once more.",
    /// The subject is named neither by NameID nor by attributes.
    NameIdMissing "name_id_missing" "Let the identity provider send a NameID: in AD FS, add a claim rule for Name ID.",
    /// The NameID is empty.
    NameIdEmpty "name_id_empty" "The user's record at the identity provider lacks the value that the NameID is made of.",
    /// A comment or other markup inside the NameID (CVE-2017-11427 and its kin).
    NameIdMarkup "comment_in_nameid" UNUSUAL_REPAIR,
    /// There are several NameIDs.
    NameIdRepeated "name_id_repeated" UNUSUAL_REPAIR,
    /// An attribute has no name.
    AttributeUnnamed "attribute_unnamed" PROVIDER_REPAIR,
    /// A comment or instruction inside a value.
    AttributeMarkup "comment_in_attribute" UNUSUAL_REPAIR,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_is_its_own_and_snake_case() {
        let mut seen = HashSet::new();
        for code in RejectCode::OWN {
            let code = code.code();
            assert!(seen.insert(code), "{code} twice");
            assert!(code.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()), "{code}");
        }
    }
}
