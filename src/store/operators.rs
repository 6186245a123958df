//! Operators: those who run the appliance.

use rusqlite::{OptionalExtension, Row};

use super::{Reader, Writer, database_fault, is_duplicate};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::model::{Operator, OperatorId};

const COLUMNS: &str = "id, name, failures, locked_until, signed_in_at, created_at";

impl Reader<'_> {
    /// Finds an operator by name, in any case.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn operator_by_name(&self, name: &str) -> Result<Option<Operator>> {
        let sql = format!("SELECT {COLUMNS} FROM operators WHERE name = ?1");
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row([name], operator_row).optional())
            .map_err(database_fault)
    }

    /// Finds an operator by number.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn operator(&self, id: OperatorId) -> Result<Option<Operator>> {
        let sql = format!("SELECT {COLUMNS} FROM operators WHERE id = ?1");
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row([id.0], operator_row).optional())
            .map_err(database_fault)
    }

    /// Lists the operators by name.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn operators(&self) -> Result<Vec<Operator>> {
        let sql = format!("SELECT {COLUMNS} FROM operators ORDER BY name");
        let mut statement = self.connection.prepare_cached(&sql).map_err(database_fault)?;
        let rows = statement.query_map([], operator_row).map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// The hash of an operator's password, in the PHC string format.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn operator_password_hash(&self, id: OperatorId) -> Result<Option<String>> {
        self.connection
            .prepare_cached("SELECT password_hash FROM operators WHERE id = ?1")
            .and_then(|mut s| s.query_row([id.0], |row| row.get(0)).optional())
            .map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Makes an operator, whose number was never used before.
    ///
    /// # Errors
    /// `Conflict` with code `operator_exists` when the name is taken, in any case.
    pub fn insert_operator(&self, name: &str, password_hash: &str) -> Result<OperatorId> {
        self.connection
            .prepare_cached("INSERT INTO operators (name, password_hash, created_at) VALUES (?1, ?2, ?3)")
            .and_then(|mut s| s.insert((name, password_hash, self.now.0)))
            .map(OperatorId)
            .map_err(|error| {
                if is_duplicate(&error) {
                    let public = "An operator of this name exists already.";
                    return Error::new(Kind::Conflict, "operator_exists", public).with_field("name");
                }
                database_fault(error)
            })
    }

    /// Sets an operator's password hash, forgets the failures, and ends the operator's console sessions.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn set_operator_password_hash(&self, id: OperatorId, hash: &str) -> Result<()> {
        self.execute(
            "UPDATE operators SET password_hash = ?2, failures = 0, locked_until = NULL WHERE id = ?1",
            (id.0, hash),
        )?;
        self.execute("DELETE FROM console_sessions WHERE operator_id = ?1", [id.0])
    }

    /// Forgets an operator's failures, and lets them in again.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn clear_operator_lockout(&self, id: OperatorId) -> Result<()> {
        self.execute("UPDATE operators SET failures = 0, locked_until = NULL WHERE id = ?1", [id.0])
    }

    /// Deletes an operator, and with them their console sessions.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn delete_operator(&self, id: OperatorId) -> Result<()> {
        self.execute("DELETE FROM operators WHERE id = ?1", [id.0])
    }
}

fn operator_row(row: &Row<'_>) -> rusqlite::Result<Operator> {
    Ok(Operator {
        id: OperatorId(row.get("id")?),
        name: row.get("name")?,
        failures: row.get("failures")?,
        locked_until: row.get::<_, Option<i64>>("locked_until")?.map(Timestamp),
        signed_in_at: row.get::<_, Option<i64>>("signed_in_at")?.map(Timestamp),
        created_at: Timestamp(row.get("created_at")?),
    })
}
