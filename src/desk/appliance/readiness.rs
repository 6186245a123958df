//! Whether the appliance can serve: the database answers and is sound, writes work, the disk has room.
//!
//! Strangers may ask as often as they like, so one answer serves all who ask within a second, and nobody's question writes
//! anything. That writes work is known from those of others; where nobody writes, the server proves it now and then
//! ([`Appliance::prove_that_writes_work`]).

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::desk::appliance::Appliance;
use crate::error::{Error, Kind, Result};
use crate::machine;

/// For how long an answer serves others who ask.
const RECENT: Duration = Duration::from_secs(1);
/// Bytes that must be free: as many as the write-ahead log may take.
pub const LEAST_FREE_BYTES: u64 = 64 << 20;

/// One check of whether the appliance can serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyCheck {
    /// Stable: `database`, `writes`, `disk`.
    pub name: &'static str,
    /// Why it cannot; `None` when it can.
    pub failure: Option<Error>,
}

/// All checks, in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness(pub Vec<ReadyCheck>);

impl Readiness {
    /// Why the appliance cannot serve, when it cannot: what the first check that failed says.
    pub fn failure(&self) -> Option<&Error> {
        self.0.iter().find_map(|check| check.failure.as_ref())
    }
}

/// The last answer, and when it was found.
#[derive(Default)]
pub(super) struct Recent {
    last: Mutex<Option<(Instant, Arc<Readiness>)>>,
    /// Held by the one who finds the next one.
    finding: Mutex<()>,
}

/// How many commits there were at the last look.
#[derive(Default)]
pub(super) struct Proofs(AtomicU64);

/// What the checks are judged by.
struct ProbeResults {
    answers: Result<()>,
    damage: Option<String>,
    write_failure: Option<Error>,
    free_bytes: Option<u64>,
}

impl Appliance {
    /// Says whether the appliance can serve, as of a second ago at most. Cheap, and writes nothing.
    pub fn readiness(&self) -> Arc<Readiness> {
        let last = self.readiness.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, readiness)) = &last
            && at.elapsed() < RECENT
        {
            return Arc::clone(readiness);
        }
        let _turn = match (self.readiness.finding.try_lock(), last) {
            // Somebody else finds it: the last answer is good enough meanwhile.
            (Err(TryLockError::WouldBlock), Some((_, readiness))) => return readiness,
            (Ok(turn), _) => turn,
            (Err(_), _) => self.readiness.finding.lock().unwrap_or_else(PoisonError::into_inner),
        };
        let store = &self.ground.store;
        let found = Arc::new(judged(ProbeResults {
            answers: store.read(|r| r.ping()),
            damage: store.last_check().and_then(|check| check.damage),
            write_failure: store.write_failure(),
            free_bytes: machine::free_bytes(store.directory()),
        }));
        *self.readiness.last.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), Arc::clone(&found)));
        found
    }

    /// Writes a little, unless others did since the last call, so that it is known whether writes work. To be called now
    /// and then; says whether they do.
    pub fn prove_that_writes_work(&self) -> bool {
        let store = &self.ground.store;
        let before = self.writes.0.load(Relaxed);
        if store.write_failure().is_none() && store.commits() > before {
            self.writes.0.store(store.commits(), Relaxed);
            return true;
        }
        let proved =
            store.write_promised(self.ground.clock.now(), |w| w.prove_that_writes_work()).wait().is_ok();
        self.writes.0.store(store.commits(), Relaxed);
        proved
    }
}

fn judged(seen: ProbeResults) -> Readiness {
    let damaged = |damage: String| {
        let public = "The database is damaged. An operator must restore it from a backup.";
        Error::new(Kind::Unavailable, "damaged_database", public).with_detail(damage)
    };
    let database = seen.answers.err().or_else(|| seen.damage.map(damaged));
    let disk = seen.free_bytes.filter(|free| *free < LEAST_FREE_BYTES).map(|_| {
        let public = "The server's disk is almost full. An operator must make room.";
        Error::new(Kind::Unavailable, "disk_almost_full", public)
    });
    Readiness(vec![
        ReadyCheck { name: "database", failure: database },
        ReadyCheck { name: "writes", failure: seen.write_failure },
        ReadyCheck { name: "disk", failure: disk },
    ])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn fine() -> ProbeResults {
        ProbeResults {
            answers: Ok(()),
            damage: None,
            write_failure: None,
            free_bytes: Some(LEAST_FREE_BYTES),
        }
    }

    fn failed(seen: ProbeResults) -> Vec<(&'static str, &'static str)> {
        let checks = judged(seen).0;
        checks.into_iter().filter_map(|check| Some((check.name, check.failure?.code))).collect()
    }

    #[test]
    fn each_check_fails_by_what_it_looks_at_and_by_nothing_else() {
        assert_eq!(failed(fine()), []);
        assert_eq!(
            failed(ProbeResults { free_bytes: None, ..fine() }),
            [],
            "a disk that tells nothing is no fault"
        );
        let broken = || Error::fault("database", "x");
        assert_eq!(failed(ProbeResults { answers: Err(broken()), ..fine() }), [("database", "database")]);
        assert_eq!(
            failed(ProbeResults { damage: Some("page 7".into()), ..fine() }),
            [("database", "damaged_database")]
        );
        assert_eq!(
            failed(ProbeResults { write_failure: Some(broken()), ..fine() }),
            [("writes", "database")]
        );
        let less = Some(LEAST_FREE_BYTES - 1);
        assert_eq!(failed(ProbeResults { free_bytes: less, ..fine() }), [("disk", "disk_almost_full")]);
    }

    #[test]
    fn one_answer_serves_all_who_ask_within_a_second() {
        let fixture = crate::desk::fixture::fixture();
        let appliance = &fixture.desk.appliance;
        let first = appliance.readiness();
        assert_eq!(first.failure(), None);
        assert!(Arc::ptr_eq(&first, &appliance.readiness()), "found again within a second");
        let long_ago = Instant::now().checked_sub(RECENT).unwrap();
        appliance.readiness.last.lock().unwrap().as_mut().unwrap().0 = long_ago;
        let second = appliance.readiness();
        assert!(!Arc::ptr_eq(&first, &second), "an old answer was given");
        // While another finds the next answer, the old one is given, and nobody waits.
        appliance.readiness.last.lock().unwrap().as_mut().unwrap().0 = long_ago;
        let _finding = appliance.readiness.finding.lock().unwrap();
        assert!(Arc::ptr_eq(&second, &appliance.readiness()), "two look at once");
    }

    #[test]
    fn a_proof_is_written_only_where_nobody_else_has_written() {
        let fixture = crate::desk::fixture::fixture();
        let (appliance, store) = (&fixture.desk.appliance, &fixture.desk.ground.store);
        assert!(appliance.prove_that_writes_work());
        let before = store.commits();
        assert!(appliance.prove_that_writes_work());
        assert_eq!(store.commits(), before + 1, "nobody wrote, and nothing was proved");
        store.write(appliance.ground.clock.now(), |w| w.prove_that_writes_work()).unwrap();
        assert!(appliance.prove_that_writes_work());
        assert_eq!(store.commits(), before + 2, "proved although another had written");
    }
}
