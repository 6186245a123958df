//! Groups: all of them, for operators; one to be made; and the overview of one.

use maud::{Markup, html};

use super::access_log::{LogLine, lines};
use super::{at, guessed_origin, own};
use crate::model::Group;
use crate::model::lists::thousands;
use crate::model::sso::Status;
use crate::pages::components::{
    ButtonStyle, ColumnHead, TableRow, Tone, badge, button, card, code, flush_card, header, link_button,
    notice, pairs, table_of, tile, time, time_or,
};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console, group_address};
use crate::pages::listing::{Listing, SortChoice};

/// What the list shows.
pub struct GroupsView<'a> {
    pub listing: &'a Listing,
    pub lines: &'a [GroupRow],
    /// Search and filters, as they were given.
    pub fill: &'a Fill,
    pub recent: &'a [LogLine],
}

/// A group in the list.
pub struct GroupRow {
    pub group: Group,
    pub users: u64,
    /// `None` while single sign-on is off.
    pub sso: Option<Status>,
}

/// The orders of the list.
pub const SORTS: [SortChoice; 8] = [
    ("name", "Name"),
    ("-name", "Name, Z first"),
    ("id", "Group ID"),
    ("-id", "Group ID, highest first"),
    ("-users", "Most users"),
    ("users", "Fewest users"),
    ("-made", "Newest"),
    ("made", "Oldest"),
];

/// The options of the filter by single sign-on.
pub fn sso_filter() -> Vec<(String, String)> {
    [("", "Any"), ("on", "SSO on"), ("off", "SSO off")].map(|(v, w)| (v.to_owned(), w.to_owned())).to_vec()
}

/// All groups, and the box that opens an incident code.
pub fn list(frame: &Frame<'_>, view: &GroupsView<'_>) -> String {
    let listing = view.listing;
    let rows: Vec<_> = view.lines.iter().map(|line| row(listing, line)).collect();
    let new = link_button("/console/groups/new", "New group", true);
    let filters = form::ask(
        "Groups",
        &listing.address,
        &html! {
            div.field.wide {
                label for="f-search" { "Name, Group ID or Unique Account ID" }
                input id="f-search" name="search" type="search" value=(view.fill.value("search")) autocomplete="off";
            }
            (FormField::select("sso", "Single sign-on", &sso_filter()).draw(view.fill))
            (listing.sort_field(&SORTS))
            (button("Search", ButtonStyle::Plain))
        },
    );
    let heads = [
        listing.head("Group", "name"),
        listing.head("Group ID", "id"),
        listing.head("Users", "-users"),
        ColumnHead::from("Single sign-on"),
        ColumnHead::from("API key"),
        listing.head("Made (UTC)", "-made"),
    ];
    let content = html! {
        (header(&[], "Groups", "Customer accounts, each with its own users, roles and API key.", &new))
        section.card.flush {
            div.pad { (filters) }
            (listing.found())
            @if rows.is_empty() {
                (listing.none("There are no groups yet. Create the first one. Clients send its number as the Group ID.", &html! {}))
            } @else {
                (table_of("Groups", &heads, &rows))
                (listing.pager())
            }
        }
        (incident_box("/console/incidents"))
        (flush_card("Latest in the access log", "", &lines(view.recent, true)))
    };
    console(frame, MenuEntry::Groups, "Groups", false, &content)
}

fn row(listing: &Listing, line: &GroupRow) -> TableRow {
    let group = &line.group;
    let cells = vec![
        html! {
            a.primary href=(listing.to(&group_address(group.id))) { (group.name) }
            @if group.off_since.is_some() { " " (badge(Tone::Bad, "Switched off")) }
        },
        html! { (group.id) },
        html! { a href=(at(group.id, "/users")) { (thousands(line.users)) } },
        sso_state(line.sso),
        key_state(group),
        time(group.created_at),
    ];
    TableRow { cells, below: None }
}

fn sso_state(sso: Option<Status>) -> Markup {
    match sso {
        None => badge(Tone::Plain, "Off"),
        Some(Status::Provisioning) => badge(Tone::Warn, "Provisioning"),
        Some(Status::Production) => badge(Tone::Good, "Production"),
    }
}

fn key_state(group: &Group) -> Markup {
    if group.has_api_key { badge(Tone::Good, "Set") } else { badge(Tone::Warn, "None") }
}

