//! Users: the list with its filters, one to be made, one to be changed, suspended, deleted.

use super::access_log::lines_of;
use super::listing::{self, ListQuery};
use super::meanwhile;
use super::visit::{Visit, filled, get, password_typed_twice, post, refused, visit};
use crate::desk::ground::opened::{self, CHANGED_MEANWHILE};
use crate::desk::ground::password_rule::PasswordRule;
use crate::desk::ground::permission;
use crate::desk::people::password_policy::PasswordPolicy;
use crate::desk::people::users::{NewUser, RoleChoice, UserChange, UserKey};
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::form::Params;
use crate::http::router::{App, Call, Route};
use crate::model::lists::{MemberColumn, MemberOrder};
use crate::model::opened::Values;
use crate::model::person::{self, Person};
use crate::model::queries::{MemberQuery, MemberState, RoleMatch};
use crate::model::{Group, Member, RoleId, UserId};
use crate::pages::console::password_link::{Made, Standing};
use crate::pages::console::{confirm, user as user_page, users as pages};
use crate::pages::form::Fill;
use crate::pages::layout::MenuEntry;

pub const ROUTES: &[Route] = &[
    get("/console/groups/{group}/users", get_users),
    get("/console/groups/{group}/users/new", get_new_user),
    post("/console/groups/{group}/users/new", post_new_user),
    post("/console/groups/{group}/users/add", post_add_user),
    get("/console/groups/{group}/users/{user}", get_user),
    post("/console/groups/{group}/users/{user}", post_user),
    post("/console/groups/{group}/users/{user}/password", post_user_password),
    post("/console/groups/{group}/users/{user}/state", post_user_state),
    get("/console/groups/{group}/users/{user}/delete", get_delete_user),
    post("/console/groups/{group}/users/{user}/delete", post_delete_user),
];

/// Rows of the access log on a user's page.
const HISTORY: u32 = 12;
fn get_users(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, params) = (visit.group()?, call.query());
        let filters = filters_of(&params);
        let roles = visit.desk().people.role_choices(&visit.caller, group.id)?;
        let count =
            visit.desk().people.count_members_to(&visit.caller, group.id, &filters, listing::COUNT_MAX)?;
        let asked = ListQuery::of(&params, &pages::SORTS).within(count);
        let order = Some(MemberOrder { by: column_of(asked.key()), descending: asked.descending() });
        let query = MemberQuery { order, offset: asked.offset(), limit: listing::PAGE, ..filters.clone() };
        let found = visit.desk().people.members(&visit.caller, group.id, &query)?;
        let chips = listing::searched("search", &filters.search).into_iter();
        let chips = chips
            .chain(listing::chosen("role", params.filled("role"), &pages::role_filter(&roles)))
            .chain(listing::chosen("state", params.filled("state"), &pages::state_filter()));
        let address = format!("/console/groups/{}/users", group.id);
        let around = (found.members.len(), count);
        let view = pages::UsersView {
            listing: &asked.listing(&address, &pages::SORTS, chips.collect(), ("user", "users"), around),
            members: &found.members,
            fill: &filled(&params),
            roles: &roles,
            now: visit.desk().clock().now(),
        };
        Ok(answer::html(200, pages::list(&visit.frame(Some(&group)), &view)))
    })
}

fn column_of(key: &str) -> MemberColumn {
    match key {
        "name" => MemberColumn::Name,
        "puid" => MemberColumn::Puid,
        "role" => MemberColumn::Role,
        "signed_in" => MemberColumn::SignedIn,
        _ => MemberColumn::Address,
    }
}

fn filters_of(params: &Params<'_>) -> MemberQuery {
    let state = params.filled("state");
    let role = params.filled("role");
    MemberQuery {
        search: params.filled("search").unwrap_or_default(),
        role: match role.as_deref() {
            Some(pages::NO_ROLE) => Some(RoleMatch::None),
            Some(number) => number.parse().ok().map(RoleId).map(RoleMatch::Numbered),
            None => None,
        },
        state: match state.as_deref() {
            Some("active") => Some(MemberState::Active),
            Some("suspended") => Some(MemberState::Suspended),
            Some("inactive") => Some(MemberState::Inactive),
            Some("locked") => Some(MemberState::Locked),
            _ => None,
        },
        administrators_only: state.as_deref() == Some("administrator"),
        ..MemberQuery::default()
    }
}

