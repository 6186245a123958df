//! The orders in which members are listed.
//!
//! A group of a few thousand members is read and sorted. A large one is walked along an index where there is one
//! for the order and nothing else narrows the list; else it is sorted, too, of which SQLite keeps only the rows
//! up to the end of the page.

use super::memberships::{select_member, select_member_from_user};
use super::{Reader, database_fault};
use crate::error::Result;
use crate::model::GroupId;
use crate::model::lists::{MemberColumn, MemberOrder};

/// From how many members on a group is walked along an index.
const LARGE: i64 = 5_000;

impl Reader<'_> {
    /// The `SELECT` and the `ORDER BY` of a list of members, of a whole group or narrowed.
    pub(super) fn in_order(
        &self,
        group: GroupId,
        order: Option<MemberOrder>,
        is_narrowed: bool,
    ) -> Result<(String, String)> {
        let Some(order) = order else { return Ok((select_member(), "m.user_id".to_owned())) };
        let way = if order.descending { "DESC" } else { "ASC" };
        let terms = match order.by {
            MemberColumn::Name => format!(
                "u.last_name = '' AND u.first_name = '', u.last_name COLLATE NOCASE {way},
                 u.first_name COLLATE NOCASE {way}"
            ),
            MemberColumn::Address => {
                let walk = !is_narrowed && self.is_large(group)?;
                let select = if walk { select_member_from_user() } else { select_member() };
                // No second term: addresses are unique, and it would keep the index from being walked.
                return Ok((select, format!("u.glance_address {way}")));
            }
            MemberColumn::Puid => format!("m.puid IS NULL, m.puid COLLATE NOCASE {way}"),
            MemberColumn::Role => format!("m.role_id IS NULL, r.name {way}"),
            MemberColumn::SignedIn => format!("u.signed_in_at IS NULL, u.signed_in_at {way}"),
        };
        Ok((select_member(), format!("{terms}, m.user_id {way}")))
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
