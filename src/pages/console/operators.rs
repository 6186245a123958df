//! Operators: the list, one to be added, and another's password.

use maud::html;

use crate::clock::Timestamp;
use crate::model::Operator;
use crate::pages::components::{
    ButtonStyle, TableRow, Tone, badge, button, card, header, link_button, table_of, time, time_or,
};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console};
use crate::pages::listing::{Listing, SortChoice};

/// The orders of the list.
pub const SORTS: [SortChoice; 6] = [
    ("name", "Name"),
    ("-name", "Name, Z first"),
    ("-signed_in", "Latest sign-in"),
    ("signed_in", "Earliest sign-in"),
    ("-made", "Newest"),
    ("made", "Oldest"),
];

/// What the list shows.
pub struct OperatorsView<'a> {
    pub listing: &'a Listing,
    pub operators: &'a [Operator],
    /// The search, as it was given.
    pub search: &'a Fill,
    /// The form that adds one.
    pub fill: &'a Fill,
    pub now: Timestamp,
}

/// A page of the operators, and the form that adds one.
pub fn list(frame: &Frame<'_>, view: &OperatorsView<'_>) -> String {
    let (listing, fill) = (view.listing, view.fill);
    let rows: Vec<_> =
        view.operators.iter().map(|operator| row(frame, listing, operator, view.now)).collect();
    let filters = form::ask(
        "Operators",
        &listing.address,
        &html! {
            div.field.wide {
                label for="f-search" { "Name" }
                input id="f-search" name="search" type="search" value=(view.search.value("search")) autocomplete="off";
            }
            (listing.sort_field(&SORTS))
            (button("Search", ButtonStyle::Plain))
        },
    );
    let heads = [
        listing.head("Name", "name"),
        listing.head("Signed in (UTC)", "-signed_in"),
        listing.head("Made (UTC)", "-made"),
    ];
    let add = form::post(
        "/console/operators",
        frame.token,
        &html! {
            (FormField::text("name", "Name").required().draw(fill))
            (FormField::password("password", "Password", "new-password").hint("At least 9 characters.").required().draw(fill))
            (FormField::password("again", "The password again", "new-password").required().draw(fill))
            div.actions { (button("Add operator", ButtonStyle::Primary)) }
        },
    );
    let lead = "Operators run this server. They see all groups and can do everything in the console.";
    let content = html! {
        (form::problems(fill))
        (header(&[], "Operators", lead, &html! {}))
        section.card.flush {
            div.pad { (filters) }
            (listing.found())
            @if rows.is_empty() { (listing.none("There is no operator.", &html! {})) }
            @else {
                (table_of("Operators", &heads, &rows))
                (listing.pager())
            }
        }
        (card("Add an operator", "", &add))
    };
    console(frame, MenuEntry::Operators, "Operators", fill.is_wrong(), &content)
}

fn row(frame: &Frame<'_>, listing: &Listing, operator: &Operator, now: Timestamp) -> TableRow {
    let locked = operator.is_locked(now);
    let cells = vec![
        html! {
            a.primary href=(listing.to(&format!("/console/operators/{}", operator.id))) { (operator.name) }
            @if operator.name == frame.who { " " (badge(Tone::Info, "You")) }
            @if locked { " " (badge(Tone::Warn, "Locked")) }
        },
        time_or(operator.signed_in_at, "Never"),
        time(operator.created_at),
    ];
    TableRow { cells, below: None }
}

/// One operator: password, lockout, delete.
pub fn one(frame: &Frame<'_>, operator: &Operator, now: Timestamp, fill: &Fill) -> String {
    let address = format!("/console/operators/{}", operator.id);
    let password = form::post(
        &frame.onward(&format!("{address}/password")),
        frame.token,
        &html! {
            (form::whose(&operator.name))
            (FormField::password("password", "New password", "new-password").hint("At least 9 characters.").required().draw(fill))
            (FormField::password("again", "The new password again", "new-password").required().draw(fill))
            div.actions { (button("Set password", ButtonStyle::Primary)) }
        },
    );
    let locked = operator.is_locked(now);
    let actions = html! {
        @if locked {
            (form::post_button(&frame.onward(&format!("{address}/clear-lockout")), frame.token, &button("Clear lockout", ButtonStyle::Plain)))
        }
        (link_button(&frame.onward(&format!("{address}/delete")), "Delete…", false))
    };
    let crumbs = [(frame.back_to("/console/operators"), "Operators")];
    let content = html! {
        (form::problems(fill))
        (header(&crumbs, &operator.name, "", &actions))
        (card("Password", "A new password ends the operator's sessions.", &password))
    };
    console(frame, MenuEntry::Operators, &operator.name, fill.is_wrong(), &content)
}
