//! Judges every row of a file against the rules and against what the group has: what is to be created,
//! changed, left alone, refused. Only reads.

use std::collections::HashMap;

use super::changes::{FieldChange, Room};
use super::table::CsvRow;
use super::{ApplyOptions, RowRefusal};
use crate::desk::ground::known_group;
use crate::desk::ground::password_rule::PasswordRule;
use crate::desk::ground::permission;
use crate::desk::people::password_policy;
use crate::desk::people::users::{
    CheckedChange, CheckedUser, NewUser, RoleChoice, UserChange, UserKey, check_change, check_new, role_of,
};
use crate::error::{Error, Kind, Result};
use crate::model::person::{self, ADDRESS, Field, PUID, ROLE};
use crate::model::{Caller, GroupId, Member, Role, User};
use crate::store::Reader;

/// What is to be done with each row, in the file's order.
pub struct Plan {
    pub rows: Vec<Planned>,
    /// Users whose PUID another row takes over.
    pub freed: Vec<i64>,
}

/// What is to be done with a row.
pub enum Planned {
    Create(Box<CheckedUser>),
    Change { key: UserKey, change: Box<CheckedChange>, fields: Vec<FieldChange> },
    Nothing,
    Refused(RowRefusal),
}

impl Planned {
    /// Whether the row changes anything.
    pub fn is_a_change(&self) -> bool {
        matches!(self, Planned::Create(_) | Planned::Change { .. })
    }
}

impl Plan {
    /// How many rows are refused.
    pub fn refused(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row, Planned::Refused(_))).count()
    }

    /// Puts the hashes of the passwords, by row, in their places.
    ///
    /// # Errors
    /// `Conflict` with `people_changed` when one is missing: a row was refused, and is not any more.
    pub fn give_hashes(&mut self, rows: &[CsvRow], mut hashes: HashMap<usize, String>) -> Result<()> {
        for (at, (row, planned)) in rows.iter().zip(&mut self.rows).enumerate() {
            let place = match planned {
                Planned::Create(user) => &mut user.password_hash,
                Planned::Change { change, .. } => &mut change.password_hash,
                Planned::Nothing | Planned::Refused(_) => continue,
            };
            if row.password.is_some() {
                *place = Some(hashes.remove(&at).ok_or_else(people_changed)?);
            }
        }
        Ok(())
    }
}

pub(super) fn people_changed() -> Error {
    let public = "People or rules were changed while the file was applied. Nothing of it was kept. Upload it \
                  again.";
    Error::new(Kind::Conflict, "people_changed", public)
}

/// What all rows are judged by.
struct Rules<'r> {
    reader: &'r Reader<'r>,
    caller: &'r Caller,
    group: GroupId,
    /// `Some(None)`: the role is taken away.
    role: Option<Option<Role>>,
    /// For the old and new values that are kept.
    room: Room,
    /// Of those whose home is this group.
    password: PasswordRule,
    /// The group has an API key: a user without a PUID could not use it.
    puid_required: bool,
}

/// Judges all rows.
///
/// # Errors
/// `NotFound` with `group_unknown`; `Invalid` with `role_unknown`; `Fault` when the database fails.
pub fn planned(
    reader: &Reader<'_>,
    caller: &Caller,
    group: GroupId,
    terms: &ApplyOptions,
    rows: &[CsvRow],
) -> Result<Plan> {
    let known = known_group::known(reader, group)?;
    let role = match &terms.role {
        None => None,
        Some(choice) => Some(role_of(reader, group, choice)?),
    };
    let rules = Rules {
        reader,
        caller,
        group,
        role,
        room: Room::default(),
        password: password_policy::policy_of(reader, group)?.rule,
        puid_required: known.has_api_key,
    };
    let mut seen = EarlierRows::default();
    let mut plan = Plan { rows: Vec::with_capacity(rows.len()), freed: Vec::new() };
    for row in rows {
        let planned = match seen.check(row) {
            Some(refusal) => Planned::Refused(refusal),
            None => rules.judged(row)?,
        };
        plan.rows.push(planned);
    }
    rules.settle_puids(rows, &mut plan)?;
    Ok(plan)
}

/// Addresses and PUIDs of the rows before, with their lines.
#[derive(Default)]
struct EarlierRows<'r> {
    addresses: HashMap<String, u64>,
    puids: HashMap<&'r str, u64>,
}

