//! The rules on whom the assertion is about, and who may present it (Core 2.2 and 2.4, Profiles 4.1.4).
//!
//! Presenting it is confirmed by possession ("bearer"), so the confirmation must name our address, an
//! end, and the request that it answers. One bearer confirmation that keeps all rules is enough.

use super::expectations::Expectations;
use super::identity::NameId;
use super::names::{ASSERTION, BEARER};
use super::read::{attribute, instant, only, trimmed_text};
use super::reject::RejectCode;
use super::sheet::{Judged, Value, fail, pass};
use crate::protocol::xml::Element;

/// A bearer confirmation, with its data where it has any.
#[derive(Clone, Copy)]
pub(super) struct Bearer<'d> {
    data: Option<Element<'d>>,
}

/// What the response around the assertion says about the request.
#[derive(Clone, Copy)]
pub(super) struct Answer<'d> {
    pub request: Option<&'d str>,
    /// Whether a verified signature covers that.
    pub signed: bool,
}

/// The one subject of the assertion.
pub(super) fn subject(assertion: Element<'_>) -> Judged<'_, Element<'_>> {
    match only(assertion, "Subject") {
        Ok(subject) => pass(subject, "one Subject", "one Subject"),
        Err(count) => fail(RejectCode::SubjectMissing, "one Subject", Value::Count(count)),
    }
}

/// A bearer confirmation: the first that keeps the three rules below, or else the first.
pub(super) fn bearer<'a>(
    assertion: Element<'a>,
    expect: &Expectations<'a>,
    answer: Answer<'a>,
) -> Judged<'a, Bearer<'a>> {
    let subject = subject(assertion)?.value;
    let mut bearers = bearers(subject);
    let Some(first) = bearers.next() else {
        let method = subject.child(ASSERTION, "SubjectConfirmation").and_then(|c| c.attribute("Method"));
        return fail(RejectCode::BearerMissing, BEARER, method);
    };
    let kept = |bearer: &Bearer<'a>| {
        recipient(*bearer, expect).is_ok()
            && time(*bearer, expect).is_ok()
            && in_response_to(*bearer, expect, answer).is_ok()
    };
    let fitting = match bearers.next() {
        // Nearly always there is one, and the rules below judge it anyway.
        None => first,
        Some(second) => [first, second].into_iter().chain(bearers).find(kept).unwrap_or(first),
    };
    pass(fitting, BEARER, BEARER)
}

/// The bearer confirmations that are not ambiguous.
fn bearers<'d>(subject: Element<'d>) -> impl Iterator<Item = Bearer<'d>> {
    subject.children_named(ASSERTION, "SubjectConfirmation").filter_map(|confirmation| {
        let data = confirmation.only_child(ASSERTION, "SubjectConfirmationData").ok()?;
        (attribute(confirmation, "Method") == Some(BEARER)).then_some(Bearer { data })
    })
}

/// The confirmation names our address.
pub(super) fn recipient<'a>(bearer: Bearer<'a>, expect: &Expectations<'a>) -> Judged<'a, ()> {
    match bearer.data.and_then(|data| attribute(data, "Recipient")) {
        Some(url) if expect.acs.iter().any(|acs| acs == url) => pass((), expect.acs, url),
        Some(url) => fail(RejectCode::WrongRecipient, expect.acs, url),
        None => fail(RejectCode::RecipientMissing, expect.acs, Value::Nothing),
    }
}

/// The confirmation has an end that has not come. A beginning is not foreseen by the profile, but real
/// products write one; then it must have come. Gives the end.
pub(super) fn time<'a>(bearer: Bearer<'a>, expect: &Expectations<'a>) -> Judged<'a, i64> {
    let earliest = expect.now.saturating_sub(expect.skew);
    let latest = expect.now.saturating_add(expect.skew);
    let Some(data) = bearer.data else {
        return fail(RejectCode::ConfirmationUnbounded, Value::From(earliest), Value::Nothing);
    };
    match (instant(data, "NotBefore"), instant(data, "NotOnOrAfter")) {
        (Err(text), _) | (_, Err(text)) => fail(RejectCode::TimeMalformed, "an instant in UTC", text),
        (_, Ok(None)) => fail(RejectCode::ConfirmationUnbounded, Value::From(earliest), Value::Nothing),
        (_, Ok(Some(end))) if end <= earliest => {
            fail(RejectCode::ConfirmationExpired, Value::From(earliest), Value::At(end))
        }
        (Ok(Some(begin)), _) if begin > latest => {
            let expected = Value::Before(latest.saturating_add(1));
            fail(RejectCode::ConfirmationNotYet, expected, Value::At(begin))
        }
        (_, Ok(Some(end))) => pass(end, Value::From(earliest), Value::At(end)),
    }
}

