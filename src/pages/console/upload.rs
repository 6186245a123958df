//! The CSV upload: the file and its role, what it will do, how far it is, what it did. Wire contract §7.

use maud::{Markup, html};

use super::{crumbs, own};
use crate::model::Role;
use crate::pages::components::{
    Tone, Weight, badge, button, card, code, empty, flush_card, header, link_button, notice, table,
};
use crate::pages::form::{self, Field, Fill};
use crate::pages::layout::{Frame, Place, console, console_again};

/// The value of the role field that leaves roles as they are.
pub const KEEP_ROLES: &str = "keep";

/// One row of the file, as it is shown.
pub struct RowLine {
    pub line: u64,
    pub address: String,
    pub tone: Tone,
    /// "Created", "Changed", "Unchanged", "Refused".
    pub outcome: &'static str,
    /// The fields that change, or why the row is refused.
    pub detail: String,
    /// What to do, or what looks like a slip; "" when there is nothing.
    pub remedy: String,
}

/// What a file will do, or did.
pub struct PreviewView<'a> {
    /// The upload's own address.
    pub address: &'a str,
    pub created: usize,
    pub changed: usize,
    pub unchanged: usize,
    pub refused: usize,
    /// Whether it is done.
    pub applied: bool,
    /// Refused rows first; not all of a long file.
    pub lines: &'a [RowLine],
    /// Why it was not applied, when somebody tried.
    pub failure: Option<&'a str>,
}

/// The form with the file.
pub fn form(frame: &Frame<'_>, roles: &[Role], columns: &str, fill: &Fill) -> String {
    let mut options = vec![(KEEP_ROLES.to_owned(), "Leave roles as they are".to_owned())];
    options.extend(super::users::role_options(roles));
    let upload = form::upload(
        &own(frame, "/users/upload"),
        frame.token,
        &html! {
            (Field::file("file", "CSV file").hint("UTF-8, with commas or semicolons, at most 100,000 rows and 24 MB.")
                .required().draw(fill))
            (Field::select("role", "Role for every row", &options).draw(fill))
            div.actions { (button("Show what it will do", Weight::Primary)) (link_button(&own(frame, "/users"), "Cancel", false)) }
        },
    );
    let rules = html! {
        (code("The first line names the columns", columns))
        p { (link_button(&own(frame, "/users-template.csv"), "Download a template", false)) }
        ul {
            li { "GlanceAddress finds the user, or makes a new one. A PUID that differs is changed: so PUIDs are given to users who have none." }
            li { "A blank cell, and a column that is not there, leave what is there." }
            li { "Nothing is changed before you have seen the preview." }
        }
    };
    let content = html! {
        (form::problems(fill))
        (header(&crumbs(frame, &[("/users", "Users")]), "Upload CSV", "Make or change many users at once.", &html! {}))
        (card("", "", &upload))
        (card("The file", "", &rules))
    };
    console(frame, Place::Users, "Upload CSV", fill.is_wrong(), &content)
}

/// What a file will do, or did.
pub fn preview(frame: &Frame<'_>, view: &PreviewView<'_>) -> String {
    let title = if view.applied { "The upload is done" } else { "What the upload will do" };
    let content = html! {
        (header(&crumbs(frame, &[("/users", "Users")]), title, "", &html! {}))
        @if let Some(failure) = view.failure { (notice(Tone::Bad, &html! { p { (failure) } })) }
        div.tiles {
            (count(view.created, "Created"))
            (count(view.changed, "Changed"))
            (count(view.unchanged, "Unchanged"))
            (count(view.refused, "Refused"))
        }
        @if view.applied {
            div.actions { (link_button(&own(frame, "/users"), "To the users", true)) }
        } @else { (card("", "", &apply(frame, view))) }
        (flush_card("Rows", "Refused rows first.", &rows(view)))
    };
    console(frame, Place::Users, title, view.failure.is_some(), &content)
}

fn count(number: usize, word: &str) -> Markup {
    html! { div.tile { b { (number) } span { (word) } } }
}

fn apply(frame: &Frame<'_>, view: &PreviewView<'_>) -> Markup {
    if view.created + view.changed == 0 {
        return html! {
            p { "There is nothing to do." }
            div.actions { (link_button(&own(frame, "/users/upload"), "Choose another file", false)) }
        };
    }
    form::post(
        view.address,
        frame.token,
        &html! {
            @if view.refused > 0 {
                (form::tick("skip_refused", "yes", "Leave the refused rows out and keep the others",
                    "Otherwise nothing is changed while any row is refused.", &Fill::default()))
            }
            div.actions {
                (button("Apply", Weight::Primary))
                (link_button(&own(frame, "/users/upload"), "Choose another file", false))
            }
        },
    )
}

fn rows(view: &PreviewView<'_>) -> Markup {
    if view.lines.is_empty() {
        return empty("The file has no rows.", &html! {});
    }
    let rows: Vec<_> = view
        .lines
        .iter()
        .map(|line| {
            vec![
                html! { (line.line) },
                badge(line.tone, line.outcome),
                html! { (line.detail) @if !line.remedy.is_empty() { p.small.muted { (line.remedy) } } },
                html! { (line.address) },
            ]
        })
        .collect();
    let all = view.created + view.changed + view.unchanged + view.refused;
    html! {
        (table("Rows of the file", &["Line", "Outcome", "Detail", "Glance Address"], &rows))
        @if rows.len() < all { p.pager { "The first " (rows.len()) " of " (all) " rows." } }
    }
}

/// How far a long file is; asks again by itself.
pub fn progress(frame: &Frame<'_>, done: usize, all: usize) -> String {
    let content = html! {
        (header(&crumbs(frame, &[("/users", "Users")]), "Uploading", "This page looks again every second.", &html! {}))
        (card("", "", &html! {
            @if all == 0 {
                p { "Reading the file, and preparing passwords." }
            } @else {
                label for="f-progress" { (done) " of " (all) " rows" }
                progress id="f-progress" max=(all) value=(done) {}
            }
        }))
    };
    console_again(frame, Place::Users, "Uploading", 1, &content)
}
