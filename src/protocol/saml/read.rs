//! How the rules read single values: text without markup, instants, names that a schema type trims.
//!
//! A comment inside a value makes readers disagree on what it is, so such a value is no value here.

use std::borrow::Cow;

use super::names::ASSERTION;
use super::time::parse_instant;
use crate::protocol::xml::Element;

/// White space as XML knows it (XML 1.0 2.3).
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// A value without the white space around it, as XML knows white space: a no-break space is a character.
pub fn trimmed(value: &str) -> &str {
    value.trim_matches(SPACE)
}

/// The text of an element that holds nothing but text, without the white space around it: pretty-printed
/// responses are real. `None` if there is markup inside.
pub(super) fn trimmed_text(element: Element<'_>) -> Option<Cow<'_, str>> {
    element.plain_text().ok().map(|text| match text {
        Cow::Borrowed(text) => Cow::Borrowed(trimmed(text)),
        Cow::Owned(text) => Cow::Owned(trimmed(&text).to_owned()),
    })
}

/// The value of an attribute, trimmed; an empty one is as good as none.
pub(super) fn attribute<'d>(element: Element<'d>, name: &str) -> Option<&'d str> {
    element.attribute(name).map(trimmed).filter(|value| !value.is_empty())
}

/// An attribute that is an instant: absent, well-formed, or malformed as written.
pub(super) fn instant<'d>(element: Element<'d>, name: &str) -> Result<Option<i64>, &'d str> {
    match element.attribute(name) {
        None => Ok(None),
        Some(text) => parse_instant(text).map(Some).ok_or(text),
    }
}

/// The child of this name in the assertion namespace if there is exactly one; otherwise how many.
pub(super) fn only<'d>(parent: Element<'d>, local: &str) -> Result<Element<'d>, usize> {
    let mut children = parent.children_named(ASSERTION, local);
    match (children.next(), children.count()) {
        (Some(child), 0) => Ok(child),
        (Some(_), more) => Err(more + 1),
        (None, _) => Err(0),
    }
}
