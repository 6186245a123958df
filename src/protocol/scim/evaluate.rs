//! Decides whether a resource meets a filter. RFC 7644 §3.4.2.2.
//!
//! A multi-valued attribute meets a comparison when one of its values does; a complex value without a named
//! sub-attribute is compared by its `value`. An attribute that a resource does not have is not equal to
//! anything but null.

use std::cmp::Ordering;

use serde_json::Value;

use super::filter::{Comparison, Filter};
use super::path::{AttrPath, member};
use crate::clock::Timestamp;
use crate::folding::fold;

/// Whether `resource` (or one element of a multi-valued attribute) meets `filter`.
pub fn meets(resource: &Value, filter: &Filter) -> bool {
    match filter {
        Filter::And(all) => all.iter().all(|f| meets(resource, f)),
        Filter::Or(all) => all.iter().any(|f| meets(resource, f)),
        Filter::Not(inner) => !meets(resource, inner),
        Filter::Present(path) => values(resource, path).into_iter().any(is_present),
        Filter::Within { path, filter } => {
            values(resource, path).into_iter().any(|element| meets(element, filter))
        }
        Filter::Compare { path, operator, value } => {
            let found = values(resource, path);
            let found: Vec<&Value> = found.into_iter().filter(|v| is_present(v)).collect();
            match (operator, value) {
                (Comparison::Equal, Value::Null) => found.is_empty(),
                (Comparison::NotEqual, Value::Null) => !found.is_empty(),
                (Comparison::NotEqual, _) => {
                    !found.into_iter().any(|got| compares(path, Comparison::Equal, got, value))
                }
                _ => found.into_iter().any(|got| compares(path, *operator, got, value)),
            }
        }
    }
}

/// All values at a path, those of arrays one by one.
fn values<'v>(resource: &'v Value, path: &AttrPath) -> Vec<&'v Value> {
    let home = match &path.extension {
        Some(urn) => member(resource, urn),
        None => Some(resource),
    };
    let found = if path.name.is_empty() { home } else { home.and_then(|home| member(home, &path.name)) };
    let elements = flat(found);
    match &path.sub {
        None => elements,
        Some(sub) => elements.into_iter().flat_map(|element| flat(member(element, sub))).collect(),
    }
}

fn flat(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(elements)) => elements.iter().collect(),
        Some(other) => vec![other],
    }
}

fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn compares(path: &AttrPath, operator: Comparison, got: &Value, wanted: &Value) -> bool {
    match (got, wanted) {
        (Value::Object(_), _) => {
            member(got, "value").is_some_and(|got| compares(path, operator, got, wanted))
        }
        (Value::String(got), Value::String(wanted)) => compares_text(path, operator, got, wanted),
        (Value::Bool(got), Value::Bool(wanted)) => operator == Comparison::Equal && got == wanted,
        // Entra ID writes booleans as text: `primary eq "True"`.
        (Value::Bool(got), Value::String(wanted)) => {
            operator == Comparison::Equal && wanted.eq_ignore_ascii_case(if *got { "true" } else { "false" })
        }
        (Value::Number(got), Value::Number(wanted)) => {
            let order = got.as_f64().zip(wanted.as_f64()).and_then(|(g, w)| g.partial_cmp(&w));
            order.is_some_and(|order| fits_order(operator, order))
        }
        _ => false,
    }
}

fn compares_text(path: &AttrPath, operator: Comparison, got: &str, wanted: &str) -> bool {
    let is_instant = path.is("meta") || path.is("created") || path.is("lastModified");
    if let Some((got, wanted)) = Timestamp::parse(got).zip(Timestamp::parse(wanted)).filter(|_| is_instant) {
        return fits_order(operator, got.cmp(&wanted));
    }
    if is_case_exact(path) {
        return fits_text(operator, got, wanted);
    }
    fits_text(operator, &fold(got), &fold(wanted))
}

/// The attributes that are compared exactly: identifiers. RFC 7643 §3.1, §4.2; all others in any case.
fn is_case_exact(path: &AttrPath) -> bool {
    let shown_exactly = ["id", "externalId", "$ref"].iter().any(|name| path.is(name));
    shown_exactly || path.is_sub("members", "value") || path.is_sub("groups", "value")
}

fn fits_text(operator: Comparison, got: &str, wanted: &str) -> bool {
    match operator {
        Comparison::Contains => got.contains(wanted),
        Comparison::StartsWith => got.starts_with(wanted),
        Comparison::EndsWith => got.ends_with(wanted),
        _ => fits_order(operator, got.cmp(wanted)),
    }
}

fn fits_order(operator: Comparison, order: Ordering) -> bool {
    match operator {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Contains | Comparison::StartsWith | Comparison::EndsWith => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn resources_meet_filters_as_the_standard_says() {
        let ann = serde_json::json!({
            "id": "7", "userName": "Ann.Example", "externalId": "E-1", "active": true, "age": 41,
            "name": {"givenName": "Ann", "familyName": ""},
            "emails": [{"value": "ann@example.com", "type": "work", "primary": true}, {"value": "a@home.example", "type": "home"}],
            "meta": {"lastModified": "2026-03-12T20:41:55.600Z"},
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Sales"},
        });
        let check = |filter: &str, expected: bool| {
            assert_eq!(meets(&ann, &Filter::parse(filter).unwrap()), expected, "{filter}");
        };
        check(r#"userName eq "ann.example""#, true);
        check(r#"USERNAME EQ "ann.example""#, true);
        check(r#"userName ne "ann.example""#, false);
        check(r#"externalId eq "E-1""#, true);
        check(r#"externalId eq "e-1""#, false);
        check(r#"userName co "N.EX""#, true);
        check(r#"userName sw "ann" and userName ew "example""#, true);
        check(r#"userName gt "aaa" and userName lt "b""#, true);
        check("name.givenName pr", true);
        check("name.familyName pr", false);
        check("name pr", true);
        check("title pr", false);
        check("title eq null", true);
        check("userName ne null", true);
        let cases = serde_json::json!({"userName": "STRASSE.Öz", "externalId": "Ö"});
        assert!(meets(&cases, &Filter::parse(r#"userName eq "straße.öZ""#).unwrap()));
        assert!(!meets(&cases, &Filter::parse(r#"externalId eq "ö""#).unwrap()));
        check(r#"title ne "x""#, true);
        check(r#"title eq "x""#, false);
        check("active eq true", true);
        check(r#"active eq "True""#, true);
        check("active ne false", true);
        check("age ge 41 and age lt 41.5", true);
        check(r#"age eq "41""#, false);
        check(r#"emails co "HOME""#, true);
        check(r#"emails.type eq "home""#, true);
        check(r#"emails[type eq "work" and value co "home"]"#, false);
        check(r#"emails[type eq "work" and primary eq true]"#, true);
        check(r#"emails.value ne "ann@example.com""#, false);
        check(r#"not (emails[type eq "other"])"#, true);
        check(r#"meta.lastModified gt "2026-03-12T21:00:00+01:00""#, true);
        check(r#"meta.lastModified le "2026-03-12T20:41:55Z""#, false);
        check(r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "sales""#, true);
        check(r#"(userName eq "x" or externalId eq "E-1") and active eq true"#, true);
    }
}
