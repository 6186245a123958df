//! Shows only the attributes that were asked for. RFC 7644 §3.9.

use serde_json::{Map, Value};

use super::ScimReject;
use super::path::{AttrPath, member};

/// Which attributes an answer shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projection {
    only: Vec<AttrPath>,
    without: Vec<AttrPath>,
}

impl Projection {
    /// Reads the comma-separated lists of `attributes` and `excludedAttributes`; of both, the first counts.
    ///
    /// # Errors
    /// `invalidPath` for a name that cannot be read.
    pub fn parse(attributes: &str, excluded: &str) -> Result<Projection, ScimReject> {
        let list = |text: &str| {
            let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
            names.map(AttrPath::parse).collect::<Result<Vec<_>, _>>()
        };
        let only = list(attributes)?;
        let without = if only.is_empty() { list(excluded)? } else { Vec::new() };
        Ok(Projection { only, without })
    }

    /// Whether the whole attribute or part of it is shown.
    pub fn shows(&self, name: &str) -> bool {
        if self.only.is_empty() {
            return !self.without.iter().any(|path| path.is(name) && path.sub.is_none());
        }
        self.only.iter().any(|path| path.is(name))
    }

    /// Leaves of a resource what is shown; `schemas` and `id` always are.
    pub fn applied(&self, resource: Value) -> Value {
        if self.only.is_empty() {
            return self.without.iter().fold(resource, without);
        }
        let mut shown = Map::new();
        for always in ["schemas", "id"] {
            if let Some(value) = member(&resource, always) {
                shown.insert(always.to_owned(), value.clone());
            }
        }
        let Value::Object(members) = resource else { return Value::Object(shown) };
        for (key, value) in members {
            let paths: Vec<&AttrPath> = self.only.iter().filter(|path| path.is(&key)).collect();
            if paths.iter().any(|path| path.sub.is_none()) {
                shown.insert(key, value);
            } else if !paths.is_empty() {
                let subs: Vec<&str> = paths.iter().filter_map(|path| path.sub.as_deref()).collect();
                shown.insert(key, only_subs(value, &subs));
            }
        }
        Value::Object(shown)
    }
}

fn without(mut resource: Value, path: &AttrPath) -> Value {
    if path.is("id") || path.is("schemas") {
        return resource;
    }
    if let Some(members) = resource.as_object_mut() {
        match &path.sub {
            None => members.retain(|key, _| !path.is(key)),
            Some(sub) => {
                for (_, value) in members.iter_mut().filter(|(key, _)| path.is(key)) {
                    each_object(value, &|object| object.retain(|key, _| !key.eq_ignore_ascii_case(sub)));
                }
            }
        }
    }
    resource
}

fn only_subs(mut value: Value, subs: &[&str]) -> Value {
    each_object(&mut value, &|object| {
        object.retain(|key, _| subs.iter().any(|sub| key.eq_ignore_ascii_case(sub)));
    });
    value
}

fn each_object(value: &mut Value, change: &impl Fn(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => change(object),
        Value::Array(elements) => elements.iter_mut().filter_map(Value::as_object_mut).for_each(change),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_what_was_asked_for_is_shown() {
        let check = |attributes: &str, excluded: &str, expected: Value| {
            let ann = serde_json::json!({
                "schemas": [], "id": "7", "userName": "ann", "name": {"givenName": "Ann", "familyName": "Lee"},
                "emails": [{"value": "a", "type": "work"}],
            });
            assert_eq!(
                Projection::parse(attributes, excluded).unwrap().applied(ann),
                expected,
                "{attributes} {excluded}"
            );
        };
        check("userName", "", serde_json::json!({"schemas": [], "id": "7", "userName": "ann"}));
        check("USERNAME , title", "id", serde_json::json!({"schemas": [], "id": "7", "userName": "ann"}));
        check(
            "name.givenName,emails.value",
            "",
            serde_json::json!({"schemas": [], "id": "7", "name": {"givenName": "Ann"}, "emails": [{"value": "a"}]}),
        );
        check(
            "urn:ietf:params:scim:schemas:core:2.0:User:userName",
            "",
            serde_json::json!({"schemas": [], "id": "7", "userName": "ann"}),
        );
        check(
            "",
            "id,emails,name.familyName",
            serde_json::json!({"schemas": [], "id": "7", "userName": "ann", "name": {"givenName": "Ann"}}),
        );
    }

    #[test]
    fn what_is_shown_is_known_beforehand() {
        assert!(Projection::parse("", "").unwrap().shows("members"));
        assert!(!Projection::parse("", "members").unwrap().shows("members"));
        assert!(Projection::parse("", "members.display").unwrap().shows("members"));
        assert!(Projection::parse("members.value", "").unwrap().shows("members"));
        assert!(!Projection::parse("displayName", "").unwrap().shows("members"));
        assert!(Projection::parse("a b", "").is_err());
    }
}
