//! The group users APIs, versions 1.0.0 and 0.1. Wire contract §5.2, §5.3.
//!
//! The versions differ in how they spell the path and the query (`rolename`, `roleName`); names of
//! parameters are read in any case, so one reading serves both.

use std::sync::LazyLock;

use crate::model::queries::{MemberQuery, RoleMatch, TextMatch};
use serde_json::{Map, Value, json};

use super::row::{JsonRow, number, rows};
use super::{bulk, caller, count_of, in_wire_words, ok};
use crate::desk::people::users::{NewUser, RoleChoice, UserChange, UserKey};
use crate::desk::sign_in::privilege::Privilege::{GroupAddPerson, GroupModifyPerson, GroupOwner};
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::form::Params;
use crate::http::router::{App, Call};
use crate::model::person::{
    self, ACTIVE, ADDRESS, ADMINISTRATOR, FIELDS, Field, PASSWORD, PUID, Person, ROLE, STATES, SUSPENDED,
};
use crate::model::{Member, RoleId, UserId};

/// Users of a page when the client does not say. Wire contract §5.2.
const PAGE: u32 = 20;
/// Most users of a page. Wire contract §5.2.
const PAGE_MAX: u32 = 1_000;

/// What a user to be made may have.
static NEW_FIELDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let fields = FIELDS.iter().filter(|field| !STATES.contains(field));
    fields.filter_map(|field| field.rest).collect()
});
/// What a change may have; the last three are answered by lists and mean nothing here.
static CHANGE_FIELDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let fields = FIELDS.iter().filter(|field| **field != &ADMINISTRATOR).filter_map(|field| field.rest);
    let fields = std::iter::once("userId").chain(fields);
    fields.chain(["roleName", "administrator", "subscription"]).collect()
});

/// `GET …/users`
pub fn get_users(app: &App, call: &Call<'_>) -> Result<Response> {
    let (caller, group) = caller(app, call, "user.list", &[GroupOwner])?;
    let query = query(&call.query())?;
    let total = app.desk.people.count_members(&caller, group, &query)?;
    let page = app.desk.people.show_members(&caller, group, &query)?;
    let users: Vec<Value> = page.members.iter().map(written).collect();
    let document = json!({
        "pagination": { "offset": query.offset, "pageSize": users.len(), "totalRecords": total },
        "usersList": users,
    });
    Ok(answer::json(200, &document))
}

/// `POST …/users`
pub fn post_users(app: &App, call: &Call<'_>) -> Result<Response> {
    let (caller, group) = caller(app, call, "user.create", &[GroupOwner, GroupAddPerson])?;
    let new = rows(&call.request.body, new_user);
    let count = count_of(&new, &call.request.body);
    bulk(new.and_then(|new| app.desk.people.create_users(&caller, group, new)), count, |made| {
        let made: Vec<Value> = made
            .iter()
            .map(|member| {
                json!({
                    "userId": member.user.id,
                    "username": member.user.address,
                    "partnerUserId": member.membership.puid,
                })
            })
            .collect();
        answer::json(200, &made)
    })
}

/// `PUT …/users`
pub fn put_users(app: &App, call: &Call<'_>) -> Result<Response> {
    let (caller, group) = caller(app, call, "user.update", &[GroupOwner, GroupModifyPerson])?;
    let changes = rows(&call.request.body, change);
    let count = count_of(&changes, &call.request.body);
    bulk(changes.and_then(|changes| app.desk.people.update_users(&caller, group, changes)), count, ok)
}

/// `POST …/delete-users`: a list of user numbers, or of objects that name a user as a change does.
pub fn post_delete_users(app: &App, call: &Call<'_>) -> Result<Response> {
    let (caller, group) = caller(app, call, "user.delete", &[GroupOwner, GroupModifyPerson])?;
    let keys = rows(&call.request.body, |item| match number(item) {
        Some(id) => Ok(UserKey::Id(UserId(id))),
        None => {
            let row = JsonRow::new(item, &["userId", "partnerUserId", "username"])?;
            let key = match (row.number("userId")?, row.text("partnerUserId")?, row.text("username")?) {
                (Some(id), None, None) => Some(UserKey::Id(UserId(id))),
                (None, Some(puid), None) => Some(UserKey::Puid(puid)),
                (None, None, Some(address)) => Some(UserKey::Address(address)),
                _ => None,
            };
            key.ok_or_else(|| {
                which_user("Name each user in one way only: userId, partnerUserId or username.")
            })
        }
    });
    let count = count_of(&keys, &call.request.body);
    bulk(keys.and_then(|keys| app.desk.people.delete_users(&caller, group, keys)), count, ok)
}

