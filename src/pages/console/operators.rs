//! Operators: the list, one to be added, and another's password.

use maud::html;

use crate::clock::Timestamp;
use crate::model::Operator;
use crate::pages::components::{
    Tone, Weight, badge, button, card, header, link_button, table, time, time_or,
};
use crate::pages::form::{self, Field, Fill};
use crate::pages::layout::{Frame, Place, console};

/// All operators, and the form that adds one.
pub fn list(frame: &Frame<'_>, operators: &[Operator], now: Timestamp, fill: &Fill) -> String {
    let rows: Vec<_> = operators
        .iter()
        .map(|operator| {
            let address = format!("/console/operators/{}", operator.id);
            let locked = operator.locked_until.is_some_and(|until| now < until);
            vec![
                html! {
                    a.primary href=(address) { (operator.name) }
                    @if operator.name == frame.who { " " (badge(Tone::Info, "You")) }
                    @if locked { " " (badge(Tone::Warn, "Locked")) }
                },
                time_or(operator.signed_in_at, "Never"),
                time(operator.created_at),
            ]
        })
        .collect();
    let add = form::post(
        "/console/operators",
        frame.token,
        &html! {
            (Field::text("name", "Name").required().draw(fill))
            (Field::password("password", "Password", "new-password").hint("At least 9 characters.").required().draw(fill))
            (Field::password("again", "The password again", "new-password").required().draw(fill))
            div.actions { (button("Add operator", Weight::Primary)) }
        },
    );
    let lead = "People who run this server: they see all groups and can do everything in the console.";
    let content = html! {
        (form::problems(fill))
        (header(&[], "Operators", lead, &html! {}))
        section.card.flush { (table("Operators", &["Name", "Signed in", "Made"], &rows)) }
        (card("Add an operator", "", &add))
    };
    console(frame, Place::Operators, "Operators", fill.is_wrong(), &content)
}

/// One operator: password, lockout, delete.
pub fn one(frame: &Frame<'_>, operator: &Operator, now: Timestamp, fill: &Fill) -> String {
    let address = format!("/console/operators/{}", operator.id);
    let password = form::post(
        &format!("{address}/password"),
        frame.token,
        &html! {
            (form::whose(&operator.name))
            (Field::password("password", "New password", "new-password").hint("At least 9 characters.").required().draw(fill))
            (Field::password("again", "The new password again", "new-password").required().draw(fill))
            div.actions { (button("Set password", Weight::Primary)) }
        },
    );
    let locked = operator.locked_until.is_some_and(|until| now < until);
    let actions = html! {
        @if locked {
            (form::post_button(&format!("{address}/clear-lockout"), frame.token, &button("Clear lockout", Weight::Plain)))
        }
        (link_button(&format!("{address}/delete"), "Delete…", false))
    };
    let crumbs = [("/console/operators".to_owned(), "Operators")];
    let content = html! {
        (form::problems(fill))
        (header(&crumbs, &operator.name, "", &actions))
        (card("Password", "Their sessions end, and they sign in with the new one.", &password))
    };
    console(frame, Place::Operators, &operator.name, fill.is_wrong(), &content)
}
