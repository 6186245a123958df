//! What a sign-in is for: where the browser goes afterwards, or in which shape it gets its answer.
//!
//! A target is read off a request, waits with the AuthnRequest, and comes back with its answer.

use serde::{Deserialize, Serialize};

use crate::model::relative::RelativeTarget;

/// What happens after a sign-in. Wire contract §3.5.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Target {
    /// A [`RelativeTarget`] to go on to; none: the login key as text.
    pub redirect: Option<String>,
    /// `mode=embedded&fmt=html`: a page that posts its message to the page that frames it.
    pub embedded: bool,
    /// `test=11`: the diagnostic page; nobody is signed in.
    pub test: bool,
}

impl Target {
    /// A target that goes on to `path`; the path alone decides.
    pub fn to(path: &RelativeTarget) -> Target {
        Target { redirect: Some(path.as_str().to_owned()), ..Target::default() }
    }

    /// Whether this is only the plain one: the login key as text.
    pub fn is_plain(&self) -> bool {
        *self == Target::default()
    }

    /// The address to go on to, checked once more: it comes back from storage or from a request.
    pub fn redirect(&self) -> Option<RelativeTarget> {
        self.redirect.as_deref().and_then(RelativeTarget::parse)
    }

    /// The parameters that carry it on the ACS URL, begun with `&`; "" for the plain one.
    pub(super) fn as_parameters(&self) -> String {
        let mut parameters = String::new();
        if self.embedded {
            parameters.push_str("&mode=embedded&fmt=html");
        }
        if self.test {
            parameters.push_str("&test=11");
        }
        if let Some(redirect) = self.redirect() {
            let value: String = form_urlencoded::byte_serialize(redirect.as_str().as_bytes()).collect();
            parameters.push_str("&redirect=");
            parameters.push_str(&value);
        }
        parameters
    }
}
