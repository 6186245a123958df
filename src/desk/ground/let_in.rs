//! Letting somebody in again whom too many failures keep out, from whichever process.
//!
//! The guard counts in the memory of the server, and a command on the host is another process. So anyone who lets somebody
//! in writes that down, in the transaction that does it; and the server, before it refuses anybody for their failures,
//! reads what was written since.

use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};

use super::Ground;
use super::guard::{Account, TooMany};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::GroupId;
use crate::store::Writer;

/// The last that was heard of those who were let in.
#[derive(Default)]
pub struct Heard(AtomicI64);

/// Writes down that an account is let in.
pub fn let_in(w: &Writer<'_>, account: Account<'_>) -> Result<()> {
    w.note_let_in(&written(account))
}

impl Ground {
    /// Passes an attempt on `account`, before anything is verified, as [`crate::desk::ground::guard::Guard::admit`] does; anyone who was
    /// let in meanwhile passes too.
    pub fn admit_attempt(
        &self,
        address: Option<IpAddr>,
        account: Account<'_>,
        now: Timestamp,
    ) -> Result<std::result::Result<(), TooMany>> {
        let guard = &self.guard;
        if guard.would_admit(address, account, now) {
            return Ok(Ok(()));
        }
        self.hear_who_was_let_in()?;
        Ok(guard.admit(address, account, now))
    }

    /// Forgets the failures of those who were let in since this was called last.
    pub fn hear_who_was_let_in(&self) -> Result<()> {
        let heard = &self.let_in.0;
        for (id, text) in self.store.read(|r| r.let_in_after(heard.load(Ordering::Acquire)))? {
            if let Some(account) = read(&text) {
                self.guard.forget(None, account);
            }
            heard.fetch_max(id, Ordering::AcqRel);
        }
        Ok(())
    }
}

fn written(account: Account<'_>) -> String {
    match account {
        Account::Puid(group, puid) => format!("puid {group} {puid}"),
        Account::Address(name) => format!("address {name}"),
        Account::Password(name) => format!("password {name}"),
    }
}

fn read(text: &str) -> Option<Account<'_>> {
    let (kind, name) = text.split_once(' ')?;
    match kind {
        "puid" => {
            let (group, puid) = name.split_once(' ')?;
            Some(Account::Puid(GroupId::parse(group)?, puid))
        }
        "address" => Some(Account::Address(name)),
        "password" => Some(Account::Password(name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_down_is_read_again() {
        for account in [
            Account::Puid(GroupId(7), "a b  c"),
            Account::Address("ann.acme"),
            Account::Password("Ann of Acme"),
        ] {
            assert_eq!(read(&written(account)), Some(account));
        }
        assert_eq!(read("nonsense"), None);
    }
}
