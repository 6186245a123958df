//! The claim: how the first operator comes to an appliance that nobody runs yet.
//!
//! At each start without operators a fresh one-time token is made and printed on the host; only its
//! fingerprint is kept. Whoever opens the link with it names the first operator.

use super::Desk;
use crate::error::Result;
use crate::secret::random_token;

impl Desk {
    /// Makes a claim token when nobody runs the appliance; it replaces the one before it.
    ///
    /// # Errors
    /// Those of the store.
    pub fn new_claim(&self) -> Result<Option<String>> {
        if !self.store.read(|r| r.operators())?.is_empty() {
            return Ok(None);
        }
        let token = random_token::<24>()?;
        let fingerprint = self.keys.fingerprint_of(token.as_bytes());
        self.store.write(self.clock.now(), move |w| w.set_claim_fingerprint(Some(fingerprint)))?;
        Ok(Some(token))
    }
}
