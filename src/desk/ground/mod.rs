//! What every wing of the desk stands on: the store, the one clock, the keys, the guard against guessing, hashing, and
//! the rules that all share. It knows no wing.

pub mod exports;
pub mod fields;
pub mod guard;
pub mod kept;
pub mod key_cache;
pub mod known_group;
pub mod let_in;
pub mod opened;
pub mod pace;
pub mod password_rule;
pub mod passwords;
pub mod permission;
pub mod refusal;
pub mod sign_ins;

use crate::clock::Clock;
use crate::model::Mode;
use crate::secret::Keys;
use crate::store::Store;

/// What every wing stands on.
pub struct Ground {
    pub store: Store,
    /// The one clock of the process.
    pub clock: Clock,
    pub keys: Keys,
    /// Production or lab.
    pub mode: Mode,
    /// This process is the server: what it begins ends with it.
    pub serves: bool,
    /// Counts failures, and says whose attempt is not even looked at.
    pub guard: guard::Guard,
    pub(super) let_in: let_in::Heard,
    /// Verifies passwords, for whatever surface they came by.
    pub verifier: passwords::Verifier,
    /// API keys that are ready for use.
    pub key_cache: key_cache::KeyCache,
    /// Exports that are being taken.
    pub exports: exports::Exports,
    /// Counts sign-ins.
    pub sign_ins: sign_ins::SignIns,
}

impl Ground {
    /// The ground over a store that is open.
    pub fn new(store: Store, keys: Keys, mode: Mode, clock: Clock, serves: bool) -> Ground {
        Ground {
            store,
            clock,
            keys,
            mode,
            serves,
            guard: guard::Guard::default(),
            let_in: let_in::Heard::default(),
            verifier: passwords::Verifier::default(),
            key_cache: key_cache::KeyCache::default(),
            exports: exports::Exports::default(),
            sign_ins: sign_ins::SignIns::default(),
        }
    }
}
