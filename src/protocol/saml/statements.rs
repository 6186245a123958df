//! The rules on what the assertion states: that somebody was authenticated, and attributes (Core 2.7).

use std::collections::HashMap;

use super::expectations::Expectations;
use super::identity::{Attribute, AttributeValue};
use super::names::{ASSERTION, XSI};
use super::read::{attribute, instant, trimmed_text};
use super::reject::RejectCode;
use super::sheet::{Judged, Value, fail, pass};
use crate::protocol::xml::Element;

/// What the first authentication statement says.
pub(super) struct Authentication<'d> {
    pub instant: i64,
    pub session_index: Option<&'d str>,
    pub context: Option<String>,
}

/// Somebody was authenticated: there is at least one statement of it.
pub(super) fn authentication(assertion: Element<'_>) -> Judged<'_, Authentication<'_>> {
    let Some(statement) = assertion.child(ASSERTION, "AuthnStatement") else {
        return fail(RejectCode::AuthnStatementMissing, "an AuthnStatement", Value::Nothing);
    };
    let context = statement
        .child(ASSERTION, "AuthnContext")
        .and_then(|context| context.child(ASSERTION, "AuthnContextClassRef"))
        .and_then(trimmed_text);
    match instant(statement, "AuthnInstant") {
        Ok(Some(instant)) => {
            let authentication = Authentication {
                instant,
                session_index: attribute(statement, "SessionIndex"),
                context: context.map(|context| context.into_owned()),
            };
            pass(authentication, "an AuthnStatement", Value::At(instant))
        }
        Ok(None) => fail(RejectCode::TimeMalformed, "an AuthnInstant", Value::Nothing),
        Err(text) => fail(RejectCode::TimeMalformed, "an instant in UTC", text),
    }
}

/// No session of the identity provider is over. Gives the earliest end.
pub(super) fn session<'a>(assertion: Element<'a>, expect: &Expectations<'a>) -> Judged<'a, Option<i64>> {
    let earliest = expect.now.saturating_sub(expect.skew);
    let mut end = None;
    for statement in assertion.children_named(ASSERTION, "AuthnStatement") {
        match instant(statement, "SessionNotOnOrAfter") {
            Err(text) => return fail(RejectCode::TimeMalformed, "an instant in UTC", text),
            Ok(Some(over)) if over <= earliest => {
                return fail(RejectCode::SessionExpired, Value::From(earliest), Value::At(over));
            }
            Ok(Some(over)) => end = Some(end.map_or(over, |end: i64| end.min(over))),
            Ok(None) => {}
        }
    }
    match end {
        Some(over) => pass(end, Value::From(earliest), Value::At(over)),
        None => pass(None, Value::Nothing, "no such bound"),
    }
}

/// Every attribute has a name, and no value has a comment inside; `decrypted` are those that came
/// encrypted. Several attributes of one name become one.
pub(super) fn attributes<'d>(
    assertion: Element<'d>,
    decrypted: impl Iterator<Item = Element<'d>>,
) -> Judged<'d, Vec<Attribute>> {
    let statements = assertion.children_named(ASSERTION, "AttributeStatement");
    let plain = statements.flat_map(|statement| statement.children_named(ASSERTION, "Attribute"));
    let mut attributes: Vec<Attribute> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for element in plain.chain(decrypted) {
        let Some(name) = element.attribute("Name").filter(|name| !name.is_empty()) else {
            return fail(RejectCode::AttributeUnnamed, "a Name", Value::Nothing);
        };
        let Some(mut values) = values(element) else {
            return fail(RejectCode::AttributeMarkup, "text without markup", name);
        };
        match known.get(name).and_then(|index| attributes.get_mut(*index)) {
            Some(attribute) => attribute.values.append(&mut values),
            None => {
                known.insert(name, attributes.len());
                let friendly_name = element.attribute("FriendlyName").map(str::to_owned);
                attributes.push(Attribute { name: name.to_owned(), friendly_name, values });
            }
        }
    }
    let count = attributes.len();
    pass(attributes, "named values without markup", Value::Count(count))
}

/// The values of one attribute; `None` if a comment or an instruction is in one of them.
fn values(attribute: Element<'_>) -> Option<Vec<AttributeValue>> {
    attribute.children_named(ASSERTION, "AttributeValue").map(value).collect()
}

fn value(element: Element<'_>) -> Option<AttributeValue> {
    if matches!(element.attribute_ns(XSI, "nil").map(str::trim_ascii), Some("true" | "1")) {
        return Some(AttributeValue::Nil);
    }
    if element.children().next().is_some() {
        let text: String = element.descendants().map(Element::text).collect();
        return Some(AttributeValue::Element(text.trim().to_owned()));
    }
    element.plain_text().ok().map(|text| AttributeValue::Text(text.into_owned()))
}
