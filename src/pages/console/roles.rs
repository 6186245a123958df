//! Roles: the list, one to be made, one to be changed.

use maud::{Markup, html};

use super::{crumbs, own};
use crate::model::Role;
use crate::pages::components::{Weight, button, card, empty, header, link_button, table};
use crate::pages::form::{self, Field, Fill};
use crate::pages::layout::{Frame, Place, console};

/// A role, and how many have it.
pub struct RoleLine {
    pub role: Role,
    pub active_users: u64,
    /// Members of before.
    pub inactive_users: u64,
    /// Names of the settings that are on.
    pub on: Vec<String>,
}

/// The name of the boxes of a form with settings.
pub const SETTING_FIELD: &str = "setting";

/// All roles of a group.
pub fn list(frame: &Frame<'_>, roles: &[RoleLine], without: u64) -> String {
    let rows: Vec<Vec<Markup>> = roles
        .iter()
        .map(|line| {
            vec![
                html! {
                    a.primary href=(own(frame, &format!("/roles/{}", line.role.id))) { (line.role.name) }
                    @if !line.role.description.is_empty() { p.small.muted { (line.role.description) } }
                },
                html! {
                    a href=(own(frame, &format!("/users?role={}", line.role.id))) { (line.active_users) }
                    @if line.inactive_users > 0 { span.muted { " and " (line.inactive_users) " inactive" } }
                },
                html! { @if line.on.is_empty() { span.muted { "None" } } @else { (line.on.join(", ")) } },
            ]
        })
        .collect();
    let lead = "A role is a named set of settings. Users without a role get the group's settings.";
    let content = html! {
        (header(&crumbs(frame, &[]), "Roles", lead, &link_button(&own(frame, "/roles/new"), "New role", true)))
        section.card.flush {
            @if rows.is_empty() { (empty("This group has no roles yet.", &html! {})) }
            @else { (table("Roles", &["Role", "Users", "Settings that are on"], &rows)) }
        }
        p.muted { a href=(own(frame, "/users?role=none")) { (without) " without a role" } }
    };
    console(frame, Place::Roles, "Roles", false, &content)
}

/// The form of a role to be made, or, with `present`, of one to be changed. `settings` are the group's:
/// name, and whether the group has it on.
pub fn edit(
    frame: &Frame<'_>,
    present: Option<&RoleLine>,
    settings: &[(String, bool)],
    fill: &Fill,
) -> String {
    let title = present.map_or("New role", |line| line.role.name.as_str());
    let address = present
        .map_or_else(|| own(frame, "/roles/new"), |line| own(frame, &format!("/roles/{}", line.role.id)));
    let boxes = html! {
        @for (name, group_on) in settings {
            @let hint = if *group_on { "" } else { "Off for the whole group; a role keeps its own choice for when it comes back on." };
            (form::tick(SETTING_FIELD, name, name, hint, fill))
        }
    };
    let form = form::post(
        &address,
        frame.token,
        &html! {
            (Field::text("name", "Name").required().draw(fill))
            (Field::text("description", "Description").draw(fill))
            @if !settings.is_empty() { (form::fieldset("Settings", &boxes)) }
            div.actions {
                (button(if present.is_some() { "Save role" } else { "Create role" }, Weight::Primary))
                (link_button(&own(frame, "/roles"), "Cancel", false))
            }
        },
    );
    let delete = html! {
        @if present.is_some() { (link_button(&format!("{address}/delete"), "Delete…", false)) }
    };
    let content = html! {
        (form::problems(fill))
        (header(&crumbs(frame, &[("/roles", "Roles")]), title, "", &delete))
        (card("", "", &form))
    };
    console(frame, Place::Roles, title, fill.is_wrong(), &content)
}
