//! The parsed keys of each group, kept between sign-ins: parsing costs more than verifying.
//!
//! A parsed set is used only while the stored certificates are the same, so that a change by another
//! process (the command line beside the server) takes effect with the next response.

use std::sync::{Arc, PoisonError, RwLock};

use crate::desk::ground::kept::Kept;
use crate::error::{Error, Result};
use crate::model::GroupId;
use crate::model::sso::IdpKey;
use crate::protocol::xml::{DecryptionKey, VerificationKey};

/// Most groups whose keys stay parsed.
const GROUPS_KEPT: usize = 10_000;

/// The parsed keys of one group.
pub(super) struct Trust {
    /// SHA-256 of each certificate, in the order of [`Trust::keys`].
    pub fingerprints: Vec<String>,
    pub keys: Vec<VerificationKey>,
}

/// Our own parsed keys for one group, newest first.
pub(super) struct OwnKeys {
    pub ids: Vec<i64>,
    pub keys: Vec<DecryptionKey>,
}

/// See the head of this file.
pub(super) struct TrustCache {
    theirs: OfGroups<Trust>,
    ours: OfGroups<OwnKeys>,
}

/// Parsed keys by group.
type OfGroups<T> = RwLock<Kept<GroupId, Arc<T>>>;

impl Default for TrustCache {
    fn default() -> TrustCache {
        let (theirs, ours) = (Kept::at_most(GROUPS_KEPT), Kept::at_most(GROUPS_KEPT));
        TrustCache { theirs: RwLock::new(theirs), ours: RwLock::new(ours) }
    }
}

impl TrustCache {
    /// The parsed keys of an identity provider.
    pub(super) fn of(&self, group: GroupId, stored: &[IdpKey]) -> Result<Arc<Trust>> {
        let same = |trust: &Arc<Trust>| trust.fingerprints.iter().eq(stored.iter().map(|k| &k.fingerprint));
        if let Some(trust) = found(&self.theirs, group, same) {
            return Ok(trust);
        }
        let mut trust = Trust { fingerprints: Vec::new(), keys: Vec::new() };
        for key in stored {
            // A stored key was read before it was stored; one that cannot be read any more is no anchor.
            let parsed = VerificationKey::from_certificate_der(&key.certificate)
                .map_err(|e| Error::fault("sso_key_unreadable", format!("group {group}: {e}")))?;
            trust.fingerprints.push(key.fingerprint.clone());
            trust.keys.push(parsed);
        }
        Ok(kept(&self.theirs, group, Arc::new(trust)))
    }

    /// Our own parsed keys; `open` unseals the one of a number.
    pub(super) fn own(
        &self,
        group: GroupId,
        ids: &[i64],
        open: impl Fn(i64) -> Result<DecryptionKey>,
    ) -> Result<Arc<OwnKeys>> {
        if let Some(own) = found(&self.ours, group, |own: &Arc<OwnKeys>| own.ids == ids) {
            return Ok(own);
        }
        let keys = ids.iter().map(|id| open(*id)).collect::<Result<Vec<_>>>()?;
        Ok(kept(&self.ours, group, Arc::new(OwnKeys { ids: ids.to_vec(), keys })))
    }
}

fn found<T>(cache: &OfGroups<T>, group: GroupId, same: impl Fn(&Arc<T>) -> bool) -> Option<Arc<T>> {
    let cache = cache.read().unwrap_or_else(PoisonError::into_inner);
    cache.get(&group).filter(|kept| same(kept)).cloned()
}

fn kept<T>(cache: &OfGroups<T>, group: GroupId, value: Arc<T>) -> Arc<T> {
    let mut cache = cache.write().unwrap_or_else(PoisonError::into_inner);
    cache.insert(group, Arc::clone(&value));
    value
}
