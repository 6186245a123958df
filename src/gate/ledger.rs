//! The budgets: connections in all and per address, and bytes of bodies being received.
//!
//! Each thing that is counted is a value that gives its count back when it is dropped, so nothing can be
//! forgotten on a way out, a panic included.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::address::Origin;
use super::counters::Counters;

/// A body up to this many bytes is always received: nobody who uploads much can keep others from signing in.
/// The connections bound what these may take together.
const SMALL_BODY: usize = 16 * 1024;

/// The shared account of connections and bytes.
pub struct Ledger {
    connections: usize,
    per_address: usize,
    body_bytes: usize,
    received: AtomicUsize,
    seats: Mutex<HashMap<Origin, Arc<Held>>>,
    counters: Arc<Counters>,
}

/// What one address has.
#[derive(Default)]
struct Held {
    connections: AtomicUsize,
    body_bytes: AtomicUsize,
}

/// Which budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// That of the newcomer's own address.
    Address,
    /// That of all.
    All,
}

/// A connection's place in the budget.
pub struct Seat {
    ledger: Arc<Ledger>,
    origin: Origin,
    /// What the address has; `None` for a trusted proxy, behind which there are many.
    held: Option<Arc<Held>>,
}

/// Bytes of a body that are accounted for.
pub struct Bytes {
    ledger: Arc<Ledger>,
    address: Option<Arc<Held>>,
    size: usize,
}

impl Ledger {
    /// Opens the account.
    pub fn new(
        connections: usize,
        per_address: usize,
        body_bytes: usize,
        counters: Arc<Counters>,
    ) -> Arc<Self> {
        let (received, seats) = (AtomicUsize::new(0), Mutex::default());
        Arc::new(Self { connections, per_address, body_bytes, received, seats, counters })
    }

    /// Seats a newcomer.
    ///
    /// # Errors
    /// [`Full`] when the budget of its address, or of all, is used up.
    pub fn seat(self: &Arc<Self>, address: IpAddr, trusted: bool) -> Result<Seat, Full> {
        let origin = Origin::of(address);
        let mut seats = self.lock();
        let held = if trusted { None } else { seats.get(&origin).cloned() };
        if held.as_ref().is_some_and(|held| held.connections.load(Relaxed) >= self.per_address) {
            return Err(Full::Address);
        }
        if self.open() >= self.connections {
            return Err(Full::All);
        }
        let held = if trusted { None } else { Some(held.unwrap_or_default()) };
        if let Some(held) = &held
            && held.connections.fetch_add(1, Relaxed) == 0
        {
            seats.insert(origin, Arc::clone(held));
        }
        self.counters.open.fetch_add(1, Relaxed);
        Ok(Seat { ledger: Arc::clone(self), origin, held })
    }

    /// Tells how many connections are open.
    pub fn open(&self) -> usize {
        usize::try_from(self.counters.open.load(Relaxed)).unwrap_or(usize::MAX)
    }

    /// Tells how many connections an address has.
    pub fn held_by(&self, address: IpAddr) -> usize {
        self.lock().get(&Origin::of(address)).map_or(0, |held| held.connections.load(Relaxed))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Origin, Arc<Held>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Tells how many connections this one's address has; a trusted proxy counts as none.
    pub fn weight(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.connections.load(Relaxed))
    }

    /// Tells whether this connection's address counts as the same as `origin`.
    pub fn is_from(&self, origin: Origin) -> bool {
        self.origin == origin
    }

    /// Opens an account for a body of this connection.
    pub fn bytes(&self) -> Bytes {
        Bytes { ledger: Arc::clone(&self.ledger), address: self.held.clone(), size: 0 }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(held) = &self.held {
            let mut seats = self.ledger.lock();
            if held.connections.fetch_sub(1, Relaxed) == 1 {
                seats.remove(&self.origin);
            }
        }
        decrement(&self.ledger.counters.open);
    }
}

impl Bytes {
    /// Accounts for a body that has grown to `size` bytes; `false` when the budget of all, or the three
    /// quarters of it that one address may take, are used up. A small body is always granted.
    pub fn grow_to(&mut self, size: usize) -> bool {
        let more = size.saturating_sub(self.size);
        self.size += more;
        let add = |account: &AtomicUsize| account.fetch_add(more, Relaxed).saturating_add(more);
        let in_all = add(&self.ledger.received);
        let of_address = self.address.as_ref().map_or(0, |held| add(&held.body_bytes));
        let most = self.ledger.body_bytes;
        size <= SMALL_BODY || (in_all <= most && of_address <= most / 4 * 3)
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        self.ledger.received.fetch_sub(self.size, Relaxed);
        if let Some(held) = &self.address {
            held.body_bytes.fetch_sub(self.size, Relaxed);
        }
    }
}

fn decrement(counter: &AtomicU64) {
    counter.fetch_sub(1, Relaxed);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn ledger(connections: usize, per_address: usize, body_bytes: usize) -> Arc<Ledger> {
        Ledger::new(connections, per_address, body_bytes, Arc::default())
    }

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn an_address_fills_its_own_budget_and_no_other() {
        let ledger = ledger(10, 2, 0);
        let seats: Vec<_> = (0..2).map(|_| ledger.seat(ip(1), false).unwrap()).collect();
        assert_eq!(ledger.seat(ip(1), false).err(), Some(Full::Address));
        assert!(ledger.seat(ip(2), false).is_ok());
        drop(seats);
        assert!(ledger.seat(ip(1), false).is_ok());
        assert_eq!((ledger.open(), ledger.held_by(ip(1))), (0, 0));
    }

    #[test]
    fn the_whole_budget_is_shared_by_all() {
        let ledger = ledger(2, 2, 0);
        let one = ledger.seat(ip(1), false).unwrap();
        let _two = ledger.seat(ip(2), false).unwrap();
        assert_eq!(ledger.seat(ip(3), false).err(), Some(Full::All));
        drop(one);
        assert!(ledger.seat(ip(3), false).is_ok());
    }

    #[test]
    fn a_trusted_proxy_is_held_to_the_whole_budget_only() {
        let ledger = ledger(3, 1, 0);
        let _seats: Vec<_> = (0..3).map(|_| ledger.seat(ip(1), true).unwrap()).collect();
        assert_eq!(ledger.seat(ip(1), true).err(), Some(Full::All));
    }

    #[test]
    fn large_bodies_share_one_budget_of_which_an_address_may_have_three_quarters() {
        const LARGE: usize = 100 * 1024;
        let ledger = ledger(9, 9, 4 * LARGE);
        let seats: Vec<_> = (1..=2).map(|n| ledger.seat(ip(n), false).unwrap()).collect();
        let mut bodies: Vec<_> = seats.iter().flat_map(|seat| [seat.bytes(), seat.bytes()]).collect();
        assert!(bodies[0].grow_to(LARGE) && bodies[0].grow_to(2 * LARGE) && bodies[1].grow_to(LARGE));
        assert!(!bodies[1].grow_to(LARGE + 1), "the address has its three quarters");
        bodies[1] = seats[0].bytes();
        assert!(bodies[1].grow_to(LARGE) && bodies[2].grow_to(LARGE));
        assert!(!bodies[3].grow_to(LARGE), "all is used up");
        bodies[3] = seats[1].bytes();
        assert!(bodies[3].grow_to(SMALL_BODY), "a small body is always granted");
        bodies.clear();
        assert!(seats[1].bytes().grow_to(3 * LARGE));
        assert_eq!(ledger.received.load(Relaxed), 0);
    }
}
