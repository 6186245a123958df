//! Autoprovisioning: a user is made, or brought up to date, from an assertion's attributes. Wire contract
//! §3.8.
//!
//! First [`planned`], which reads and judges and writes nothing; then [`made`] or [`brought_up_to_date`],
//! by the same acts that the console and the web services use. An account that exists already is never
//! linked to: anyone who controls an attribute would take it over.

use std::net::IpAddr;

use crate::desk::people::users::{
    self, CheckedChange, CheckedUser, NewUser, RoleChoice, UserChange, UserKey,
};
use crate::error::{Error, Result};
use crate::model::person::{self, Field, Person};
use crate::model::sso::template::{NAME_ID, Template, Unfilled};
use crate::model::sso::{Configuration, Mapping};
use crate::model::{Actor, Caller, GroupId, Member};
use crate::protocol::saml::identity::Identity;
use crate::store::{Reader, Writer};

use super::matching::Identifiers;
use super::reject::SsoReject;

type Judged<T> = Result<std::result::Result<T, SsoReject>>;

/// Works out the user that would be made; nothing is written.
pub(super) fn planned(
    reader: &Reader<'_>,
    configuration: &Configuration,
    identity: &Identity,
    identifiers: &Identifiers,
) -> Judged<CheckedUser> {
    let group = configuration.group;
    let new = match filled(&configuration.mapping, identity) {
        Ok(new) => new,
        Err(reject) => return Ok(Err(reject)),
    };
    let checked = match users::check_new(&new) {
        Ok(checked) => checked,
        Err(error) => return Ok(Err(invalid(error))),
    };
    let puid = checked.puid.as_ref().map(|puid| puid.as_str());
    let taken = |field, got: &str| Ok(Err(SsoReject::FieldTaken { field, got: got.to_owned() }));
    if reader.user_by_address(checked.address.as_str())?.is_some() {
        return taken("GlanceAddress", checked.address.as_str());
    }
    if let Some(puid) = puid
        && reader.member_by_puid(group, puid)?.is_some()
    {
        return taken("PartnerUID", puid);
    }
    if !reader.users_by_email(group, &checked.person.email, 1)?.is_empty() {
        return taken("Email", &checked.person.email);
    }
    if let Some(reject) = unknown_role(reader, group, &checked.role)? {
        return Ok(Err(reject));
    }
    if !identifiers.would_find(puid, checked.address.as_str(), &checked.person.email) {
        let got = format!("PartnerUID {}, GlanceAddress {}", puid.unwrap_or("none"), checked.address);
        return Ok(Err(SsoReject::NotFoundAgain { got }));
    }
    Ok(Ok(checked))
}

/// Works out what would change of a member; `None` when nothing would. Attributes that did not come leave
/// their field as it is. Of a person at home in another group only the role is ours to change.
pub(super) fn planned_update(
    reader: &Reader<'_>,
    configuration: &Configuration,
    identity: &Identity,
    member: &Member,
) -> Judged<Option<CheckedChange>> {
    let mapping = &configuration.mapping;
    let own = member.user.home_group == configuration.group;
    let mut person: Person<Option<String>> = Person::default();
    for ((line, present), (_, text)) in member.user.person.iter().zip(person.iter_mut()) {
        let Some(template) = mapping.of_line(line) else { continue };
        match value(name_of(line), template, identity) {
            Ok(wanted) if own && !wanted.is_empty() && wanted != *present => *text = Some(wanted),
            Ok(_) | Err(SsoReject::AttributeMissing { .. }) => {}
            Err(reject) => return Ok(Err(reject)),
        }
    }
    let role = match value("Role", &mapping.role, identity) {
        Ok(role) if !role.is_empty() && member.role_name.as_deref() != Some(role.as_str()) => {
            Some(RoleChoice::Named(role))
        }
        Ok(_) | Err(SsoReject::AttributeMissing { .. }) => None,
        Err(reject) => return Ok(Err(reject)),
    };
    if let Some(email) = &person.email
        && reader.users_by_email(configuration.group, email, 2)?.iter().any(|u| u.id != member.user.id)
    {
        return Ok(Err(SsoReject::FieldTaken { field: "Email", got: email.clone() }));
    }
    if let Some(role) = &role
        && let Some(reject) = unknown_role(reader, configuration.group, role)?
    {
        return Ok(Err(reject));
    }
    let change = UserChange { person, role, ..UserChange::default() };
    match users::check_change(&change) {
        Ok(checked) => Ok(Ok((checked != CheckedChange::default()).then_some(checked))),
        Err(error) => Ok(Err(invalid(error))),
    }
}

