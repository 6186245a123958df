//! Guarding against guessing: failures are counted by address, and by account seen from one address.
//!
//! An account that is guessed at from one address is refused to that address only, so that a stranger who
//! forges login keys locks nobody out. Counters live in memory, and their number is bounded: anyone who has
//! many addresses can make the guard forget, never make it grow. Wrong passwords are besides counted in the
//! store (`users.failures`), where they outlast a restart; they lock the password, and nothing else that the user
//! signs in with. Wire contract §11, Q19.
//!
//! The guard also counts what is refused to people who have proved nothing ([`Guard::tally`]), whatever they are
//! refused for: the access log is never pruned, and a flood must not fill the disk. Nobody is refused for it.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::model::{GroupId, LOCK_SECONDS, is_locked};

/// Failures after which an account is refused.
pub const FAILURES_MOST: u32 = 10;
/// Seconds in which they are counted, and for which it is then refused.
pub const WINDOW_SECONDS: i64 = LOCK_SECONDS;
/// Points of failure after which an address is refused for every account.
const ADDRESS_POINTS_MOST: u32 = 1_000;
/// A counter takes some 60 bytes.
const COUNTERS_MOST: usize = 65_536;
/// Refusals of one address within [`WINDOW_SECONDS`] of which each is noted. An integrator who tries ten keys in a
/// row finds all of them, and so do several behind one address; a refusal takes some 5 KB of the disk.
pub const NOTED_MOST: u32 = 100;
/// Likewise of all addresses together: anyone who has very many could else fill the disk from each of them.
pub const NOTED_MOST_OF_ALL: u32 = 10_000;
/// Sign-ins that one address may begin within [`WINDOW_SECONDS`]: all of a large company at nine in the morning, behind
/// one address. Each keeps a row, of up to 5 KB, until it is answered or ends.
pub const BEGUN_MOST: u32 = 10_000;

/// How much a failure tells of guessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// A signature or a random value: guessing is hopeless, a misconfigured client is likelier.
    Key,
    /// A password: guessing pays, and one address may try only some of them on all accounts together.
    Password,
}

impl Weight {
    fn points(self) -> u32 {
        match self {
            Weight::Key => 1,
            Weight::Password => 10,
        }
    }
}

/// Whom an attempt names, whether or not they exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account<'a> {
    Puid(GroupId, &'a str),
    /// A Glance Address that brings a login key, in any case.
    Address(&'a str),
    /// A Glance Address or an operator's name that brings a password, in any case. Apart from the former, so
    /// that guessing passwords locks nobody out of login keys.
    Password(&'a str),
}

/// Refused by the guard, for so many times since the limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    pub times: u32,
}

/// How often somebody was refused who has proved nothing, and so whether the next refusal is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tally {
    /// Seldom: each is noted.
    Few,
    /// So many times at this address.
    Address(u32),
    /// So many times at all addresses together; of each, what is more than [`NOTED_MOST`] is not counted.
    All(u32),
}

impl Tally {
    /// Whether to write the refusal down: beyond the limit, each that doubles the count.
    pub fn is_noted(self) -> bool {
        match self {
            Tally::Few => true,
            Tally::Address(times) | Tally::All(times) => times.is_power_of_two(),
        }
    }

    /// What the row adds to its detail, so that those left out are known by their number.
    pub fn detail(self) -> String {
        match self {
            Tally::Few => String::new(),
            Tally::Address(times) => format!("; {times} refusals of this address in a quarter of an hour"),
            Tally::All(times) => format!("; {times} refusals of many addresses in a quarter of an hour"),
        }
    }
}

/// The counters. Shared by all threads.
#[derive(Default)]
pub struct Guard {
    // Keyed at random, so that nobody can aim at one counter.
    hasher: RandomState,
    counters: Mutex<HashMap<Key, Counter>>,
    /// Apart from the counters, which decide who is refused.
    refusals: Mutex<HashMap<Key, Counter>>,
    /// Sign-ins that were begun, for which nobody proves anything either.
    begun: Mutex<HashMap<Key, Counter>>,
    /// Passwords being verified, by the hash of their address.
    in_verification: InVerification,
}

