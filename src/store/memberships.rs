//! Memberships: what a user is in one group.

use rusqlite::{OptionalExtension, Row};

use super::columns::Columns;
use super::imports::{visible, visible_member};
use super::users::{self, unreadable, user_of};
use super::{Reader, Writer, database_fault, is_duplicate};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::model::{GroupId, Member, Membership, Puid, RoleId, UserId};

const COLUMNS: &str = "m.group_id, m.user_id, m.puid, m.role_id, m.administrator, m.suspended, m.active,
    m.created_at AS member_since, m.updated_at AS member_changed_at";

/// `SELECT` of a [`Member`], for [`member_row`].
pub(super) fn select_member() -> String {
    select_member_of("memberships m")
}

/// As [`select_member`], with `source` for the memberships `m`. The order of the join is fixed: from the membership
/// to its user, so that a page of a million members reads only that page.
pub(super) fn select_member_of(source: &str) -> String {
    select_member_from(&format!("{source} CROSS JOIN users u ON u.id = m.user_id"))
}

/// As [`select_member`], from the user to their membership, and to what `join` adds: for the order of an index of the
/// users.
pub(super) fn select_member_from_user(join: &str) -> String {
    select_member_from(&format!("users u CROSS JOIN memberships m ON m.user_id = u.id{join}"))
}

fn select_member_from(join: &str) -> String {
    let person = users::columns();
    format!(
        "SELECT {person}, {COLUMNS}, r.name AS role_name FROM {join} LEFT JOIN roles r ON r.id = m.role_id"
    )
}

impl Reader<'_> {
    /// Finds what a user is in a group.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn membership(&self, group: GroupId, user: UserId) -> Result<Option<Membership>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM memberships m WHERE m.group_id = ?1 AND m.user_id = ?2 AND {}",
            visible_member("?1", "m.user_id")
        );
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row((group.0, user.0), membership_row).optional())
            .map_err(database_fault)
    }

    /// Finds a member of a group by the user's number.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn member(&self, group: GroupId, user: UserId) -> Result<Option<Member>> {
        self.one_member("m.group_id = ?1 AND m.user_id = ?2", (group.0, user.0))
    }

    /// Finds a member of a group by PUID, compared exactly.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn member_by_puid(&self, group: GroupId, puid: &str) -> Result<Option<Member>> {
        self.one_member("m.group_id = ?1 AND m.puid = ?2", (group.0, puid))
    }

    /// Finds a member of a group by Glance Address, in any case.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn member_by_address(&self, group: GroupId, address: &str) -> Result<Option<Member>> {
        let condition = "m.group_id = ?1 AND m.user_id = (SELECT id FROM users WHERE glance_address = ?2)";
        self.one_member(condition, (group.0, address))
    }

    /// Finds the members of a group whom one value names: by PUID, exactly, or by Glance Address or e-mail
    /// address, in any case. Each once, and at most two: that is enough to know that there are several. Of those who
    /// share an e-mail address no more are read.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn members_named(&self, group: GroupId, value: &str) -> Result<Vec<UserId>> {
        let mut statement = self
            .connection
            .prepare_cached(&format!(
                "WITH named (id) AS (
                 SELECT user_id FROM memberships WHERE group_id = ?1 AND puid = ?2
                 UNION SELECT m.user_id FROM users u CROSS JOIN memberships m ON m.group_id = ?1 AND m.user_id = u.id
                     WHERE u.glance_address = ?2
                 UNION SELECT * FROM (
                     SELECT m.user_id FROM users u CROSS JOIN memberships m ON m.group_id = ?1 AND m.user_id = u.id
                     WHERE u.email = ?2 AND u.email <> '' AND {} LIMIT 2))
                 SELECT id FROM named WHERE {} LIMIT 2",
                visible("u.id"),
                visible_member("?1", "named.id")
            ))
            .map_err(database_fault)?;
        let rows =
            statement.query_map((group.0, value), |row| row.get(0).map(UserId)).map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// Lists the groups that a user belongs to, by number.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn memberships_of(&self, user: UserId) -> Result<Vec<Membership>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM memberships m WHERE m.user_id = ?1 AND {} ORDER BY m.group_id",
            visible_member("m.group_id", "m.user_id")
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(database_fault)?;
        let rows = statement.query_map([user.0], membership_row).map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    fn one_member(&self, condition: &str, values: impl rusqlite::Params) -> Result<Option<Member>> {
        let sql = format!("{} WHERE {condition} AND {}", select_member(), visible_member("?1", "m.user_id"));
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row(values, member_row).optional())
            .map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Makes a user a member of a group.
    ///
    /// # Errors
    /// `Conflict` with code `puid_taken` when another member has the PUID, `already_member` when the user
    /// belongs to the group already.
    pub fn insert_membership(&self, membership: &Membership) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO memberships
                     (group_id, user_id, puid, role_id, administrator, suspended, active, mark, created_at,
                      updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, random() & 0x7fffffff, ?8, ?8)",
            )
            .and_then(|mut s| {
                s.execute((
                    membership.group.0,
                    membership.user.0,
                    membership.puid.as_ref().map(Puid::as_str),
                    membership.role.map(|r| r.0),
                    membership.administrator,
                    membership.suspended,
                    membership.active,
                    self.now.0,
                ))
            })
            .map_err(duplicate_membership)?;
        Ok(())
    }

    /// Keeps the PUID, role and flags of a membership.
    ///
    /// # Errors
    /// `Conflict` with code `puid_taken` when another member has the PUID.
    pub fn update_membership(&self, membership: &Membership) -> Result<()> {
        if let Some(import) = self.import() {
            return self.prepare_membership(import, membership);
        }
        self.connection
            .prepare_cached(
                "UPDATE memberships SET puid = ?3, role_id = ?4, administrator = ?5, suspended = ?6,
                        active = ?7, updated_at = ?8
                 WHERE group_id = ?1 AND user_id = ?2",
            )
            .and_then(|mut s| {
                s.execute((
                    membership.group.0,
                    membership.user.0,
                    membership.puid.as_ref().map(Puid::as_str),
                    membership.role.map(|r| r.0),
                    membership.administrator,
                    membership.suspended,
                    membership.active,
                    self.now.0,
                ))
            })
            .map_err(duplicate_membership)?;
        Ok(())
    }

    /// Takes a PUID away, so that another member can be given it in the same transaction.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn clear_puid(&self, group: GroupId, user: UserId) -> Result<()> {
        self.execute(
            "UPDATE memberships SET puid = NULL WHERE group_id = ?1 AND user_id = ?2",
            (group.0, user.0),
        )
    }

    /// Ends a membership, and with it its web sessions.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn delete_membership(&self, group: GroupId, user: UserId) -> Result<()> {
        self.execute("DELETE FROM memberships WHERE group_id = ?1 AND user_id = ?2", (group.0, user.0))
    }
}