impl<'r> EarlierRows<'r> {
    fn check(&mut self, row: &'r CsvRow) -> Option<RowRefusal> {
        if let Some(torn) = &row.torn {
            return Some(torn.clone());
        }
        let address = row.address.to_ascii_lowercase();
        if let Some(line) = self.addresses.insert(address, row.line).filter(|_| !row.address.is_empty()) {
            let why = format!("Line {line} has this Glance Address too.");
            return Some(refusal("address_repeated", Some(&ADDRESS), &row.address, why));
        }
        let puid = row.puid.as_deref()?;
        let line = self.puids.insert(puid, row.line)?;
        let why = format!("Line {line} has this Partner User ID too.");
        Some(refusal("puid_repeated", Some(&PUID), puid, why))
    }
}

impl Rules<'_> {
    fn judged(&self, row: &CsvRow) -> Result<Planned> {
        let outcome = match self.reader.member_by_address(self.group, row.address.trim())? {
            Some(member) => self.change(row, &member),
            None => self.creation(row),
        };
        match outcome {
            Err(error) if error.kind == Kind::Fault => Err(error),
            Err(error) => Ok(Planned::Refused(of_error(&error, row))),
            Ok(planned) => Ok(planned),
        }
    }

    fn creation(&self, row: &CsvRow) -> Result<Planned> {
        puid_meant(row.puid.as_deref())?;
        if self.puid_required && row.puid.is_none() {
            let public = "The Partner User ID is missing; the group uses login keys.";
            return Err(Error::invalid("puid_required", "puid", public));
        }
        let checked = check_new(&NewUser {
            address: row.address.clone(),
            puid: row.puid.clone(),
            person: row.person.map(|_, cell| cell.clone().unwrap_or_default()),
            role: self.role.as_ref().map_or(RoleChoice::None, numbered),
            password: None,
            administrator: false,
        })?;
        password_fits(row, self.password)?;
        if self.reader.user_by_address(checked.address.as_str())?.is_some() {
            let public = "A user of another group has this Glance Address.";
            return Err(Error::invalid("address_taken", "address", public));
        }
        Ok(Planned::Create(Box::new(checked)))
    }

    fn change(&self, row: &CsvRow, member: &Member) -> Result<Planned> {
        let user = &member.user;
        let role = self.role.as_ref().filter(|role| role.as_ref().map(|r| r.id) != member.membership.role);
        let unlike = |cell: &Option<String>, present: &str| cell.clone().filter(|cell| cell != present);
        let present_puid = member.membership.puid.as_ref().map_or("", |puid| puid.as_str());
        let change = UserChange {
            // The case of the address may be corrected.
            address: Some(row.address.clone()).filter(|address| address != user.address.as_str()),
            puid: unlike(&row.puid, present_puid).map(Some),
            person: row.person.map(|line, cell| unlike(cell, line.text(member))),
            role: role.map(numbered),
            ..UserChange::default()
        };
        puid_meant(change.puid.as_ref().and_then(Option::as_deref))?;
        let new_role = role.map(|role| role.as_ref().map_or("", |role| role.name.as_str()));
        let new_puid = row.puid.as_deref().filter(|_| change.puid.is_some());
        let new_value = |field: &Field| match field {
            field if *field == ADDRESS => change.address.as_deref(),
            field if *field == PUID => new_puid,
            field if *field == ROLE => new_role,
            line => change.person.value(line)?.as_deref(),
        };
        let changed: Vec<(&'static str, &str, &str)> = person::details()
            .filter_map(|field| Some((field.name, field.text(member), new_value(field)?)))
            .collect();
        let password = row.password.is_some();
        if changed.is_empty() && !password {
            return Ok(Planned::Nothing);
        }
        if password || changed.iter().any(|(field, ..)| *field != PUID.name && *field != ROLE.name) {
            permission::change_person(self.caller, user)?;
        }
        password_fits(row, self.rule_of(user)?)?;
        let checked = Box::new(check_change(&change)?);
        let fields = changed.into_iter().map(|(field, old, new)| self.room.change(field, old, new));
        let fields = fields.chain(password.then(FieldChange::password)).collect();
        Ok(Planned::Change { key: UserKey::Id(user.id), change: checked, fields })
    }

    fn rule_of(&self, user: &User) -> Result<PasswordRule> {
        if user.home_group == self.group {
            // Asked once for all rows.
            return Ok(self.password);
        }
        password_policy::policy_of_person(self.reader, user).map(|policy| policy.rule)
    }

    /// Refuses rows that want the PUID of somebody who keeps it. Rows may exchange PUIDs: then the users
    /// who give theirs away are noted, so that they do so first.
    fn settle_puids(&self, rows: &[CsvRow], plan: &mut Plan) -> Result<()> {
        // Who owns each wanted PUID, where somebody else does: asked once.
        let mut owned: Vec<(usize, i64)> = Vec::new();
        for (at, (row, planned)) in rows.iter().zip(&plan.rows).enumerate() {
            let wants = match planned {
                Planned::Create(_) => row.puid.as_deref(),
                Planned::Change { change, .. } if change.puid.is_some() => row.puid.as_deref(),
                _ => None,
            };
            if let Some(owner) = wants.map(|puid| self.reader.member_by_puid(self.group, puid)).transpose()? {
                owned.extend(owner.map(|owner| (at, owner.user.id.0)));
            }
        }
        // A refused row keeps its PUID, which may refuse another row: until nothing new is refused.
        loop {
            let giving: Vec<i64> = plan
                .rows
                .iter()
                .filter_map(|planned| match planned {
                    Planned::Change { key: UserKey::Id(id), change, .. } if change.puid.is_some() => {
                        Some(id.0)
                    }
                    _ => None,
                })
                .collect();
            let giving: std::collections::HashSet<i64> = giving.into_iter().collect();
            let (given, kept): (Vec<_>, Vec<_>) =
                owned.drain(..).partition(|(_, owner)| giving.contains(owner));
            owned = given;
            if kept.is_empty() {
                plan.freed = owned.iter().map(|(_, owner)| *owner).collect();
                return Ok(());
            }
            for (at, _) in kept {
                if let (Some(planned), Some(row)) = (plan.rows.get_mut(at), rows.get(at)) {
                    let why = "Another user of the group has this Partner User ID.".to_owned();
                    let puid = row.puid.as_deref().unwrap_or("");
                    *planned = Planned::Refused(refusal("puid_taken", Some(&PUID), puid, why));
                }
            }
            owned.retain(|(at, _)| plan.rows.get(*at).is_some_and(Planned::is_a_change));
        }
    }
}