type InVerification = Arc<Mutex<HashMap<u64, u32>>>;

/// A password that is being verified, counted until it is dropped: it counts as wrong until it has been found right,
/// so that however many are sent at once, no more are verified than one address may try. Anyone who counts the failure
/// drops it afterwards.
pub struct Reserved {
    in_verification: InVerification,
    address: u64,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut all = self.in_verification.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(&self.address) {
            Some(others) if *others > 1 => *others -= 1,
            _ => drop(all.remove(&self.address)),
        }
    }
}

/// What is counted, as hashes: of the address, of the account; 0 for all.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    address: u64,
    account: u64,
}

impl Key {
    /// All accounts at all addresses.
    const ALL: Key = Key { address: 0, account: 0 };
}

#[derive(Clone, Copy)]
struct Counter {
    points: u32,
    since: Timestamp,
    refused_until: Option<Timestamp>,
    refused_times: u32,
}

impl Counter {
    fn refuses(&self, now: Timestamp) -> bool {
        is_locked(self.refused_until, now)
    }
}

impl Guard {
    /// Passes an attempt on `account` from `address` at `now`, before anything is verified. `None` is the
    /// host itself, which is not guarded.
    ///
    /// # Errors
    /// [`TooMany`] when the account, the address, or the account from there failed too often.
    pub fn admit(
        &self,
        address: Option<IpAddr>,
        account: Account<'_>,
        now: Timestamp,
    ) -> Result<(), TooMany> {
        let Some(address) = address else { return Ok(()) };
        let mut counters = self.counters();
        if counters.is_empty() {
            return Ok(());
        }
        for key in self.keys(address, account) {
            if let Some(counter) = counters.get_mut(&key)
                && counter.refuses(now)
            {
                counter.refused_times = counter.refused_times.saturating_add(1);
                return Err(TooMany { times: counter.refused_times });
            }
        }
        Ok(())
    }

    /// Passes a password from `address` that is about to be verified, and counts it meanwhile. Asked after
    /// [`Guard::admit`]. `None` for the host itself.
    ///
    /// # Errors
    /// [`TooMany`] when those of the address that failed and those that are being verified are as many as it may try.
    pub fn reserve(&self, address: Option<IpAddr>, now: Timestamp) -> Result<Option<Reserved>, TooMany> {
        let Some(address) = address else { return Ok(None) };
        let address = self.hash_address(address);
        // Those in verification first: one that fails is counted before it is taken from them.
        let mut all = self.in_verification.lock().unwrap_or_else(PoisonError::into_inner);
        let others = all.get(&address).copied().unwrap_or(0);
        let failed = match self.counters().get(&Key { address, account: 0 }) {
            Some(counter) if !over(counter, now) => counter.points,
            _ => 0,
        };
        if failed.saturating_add(others * Weight::Password.points()) >= ADDRESS_POINTS_MOST {
            return Err(TooMany { times: 1 });
        }
        all.insert(address, others + 1);
        Ok(Some(Reserved { in_verification: Arc::clone(&self.in_verification), address }))
    }

    /// Whether [`Guard::admit`] would pass; nothing is counted.
    pub fn would_admit(&self, address: Option<IpAddr>, account: Account<'_>, now: Timestamp) -> bool {
        let Some(address) = address else { return true };
        let counters = self.counters();
        counters.is_empty()
            || !self.keys(address, account).iter().filter_map(|key| counters.get(key)).any(|c| c.refuses(now))
    }

