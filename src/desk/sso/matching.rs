//! Which user an assertion speaks of: the identity attribute decides when it came, else the NameID. Wire contract
//! §3.3, §11 Q11.
//!
//! A value names a member of the group by Partner User ID, exactly, or by Glance Address or e-mail address,
//! in any case. Nobody, several, or two different users: refused. Members of other groups are never seen.

use crate::error::Result;
use crate::model::Member;
use crate::model::sso::Configuration;
use crate::protocol::saml::identity::Identity;
use crate::store::Reader;

use super::reject::SsoReject;

/// The values by which an assertion names its user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Identifiers {
    pub attribute: Vec<String>,
    pub name_id: Option<String>,
}

impl Identifiers {
    pub fn of(configuration: &Configuration, identity: &Identity) -> Identifiers {
        let named = &configuration.identity_attribute;
        let mut attribute: Vec<String> = match named.is_empty() {
            true => Vec::new(),
            false => identity.texts(named).map(str::to_owned).collect(),
        };
        attribute.retain(|value| !value.is_empty());
        let name_id = identity.name_id.as_ref().map(|n| n.value.clone()).filter(|v| !v.is_empty());
        Identifiers { attribute, name_id }
    }

    /// For people: what came.
    pub fn shown(&self) -> String {
        let attribute = self.attribute.iter().map(|value| format!("attribute “{}”", short(value)));
        let name_id = self.name_id.iter().map(|value| format!("NameID “{}”", short(value)));
        attribute.chain(name_id).collect::<Vec<_>>().join(", ")
    }

    fn all(&self) -> impl Iterator<Item = &String> {
        self.attribute.iter().chain(&self.name_id)
    }

    /// Whether a user with these would be found by them: by the attribute when it came, else by the NameID.
    pub fn would_find(&self, puid: Option<&str>, address: &str, email: &str) -> bool {
        let name_id = self.name_id.as_ref().filter(|_| self.attribute.is_empty());
        self.attribute.iter().chain(name_id).any(|value| {
            puid == Some(value.as_str())
                || value.eq_ignore_ascii_case(address)
                || (!email.is_empty() && value.eq_ignore_ascii_case(email))
        })
    }
}

/// Finds the member whom an assertion names.
pub(super) fn matched(
    reader: &Reader<'_>,
    configuration: &Configuration,
    identifiers: &Identifiers,
) -> Result<std::result::Result<Member, SsoReject>> {
    let group = configuration.group;
    let attribute = &configuration.identity_attribute;
    let attribute_came = !identifiers.attribute.is_empty();
    if !attribute_came && !attribute.is_empty() && !configuration.name_id_when_missing {
        let got = identifiers.shown();
        return Ok(Err(SsoReject::IdentityAttributeMissing { attribute: attribute.clone(), got }));
    }
    let mut by_attribute = Vec::new();
    for value in &identifiers.attribute {
        for user in reader.members_named(group, value)? {
            if !by_attribute.contains(&user) {
                by_attribute.push(user);
            }
        }
    }
    let by_name_id = match &identifiers.name_id {
        // Most identity providers say the same twice.
        Some(value) if identifiers.attribute == [value.as_str()] => by_attribute.clone(),
        Some(value) => reader.members_named(group, value)?,
        None => Vec::new(),
    };
    let got = || identifiers.shown();
    let chosen = match (by_attribute.as_slice(), by_name_id.as_slice()) {
        ([], []) if identifiers.all().next().is_none() => return Ok(Err(SsoReject::WithoutIdentifier)),
        // The attribute decides when it is there: who can choose a NameID at the identity provider must not
        // become somebody by it.
        ([], [_, ..]) if attribute_came => {
            return Ok(Err(SsoReject::AttributeNamesNobody { attribute: attribute.clone(), got: got() }));
        }
        ([], []) => return Ok(Err(SsoReject::UserUnknown { got: got() })),
        ([_, _, ..], _) | (_, [_, _, ..]) => return Ok(Err(SsoReject::UserAmbiguous { got: got() })),
        ([one], [other]) if one != other => return Ok(Err(SsoReject::UserConflict { got: got() })),
        ([one], _) | ([], [one]) => *one,
    };
    let member = reader.member(group, chosen)?;
    Ok(member.ok_or_else(|| SsoReject::UserUnknown { got: got() }))
}

/// A value as it is shown: an assertion may hold kilobytes.
fn short(value: &str) -> String {
    const SHOWN: usize = 120;
    match value.char_indices().nth(SHOWN) {
        None => value.to_owned(),
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
    }
}
