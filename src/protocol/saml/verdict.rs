//! The verdict on a response: an identity, or the first rule that it broke (Profiles 4.1.4.3).
//!
//! Pure: octets, keys and a time in, a verdict out. [`verdict`] stops at the first failure; [`judge_post`] and
//! [`explain`] judge every rule that can be judged. All run the same rules, in the order of [`Rule`], through the
//! same function, so an explanation cannot say anything else than the verdict.

use super::bindings::{self, Encoding};
use super::expectations::Expectations;
use super::identity::{Attribute, Identity, NameId};
use super::names::ASSERTION;
use super::reject::{RejectCode, SamlReject};
use super::rule::Rule;
use super::sheet::{Judged, Lines, Sheet, Stop, fail, pass};
use super::subject::{Answer, Naming};
use super::trust::Covered;
use super::{assertion, conditions, envelope, statements, subject, trust};
use crate::protocol::check::Check;
use crate::protocol::xml::{Certificate, DecryptReject, Document, Element};

/// Each costs a private-key operation of about a millisecond; real products encrypt the whole assertion.
const MAX_ENCRYPTED_ATTRIBUTES: usize = 16;

/// A verdict with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub verdict: Result<Identity, SamlReject>,
    /// One for each [`Rule`], in order.
    pub checks: Vec<Check>,
}

/// A verdict whose reasons are written out when somebody asks for them, without judging again.
pub struct Judgement {
    pub verdict: Result<Identity, SamlReject>,
    reasons: Reasons,
}

/// The reasons of a verdict, not yet written out.
#[derive(Debug, Clone)]
pub struct Reasons {
    lines: Lines,
    presented: Option<Certificate>,
}

impl Judgement {
    /// Takes the verdict and the reasons apart.
    pub fn into_parts(self) -> (Result<Identity, SamlReject>, Reasons) {
        (self.verdict, self.reasons)
    }
}

impl Reasons {
    /// Writes them out: one check for each [`Rule`], in order.
    pub fn checks(&self) -> Vec<Check> {
        self.lines.checks()
    }

    /// The certificate that came with a signature in the clear that did not hold: to be shown beside the trusted
    /// ones, and trusted for nothing.
    pub fn presented(&self) -> Option<&Certificate> {
        self.presented.as_ref()
    }
}

/// Judges a response, given as the octets of its document.
///
/// # Errors
/// The first rule that it breaks. There is no identity without every rule kept.
pub fn verdict(document: &[u8], expect: &Expectations<'_>) -> Result<Identity, SamlReject> {
    let mut sheet = Sheet::for_verdict();
    let judged = judge(document, expect, &mut sheet).unwrap_or(None);
    outcome(judged, sheet).verdict
}

/// Judges a response, given as the value of the form field `SAMLResponse`, by every rule that can be judged.
pub fn judge_post(form_value: &str, expect: &Expectations<'_>) -> Judgement {
    judge_wrapped(form_value.as_bytes(), Encoding::Base64, expect)
}

/// Judges a response, however it is wrapped, and says why.
pub fn explain(wrapped: &[u8], encoding: Encoding, expect: &Expectations<'_>) -> Explanation {
    let Judgement { verdict, reasons } = judge_wrapped(wrapped, encoding, expect);
    Explanation { verdict, checks: reasons.checks() }
}

fn judge_wrapped(wrapped: &[u8], encoding: Encoding, expect: &Expectations<'_>) -> Judgement {
    let mut sheet = Sheet::for_explanation();
    let judged = match sheet.note(Rule::Message, message(bindings::decode(wrapped, encoding))) {
        Ok(Some(document)) => judge(&document, expect, &mut sheet).unwrap_or(None),
        Ok(None) | Err(Stop) => None,
    };
    outcome(judged, sheet)
}