    /// Counts a failed attempt. A wrong password for a name that nobody has counts against the name from
    /// every address (`everywhere`), as the store's lock does for the names that exist: the answers must
    /// not differ.
    pub fn failed(
        &self,
        address: Option<IpAddr>,
        account: Account<'_>,
        weight: Weight,
        everywhere: bool,
        now: Timestamp,
    ) {
        let Some(address) = address else { return };
        let [by_address, by_both, by_account] = self.keys(address, account);
        let mut counters = self.counters();
        count(&mut counters, by_address, weight.points(), ADDRESS_POINTS_MOST, now);
        count(&mut counters, by_both, 1, FAILURES_MOST, now);
        if everywhere {
            count(&mut counters, by_account, 1, FAILURES_MOST, now);
        }
    }

    /// Forgets the failures of an account: it signed in from `address`, or, with `None`, an administrator
    /// cleared it everywhere.
    pub fn forget(&self, address: Option<IpAddr>, account: Account<'_>) {
        let mut counters = self.counters();
        if counters.is_empty() {
            return;
        }
        match address {
            Some(address) => {
                let [_, by_both, _] = self.keys(address, account);
                counters.remove(&by_both);
            }
            None => {
                let account = self.hash_account(account);
                counters.retain(|key, _| key.account != account);
            }
        }
    }

    /// Counts a refusal of somebody at `address` who has proved nothing, and who can therefore be refused without
    /// end. `None` is the host itself, whose refusals are all noted.
    pub fn tally(&self, address: Option<IpAddr>, now: Timestamp) -> Tally {
        let Some(address) = address else { return Tally::Few };
        let key = Key { address: self.hash_address(address), account: 0 };
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let times = count(&mut refusals, key, 1, u32::MAX, now);
        if times > NOTED_MOST {
            return Tally::Address(times);
        }
        match count(&mut refusals, Key::ALL, 1, u32::MAX, now) {
            times if times > NOTED_MOST_OF_ALL => Tally::All(times),
            _ => Tally::Few,
        }
    }

    /// Counts a sign-in that somebody at `address` begins, which nobody has to prove anything for; `false` when they
    /// have begun too many.
    pub fn may_begin(&self, address: Option<IpAddr>, now: Timestamp) -> bool {
        let Some(address) = address else { return true };
        let key = Key { address: self.hash_address(address), account: 0 };
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        count(&mut begun, key, 1, u32::MAX, now) <= BEGUN_MOST
    }

    fn counters(&self) -> MutexGuard<'_, HashMap<Key, Counter>> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self, address: IpAddr, account: Account<'_>) -> [Key; 3] {
        let (address, account) = (self.hash_address(address), self.hash_account(account));
        [Key { address, account: 0 }, Key { address, account }, Key { address: 0, account }]
    }

    fn hash_address(&self, address: IpAddr) -> u64 {
        self.hasher.hash_one(network(address)).max(1)
    }

    fn hash_account(&self, account: Account<'_>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        match account {
            Account::Puid(group, puid) => {
                hasher.write_i64(group.0);
                hasher.write(puid.as_bytes());
            }
            Account::Address(name) | Account::Password(name) => {
                hasher.write_u8(if matches!(account, Account::Address(_)) { 1 } else { 2 });
                name.bytes().for_each(|byte| hasher.write_u8(byte.to_ascii_lowercase()));
            }
        }
        hasher.finish().max(1)
    }
}

/// Adds to a counter, and says where it stands.
fn count(counters: &mut HashMap<Key, Counter>, key: Key, points: u32, most: u32, now: Timestamp) -> u32 {
    if counters.len() >= COUNTERS_MOST {
        make_room(counters, now);
    }
    let fresh = Counter { points: 0, since: now, refused_until: None, refused_times: 0 };
    let counter = counters.entry(key).or_insert(fresh);
    if over(counter, now) {
        *counter = fresh;
    }
    counter.points = counter.points.saturating_add(points);
    if counter.points >= most && counter.refused_until.is_none() {
        counter.refused_until = Some(now.plus_seconds(WINDOW_SECONDS));
    }
    counter.points
}

/// Whether nothing of a counter counts any more. A lab clock that was set back counts as over.
fn over(counter: &Counter, now: Timestamp) -> bool {
    let end = counter.refused_until.unwrap_or(counter.since.plus_seconds(WINDOW_SECONDS));
    now >= end || now < counter.since
}

