//! A group's users: search, filter, paging; one to be made, one to be taken in from another group.

use maud::{Markup, html};

use super::{crumbs, name_of, own, states};
use crate::clock::Timestamp;
use crate::model::person::{ADDRESS, ADMINISTRATOR, LINES, PASSWORD, PUID, ROLE};
use crate::model::{Member, Role};
use crate::pages::components::{
    ButtonStyle, ColumnHead, TableRow, breakable, button, card, header, link_button, table_of, time_or,
};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console};
use crate::pages::listing::{Listing, SortChoice};

/// What the list shows.
pub struct UsersView<'a> {
    pub listing: &'a Listing,
    pub members: &'a [Member],
    /// Search, role and state, as they were given.
    pub fill: &'a Fill,
    pub roles: &'a [Role],
    pub now: Timestamp,
}

/// The orders of the list.
pub const SORTS: [SortChoice; 10] = [
    ("address", "Glance Address"),
    ("-address", "Glance Address, Z first"),
    ("name", "Last name"),
    ("-name", "Last name, Z first"),
    ("puid", "PUID"),
    ("-puid", "PUID, Z first"),
    ("role", "Role"),
    ("-role", "Role, Z first"),
    ("-signed_in", "Latest sign-in"),
    ("signed_in", "Earliest sign-in"),
];

/// The states to filter by: value and words.
pub const STATES: [(&str, &str); 6] = [
    ("", "Any state"),
    ("active", "Active"),
    ("suspended", "Suspended"),
    ("inactive", "Inactive"),
    ("locked", "Locked"),
    ("administrator", "Administrators"),
];

/// The value of the role filter for users without one.
pub const NO_ROLE: &str = "none";

/// The options of the role filter.
pub fn role_filter(roles: &[Role]) -> Vec<(String, String)> {
    let mut options =
        vec![(String::new(), "Any role".to_owned()), (NO_ROLE.to_owned(), "No role".to_owned())];
    options.extend(roles.iter().map(|role| (role.id.to_string(), role.name.clone())));
    options
}

/// The options of the state filter.
pub fn state_filter() -> Vec<(String, String)> {
    STATES.iter().map(|(value, words)| ((*value).to_owned(), (*words).to_owned())).collect()
}

/// A page of the list.
pub fn list(frame: &Frame<'_>, view: &UsersView<'_>) -> String {
    let listing = view.listing;
    let new = own(frame, "/users/new");
    let actions = html! {
        (link_button(&own(frame, "/users/upload"), "Upload CSV", false))
        (link_button(&own(frame, "/users.csv"), "Export CSV", false))
        (link_button(&listing.to(&new), "New user", true))
    };
    let filters = form::ask(
        "Users",
        &listing.address,
        &html! {
            div.field.wide {
                label for="f-search" { "Name, address, e-mail or PUID" }
                input id="f-search" name="search" type="search" value=(view.fill.value("search")) autocomplete="off";
            }
            (FormField::select("role", "Role", &role_filter(view.roles)).draw(view.fill))
            (FormField::select("state", "State", &state_filter()).draw(view.fill))
            (listing.sort_field(&SORTS))
            (button("Search", ButtonStyle::Plain))
        },
    );
    let heads = [
        listing.head("Name", "name"),
        listing.head("Glance Address", "address"),
        listing.head("PUID", "puid"),
        listing.head("Role", "role"),
        ColumnHead::from("State"),
        listing.head("Signed in (UTC)", "-signed_in"),
    ];
    let rows: Vec<_> = view.members.iter().map(|member| row(frame, listing, member, view.now)).collect();
    let content = html! {
        (header(&crumbs(frame, &[]), "Users", "", &actions))
        section.card.flush {
            div.pad { (filters) }
            (listing.found())
            @if rows.is_empty() {
                (listing.none("No users yet.", &link_button(&new, "New user", false)))
            } @else {
                (table_of("Users", &heads, &rows))
                (listing.pager())
            }
        }
    };
    console(frame, MenuEntry::Users, "Users", false, &content)
}

fn row(frame: &Frame<'_>, listing: &Listing, member: &Member, now: Timestamp) -> TableRow {
    let address = own(frame, &format!("/users/{}", member.user.id));
    let cells = vec![
        html! { a.primary href=(listing.to(&address)) { (name_of(member)) } },
        breakable(member.user.address.as_str()),
        html! { @match &member.membership.puid { Some(puid) => code { (puid) }, None => span.muted { "None" } } },
        html! { @match &member.role_name { Some(role) => (role), None => span.muted { "None" } } },
        states(member, now),
        time_or(member.user.signed_in_at, "Never"),
    ];
    TableRow { cells, below: None }
}

/// The options of a role field: none, then each.
pub(super) fn role_options(roles: &[Role]) -> Vec<(String, String)> {
    let mut options = vec![(String::new(), "No role".to_owned())];
    options.extend(roles.iter().map(|role| (role.id.to_string(), role.name.clone())));
    options
}

/// The form of a user to be made. Operators may also take somebody in from another group.
pub fn new(frame: &Frame<'_>, roles: &[Role], rule: &str, fill: &Fill, join: &Fill) -> String {
    let options = role_options(roles);
    let form = form::post(
        &frame.onward(&own(frame, "/users/new")),
        frame.token,
        &html! {
            (FormField::text(ADDRESS.name, ADDRESS.label).hint("Such as doe.john.example.glance.net. It must be unique.")
                .required().draw(fill))
            (puid_field(fill))
            (lines_of_text(fill))
            (FormField::select(ROLE.name, ROLE.label, &options).draw(fill))
            p.hint { "Users who sign in only with login keys or SAML need no password." }
            div.row {
                (FormField::password(PASSWORD.name, PASSWORD.label, "new-password").hint(rule).draw(fill))
                (FormField::password("again", "The password again", "new-password").draw(fill))
            }
            (form::tick(ADMINISTRATOR.name, "yes", ADMINISTRATOR.label, ADMINISTRATOR.hint, fill))
            div.actions { (button("Create user", ButtonStyle::Primary)) (link_button(&frame.back_to(&own(frame, "/users")), "Cancel", false)) }
        },
    );
    let take_in = form::post(
        &frame.onward(&own(frame, "/users/add")),
        frame.token,
        &html! {
            (FormField::text("member_address", "Glance Address").required().draw(join))
            (FormField::text("member_puid", "Partner User ID (PUID) in this group").draw(join))
            div.actions { (button("Add to this group", ButtonStyle::Plain)) }
        },
    );
    let content = html! {
        (form::problems(fill))
        (form::problems(join))
        (header(&crumbs(frame, &[("/users", "Users")]), "New user", "", &html! {}))
        (card("", "", &form))
        @if frame.operator {
            (card("Add a user who already has a Glance Address",
                "A user can belong to several groups, with a different PUID in each.", &take_in))
        }
    };
    console(frame, MenuEntry::Users, "New user", fill.is_wrong() || join.is_wrong(), &content)
}

/// A person's lines of text, two in a row.
pub(super) fn lines_of_text(fill: &Fill) -> Markup {
    html! {
        @for row in LINES.chunks(2) {
            div.row {
                @for line in row { (FormField::of_type(line.name, line.label, line.input).hint(line.hint).draw(fill)) }
            }
        }
    }
}

pub(super) fn puid_field(fill: &Fill) -> Markup {
    FormField::text(PUID.name, PUID.label).hint(PUID.hint).draw(fill)
}
