//! What the diagnostic page of a test sign-in shows, and what a verified assertion says, as it is shown and stored.

use std::collections::BTreeMap;

use crate::model::GroupId;
use crate::model::sso::compared::ComparedKeys;
use crate::protocol::check::Check;
use crate::protocol::saml::identity::{Attribute, AttributeValue, Identity};

use super::judge::Checklist;
use super::reject::SsoReject;

/// What the diagnostic page of `test=11` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    pub group: GroupId,
    pub checks: Vec<Check>,
    /// Code and likely repair of the first check that failed.
    pub reject: Option<(&'static str, String)>,
    pub incident: Option<String>,
    /// What a verified assertion says; nothing of a response that was refused before.
    pub name_id: Option<String>,
    pub attributes: BTreeMap<String, Vec<String>>,
    /// The document that came, as text; "" when it could not be unwrapped.
    pub document: String,
    /// Where no key verified the signature: those that were tried, and the one that came.
    pub keys: Option<ComparedKeys>,
}

impl Diagnosis {
    /// That of a configuration by which nobody can sign in, so that nothing came.
    pub(super) fn of_configuration(
        group: GroupId,
        reject: &SsoReject,
        incident: Option<String>,
    ) -> Diagnosis {
        let mut checks = Checklist::default();
        checks.failed(reject);
        Diagnosis {
            group,
            checks: checks.0,
            reject: Some((reject.code(), reject.repair().to_owned())),
            incident,
            name_id: None,
            attributes: BTreeMap::new(),
            document: String::new(),
            keys: None,
        }
    }
}

/// The texts of each attribute.
pub(super) fn attributes(identity: &Identity) -> BTreeMap<String, Vec<String>> {
    let text = |value: &AttributeValue| match value {
        AttributeValue::Text(text) | AttributeValue::Element(text) => Some(text.clone()),
        AttributeValue::Nil => None,
    };
    let named = |a: &Attribute| (a.name.clone(), a.values.iter().filter_map(text).collect());
    identity.attributes.iter().map(named).collect()
}

/// The attributes of a verified assertion, as they are stored.
pub(super) fn attributes_json(identity: &Identity) -> String {
    serde_json::to_string(&attributes(identity)).unwrap_or_default()
}
