//! What the diagnostic page tells of a refusal. The page is open to everybody: anyone who could ask it whether a
//! ciphertext decrypts, as often as they like, would decrypt it in the end (Jager and Somorovsky 2011).
//!
//! Enter at [`disclosed`]. The administrator reads everything under the incident.

use crate::model::sso::compared::ComparedKeys;
use crate::protocol::check::{Check, CheckOutcome};
use crate::protocol::saml::reject::{RejectCode, SamlReject};
use crate::protocol::saml::rule::Rule;
use crate::protocol::xml::DecryptReject;

use super::judge::Checklist;
use super::reject::SsoReject;

/// What may be told.
pub(super) struct Disclosure {
    /// Code and likely repair.
    pub reject: (&'static str, String),
    pub checks: Checklist,
    pub keys: Option<ComparedKeys>,
}

/// What of these may be told. Where no verified signature covers a ciphertext, all that depends on our key looks alike:
/// that keys were tried would tell that it decrypts.
pub(super) fn disclosed(reject: &SsoReject, mut checks: Checklist, keys: Option<ComparedKeys>) -> Disclosure {
    let said = |reject: &SsoReject| (reject.code(), reject.repair().to_owned());
    let SsoReject::Response(response) = reject else {
        return Disclosure { reject: said(reject), checks, keys };
    };
    if !depends_on_our_key(response.code, &checks) {
        return Disclosure { reject: said(reject), checks, keys };
    }
    checks.0.retain(|check| check.number < Rule::Decryption.number());
    if response.rule < Rule::Decryption {
        return Disclosure { reject: said(reject), checks, keys: None };
    }
    let rule = Rule::Decryption;
    let expected = "an assertion that decrypts, with a signature that holds".to_owned();
    let got = "one that does not; which it is, is kept under the incident".to_owned();
    checks.0.push(Check {
        number: rule.number(),
        name: rule.name().to_owned(),
        clause: rule.clause().to_owned(),
        outcome: CheckOutcome::Failed,
        expected: expected.clone(),
        got: got.clone(),
    });
    let code = RejectCode::Decryption(DecryptReject::Failed);
    let reject = said(&SsoReject::Response(Box::new(SamlReject { code, rule, expected, got })));
    Disclosure { reject, checks, keys: None }
}

/// Whether something was decrypted, or was to be, that no verified signature covers.
fn depends_on_our_key(code: RejectCode, checks: &Checklist) -> bool {
    let outcome = |rule: Rule| checks.0.iter().find(|c| c.number == rule.number()).map(|c| c.outcome);
    let without_key = matches!(code, RejectCode::EncryptionRequired)
        || matches!(code, RejectCode::Decryption(why) if why != DecryptReject::Failed);
    let tried = matches!(outcome(Rule::Decryption), Some(CheckOutcome::Passed | CheckOutcome::Failed));
    let covered = [Rule::ResponseSignature, Rule::Coverage]
        .into_iter()
        .any(|rule| outcome(rule) == Some(CheckOutcome::Passed));
    tried && !covered && !without_key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::xml::SignatureReject;

    /// The one ciphertext decrypts, to what a foreign key signed; the other does not decrypt.
    #[test]
    fn that_keys_were_tried_is_not_told_of_what_no_signature_covers() {
        let check = |rule: Rule, outcome: CheckOutcome| Check {
            number: rule.number(),
            name: rule.name().to_owned(),
            clause: rule.clause().to_owned(),
            outcome,
            expected: String::new(),
            got: String::new(),
        };
        let failing = |code: RejectCode, rule: Rule| {
            SsoReject::Response(Box::new(SamlReject {
                code,
                rule,
                expected: String::new(),
                got: String::new(),
            }))
        };
        let foreign = failing(RejectCode::Signature(SignatureReject::Mismatch), Rule::AssertionSignature);
        let broken = failing(RejectCode::Decryption(DecryptReject::Failed), Rule::Decryption);
        let keys = || Some(ComparedKeys { tried: Vec::new(), came: None, issuer_is_ours: true });
        let told_of = |reject: &SsoReject, decryption: CheckOutcome, keys| {
            let signature = check(Rule::AssertionSignature, CheckOutcome::Failed);
            let told =
                disclosed(reject, Checklist(vec![check(Rule::Decryption, decryption), signature]), keys);
            (told.reject, told.checks.to_json(), told.keys)
        };
        let decrypts = told_of(&foreign, CheckOutcome::Passed, keys());
        assert_eq!(decrypts, told_of(&broken, CheckOutcome::Failed, None));
        assert_eq!(decrypts.2, None);
        // What is not encrypted has nothing to hide.
        assert_eq!(told_of(&foreign, CheckOutcome::Skipped, keys()).2, keys());
    }
}