/// What a password must keep to, as a hint says it.
pub(super) fn told(rule: PasswordRule) -> String {
    format!("At least {}.", rule.sentence())
}

fn role_choice(params: &Params<'_>) -> Result<RoleChoice> {
    role_chosen(&params.filled("role").unwrap_or_default())
}

/// Reads the choice of a role: "" is none. What is no number is nobody's wish to take a role away.
///
/// # Errors
/// `Invalid` with code `role_malformed`.
pub(super) fn role_chosen(text: &str) -> Result<RoleChoice> {
    match text {
        "" => Ok(RoleChoice::None),
        number => number
            .parse()
            .map(|number| RoleChoice::Numbered(RoleId(number)))
            .map_err(|_| Error::invalid("role_malformed", "role", "Choose a role from the list.")),
    }
}

/// A PUID is kept exactly as it was typed.
fn puid_of(params: &Params<'_>, name: &str) -> Option<String> {
    params.first(name).map(|puid| puid.into_owned()).filter(|puid| !puid.is_empty())
}

fn get_new_user(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| new_page(visit, &visit.group()?, 200, &Fill::default(), &Fill::default()))
}

fn new_page(visit: &Visit<'_>, group: &Group, status: u16, fill: &Fill, join: &Fill) -> Result<Response> {
    let roles = visit.desk().people.role_choices(&visit.caller, group.id)?;
    let rule = told(visit.desk().people.password_policy(&visit.caller, group.id)?.rule);
    Ok(answer::html(status, pages::new(&visit.frame(Some(group)), &roles, &rule, fill, join)))
}

fn post_new_user(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let text = |name: &str| form.filled(name).unwrap_or_default();
        let made = password_typed_twice(&form).and_then(|password| {
            let administrator = form.filled("administrator").is_some();
            if administrator && password.expose().is_empty() {
                let public =
                    "An administrator needs a password for the console. Type one, or clear the checkbox.";
                return Err(Error::invalid("password_required", "password", public));
            }
            let new = NewUser {
                address: text("address"),
                puid: puid_of(&form, "puid"),
                person: Person::of(|line| text(line.name)),
                role: role_choice(&form)?,
                password: Some(password).filter(|password| !password.expose().is_empty()),
                administrator,
            };
            visit.desk().people.create_user(&visit.caller, group.id, new)
        });
        match made {
            Ok(member) => Ok(visit.done(&address(&member), &format!("{} is created.", member.user.address))),
            Err(error) => {
                let fields: Vec<_> = form_fields().chain([("again", "again")]).collect();
                let (status, fill) = refused(filled(&form), error, &fields)?;
                new_page(visit, &group, status, &fill, &Fill::default())
            }
        }
    })
}

fn post_add_user(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let who = form.filled("member_address").unwrap_or_default();
        let puid = puid_of(&form, "member_puid");
        let added = visit.desk().people.add_member(
            &visit.caller,
            group.id,
            &who,
            puid.as_deref(),
            RoleChoice::None,
            false,
        );
        match added {
            Ok(member) => {
                let sentence = format!("{} is a member of this group now.", member.user.address);
                Ok(visit.done(&address(&member), &sentence))
            }
            Err(error) => {
                let fields = [("address", "member_address"), ("puid", "member_puid")];
                let (status, join) = refused(filled(&form), error, &fields)?;
                new_page(visit, &group, status, &Fill::default(), &join)
            }
        }
    })
}

/// The desk's names of a person's fields, and the forms', which are the same.
fn form_fields() -> impl Iterator<Item = (&'static str, &'static str)> {
    person::FIELDS.iter().map(|field| (field.name, field.name))
}

/// The address of a user's page.
pub(super) fn address(member: &Member) -> String {
    format!("/console/groups/{}/users/{}", member.membership.group, member.user.id)
}

/// Whom the path names.
///
/// # Errors
/// `NotFound` for what is no number.
pub(super) fn key_of(visit: &Visit<'_>) -> Result<UserKey> {
    Ok(UserKey::Id(UserId(visit.number("user")?)))
}

fn get_user(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let member = visit.desk().people.member(&visit.caller, group.id, &key_of(visit)?)?;
        show(visit, &group, &member, 200, &details_of(visit, &member), &Fill::default(), None)
    })
}

