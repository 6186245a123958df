//! Roles: the list, one to be made, changed, deleted.

use super::listing::{self, ListQuery};
use super::meanwhile;
use super::visit::{Visit, filled, get, post, refused, visit};
use crate::desk::ground::opened::{self, CHANGED_MEANWHILE};
use crate::desk::people::bulk::BulkError;
use crate::desk::people::roles::{NewRole, RoleChange, RoleView};
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::form::Params;
use crate::http::router::{App, Call, Route};
use crate::model::opened::Values;
use crate::model::{Group, Role, RoleId, Settings};
use crate::pages::console::{confirm, roles as pages};
use crate::pages::form::Fill;
use crate::pages::layout::MenuEntry;

pub const ROUTES: &[Route] = &[
    get("/console/groups/{group}/roles", get_roles),
    get("/console/groups/{group}/roles/new", get_new_role),
    post("/console/groups/{group}/roles/new", post_new_role),
    get("/console/groups/{group}/roles/{role}", get_role),
    post("/console/groups/{group}/roles/{role}", post_role),
    get("/console/groups/{group}/roles/{role}/delete", get_delete_role),
    post("/console/groups/{group}/roles/{role}/delete", post_delete_role),
];

const FIELDS: [(&str, &str); 2] = [("name", "name"), ("description", "description")];

fn get_roles(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let (roles, without) = visit.desk().people.roles(&visit.caller, group.id)?;
        let params = call.query();
        let search = params.filled("search").unwrap_or_default();
        let wanted = search.to_lowercase();
        let fits = |role: &Role| {
            role.name.to_lowercase().contains(&wanted) || role.description.to_lowercase().contains(&wanted)
        };
        // By name as they come, and so few that all are at hand (`ROLES_MAX`).
        let mut lines: Vec<_> = roles.into_iter().filter(|view| fits(&view.role)).map(line_of).collect();
        let asked = ListQuery::of(&params, &pages::SORTS);
        if asked.key() == "users" {
            lines.sort_by_key(|line| line.active_users);
        }
        if asked.descending() {
            lines.reverse();
        }
        let (asked, lines, count) = asked.cut(lines);
        let chips = listing::searched("search", &search).into_iter().collect();
        let address = format!("/console/groups/{}/roles", group.id);
        let listing = asked.listing(&address, &pages::SORTS, chips, ("role", "roles"), (lines.len(), count));
        let frame = visit.frame(Some(&group));
        let page = pages::list(&frame, &listing, &lines, without.active_users, &filled(&params));
        Ok(answer::html(200, page))
    })
}

fn line_of(view: RoleView) -> pages::RoleLine {
    let on = view.settings.iter().filter(|(_, on)| **on).map(|(name, _)| name.clone()).collect();
    pages::RoleLine {
        role: view.role,
        active_users: view.active_users,
        inactive_users: view.inactive_users,
        on,
    }
}

fn edit_page(
    visit: &Visit<'_>,
    group: &Group,
    present: Option<&pages::RoleLine>,
    status: u16,
    fill: &Fill,
) -> Result<Response> {
    let settings = visit.desk().people.group_settings(&visit.caller, group.id)?;
    let settings: Vec<_> = settings.into_iter().collect();
    Ok(answer::html(status, pages::edit(&visit.frame(Some(group)), present, &settings, fill)))
}

/// The boxes of the form, against the group's settings: ticked is on, the rest is off. What the group has
/// off is not touched, so that the role remembers it.
fn settings_of(visit: &Visit<'_>, group: &Group, params: &Params<'_>) -> Result<Settings> {
    let ticked = params.all(pages::SETTING_FIELD);
    let known = visit.desk().people.group_settings(&visit.caller, group.id)?;
    let wanted = known.into_iter().filter(|(_, group_on)| *group_on);
    Ok(wanted.map(|(name, _)| (name.clone(), ticked.iter().any(|ticked| *ticked == name))).collect())
}

fn get_new_role(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| edit_page(visit, &visit.group()?, None, 200, &Fill::default()))
}

