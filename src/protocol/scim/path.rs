//! Names of attributes as filters, PATCH paths and projections write them. RFC 7644 §3.10.
//!
//! `userName`, `name.givenName`, `urn:ietf:params:scim:schemas:core:2.0:User:userName`; compared in any
//! case.

use std::fmt;

use serde_json::Value;

use super::{GROUP_SCHEMA, ScimReject, USER_SCHEMA};

/// Most bytes of a path or a filter; longer ones are no identity provider's.
pub const TEXT_MAX: usize = 8 * 1024;

/// One attribute: its schema when it was named and is not the resource's own, its name, its sub-attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttrPath {
    /// The URN of an extension; `None` for the core schemas.
    pub extension: Option<String>,
    /// Empty when the path names a whole extension.
    pub name: String,
    pub sub: Option<String>,
}

impl AttrPath {
    /// Reads a path without brackets.
    ///
    /// # Errors
    /// `invalidPath` when it breaks the grammar.
    pub fn parse(text: &str) -> Result<AttrPath, ScimReject> {
        let malformed = || ScimReject::path(format!("{text:?} is no attribute name."));
        if text.len() > TEXT_MAX {
            return Err(ScimReject::path("The path is too long."));
        }
        let (schema, rest) = split_schema(text);
        let extension = schema.filter(|urn| !is_core(urn)).map(str::to_owned);
        if rest.is_empty() {
            // A whole schema; of a core one nothing is left to name.
            return extension
                .map(|urn| AttrPath { extension: Some(urn), name: String::new(), sub: None })
                .ok_or_else(malformed);
        }
        let (name, sub) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (rest, None),
        };
        if !is_name(name) || sub.is_some_and(|sub| !is_name(sub)) {
            return Err(malformed());
        }
        Ok(AttrPath { extension, name: name.to_owned(), sub: sub.map(str::to_owned) })
    }

    /// Whether this is the core attribute `name`, in any case, without regard to a sub-attribute.
    pub fn is(&self, name: &str) -> bool {
        self.extension.is_none() && self.name.eq_ignore_ascii_case(name)
    }

    /// Whether this is the core attribute `name` with the sub-attribute `sub`, in any case.
    pub fn is_sub(&self, name: &str, sub: &str) -> bool {
        self.is(name) && self.sub.as_deref().is_some_and(|s| s.eq_ignore_ascii_case(sub))
    }
}

impl fmt::Display for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.extension.is_some() && !self.name.is_empty() { ":" } else { "" };
        write!(f, "{}{colon}{}", self.extension.as_deref().unwrap_or_default(), self.name)?;
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

/// Finds a member of an object by its name, in any case.
pub fn member<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The key under which `object` holds `name`, in any case; `name` itself when it holds none.
pub(super) fn key_of(object: &serde_json::Map<String, Value>, name: &str) -> String {
    object.keys().find(|key| key.eq_ignore_ascii_case(name)).map_or_else(|| name.to_owned(), Clone::clone)
}

/// Whether a character may stand in an unbracketed path, its URN included.
pub(super) fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'_' | b'-' | b'$')
}

fn is_core(urn: &str) -> bool {
    urn.eq_ignore_ascii_case(USER_SCHEMA) || urn.eq_ignore_ascii_case(GROUP_SCHEMA)
}

/// Splits `urn:…:User:userName` into schema and attribute. The name of a resource type follows the version
/// in every registered URN, which tells `…:2.0:User` (a whole schema) from `…:2.0:User:userName`.
fn split_schema(text: &str) -> (Option<&str>, &str) {
    let is_urn = text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"));
    if !is_urn {
        return (None, text);
    }
    match text.rsplit_once(':') {
        Some((_, "")) => (None, text),
        Some((before, _)) if ends_in_version(before) => (Some(text), ""),
        Some((before, after)) => (Some(before), after),
        None => (None, text),
    }
}

fn ends_in_version(urn: &str) -> bool {
    let last = urn.rsplit(':').next().unwrap_or_default();
    !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// ATTRNAME of RFC 7643 §2.1, and `$ref`.
fn is_name(text: &str) -> bool {
    let mut bytes = text.strip_prefix('$').unwrap_or(text).bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'$'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paths_split_into_schema_name_and_sub_attribute() {
        let check = |text: &str, expected: Option<(&str, &str, &str)>| {
            let got = AttrPath::parse(text).ok();
            let got = got.as_ref().map(|p| {
                (p.extension.as_deref().unwrap_or(""), p.name.as_str(), p.sub.as_deref().unwrap_or(""))
            });
            assert_eq!(got, expected, "{text:?}");
        };
        const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        check("userName", Some(("", "userName", "")));
        check("name.givenName", Some(("", "name", "givenName")));
        check("members.$ref", Some(("", "members", "$ref")));
        check("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName", Some(("", "name", "familyName")));
        check("URN:ietf:params:scim:schemas:core:2.0:user:userName", Some(("", "userName", "")));
        check(&format!("{ENTERPRISE}:department"), Some((ENTERPRISE, "department", "")));
        check(&format!("{ENTERPRISE}:manager.value"), Some((ENTERPRISE, "manager", "value")));
        check(ENTERPRISE, Some((ENTERPRISE, "", "")));
        check(USER_SCHEMA, None);
        for bad in ["", ".", "a.", ".a", "a.b.c", "1a", "a b", "a[b]", "ü", "urn:", "urn:x:", "urn:a.b:c d"]
        {
            check(bad, None);
        }
    }

    #[test]
    fn members_are_found_in_any_case() {
        let object = serde_json::json!({"UserName": "ann"});
        assert_eq!(member(&object, "userName").unwrap(), "ann");
        assert_eq!(member(&object, "name"), None);
        assert_eq!(member(&Value::Null, "name"), None);
    }
}
