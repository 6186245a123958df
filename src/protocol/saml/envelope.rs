//! The rules on the response around the assertion (Core 3.2.2 and 3.3.3, Bindings 3.5, Profiles 4.1.4).
//!
//! A response that is not itself signed can have been changed by the one who carried it: these rules can only
//! refuse, and nothing of what they see goes into an identity.

use super::expectations::Expectations;
use super::names::{ASSERTION, DSIG, FORMAT_ENTITY, PROTOCOL, STATUS_SUCCESS, VERSION};
use super::read::{attribute, instant, only, trimmed_text};
use super::reject::RejectCode;
use super::sheet::{Judged, Value, fail, pass};
use crate::protocol::xml::{Document, Element, Limits};

/// The message is one well-formed document within our limits.
pub(super) fn document(bytes: &[u8]) -> Judged<'static, Document> {
    let expected = "one well-formed document without DOCTYPE";
    match Document::parse(bytes, &Limits::ASSERTION) {
        Ok(document) => pass(document, expected, "well-formed"),
        Err(reject) => fail(RejectCode::Xml(reject.rule), expected, reject.to_string()),
    }
}

/// The root is a response, and has only the children of the schema, in whatever order.
pub(super) fn response(document: &Document) -> Judged<'_, Element<'_>> {
    let root = document.root();
    if !root.is(PROTOCOL, "Response") {
        return fail(RejectCode::NotAResponse, "samlp:Response", format!("{root:?}"));
    }
    let unexpected = root.children().find(|child| {
        let known = match child.namespace() {
            PROTOCOL => matches!(child.local_name(), "Status" | "Extensions"),
            ASSERTION => matches!(child.local_name(), "Issuer" | "Assertion" | "EncryptedAssertion"),
            DSIG => child.local_name() == "Signature",
            _ => false,
        };
        !known
    });
    match unexpected {
        Some(child) => fail(RejectCode::UnexpectedChild, "the children of the schema", format!("{child:?}")),
        None => pass(root, "samlp:Response", "samlp:Response"),
    }
}

