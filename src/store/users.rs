//! Users: the person with a Glance Address, whatever groups they belong to.

use std::sync::LazyLock;

use rusqlite::{OptionalExtension, Row, ToSql};

use super::columns::Columns;
use super::imports::{visible, visible_member};
use super::leaving::{HOME, STILL_THERE};
use super::{Reader, Writer, database_fault, is_duplicate};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::model::person::{LINES, Person};
use crate::model::{GlanceAddress, GroupId, User, UserId};

/// A user to be made.
#[derive(Debug, Clone)]
pub struct NewUserRow {
    pub address: GlanceAddress,
    pub home_group: GroupId,
    pub person: Person<String>,
    /// In the PHC string format; never a password.
    pub password_hash: Option<String>,
}

/// The columns of a user, for [`user_row`]; `u` is the users table.
pub(super) fn columns() -> &'static str {
    static COLUMNS: LazyLock<String> = LazyLock::new(|| {
        let lines = of_lines(|_, line| format!("u.{line}"));
        format!(
            "u.id, u.glance_address, u.password_hash IS NOT NULL AS has_password, {HOME} AS home_group,
             u.failures, u.locked_until, u.signed_in_at, u.created_at, u.updated_at, {lines}"
        )
    });
    &COLUMNS
}

/// SQL for the column of each of a person's lines of text, which has the field's name: `sql` gets its place, from 0, and
/// its name.
pub(super) fn of_lines(sql: impl Fn(usize, &str) -> String) -> String {
    let each = LINES.iter().enumerate().map(|(at, line)| sql(at, line.name));
    each.collect::<Vec<_>>().join(", ")
}

/// The values to bind for a statement about a person's lines of text: theirs come after `others`.
pub(super) fn and_lines<'v>(others: &[&'v dyn ToSql], person: &'v Person<String>) -> Vec<&'v dyn ToSql> {
    let lines = person.iter().map(|(_, text)| -> &dyn ToSql { text });
    others.iter().copied().chain(lines).collect()
}

impl Reader<'_> {
    /// Finds a user by number.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn user(&self, id: UserId) -> Result<Option<User>> {
        let sql = format!("SELECT {} FROM users u WHERE u.id = ?1 AND {STILL_THERE}", columns());
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row([id.0], user_row).optional())
            .map_err(database_fault)
    }

    /// Finds a user by Glance Address, in any case.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn user_by_address(&self, address: &str) -> Result<Option<User>> {
        let sql = format!(
            "SELECT {} FROM users u WHERE u.glance_address = ?1 AND {} AND {STILL_THERE}",
            columns(),
            visible("u.id")
        );
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row([address], user_row).optional())
            .map_err(database_fault)
    }

    /// Finds the members of a group who have this e-mail address, in any case, at most `limit`.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn users_by_email(&self, group: GroupId, email: &str, limit: u32) -> Result<Vec<User>> {
        let sql = format!(
            "SELECT {} FROM users u WHERE u.email = ?2 AND u.email <> ''
                 AND EXISTS (SELECT 1 FROM memberships m WHERE m.group_id = ?1 AND m.user_id = u.id) AND {}
             ORDER BY u.id LIMIT ?3",
            columns(),
            visible_member("?1", "u.id")
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(database_fault)?;
        let rows = statement.query_map((group.0, email, limit), user_row).map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// The hash of a user's password, in the PHC string format; `None` when there is none.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn password_hash(&self, id: UserId) -> Result<Option<String>> {
        let found = self
            .connection
            .prepare_cached("SELECT password_hash FROM users WHERE id = ?1")
            .and_then(|mut s| s.query_row([id.0], |row| row.get::<_, Option<String>>(0)).optional())
            .map_err(database_fault)?;
        Ok(found.flatten())
    }
}