fn numbered(role: &Option<Role>) -> RoleChoice {
    role.as_ref().map_or(RoleChoice::None, |role| RoleChoice::Numbered(role.id))
}

fn password_fits(row: &CsvRow, rule: PasswordRule) -> Result<()> {
    row.password.as_ref().map_or(Ok(()), |password| rule.check(password))
}

/// A cell with white space at its edge is a slip of the hand more often than a PUID; it is asked about
/// instead of being changed in silence.
fn puid_meant(puid: Option<&str>) -> Result<()> {
    match puid {
        Some(puid) if puid.trim() != puid => {
            let public = "The Partner User ID begins or ends with white space.";
            Err(Error::invalid("puid_edge_space", "puid", public))
        }
        _ => Ok(()),
    }
}

fn of_error(error: &Error, row: &CsvRow) -> RowRefusal {
    let field = error.field.as_deref().and_then(person::field);
    let value = match field {
        Some(field) if *field == ADDRESS => Some(&row.address),
        Some(field) if *field == PUID => row.puid.as_ref(),
        // A password is no line of text, so it is not repeated.
        Some(field) => row.person.value(field).and_then(Option::as_ref),
        None => None,
    };
    let value = value.cloned().unwrap_or_default();
    refusal(error.code, field, &value, error.public.clone())
}

fn refusal(code: &'static str, field: Option<&Field>, value: &str, why: String) -> RowRefusal {
    let column = field.and_then(|field| field.column).unwrap_or_default();
    // Cells are shown on a page: a hostile one must not fill it.
    let value = value.chars().take(100).collect();
    RowRefusal { code, column, value, why, remedy: remedy(code) }
}

/// What to do about a refusal, for the person who made the file.
fn remedy(code: &str) -> &'static str {
    match code {
        "address_repeated" | "puid_repeated" => "Leave one of the two rows out, or correct one of them.",
        "address_required" => "Fill in the Glance Address; every row needs one.",
        "address_malformed" => "Correct the Glance Address: letters a to z, digits, dots and hyphens.",
        "address_taken" => "Choose another Glance Address, or ask an operator to add the user to the group.",
        "puid_required" => "Fill in the Partner User ID, the name under which login keys are made.",
        "puid_taken" => "Check which of the two users the Partner User ID belongs to.",
        "home_group_only" => {
            "Leave the cells blank that belong to the person: names, e-mail, phone, password."
        }
        "puid_edge_space" => "Take the white space away, or set such an ID through the console or an API.",
        code if code.starts_with("password_") => "Choose another password, or leave the cell blank.",
        code if code.ends_with("_too_long") => "Shorten the cell.",
        _ => "Correct the cell.",
    }
}
