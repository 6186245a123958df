//! The access log: append-only, one row an event. Wire contract §9.

use crate::model::queries::{LogQuery, LogRow};
use rusqlite::{Connection, Row, ToSql};

use super::{Reader, Writer, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::folding;
use crate::model::lists::Count;
use crate::model::{GroupId, LogEntry, LogOutcome};

impl Writer<'_> {
    /// Appends a row; it is kept if the transaction is.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn log(&self, entry: &LogEntry) -> Result<()> {
        if self.keep_import_log(entry)? {
            return Ok(());
        }
        append(self.connection, self.now, entry)
    }
}

pub(super) fn append(connection: &Connection, now: Timestamp, entry: &LogEntry) -> Result<()> {
    let mut statement = connection
        .prepare_cached(
            "INSERT INTO access_log
                 (at, group_id, ip, actor, operation, subject, detail, refused, code, incident)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )
        .map_err(database_fault)?;
    statement
        .execute((
            now.0,
            entry.group.map(|g| g.0),
            entry.ip.map(|ip| ip.to_string()),
            &entry.actor,
            entry.operation,
            &entry.subject,
            &entry.detail,
            entry.outcome == LogOutcome::Refused,
            entry.code,
            &entry.incident,
        ))
        .map_err(database_fault)?;
    Ok(())
}

impl Reader<'_> {
    /// Finds rows of the access log in the order that the query names, at most `query.limit`.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn log_rows(&self, query: &LogQuery) -> Result<Vec<LogRow>> {
        let way = if query.oldest_first { "ASC" } else { "DESC" };
        let mut statement = self
            .connection
            .prepare_cached(&format!(
                "SELECT id, at, group_id, ip, actor, operation, subject, detail, refused, code, incident
                 FROM access_log WHERE {} ORDER BY id {way} LIMIT :limit OFFSET :offset",
                condition(query)
            ))
            .map_err(database_fault)?;
        let bound = Bound::to(query);
        let page: [Parameter<'_>; 2] = [(":limit", &query.limit), (":offset", &query.offset)];
        let rows = statement.query_map(&*bound.and(&page), log_row).map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// The number of the newest row; 0 when there is none.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn newest_log_row(&self) -> Result<i64> {
        let sql = "SELECT coalesce(max(id), 0) FROM access_log";
        self.connection
            .prepare_cached(sql)
            .and_then(|mut s| s.query_row([], |row| row.get(0)))
            .map_err(database_fault)
    }

    /// Counts the rows that [`Reader::log_rows`] would find, were there no page; stops above `most`.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn count_log_rows_to(&self, query: &LogQuery, most: u32) -> Result<Count> {
        let condition = condition(query);
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM access_log WHERE {condition} LIMIT :limit)");
        let (bound, limit) = (Bound::to(query), i64::from(most) + 1);
        let counted: i64 = self
            .connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row(&*bound.and(&[(":limit", &limit)]), |row| row.get(0)))
            .map_err(database_fault)?;
        Ok(Count::up_to(counted.unsigned_abs(), most))
    }
}

/// A named parameter of a statement.
type Parameter<'a> = (&'static str, &'a dyn ToSql);

/// The values of the parameters that [`condition`] names.
struct Bound([(&'static str, Box<dyn ToSql>); 8]);

impl Bound {
    fn to(query: &LogQuery) -> Bound {
        Bound([
            (":group", Box::new(query.group.map(|g| g.0))),
            (":from", Box::new(query.from.map_or(i64::MIN, |t| t.0))),
            (":until", Box::new(query.until.map_or(i64::MAX, |t| t.0))),
            (":refused", Box::new(query.refused)),
            (":before", Box::new(query.before.unwrap_or(i64::MAX))),
            (":after", Box::new(query.after.unwrap_or(0))),
            (":within", Box::new(query.within)),
            (":words", Box::new(folding::words(&query.search).join(" "))),
        ])
    }

    /// These, and those of the page.
    fn and<'a>(&'a self, page: &[Parameter<'a>]) -> Vec<Parameter<'a>> {
        self.0.iter().map(|(name, value)| (*name, &**value)).chain(page.iter().copied()).collect()
    }
}

/// The condition of a query, by names of parameters.
fn condition(query: &LogQuery) -> String {
    // Two statements: one that also fits without a group would not use the group's index.
    let of_group = if query.group.is_some() { "group_id = :group" } else { ":group IS NULL" };
    format!(
        "{of_group}
           AND at >= :from AND at < :until AND id < :before AND id > :after
           AND (:refused IS NULL OR refused = :refused)
           AND (:within IS NULL OR id > (SELECT max(id) FROM access_log) - :within)
           AND (:words = '' OR has_words(:words, actor, operation, subject, detail, code, incident, ip))"
    )
}

fn log_row(row: &Row<'_>) -> rusqlite::Result<LogRow> {
    Ok(LogRow {
        id: row.get("id")?,
        at: Timestamp(row.get("at")?),
        group: row.get::<_, Option<i64>>("group_id")?.map(GroupId),
        ip: row.get::<_, Option<String>>("ip")?.unwrap_or_default(),
        actor: row.get("actor")?,
        operation: row.get("operation")?,
        subject: row.get("subject")?,
        detail: row.get("detail")?,
        refused: row.get("refused")?,
        code: row.get("code")?,
        incident: row.get("incident")?,
    })
}
