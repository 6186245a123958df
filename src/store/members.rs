//! Lists of members: filtered, in order, and paged: by the user's number, or in another order by rows left out.
//!
//! A page begins after a number instead of skipping rows, so the last page of a million members costs what
//! the first one costs. Comparison is in any case for ASCII letters.

use rusqlite::{ToSql, params_from_iter};

use super::access_log::escape_like;
use super::memberships::member_row;
use super::{Reader, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::lists::Count;
use crate::model::lists::MemberOrder;
use crate::model::{GroupId, Member, RoleId, UserId};

/// How a text is compared, in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextMatch {
    Is(String),
    Begins(String),
    Ends(String),
    Has(String),
    /// Not set.
    Absent,
}

/// Which role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleMatch {
    None,
    Numbered(RoleId),
    Named(TextMatch),
}

/// Which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberState {
    /// Active and not suspended.
    Active,
    Suspended,
    /// Deprovisioned, whether suspended or not.
    Inactive,
    /// Kept out by too many failures.
    Locked,
}

/// Which members to list, and in which order.
#[derive(Debug, Clone, Default)]
pub struct MemberQuery {
    pub puid: Option<TextMatch>,
    pub address: Option<TextMatch>,
    pub first_name: Option<TextMatch>,
    pub last_name: Option<TextMatch>,
    pub email: Option<TextMatch>,
    pub role: Option<RoleMatch>,
    /// A second criterion on the role: the REST APIs take a number and a name.
    pub also_role: Option<RoleMatch>,
    /// True: one of the criteria above is enough; false: all must hold.
    pub any: bool,
    /// Part of address, PUID, names or e-mail address; "" for all. Must hold besides the criteria above.
    pub search: String,
    pub state: Option<MemberState>,
    pub administrators_only: bool,
    /// `None`: by the user's number, the only order that `after` goes with.
    pub order: Option<MemberOrder>,
    /// Only users with a greater number: where the page before ended.
    pub after: Option<UserId>,
    /// Rows to leave out, for surfaces that count pages.
    pub offset: u32,
    /// Most rows.
    pub limit: u32,
}

impl MemberQuery {
    /// Whether less than the whole group is asked for.
    fn is_narrowed(&self) -> bool {
        let criteria = [&self.puid, &self.address, &self.first_name, &self.last_name, &self.email];
        criteria.iter().any(|wanted| wanted.is_some())
            || self.role.is_some()
            || self.also_role.is_some()
            || !self.search.is_empty()
            || self.state.is_some()
            || self.administrators_only
    }
}

impl Reader<'_> {
    /// Lists members of a group in the order that the query names. `now` decides who is locked.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn members(&self, group: GroupId, query: &MemberQuery, now: Timestamp) -> Result<Vec<Member>> {
        let mut condition = Condition::of(group, query, now);
        condition.and("m.user_id > ", query.after.map_or(0, |id| id.0));
        let limit = condition.bind(i64::from(query.limit));
        let offset = condition.bind(i64::from(query.offset));
        let (select, order) = self.in_order(group, query.order, query.is_narrowed())?;
        let sql = format!("{select} WHERE {} ORDER BY {order} LIMIT {limit} OFFSET {offset}", condition.sql);
        let mut statement = self.connection.prepare_cached(&sql).map_err(database_fault)?;
        let rows =
            statement.query_map(params_from_iter(&condition.values), member_row).map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// Counts all members that [`Reader::members`] would list, were there no page.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn count_members(&self, group: GroupId, query: &MemberQuery, now: Timestamp) -> Result<u64> {
        self.counted_members(group, query, now, None)
    }

    /// Counts as [`Reader::count_members`] does, and stops above `most`.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn count_members_to(
        &self,
        group: GroupId,
        query: &MemberQuery,
        now: Timestamp,
        most: u32,
    ) -> Result<Count> {
        let counted = self.counted_members(group, query, now, Some(i64::from(most) + 1))?;
        Ok(Count::up_to(counted, most))
    }

    fn counted_members(
        &self,
        group: GroupId,
        query: &MemberQuery,
        now: Timestamp,
        limit: Option<i64>,
    ) -> Result<u64> {
        let mut condition = Condition::of(group, query, now);
        // SQLite reads a negative limit as none.
        let limit = condition.bind(limit.unwrap_or(-1));
        // The user and the role are read only when a criterion needs them.
        let users = if condition.sql.contains("u.") { "CROSS JOIN users u ON u.id = m.user_id" } else { "" };
        let roles = if condition.sql.contains("r.") { "LEFT JOIN roles r ON r.id = m.role_id" } else { "" };
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM memberships m {users} {roles} WHERE {} LIMIT {limit})",
            condition.sql
        );
        let count: i64 = self
            .connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row(params_from_iter(&condition.values), |row| row.get(0)))
            .map_err(database_fault)?;
        Ok(count.unsigned_abs())
    }
}