fn message<'a>(unwrapped: Result<Vec<u8>, bindings::BindingReject>) -> Judged<'a, Vec<u8>> {
    match unwrapped {
        Ok(document) => {
            let length = document.len();
            pass(document, "Base64 without junk, or a bare document", format!("{length} bytes"))
        }
        Err(reject) => fail(RejectCode::Binding(reject), "Base64 without junk", reject.code()),
    }
}

/// Without a failure and with an identity it is accepted; anything else is a reject.
fn outcome(identity: Option<Identity>, sheet: Sheet) -> Judgement {
    let (reject, lines, presented) = sheet.finish();
    let verdict = match (reject, identity) {
        (None, Some(identity)) => Ok(identity),
        (Some(reject), _) => Err(reject),
        (None, None) => Err(SamlReject {
            code: RejectCode::Unsigned,
            rule: Rule::Coverage,
            expected: "an assertion that was judged to the end".into(),
            got: "nothing".into(),
        }),
    };
    Judgement { verdict, reasons: Reasons { lines, presented } }
}

/// Judges the document rule by rule. `None` where some rule was broken, or could not be judged.
fn judge(octets: &[u8], expect: &Expectations<'_>, sheet: &mut Sheet) -> Result<Option<Identity>, Stop> {
    let Some(document) = sheet.note(Rule::Document, envelope::document(octets))? else { return Ok(None) };
    let Some(response) = sheet.note(Rule::Response, envelope::response(&document))? else {
        return Ok(None);
    };
    sheet.note(Rule::Version, envelope::version(response))?;
    sheet.note(Rule::Status, envelope::status(response))?;
    sheet.note(Rule::ResponseIssuer, envelope::issuer(response, expect))?;
    sheet.note(Rule::Destination, envelope::destination(response, expect))?;
    let answers = sheet.note(Rule::InResponseTo, envelope::in_response_to(response, expect))?;
    let Some(holder) = sheet.note(Rule::OneAssertion, envelope::only_assertion(response))? else {
        return Ok(None);
    };

    // The response's signature comes before decryption: a signed response leaves nothing to probe with, and what
    // cannot be believed any more is not worth the work.
    let placed = sheet.note(Rule::SignaturePlace, trust::placement(response, holder, expect))?;
    let response_signature = match envelope::is_signed(response) {
        true => sheet.note(Rule::ResponseSignature, trust::signature(response, expect))?.map(Some),
        false => unsigned(sheet, Rule::ResponseSignature),
    };
    if response_signature.is_none() && sheet.goes_on() {
        sheet.presented = trust::presented(response);
    }
    let decrypted = if trust::is_encrypted(holder) {
        if placed.is_none() || response_signature.is_none() {
            return Ok(None);
        }
        match sheet.note(Rule::Decryption, trust::decryption(holder, expect))? {
            Some(decrypted) => Some(decrypted),
            None => return Ok(None),
        }
    } else {
        plain(sheet, expect)?;
        None
    };
    let assertion = decrypted.as_ref().map_or(holder, |decrypted| decrypted.document.root());
    let assertion_signature = match envelope::is_signed(assertion) {
        true => sheet.note(Rule::AssertionSignature, trust::signature(assertion, expect))?.map(Some),
        false => unsigned(sheet, Rule::AssertionSignature),
    };
    // Of what was encrypted nothing is told, not even the certificate.
    if assertion_signature.is_none() && decrypted.is_none() && sheet.presented.is_none() {
        sheet.presented = trust::presented(assertion);
    }
    // A signature that is there and does not hold leaves nothing covered, whatever the other one says.
    let covered = match (placed, response_signature, assertion_signature) {
        (Some(()), Some(by_response), Some(by_itself)) => {
            sheet.note(Rule::Coverage, trust::coverage(holder, assertion, by_response, by_itself))?
        }
        _ => None,
    };

    let answer = Answer {
        request: answers.flatten(),
        signed: covered.as_ref().is_some_and(|covered| covered.signed.response),
    };
    // Anybody can put what was encrypted to us into a response without a signature, and ask what is wrong
    // with it: nothing is told of the plaintext until a signature covers it.
    if decrypted.is_some() && covered.is_none() {
        return Ok(None);
    }
    // Where nothing is covered an explanation still looks at what the assertion claims. No identity can
    // come of that: the failure is on the sheet, and `identity` asks for what is covered.
    let read = covered.as_ref().map_or(assertion, |covered| covered.assertion);
    let facts = facts(read, expect, answer, covered.is_some(), sheet)?;
    let identity = covered.zip(facts).map(|(covered, facts)| {
        let decryption_key = decrypted.as_ref().map(|decrypted| decrypted.key_index);
        identity(covered, facts, answer, decryption_key, expect)
    });
    Ok(identity)
}

