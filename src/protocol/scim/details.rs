//! What an identity provider wrote of a user beyond what the house keeps: a `userName` that is no Glance
//! Address, a `displayName`, and the whole lists of e-mail addresses and phone numbers, of which the house keeps one each.
//!
//! It is written back only as long as it agrees with the user: what an administrator changes counts.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::path::member;
use super::values::kept_value;
use crate::model::{GlanceAddress, User};

/// Most values of one list.
const VALUES_MAX: usize = 20;
/// Most characters of a name or value.
const TEXT_MAX: usize = 255;

/// What is kept besides the user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Details {
    /// When it is no Glance Address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// First and last name when `display_name` was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<(String, String)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phone_numbers: Vec<Value>,
}

impl Details {
    /// Reads what a document has of it; what is too long or no such list is left out.
    pub fn of(document: &Value) -> Details {
        let text = |object: &Value, name: &str| {
            let text = member(object, name).and_then(Value::as_str);
            text.filter(|text| !text.is_empty() && text.chars().count() <= TEXT_MAX).map(str::to_owned)
        };
        let display_name = text(document, "displayName");
        let name = member(document, "name").unwrap_or(&Value::Null);
        let part = |part: &str| text(name, part).unwrap_or_default().trim().to_owned();
        Details {
            user_name: text(document, "userName").filter(|name| GlanceAddress::parse(name).is_none()),
            names: display_name.is_some().then(|| (part("givenName"), part("familyName"))),
            display_name,
            emails: values(document, "emails"),
            phone_numbers: values(document, "phoneNumbers"),
        }
    }

    /// The `userName`, when it still stands for the address of `user`.
    pub fn user_name_of(&self, user: &User) -> Option<&str> {
        let name = self.user_name.as_deref()?;
        glance_address(name).eq_ignore_ascii_case(user.address.as_str()).then_some(name)
    }

    /// The `displayName`, while `user` has the names that it was written beside.
    pub fn display_name_of(&self, user: &User) -> Option<&str> {
        let (first, last) = self.names.as_ref()?;
        let agrees = *first == user.person.first_name && *last == user.person.last_name;
        self.display_name.as_deref().filter(|_| agrees)
    }

    /// The list of this name as it was written, when `kept` is still the one of its values that is kept.
    pub fn list_of(&self, name: &str, kept: &str, any_will_do: bool) -> Option<&[Value]> {
        let list = match name {
            "emails" => &self.emails,
            "phoneNumbers" => &self.phone_numbers,
            _ => return None,
        };
        agreeing(name, list, kept, any_will_do)
    }
}

/// The Glance Address that stands for a `userName`: the name itself when it can be one; of a name with an
/// `@`, as identity providers have it, `ann_lee@example.com` becomes `ann-lee.example.com`.
pub fn glance_address(user_name: &str) -> String {
    if GlanceAddress::parse(user_name).is_some() || !user_name.contains('@') {
        return user_name.to_owned();
    }
    let plain: String = user_name
        .trim()
        .chars()
        .map(|c| match c {
            '@' => '.',
            c if c.is_ascii_alphanumeric() || c == '.' => c,
            _ => '-',
        })
        .collect();
    plain.trim_matches(['.', '-']).to_owned()
}

fn agreeing<'d>(name: &str, list: &'d [Value], kept: &str, any_will_do: bool) -> Option<&'d [Value]> {
    if list.is_empty() {
        return None;
    }
    let document = serde_json::json!({ name: list });
    let agrees = kept_value(&document, name, any_will_do).is_ok_and(|value| value.trim() == kept);
    agrees.then_some(list)
}

fn values(document: &Value, name: &str) -> Vec<Value> {
    let elements = member(document, name).and_then(Value::as_array).into_iter().flatten();
    elements.take(VALUES_MAX).filter_map(element).collect()
}

/// An element with the sub-attributes that we show, each of its type.
fn element(element: &Value) -> Option<Value> {
    let mut kept = Map::new();
    if let Value::String(value) = element {
        kept.insert("value".into(), value.as_str().into());
        return Some(kept.into());
    }
    for name in ["value", "type"] {
        if let Some(Value::String(text)) = member(element, name) {
            if text.chars().count() > TEXT_MAX {
                return None;
            }
            kept.insert(name.into(), text.as_str().into());
        }
    }
    match member(element, "primary") {
        Some(Value::Bool(primary)) => {
            kept.insert("primary".into(), (*primary).into());
        }
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => {
            kept.insert("primary".into(), true.into());
        }
        _ => {}
    }
    kept.contains_key("value").then(|| kept.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_user_name_with_an_at_sign_stands_for_an_address() {
        let check = |name: &str, expected: &str| assert_eq!(glance_address(name), expected, "{name}");
        check("doe.john.example.glance.net", "doe.john.example.glance.net");
        check("ann_lee@example.com", "ann-lee.example.com");
        check("Ann+x@example.com", "Ann-x.example.com");
        check("jörg@example.com", "j-rg.example.com");
        check("_@_", "");
        // Without an at sign it is a Glance Address or a mistake.
        check("ann lee", "ann lee");
    }

    #[test]
    fn details_are_what_agrees_and_nothing_else() {
        let document = json!({
            "userName": "ann@example.com", "title": "Dr",
            "emails": [{"value": "a", "type": "home", "x": 1}, {"value": "b", "primary": "True"}, {"type": "work"}, 7],
            "phoneNumbers": ["1"],
        });
        let details = Details::of(&document);
        assert_eq!(details.user_name.as_deref(), Some("ann@example.com"));
        assert_eq!(
            details.emails,
            [json!({"value": "a", "type": "home"}), json!({"value": "b", "primary": true})]
        );
        assert!(details.list_of("emails", "b", true).is_some());
        assert!(details.list_of("emails", "c", true).is_none());
        assert!(details.list_of("phoneNumbers", "1", false).is_some());
        let kept: Details = serde_json::from_str(&serde_json::to_string(&details).unwrap()).unwrap();
        assert_eq!(kept, details);
        assert_eq!(Details::of(&json!({"userName": "ann.x"})), Details::default());
    }

    proptest! {
        #[test]
        fn a_name_with_an_at_sign_gives_an_address_or_nothing(name in ".{0,20}@.{0,20}") {
            let address = glance_address(&name);
            prop_assert!(address.is_empty() || GlanceAddress::parse(&address).is_some());
        }
    }
}
