//! The access log: dates, outcome, search, rows that unfold, and the way to other pages and to the CSV file.
//! Columns: wire contract §9.

use maud::{Markup, html};

use crate::clock::Timestamp;
use crate::model::GroupId;
use crate::pages::components::{
    ButtonStyle, ColumnHead, TableRow, Tone, badge, breakable, button, empty, header, link_button, pairs,
    table_of, time,
};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console};
use crate::pages::listing::{Listing, SortChoice};

/// One row, as it is shown.
#[derive(Debug, Clone)]
pub struct LogLine {
    pub at: Timestamp,
    pub group: Option<GroupId>,
    pub ip: String,
    pub actor: String,
    pub operation: String,
    pub subject: String,
    pub detail: String,
    pub refused: bool,
    pub code: Option<String>,
    pub incident: Option<String>,
}

/// The values of the outcome field.
pub const ACCEPTED: &str = "accepted";
pub const REFUSED: &str = "refused";

/// What the page shows.
pub struct LogView<'a> {
    /// The list lives at `/console/access-log` or a group's.
    pub listing: &'a Listing,
    pub lines: &'a [LogLine],
    /// The dates, the outcome and the search, as they were given.
    pub fill: &'a Fill,
}

/// The orders of the log: that in which it was written, and the other way round.
pub const SORTS: [SortChoice; 2] = [("-at", "Newest first"), ("at", "Oldest first")];

/// The options of the filter by outcome.
pub fn outcomes() -> Vec<(String, String)> {
    [("", "Any outcome"), (ACCEPTED, "Accepted"), (REFUSED, "Refused")]
        .map(|(value, words)| (value.to_owned(), words.to_owned()))
        .to_vec()
}

/// A page of the access log.
pub fn page(frame: &Frame<'_>, view: &LogView<'_>) -> String {
    let all = frame.group.is_none();
    let listing = view.listing;
    let csv = format!("{}.csv?{}", listing.address, listing.filters());
    let filters = form::ask(
        "Access log",
        &listing.address,
        &html! {
            div.field.wide {
                label for="f-search" { "User, operation, IP address or incident" }
                input id="f-search" name="search" type="search" value=(view.fill.value("search")) autocomplete="off";
            }
            (FormField::of_type("from", "Start date (UTC)", "date").unmarked().draw(view.fill))
            (FormField::of_type("until", "End date (UTC)", "date").unmarked().draw(view.fill))
            (FormField::select("outcome", "Outcome", &outcomes()).draw(view.fill))
            (listing.sort_field(&SORTS))
            (button("Search", ButtonStyle::Plain))
        },
    );
    let lead = "Every sign-in, refusal and change. Rows are never changed or deleted.";
    let crumbs = if all { Vec::new() } else { super::crumbs(frame, &[]) };
    let heads = heads(listing.head(TIMESTAMP, "-at"));
    let rows: Vec<_> = view.lines.iter().map(|line| row(line, all)).collect();
    let content = html! {
        (form::problems(view.fill))
        (header(&crumbs, "Access log", lead, &link_button(&csv, "Export CSV", false)))
        section.card.flush {
            div.pad { (filters) }
            (listing.found())
            @if rows.is_empty() { (listing.none("Nothing happened yet.", &html! {})) }
            @else {
                (table_of("Access log", &heads, &rows))
                (listing.pager())
            }
        }
    };
    let place = if all { MenuEntry::Log } else { MenuEntry::GroupLog };
    console(frame, place, "Access log", view.fill.is_wrong(), &content)
}

const TIMESTAMP: &str = "Timestamp (UTC)";

fn heads(timestamp: ColumnHead<'_>) -> [ColumnHead<'_>; 5] {
    [timestamp, "IP Address".into(), "Actor".into(), "Operation".into(), "Subject".into()]
}

/// Rows of the log; with `groups`, each says which group it belongs to.
pub fn lines(lines: &[LogLine], groups: bool) -> Markup {
    if lines.is_empty() {
        return empty("Nothing happened yet.", &html! {});
    }
    let rows: Vec<_> = lines.iter().map(|line| row(line, groups)).collect();
    table_of("Access log", &heads(TIMESTAMP.into()), &rows)
}

fn row(line: &LogLine, groups: bool) -> TableRow {
    let cells = vec![
        time(line.at),
        html! { @if line.ip.is_empty() { span.muted { "–" } } @else { (line.ip) } },
        breakable(&line.actor),
        html! { code.whole { (line.operation) } @if line.refused { " " (badge(Tone::Bad, "Refused")) } },
        breakable(&line.subject),
    ];
    TableRow { cells, below: Some(detail(line, groups)) }
}

fn detail(line: &LogLine, groups: bool) -> Markup {
    let exact = line.at.to_string();
    let mut facts = vec![("Exactly (UTC)", html! { (exact) })];
    if let (true, Some(group)) = (groups, line.group) {
        facts.push(("Group ID", html! { a href={ "/console/groups/" (group) } { (group) } }));
    }
    if let Some(code) = &line.code {
        facts.push(("Code", html! { code { (code) } }));
    }
    if let Some(incident) = &line.incident {
        let place = line.group.map_or_else(String::new, |group| format!("/groups/{group}"));
        let address = format!("/console{place}/incidents?code={incident}");
        facts.push(("Incident", html! { a href=(address) { (incident) } }));
    }
    if !line.detail.is_empty() {
        facts.push(("Detail", html! { (line.detail) }));
    }
    let short: String = line.detail.chars().take(120).collect();
    let short = match (short.is_empty(), &line.code) {
        (true, Some(code)) => code.clone(),
        (true, None) => "More".to_owned(),
        (false, _) if short.len() < line.detail.len() => format!("{short}…"),
        (false, _) => short,
    };
    html! { details { summary { (short) } (pairs(&facts)) } }
}
