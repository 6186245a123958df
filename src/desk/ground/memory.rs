//! What was read of the database and need not be read again while nothing is changed.
//!
//! What is remembered counts for one [`Generation`] and is never trusted alone: whatever rests on it is
//! written in that generation or not at all, and is then judged anew ([`Store::log_if_unchanged`],
//! [`Writer::is_still`]). So a change is in force with its commit, also when another process made it.
//!
//! [`Store::log_if_unchanged`]: crate::store::Store::log_if_unchanged
//! [`Writer::is_still`]: crate::store::Writer::is_still

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use crate::store::Generation;

/// Values kept; more than that start anew.
const KEPT_MOST: usize = 4_096;

/// Values by key, all of one generation.
pub struct Memory<K, V> {
    kept: RwLock<Kept<K, V>>,
}

struct Kept<K, V> {
    /// `None` while nothing is kept.
    generation: Option<Generation>,
    values: HashMap<K, Arc<V>>,
}

impl<K, V> Default for Memory<K, V> {
    fn default() -> Memory<K, V> {
        Memory { kept: RwLock::new(Kept { generation: None, values: HashMap::new() }) }
    }
}

impl<K: Eq + Hash, V> Memory<K, V> {
    /// What was kept under `key`, if nothing was changed since.
    pub fn find(&self, key: &K, generation: Generation) -> Option<Arc<V>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.values.get(key).filter(|_| kept.generation == Some(generation)).map(Arc::clone)
    }

    /// Keeps what was read after `generation` was taken, and forgets everything older.
    pub fn keep(&self, key: K, generation: Generation, value: Arc<V>) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.generation > Some(generation) {
            return;
        }
        if kept.generation != Some(generation) || kept.values.len() >= KEPT_MOST {
            *kept = Kept { generation: Some(generation), values: HashMap::new() };
        }
        kept.values.insert(key, value);
    }

    /// Forgets what is kept under `key`.
    pub fn forget(&self, key: &K) {
        self.kept.write().unwrap_or_else(PoisonError::into_inner).values.remove(key);
    }
}
