//! The facts about this installation: whether somebody has claimed it.

use super::{Reader, Writer, database_fault};
use crate::error::Result;

impl Reader<'_> {
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