/// The latest end of any bearer confirmation: until then, one or another of them could be presented.
pub(super) fn latest_end(assertion: Element<'_>) -> Option<i64> {
    let subject = only(assertion, "Subject").ok()?;
    bearers(subject).filter_map(|bearer| instant(bearer.data?, "NotOnOrAfter").ok().flatten()).max()
}

/// The confirmation answers the request that the response answers. Where it names none, a signature must
/// cover the response, or anybody could put an old assertion into an answer to a new request.
pub(super) fn in_response_to<'a>(
    bearer: Bearer<'a>,
    expect: &Expectations<'a>,
    answer: Answer<'a>,
) -> Judged<'a, Option<&'a str>> {
    let expected: Value<'a> = match answer.request {
        Some(request) => Value::Text(request),
        None if expect.in_response_to.unsolicited_allowed => Value::Nothing,
        None => Value::OneOf(expect.in_response_to.outstanding),
    };
    match (bearer.data.and_then(|data| attribute(data, "InResponseTo")), answer.request) {
        (Some(confirmed), Some(request)) if confirmed == request => pass(Some(request), expected, confirmed),
        (Some(confirmed), _) => fail(RejectCode::ConfirmationAnswerMismatch, expected, confirmed),
        (None, Some(request)) if answer.signed => {
            pass(Some(request), expected, "nothing, but the signed response names it")
        }
        (None, Some(_)) => fail(RejectCode::ConfirmationAnswerMissing, expected, Value::Nothing),
        (None, None) => pass(None, expected, Value::Nothing),
    }
}

/// The name identifier is one text without markup. `named` is the element that holds it, already
/// decrypted where it was encrypted; an assertion may do without, if attributes say who it is about.
pub(super) fn name_id(named: Option<Element<'_>>, attributes: usize) -> Judged<'_, Option<NameId>> {
    let Some(element) = named else {
        return if attributes > 0 {
            pass(None, "a NameID, or attributes", "attributes alone")
        } else {
            fail(RejectCode::NameIdMissing, "a NameID, or attributes", Value::Nothing)
        };
    };
    match trimmed_text(element) {
        None => fail(RejectCode::NameIdMarkup, "text without markup", element.text()),
        Some(value) if value.is_empty() => fail(RejectCode::NameIdEmpty, "a name", Value::Nothing),
        Some(value) => {
            let format = attribute(element, "Format").map(str::to_owned);
            let name_id = NameId { value: value.clone().into_owned(), format };
            pass(Some(name_id), "text without markup", value)
        }
    }
}

/// How the subject is named.
pub(super) enum Naming<'d> {
    Plain(Element<'d>),
    /// The `EncryptedID`.
    Encrypted(Element<'d>),
    Nothing,
    Several,
}

/// Finds what names the subject; not in the confirmations, which may name their presenter.
pub(super) fn naming(subject: Element<'_>) -> Naming<'_> {
    let mut names = subject.children().filter(|child| {
        child.namespace() == ASSERTION && matches!(child.local_name(), "NameID" | "EncryptedID" | "BaseID")
    });
    match (names.next(), names.next()) {
        (Some(_), Some(_)) => Naming::Several,
        (Some(name), None) if name.local_name() == "EncryptedID" => Naming::Encrypted(name),
        (Some(name), None) if name.local_name() == "NameID" => Naming::Plain(name),
        // A BaseID is an extension point; it names nobody that we could know.
        _ => Naming::Nothing,
    }
}
