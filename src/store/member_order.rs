//! The orders in which members are listed.
//!
//! A group of a few thousand members is read and sorted. A large one is walked along an index where there is one
//! for the order, and nothing narrows the list or a search whose words are common; else it is sorted, too, of which
//! SQLite keeps only the rows up to the end of the page.

use crate::model::queries::MemberQuery;
use rusqlite::params_from_iter;

use super::members::Condition;
use super::memberships::{select_member_from_user, select_member_of};
use super::{Reader, database_fault};
use crate::error::Result;
use crate::model::GroupId;
use crate::model::lists::MemberColumn;

/// From how many members on a group is walked along an index.
const LARGE: i64 = 5_000;

impl Reader<'_> {
    /// The `SELECT` and the `ORDER BY` of a list of members. Where the list is better walked along an index than
    /// looked up by its trigrams, `condition` is told.
    pub(super) fn in_order(
        &self,
        group: GroupId,
        query: &MemberQuery,
        condition: &mut Condition,
    ) -> Result<(String, String)> {
        let select = select_member_of(&condition.source());
        let Some(order) = query.order else { return Ok((select, condition.user().to_owned())) };
        let way = if order.descending { "DESC" } else { "ASC" };
        let terms = match order.by {
            MemberColumn::Name => format!(
                "u.last_name = '' AND u.first_name = '', u.last_name COLLATE NOCASE {way},
                 u.first_name COLLATE NOCASE {way}"
            ),
            MemberColumn::Address => {
                let nearly_all = !query.is_narrowed() || self.many_may_fit(condition)?;
                let walk = query.after.is_none() && nearly_all && self.is_large(group)?;
                let select = if walk {
                    condition.trigrams = None;
                    select_member_from_user(condition.words())
                } else {
                    select
                };
                // No second term: addresses are unique, and it would keep the index from being walked.
                return Ok((select, format!("u.glance_address {way}")));
            }
            MemberColumn::Puid => format!("m.puid IS NULL, m.puid COLLATE NOCASE {way}"),
            MemberColumn::Role => format!("m.role_id IS NULL, r.name {way}"),
            MemberColumn::SignedIn => format!("u.signed_in_at IS NULL, u.signed_in_at {way}"),
        };
        Ok((select, format!("{terms}, m.user_id {way}")))
    }

    /// Whether the index of trigrams names so many that the first page is found sooner along another index.
    fn many_may_fit(&self, condition: &Condition) -> Result<bool> {
        let Some(asked) = &condition.trigrams else { return Ok(false) };
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM user_trigrams WHERE user_trigrams MATCH {asked} LIMIT {LARGE})"
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(database_fault)?;
        let values = condition.values.iter().take(statement.parameter_count());
        let counted: i64 =
            statement.query_row(params_from_iter(values), |row| row.get(0)).map_err(database_fault)?;
        Ok(counted == LARGE)
    }

    fn is_large(&self, group: GroupId) -> Result<bool> {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM memberships WHERE group_id = ?1 LIMIT ?2)";
        let counted: i64 = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut s| s.query_row((group.0, LARGE), |row| row.get(0)))
            .map_err(database_fault)?;
        Ok(counted == LARGE)
    }
}
