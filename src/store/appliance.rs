//! The facts about this installation: whether somebody has claimed it, and by which key it is sealed.

use super::{Reader, Writer, database_fault};
use crate::error::Result;

impl Reader<'_> {
    /// The value that was sealed to check the key file by; `None` in a database of an older program too, which is
    /// asked before it is brought up to date.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn sealed_check(&self) -> Result<Option<Vec<u8>>> {
        let kept = "SELECT count(*) FROM pragma_table_info('appliance') WHERE name = 'sealed_check'";
        match self.connection.query_row(kept, [], |row| row.get(0)).map_err(database_fault)? {
            0 => Ok(None),
            _ => self
                .connection
                .query_row("SELECT sealed_check FROM appliance", [], |row| row.get(0))
                .map_err(database_fault),
        }
    }

    /// The fingerprint of the claim token that is outstanding, if any.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn claim_fingerprint(&self) -> Result<Option<Vec<u8>>> {
        self.connection
            .query_row("SELECT claim_fingerprint FROM appliance", [], |row| row.get(0))
            .map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Writes what stands there already, so that it is known whether a commit would be durable.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn prove_that_writes_work(&self) -> Result<()> {
        // Twice, because SQLite does not write a page that stays as it was.
        self.connection
            .execute_batch(
                "UPDATE appliance SET closed_cleanly = 1 - closed_cleanly; UPDATE appliance SET closed_cleanly = 0",
            )
            .map_err(database_fault)
    }

    /// Keeps the value that was sealed to check the key file by. The first one stays.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn set_sealed_check(&self, sealed: &[u8]) -> Result<()> {
        self.connection
            .execute("UPDATE appliance SET sealed_check = ?1 WHERE sealed_check IS NULL", [sealed])
            .map_err(database_fault)?;
        Ok(())
    }

    /// Keeps the fingerprint of a new claim token, or none once the appliance is claimed.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn set_claim_fingerprint(&self, fingerprint: Option<[u8; 32]>) -> Result<()> {
        self.connection
            .execute("UPDATE appliance SET claim_fingerprint = ?1", [fingerprint.map(|f| f.to_vec())])
            .map_err(database_fault)?;
        Ok(())
    }
}