fn post_new_role(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let new = NewRole {
            name: form.filled("name").unwrap_or_default(),
            description: form.filled("description").unwrap_or_default(),
            settings: settings_of(visit, &group, &form)?,
        };
        match visit.desk().people.create_role(&visit.caller, group.id, new) {
            Ok(role) => {
                let sentence = format!("The role {} is created.", role.name);
                Ok(visit.done(&format!("/console/groups/{}/roles", group.id), &sentence))
            }
            Err(error) => {
                let (status, fill) = refused(filled(&form), error, &FIELDS)?;
                edit_page(visit, &group, None, status, &fill)
            }
        }
    })
}

/// The role that the path names, and the values of its form.
fn present(visit: &Visit<'_>, group: &Group) -> Result<(pages::RoleLine, Values)> {
    let id = RoleId(visit.number("role")?);
    let view = visit.desk().people.role(&visit.caller, group.id, id)?;
    let values = opened::of_role(&view.role, &view.settings);
    Ok((line_of(view), values))
}

fn get_role(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let (line, values) = present(visit, &group)?;
        edit_page(visit, &group, Some(&line), 200, &Fill::opened(&values, &values))
    })
}

fn post_role(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let (line, _) = present(visit, &group)?;
        let change = RoleChange {
            name: Some(form.filled("name").unwrap_or_default()),
            description: Some(form.filled("description").unwrap_or_default()),
            settings: settings_of(visit, &group, &form)?,
            opened: meanwhile::opened(&form),
        };
        match visit.desk().people.update_role(&visit.caller, group.id, line.role.id, change) {
            Ok(role) => {
                let sentence = format!("The role {} is saved.", role.name);
                Ok(visit.done(&format!("/console/groups/{}/roles", group.id), &sentence))
            }
            Err(error) if error.code == CHANGED_MEANWHILE => {
                let (line, now) = present(visit, &group)?;
                let typed = meanwhile::typed(&form, &now);
                let before = meanwhile::opened(&form).unwrap_or_default();
                let subjects = [line.role.name.as_str(), before.value("name").unwrap_or_default()];
                let saved =
                    visit.desk().appliance.last_change(&visit.caller, group.id, "role.update", &subjects)?;
                let labels = [("name", "Name"), ("description", "Description")];
                let words = meanwhile::Words { labels: &labels, shown: &|_, _| None, choices: &[] };
                let fill = meanwhile::overtaken(&form, &typed, &now, &error, saved, words);
                edit_page(visit, &group, Some(&line), 409, &fill)
            }
            Err(error) => {
                let (status, fill) = refused(filled(&form), error, &FIELDS)?;
                edit_page(visit, &group, Some(&line), status, &fill)
            }
        }
    })
}

fn get_delete_role(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let (line, _) = present(visit, &group)?;
        let back = format!("/console/groups/{}/roles/{}", group.id, line.role.id);
        let users = line.active_users + line.inactive_users;
        let has = match users {
            0 => "Nobody has it.".to_owned(),
            1 => "One user has it.".to_owned(),
            several => format!("{several} users have it."),
        };
        let deed = confirm::Deed {
            question: &format!("Delete the role {}?", line.role.name),
            consequences: &[
                &has,
                "Only a role that nobody has can be deleted. Give its users another role first.",
            ],
            action: &format!("{back}/delete"),
            words: "Delete role",
            back: &back,
            ..confirm::Deed::default()
        };
        let frame = visit.frame(Some(&group));
        let crumbs = [(frame.back_to(&format!("/console/groups/{}/roles", group.id)), "Roles")];
        Ok(answer::html(200, confirm::page(&frame, MenuEntry::Roles, &crumbs, &deed)))
    })
}

fn post_delete_role(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let (line, _) = present(visit, &group)?;
        visit.desk().people.delete_roles(&visit.caller, group.id, vec![line.role.id]).map_err(of_one)?;
        let sentence = format!("The role {} is deleted.", line.role.name);
        Ok(visit.done(&format!("/console/groups/{}/roles", group.id), &sentence))
    })
}

/// The error of a call with one row.
fn of_one(error: BulkError) -> Error {
    match error {
        BulkError::Whole(error) => error,
        BulkError::Rows(rows) => match rows.into_iter().next() {
            Some((_, error)) => error,
            None => Error::fault("bulk_rows", "refused without a row"),
        },
    }
}
