//! The rules on what may be believed: where signatures stand, whether they hold, and what they cover.
//!
//! An assertion is believed when a verified signature of the identity provider covers it: its own, or
//! that of the response around it. Every signature that is there must hold. Keys come from the caller;
//! encryption proves nothing about who wrote an assertion. Nearly every bypass of the last decade
//! verified one element and read another, so what later rules read is the element that [`Covered`] holds,
//! and only [`coverage`] makes one.

use super::envelope::{in_advice, is_signed, misplaced};
use super::expectations::Expectations;
use super::identity::{Algorithms, Signed};
use super::names::{ASSERTION, DSIG};
use super::reject::RejectCode;
use super::sheet::{Judged, Value, fail, pass};
use crate::protocol::xml::{
    Certificate, DecryptReject, Decrypted, Document, EXC_C14N_NAMESPACE, Element, EncryptionPolicy,
    SignaturePolicy, SignatureReject, VerificationKey, Verified, decrypt_element, verify_enveloped,
};

/// An assertion that a verified signature covers, every octet of it.
pub(super) struct Covered<'d> {
    pub assertion: Element<'d>,
    pub signed: Signed,
    pub key_index: usize,
    pub algorithms: Algorithms,
}

/// There is a key to verify with, a signature to verify, and none stands anywhere else than directly in
/// the response or in the assertion. `holder` is the assertion, or what it is encrypted in.
pub(super) fn placement<'a>(
    response: Element<'a>,
    holder: Element<'a>,
    expect: &Expectations<'a>,
) -> Judged<'a, ()> {
    let expected = "a signature in the response or in the assertion";
    if expect.verification_keys.is_empty() {
        return fail(RejectCode::NoTrustAnchor, "a trusted certificate", Value::Nothing);
    }
    if let Some(parent) = stray_signature(response, holder) {
        return fail(RejectCode::SignatureMisplaced, expected, format!("a signature in {parent:?}"));
    }
    match (is_signed(response), is_signed(holder), is_encrypted(holder)) {
        (true, true, _) => pass((), expected, "both signed"),
        (true, false, _) => pass((), expected, "response signed"),
        (false, true, _) => pass((), expected, "assertion signed"),
        (false, false, true) => pass((), expected, "perhaps inside the encryption"),
        (false, false, false) => fail(RejectCode::Unsigned, expected, "no signature"),
    }
}

/// The parent of a signature that stands where none may stand. Advice has signatures of its own.
fn stray_signature<'d>(root: Element<'d>, assertion: Element<'d>) -> Option<Element<'d>> {
    let signatures = root.descendants().filter(|element| element.is(DSIG, "Signature"));
    let stray = signatures.filter(|signature| !in_advice(*signature, assertion));
    stray.filter_map(Element::parent).find(|parent| *parent != root && *parent != assertion)
}

/// The signature of this element holds, with one of the identity provider's keys.
pub(super) fn signature<'a>(element: Element<'a>, expect: &Expectations<'a>) -> Judged<'a, Verified<'a>> {
    let expected = "a signature by a trusted key";
    let policy =
        SignaturePolicy { sha1: expect.policy.allow_sha1, short_keys: expect.policy.allow_short_keys };
    match verify_enveloped(element, expect.verification_keys, &policy) {
        Ok(verified) => {
            let algorithm = verified.signature_algorithm().uri();
            let key = expect.verification_keys.get(verified.key_index()).filter(|key| key.is_weak());
            match key.map(VerificationKey::description) {
                Some(kind) => {
                    let weak = format!("{algorithm}, by a weak key: {kind}, below 2,048 bits");
                    pass(verified, expected, weak)
                }
                None => pass(verified, expected, algorithm),
            }
        }
        Err(reject) => fail(RejectCode::Signature(reject), expected, reject.sentence()),
    }
}

/// The certificate that the signature of this element carries. Nothing is ever verified by it.
pub(super) fn presented(element: Element<'_>) -> Option<Certificate> {
    let info = element.child(DSIG, "Signature")?.child(DSIG, "KeyInfo")?;
    let certificate = info.child(DSIG, "X509Data")?.child(DSIG, "X509Certificate")?;
    Certificate::presented(&certificate.plain_text().ok()?)
}

/// Whether the assertion came encrypted.
pub(super) fn is_encrypted(holder: Element<'_>) -> bool {
    holder.is(ASSERTION, "EncryptedAssertion")
}

