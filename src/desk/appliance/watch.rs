//! What anyone who watches the appliance is told: facts that the doctor judges and that metrics print.
//!
//! Of identity providers' certificates and of backups the answer of a minute ago is good enough: those are looked up once
//! a minute, however often somebody asks.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::Timestamp;
use crate::desk::appliance::Appliance;
use crate::desk::ground::sign_ins::SignIns;
use crate::error::Result;
use crate::machine;
use crate::model::backup::BackupRecord;
use crate::model::database::DatabaseCheck;
use crate::model::{Caller, GroupId};
use crate::protocol::xml::VerificationKey;
use crate::store::{Asker, FileSizes, Writes};

/// For how long what takes a search is remembered.
const RECENT: Duration = Duration::from_secs(60);
const DAY_SECONDS: i64 = 86_400;
/// After so many days without use a key is nobody's.
const UNUSED_SECONDS: i64 = 90 * 86_400;

/// A certificate of an identity provider that a group believes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdpCertificate {
    pub group: GroupId,
    pub ends_at: Timestamp,
}

/// What takes a search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Searched {
    /// The last backup that was restored and found whole.
    pub last_backup: Option<BackupRecord>,
    /// Whether the last attempt at a backup failed.
    pub backup_failed: bool,
    /// Whether nobody has said how the key file is kept.
    pub key_not_kept: bool,
    /// Rows of the access log within a day.
    pub access_log_rows_of_a_day: u64,
    /// SCIM tokens and certificates of identity providers that were not used for 90 days.
    pub unused_keys: u64,
    /// Those that can be read.
    pub certificates: Vec<IdpCertificate>,
}

/// What was searched for, and when.
#[derive(Default)]
pub(super) struct LastSearch(Mutex<Option<(Instant, Searched)>>);

/// The appliance at one moment.
#[derive(Debug, Clone)]
pub struct Watched {
    pub now: Timestamp,
    pub files: FileSizes,
    /// Whether the write-ahead log is where it belongs.
    pub log_is_there: bool,
    pub free_bytes: Option<u64>,
    pub writes: Writes,
    pub last_check: Option<DatabaseCheck>,
    pub access_log_rows: u64,
    pub searched: Searched,
}

impl Appliance {
    /// Looks at the appliance. For operators and for what runs inside the server; it tells no person apart.
    ///
    /// # Errors
    /// Those of the store.
    pub fn watched(&self) -> Result<Watched> {
        let store = &self.ground.store;
        Ok(Watched {
            now: self.ground.clock.now(),
            files: store.file_sizes(),
            log_is_there: store.log_is_there(),
            free_bytes: machine::free_bytes(store.directory()),
            writes: store.writes(),
            last_check: store.last_check(),
            access_log_rows: store.read(|r| r.access_log_rows())?,
            searched: self.searched()?,
        })
    }

    /// What is counted of sign-ins.
    pub fn sign_ins(&self) -> &SignIns {
        &self.ground.sign_ins
    }

    fn searched(&self) -> Result<Searched> {
        // Held meanwhile, so that only one searches.
        let mut last = self.last_search.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, searched)) = &*last
            && at.elapsed() < RECENT
        {
            return Ok(searched.clone());
        }
        let now = self.ground.clock.now();
        let (found, certificates) = self.ground.store.search(&Asker::of(&Caller::host(), None), |r| {
            let attention = r.attention()?;
            let found = Searched {
                last_backup: r.last_proven_backup()?,
                backup_failed: attention.backup_failed,
                key_not_kept: attention.key_not_kept,
                access_log_rows_of_a_day: r.access_log_rows_since(now.plus_seconds(-DAY_SECONDS))?,
                unused_keys: r.keys_unused_since(now.plus_seconds(-UNUSED_SECONDS))?,
                certificates: Vec::new(),
            };
            Ok((found, r.certificates_in_use()?))
        })?;
        let certificates = certificates.into_iter().filter_map(|(group, der)| {
            let key = VerificationKey::from_certificate_der(&der).ok()?;
            let ends_at = Timestamp::from_seconds(key.certificate()?.not_after);
            Some(IdpCertificate { group, ends_at })
        });
        let searched = Searched { certificates: certificates.collect(), ..found };
        *last = Some((Instant::now(), searched.clone()));
        Ok(searched)
    }
}