fn make_room(counters: &mut HashMap<Key, Counter>, now: Timestamp) {
    counters.retain(|_, counter| !over(counter, now));
    if counters.len() >= COUNTERS_MOST {
        // Under attack from many addresses: any half may go, which the random hash chooses.
        let mut odd = false;
        counters.retain(|key, _| {
            odd = !odd;
            odd || *key == Key::ALL
        });
    }
}

/// What one client usually has: an IPv4 address, or the /64 of an IPv6 address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    const NOW: Timestamp = Timestamp(1_593_907_200_000);

    const ANN: Account<'static> = Account::Address("Ann.acme");

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_account_is_refused_to_the_address_that_guessed_and_to_no_other() {
        let guard = Guard::default();
        for _ in 0..FAILURES_MOST {
            assert_eq!(guard.admit(ip("192.0.2.1"), ANN, NOW), Ok(()));
            guard.failed(ip("192.0.2.1"), ANN, Weight::Key, false, NOW);
        }
        assert_eq!(guard.admit(ip("192.0.2.1"), ANN, NOW), Err(TooMany { times: 1 }));
        assert_eq!(guard.admit(ip("192.0.2.1"), ANN, NOW), Err(TooMany { times: 2 }));
        assert_eq!(guard.admit(ip("192.0.2.2"), ANN, NOW), Ok(()));
        assert_eq!(guard.admit(ip("192.0.2.1"), Account::Puid(GroupId(7), "bob"), NOW), Ok(()));
        assert_eq!(guard.admit(None, ANN, NOW), Ok(()));
        assert_eq!(guard.admit(ip("192.0.2.1"), ANN, NOW.plus_seconds(WINDOW_SECONDS)), Ok(()));
    }

    #[test]
    fn a_name_that_nobody_has_is_refused_everywhere_as_a_locked_one_is() {
        let guard = Guard::default();
        for last in 1..=FAILURES_MOST {
            guard.failed(
                ip(&format!("192.0.2.{last}")),
                Account::Address("nobody"),
                Weight::Password,
                true,
                NOW,
            );
        }
        assert!(guard.admit(ip("198.51.100.1"), Account::Address("nobody"), NOW).is_err());
    }

    #[test]
    fn an_address_that_sprays_passwords_is_refused_for_every_account() {
        let guard = Guard::default();
        for account in 0..100 {
            assert_eq!(guard.admit(ip("2001:db8::1"), ANN, NOW), Ok(()));
            let address = ip(&format!("2001:db8::{account:x}"));
            guard.failed(address, Account::Address(&account.to_string()), Weight::Password, false, NOW);
        }
        assert!(guard.admit(ip("2001:db8::ffff"), ANN, NOW).is_err());
        assert_eq!(guard.admit(ip("2001:db8:0:1::1"), ANN, NOW), Ok(()));
    }

    #[test]
    fn an_address_has_no_more_passwords_in_verification_than_it_may_try() {
        let guard = Guard::default();
        let address = ip("192.0.2.1");
        let fail = || guard.failed(address, ANN, Weight::Password, false, NOW);
        (0..97).for_each(|_| fail());
        let mut reserved: Vec<_> = (0..3).map(|_| guard.reserve(address, NOW).unwrap()).collect();
        assert!(guard.reserve(address, NOW).is_err(), "97 failed and 3 may");
        assert!(guard.reserve(ip("192.0.2.2"), NOW).is_ok(), "another address");
        reserved.pop();
        reserved.push(guard.reserve(address, NOW).unwrap());
        (0..3).for_each(|_| fail());
        drop(reserved);
        assert!(guard.reserve(address, NOW).is_err());
        assert!(guard.reserve(address, NOW.plus_seconds(WINDOW_SECONDS)).is_ok());
        assert!(guard.in_verification.lock().unwrap().is_empty());
    }

    #[test]
    fn what_was_refused_while_the_clock_was_ahead_is_not_when_it_is_put_right() {
        let guard = Guard::default();
        let ahead = NOW.plus_seconds(86_400);
        (0..FAILURES_MOST).for_each(|_| guard.failed(ip("192.0.2.1"), ANN, Weight::Key, true, ahead));
        assert!(guard.admit(ip("192.0.2.1"), ANN, ahead).is_err());
        assert_eq!(guard.admit(ip("192.0.2.1"), ANN, NOW), Ok(()));
    }

    #[test]
    fn old_failures_and_forgiven_ones_do_not_count() {
        let guard = Guard::default();
        let fail = |times: u32, now| {
            (0..times).for_each(|_| guard.failed(ip("192.0.2.1"), ANN, Weight::Key, true, now));
        };
        let later = NOW.plus_seconds(WINDOW_SECONDS);
        fail(FAILURES_MOST - 1, NOW);
        fail(FAILURES_MOST - 1, later);
        assert_eq!(guard.admit(ip("192.0.2.1"), ANN, later), Ok(()));
        fail(1, later);
        assert!(guard.admit(ip("192.0.2.1"), ANN, later).is_err());
        guard.forget(None, Account::Address("ann.ACME"));
        assert_eq!(guard.admit(ip("192.0.2.1"), ANN, later), Ok(()));
    }

    #[test]
    fn the_number_of_counters_is_bounded() {
        let guard = Guard::default();
        for number in 0..u32::try_from(COUNTERS_MOST).unwrap() {
            let address = Some(IpAddr::from(number.to_be_bytes()));
            guard.failed(address, ANN, Weight::Key, false, NOW);
        }
        assert!(guard.counters().len() <= COUNTERS_MOST);
    }

    #[test]
    fn refusals_beyond_the_first_hundred_of_an_address_are_noted_when_their_count_doubles() {
        let guard = Guard::default();
        let tally = |address: &str, now| guard.tally(ip(address), now);
        for _ in 0..NOTED_MOST {
            assert_eq!(tally("192.0.2.1", NOW), Tally::Few);
        }
        let noted: Vec<Tally> =
            (101..=600).map(|_| tally("192.0.2.1", NOW)).filter(|tally| tally.is_noted()).collect();
        assert_eq!(noted, [128, 256, 512].map(Tally::Address));
        assert!(noted[0].detail().contains("128 refusals"));
        assert_eq!(tally("192.0.2.2", NOW), Tally::Few, "another address");
        assert_eq!(tally("192.0.2.1", NOW.plus_seconds(WINDOW_SECONDS)), Tally::Few, "another window");
        assert_eq!(guard.tally(None, NOW), Tally::Few, "the host itself");
        assert_eq!(guard.admit(ip("192.0.2.1"), ANN, NOW), Ok(()), "nobody is refused for it");
    }

    #[test]
    fn refusals_of_very_many_addresses_are_bounded_together() {
        let guard = Guard::default();
        let addresses = 2 * u32::try_from(COUNTERS_MOST).unwrap();
        let tally = |number: u32| guard.tally(Some(IpAddr::from(number.to_be_bytes())), NOW);
        let noted = (0..addresses).filter(|number| tally(*number).is_noted()).count();
        let doubled = [16_384, 32_768, 65_536, 131_072].len();
        assert_eq!(noted, usize::try_from(NOTED_MOST_OF_ALL).unwrap() + doubled);
        assert!(guard.refusals.lock().unwrap().len() <= COUNTERS_MOST);
    }

    #[test]
    fn one_address_begins_so_many_sign_ins_and_no_more() {
        let guard = Guard::default();
        let begins = |last, now| guard.may_begin(Some(IpAddr::from([192, 0, 2, last])), now);
        assert!((0..BEGUN_MOST).all(|_| begins(1, NOW)));
        assert_eq!([begins(1, NOW), begins(2, NOW)], [false, true]);
        assert!(begins(1, NOW.plus_seconds(WINDOW_SECONDS)));
    }
}