impl Writer<'_> {
    /// Makes a user, whose number was never used before.
    ///
    /// # Errors
    /// `Conflict` with code `address_taken` when the Glance Address is taken, in any case.
    pub fn insert_user(&self, user: &NewUserRow) -> Result<UserId> {
        let hidden = self.next_hidden_user()?;
        let inserted = self.insert_user_numbered(user, hidden);
        if inserted.as_ref().is_err_and(is_duplicate) && self.take_from_who_leaves(user.address.as_str())? {
            return self.insert_user_numbered(user, hidden).map_err(duplicate_address);
        }
        inserted.map_err(duplicate_address)
    }

    fn insert_user_numbered(&self, user: &NewUserRow, number: Option<i64>) -> rusqlite::Result<UserId> {
        static SQL: LazyLock<String> = LazyLock::new(|| {
            let (lines, values) =
                (of_lines(|_, line| line.to_owned()), of_lines(|at, _| format!("?{}", at + 6)));
            format!(
                "INSERT INTO users (id, glance_address, home_group_id, password_hash, created_at, updated_at, {lines})
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5, {values})"
            )
        });
        let address = user.address.as_str();
        let others: [&dyn ToSql; 5] =
            [&number, &address, &user.home_group.0, &user.password_hash, &self.now.0];
        self.connection
            .prepare_cached(&SQL)
            .and_then(|mut s| s.insert(and_lines(&others, &user.person).as_slice()))
            .map(UserId)
    }

    /// Keeps the address and the lines of text of `user`, found by its number.
    ///
    /// # Errors
    /// `Conflict` with code `address_taken` when another user has the Glance Address.
    pub fn update_user(&self, user: &User) -> Result<()> {
        if let Some(import) = self.import() {
            return self.prepare_user(import, user);
        }
        let updated = self.update_user_row(user);
        if updated.as_ref().is_err_and(is_duplicate) && self.take_from_who_leaves(user.address.as_str())? {
            return self.update_user_row(user).map_err(duplicate_address);
        }
        updated.map_err(duplicate_address)
    }

    fn update_user_row(&self, user: &User) -> rusqlite::Result<()> {
        static SQL: LazyLock<String> = LazyLock::new(|| {
            let lines = of_lines(|at, line| format!("{line} = ?{}", at + 4));
            format!("UPDATE users SET glance_address = ?2, updated_at = ?3, {lines} WHERE id = ?1")
        });
        let address = user.address.as_str();
        let others: [&dyn ToSql; 3] = [&user.id.0, &address, &self.now.0];
        self.connection
            .prepare_cached(&SQL)
            .and_then(|mut s| s.execute(and_lines(&others, &user.person).as_slice()))
            .map(drop)
    }

    /// Sets or takes away a user's password hash.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn set_password_hash(&self, id: UserId, hash: Option<&str>) -> Result<()> {
        if let Some(import) = self.import() {
            return self.prepare_password(import, id, hash);
        }
        self.execute(
            "UPDATE users SET password_hash = ?2, updated_at = ?3 WHERE id = ?1",
            (id.0, hash, self.now.0),
        )
    }

    /// Forgets a user's failures, and lets them in again.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn clear_lockout(&self, id: UserId) -> Result<()> {
        self.execute("UPDATE users SET failures = 0, locked_until = NULL WHERE id = ?1", [id.0])
    }

    /// Makes `group` the home of a user.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn set_home_group(&self, id: UserId, group: GroupId) -> Result<()> {
        self.execute("UPDATE users SET home_group_id = ?2 WHERE id = ?1", (id.0, group.0))
    }

    /// Deletes a user with all memberships, which voids their web sessions and tokens.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn delete_user(&self, id: UserId) -> Result<()> {
        self.execute("DELETE FROM users WHERE id = ?1", [id.0])
    }

    /// Ends the console sessions of a user and voids their web sessions and tokens, in one group or in all of
    /// them; in all of them, the credentials too that ValidateUser issued.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn end_sessions(&self, id: UserId, group: Option<GroupId>) -> Result<()> {
        if self.import().is_some() && group.is_none() {
            // With the password that was prepared.
            return Ok(());
        }
        let who = (id.0, group.map(|g| g.0));
        self.execute(
            "DELETE FROM console_sessions WHERE user_id = ?1 AND group_id = coalesce(?2, group_id)",
            who,
        )?;
        self.execute("DELETE FROM issued_credentials WHERE user_id = ?1 AND ?2 IS NULL", who)?;
        self.execute(
            "UPDATE memberships SET mark = random() & 0x7fffffff WHERE user_id = ?1 AND group_id = coalesce(?2, group_id)",
            who,
        )
    }

    /// Runs one statement whose number of rows does not matter.
    pub(super) fn execute(&self, sql: &str, values: impl rusqlite::Params) -> Result<()> {
        self.connection.prepare_cached(sql).and_then(|mut s| s.execute(values)).map_err(database_fault)?;
        Ok(())
    }
}

/// Reads a user from the columns of [`columns`].
pub(super) fn user_row(row: &Row<'_>) -> rusqlite::Result<User> {
    user_of(&Columns::of(row))
}

/// As [`user_row`], from a row that has more columns.
pub(super) fn user_of(row: &Columns<'_, '_>) -> rusqlite::Result<User> {
    // In the order of the statement.
    let id = UserId(row.get("id")?);
    let address: String = row.get("glance_address")?;
    let address = GlanceAddress::parse(&address).ok_or_else(|| unreadable("Glance Address"))?;
    Ok(User {
        id,
        address,
        has_password: row.get("has_password")?,
        home_group: GroupId(row.get("home_group")?),
        failures: row.get("failures")?,
        locked_until: row.get::<Option<i64>>("locked_until")?.map(Timestamp),
        signed_in_at: row.get::<Option<i64>>("signed_in_at")?.map(Timestamp),
        created_at: Timestamp(row.get("created_at")?),
        updated_at: Timestamp(row.get("updated_at")?),
        person: Person::try_of(|line| row.get(line.name))?,
    })
}

/// The error for a stored value that breaks a rule which was checked when it came in.
pub(super) fn unreadable(what: &str) -> rusqlite::Error {
    let why = format!("a stored {what} breaks its rule");
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, why.into())
}

fn duplicate_address(error: rusqlite::Error) -> Error {
    if is_duplicate(&error) {
        let public = "Another user has this Glance Address.";
        return Error::new(Kind::Conflict, "address_taken", public).with_field("address");
    }
    database_fault(error)
}
