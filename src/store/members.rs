//! Lists of members: filtered, in order, and paged: by the user's number, or in another order by rows left out.
//!
//! A page begins after a number instead of skipping rows, so the last page of a million members costs what
//! the first one costs. Texts are compared folded ([`crate::folding`]). Where a text has three letters, the index of
//! trigrams ([`super::words`]) names the few users who may have it; else every member of the group is looked at.

use crate::model::queries::{MemberQuery, MemberState, RoleMatch, TextMatch};
use std::collections::BTreeSet;

use rusqlite::{ToSql, params_from_iter};

use super::imports::visible_member;
use super::memberships::member_row;
use super::{Reader, database_fault, words};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::folding;
use crate::model::lists::Count;
use crate::model::{GroupId, LOCK_SECONDS, Member};

impl Reader<'_> {
    /// Lists members of a group in the order that the query names. `now` decides who is locked.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn members(&self, group: GroupId, query: &MemberQuery, now: Timestamp) -> Result<Vec<Member>> {
        let mut condition = Condition::of(group, query, now);
        if let Some(after) = query.after {
            condition.and(&format!("{} > ", condition.user()), after.0);
        }
        let limit = condition.bind(i64::from(query.limit));
        let offset = condition.bind(i64::from(query.offset));
        let (select, order) = self.in_order(group, query, &mut condition)?;
        let fits = condition.fits();
        let sql = format!("{select} WHERE {fits} ORDER BY {order} LIMIT {limit} OFFSET {offset}");
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
        // The user and the role are read only when a criterion needs them.
        let users = if condition.sql.contains("u.") { "CROSS JOIN users u ON u.id = m.user_id" } else { "" };
        let roles = if condition.sql.contains("r.") { "LEFT JOIN roles r ON r.id = m.role_id" } else { "" };
        // SQLite reads a negative limit as none.
        let limit = condition.bind(limit.unwrap_or(-1));
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM {} {users} {roles} WHERE {} LIMIT {limit})",
            condition.source(),
            condition.fits()
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
pub(super) struct Condition {
    sql: String,
    pub(super) values: Vec<Box<dyn ToSql>>,
    /// The parameter with what the index of trigrams is asked, which names who may fit.
    pub(super) trigrams: Option<String>,
    /// The user's words are compared.
    by_words: bool,
}

impl Condition {
    fn of(group: GroupId, query: &MemberQuery, now: Timestamp) -> Condition {
        let mut condition =
            Condition { sql: String::new(), values: Vec::new(), trigrams: None, by_words: false };
        let bound = condition.bind(group.0);
        condition.sql = format!("m.group_id = {bound} AND {}", visible_member(&bound, "m.user_id"));
        let criteria = condition.and_criteria(query);
        let searched = condition.and_search(&query.search);
        match query.state {
            None => {}
            Some(MemberState::Active) => condition.sql.push_str(" AND m.active = 1 AND m.suspended = 0"),
            Some(MemberState::Suspended) => condition.sql.push_str(" AND m.active = 1 AND m.suspended = 1"),
            Some(MemberState::Inactive) => condition.sql.push_str(" AND m.active = 0"),
            Some(MemberState::Locked) => {
                condition.and("u.locked_until > ", now.0);
                condition.and("u.locked_until <= ", now.plus_seconds(LOCK_SECONDS).0);
            }
        }
        if query.administrators_only {
            condition.sql.push_str(" AND m.administrator = 1");
        }
        let mut named: Vec<String> = criteria.into_iter().chain(searched).collect();
        if !named.is_empty() {
            named.push(words::of_group(group));
            condition.trigrams = Some(condition.bind(named.join(" AND ")));
        }
        condition
    }

    /// What the members are read from. The order of the joins is fixed: who may fit, then the membership.
    pub(super) fn source(&self) -> String {
        let members = match self.trigrams {
            Some(_) => "user_trigrams CROSS JOIN memberships m ON m.user_id = user_trigrams.rowid",
            None => "memberships m",
        };
        format!("{members}{}", self.words())
    }