/// The encrypted assertion decrypts, and is an assertion with no other hidden inside. Whatever depends on a
/// key goes wrong alike, or the difference would help to decrypt (Jager and Somorovsky 2011).
pub(super) fn decryption<'a>(holder: Element<'a>, expect: &Expectations<'a>) -> Judged<'a, Decrypted> {
    let expected = "an assertion, encrypted to our key";
    match decrypted(holder, expect) {
        Ok(found) if is_one_assertion(&found.document) => {
            let found = as_it_was_signed(found, expect);
            pass(found, expected, "decrypted")
        }
        Ok(_) => undecrypted(DecryptReject::Failed, expected),
        Err(reject) => undecrypted(reject, expected),
    }
}

/// The decrypted assertion with the namespaces under which its signature holds.
///
/// It stands in the response's namespaces (XML Encryption 4.4), and an inclusive canonical form shows them all, so
/// that an assertion which was signed by itself and then encrypted would seem changed. Whether it was signed so is
/// no guess: the signature says it. What is read afterwards is the very document that it covers.
fn as_it_was_signed(found: Decrypted, expect: &Expectations<'_>) -> Decrypted {
    if !is_signed_in_inclusive_form(found.document.root()) {
        return found;
    }
    let reject = signature(found.document.root(), expect).err().map(|fail| fail.code());
    let Some(RejectCode::Signature(SignatureReject::Digest | SignatureReject::Mismatch)) = reject else {
        return found;
    };
    let alone = found.by_itself().filter(|alone| {
        is_one_assertion(&alone.document) && signature(alone.document.root(), expect).is_ok()
    });
    alone.unwrap_or(found)
}

/// Whether the signature's octets depend on the namespaces around the element.
fn is_signed_in_inclusive_form(element: Element<'_>) -> bool {
    let info = element.child(DSIG, "Signature").and_then(|signature| signature.child(DSIG, "SignedInfo"));
    let exclusive = |info: Element<'_>| {
        let forms =
            info.descendants().filter(|e| e.is(DSIG, "CanonicalizationMethod") || e.is(DSIG, "Transform"));
        let forms = forms.filter_map(|form| form.attribute("Algorithm"));
        // The method of SignedInfo and that of the reference; a reference without one has the inclusive one.
        forms.filter(|form| form.starts_with(EXC_C14N_NAMESPACE)).count() == 2
    };
    info.is_some_and(|info| !exclusive(info))
}

/// Answers that something encrypted could not be read.
pub(super) fn undecrypted<'a, T>(reject: DecryptReject, expected: &'a str) -> Judged<'a, T> {
    fail(RejectCode::Decryption(reject), expected, reject.sentence())
}

/// The element inside `holder`, decrypted; for name identifiers and attributes too.
pub(super) fn decrypted(holder: Element<'_>, expect: &Expectations<'_>) -> Result<Decrypted, DecryptReject> {
    let policy =
        EncryptionPolicy { rsa15: expect.policy.allow_rsa15, triple_des: expect.policy.allow_triple_des };
    decrypt_element(holder, expect.decryption_keys, &policy)
}

fn is_one_assertion(document: &Document) -> bool {
    let root = document.root();
    root.is(ASSERTION, "Assertion")
        && misplaced(root, root).is_none()
        && stray_signature(root, root).is_none()
}

/// What the verified signatures cover is the assertion that will be read. `None` for a signature that is
/// not there; one that does not hold never comes here.
pub(super) fn coverage<'d>(
    holder: Element<'d>,
    assertion: Element<'d>,
    response_signature: Option<Verified<'d>>,
    assertion_signature: Option<Verified<'d>>,
) -> Judged<'d, Covered<'d>> {
    let by_response = response_signature.filter(|verified| holder.parent() == Some(verified.element()));
    let by_itself = assertion_signature.filter(|verified| assertion == verified.element());
    let signed = Signed { response: by_response.is_some(), assertion: by_itself.is_some() };
    let expected = "a verified signature over the assertion";
    match by_itself.or(by_response) {
        None => fail(RejectCode::Unsigned, expected, Value::Nothing),
        Some(verified) => {
            let algorithms = Algorithms {
                signature: verified.signature_algorithm().uri().to_owned(),
                digest: verified.digest_algorithm().uri().to_owned(),
            };
            let covered = Covered { assertion, signed, key_index: verified.key_index(), algorithms };
            pass(covered, expected, signed_in_words(signed))
        }
    }
}

fn signed_in_words(signed: Signed) -> &'static str {
    match (signed.response, signed.assertion) {
        (true, true) => "the response's and its own",
        (true, false) => "the response's",
        _ => "its own",
    }
}
