//! Where connections are parked while their clients are silent: memory only, no thread, under the poller's eye.
//!
//! A connection is registered once, for edges: the poller tells of each change once, whether the connection is
//! parked or with a thread. What it tells while a thread has the connection is noted in the connection's place
//! and looked at when it is parked, so no change is missed and no request costs a call to the poller.

use std::cmp::Reverse;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token, Waker};

use super::address::Origin;
use super::connection::Connection;
use super::slots::{Slot, Slots};

/// The parked connections. Shared by the threads that park and the acceptor that wakes.
pub struct ParkedConnections {
    registry: Registry,
    waker: Arc<Waker>,
    places: Arc<Slots>,
    spots: Mutex<Spots>,
}

/// What a parked connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingFor {
    /// Until its client sends, or closes.
    Readable,
    /// Until its socket accepts more bytes.
    Writable,
}

#[derive(Default)]
struct Spots {
    spots: Vec<Spot>,
    parked: usize,
    /// The acceptor sleeps without a time limit, because nothing was parked that could expire.
    acceptor_sleeps: bool,
    closing: bool,
}

#[derive(Default)]
struct Spot {
    parked: Option<(Box<Connection>, WaitingFor)>,
    readable: bool,
    writable: bool,
    /// The client has closed its side: told once, and true from then on, whatever is still unread before it.
    ended: bool,
}

impl ParkedConnections {
    /// Opens an empty inner.
    pub fn new(registry: Registry, waker: Arc<Waker>) -> Self {
        Self { registry, waker, places: Arc::default(), spots: Mutex::default() }
    }

    /// Finds a place for a new connection.
    pub fn place(&self) -> Slot {
        let place = self.places.take();
        let mut inner = self.lock();
        if inner.spots.len() <= place.index() {
            inner.spots.resize_with(place.index() + 1, Spot::default);
        }
        if let Some(spot) = inner.spots.get_mut(place.index()) {
            *spot = Spot::default();
        }
        place
    }

    fn watch(&self, descriptor: i32, place: usize) -> io::Result<()> {
        self.registry.register(
            &mut SourceFd(&descriptor),
            Token(place),
            Interest::READABLE | Interest::WRITABLE,
        )
    }

    /// Parks a new connection and has it watched; one that cannot be watched is closed.
    pub fn enter(&self, connection: Box<Connection>) {
        let (descriptor, place) = (connection.socket().as_raw_fd(), connection.place());
        // Parked first: the event can come at once, and must find the connection in its place.
        drop(self.park(connection, WaitingFor::Readable));
        if self.watch(descriptor, place).is_err() {
            // Dropped after the lock is given back: giving up its place takes the lock.
            let unwatched = self.lock().take(place);
            drop(unwatched);
        }
    }

    /// Parks a connection until its socket is ready; hands it back when that has happened meanwhile. When the
    /// gate is closing, an idle one is closed instead.
    pub fn park(&self, mut connection: Box<Connection>, waiting_for: WaitingFor) -> Option<Box<Connection>> {
        let mut inner = self.lock();
        if inner.closing && connection.is_idle() {
            drop(inner);
            return None;
        }
        let Some(spot) = inner.spots.get_mut(connection.place()) else { return Some(connection) };
        if spot.is_ready(waiting_for) {
            return Some(connection);
        }
        connection.rest();
        spot.parked = Some((connection, waiting_for));
        inner.parked += 1;
        if std::mem::take(&mut inner.acceptor_sleeps) {
            // Without this wake the acceptor would look at the connection's deadline only when something else comes.
            let _ = self.waker.wake();
        }
        None
    }

    /// Takes out the connections for which these events were waited for.
    pub fn ready<'a>(&self, events: impl Iterator<Item = &'a Event>, out: &mut impl Extend<Box<Connection>>) {
        let mut inner = self.lock();
        for event in events {
            let Some(spot) = inner.spots.get_mut(event.token().0) else { continue };
            spot.ended |= event.is_error() || event.is_read_closed();
            spot.readable |= event.is_readable();
            spot.writable |= event.is_writable() || event.is_error() || event.is_write_closed();
            let Some((_, waiting_for)) = &spot.parked else { continue };
            let waiting_for = *waiting_for;
            if spot.is_ready(waiting_for) {
                out.extend(inner.take(event.token().0));
            }
        }
    }

    /// Takes out every connection that `leaves`.
    #[expect(clippy::vec_box, reason = "connections are parked and served as boxes")]
    pub fn take_where(&self, leaves: impl Fn(&Connection) -> bool) -> Vec<Box<Connection>> {
        let mut inner = self.lock();
        let leaving: Vec<usize> = inner
            .connections()
            .filter(|(_, connection)| leaves(connection))
            .map(|(place, _)| place)
            .collect();
        leaving.into_iter().filter_map(|place| inner.take(place)).collect()
    }

    /// Takes out the connection that can best be spared for a newcomer whose address already holds
    /// `newcomer_holds`: from the address that holds most, idle before busy, longest waiting first. Never from
    /// an address that holds fewer than the newcomer's. `only` restricts the search to one address.
    pub fn spare(&self, only: Option<Origin>, newcomer_holds: usize) -> Option<Box<Connection>> {
        let mut inner = self.lock();
        let place = inner
            .connections()
            .filter(|(_, connection)| only.is_none_or(|origin| connection.seat().is_from(origin)))
            .filter(|(_, connection)| connection.seat().weight() >= newcomer_holds)
            .min_by_key(|(_, connection)| {
                (Reverse(connection.seat().weight()), !connection.is_idle(), connection.since())
            })
            .map(|(place, _)| place)?;
        inner.take(place)
    }

    /// Tells it that the acceptor is about to sleep; `false` when something is parked that can expire, so
    /// that it must not sleep without a time limit.
    pub fn let_acceptor_sleep(&self) -> bool {
        let mut inner = self.lock();
        inner.acceptor_sleeps = inner.parked == 0;
        inner.acceptor_sleeps
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

    fn lock(&self) -> MutexGuard<'_, Spots> {
        self.spots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spots {
    fn connections(&self) -> impl Iterator<Item = (usize, &Connection)> {
        let spots = self.spots.iter().enumerate();
        spots.filter_map(|(place, spot)| spot.parked.as_ref().map(|(connection, _)| (place, &**connection)))
    }

    fn take(&mut self, place: usize) -> Option<Box<Connection>> {
        let (connection, _) = self.spots.get_mut(place)?.parked.take()?;
        self.parked -= 1;
        Some(connection)
    }
}

impl Spot {
    /// Tells whether what is waited for has happened, and forgets it: it is being seen to.
    fn is_ready(&mut self, waiting_for: WaitingFor) -> bool {
        match waiting_for {
            WaitingFor::Readable => std::mem::take(&mut self.readable) || self.ended,
            WaitingFor::Writable => std::mem::take(&mut self.writable),
        }
    }
}