    /// The join that the words of a search need.
    pub(super) fn words(&self) -> &'static str {
        if self.by_words { " CROSS JOIN user_words w ON w.user_id = m.user_id" } else { "" }
    }

    fn fits(&self) -> String {
        let trigrams = self.trigrams.as_ref().map(|asked| format!(" AND user_trigrams MATCH {asked}"));
        format!("{}{}", self.sql, trigrams.unwrap_or_default())
    }

    /// The user's number, as the first table has it, so that its order is the order of the list.
    pub(super) fn user(&self) -> &'static str {
        if self.trigrams.is_some() { "user_trigrams.rowid" } else { "m.user_id" }
    }

    /// Adds the criteria; gives back what the index of trigrams is to be asked for them.
    fn and_criteria(&mut self, query: &MemberQuery) -> Option<String> {
        let texts = [
            ("m.puid", &query.puid),
            ("u.glance_address", &query.address),
            ("u.first_name", &query.first_name),
            ("u.last_name", &query.last_name),
            ("u.email", &query.email),
        ];
        let mut criteria = Vec::new();
        let mut named = Vec::new();
        for (column, wanted) in texts {
            if let Some(wanted) = wanted {
                criteria.push(self.text(column, wanted));
                named.push(trigrams_of(column, wanted));
            }
        }
        for role in [&query.role, &query.also_role].into_iter().flatten() {
            criteria.push(match role {
                RoleMatch::None => "m.role_id IS NULL".to_owned(),
                RoleMatch::Numbered(role) => format!("m.role_id = {}", self.bind(role.0)),
                RoleMatch::Named(wanted) => self.text("r.name", wanted),
            });
            named.push(None);
        }
        if criteria.is_empty() {
            return None;
        }
        let joined = criteria.join(if query.any { " OR " } else { " AND " });
        self.sql.push_str(&format!(" AND ({joined})"));
        let named = match query.any {
            // One that the index cannot answer may be met by anybody.
            true => {
                named.into_iter().map(|one| one.map(|one| format!("({one})"))).collect::<Option<Vec<_>>>()
            }
            false => Some(named.into_iter().flatten().collect()),
        };
        let named = named.filter(|named| !named.is_empty())?;
        Some(if query.any { format!("({})", named.join(" OR ")) } else { named.join(" AND ") })
    }

    /// Adds the words of a search; gives back what the index of trigrams is to be asked for them.
    fn and_search(&mut self, search: &str) -> Option<String> {
        let mut named = Vec::new();
        let words: BTreeSet<String> = folding::words(search).into_iter().collect();
        for word in words {
            if word.contains('\0') {
                self.sql.push_str(" AND 0");
                return None;
            }
            let needle = words::needle(&word);
            named.extend(words::having(&needle));
            let needle = self.bind(needle);
            self.sql.push_str(&format!(
                " AND (instr(iif(w.wider = 0, w.person, (
                          SELECT search_words(first_name, last_name, glance_address, email)
                          FROM users WHERE id = w.user_id)), {needle})
                      OR instr(search_words(m.puid), {needle}))"
            ));
            self.by_words = true;
        }
        Some(named.join(" AND ")).filter(|named| !named.is_empty())
    }

    fn text(&mut self, column: &str, wanted: &TextMatch) -> String {
        let (TextMatch::Is(text)
        | TextMatch::Exactly(text)
        | TextMatch::Begins(text)
        | TextMatch::Ends(text)
        | TextMatch::Has(text)) = wanted
        else {
            return format!("({column} IS NULL OR {column} = '')");
        };
        // No text that is kept has this character, and SQLite would take it for the end.
        if text.contains('\0') {
            return "0".to_owned();
        }
        match wanted {
            // Each has an index: find the users first. Else the order of the list would decide the plan, and
            // the whole group be read.
            TextMatch::Is(_) if column == "u.glance_address" => {
                let text = self.bind(text.clone());
                return format!("m.user_id IN (SELECT id FROM users WHERE glance_address = {text})");
            }
            TextMatch::Exactly(_) if column == "m.puid" => {
                let text = self.bind(text.clone());
                return format!(
                    "m.user_id IN (SELECT user_id FROM memberships WHERE group_id = ?1 AND puid = {text})"
                );
            }
            TextMatch::Exactly(_) => return format!("{column} = {} COLLATE BINARY", self.bind(text.clone())),
            _ => {}
        }
        let text = self.bind(folding::fold(text).into_owned());
        match wanted {
            TextMatch::Begins(_) => format!("instr(folded({column}), {text}) = 1"),
            TextMatch::Has(_) => format!("instr(folded({column}), {text})"),
            TextMatch::Ends(_) => format!("substr(folded({column}), -length({text})) = {text}"),
            _ => format!("folded({column}) = {text}"),
        }
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

/// What the index of trigrams is to be asked for a criterion; `None` where it cannot tell, or a better index can.
fn trigrams_of(column: &str, wanted: &TextMatch) -> Option<String> {
    let (text, at_start, at_end) = match wanted {
        TextMatch::Absent | TextMatch::Exactly(_) => return None,
        TextMatch::Is(_) if column == "u.glance_address" => return None,
        TextMatch::Is(text) => (text, true, true),
        TextMatch::Begins(text) => (text, true, false),
        TextMatch::Ends(text) => (text, false, true),
        TextMatch::Has(text) => (text, false, false),
    };
    if text.contains('\0') {
        return None;
    }
    words::having(&words::edged(text, at_start, at_end))
}

/// Whether the index of trigrams names who may fit.
#[cfg(test)]
pub(super) fn asks_the_index(group: GroupId, query: &MemberQuery, now: Timestamp) -> bool {
    Condition::of(group, query, now).trigrams.is_some()
}
