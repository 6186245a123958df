//! Changes of users who were there before, as part of an import: prepared in portions that nobody sees.
//!
//! While a task belongs to an import ([`Writer::hide_in`]), what it changes of users is not written to them, but beside
//! them, into `import_changes`. There it waits, until [`Writer::put_changes_in_force`] makes all of it so in a few
//! statements that look at no more than they must:
//!
//! - What searches compare is prepared, too: a user's words hold both the old and the new ones (`wider`), and searches then
//!   compare the user's own. The old ones are taken away afterwards ([`Writer::narrow_words`]).
//! - The rows of the access log wait in `import_log`.
//! - Whom somebody else changes meanwhile, triggers of `schema.sql` mark as stale. These are left out, and are told of, so
//!   that they are judged again.

use std::sync::LazyLock;

use super::users::{and_lines, of_lines};
use super::{ImportId, Writer, database_fault, is_duplicate};
use crate::error::{Error, Kind, Result};
use crate::model::person::LINES;
use crate::model::{Membership, Puid, User, UserId};

/// The changes of an import that are still what they were judged to be, by user.
const FRESH: &str = "import_changes i WHERE i.import_id = ?1 AND i.stale = 0";

impl Writer<'_> {
    /// Has `change` prepare the change of a user for the import that the task belongs to.
    ///
    /// # Errors
    /// What `change` returns; `Fault` when the database fails.
    pub fn prepare_change<T>(&self, user: UserId, change: impl FnOnce() -> Result<T>) -> Result<T> {
        let Some(import) = self.import() else {
            return Err(Error::fault("no_import", "a change was prepared outside of an import"));
        };
        let position = || -> Result<i64> {
            self.connection
                .prepare_cached("SELECT coalesce(max(position), 0) FROM import_log WHERE import_id = ?1")
                .and_then(|mut s| s.query_row([import], |row| row.get(0)))
                .map_err(database_fault)
        };
        let before = position()?;
        let changed = change()?;
        self.execute(
            "UPDATE import_changes SET first_log = ?3, last_log = ?4 WHERE import_id = ?1 AND user_id = ?2",
            (import, user.0, before + 1, position()?),
        )?;
        Ok(changed)
    }

    /// As [`Writer::update_user`], for an import.
    pub(super) fn prepare_user(&self, import: i64, user: &User) -> Result<()> {
        static SQL: LazyLock<String> = LazyLock::new(|| {
            let lines = of_lines(|_, line| line.to_owned());
            let unlike =
                of_lines(|at, line| format!("iif(u.{line} = ?{0} COLLATE BINARY, NULL, ?{0})", at + 4));
            let again = of_lines(|_, line| format!("{line} = excluded.{line}"));
            format!(
                "INSERT INTO import_changes (import_id, user_id, glance_address, {lines})
                 SELECT ?1, u.id, iif(u.glance_address = ?3 COLLATE BINARY, NULL, ?3), {unlike} FROM users u WHERE u.id = ?2
                 ON CONFLICT (import_id, user_id) DO UPDATE SET glance_address = excluded.glance_address, {again}"
            )
        });
        let address = user.address.as_str();
        self.execute(&SQL, and_lines(&[&import, &user.id.0, &address], &user.person).as_slice())?;
        self.execute(
            "UPDATE user_words SET wider = 1, person = search_words(person, ?2, ?3, ?4, ?5) WHERE user_id = ?1",
            (user.id.0, user.address.as_str(), &user.person.first_name, &user.person.last_name, &user.person.email),
        )
    }

    /// As [`Writer::update_membership`], for an import. Of a membership it changes the PUID and the role only.
    pub(super) fn prepare_membership(&self, import: i64, membership: &Membership) -> Result<()> {
        let puid = membership.puid.as_ref().map(Puid::as_str);
        let prepared = self
            .connection
            .prepare_cached(
                "INSERT INTO import_changes (import_id, user_id, group_id, sets_puid, puid, sets_role, role_id)
                 SELECT ?1, m.user_id, m.group_id, m.puid IS NOT ?4, ?4, m.role_id IS NOT ?5, ?5
                 FROM memberships m
                 WHERE m.group_id = ?2 AND m.user_id = ?3
                   AND m.administrator = ?6 AND m.suspended = ?7 AND m.active = ?8
                 ON CONFLICT (import_id, user_id) DO UPDATE SET group_id = excluded.group_id,
                     sets_puid = excluded.sets_puid, puid = excluded.puid, sets_role = excluded.sets_role,
                     role_id = excluded.role_id",
            )
            .and_then(|mut s| {
                s.execute((
                    import,
                    membership.group.0,
                    membership.user.0,
                    puid,
                    membership.role.map(|role| role.0),
                    membership.administrator,
                    membership.suspended,
                    membership.active,
                ))
            })
            .map_err(database_fault)?;
        if prepared == 0 {
            return Err(Error::fault("import_of_flags", "an import changes what it cannot prepare"));
        }
        self.execute(
            "UPDATE user_words SET wider = 1, puids = search_words(puids, ?2) WHERE user_id = ?1 AND ?2 IS NOT NULL",
            (membership.user.0, puid),
        )
    }

    /// As [`Writer::set_password_hash`], for an import; sessions and tokens end when it comes into force.
    pub(super) fn prepare_password(&self, import: i64, user: UserId, hash: Option<&str>) -> Result<()> {
        self.execute(
            "INSERT INTO import_changes (import_id, user_id, password_hash) VALUES (?1, ?2, ?3)
             ON CONFLICT (import_id, user_id) DO UPDATE SET password_hash = excluded.password_hash",
            (import, user.0, hash),
        )
    }

    /// Makes the changes of an import that have been prepared, after [`Writer::finish_import`]; gives back the users
    /// whom somebody else has changed meanwhile, by number: of these nothing is changed, and nothing stays in the log.
    ///
    /// # Errors
    /// `Conflict` with code `puid_taken` when another member has one of the PUIDs.
    pub fn put_changes_in_force(&self, import: ImportId) -> Result<Vec<UserId>> {
        let id = import.number();
        let stale = self.stale_changes(id)?;
        // Columns that an index or a trigger looks at stand in statements of their own: each costs more than the rest.
        let looked_at = |line: &str| matches!(line, "first_name" | "last_name" | "email");
        let rest: Vec<&str> = LINES.iter().map(|line| line.name).filter(|line| !looked_at(line)).collect();
        let any_of_rest = rest.iter().map(|line| format!("i.{line}, ")).collect::<String>();
        let the_rest: String =
            rest.iter().map(|line| format!("{line} = coalesce(i.{line}, users.{line}), ")).collect();
        let changes = [
            format!(
                "UPDATE users SET {the_rest} updated_at = ?2
                 FROM {FRESH} AND users.id = i.user_id AND coalesce({any_of_rest} NULL) IS NOT NULL
                   AND coalesce(i.first_name, i.last_name) IS NULL"
            ),
            format!(
                "UPDATE users SET first_name = coalesce(i.first_name, users.first_name),
                     last_name = coalesce(i.last_name, users.last_name), {the_rest} updated_at = ?2
                 FROM {FRESH} AND users.id = i.user_id AND coalesce(i.first_name, i.last_name) IS NOT NULL"
            ),
            format!(
                "UPDATE users SET password_hash = i.password_hash, updated_at = ?2
                 FROM {FRESH} AND users.id = i.user_id AND i.password_hash IS NOT NULL"
            ),
            format!(
                "UPDATE users SET email = i.email, updated_at = ?2
                 FROM {FRESH} AND users.id = i.user_id AND i.email IS NOT NULL"
            ),
            format!(
                "UPDATE users SET glance_address = i.glance_address, updated_at = ?2
                 FROM {FRESH} AND users.id = i.user_id AND i.glance_address IS NOT NULL"
            ),
            format!(
                "UPDATE memberships SET role_id = i.role_id, updated_at = ?2
                 FROM {FRESH} AND memberships.group_id = i.group_id AND memberships.user_id = i.user_id
                   AND i.sets_role = 1 AND i.sets_puid = 0"
            ),
            format!(
                "UPDATE memberships SET puid = i.puid, updated_at = ?2,
                     role_id = iif(i.sets_role, i.role_id, memberships.role_id)
                 FROM {FRESH} AND memberships.group_id = i.group_id AND memberships.user_id = i.user_id
                   AND i.sets_puid = 1"
            ),
        ];
        for sql in &changes {
            self.connection
                .prepare_cached(sql)
                .and_then(|mut s| s.execute((id, self.now.0)))
                .map_err(taken)?;
        }
        let with_password = format!("SELECT i.user_id FROM {FRESH} AND i.password_hash IS NOT NULL");
        for ended in [
            format!("DELETE FROM console_sessions WHERE user_id IN ({with_password})"),
            format!("DELETE FROM issued_credentials WHERE user_id IN ({with_password})"),
            format!("UPDATE memberships SET mark = random() & 0x7fffffff WHERE user_id IN ({with_password})"),
        ] {
            self.execute(&ended, [id])?;
        }
        Ok(stale)
    }

    fn stale_changes(&self, import: i64) -> Result<Vec<UserId>> {
        let sql = "SELECT user_id, first_log, last_log FROM import_changes WHERE import_id = ?1 AND stale = 1
                   ORDER BY user_id";
        let mut statement = self.connection.prepare_cached(sql).map_err(database_fault)?;
        type StaleChange = (i64, Option<i64>, Option<i64>);
        let found: Vec<StaleChange> = statement
            .query_map([import], |row| Ok((row.get("user_id")?, row.get("first_log")?, row.get("last_log")?)))
            .and_then(Iterator::collect)
            .map_err(database_fault)?;
        for (_, first, last) in &found {
            self.execute(
                "DELETE FROM import_log WHERE import_id = ?1 AND position BETWEEN ?2 AND ?3",
                (import, first, last),
            )?;
        }
        Ok(found.into_iter().map(|(user, ..)| UserId(user)).collect())
    }

    /// Forgets at most `most` changes of an import that is over, and gives the users their own words back; `false` when
    /// nothing is left.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub(super) fn narrow_words(&self, import: ImportId, most: u32) -> Result<bool> {
        let some = "SELECT user_id FROM import_changes WHERE import_id = ?1 ORDER BY user_id LIMIT ?2";
        self.execute(
            &format!(
                "UPDATE user_words SET wider = 0,
                     person = (SELECT search_words(first_name, last_name, glance_address, email)
                               FROM users u WHERE u.id = user_words.user_id),
                     puids = (SELECT search_words(group_concat(puid, ' '))
                              FROM memberships m WHERE m.user_id = user_words.user_id)
                 WHERE user_id IN ({some}) AND wider = 1 AND NOT EXISTS (
                     SELECT 1 FROM import_changes o WHERE o.user_id = user_words.user_id AND o.import_id <> ?1)"
            ),
            (import.number(), most),
        )?;
        let forgotten = self
            .connection
            .prepare_cached(&format!(
                "DELETE FROM import_changes WHERE import_id = ?1 AND user_id IN ({some})"
            ))
            .and_then(|mut s| s.execute((import.number(), most)))
            .map_err(database_fault)?;
        Ok(forgotten > 0)
    }
}

fn taken(error: rusqlite::Error) -> Error {
    if is_duplicate(&error) {
        let public = "Another user has this Partner User ID or Glance Address.";
        return Error::new(Kind::Conflict, "puid_taken", public).with_field("puid");
    }
    database_fault(error)
}
