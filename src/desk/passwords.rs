//! Passwords: hashed and verified with Argon2id, few at a time.
//!
//! OWASP's parameters (Password Storage Cheat Sheet): 19 MiB, two passes, one lane. Each run needs its
//! memory and a core, so no more run at once than there are cores; the others wait their turn, first come first
//! served: whoever hashes thousands, one after the other, keeps nobody waiting for more than one of them. Those
//! who wait hold a thread each, so of them too there are only so many: a password is verified by the [`Verifier`]
//! only.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::duty;
use crate::error::{Error, Kind, Result};
use crate::secret::{Secret, fill_random};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_LEN: usize = 16;
/// Passwords that may be in verification or wait for it; with more, login keys would find no thread.
const PLACES: usize = 32;

/// Hashes a password with a salt of its own; the answer is in the PHC string format.
///
/// # Errors
/// `Fault` when the machine has no randomness or no memory.
pub fn hash(password: &Secret) -> Result<String> {
    let mut salt = [0u8; SALT_LEN];
    fill_random(&mut salt)?;
    let _turn = Turn::wait();
    let hashed: PasswordHash = hasher()?
        .hash_password_with_salt(password.expose(), &salt)
        .map_err(|e| Error::fault("password_hash", e.to_string()))?;
    Ok(hashed.to_string())
}

/// Verifies passwords, for whatever surface they came by.
#[derive(Default)]
pub struct Verifier {
    taken: AtomicUsize,
}

/// The right to verify a password or to wait for it; given back when dropped.
pub struct Place<'v>(&'v Verifier);

impl Verifier {
    /// Whether `password` is the one that `hash` was made of; false also for a hash that cannot be read. Without
    /// a hash, as of a user who does not exist or has no password, it takes as long and accepts nothing, so that
    /// the time of the answer does not tell.
    ///
    /// # Errors
    /// `Unavailable` with code `passwords_busy` when too many wait already.
    pub fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<bool> {
        let _place = self.place()?;
        Ok(match hash {
            Some(hash) => fits(password, hash),
            None => {
                fits_nothing(password);
                false
            }
        })
    }

    fn place(&self) -> Result<Place<'_>> {
        let place = Place(self);
        if self.taken.fetch_add(1, Ordering::AcqRel) >= PLACES {
            let public = "Too many people sign in at this moment. Try again shortly.";
            return Err(Error::new(Kind::Unavailable, "passwords_busy", public));
        }
        Ok(place)
    }

    /// Takes all places that are left.
    #[cfg(test)]
    pub fn all_places(&self) -> Vec<Place<'_>> {
        std::iter::from_fn(|| self.place().ok()).collect()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

fn fits(password: &Secret, hash: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else { return false };
    let _turn = Turn::wait();
    hasher().is_ok_and(|hasher| hasher.verify_password(password.expose(), &parsed).is_ok())
}

fn fits_nothing(password: &Secret) {
    static DUMMY: OnceLock<Option<String>> = OnceLock::new();
    let dummy = DUMMY.get_or_init(|| hash(&Secret::new("nobody")).ok());
    if let Some(dummy) = dummy {
        let _ = fits(password, dummy);
    }
}

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|e| Error::fault("password_parameters", e.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Gives the right to run one hash.
struct Turns {
    queue: Mutex<Queue>,
    moved: Condvar,
}

struct Queue {
    running: usize,
    /// How many have come, and how many of them have been let in.
    came: u64,
    let_in: u64,
}

static TURNS: Turns = Turns::new();

/// The right to run one hash; given back when dropped.
struct Turn<'t>(&'t Turns);

impl Turn<'static> {
    fn wait() -> Turn<'static> {
        duty::relieve();
        static CORES: OnceLock<usize> = OnceLock::new();
        let cores = *CORES.get_or_init(|| std::thread::available_parallelism().map_or(2, usize::from));
        TURNS.wait(cores)
    }
}

impl Turns {
    const fn new() -> Turns {
        Turns { queue: Mutex::new(Queue { running: 0, came: 0, let_in: 0 }), moved: Condvar::new() }
    }

    fn wait(&self, most: usize) -> Turn<'_> {
        let mut queue = self.lock();
        let number = queue.came;
        queue.came += 1;
        let waits = |queue: &mut Queue| queue.running >= most || queue.let_in != number;
        let mut queue = self.moved.wait_while(queue, waits).unwrap_or_else(PoisonError::into_inner);
        queue.let_in += 1;
        queue.running += 1;
        // There may be room for the next one too.
        if queue.running < most && queue.let_in != queue.came {
            self.moved.notify_all();
        }
        Turn(self)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
        // Only one of those that wait is next, and it knows itself.
        self.0.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_password_verifies_against_its_own_hash_only() {
        let verifier = Verifier::default();
        let verify = |password: &str, hash| verifier.verify(&Secret::new(password), hash).unwrap();
        let hashed = hash(&Secret::new("correct horse")).unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(verify("correct horse", Some(&hashed)));
        assert!(!verify("correct horsf", Some(&hashed)));
        assert!(!verify("correct horse", Some("not a hash")));
        assert!(!verify("nobody", None));
        assert_ne!(hashed, hash(&Secret::new("correct horse")).unwrap());
    }

    #[test]
    fn more_callers_than_cores_all_get_their_turn() {
        let verifier = Verifier::default();
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| verifier.verify(&Secret::new("x"), None).unwrap());
            }
        });
    }

    #[test]
    fn whoever_comes_again_at_once_comes_after_those_who_wait() {
        let (turns, order) = (Turns::new(), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            let first = turns.wait(1);
            scope.spawn(|| {
                let _turn = turns.wait(1);
                order.lock().unwrap().push("who waited");
            });
            while turns.lock().came < 2 {
                std::thread::yield_now();
            }
            drop(first);
            let _again = turns.wait(1);
            order.lock().unwrap().push("who came again");
        });
        assert_eq!(order.into_inner().unwrap(), ["who waited", "who came again"]);
    }

    #[test]
    fn whoever_finds_no_place_is_told_at_once() {
        let verifier = Verifier::default();
        let places = verifier.all_places();
        assert_eq!(places.len(), PLACES);
        let busy = verifier.verify(&Secret::new("x"), None).unwrap_err();
        assert_eq!((busy.kind, busy.code), (Kind::Unavailable, "passwords_busy"));
        drop(places);
        assert!(verifier.verify(&Secret::new("x"), None).is_ok());
    }
}