/// A user's page; `made` is a one-time link that was just made.
///
/// # Errors
/// Those of the desk.
pub(super) fn show(
    visit: &Visit<'_>,
    group: &Group,
    member: &Member,
    status: u16,
    details: &Fill,
    password: &Fill,
    made: Option<Made<'_>>,
) -> Result<Response> {
    let (desk, caller) = (visit.desk(), &visit.caller);
    let mut groups = Vec::new();
    for membership in desk.people.memberships(caller, member.user.id)? {
        groups.push(desk.people.group(caller, membership.group)?);
    }
    let settings = desk.people.member_settings(caller, group.id, member.user.id)?;
    let history = desk.appliance.history(caller, group.id, member.user.address.as_str(), HISTORY)?;
    let may_change_person = caller.may_administer(member.user.home_group);
    let (rule, standing) = match may_change_person {
        true => {
            let policy = desk.people.password_policy_of(caller, &member.user)?;
            (told(policy.rule), desk.people.password_link_of(caller, &member.user)?.ok_or(policy))
        }
        false => (String::new(), Err(PasswordPolicy::default())),
    };
    let settings_address = format!("/console/groups/{}/settings", member.user.home_group);
    let link = match &standing {
        Ok(link) => Standing::Open { made_by: &link.made_by, expires_at: link.expires_at },
        Err(policy) if !member.user.has_password && !policy.reset_may_create => {
            Standing::NotServed(&settings_address)
        }
        Err(_) => Standing::None,
    };
    let view = user_page::UserView {
        member,
        roles: &visit.desk().people.role_choices(&visit.caller, group.id)?,
        groups: &groups,
        settings: &settings.into_iter().collect::<Vec<_>>(),
        may_change_person,
        own: permission::is_self(caller, member.user.id),
        rule: &rule,
        link: &link,
        made,
        details,
        password,
        history: &lines_of(history),
        now: desk.clock().now(),
    };
    Ok(answer::html(status, user_page::page(&visit.frame(Some(group)), &view)))
}

/// The values of a member's form: of a person whose home is elsewhere, what this group decides.
fn values_of(visit: &Visit<'_>, member: &Member) -> Values {
    let values = opened::of_member(member);
    if visit.caller.may_administer(member.user.home_group) { values } else { values.only(&["puid", "role"]) }
}

/// The details form over a member.
pub(super) fn details_of(visit: &Visit<'_>, member: &Member) -> Fill {
    let values = values_of(visit, member);
    Fill::opened(&values, &values)
}

/// The details form that somebody else's save overtook.
fn overtaken(
    visit: &Visit<'_>,
    group: &Group,
    form: &Params<'_>,
    member: &Member,
    error: &Error,
) -> Result<Fill> {
    let (desk, now) = (visit.desk(), values_of(visit, member));
    let typed = meanwhile::typed(form, &now);
    let before = meanwhile::opened(form).unwrap_or_default();
    let subjects = [member.user.address.as_str(), before.value("address").unwrap_or_default()];
    let saved = desk.appliance.last_change(&visit.caller, group.id, "user.update", &subjects)?;
    let roles = desk.people.role_choices(&visit.caller, group.id)?;
    let shown = |field: &str, value: &str| match field {
        "role" => {
            let role = roles.iter().find(|role| role.id.to_string() == value);
            Some(role.map_or_else(|| "no role".to_owned(), |role| role.name.clone()))
        }
        _ => None,
    };
    let labels: Vec<_> = person::details().map(|field| (field.name, field.label)).collect();
    let words = meanwhile::Words { labels: &labels, shown: &shown, choices: &[] };
    Ok(meanwhile::overtaken(form, &typed, &now, error, saved, words))
}

fn post_user(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form, key) = (visit.group()?, call.form()?, key_of(visit)?);
        // A field that the page did not offer is not sent, and stays as it is.
        let text = |name: &str| form.first(name).map(|value| value.trim().to_owned());
        let change = UserChange {
            address: text("address"),
            puid: form.first("puid").map(|_| puid_of(&form, "puid")),
            person: Person::of(|line| text(line.name)),
            role: form.first("role").map(|_| role_choice(&form)).transpose()?,
            opened: meanwhile::opened(&form),
            ..UserChange::default()
        };
        match visit.desk().people.update_user(&visit.caller, group.id, &key, change) {
            Ok(updated) => {
                let sentence = if updated.changed.is_empty() {
                    "Nothing was different."
                } else {
                    "The details are saved."
                };
                Ok(visit.done(&address(&updated.member), sentence))
            }
            Err(error) => {
                let member = visit.desk().people.member(&visit.caller, group.id, &key)?;
                let (status, fill) = match error.code {
                    CHANGED_MEANWHILE => (409, overtaken(visit, &group, &form, &member, &error)?),
                    _ => refused(filled(&form), error, &form_fields().collect::<Vec<_>>())?,
                };
                show(visit, &group, &member, status, &fill, &Fill::default(), None)
            }
        }
    })
}

