//! The rules on the conditions of an assertion (Core 2.5.1): understood, in time, for us.
//!
//! The audience check is [`audience`].

use super::expectations::Expectations;
use super::names::ASSERTION;
use super::read::{instant, trimmed_text};
use super::reject::RejectCode;
use super::sheet::{Judged, Value, fail, pass};
use crate::protocol::xml::Element;

/// At most one `Conditions`, and every condition in it is one that we understand: an unknown one makes
/// the whole assertion indeterminate (Core 2.5.1.1).
pub(super) fn understood(assertion: Element<'_>) -> Judged<'_, Option<Element<'_>>> {
    let mut all = assertion.children_named(ASSERTION, "Conditions");
    let (conditions, more) = (all.next(), all.count());
    if more > 0 {
        return fail(RejectCode::ConditionsRepeated, "one Conditions", Value::Count(more + 1));
    }
    let unknown = conditions.into_iter().flat_map(Element::children).find(|condition| {
        let known =
            matches!(condition.local_name(), "AudienceRestriction" | "OneTimeUse" | "ProxyRestriction");
        condition.namespace() != ASSERTION || !known
    });
    match unknown {
        Some(condition) => {
            fail(RejectCode::ConditionUnknown, "conditions that we understand", format!("{condition:?}"))
        }
        None => pass(conditions, "conditions that we understand", "nothing else"),
    }
}

/// It has begun, and begins before it ends.
pub(super) fn not_before<'a>(conditions: Option<Element<'a>>, expect: &Expectations<'a>) -> Judged<'a, ()> {
    let latest = expect.now.saturating_add(expect.skew);
    let bounds = conditions.map(|c| (instant(c, "NotBefore"), instant(c, "NotOnOrAfter")));
    match bounds {
        Some((Err(text), _)) => fail(RejectCode::TimeMalformed, "an instant in UTC", text),
        Some((Ok(Some(begin)), Ok(Some(end)))) if begin >= end => {
            fail(RejectCode::ConditionsInverted, Value::Before(end), Value::At(begin))
        }
        Some((Ok(Some(begin)), _)) if begin > latest => {
            fail(RejectCode::NotYet, Value::Before(latest.saturating_add(1)), Value::At(begin))
        }
        Some((Ok(Some(begin)), _)) => pass((), Value::Before(latest.saturating_add(1)), Value::At(begin)),
        None | Some((Ok(None), _)) => pass((), Value::Nothing, "no such bound"),
    }
}

/// It is not over; the bound itself is outside. Gives the bound.
pub(super) fn not_on_or_after<'a>(
    conditions: Option<Element<'a>>,
    expect: &Expectations<'a>,
) -> Judged<'a, Option<i64>> {
    let earliest = expect.now.saturating_sub(expect.skew);
    match conditions.map_or(Ok(None), |conditions| instant(conditions, "NotOnOrAfter")) {
        Err(text) => fail(RejectCode::TimeMalformed, "an instant in UTC", text),
        Ok(Some(end)) if end <= earliest => fail(RejectCode::Expired, Value::From(earliest), Value::At(end)),
        Ok(Some(end)) => pass(Some(end), Value::From(earliest), Value::At(end)),
        Ok(None) => pass(None, Value::Nothing, "no such bound"),
    }
}

/// It is meant for us: every `AudienceRestriction` names our entity ID, and there is at least one, unless
/// the group's settings do without (Core 2.5.1.4).
pub(super) fn audience<'a>(conditions: Option<Element<'a>>, expect: &Expectations<'a>) -> Judged<'a, ()> {
    let mut restrictions = 0_usize;
    for restriction in conditions.iter().flat_map(|c| c.children_named(ASSERTION, "AudienceRestriction")) {
        restrictions += 1;
        let mut audiences = restriction.children_named(ASSERTION, "Audience");
        if !audiences.any(|audience| trimmed_text(audience).as_deref() == Some(expect.audience)) {
            return fail(RejectCode::WrongAudience, expect.audience, audiences_in_words(restriction));
        }
    }
    match restrictions {
        0 if expect.policy.allow_no_audience => {
            pass((), expect.audience, "no audience, which the settings allow")
        }
        0 => fail(RejectCode::AudienceMissing, expect.audience, Value::Nothing),
        _ => pass((), expect.audience, expect.audience),
    }
}

fn audiences_in_words(restriction: Element<'_>) -> Value<'_> {
    let audiences = restriction.children_named(ASSERTION, "Audience");
    let named: Vec<String> = audiences.map(|audience| audience.text().trim().to_owned()).collect();
    if named.is_empty() { Value::Nothing } else { Value::Owned(named.join(", ")) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::protocol::xml::{Document, Limits};

    #[test]
    fn a_condition_is_known_by_its_namespace_too() {
        let is_understood = |condition: &str| {
            let xml =
                format!("<a xmlns:saml='{ASSERTION}'><saml:Conditions>{condition}</saml:Conditions></a>");
            let document = Document::parse(xml.as_bytes(), &Limits::ASSERTION).unwrap();
            understood(document.root()).is_ok()
        };
        for name in ["AudienceRestriction", "OneTimeUse", "ProxyRestriction"] {
            assert!(is_understood(&format!("<saml:{name}/>")), "{name}");
            assert!(!is_understood(&format!("<x:{name} xmlns:x='urn:example:other'/>")), "{name} of another");
            assert!(!is_understood(&format!("<{name}/>")), "{name} of no namespace");
        }
        assert!(!is_understood("<saml:Condition/>"));
    }
}
