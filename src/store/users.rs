//! Users: the person with a Glance Address, whatever groups they belong to.

use rusqlite::{OptionalExtension, Row};

use super::imports::{visible, visible_member};
use super::leaving::{HOME, STILL_THERE};
use super::{Reader, Writer, database_fault, is_duplicate};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::model::person::Person;
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

/// The columns of a user, in the order of [`user_row`]; `u` is the users table.
pub(super) fn columns() -> String {
    format!(
        "u.id, u.glance_address, u.first_name, u.last_name, u.email, u.phone, u.password_hash IS NOT NULL, {HOME},
         u.failures, u.locked_until, u.signed_in_at, u.created_at, u.updated_at"
    )
}
/// How many columns there are in [`columns`].
pub(super) const COLUMN_COUNT: usize = 13;

impl Reader<'_> {
    /// Finds a user by number.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn user(&self, id: UserId) -> Result<Option<User>> {
        let sql = format!("SELECT {} FROM users u WHERE u.id = ?1 AND {STILL_THERE}", columns());
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row([id.0], |row| user_row(row, 0)).optional())
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
            .and_then(|mut s| s.query_row([address], |row| user_row(row, 0)).optional())
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
        let rows =
            statement.query_map((group.0, email, limit), |row| user_row(row, 0)).map_err(database_fault)?;
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
        self.connection
            .prepare_cached(
                "INSERT INTO users (id, glance_address, home_group_id, first_name, last_name, email, phone,
                                    password_hash, created_at, updated_at)
                 VALUES (?9, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
            )
            .and_then(|mut s| {
                s.insert((
                    user.address.as_str(),
                    user.home_group.0,
                    &user.person.first_name,
                    &user.person.last_name,
                    &user.person.email,
                    &user.person.phone,
                    &user.password_hash,
                    self.now.0,
                    number,
                ))
            })
            .map(UserId)
    }

    /// Keeps the address, names, e-mail address and phone number of `user`, found by its number.
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
        self.connection
            .prepare_cached(
                "UPDATE users SET glance_address = ?2, first_name = ?3, last_name = ?4, email = ?5,
                                  phone = ?6, updated_at = ?7 WHERE id = ?1",
            )
            .and_then(|mut s| {
                s.execute((
                    user.id.0,
                    user.address.as_str(),
                    &user.person.first_name,
                    &user.person.last_name,
                    &user.person.email,
                    &user.person.phone,
                    self.now.0,
                ))
            })
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

/// Reads a user from the columns of [`columns`], which begin at `first`.
pub(super) fn user_row(row: &Row<'_>, first: usize) -> rusqlite::Result<User> {
    let address: String = row.get(first + 1)?;
    let address = GlanceAddress::parse(&address).ok_or_else(|| unreadable(first + 1, "Glance Address"))?;
    Ok(User {
        id: UserId(row.get(first)?),
        address,
        person: Person {
            first_name: row.get(first + 2)?,
            last_name: row.get(first + 3)?,
            email: row.get(first + 4)?,
            phone: row.get(first + 5)?,
        },
        has_password: row.get(first + 6)?,
        home_group: GroupId(row.get(first + 7)?),
        failures: row.get(first + 8)?,
        locked_until: row.get::<_, Option<i64>>(first + 9)?.map(Timestamp),
        signed_in_at: row.get::<_, Option<i64>>(first + 10)?.map(Timestamp),
        created_at: Timestamp(row.get(first + 11)?),
        updated_at: Timestamp(row.get(first + 12)?),
    })
}

/// The error for a stored value that breaks a rule which was checked when it came in.
pub(super) fn unreadable(column: usize, what: &str) -> rusqlite::Error {
    let why = format!("a stored {what} breaks its rule");
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, why.into())
}

fn duplicate_address(error: rusqlite::Error) -> Error {
    if is_duplicate(&error) {
        let public = "Another user has this Glance Address.";
        return Error::new(Kind::Conflict, "address_taken", public).with_field("address");
    }
    database_fault(error)
}
