//! The desk: the use cases. What a person or a program wants done, checked and carried out.
//!
//! A use case takes a [`crate::model::Caller`] and typed values, decides whether the caller may, calls
//! protocol code where something must be judged, and has the store keep the change together with its
//! access-log row. One use case stands behind every surface: web service, console, command line and seed
//! do the same thing in the same words. Knows no SQL, no tiny_http and no HTML.

pub mod appliance;
pub mod backup;
#[cfg(test)]
mod desk_tests;
#[cfg(test)]
pub(crate) mod fixture;
pub mod ground;
mod key_check;
pub mod people;
pub mod restore;
pub mod sign_in;
pub mod sso;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::appliance::Appliance;
use self::ground::Ground;
use self::people::People;
use self::sign_in::SignIn;
use self::sso::Sso;
use crate::clock::Clock;
use crate::error::Result;
use crate::model::Mode;
use crate::model::database::{Closed, DatabaseCheck, LostLog};
use crate::secret::Keys;
use crate::store::{self, DATABASE_FILE, KEY_FILE, Reader, Store};

/// The use cases, in four wings on one ground.
pub struct Desk {
    ground: Arc<Ground>,
    pub people: Arc<People>,
    pub sign_in: Arc<SignIn>,
    pub sso: Arc<Sso>,
    pub appliance: Appliance,
    /// The data directory.
    data: PathBuf,
    backups: backup::Settings,
    /// The backup that was made before the database was brought up to date, if it was when this desk was opened.
    pub backup_before_upgrade: Option<backup::Backup>,
}

/// What an operator may choose at the start of a server.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// What is done with a database that has lost its log.
    pub lost_log: LostLog,
    /// Whether a backup is made before a database of an older program is brought up to date.
    pub backup_before_upgrade: bool,
    /// Whether a server that has a replica asks first whether another one was promoted from it.
    pub asks_the_replica: bool,
}

impl Default for Start {
    fn default() -> Start {
        Start { lost_log: LostLog::Refuse, backup_before_upgrade: true, asks_the_replica: true }
    }
}

impl Desk {
    /// Opens the data directory for a server that starts: the database and the key file beside it, made when
    /// neither is there.
    ///
    /// # Errors
    /// Those of [`Keys::open`] and [`Store::open_if`], and `Denied` with code `key_file_of_another` when the key
    /// is not the one that the database was sealed under: start refuses rather than repairs.
    pub fn open(directory: &Path, mode: Mode, clock: Clock) -> Result<Desk> {
        Desk::open_for_server(directory, mode, clock, Start::default())
    }

    /// As [`Desk::open`], with the conditions that an operator may choose at the start. A database of an older program is
    /// backed up before it is brought up to date.
    ///
    /// # Errors
    /// Those of [`Desk::open`].
    pub fn open_for_server(directory: &Path, mode: Mode, clock: Clock, start: Start) -> Result<Desk> {
        // A key file is made only where no database is, so it is looked for first.
        let keys = keys_in(directory)?;
        let judge = |reader: &Reader<'_>| key_check::belongs(&keys, &directory.join(KEY_FILE), reader);
        let backed_up = match start.backup_before_upgrade {
            true => backup::before_upgrade(directory, Some(mode), start.lost_log, judge)?,
            false => None,
        };
        let store = Store::open_if(directory, mode, clock.now(), start.lost_log, judge)?;
        let mut desk = Desk::over(directory, store, keys, mode, clock, true)?;
        desk.note_backup(backed_up)?;
        // Nobody else works at what a server began.
        if desk.ground.store.read(|r| r.has_unfinished_imports())? {
            desk.ground
                .store
                .write_promised(desk.ground.clock.now(), |w| w.abandon_imports_of_servers())
                .wait()?;
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
        let backed_up = backup::before_upgrade(directory, None, LostLog::Refuse, judge)?;
        let (store, mode) = Store::open_beside(directory, judge)?;
        let keys = keys.into_inner().map_or_else(read_keys, Ok)?;
        let mut desk = Desk::over(directory, store, keys, mode, clock, false)?;
        desk.note_backup(backed_up)?;
        Ok(desk)
    }

    fn over(
        directory: &Path,
        store: Store,
        keys: Keys,
        mode: Mode,
        clock: Clock,
        serves: bool,
    ) -> Result<Desk> {
        key_check::remember(&keys, &store, clock.now())?;
        let ground = Arc::new(Ground::new(store, keys, mode, clock, serves));
        // Who was let in before has nothing to be forgotten.
        ground.hear_who_was_let_in()?;
        let people = Arc::new(People::new(Arc::clone(&ground)));
        let sign_in = Arc::new(SignIn::new(Arc::clone(&ground)));
        let sso = Arc::new(Sso::new(Arc::clone(&ground), Arc::clone(&sign_in)));
        let appliance = Appliance::new(Arc::clone(&ground), Arc::clone(&people));
        Ok(Desk {
            ground,
            people,
            sign_in,
            sso,
            appliance,
            data: directory.to_owned(),
            backups: backup::Settings::default(),
            backup_before_upgrade: None,
        })
    }

    /// The one clock of the process.
    pub fn clock(&self) -> &Clock {
        &self.ground.clock
    }

    /// How often a replica of the appliance was promoted.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn epoch(&self) -> Result<i64> {
        self.ground.store.read(|r| r.epoch())
    }

    /// Production or lab.
    pub fn mode(&self) -> Mode {
        self.ground.mode
    }

    /// Checks the whole database, which takes long and keeps nobody waiting.
    ///
    /// # Errors
    /// `Fault` or `Unavailable` when it could not be checked, or the store was closed meanwhile.
    pub fn check_database(&self) -> Result<DatabaseCheck> {
        self.ground.store.check_whole(self.ground.clock.now())
    }

    /// What the last check of the whole database found; `None` until the first has ended.
    pub fn last_database_check(&self) -> Option<DatabaseCheck> {
        self.ground.store.last_check()
    }

    /// Closes the database, so that its file alone is the database unless another process has it open. `None` when it
    /// was closed before.
    pub fn close(&self) -> Option<Closed> {
        self.ground.store.close()
    }
}

/// The bytes in which pages of the database may be kept.
pub fn database_cache_bytes() -> usize {
    store::CACHE_BYTES
}

fn keys_in(directory: &Path) -> Result<Keys> {
    Keys::open(&directory.join(KEY_FILE), &directory.join(DATABASE_FILE))
}
