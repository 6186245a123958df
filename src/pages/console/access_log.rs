//! The access log: dates, outcome, search, rows that unfold, and the way to the next page and to the CSV file.
//! Columns: wire contract §9.

use maud::{Markup, html};

use crate::clock::Timestamp;
use crate::model::GroupId;
use crate::pages::components::{
    Tone, Weight, badge, breakable, button, empty, header, link_button, pager, pairs, table, time,
};
use crate::pages::form::{self, Field, Fill};
use crate::pages::layout::{Frame, Place, console};

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
    /// Where the log lives: `/console/access-log` or a group's.
    pub address: &'a str,
    pub lines: &'a [LogLine],
    /// The dates, the outcome and the search, as they were given.
    pub fill: &'a Fill,
    /// The query of these, percent-encoded, "" for none.
    pub query: &'a str,
    /// Where the next page begins; `None` at the end.
    pub next: Option<i64>,
    /// Whether this is not the first page.
    pub later: bool,
}

/// A page of the access log.
pub fn page(frame: &Frame<'_>, view: &LogView<'_>) -> String {
    let all = frame.group.is_none();
    let csv = format!("{}.csv?{}", view.address, view.query);
    let outcomes = [("", "Any outcome"), (ACCEPTED, "Accepted"), (REFUSED, "Refused")];
    let outcomes = outcomes.map(|(value, words)| (value.to_owned(), words.to_owned()));
    let filters = form::ask(
        view.address,
        &html! {
            (Field::of_type("from", "Start date", "date").unmarked().draw(view.fill))
            (Field::of_type("until", "End date", "date").unmarked().draw(view.fill))
            (Field::select("outcome", "Outcome", &outcomes).draw(view.fill))
            div.field.wide {
                label for="f-search" { "Search" }
                input id="f-search" name="search" type="search" value=(view.fill.value("search")) autocomplete="off"
                    placeholder="User, operation, address or incident";
            }
            (button("Go", Weight::Primary))
            @if !view.query.is_empty() { (link_button(view.address, "Clear", false)) }
        },
    );
    let next = view.next.map(|id| format!("{}?{}&before={id}", view.address, view.query));
    let first = view.later.then(|| format!("{}?{}", view.address, view.query));
    let sentence = match view.lines.len() {
        1 => "1 row, in UTC".to_owned(),
        count => format!("{count} rows, newest first, in UTC"),
    };
    let lead = "Every sign-in, refusal and change. Rows are only ever added.";
    let crumbs = if all { Vec::new() } else { super::crumbs(frame, &[]) };
    let content = html! {
        (form::problems(view.fill))
        (header(&crumbs, "Access log", lead, &link_button(&csv, "Export CSV", false)))
        section.card.flush {
            div.pad { (filters) }
            (lines(view.lines, all))
            (pager(&sentence, first.as_deref(), next.as_deref()))
        }
    };
    let place = if all { Place::Log } else { Place::GroupLog };
    console(frame, place, "Access log", view.fill.is_wrong(), &content)
}

/// Rows of the log; with `groups`, each says which group it belongs to.
pub fn lines(lines: &[LogLine], groups: bool) -> Markup {
    if lines.is_empty() {
        return empty("Nothing here yet, or nothing that fits.", &html! {});
    }
    let rows: Vec<_> = lines.iter().map(|line| row(line, groups)).collect();
    table("Access log", &["Timestamp", "IP Address", "Actor", "Operation", "Subject", "Detail"], &rows)
}

fn row(line: &LogLine, groups: bool) -> Vec<Markup> {
    vec![
        time(line.at),
        html! { @if line.ip.is_empty() { span.muted { "–" } } @else { (line.ip) } },
        breakable(&line.actor),
        html! { code { (line.operation) } @if line.refused { " " (badge(Tone::Bad, "Refused")) } },
        breakable(&line.subject),
        detail(line, groups),
    ]
}

fn detail(line: &LogLine, groups: bool) -> Markup {
    let exact = line.at.to_string();
    let mut facts = vec![("Exactly", html! { (exact) })];
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
    let short: String = line.detail.chars().take(60).collect();
    let short = match (short.is_empty(), &line.code) {
        (true, Some(code)) => code.clone(),
        (true, None) => "More".to_owned(),
        (false, _) if short.len() < line.detail.len() => format!("{short}…"),
        (false, _) => short,
    };
    html! { details { summary { (short) } (pairs(&facts)) } }
}
