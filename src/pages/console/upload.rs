//! The CSV upload: the file and its role, what it will do, how far it is, what it did. Wire contract §7.

use maud::{Markup, html};

use super::{crumbs, own};
use crate::model::Role;
use crate::pages::components::{
    ButtonStyle, Tone, badge, breakable, button, card, code, empty, flush_card, header, link_button, notice,
    table,
};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console, console_again};
use crate::pages::listing::Listing;

/// The value of the role field that leaves roles as they are.
pub const KEEP_ROLES: &str = "keep";

/// The value of a column's field that leaves the column out.
pub const LEAVE_OUT: &str = "leave-out";

/// The name of the field that says what a column of the file is; columns count from 0.
pub fn column_field(at: usize) -> String {
    format!("column-{at}")
}

/// One row of the file, as it is shown.
pub struct RowLine {
    pub line: u64,
    pub address: String,
    pub tone: Tone,
    /// "Created", "Changed", "Unchanged", "Refused".
    pub outcome: &'static str,
    pub changes: Vec<ChangeLine>,
    /// Why the row is refused; "" when it is not.
    pub detail: String,
    /// What to do, or what looks like a slip; "" when there is nothing.
    pub remedy: String,
}

/// A field that changes.
pub struct ChangeLine {
    pub field: &'static str,
    /// What stands there, and what will; `None` when it is not shown.
    pub values: Option<(String, String)>,
}

/// The columns of a file of which not all are known.
pub struct ColumnsView<'a> {
    /// Where the form is sent.
    pub address: &'a str,
    /// As they stand in the file.
    pub names: &'a [&'a str],
    /// The columns that there may be.
    pub ours: &'a [&'a str],
    /// Why the file cannot be read as it is; empty when it can.
    pub problems: &'a [&'a str],
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
    /// What the columns were read as, where their names do not say so.
    pub columns: &'a [String],
    /// The list of which `lines` is a page.
    pub listing: Listing,
    /// Refused rows first.
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
            (FormField::file("file", "CSV file").hint("UTF-8, with commas or semicolons, at most 100,000 rows and 24 MB.")
                .required().draw(fill))
            (FormField::select("role", "Role for every row", &options).draw(fill))
            div.actions { (button("Show the preview", ButtonStyle::Primary)) (link_button(&own(frame, "/users"), "Cancel", false)) }
        },
    );
    let rules = html! {
        (code("The first line names the columns", columns))
        p { (link_button(&own(frame, "/users-template.csv"), "Download a template", false)) }
        ul {
            li { "Each row is matched by GlanceAddress; if no user has it, a new user is created. If the PUID differs, it is changed. You can also give a PUID to a user who has none." }
            li { "An empty cell or a missing column does not change the stored value." }
            li { "If a column has another name, you are asked to map it to one of these or to ignore it." }
            li { "You see a preview before anything is changed." }
        }
    };
    let content = html! {
        (form::problems(fill))
        (header(&crumbs(frame, &[("/users", "Users")]), "Upload CSV", "Create or change many users at once.", &html! {}))
        (card("", "", &upload))
        (card("The file", "", &rules))
    };
    console(frame, MenuEntry::Users, "Upload CSV", fill.is_wrong(), &content)
}

/// What a file will do, or did.
pub fn preview(frame: &Frame<'_>, view: &PreviewView<'_>) -> String {
    let title = if view.applied { "The upload is done" } else { "Preview of the upload" };
    let content = html! {
        (header(&crumbs(frame, &[("/users", "Users")]), title, "", &html! {}))
        @if let Some(failure) = view.failure { (notice(Tone::Bad, &html! { p { (failure) } })) }
        div.tiles {
            (count(view.created, "Created"))
            (count(view.changed, "Changed"))
            (count(view.unchanged, "Unchanged"))
            (count(view.refused, "Refused"))
        }
        @if !view.columns.is_empty() || !view.applied { (read_as(view)) }
        @if view.applied {
            div.actions { (link_button(&own(frame, "/users"), "To the users", true)) }
        } @else { (card("", "", &apply(frame, view))) }
        (flush_card("Rows", "Refused rows first, then rows with a remark, then changed rows.", &rows(view)))
    };
    console(frame, MenuEntry::Users, title, view.failure.is_some(), &content)
}