fn query(params: &Params<'_>) -> Result<MemberQuery> {
    let part = |name: &str| {
        let text = params.first(name).map(std::borrow::Cow::into_owned);
        text.filter(|text| !text.is_empty()).map(TextMatch::Has)
    };
    let count = |name: &str, least: u32, most: u32, default: u32| match params.filled(name) {
        None => Ok(default),
        Some(text) => text.parse().ok().filter(|count| (least..=most).contains(count)).ok_or_else(|| {
            let public = format!("{name} is a whole number from {least} to {most}.");
            Error::invalid("out_of_range", name, public)
        }),
    };
    Ok(MemberQuery {
        address: part("username"),
        first_name: part("firstname"),
        last_name: part("lastname"),
        puid: part("puid"),
        search: params.filled("search").unwrap_or_default(),
        role: params.filled("roleid").map(|text| role_numbered(&text)).transpose()?,
        also_role: params.filled("rolename").map(role_named),
        any: match params.filled("ormode") {
            None => false,
            Some(text) if text.eq_ignore_ascii_case("true") => true,
            Some(text) if text.eq_ignore_ascii_case("false") => false,
            Some(_) => return Err(Error::invalid("wrong_type", "orMode", "orMode is true or false.")),
        },
        offset: count("offset", 0, i32::MAX.unsigned_abs(), 0)?,
        limit: count("limit", 1, PAGE_MAX, PAGE)?,
        ..MemberQuery::default()
    })
}

fn role_numbered(text: &str) -> Result<RoleMatch> {
    match text.parse::<i64>() {
        Ok(0) => Ok(RoleMatch::None),
        Ok(id) if id > 0 => Ok(RoleMatch::Numbered(RoleId(id))),
        _ => Err(Error::invalid("wrong_type", "roleId", "roleId is a whole number; 0 means no role.")),
    }
}

fn role_named(name: String) -> RoleMatch {
    if name.eq_ignore_ascii_case("-none-") { RoleMatch::None } else { RoleMatch::Named(TextMatch::Has(name)) }
}

fn new_user(item: &Value) -> Result<NewUser> {
    let row = JsonRow::new(item, &NEW_FIELDS).map_err(in_wire_words)?;
    let text = |field: &Field| of(&row, field, JsonRow::text).map(Option::unwrap_or_default);
    Ok(NewUser {
        address: text(&ADDRESS)?,
        // Required here: an empty one is refused by the rule of the field.
        puid: Some(text(&PUID)?),
        person: Person::try_of(text)?,
        role: of(&row, &ROLE, JsonRow::number)?.map(role_choice).unwrap_or_default(),
        password: of(&row, &PASSWORD, JsonRow::secret)?,
        administrator: false,
    })
}

/// What a row has of a field, as `read` reads it; `None` when it is absent, and where these APIs do not have it.
fn of<'v, T>(
    row: &JsonRow<'v>,
    field: &Field,
    read: fn(&JsonRow<'v>, &str) -> Result<Option<T>>,
) -> Result<Option<T>> {
    field.rest.map_or(Ok(None), |name| read(row, name))
}

fn change(item: &Value) -> Result<(UserKey, UserChange)> {
    let row = JsonRow::new(item, &CHANGE_FIELDS)?;
    let (mut puid, mut address) = (of(&row, &PUID, JsonRow::text)?, of(&row, &ADDRESS, JsonRow::text)?);
    // What names the user is no change; the others of the three are.
    let key = if let Some(id) = row.number("userId")? {
        UserKey::Id(UserId(id))
    } else if let Some(puid) = puid.take() {
        UserKey::Puid(puid)
    } else if let Some(address) = address.take() {
        UserKey::Address(address)
    } else {
        return Err(which_user("Name the user by userId, partnerUserId or username."));
    };
    let change = UserChange {
        address,
        puid: puid.map(Some),
        person: Person::try_of(|line| of(&row, line, JsonRow::text))?,
        role: of(&row, &ROLE, JsonRow::number)?.map(role_choice),
        password: of(&row, &PASSWORD, JsonRow::secret)?,
        suspended: of(&row, &SUSPENDED, JsonRow::flag)?,
        active: of(&row, &ACTIVE, JsonRow::flag)?,
        ..UserChange::default()
    };
    Ok((key, change))
}

fn role_choice(id: i64) -> RoleChoice {
    if id == 0 { RoleChoice::None } else { RoleChoice::Numbered(RoleId(id)) }
}

fn which_user(public: &str) -> Error {
    Error::invalid("which_user", "userId", public)
}

fn written(member: &Member) -> Value {
    let mut row = Map::new();
    for (name, shown) in person::answered(member) {
        row.insert(name.to_owned(), json!(shown));
    }
    // The vendor's API says a role by number and by name, and has a field that means nothing here.
    row.insert("userId".into(), json!(member.user.id));
    row.insert("roleId".into(), json!(member.membership.role.map_or(0, |role| role.0)));
    row.insert("roleName".into(), json!(member.role_name));
    row.insert("subscription".into(), Value::Null);
    row.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn the_description_of_the_interface_has_the_fields_that_are_read_and_no_others() {
        let document: Value = serde_json::from_str(include_str!("../../../static/openapi.json")).unwrap();
        let described = |schema: &str| {
            let properties = document["components"]["schemas"][schema]["properties"].as_object().unwrap();
            let mut names: Vec<String> = properties.keys().cloned().collect();
            names.sort();
            names
        };
        let sorted = |names: &[&str]| {
            let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(described("NewUser"), sorted(&NEW_FIELDS));
        assert_eq!(described("UserChange"), sorted(&CHANGE_FIELDS));
        let shown: Vec<&str> = CHANGE_FIELDS.iter().copied().filter(|name| *name != "password").collect();
        assert_eq!(described("User"), sorted(&shown));
    }
}
