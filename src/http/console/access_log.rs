//! The access log: page and CSV file. Wire contract §9.

use super::listing::{self, ListQuery};
use super::visit::{Visit, exported, filled, get, refused, streamed, visit, visit_streamed};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::form::Params;
use crate::http::router::{App, BodyPortions, Call, Route};
use crate::model::Group;
use crate::model::queries::{LogQuery, LogRow};
use crate::pages::console::access_log::{self as pages, LogLine};
use crate::pages::listing::{Chip, Listing};

pub const ROUTES: &[Route] = &[
    get("/console/access-log", get_access_log),
    streamed("/console/access-log.csv", get_access_log_csv),
    get("/console/groups/{group}/access-log", get_group_access_log),
    streamed("/console/groups/{group}/access-log.csv", get_group_access_log_csv),
];

/// The newest row when the first page was asked for: its number.
const NEWEST: &str = "newest";
/// The columns of the file. Wire contract §9.
const HEADER: &str = "Timestamp,IP Address,Actor,Operation,Subject,Detail\r\n";
const DAY: i64 = 24 * 60 * 60;
/// What can be asked for.
const FIELDS: [&str; 4] = ["from", "until", "outcome", "search"];

/// The rows as the pages show them.
pub fn lines_of(rows: Vec<LogRow>) -> Vec<LogLine> {
    rows.into_iter()
        .map(|row| LogLine {
            at: row.at,
            group: row.group,
            ip: row.ip,
            actor: row.actor,
            operation: row.operation,
            subject: row.subject,
            detail: row.detail,
            refused: row.refused,
            code: row.code,
            incident: row.incident,
        })
        .collect()
}

fn get_access_log(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| page(visit, None))
}

fn get_group_access_log(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| page(visit, Some(&visit.group()?)))
}

fn page(visit: &Visit<'_>, group: Option<&Group>) -> Result<Response> {
    let params = visit.call.query();
    let mut fill = filled(&params);
    let (mut status, mut chips) = (200, chips_of(&params));
    let query = match query_of(&params, group) {
        Ok(query) => query,
        Err(error) => {
            (status, fill) = refused(fill, error, &FIELDS.map(|name| (name, name)))?;
            chips.clear();
            LogQuery { group: group.map(|group| group.id), ..LogQuery::default() }
        }
    };
    let asked = ListQuery::of(&params, &pages::SORTS);
    let oldest_first = !asked.descending();
    // Rows that are written while somebody reads on do not move the pages under them.
    let newest = params.filled(NEWEST).and_then(|text| text.parse::<i64>().ok()).filter(|_| !oldest_first);
    let query = LogQuery { before: newest.map(|id| id.saturating_add(1)), oldest_first, ..query };
    let count = visit.desk().appliance.count_log_rows_to(&visit.caller, &query, listing::COUNT_MAX)?;
    let asked = asked.within(count);
    let query = LogQuery { offset: asked.offset(), limit: listing::PAGE, ..query };
    let rows = visit.desk().appliance.log_rows(&visit.caller, &query)?;
    let newest = newest.or_else(|| rows.first().map(|row| row.id).filter(|_| asked.page == 1));
    let address = match group {
        Some(group) => format!("/console/groups/{}/access-log", group.id),
        None => "/console/access-log".to_owned(),
    };
    let listing = asked.listing(&address, &pages::SORTS, chips, ("row", "rows"), (rows.len(), count));
    let anchor = newest.filter(|_| !oldest_first).map(|id| (NEWEST, id));
    let listing = Listing { anchor, ..listing };
    let view = pages::LogView { listing: &listing, lines: &lines_of(rows), fill: &fill };
    Ok(answer::html(status, pages::page(&visit.frame(group), &view)))
}

/// The filters that are set.
fn chips_of(params: &Params<'_>) -> Vec<Chip> {
    let day = |name: &'static str, before: &str| {
        let value = params.filled(name)?;
        Some(Chip { name, words: format!("{before} {value}"), value })
    };
    let outcome = listing::chosen("outcome", params.filled("outcome"), &pages::outcomes());
    let searched = listing::searched("search", &params.filled("search").unwrap_or_default());
    [day("from", "From"), day("until", "Until"), outcome, searched].into_iter().flatten().collect()
}

