//! The list of groups: filtered, in order, a page at a time, each with its number of users and its single sign-on.

use rusqlite::{Row, named_params};

use super::groups::{COLUMNS, group_row};
use super::imports::visible;
use super::{Reader, database_fault};
use crate::error::Result;
use crate::folding;
use crate::model::lists::Count;
use crate::model::lists::{GroupColumn, GroupLine, GroupQuery};
use crate::model::sso::{Method, Status};

const CONDITION: &str =
    "g.leaving = 0 AND (:words = '' OR has_words(:words, g.name, g.account_id) OR instr(g.id, :words) = 1)
     AND (:sso IS NULL OR :sso = (COALESCE(c.method, 'off') <> 'off'))";
const TABLES: &str = "groups g LEFT JOIN sso_configurations c ON c.group_id = g.id";

impl Reader<'_> {
    /// Lists groups.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn group_lines(&self, query: &GroupQuery) -> Result<Vec<GroupLine>> {
        let way = if query.order.descending { "DESC" } else { "ASC" };
        let order = match query.order.by {
            GroupColumn::Name => format!("g.name {way}"),
            GroupColumn::Number => format!("g.id {way}"),
            GroupColumn::Users => format!("users {way}, g.id"),
            GroupColumn::Made => format!("g.created_at {way}, g.id {way}"),
        };
        let columns = COLUMNS.split(", ").map(|column| format!("g.{column}")).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT {columns}, (SELECT count(*) FROM memberships m WHERE m.group_id = g.id AND {}) AS users,
                    c.method AS sso_method, c.status AS sso_status
             FROM {TABLES} WHERE {CONDITION} ORDER BY {order} LIMIT :limit OFFSET :offset",
            visible("m.user_id")
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(database_fault)?;
        let rows = statement
            .query_map(
                named_params! {
                    ":words": folding::words(&query.search).join(" "), ":sso": query.sso,
                    ":limit": query.limit, ":offset": query.offset,
                },
                line_row,
            )
            .map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// Counts the groups that [`Reader::group_lines`] would list, were there no page; stops above `most`.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn count_groups_to(&self, query: &GroupQuery, most: u32) -> Result<Count> {
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {TABLES} WHERE {CONDITION} LIMIT :limit)");
        let counted: i64 = self
            .connection
            .prepare_cached(&sql)
            .and_then(|mut s| {
                s.query_row(
                    named_params! {
                        ":words": folding::words(&query.search).join(" "), ":sso": query.sso,
                        ":limit": i64::from(most) + 1,
                    },
                    |row| row.get(0),
                )
            })
            .map_err(database_fault)?;
        Ok(Count::up_to(counted.unsigned_abs(), most))
    }
}

fn line_row(row: &Row<'_>) -> rusqlite::Result<GroupLine> {
    let users: i64 = row.get("users")?;
    let method = row.get::<_, Option<String>>("sso_method")?.and_then(|word| Method::parse(&word));
    let status = row.get::<_, Option<String>>("sso_status")?.and_then(|word| Status::parse(&word));
    let is_on = method.is_some_and(|method| method != Method::Off);
    Ok(GroupLine { group: group_row(row)?, users: users.unsigned_abs(), sso: status.filter(|_| is_on) })
}
