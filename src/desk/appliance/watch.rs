//! What whoever watches the appliance is told: facts that the doctor judges and that metrics print.
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
use crate::model::database::DatabaseCheck;
use crate::model::{Caller, GroupId};
use crate::protocol::xml::VerificationKey;
use crate::store::{Asker, FileSizes, LogQuery, Writes};

/// For how long what takes a search is remembered.
const RECENT: Duration = Duration::from_secs(60);
/// Newest rows of the access log that are searched for the last backup.
const BACKUP_WITHIN: i64 = 200_000;
/// The operation of a backup in the access log.
const BACKUP: &str = "backup.take";

/// The last backup that was restored and found whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastBackup {
    pub at: Timestamp,
    pub file: String,
    /// What the proof says.
    pub proof: String,
}

/// A certificate of an identity provider that a group believes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdpCertificate {
    pub group: GroupId,
    pub ends_at: Timestamp,
}

/// What takes a search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Searched {
    /// `None` when there is none among the newest rows of the access log.
    pub last_backup: Option<LastBackup>,
    /// When a backup last failed, and with which code, if that was after the last good one.
    pub failed_backup: Option<(Timestamp, String)>,
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
        let query = LogQuery {
            search: BACKUP.to_owned(),
            within: Some(BACKUP_WITHIN),
            limit: 50,
            ..LogQuery::default()
        };
        let (rows, certificates) = self.ground.store.search(&Asker::of(&Caller::host(), None), |r| {
            Ok((r.log_rows(&query)?, r.certificates_in_use()?))
        })?;
        let mut rows = rows.into_iter().filter(|row| row.operation == BACKUP).peekable();
        let failed_backup =
            rows.peek().filter(|row| row.refused).map(|row| (row.at, row.code.clone().unwrap_or_default()));
        let last_backup = rows.find(|row| !row.refused).map(|row| LastBackup {
            at: row.at,
            file: row.subject,
            proof: row.detail,
        });
        let certificates = certificates.into_iter().filter_map(|(group, der)| {
            let key = VerificationKey::from_certificate_der(&der).ok()?;
            let ends_at = Timestamp::from_seconds(key.certificate()?.not_after);
            Some(IdpCertificate { group, ends_at })
        });
        let searched = Searched { last_backup, failed_backup, certificates: certificates.collect() };
        *last = Some((Instant::now(), searched.clone()));
        Ok(searched)
    }
}
