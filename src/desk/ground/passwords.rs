//! Passwords: hashed and verified with Argon2id, few at a time.
//!
//! OWASP's parameters (Password Storage Cheat Sheet): 19 MiB, two passes, one lane. Each run needs that memory
//! and a core, so only a few run at once; the others wait their turn, first come first served: anyone who hashes
//! thousands, one after the other, keeps nobody waiting for more than one of them. Those who wait hold a thread
//! each, so of them too there are only so many: a password is verified by the [`Verifier`] only.
//!
//! The memory is allocated once for each run at a time, wiped after each run and used again. Memory that is given
//! back to the allocator is not given back to the system: each serving thread would keep 19 MiB, and a stranger
//! with wrong passwords could fill the machine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::duty;
use crate::error::{Error, Kind, Result};
use crate::secret::{Secret, fill_random};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_LEN: usize = 16;
/// Passwords that may be in verification or wait for it; with more, login keys would find no thread.
const PLACES: usize = 32;
/// Passwords hashed at once on a machine with many cores: with more, their memory alone would be more than all
/// that the server otherwise needs.
const MOST_AT_ONCE: usize = 4;

/// How many passwords are hashed at once on this machine: one a core, up to a number.
pub fn at_once() -> usize {
    static AT_ONCE: OnceLock<usize> = OnceLock::new();
    *AT_ONCE.get_or_init(|| std::thread::available_parallelism().map_or(2, usize::from).min(MOST_AT_ONCE))
}

/// The bytes that hashing holds at most, once it was needed: those of each password hashed at once.
pub fn memory_bytes() -> usize {
    at_once() * MEMORY_KIB as usize * Block::SIZE
}

/// Hashes a password with a salt of its own; the answer is in the PHC string format.
///
/// # Errors
/// `Fault` when the machine has no randomness or no memory.
pub fn hash(password: &Secret) -> Result<String> {
    let mut salt = [0u8; SALT_LEN];
    fill_random(&mut salt)?;
    let recipe = Recipe::ours()?;
    let hash = HashPermit::wait().run(&recipe, password, &salt, Params::DEFAULT_OUTPUT_LEN)?;
    let fault = |e: argon2::password_hash::phc::Error| Error::fault("password_hash", e.to_string());
    let hashed = PasswordHash {
        algorithm: recipe.algorithm.ident(),
        version: Some(recipe.version.into()),
        params: ParamsString::try_from(&recipe.params)
            .map_err(|e| Error::fault("password_hash", e.to_string()))?,
        salt: Some(Salt::new(&salt).map_err(fault)?),
        hash: Some(hash),
    };
    Ok(hashed.to_string())
}

/// As [`hash`], for a password that one person gives to another, perhaps with a thousand others: however many files and
/// calls hash theirs, no more of these are before somebody who signs in than run at once.
///
/// # Errors
/// As [`hash`].
pub fn hash_of_many(password: &Secret) -> Result<String> {
    let _turn = OF_MANY.wait(at_once());
    hash(password)
}

/// Verifies passwords, for whatever surface they came by.
#[derive(Default)]
pub struct Verifier {
    taken: AtomicUsize,
}

/// The right to verify a password or to wait for it; given back when dropped.
pub struct VerifyPermit<'v>(&'v Verifier);

impl Verifier {
    /// Whether `password` is the one that `hash` was made of; false also for a hash that cannot be read. Without
    /// a hash, as of a user who does not exist or has no password, it takes as long and accepts nothing, so that
    /// the time of the answer does not tell.
    ///
    /// # Errors
    /// `Unavailable` with code `passwords_busy` when too many wait already; `Fault` when there is no memory.
    pub fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<bool> {
        let _place = self.place()?;
        let Some((recipe, salt, expected)) = hash.and_then(Recipe::of) else {
            let computed = HashPermit::wait().run(
                &Recipe::ours()?,
                password,
                &[0; SALT_LEN],
                Params::DEFAULT_OUTPUT_LEN,
            )?;
            std::hint::black_box(computed.as_bytes());
            return Ok(false);
        };
        let computed = HashPermit::wait().run(&recipe, password, salt.as_ref(), expected.len())?;
        Ok(computed.as_bytes().ct_eq(expected.as_bytes()).into())
    }

    fn place(&self) -> Result<VerifyPermit<'_>> {
        let place = VerifyPermit(self);
        if self.taken.fetch_add(1, Ordering::AcqRel) >= PLACES {
            let public = "Too many people are signing in right now. Try again shortly.";
            return Err(Error::new(Kind::Unavailable, "passwords_busy", public));
        }
        Ok(place)
    }

    /// Takes all places that are left.
    #[cfg(test)]
    pub fn all_places(&self) -> Vec<VerifyPermit<'_>> {
        std::iter::from_fn(|| self.place().ok()).collect()
    }
}

impl Drop for VerifyPermit<'_> {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How a password is hashed.
struct Recipe {
    algorithm: Algorithm,
    version: Version,
    params: Params,
}

impl Recipe {
    fn ours() -> Result<Recipe> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
            .map_err(|e| Error::fault("password_parameters", e.to_string()))?;
        Ok(Recipe { algorithm: Algorithm::Argon2id, version: Version::V0x13, params })
    }

    /// The recipe, the salt and the outcome that a hash says of itself; `None` when it cannot be read, or needs
    /// more memory than any that was made here.
    fn of(hash: &str) -> Option<(Recipe, Salt, Output)> {
        let parsed = PasswordHash::new(hash).ok()?;
        let recipe = Recipe {
            algorithm: Algorithm::try_from(parsed.algorithm.as_str()).ok()?,
            version: Version::try_from(parsed.version?).ok()?,
            params: Params::try_from(&parsed).ok()?,
        };
        let affordable = recipe.params.block_count() <= MEMORY_KIB as usize;
        affordable.then_some((recipe, parsed.salt?, parsed.hash?))
    }
}

