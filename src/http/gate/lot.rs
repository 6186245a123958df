//! Where connections are parked while their clients are silent: memory only, no thread, under the poller's eye.

use std::cmp::Reverse;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token, Waker};

use super::address::Origin;
use super::connection::Connection;

/// The parked connections. Shared by the threads that park and the door that wakes.
pub struct Lot {
    registry: Registry,
    waker: Arc<Waker>,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    places: Vec<Option<Box<Connection>>>,
    free: Vec<usize>,
    /// The door sleeps without a time limit, because nothing was parked that could expire.
    door_sleeps: bool,
    closing: bool,
}

impl Lot {
    /// Opens an empty lot.
    pub fn new(registry: Registry, waker: Arc<Waker>) -> Self {
        Self { registry, waker, places: Mutex::default() }
    }

    /// Parks a connection until its socket is ready. When the lot is closing, an idle one is closed instead.
    pub fn park(&self, mut connection: Box<Connection>, interest: Interest) {
        connection.rest();
        let mut lot = self.lock();
        if lot.closing && connection.is_idle() {
            return;
        }
        let descriptor = connection.socket().as_raw_fd();
        let place = match lot.free.pop() {
            Some(place) => place,
            None => {
                lot.places.push(None);
                lot.places.len() - 1
            }
        };
        if let Some(slot) = lot.places.get_mut(place) {
            *slot = Some(connection);
        }
        // Only now, under the lock: the event can come at once, and must find the connection in its place.
        if self.registry.register(&mut SourceFd(&descriptor), Token(place), interest).is_err() {
            lot.take(place);
        }
        if std::mem::take(&mut lot.door_sleeps) {
            // Without this wake the door would still look at the connection, only late.
            let _ = self.waker.wake();
        }
    }

    /// Takes out the connection whose socket is ready; `None` when it was taken before.
    pub fn resume(&self, place: usize) -> Option<Box<Connection>> {
        self.remove(&mut self.lock(), place)
    }

    /// Takes out every connection that `leaves`.
    #[expect(clippy::vec_box, reason = "connections are parked and served as boxes")]
    pub fn take_where(&self, leaves: impl Fn(&Connection) -> bool) -> Vec<Box<Connection>> {
        let mut lot = self.lock();
        let leaving: Vec<usize> = lot
            .places
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.as_deref().is_some_and(&leaves))
            .map(|(place, _)| place)
            .collect();
        leaving.into_iter().filter_map(|place| self.remove(&mut lot, place)).collect()
    }

    /// Takes out the connection that can best be spared for a newcomer whose address already holds
    /// `newcomer_holds`: from the address that holds most, idle before busy, longest waiting first. Never from
    /// an address that holds fewer than the newcomer's. `only` restricts the search to one address.
    pub fn spare(&self, only: Option<Origin>, newcomer_holds: usize) -> Option<Box<Connection>> {
        let mut lot = self.lock();
        let place = lot
            .places
            .iter()
            .enumerate()
            .filter_map(|(place, slot)| slot.as_deref().map(|connection| (place, connection)))
            .filter(|(_, connection)| only.is_none_or(|origin| connection.seat().is_from(origin)))
            .filter(|(_, connection)| connection.seat().weight() >= newcomer_holds)
            .min_by_key(|(_, connection)| {
                (Reverse(connection.seat().weight()), !connection.is_idle(), connection.since())
            })
            .map(|(place, _)| place)?;
        self.remove(&mut lot, place)
    }

    /// Tells the lot that the door is about to sleep; `false` when something is parked that can expire, so
    /// that it must not sleep without a time limit.
    pub fn let_door_sleep(&self) -> bool {
        let mut lot = self.lock();
        lot.door_sleeps = lot.free.len() == lot.places.len();
        lot.door_sleeps
    }

    /// From now on idle connections are closed instead of parked; those parked are closed.
    pub fn close(&self) {
        self.lock().closing = true;
        drop(self.take_where(Connection::is_idle));
    }

    /// Takes out the connections whose deadline has passed.
    #[expect(clippy::vec_box, reason = "connections are parked and served as boxes")]
    pub fn expired(&self, now: Instant) -> Vec<Box<Connection>> {
        self.take_where(|connection| connection.deadline() <= now)
    }

    fn remove(&self, lot: &mut Places, place: usize) -> Option<Box<Connection>> {
        let connection = lot.take(place)?;
        // Only a descriptor that is gone cannot be deregistered, and then there is nothing to do.
        let _ = self.registry.deregister(&mut SourceFd(&connection.socket().as_raw_fd()));
        Some(connection)
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn take(&mut self, place: usize) -> Option<Box<Connection>> {
        let connection = self.places.get_mut(place)?.take()?;
        self.free.push(place);
        Some(connection)
    }
}
