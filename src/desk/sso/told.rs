//! What the diagnostic page tells of a refusal. The page is open to everybody: whoever could ask it whether a
//! ciphertext decrypts, as often as they like, would decrypt it in the end (Jager and Somorovsky 2011).
//!
//! Enter at [`told`]. The administrator reads everything under the incident.

use crate::protocol::check::{Check, Outcome};
use crate::protocol::saml::reject::{Reject, RejectCode};
use crate::protocol::saml::rule::Rule;
use crate::protocol::xml::DecryptReject;

use super::judge::Checklist;
use super::reject::SsoReject;

/// Code and repair, and the checks. Where no verified signature covers a ciphertext, all that depends on our
/// key looks alike.
pub(super) fn told(reject: &SsoReject, mut checks: Checklist) -> ((&'static str, String), Checklist) {
    let said = |reject: &SsoReject| (reject.code(), reject.repair().to_owned());
    let SsoReject::Response(response) = reject else { return (said(reject), checks) };
    if !depends_on_our_key(response.code, &checks) {
        return (said(reject), checks);
    }
    checks.0.retain(|check| check.number < Rule::Decryption.number());
    if response.rule < Rule::Decryption {
        return (said(reject), checks);
    }
    let rule = Rule::Decryption;
    let expected = "an assertion that decrypts, with a signature that holds".to_owned();
    let got = "one that does not; which it is, is kept under the incident".to_owned();
    checks.0.push(Check {
        number: rule.number(),
        name: rule.name().to_owned(),
        clause: rule.clause().to_owned(),
        outcome: Outcome::Failed,
        expected: expected.clone(),
        got: got.clone(),
    });
    let code = RejectCode::Decryption(DecryptReject::Failed);
    (said(&SsoReject::Response(Box::new(Reject { code, rule, expected, got }))), checks)
}

/// Whether something was decrypted, or was to be, that no verified signature covers.
fn depends_on_our_key(code: RejectCode, checks: &Checklist) -> bool {
    let outcome = |rule: Rule| checks.0.iter().find(|c| c.number == rule.number()).map(|c| c.outcome);
    let without_key = matches!(code, RejectCode::EncryptionRequired)
        || matches!(code, RejectCode::Decryption(why) if why != DecryptReject::Failed);
    let tried = matches!(outcome(Rule::Decryption), Some(Outcome::Passed | Outcome::Failed));
    let covered = [Rule::ResponseSignature, Rule::Coverage]
        .into_iter()
        .any(|rule| outcome(rule) == Some(Outcome::Passed));
    tried && !covered && !without_key
}