/// Reads a member from the columns of [`select_member`].
pub(super) fn member_row(row: &Row<'_>) -> rusqlite::Result<Member> {
    let row = Columns::of(row);
    Ok(Member { user: user_of(&row)?, membership: membership_of(&row)?, role_name: row.get("role_name")? })
}

fn membership_row(row: &Row<'_>) -> rusqlite::Result<Membership> {
    membership_of(&Columns::of(row))
}

fn membership_of(row: &Columns<'_, '_>) -> rusqlite::Result<Membership> {
    // In the order of the statement.
    let (group, user) = (GroupId(row.get("group_id")?), UserId(row.get("user_id")?));
    let puid = match row.get::<Option<String>>("puid")? {
        Some(text) => Some(Puid::parse(&text).ok_or_else(|| unreadable("PUID"))?),
        None => None,
    };
    Ok(Membership {
        group,
        user,
        puid,
        role: row.get::<Option<i64>>("role_id")?.map(RoleId),
        administrator: row.get("administrator")?,
        suspended: row.get("suspended")?,
        active: row.get("active")?,
        created_at: Timestamp(row.get("member_since")?),
        updated_at: Timestamp(row.get("member_changed_at")?),
    })
}

fn duplicate_membership(error: rusqlite::Error) -> Error {
    if !is_duplicate(&error) {
        return database_fault(error);
    }
    if error.to_string().contains("memberships.puid") {
        let public = "Another user of the group has this Partner User ID.";
        return Error::new(Kind::Conflict, "puid_taken", public).with_field("puid");
    }
    Error::new(Kind::Conflict, "already_member", "The user belongs to this group already.")
}