/// Gives the right to run one hash, and the memory for it.
struct HashPermits {
    queue: Mutex<Queue>,
    moved: Condvar,
}

struct Queue {
    running: usize,
    /// How many have come, and how many of them have been let in.
    came: u64,
    let_in: u64,
    /// The memory of those who are done, wiped.
    spare: Vec<Vec<Block>>,
}

static TURNS: HashPermits = HashPermits::new();
/// Who among those that hash many passwords may wait in [`TURNS`].
static OF_MANY: HashPermits = HashPermits::new();

/// The right to run one hash; given back when dropped, with its memory.
struct HashPermit<'t> {
    turns: &'t HashPermits,
    blocks: Vec<Block>,
}

impl HashPermit<'static> {
    fn wait() -> HashPermit<'static> {
        duty::relieve();
        TURNS.wait(at_once())
    }
}

impl HashPermit<'_> {
    /// # Errors
    /// `Fault` when there is no memory, or the parameters are not Argon2's.
    fn run(mut self, recipe: &Recipe, password: &Secret, salt: &[u8], length: usize) -> Result<Output> {
        let missing = (MEMORY_KIB as usize).saturating_sub(self.blocks.len());
        if self.blocks.try_reserve_exact(missing).is_err() {
            return Err(Error::fault("password_memory", "no memory to hash a password in"));
        }
        self.blocks.resize(MEMORY_KIB as usize, Block::new());
        let params =
            Params::new(recipe.params.m_cost(), recipe.params.t_cost(), recipe.params.p_cost(), Some(length));
        let params = params.map_err(|e| Error::fault("password_parameters", e.to_string()))?;
        let argon2 = Argon2::new(recipe.algorithm, recipe.version, params);
        let mut buffer = [0u8; Output::MAX_LENGTH];
        let output = buffer.get_mut(..length).unwrap_or_default();
        argon2
            .hash_password_into_with_memory(password.expose(), salt, output, &mut self.blocks)
            .map_err(|e| Error::fault("password_hash", e.to_string()))?;
        Output::new(output).map_err(|e| Error::fault("password_hash", e.to_string()))
    }
}

impl HashPermits {
    const fn new() -> HashPermits {
        let queue = Queue { running: 0, came: 0, let_in: 0, spare: Vec::new() };
        HashPermits { queue: Mutex::new(queue), moved: Condvar::new() }
    }

    fn wait(&self, most: usize) -> HashPermit<'_> {
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
        HashPermit { turns: self, blocks: queue.spare.pop().unwrap_or_default() }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HashPermit<'_> {
    fn drop(&mut self) {
        // What is left in the memory would make the password quicker to guess.
        self.blocks.iter_mut().for_each(Zeroize::zeroize);
        let mut queue = self.turns.lock();
        queue.running -= 1;
        if !self.blocks.is_empty() {
            queue.spare.push(std::mem::take(&mut self.blocks));
        }
        drop(queue);
        // Only one of those that wait is next, and it knows itself.
        self.turns.moved.notify_all();
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

    /// The hashes are test vectors of Argon2's reference implementation.
    #[test]
    fn hashes_made_elsewhere_and_with_other_parameters_verify() {
        let verifier = Verifier::default();
        let verify = |password: &str, hash| verifier.verify(&Secret::new(password), Some(hash)).unwrap();
        const SMALL: &str =
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        const LARGE: &str =
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(verify("password", SMALL));
        assert!(!verify("passwore", SMALL));
        assert!(!verify("password", LARGE), "it would need more memory than a sign-in may have");
    }

    #[test]
    fn the_memory_of_a_hash_is_wiped_and_used_again() {
        let turns = HashPermits::new();
        let run = || {
            let recipe = Recipe::ours().unwrap();
            turns.wait(1).run(&recipe, &Secret::new("x"), &[7; SALT_LEN], 32).unwrap();
        };
        let address = || turns.lock().spare.iter().map(|blocks| blocks.as_ptr()).collect::<Vec<_>>();
        run();
        let first = address();
        run();
        assert_eq!((address(), first.len()), (first, 1));
        let wiped = |block: &Block| block.as_ref().iter().all(|word| *word == 0);
        assert!(turns.lock().spare.iter().flatten().all(wiped));
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
        let (turns, order) = (HashPermits::new(), Mutex::new(Vec::new()));
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
    fn of_those_who_hash_many_only_as_many_wait_before_a_sign_in_as_run_at_once() {
        let (turns, of_many) = (HashPermits::new(), HashPermits::new());
        std::thread::scope(|scope| {
            let running = turns.wait(1);
            for _ in 0..9 {
                scope.spawn(|| {
                    let _one = of_many.wait(1);
                    drop(turns.wait(1));
                });
            }
            while of_many.lock().came < 9 || turns.lock().came < 2 {
                std::thread::yield_now();
            }
            assert_eq!(turns.lock().came, 2, "the one that runs, and one of the nine");
            drop(running);
        });
        assert_eq!(turns.lock().came, 10);
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