fn post_user_password(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form, key) = (visit.group()?, call.form()?, key_of(visit)?);
        let changed = password_typed_twice(&form).and_then(|password| {
            let change = UserChange { password: Some(password), ..UserChange::default() };
            visit.desk().people.update_user(&visit.caller, group.id, &key, change)
        });
        match changed {
            Ok(updated) => Ok(visit.done(&address(&updated.member), "The password is set.")),
            Err(error) => {
                let member = visit.desk().people.member(&visit.caller, group.id, &key)?;
                let fields = [("password", "password"), ("again", "again")];
                let (status, fill) = refused(Fill::default(), error, &fields)?;
                show(visit, &group, &member, status, &details_of(visit, &member), &fill, None)
            }
        }
    })
}

fn post_user_state(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form, key) = (visit.group()?, call.form()?, key_of(visit)?);
        let to = form.filled("to").unwrap_or_default();
        let mut change = UserChange::default();
        let sentence = match to.as_str() {
            "suspended" => {
                change.suspended = Some(true);
                "The user is suspended and can no longer sign in."
            }
            "reinstated" => {
                change.suspended = Some(false);
                "The user is reinstated."
            }
            "inactive" => {
                change.active = Some(false);
                "The user is now inactive."
            }
            "active" => {
                change.active = Some(true);
                "The user is now active again."
            }
            "administrator" => {
                change.administrator = Some(true);
                "The user is now an administrator of this group."
            }
            "member" => {
                change.administrator = Some(false);
                "The user is no longer an administrator of this group."
            }
            "unlocked" => {
                visit.desk().people.clear_lockout(&visit.caller, group.id, &key)?;
                "The lockout is cleared."
            }
            _ => return Err(Error::invalid("state_unknown", "to", "There is no such state.")),
        };
        let updated = visit.desk().people.update_user(&visit.caller, group.id, &key, change)?;
        let member = &updated.member;
        let shut = to == "administrator" && !member.user.has_password;
        let more = if shut { " They cannot open the console until a password is set." } else { "" };
        Ok(visit.done(&address(member), &format!("{sentence}{more}")))
    })
}

fn get_delete_user(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let member = visit.desk().people.member(&visit.caller, group.id, &key_of(visit)?)?;
        let back = address(&member);
        let last = match member.user.signed_in_at {
            None => "They never signed in.".to_owned(),
            Some(at) => {
                let at = at.to_string();
                format!("They last signed in at {} UTC.", at.get(..16).unwrap_or(&at).replace('T', " "))
            }
        };
        let deed = confirm::Deed {
            question: &format!("Delete {}?", member.user.address),
            consequences: &[
                "The user is removed from this group permanently. A user with no other group is deleted.",
                &last,
                "This user's login keys, tokens and sessions are refused at once.",
                "The PUID and the Glance Address can then be used for another user. The access log keeps its rows.",
            ],
            action: &format!("{back}/delete"),
            words: "Delete user",
            back: &back,
            ..confirm::Deed::default()
        };
        let frame = visit.frame(Some(&group));
        let crumbs = [(frame.back_to(&format!("/console/groups/{}/users", group.id)), "Users")];
        Ok(answer::html(200, confirm::page(&frame, MenuEntry::Users, &crumbs, &deed)))
    })
}

fn post_delete_user(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let gone = visit.desk().people.delete_user(&visit.caller, group.id, &key_of(visit)?)?;
        let sentence = format!("{} is deleted.", gone.user.address);
        Ok(visit.done(&format!("/console/groups/{}/users", group.id), &sentence))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_that_is_no_number_takes_no_role_away() {
        assert_eq!(role_chosen("").ok(), Some(RoleChoice::None));
        assert_eq!(role_chosen("7").ok(), Some(RoleChoice::Numbered(RoleId(7))));
        for odd in ["Sales", "keep", "7a", " ", "99999999999999999999"] {
            assert_eq!(role_chosen(odd).err().map(|error| error.code), Some("role_malformed"), "{odd:?}");
        }
    }
}
