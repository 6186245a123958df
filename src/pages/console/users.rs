//! A group's users: search, filter, paging; one to be made, one to be taken in from another group.

use maud::{Markup, html};

use super::{crumbs, name_of, own, states};
use crate::clock::Timestamp;
use crate::model::{Member, Role, UserId};
use crate::pages::components::{Weight, button, card, empty, header, link_button, pager, table, time_or};
use crate::pages::form::{self, Field, Fill};
use crate::pages::layout::{Frame, Place, console};

/// What the list shows.
pub struct UsersView<'a> {
    pub members: &'a [Member],
    /// All that fit the filters, when they were counted.
    pub count: Option<u64>,
    /// Search, role and state, as they were given.
    pub fill: &'a Fill,
    /// The query of the filters, percent-encoded.
    pub query: &'a str,
    /// Where the next page begins.
    pub next: Option<UserId>,
    /// Whether this is not the first page.
    pub later: bool,
    pub roles: &'a [Role],
    pub now: Timestamp,
}

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

/// A page of the list.
pub fn list(frame: &Frame<'_>, view: &UsersView<'_>) -> String {
    let address = own(frame, "/users");
    let actions = html! {
        (link_button(&own(frame, "/users/upload"), "Upload CSV", false))
        (link_button(&own(frame, "/users.csv"), "Export CSV", false))
        (link_button(&own(frame, "/users/new"), "New user", true))
    };
    let mut roles = vec![(String::new(), "Any role".to_owned()), (NO_ROLE.to_owned(), "No role".to_owned())];
    roles.extend(view.roles.iter().map(|role| (role.id.to_string(), role.name.clone())));
    let states: Vec<_> =
        STATES.iter().map(|(value, words)| ((*value).to_owned(), (*words).to_owned())).collect();
    let filters = form::ask(
        &address,
        &html! {
            div.field.wide {
                label for="f-search" { "Search" }
                input id="f-search" name="search" type="search" value=(view.fill.value("search")) autocomplete="off"
                    placeholder="Name, address, PUID or e-mail";
            }
            (Field::select("role", "Role", &roles).draw(view.fill))
            (Field::select("state", "State", &states).draw(view.fill))
            (button("Go", Weight::Primary))
        },
    );
    let next = view.next.map(|id| format!("{address}?{}&after={id}", view.query));
    let first = view.later.then(|| format!("{address}?{}", view.query));
    let sentence = match view.count {
        Some(1) => "1 user".to_owned(),
        Some(count) => format!("{count} users"),
        None => String::new(),
    };
    let rows: Vec<_> = view.members.iter().map(|member| row(frame, member, view.now)).collect();
    let content = html! {
        (header(&crumbs(frame, &[]), "Users", "The people of this group.", &actions))
        section.card.flush {
            div.pad { (filters) }
            @if rows.is_empty() {
                (empty(if view.query.is_empty() { "There is nobody yet." } else { "Nobody fits." }, &link_button(&own(frame, "/users/new"), "New user", false)))
            } @else {
                (table("Users", &["Name", "Glance Address", "PUID", "Role", "State", "Signed in"], &rows))
                (pager(&sentence, first.as_deref(), next.as_deref()))
            }
        }
    };
    console(frame, Place::Users, "Users", false, &content)
}

fn row(frame: &Frame<'_>, member: &Member, now: Timestamp) -> Vec<Markup> {
    vec![
        html! { a.primary href=(own(frame, &format!("/users/{}", member.user.id))) { (name_of(member)) } },
        html! { (member.user.address) },
        html! { @match &member.membership.puid { Some(puid) => code { (puid) }, None => span.muted { "None" } } },
        html! { @match &member.role_name { Some(role) => (role), None => span.muted { "None" } } },
        states(member, now),
        time_or(member.user.signed_in_at, "Never"),
    ]
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
        &own(frame, "/users/new"),
        frame.token,
        &html! {
            (Field::text("address", "Glance Address").hint("Such as doe.john.example.glance.net. Nobody else may have it.")
                .required().draw(fill))
            (puid_field(fill))
            div.row {
                (Field::text("first_name", "First name").draw(fill))
                (Field::text("last_name", "Last name").draw(fill))
            }
            div.row {
                (Field::of_type("email", "E-mail address", "email").hint(EMAIL_HINT).draw(fill))
                (Field::of_type("phone", "Phone number", "tel").draw(fill))
            }
            (Field::select("role", "Role", &options).draw(fill))
            p.hint { "Nobody needs a password who signs in with login keys or SAML only." }
            div.row {
                (Field::password("password", "Password", "new-password").hint(rule).draw(fill))
                (Field::password("again", "The password again", "new-password").draw(fill))
            }
            (form::tick("administrator", "yes", "Administrator of this group",
                "May run this group in the console and through the provisioning API. Needs a password.", fill))
            div.actions { (button("Create user", Weight::Primary)) (link_button(&own(frame, "/users"), "Cancel", false)) }
        },
    );
    let take_in = form::post(
        &own(frame, "/users/add"),
        frame.token,
        &html! {
            (Field::text("member_address", "Glance Address").required().draw(join))
            (Field::text("member_puid", "Partner User ID (PUID) in this group").draw(join))
            div.actions { (button("Add to this group", Weight::Plain)) }
        },
    );
    let content = html! {
        (form::problems(fill))
        (form::problems(join))
        (header(&crumbs(frame, &[("/users", "Users")]), "New user", "", &html! {}))
        (card("", "", &form))
        @if frame.operator {
            (card("Add somebody who has a Glance Address already",
                "A user may belong to several groups, with a PUID in each.", &take_in))
        }
    };
    console(frame, Place::Users, "New user", fill.is_wrong() || join.is_wrong(), &content)
}

/// For what an e-mail address is good here.
pub const EMAIL_HINT: &str = "Single sign-on finds people by it too.";

pub(super) fn puid_field(fill: &Fill) -> Markup {
    Field::text("puid", "Partner User ID (PUID)")
        .hint("The user's ID in your own system. Login keys are made for it; letter case and spaces count.")
        .draw(fill)
}
