//! How the key file is kept: sealed into each backup, to the public key of an identity that is never on this machine.

use crate::desk::Desk;
use crate::desk::ground::permission;
use crate::error::Result;
use crate::model::{Caller, LogEntry};
use crate::protocol::age::Recipient;

const OPERATION: &str = "backup.key-seal";

impl Desk {
    /// Seals the key file into each backup from now on, to the age recipient `recipient` (`age1…`); `None` leaves it out.
    /// Operators only.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; `Invalid` with code `bad_recipient`; those of the store.
    pub fn seal_key_to(&self, caller: &Caller, recipient: Option<&str>) -> Result<()> {
        let attempt = || {
            permission::run_appliance(caller)?;
            let recipient = recipient.map(Recipient::parse).transpose()?.map(|known| known.to_string());
            let subject = recipient.clone().unwrap_or_else(|| "nobody".to_owned());
            let entry = LogEntry::done(caller, None, OPERATION, subject, "");
            self.ground.store.write(self.ground.clock.now(), move |w| {
                w.set_key_recipient(recipient.as_deref())?;
                w.log(&entry)
            })
        };
        // What was typed may be a private key, and is not repeated.
        self.ground.logging_refusal(caller, None, OPERATION, "", attempt())
    }

    /// Names the key file, such as `3F2A-91BC-07DE-55A1`.
    pub fn key_name(&self) -> &str {
        &self.ground.keys.name
    }
}
