//! What an accepted response says: who signed in, how, and what covers it.
//!
//! Values only. They are made in one place, from an assertion that a verified signature covers.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::read::trimmed;

/// The outcome of an accepted response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The subject's name. An assertion may name its subject by attributes alone.
    pub name_id: Option<NameId>,
    /// In document order; attributes of one name are one entry.
    pub attributes: Vec<Attribute>,
    /// The identity provider's handle on the session, for logout.
    pub session_index: Option<String>,
    /// When the identity provider wants our web session to end, in milliseconds since 1970 UTC.
    pub session_not_on_or_after: Option<i64>,
    /// When the person was authenticated, in milliseconds since 1970 UTC.
    pub authn_instant: i64,
    /// The authentication context class.
    pub authn_context: Option<String>,
    /// The entity ID of the identity provider.
    pub issuer: String,
    /// With [`Self::issuer`], the key under which a second use is refused.
    pub assertion_id: String,
    /// When the identity provider made the assertion (IssueInstant), in milliseconds since 1970 UTC.
    pub issued_at: i64,
    /// The last instant, exclusive and without skew, at which the assertion can be accepted, in
    /// milliseconds since 1970 UTC. Replay must be remembered until then, plus the skew.
    pub not_on_or_after: i64,
    /// The request that it answers; none if it was unsolicited.
    pub in_response_to: Option<String>,
    pub signed: Signed,
    /// Which of our keys the assertion was encrypted to; `None` when it came in the clear.
    pub decryption_key: Option<usize>,
    /// Which of the expected keys verified: an index into them.
    pub key_index: usize,
    pub algorithms: Algorithms,
}

impl Identity {
    /// The format that the NameID has; none where there is no NameID, or it names none.
    pub fn name_id_format(&self) -> Option<&str> {
        self.name_id.as_ref()?.format.as_deref()
    }

    /// The values of the attribute of this name that are text, without the white space around them, as the
    /// NameID is read; empty if there is none.
    pub fn texts<'i>(&'i self, name: &str) -> impl Iterator<Item = &'i str> {
        let attribute = self.attributes.iter().find(|attribute| attribute.name == name);
        attribute.into_iter().flat_map(|attribute| &attribute.values).filter_map(|value| match value {
            AttributeValue::Text(text) => Some(trimmed(text)),
            AttributeValue::Nil | AttributeValue::Element(_) => None,
        })
    }
}

/// A name identifier (Core 2.2.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NameId {
    /// Without the white space around it.
    pub value: String,
    pub format: Option<String>,
}

/// An attribute (Core 2.7.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    pub name: String,
    pub friendly_name: Option<String>,
    pub values: Vec<AttributeValue>,
}

/// One value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    Text(String),
    /// `xsi:nil`: known to have no value.
    Nil,
    /// Element content; this is the text inside it.
    Element(String),
}

impl Serialize for AttributeValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Nil => serializer.serialize_none(),
            Self::Element(text) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("xml", &true)?;
                map.serialize_entry("text", text)?;
                map.end()
            }
        }
    }
}

/// What the verified signatures cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Signed {
    pub response: bool,
    pub assertion: bool,
}

/// The algorithms of the signature that covers the assertion, as URIs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Algorithms {
    pub signature: String,
    pub digest: String,
}
