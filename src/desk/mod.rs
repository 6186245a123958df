//! The desk: the use cases. What a person or a program wants done, checked and carried out.
//!
//! A use case takes a [`crate::model::Caller`] and typed values, decides whether the caller may, calls
//! protocol code where something must be judged, and has the store keep the change together with its
//! access-log row. One use case stands behind every surface: web service, console, command line and seed
//! do the same thing in the same words. Knows no SQL, no tiny_http and no HTML.

pub mod access_log;
pub mod allowed_sites;
pub mod api_keys;
mod claim;
mod console_sessions;
pub mod csv_upload;
#[cfg(test)]
mod desk_tests;
mod exports;
pub mod fields;
#[cfg(test)]
pub(crate) mod fixture;
mod form_tokens;
pub mod group_end;
pub mod groups;
pub(crate) mod guard;
mod housekeeping;
mod key_check;
mod lab;
mod let_in;
mod memory;
pub mod operators;
mod pace;
pub mod password_policy;
pub mod passwords;
pub mod people;
pub mod permission;
pub mod privilege;
mod refusal;
mod retired;
pub mod roles;
pub mod scim;
pub mod seed;
pub mod sign_in;
pub mod sso;
mod token;
pub mod uploads;
pub mod web_session;
pub mod workbench;

use std::path::Path;

use crate::clock::Clock;
use crate::error::Result;
use crate::model::Mode;
use crate::model::database::{Closed, DatabaseCheck, LostLog};
use crate::secret::Keys;
use crate::store::{self, DATABASE_FILE, KEY_FILE, Reader, Store};

/// Everything that the use cases need: the store, the one clock, the keys.
pub struct Desk {
    pub(crate) store: Store,
    /// The one clock of the process.
    pub clock: Clock,
    pub(crate) keys: Keys,
    /// Production or lab.
    pub mode: Mode,
    /// This process is the server: what it begins ends with it.
    serves: bool,
    /// What signing in keeps in memory.
    pub sign_in: sign_in::State,
    /// Uploaded files that wait to be applied.
    pub(crate) uploads: uploads::Uploads,
    /// Exports that are being taken.
    pub(crate) exports: exports::Exports,
    /// What single sign-on keeps in memory.
    sso: sso::State,
}

impl Desk {
    /// Opens the data directory for a server that starts: the database and the key file beside it, made when
    /// neither is there.
    ///
    /// # Errors
    /// Those of [`Keys::open`] and [`Store::open_if`], and `Denied` with code `key_file_of_another` when the key
    /// is not the one that the database was sealed under: start refuses rather than repairs.
    pub fn open(directory: &Path, mode: Mode, clock: Clock) -> Result<Desk> {
        Desk::open_for_server(directory, mode, clock, LostLog::Refuse)
    }

    /// As [`Desk::open`], and says what is done with a database that has lost its log.
    ///
    /// # Errors
    /// Those of [`Desk::open`].
    pub fn open_for_server(directory: &Path, mode: Mode, clock: Clock, lost_log: LostLog) -> Result<Desk> {
        // A key file is made only where no database is, so it is looked for first.
        let keys = keys_in(directory)?;
        let judge = |reader: &Reader<'_>| key_check::belongs(&keys, &directory.join(KEY_FILE), reader);
        let store = Store::open_if(directory, mode, clock.now(), lost_log, judge)?;
        let desk = Desk { serves: true, ..Desk::over(store, keys, mode, clock)? };
        // Nobody else works at what a server began.
        if desk.store.read(|r| r.has_unfinished_imports())? {
            desk.store.leave_trace(desk.clock.now(), |w| w.abandon_imports_of_servers()).wait()?;
        }
        Ok(desk)
    }

    /// Opens a data directory that was made before, in the mode that it belongs to: for commands on the host,
    /// which keep nobody waiting.
    ///
    /// # Errors
    /// Those of [`Store::open_beside`], and as [`Desk::open`].
    pub fn open_existing(directory: &Path) -> Result<Desk> {
        let clock = Clock::system();
        let read_keys = || keys_in(directory);
        let keys = std::cell::OnceCell::new();
        let judge = |reader: &Reader<'_>| {
            let found = read_keys()?;
            key_check::belongs(&found, &directory.join(KEY_FILE), reader)?;
            let _ = keys.set(found);
            Ok(())
        };
        let (store, mode) = Store::open_beside(directory, judge)?;
        let keys = keys.into_inner().map_or_else(read_keys, Ok)?;
        Desk::over(store, keys, mode, clock)
    }

    fn over(store: Store, keys: Keys, mode: Mode, clock: Clock) -> Result<Desk> {
        key_check::remember(&keys, &store, clock.now())?;
        let desk = Desk {
            store,
            clock,
            keys,
            mode,
            serves: false,
            sign_in: sign_in::State::default(),
            uploads: uploads::Uploads::default(),
            exports: exports::Exports::default(),
            sso: sso::State::default(),
        };
        // Who was let in before has nothing to be forgotten.
        desk.hear_who_was_let_in()?;
        Ok(desk)
    }

    /// Checks the whole database, which takes long and keeps nobody waiting.
    ///
    /// # Errors
    /// `Fault` or `Unavailable` when it could not be checked, or the store was closed meanwhile.
    pub fn check_database(&self) -> Result<DatabaseCheck> {
        self.store.check_whole(self.clock.now())
    }

    /// What the last check of the whole database found; `None` until the first has ended.
    pub fn last_database_check(&self) -> Option<DatabaseCheck> {
        self.store.last_check()
    }

    /// Closes the database, so that its file alone is the database unless another process has it open. `None` when it
    /// was closed before.
    pub fn close(&self) -> Option<Closed> {
        self.store.close()
    }
}

/// The bytes in which pages of the database may be kept.
pub fn database_cache_bytes() -> usize {
    store::CACHE_BYTES
}

fn keys_in(directory: &Path) -> Result<Keys> {
    Keys::open(&directory.join(KEY_FILE), &directory.join(DATABASE_FILE))
}