fn query_of(params: &Params<'_>, group: Option<&Group>) -> Result<LogQuery> {
    let (from, until) = (day_of(params, "from")?, day_of(params, "until")?);
    if until.zip(from).is_some_and(|(until, from)| until < from) {
        return Err(Error::invalid("dates_swapped", "until", "The end date is before the start date."));
    }
    Ok(LogQuery {
        group: group.map(|group| group.id),
        from,
        // The end date is part of what is asked for.
        until: until.map(|day| day.plus_seconds(DAY)),
        refused: outcome_of(params)?,
        search: params.filled("search").unwrap_or_default(),
        ..LogQuery::default()
    })
}

fn outcome_of(params: &Params<'_>) -> Result<Option<bool>> {
    match params.filled("outcome").as_deref() {
        None => Ok(None),
        Some(pages::ACCEPTED) => Ok(Some(false)),
        Some(pages::REFUSED) => Ok(Some(true)),
        Some(_) => Err(Error::invalid("outcome_unknown", "outcome", "There is no such outcome.")),
    }
}

/// The first instant of a day in UTC.
fn day_of(params: &Params<'_>, name: &'static str) -> Result<Option<Timestamp>> {
    let Some(text) = params.filled(name) else { return Ok(None) };
    let day = Timestamp::parse(&format!("{text}T00:00:00Z"));
    let malformed = || Error::invalid("date_malformed", name, "Use the form 2020-07-05.");
    day.map(Some).ok_or_else(malformed)
}

fn get_access_log_csv(app: &App, call: &Call<'_>) -> Result<(Response, Option<BodyPortions>)> {
    visit_streamed(app, call, |visit| csv_file(visit, None))
}

fn get_group_access_log_csv(app: &App, call: &Call<'_>) -> Result<(Response, Option<BodyPortions>)> {
    visit_streamed(app, call, |visit| csv_file(visit, Some(&visit.group()?)))
}

fn csv_file(visit: &Visit<'_>, group: Option<&Group>) -> Result<(Response, BodyPortions)> {
    let query = query_of(&visit.call.query(), group)?;
    let export = visit.app.desk.appliance.export_log(&visit.caller, &query)?;
    let name = match group {
        Some(group) => format!("access-log-{}", group.id),
        None => "access-log".to_owned(),
    };
    let response = exported(&name, export.began_at);
    let header = std::iter::once(Ok(Vec::from(HEADER)));
    let rows = export.map(|rows| written(&rows?).map_err(|e| Error::fault("csv_write", e.to_string())));
    Ok((response, Box::new(header.chain(rows))))
}

/// The rows as CSV (RFC 4180) with the columns of [`HEADER`].
fn written(rows: &[LogRow]) -> std::result::Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        let detail = [row.code.as_deref(), row.incident.as_deref(), Some(row.detail.as_str())];
        let detail: Vec<&str> = detail.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        let outcome =
            if row.refused { format!("{} (refused)", row.operation) } else { row.operation.clone() };
        let cells = [
            row.at.to_string(),
            row.ip.clone(),
            row.actor.clone(),
            outcome,
            row.subject.clone(),
            detail.join("; "),
        ];
        writer.write_record(cells.iter().map(|cell| harmless(cell)))?;
    }
    writer.into_inner().map_err(|e| e.into_error().into())
}

/// A cell that begins so is a formula to a spreadsheet, and could run when somebody opens the file; an
/// apostrophe makes it text.
pub fn harmless(cell: &str) -> String {
    match cell.trim_start().chars().next() {
        Some('=' | '+' | '-' | '@') if cell != "-" => format!("'{cell}"),
        _ if cell.starts_with(['\t', '\r', '\n']) => format!("'{cell}"),
        _ => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, want) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+1", "'+1"),
            ("-2", "'-2"),
            (" =1", "' =1"),
            ("\t=1", "'\t=1"),
            ("-", "-"),
            ("ann", "ann"),
            ("", ""),
        ] {
            assert_eq!(harmless(cell), want, "{cell:?}");
        }
    }
}