/// A WHERE condition and the values bound in it; no text of a caller is ever part of the SQL.
struct Condition {
    sql: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Condition {
    fn of(group: GroupId, query: &MemberQuery, now: Timestamp) -> Condition {
        let mut condition = Condition { sql: String::new(), values: Vec::new() };
        let group = condition.bind(group.0);
        condition.sql = format!("m.group_id = {group}");
        condition.and_criteria(query);
        if !query.search.is_empty() {
            let pattern = condition.bind(format!("%{}%", escape_like(&query.search)));
            let like = ["u.glance_address", "m.puid", "u.first_name", "u.last_name", "u.email"]
                .map(|column| format!("{column} LIKE {pattern} ESCAPE '\\'"));
            condition.sql.push_str(&format!(" AND ({})", like.join(" OR ")));
        }
        match query.state {
            None => {}
            Some(MemberState::Active) => condition.sql.push_str(" AND m.active = 1 AND m.suspended = 0"),
            Some(MemberState::Suspended) => condition.sql.push_str(" AND m.active = 1 AND m.suspended = 1"),
            Some(MemberState::Inactive) => condition.sql.push_str(" AND m.active = 0"),
            Some(MemberState::Locked) => condition.and("u.locked_until > ", now.0),
        }
        if query.administrators_only {
            condition.sql.push_str(" AND m.administrator = 1");
        }
        condition
    }

    fn and_criteria(&mut self, query: &MemberQuery) {
        let texts = [
            ("m.puid", &query.puid),
            ("u.glance_address", &query.address),
            ("u.first_name", &query.first_name),
            ("u.last_name", &query.last_name),
            ("u.email", &query.email),
        ];
        let mut criteria: Vec<String> = texts
            .into_iter()
            .filter_map(|(column, wanted)| wanted.as_ref().map(|w| self.text(column, w)))
            .collect();
        for role in [&query.role, &query.also_role].into_iter().flatten() {
            criteria.push(match role {
                RoleMatch::None => "m.role_id IS NULL".to_owned(),
                RoleMatch::Numbered(role) => format!("m.role_id = {}", self.bind(role.0)),
                RoleMatch::Named(wanted) => self.text("r.name", wanted),
            });
        }
        if !criteria.is_empty() {
            let joined = criteria.join(if query.any { " OR " } else { " AND " });
            self.sql.push_str(&format!(" AND ({joined})"));
        }
    }

    fn text(&mut self, column: &str, wanted: &TextMatch) -> String {
        let (before, text, after) = match wanted {
            TextMatch::Absent => return format!("({column} IS NULL OR {column} = '')"),
            // Each has an index: find the users first. Else the order of the list would decide the plan, and
            // the whole group be read.
            TextMatch::Is(text) if column == "u.glance_address" => {
                let text = self.bind(text.clone());
                return format!("m.user_id IN (SELECT id FROM users WHERE glance_address = {text})");
            }
            TextMatch::Is(text) if column == "m.puid" => {
                let text = self.bind(text.clone());
                return format!(
                    "m.user_id IN (SELECT user_id FROM memberships
                                   WHERE group_id = ?1 AND puid = {text} COLLATE NOCASE)"
                );
            }
            TextMatch::Is(text) => return format!("{column} = {} COLLATE NOCASE", self.bind(text.clone())),
            TextMatch::Begins(text) => ("", text, "%"),
            TextMatch::Ends(text) => ("%", text, ""),
            TextMatch::Has(text) => ("%", text, "%"),
        };
        let pattern = self.bind(format!("{before}{}{after}", escape_like(text)));
        format!("{column} LIKE {pattern} ESCAPE '\\'")
    }

    fn and(&mut self, comparison: &str, value: i64) {
        let value = self.bind(value);
        self.sql.push_str(&format!(" AND {comparison}{value}"));
    }

    fn bind(&mut self, value: impl ToSql + 'static) -> String {
        self.values.push(Box::new(value));
        format!("?{}", self.values.len())
    }
}