/// Makes the planned user.
pub(super) fn made(
    w: &Writer<'_>,
    group: GroupId,
    ip: Option<IpAddr>,
    planned: &CheckedUser,
) -> Result<Member> {
    users::created(w, &provisioner(group, ip), group, planned)
}

/// Makes the planned change.
pub(super) fn brought_up_to_date(
    w: &Writer<'_>,
    group: GroupId,
    ip: Option<IpAddr>,
    member: &Member,
    change: &CheckedChange,
) -> Result<Member> {
    let key = UserKey::Id(member.user.id);
    Ok(users::updated(w, &provisioner(group, ip), group, &key, change)?.member)
}

fn provisioner(group: GroupId, ip: Option<IpAddr>) -> Caller {
    Caller { actor: Actor::Provisioner { group }, ip }
}

fn filled(mapping: &Mapping, identity: &Identity) -> std::result::Result<NewUser, SsoReject> {
    let puid = value("PartnerUID", &mapping.partner_uid, identity)?;
    let address = mapping.glance_address.fill_address(|name| values(identity, name));
    Ok(NewUser {
        address: address.map_err(|why| unfilled("GlanceAddress", why))?,
        puid: Some(puid).filter(|puid| !puid.is_empty()),
        person: Person::try_of(|line| {
            mapping
                .of_line(line)
                .map_or(Ok(String::new()), |template| value(name_of(line), template, identity))
        })?,
        role: RoleChoice::of_wire(&value("Role", &mapping.role, identity)?),
        ..NewUser::default()
    })
}

/// What the mapping calls a field: as the CSV template does.
fn name_of(field: &Field) -> &'static str {
    field.column.unwrap_or("user")
}

fn value(
    field: &'static str,
    template: &Template,
    identity: &Identity,
) -> std::result::Result<String, SsoReject> {
    template.fill(|name| values(identity, name)).map_err(|why| unfilled(field, why))
}

fn values(identity: &Identity, name: &str) -> Vec<String> {
    if name == NAME_ID {
        return identity.name_id.iter().map(|n| n.value.clone()).collect();
    }
    identity.texts(name).map(str::to_owned).collect()
}

fn unfilled(field: &'static str, why: Unfilled) -> SsoReject {
    match why {
        Unfilled::Missing(attribute) => SsoReject::AttributeMissing { field, attribute },
        Unfilled::Several(attribute) => SsoReject::AttributeSeveral { field, attribute },
    }
}

fn unknown_role(reader: &Reader<'_>, group: GroupId, role: &RoleChoice) -> Result<Option<SsoReject>> {
    match role {
        RoleChoice::Named(name) if reader.role_by_name(group, name.trim())?.is_none() => {
            Ok(Some(SsoReject::RoleUnknown { got: name.clone() }))
        }
        _ => Ok(None),
    }
}

/// A field that breaks its rule, in the words of the mapping.
fn invalid(error: Error) -> SsoReject {
    let field = match error.field.as_deref() {
        Some("role") => "Role",
        Some(field) => person::field(field).map_or("user", name_of),
        None => "user",
    };
    SsoReject::FieldInvalid { field, got: error.public }
}
