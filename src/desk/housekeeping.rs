//! What must happen although nobody calls: kept SAML responses are wiped when their time is over.
//!
//! Other rows that ended (web sessions, pending requests, used assertions) are swept out when new ones are
//! written; until then they are refused by their times.

use super::Desk;
use crate::error::Result;

impl Desk {
    /// Wipes what was kept for a time that is over. To be called about once a minute.
    ///
    /// # Errors
    /// Those of the store.
    pub fn keep_house(&self) -> Result<()> {
        self.store.write(self.clock.now(), |w| w.wipe_kept_responses())
    }
}