/// Opens an incident code, wherever one is at hand.
fn incident_box(action: &str) -> Markup {
    let ask = form::ask(
        "Explain a refusal",
        action,
        &html! {
            (FormField::of_type("code", "Incident code", "search").unmarked().short().draw(&Fill::default()))
            (button("Open", ButtonStyle::Plain))
        },
    );
    let sentence = "A refused user sees a code such as K7Q2-9XMD. Enter the code to see every check.";
    card("Explain a refusal", sentence, &ask)
}

/// The form of a group to be made.
pub fn new(frame: &Frame<'_>, fill: &Fill) -> String {
    let form = form::post(
        "/console/groups/new",
        frame.token,
        &html! {
            (FormField::text("id", "Group ID").hint("The number that clients send as partnerid. It cannot be changed later.")
                .required().short().draw(fill))
            (FormField::text("name", "Name").required().draw(fill))
            (FormField::text("account_id", "Unique Account ID")
                .hint("Needed only for sign-on by idptoken. An example is the Salesforce Org ID.").draw(fill))
            div.actions { (button("Create group", ButtonStyle::Primary)) (link_button("/console/groups", "Cancel", false)) }
        },
    );
    let crumbs = [("/console/groups".to_owned(), "Groups")];
    let content = html! {
        (form::problems(fill))
        (header(&crumbs, "New group", "", &html! {}))
        (card("", "", &form))
    };
    console(frame, MenuEntry::Groups, "New group", fill.is_wrong(), &content)
}

/// What a group's overview shows.
pub struct Home<'a> {
    pub group: &'a Group,
    pub users: u64,
    pub roles: usize,
    /// Scheme and authority of this server.
    pub origin: &'a str,
    /// Whether that is only what the browser says.
    pub origin_is_guessed: bool,
    pub recent: &'a [LogLine],
}

/// The overview of one group.
pub fn home(frame: &Frame<'_>, home: &Home<'_>) -> String {
    let group = home.group;
    let crumbs = if frame.operator { vec![(frame.back_to("/console/groups"), "Groups")] } else { Vec::new() };
    let facts = pairs(&[
        ("Group ID", html! { (group.id) }),
        (
            "Unique Account ID",
            html! { @match &group.account_id { Some(id) => (id), None => span.muted { "None" } } },
        ),
        ("API key", html! { (key_state(group)) " " a href=(own(frame, "/api-key")) { "See or change" } }),
        ("API key changed (UTC)", time_or(group.api_key_changed_at, "Never")),
        ("Made (UTC)", time(group.created_at)),
    ]);
    let addresses = html! {
        (guessed_origin(home.origin_is_guessed))
        (code("Agent join", &format!("{}/agentjoin/AgentJoin.aspx", home.origin)))
        (code("Authorize", &format!("{}/services/AuthorizationService.svc/rest/Authorize", home.origin)))
        (code("Provisioning (PAPI)", &format!("{}/PAPI/NewUser.asp", home.origin)))
        (code("SAML assertion consumer (ACS)", &format!("{}/account/GetLoginKey.aspx?sso=1&idpid={}", home.origin, group.id)))
    };
    let content = html! {
        (header(&crumbs, &group.name, "", &link_button(&at(group.id, "/users/new"), "New user", true)))
        @if group.off_since.is_some() {
            (notice(Tone::Bad, &html! {
                p { "This group is switched off: nobody can sign in to it. "
                    a href=(own(frame, "/settings")) { "Settings" } " has the switch." }
            }))
        }
        @if !group.has_api_key {
            (notice(Tone::Info, &html! {
                p { "This group has no API key, so no login key can be accepted: "
                    a href=(own(frame, "/api-key")) { "set one" } ". SAML sign-in does not need an API key: "
                    a href=(own(frame, "/sso")) { "SSO Configure" } "." }
            }))
        }
        div.tiles {
            (tile(&thousands(home.users), "Users", &own(frame, "/users")))
            (tile(&home.roles.to_string(), "Roles", &own(frame, "/roles")))
            (tile(if group.has_api_key { "Ready" } else { "No API key" }, "Make or check a login key", &own(frame, "/login-keys")))
        }
        div.columns {
            (card("About this group", "", &facts))
            (card("Addresses for clients", "Click an address to select it.", &addresses))
        }
        (incident_box(&own(frame, "/incidents")))
        (flush_card("Latest in the access log", "", &lines(home.recent, false)))
    };
    console(frame, MenuEntry::Home, &group.name, false, &content)
}