/// What the rules on the assertion found, all of them kept.
struct Facts {
    assertion_id: String,
    issued_at: i64,
    end: i64,
    authn_instant: i64,
    authn_context: Option<String>,
    session_index: Option<String>,
    session_end: Option<i64>,
    name_id: Option<NameId>,
    attributes: Vec<Attribute>,
}

/// Judges the rules on the assertion itself. `None` where one was broken.
fn facts(
    assertion: Element<'_>,
    expect: &Expectations<'_>,
    answer: Answer<'_>,
    covered: bool,
    sheet: &mut Sheet,
) -> Result<Option<Facts>, Stop> {
    let id = sheet.note(Rule::AssertionVersion, assertion::version(assertion))?;
    sheet.note(Rule::AssertionIssuer, assertion::issuer(assertion, expect))?;

    let mut confirmation_end = None;
    if let Some(bearer) = sheet.note(Rule::Bearer, subject::bearer(assertion, expect, answer))? {
        sheet.note(Rule::Recipient, subject::recipient(bearer, expect))?;
        confirmation_end = sheet.note(Rule::ConfirmationTime, subject::time(bearer, expect))?;
        sheet.note(Rule::ConfirmationAnswer, subject::in_response_to(bearer, expect, answer))?;
    }

    let conditions = sheet.note(Rule::Conditions, conditions::understood(assertion))?;
    let mut conditions_end = None;
    if let Some(conditions) = conditions {
        sheet.note(Rule::NotBefore, conditions::not_before(conditions, expect))?;
        conditions_end = sheet.note(Rule::NotOnOrAfter, conditions::not_on_or_after(conditions, expect))?;
        sheet.note(Rule::Audience, conditions::audience(conditions, expect))?;
    }

    let authentication = sheet.note(Rule::AuthnStatement, statements::authentication(assertion))?;
    let session_end = sheet.note(Rule::Session, statements::session(assertion, expect))?;
    let (name_id, attributes) = named(assertion, expect, covered, sheet)?;

    let Some((authentication, (id, issued_at))) = authentication.zip(id) else { return Ok(None) };
    let Some((confirmation_end, attributes)) = confirmation_end.zip(attributes) else { return Ok(None) };
    // A replay may lean on another confirmation than the first use did.
    let confirmation_end =
        subject::latest_end(assertion).map_or(confirmation_end, |end| end.max(confirmation_end));
    Ok(Some(Facts {
        assertion_id: id.to_owned(),
        issued_at,
        end: conditions_end.flatten().map_or(confirmation_end, |end| end.min(confirmation_end)),
        authn_instant: authentication.instant,
        authn_context: authentication.context,
        session_index: authentication.session_index.map(str::to_owned),
        session_end: session_end.flatten(),
        name_id: name_id.flatten(),
        attributes,
    }))
}

type SubjectAndAttributes = (Option<Option<NameId>>, Option<Vec<Attribute>>);

