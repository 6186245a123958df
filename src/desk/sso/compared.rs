//! Keys side by side, where no trusted key made a signature: what an administrator compares before deciding whether
//! the identity provider has a new key, or somebody else sent the message.

use crate::model::sso::KeptAttempt;
use crate::model::sso::compared::{ComparedKey, ComparedKeys};
use crate::protocol::check::CheckOutcome;
use crate::protocol::saml::reject::RejectCode;
use crate::protocol::saml::rule::Rule;
use crate::protocol::xml::{Certificate, SignatureReject, VerificationKey, encode_base64};

use super::judge::Checklist;
use super::reject::SsoReject;

/// Most characters of a subject: the message's own was written by anybody.
const SUBJECT_MOST: usize = 200;

/// The comparison of an attempt that is kept.
pub fn kept(attempt: &KeptAttempt) -> Option<ComparedKeys> {
    serde_json::from_str(attempt.keys.as_deref()?).ok()
}

/// The comparison; `None` where the signature failed for another reason than its key.
/// `came` is the certificate that the message carries.
pub(super) fn compared(
    tried: &[VerificationKey],
    came: Option<&Certificate>,
    reject: &SsoReject,
    checks: &Checklist,
) -> Option<ComparedKeys> {
    use SignatureReject::{KeyKind, Mismatch, WeakKey};
    let SsoReject::Response(response) = reject else { return None };
    if !matches!(response.code, RejectCode::Signature(Mismatch | KeyKind | WeakKey)) {
        return None;
    }
    let outcome = |rule: Rule| checks.0.iter().find(|c| c.number == rule.number()).map(|c| c.outcome);
    let tried = tried.iter().filter_map(|key| key.certificate());
    Some(ComparedKeys {
        tried: tried.map(|certificate| shown(certificate, None)).collect(),
        came: came.map(|came| shown(came, Some(encode_base64(&came.der)))),
        issuer_is_ours: outcome(Rule::ResponseIssuer) == Some(CheckOutcome::Passed)
            && outcome(Rule::AssertionIssuer) != Some(CheckOutcome::Failed),
    })
}

fn shown(certificate: &Certificate, der: Option<String>) -> ComparedKey {
    ComparedKey {
        fingerprint: certificate.fingerprint(),
        subject: certificate.subject.chars().take(SUBJECT_MOST).collect(),
        begins: certificate.not_before,
        ends: certificate.not_after,
        certificate: der,
    }
}