fn read_as(view: &PreviewView<'_>) -> Markup {
    card(
        "The columns",
        "",
        &html! {
            @if view.columns.is_empty() { p { "All columns were recognized by their names." } }
            @else { ul { @for sentence in view.columns { li { (sentence) } } } }
            @if !view.applied {
                div.actions { (link_button(&format!("{}/columns", view.address), "Change the columns", false)) }
            }
        },
    )
}

/// Asks which column of the file is which.
pub fn columns(frame: &Frame<'_>, view: &ColumnsView<'_>, fill: &Fill) -> String {
    let mut options = vec![
        (String::new(), "Choose what it is".to_owned()),
        (LEAVE_OUT.to_owned(), "Leave this column out".to_owned()),
    ];
    options.extend(view.ours.iter().map(|ours| ((*ours).to_owned(), (*ours).to_owned())));
    let labels: Vec<(String, String)> = view
        .names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let name = if name.is_empty() { "without a name" } else { name };
            (column_field(at), format!("Column {}: {name}", at.saturating_add(1)))
        })
        .collect();
    let form = form::post(
        view.address,
        frame.token,
        &html! {
            @for (field, label) in &labels { (FormField::select(field, label, &options).draw(fill)) }
            div.actions {
                (button("Show the preview", ButtonStyle::Primary))
                (link_button(&own(frame, "/users/upload"), "Choose another file", false))
            }
        },
    );
    let title = "Which column is which";
    let lead = "Nothing is changed yet. GlanceAddress is required; the other columns are optional.";
    let content = html! {
        (form::problems(fill))
        (header(&crumbs(frame, &[("/users", "Users")]), title, lead, &html! {}))
        @if !fill.is_wrong() && !view.problems.is_empty() {
            (notice(Tone::Warn, &html! { @for problem in view.problems { p { (problem) } } }))
        }
        (card("Columns of the file", "Map each column, or ignore it.", &form))
    };
    console(frame, MenuEntry::Users, title, fill.is_wrong(), &content)
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
                (form::tick("skip_refused", "yes", "Skip the refused rows and apply the others",
                    "Otherwise, if any row is refused, nothing is changed.", &Fill::default()))
            }
            div.actions {
                (button("Apply", ButtonStyle::Primary))
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
                html! {
                    @if !line.changes.is_empty() { ul.changes { @for change in &line.changes { li { (changed(change)) } } } }
                    (line.detail)
                    @if !line.remedy.is_empty() { p.small.muted { (line.remedy) } }
                },
                html! { (breakable(&line.address)) },
            ]
        })
        .collect();
    html! {
        (table("Rows of the file", &["Line", "Outcome", "Detail", "Glance Address"], &rows))
        (view.listing.pager())
    }
}

fn changed(change: &ChangeLine) -> Markup {
    let value = |text: &str| match text {
        "" => html! { span.muted { "blank" } },
        text => breakable(text),
    };
    html! {
        b { (change.field) ":" } " "
        @match &change.values {
            Some((old, new)) => { (value(old)) " " span aria-hidden="true" { "→" } span.unseen { "becomes" } " " (value(new)) },
            None => span.muted { "new value not shown" },
        }
    }
}

/// How far a long file is; asks again by itself.
pub fn progress(frame: &Frame<'_>, done: usize, all: usize) -> String {
    let content = html! {
        (header(&crumbs(frame, &[("/users", "Users")]), "Uploading", "This page reloads every second.", &html! {}))
        (card("", "", &html! {
            @if all == 0 {
                p { "Reading the file, and preparing passwords." }
            } @else {
                label for="f-progress" { (done) " of " (all) " rows" }
                progress id="f-progress" max=(all) value=(done) {}
            }
        }))
    };
    console_again(frame, MenuEntry::Users, "Uploading", 1, &content)
}
