//! API keys that were unsealed and prepared, kept for the next login key of their group.
//!
//! An entry counts only while the sealed bytes in the database are those that it was made of: a changed API
//! key is in force with the next look-up, in every process, and nothing needs to be told.

use std::sync::{PoisonError, RwLock};

use super::kept::Kept;
use crate::error::Result;
use crate::model::GroupId;
use crate::protocol::login_key::SigningKey;
use crate::secret::Keys;

/// Groups kept.
const KEPT_MOST: usize = 1_024;

/// Where a group's API key is sealed to.
pub fn api_key_place(group: GroupId) -> String {
    format!("group/{group}/api-key")
}

pub struct KeyCache {
    kept: RwLock<Kept<GroupId, PreparedKey>>,
}

impl Default for KeyCache {
    fn default() -> KeyCache {
        KeyCache { kept: RwLock::new(Kept::at_most(KEPT_MOST)) }
    }
}

struct PreparedKey {
    sealed: Vec<u8>,
    key: SigningKey,
}

impl KeyCache {
    /// Lends the prepared API key of a group, whose sealed form is `sealed`, to `task`.
    ///
    /// # Errors
    /// `Fault` when the sealed value does not open.
    pub fn with<T>(
        &self,
        keys: &Keys,
        group: GroupId,
        sealed: &[u8],
        task: impl FnOnce(&SigningKey) -> T,
    ) -> Result<T> {
        {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(entry) = kept.get(&group).filter(|entry| entry.sealed == sealed) {
                return Ok(task(&entry.key));
            }
        }
        let key = SigningKey::new(keys.open_sealed(&api_key_place(group), sealed)?.expose());
        let done = task(&key);
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.insert(group, PreparedKey { sealed: sealed.to_vec(), key });
        Ok(done)
    }
}