/// Version 2.0, issued at some instant. When that was does not matter: validity has its own times.
pub(super) fn version(response: Element<'_>) -> Judged<'_, ()> {
    match response.attribute("Version") {
        Some(VERSION) => match instant(response, "IssueInstant") {
            Ok(Some(_)) => pass((), VERSION, VERSION),
            Ok(None) => fail(RejectCode::IssueInstantMalformed, "an IssueInstant", Value::Nothing),
            Err(text) => fail(RejectCode::IssueInstantMalformed, "an instant in UTC", text),
        },
        other => fail(RejectCode::WrongVersion, VERSION, other),
    }
}

/// The identity provider says that it signed somebody in.
pub(super) fn status(response: Element<'_>) -> Judged<'_, ()> {
    let mut statuses = response.children_named(PROTOCOL, "Status");
    let (status, more) = (statuses.next(), statuses.count());
    let Some(status) = status.filter(|_| more == 0) else {
        return fail(RejectCode::StatusMissing, "one Status", "none or several");
    };
    let mut codes = status.children_named(PROTOCOL, "StatusCode");
    let (code, more) = (codes.next(), codes.count());
    let Some(code) = code.filter(|_| more == 0) else {
        return fail(RejectCode::StatusMissing, "one StatusCode", "none or several");
    };
    match code.attribute("Value") {
        Some(STATUS_SUCCESS) => pass((), STATUS_SUCCESS, STATUS_SUCCESS),
        _ => fail(RejectCode::StatusNotSuccess, STATUS_SUCCESS, status_in_words(status, code)),
    }
}

/// Top-level code, second-level code and message, as far as they are there.
fn status_in_words(status: Element<'_>, code: Element<'_>) -> String {
    let second = code.child(PROTOCOL, "StatusCode").and_then(|second| second.attribute("Value"));
    let message = status.child(PROTOCOL, "StatusMessage").and_then(trimmed_text);
    let parts = [code.attribute("Value"), second, message.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The issuer, where there is one, is the identity provider. There must be one in a signed response, and
/// where the assertion is encrypted (errata E26).
pub(super) fn issuer<'a>(response: Element<'a>, expect: &Expectations<'a>) -> Judged<'a, ()> {
    match only(response, "Issuer") {
        Ok(issuer) => issuer_is(issuer, expect, RejectCode::ResponseIssuerMismatch),
        Err(0) if is_signed(response) || response.child(ASSERTION, "EncryptedAssertion").is_some() => {
            fail(RejectCode::ResponseIssuerMissing, expect.idp_entity_id, Value::Nothing)
        }
        Err(0) => pass((), expect.idp_entity_id, "nothing, which is allowed in an unsigned response"),
        Err(several) => fail(RejectCode::ResponseIssuerMismatch, "one Issuer", Value::Count(several)),
    }
}

/// An issuer element names the identity provider, as an entity.
pub(super) fn issuer_is<'a>(
    issuer: Element<'a>,
    expect: &Expectations<'a>,
    mismatch: RejectCode,
) -> Judged<'a, ()> {
    if let Some(format) = attribute(issuer, "Format").filter(|format| *format != FORMAT_ENTITY) {
        return fail(mismatch, FORMAT_ENTITY, format);
    }
    match trimmed_text(issuer) {
        Some(name) if name == expect.idp_entity_id => pass((), expect.idp_entity_id, name),
        Some(name) => fail(mismatch, expect.idp_entity_id, name),
        None => fail(mismatch, expect.idp_entity_id, "a name with markup inside"),
    }
}

/// The destination, where there is one, is our address. There must be one in a signed response.
pub(super) fn destination<'a>(response: Element<'a>, expect: &Expectations<'a>) -> Judged<'a, ()> {
    match response.attribute("Destination").map(str::trim_ascii) {
        Some(url) if expect.acs.iter().any(|acs| acs == url) => pass((), expect.acs, url),
        Some(url) => fail(RejectCode::WrongDestination, expect.acs, url),
        None if is_signed(response) => fail(RejectCode::DestinationMissing, expect.acs, Value::Nothing),
        None => pass((), expect.acs, "nothing, which is allowed in an unsigned response"),
    }
}

/// It answers a request that is outstanding, or none where that is allowed. Gives the request's ID.
pub(super) fn in_response_to<'a>(
    response: Element<'a>,
    expect: &Expectations<'a>,
) -> Judged<'a, Option<&'a str>> {
    let wanted = expect.in_response_to;
    match attribute(response, "InResponseTo") {
        Some(request) if wanted.outstanding.iter().any(|id| id == request) => {
            pass(Some(request), wanted.outstanding, request)
        }
        Some(request) => fail(RejectCode::UnknownRequest, wanted.outstanding, request),
        None if wanted.unsolicited_allowed => {
            pass(None, "nothing, or an outstanding request", Value::Nothing)
        }
        None => fail(RejectCode::Unsolicited, wanted.outstanding, Value::Nothing),
    }
}

/// There is exactly one assertion, plain or encrypted, and no other hides anywhere else.
pub(super) fn only_assertion(response: Element<'_>) -> Judged<'_, Element<'_>> {
    let mut assertions = response.children().filter(|child| is_assertion(*child));
    let (first, more) = (assertions.next(), assertions.count());
    let Some(assertion) = first else {
        return fail(RejectCode::AssertionMissing, "one assertion", Value::Count(0));
    };
    if more > 0 {
        return fail(RejectCode::SeveralAssertions, "one assertion", Value::Count(more + 1));
    }
    match misplaced(response, assertion) {
        Some(stray) => fail(RejectCode::AssertionMisplaced, "one assertion", format!("one more: {stray:?}")),
        None => pass(assertion, "one assertion", assertion.local_name()),
    }
}

/// An assertion or a response inside `root` that is neither the root, nor the assertion, nor advice that
/// the assertion itself carries (Core 2.6.1): where signature wrapping parks what it does not want read.
pub(super) fn misplaced<'d>(root: Element<'d>, assertion: Element<'d>) -> Option<Element<'d>> {
    root.descendants().find(|element| {
        let message = is_assertion(*element) || element.is(PROTOCOL, "Response");
        message && *element != root && *element != assertion && !in_advice(*element, assertion)
    })
}

/// Whether the element stands in the advice of the assertion.
pub(super) fn in_advice(element: Element<'_>, assertion: Element<'_>) -> bool {
    let mut here = element;
    while let Some(parent) = here.parent() {
        if parent == assertion {
            return here.is(ASSERTION, "Advice");
        }
        here = parent;
    }
    false
}

/// Whether a signature stands directly in the element; whether it holds is another question.
pub(super) fn is_signed(element: Element<'_>) -> bool {
    element.child(DSIG, "Signature").is_some()
}

fn is_assertion(element: Element<'_>) -> bool {
    // The local name first: nearly every element of a response is in this namespace.
    matches!(element.local_name(), "Assertion" | "EncryptedAssertion") && element.namespace() == ASSERTION
}
