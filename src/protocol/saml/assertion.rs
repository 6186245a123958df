//! The rules on the assertion as a whole (Core 2.3.3): version, identifier, issuer.

use super::envelope::issuer_is;
use super::expectations::Expectations;
use super::names::VERSION;
use super::read::{instant, only};
use super::reject::RejectCode;
use super::sheet::{Judged, Value, fail, pass};
use crate::protocol::xml::Element;

/// Version 2.0, issued at some instant, with an ID. Gives the ID and the instant in milliseconds since 1970 UTC.
pub(super) fn version(assertion: Element<'_>) -> Judged<'_, (&str, i64)> {
    let version = assertion.attribute("Version");
    if version != Some(VERSION) {
        return fail(RejectCode::AssertionVersion, VERSION, version);
    }
    let issued_at = match instant(assertion, "IssueInstant") {
        Ok(Some(instant)) => instant,
        Ok(None) => return fail(RejectCode::IssueInstantMalformed, "an IssueInstant", Value::Nothing),
        Err(text) => return fail(RejectCode::IssueInstantMalformed, "an instant in UTC", text),
    };
    match assertion.attribute("ID").filter(|id| !id.is_empty()) {
        Some(id) => pass((id, issued_at), VERSION, VERSION),
        None => fail(RejectCode::AssertionIdMissing, "an ID", Value::Nothing),
    }
}

/// The one issuer is the identity provider.
pub(super) fn issuer<'a>(assertion: Element<'a>, expect: &Expectations<'a>) -> Judged<'a, ()> {
    match only(assertion, "Issuer") {
        Ok(issuer) => issuer_is(issuer, expect, RejectCode::AssertionIssuerMismatch),
        Err(0) => fail(RejectCode::AssertionIssuerMissing, expect.idp_entity_id, Value::Nothing),
        Err(several) => fail(RejectCode::AssertionIssuerMismatch, "one Issuer", Value::Count(several)),
    }
}