/// Judges NameID and attributes, decrypting those that came encrypted; not where nothing is covered,
/// because a stranger could have us decrypt by the thousand.
fn named(
    assertion: Element<'_>,
    expect: &Expectations<'_>,
    covered: bool,
    sheet: &mut Sheet,
) -> Result<SubjectAndAttributes, Stop> {
    let decrypt = |holder, local| match covered {
        true => decrypted_named(holder, local, expect),
        false => Err(DecryptReject::Failed),
    };
    let naming = assertion.child(ASSERTION, "Subject").map_or(Naming::Nothing, subject::naming);
    let decrypted_name = match naming {
        Naming::Encrypted(holder) => decrypt(holder, "NameID").map(Some),
        _ => Ok(None),
    };
    let holders: Vec<_> = assertion
        .children_named(ASSERTION, "AttributeStatement")
        .flat_map(|statement| statement.children_named(ASSERTION, "EncryptedAttribute"))
        .collect();
    let decrypted_attributes: Result<Vec<Document>, DecryptReject> = match holders.len() {
        0..=MAX_ENCRYPTED_ATTRIBUTES => {
            holders.into_iter().map(|holder| decrypt(holder, "Attribute")).collect()
        }
        _ => Err(DecryptReject::TooManyKeys),
    };

    let attributes = match &decrypted_attributes {
        Ok(documents) => statements::attributes(assertion, documents.iter().map(Document::root)),
        Err(reject) => trust::undecrypted(*reject, "an attribute, encrypted to our key"),
    };
    let count = attributes.as_ref().map_or(0, |pass| pass.value.len());
    let name_id = match (naming, &decrypted_name) {
        (Naming::Several, _) => fail(RejectCode::NameIdRepeated, "one NameID", "several"),
        (_, Err(reject)) => trust::undecrypted(*reject, "a NameID, encrypted to our key"),
        (_, Ok(Some(document))) => subject::name_id(Some(document.root()), count),
        (Naming::Plain(element), _) => subject::name_id(Some(element), count),
        (Naming::Nothing | Naming::Encrypted(_), _) => subject::name_id(None, count),
    };
    let name_id = sheet.note(Rule::NameId, name_id)?;
    Ok((name_id, sheet.note(Rule::Attributes, attributes)?))
}

/// The element of this name that is encrypted in `holder`.
fn decrypted_named(
    holder: Element<'_>,
    local: &str,
    expect: &Expectations<'_>,
) -> Result<Document, DecryptReject> {
    let document = trust::decrypted(holder, expect)?.document;
    if document.root().is(ASSERTION, local) { Ok(document) } else { Err(DecryptReject::Failed) }
}

/// Notes that an element is not signed, which is no failure by itself.
fn unsigned<T>(sheet: &mut Sheet, rule: Rule) -> Option<Option<T>> {
    sheet.not_needed(rule, "not signed");
    Some(None)
}

/// Judges an assertion that came in the clear.
fn plain(sheet: &mut Sheet, expect: &Expectations<'_>) -> Result<(), Stop> {
    if expect.policy.require_encryption {
        let judged = fail::<()>(RejectCode::EncryptionRequired, "an encrypted assertion", "a plain one");
        sheet.note(Rule::Decryption, judged)?;
    } else {
        sheet.not_needed(Rule::Decryption, "not encrypted");
    }
    Ok(())
}

/// Makes the identity. Its only caller hands over an assertion that a verified signature covers.
fn identity(
    covered: Covered<'_>,
    facts: Facts,
    answer: Answer<'_>,
    decryption_key: Option<usize>,
    expect: &Expectations<'_>,
) -> Identity {
    Identity {
        name_id: facts.name_id,
        attributes: facts.attributes,
        session_index: facts.session_index,
        session_not_on_or_after: facts.session_end,
        authn_instant: facts.authn_instant,
        authn_context: facts.authn_context,
        issuer: expect.idp_entity_id.to_owned(),
        assertion_id: facts.assertion_id,
        issued_at: facts.issued_at,
        not_on_or_after: facts.end,
        in_response_to: answer.request.map(str::to_owned),
        signed: covered.signed,
        decryption_key,
        key_index: covered.key_index,
        algorithms: covered.algorithms,
    }
}
