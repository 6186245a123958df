//! Roles: the list, one to be made, one to be changed.

use maud::html;

use super::{crumbs, own};
use crate::model::Role;
use crate::model::lists::thousands;
use crate::model::opened::SETTING;
use crate::pages::components::{
    ButtonStyle, ColumnHead, TableRow, button, card, header, link_button, table_of,
};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console};
use crate::pages::listing::{Listing, SortChoice};

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
pub const SETTING_FIELD: &str = SETTING;

/// The orders of the list.
pub const SORTS: [SortChoice; 4] =
    [("name", "Name"), ("-name", "Name, Z first"), ("-users", "Most users"), ("users", "Fewest users")];

/// A page of a group's roles; `without` is how many users have none.
pub fn list(frame: &Frame<'_>, listing: &Listing, roles: &[RoleLine], without: u64, fill: &Fill) -> String {
    let rows: Vec<_> = roles.iter().map(|line| row(frame, listing, line)).collect();
    let filters = form::ask(
        "Roles",
        &listing.address,
        &html! {
            div.field.wide {
                label for="f-search" { "Name or description" }
                input id="f-search" name="search" type="search" value=(fill.value("search")) autocomplete="off";
            }
            (listing.sort_field(&SORTS))
            (button("Search", ButtonStyle::Plain))
        },
    );
    let heads = [
        listing.head("Role", "name"),
        listing.head("Users", "-users"),
        ColumnHead::from("Settings that are on"),
    ];
    let lead = "A role is a named set of settings. Users without a role get the group's settings.";
    let new = link_button(&listing.to(&own(frame, "/roles/new")), "New role", true);
    let content = html! {
        (header(&crumbs(frame, &[]), "Roles", lead, &new))
        section.card.flush {
            div.pad { (filters) }
            (listing.found())
            @if rows.is_empty() { (listing.none("This group has no roles yet.", &html! {})) }
            @else {
                (table_of("Roles", &heads, &rows))
                (listing.pager())
            }
        }
        p.muted { a href=(own(frame, "/users?role=none")) { (thousands(without)) " without a role" } }
    };
    console(frame, MenuEntry::Roles, "Roles", false, &content)
}

fn row(frame: &Frame<'_>, listing: &Listing, line: &RoleLine) -> TableRow {
    let address = listing.to(&own(frame, &format!("/roles/{}", line.role.id)));
    let cells = vec![
        html! {
            a.primary href=(address) { (line.role.name) }
            @if !line.role.description.is_empty() { p.small.muted { (line.role.description) } }
        },
        html! {
            a href=(own(frame, &format!("/users?role={}", line.role.id))) { (thousands(line.active_users)) }
            @if line.inactive_users > 0 { span.muted { " and " (thousands(line.inactive_users)) " inactive" } }
        },
        html! { @if line.on.is_empty() { span.muted { "None" } } @else { (line.on.join(", ")) } },
    ];
    TableRow { cells, below: None }
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
            @let hint = if *group_on { "" } else { "Off for the whole group. The role's own choice applies again when the group turns it on." };
            (form::tick(SETTING_FIELD, name, name, hint, fill))
        }
    };
    let form = form::post(
        &frame.onward(&address),
        frame.token,
        &html! {
            (form::opened(fill))
            (FormField::text("name", "Name").required().draw(fill))
            (FormField::text("description", "Description").draw(fill))
            @if !settings.is_empty() { (form::fieldset("Settings", &boxes)) }
            div.actions {
                (button(if present.is_some() { "Save role" } else { "Create role" }, ButtonStyle::Primary))
                (link_button(&frame.back_to(&own(frame, "/roles")), "Cancel", false))
            }
        },
    );
    let delete = html! {
        @if present.is_some() { (link_button(&frame.onward(&format!("{address}/delete")), "Delete…", false)) }
    };
    let content = html! {
        (form::problems(fill))
        (header(&crumbs(frame, &[("/roles", "Roles")]), title, "", &delete))
        (card("", "", &form))
    };
    console(frame, MenuEntry::Roles, title, fill.is_wrong(), &content)
}
