//! The acceptor: takes new connections in, gives each a seat, closes those that are late, and stops when told.
//!
//! One thread, the caller of [`super::Gate::run`], does nothing but this and never waits for a client, a
//! handler or a lock that either holds. Running out of descriptors is a state it stays in and leaves again,
//! not an error that ends it.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, Waker};
use rustix::io::Errno;

use super::address::{Origin, is_trusted};
use super::connection::Connection;
use super::counters::count;
use super::ledger::{Full, Ledger};
use super::parked::ParkedConnections;
use super::pool::Pool;
use super::shared::Shared;
use super::workers::{Threads, Workers};

const LISTENER: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);
/// How often deadlines are looked at: a client may be this much late.
const SWEEP: Duration = Duration::from_millis(250);
/// How long no accept is tried after one that found no descriptor or memory.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(50);
/// How often a stopping gate looks whether it is empty.
const STOPPING: Duration = Duration::from_millis(10);
/// Accepts in one turn, so that a flood of newcomers does not keep those inside waiting.
const ACCEPTS: usize = 64;
/// Newcomers that may wait at the acceptor for a seat: all those inside are with a thread, for a moment as a rule.
const AT_THE_DOOR: usize = 16;
/// How often it is looked whether a seat has become free for those at the acceptor.
const LOOK_FOR_SEATS: Duration = Duration::from_millis(5);
/// Newcomers, and somebody who wakes: there is nothing else to hear of.
const EVENTS: usize = 2;

/// How a stop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Connections that were cut in the middle of a request when the time for stopping ran out.
    pub cut: usize,
}

/// The running acceptor.
pub struct Acceptor {
    listener: Option<TcpListener>,
    poll: Poll,
    parked: Arc<ParkedConnections>,
    threads: Arc<Threads>,
    shared: Arc<Shared>,
    ledger: Arc<Ledger>,
    newcomers: bool,
    no_accept_before: Instant,
    at_the_door: Vec<Newcomer>,
}

/// An accepted socket without a seat.
struct Newcomer {
    socket: TcpStream,
    peer: IpAddr,
    until: Instant,
}

impl Acceptor {
    /// Opens the acceptor on a listener that does not block.
    ///
    /// # Errors
    /// When the system gives no poller.
    pub fn new(listener: TcpListener, shared: Arc<Shared>) -> io::Result<Self> {
        use std::os::fd::AsRawFd;
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        poll.registry().register(
            &mut mio::unix::SourceFd(&listener.as_raw_fd()),
            LISTENER,
            Interest::READABLE,
        )?;
        shared.shutdown.wakes(Arc::clone(&waker));
        let limits = &shared.limits;
        let ledger = Ledger::new(
            limits.connections,
            limits.connections_per_address,
            limits.body_bytes_in_all,
            Arc::clone(&shared.counters),
        );
        let (workers, parked) = Workers::open(&shared, waker)?;
        let threads = Pool::new(limits.threads, workers)?;
        Ok(Self {
            listener: Some(listener),
            poll,
            parked,
            threads,
            shared,
            ledger,
            newcomers: false,
            no_accept_before: Instant::now(),
            at_the_door: Vec::new(),
        })
    }

    /// Serves until told to stop.
    ///
    /// # Errors
    /// When the poller fails for good.
    pub fn run(mut self) -> io::Result<Stopped> {
        let mut events = Events::with_capacity(EVENTS);
        let mut next_sweep = Instant::now() + SWEEP;
        let mut stop_by = None;
        loop {
            match self.poll.poll(&mut events, self.patience(next_sweep)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => {
                    self.shared.fail(error);
                    return self.end_stop(Instant::now());
                }
                _ => {}
            }
            self.newcomers |= events.iter().any(|event| event.token() == LISTENER);
            let now = Instant::now();
            if stop_by.is_none() && self.shared.is_stopping() {
                stop_by = Some(now + self.shared.limits.stop);
                self.begin_stop();
            }
            self.seat_those_at_the_door(now);
            if self.newcomers && now >= self.no_accept_before {
                self.accept(now);
            }
            if now >= next_sweep {
                next_sweep = now + SWEEP;
                self.sweep(now);
            }
            if let Some(stop_by) = stop_by
                && (self.ledger.open() == 0 || now >= stop_by)
            {
                return self.end_stop(stop_by);
            }
        }
    }

    /// How long the poller may wait.
    fn patience(&self, next_sweep: Instant) -> Option<Duration> {
        let now = Instant::now();
        if self.shared.is_stopping() {
            Some(STOPPING)
        } else if !self.at_the_door.is_empty() {
            Some(LOOK_FOR_SEATS)
        } else if self.newcomers {
            Some(self.no_accept_before.saturating_duration_since(now))
        } else if self.parked.let_acceptor_sleep() {
            None
        } else {
            Some(next_sweep.saturating_duration_since(now))
        }
    }

    /// Accepts newcomers until there are none, or it is the others' turn.
    fn accept(&mut self, now: Instant) {
        for _ in 0..ACCEPTS {
            let Some(listener) = &self.listener else {
                self.newcomers = false;
                return;
            };
            match listener.accept() {
                Ok((socket, peer)) => {
                    count(&self.shared.counters.accepted);
                    let newcomer = Newcomer { socket, peer: peer.ip(), until: now + self.shared.limits.seat };
                    if let Some(newcomer) = self.seat(newcomer) {
                        self.let_wait(newcomer);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.newcomers = false;
                    return;
                }
                Err(error) => {
                    count(&self.shared.counters.accept_errors);
                    // The rest of the process took what was kept back: make room, or do not spin.
                    if is_out_of_resources(&error) && !self.evict(None, 0) {
                        self.no_accept_before = now + OUT_OF_DESCRIPTORS;
                        return;
                    }
                    // Otherwise a newcomer has left again, and the next may still be there.
                }
            }
        }
    }

    /// Gives a newcomer a seat, if need be that of one who only waits; hands it back when there is none.
    fn seat(&self, newcomer: Newcomer) -> Option<Newcomer> {
        let peer = newcomer.peer;
        let trusted = is_trusted(&self.shared.trusted_proxies, peer);
        let seat = self.ledger.seat(peer, trusted).or_else(|full| {
            let only = (full == Full::Address).then(|| Origin::of(peer));
            self.evict(only, self.ledger.held_by(peer));
            self.ledger.seat(peer, trusted)
        });
        let Ok(seat) = seat else { return Some(newcomer) };
        // A socket that fails here is one whose client has gone.
        if let Ok(connection) =
            Connection::new(newcomer.socket, peer, seat, self.parked.place(), &self.shared)
        {
            self.parked.enter(Box::new(connection));
        }
        None
    }

    /// Lets a newcomer wait at the acceptor; when it is crowded, one whose address holds most inside is turned away.
    fn let_wait(&mut self, newcomer: Newcomer) {
        self.at_the_door.push(newcomer);
        if self.at_the_door.len() > AT_THE_DOOR {
            let held = |newcomer: &Newcomer| self.ledger.held_by(newcomer.peer);
            let most = self.at_the_door.iter().enumerate().max_by_key(|(_, newcomer)| held(newcomer));
            if let Some(index) = most.map(|(index, _)| index) {
                self.at_the_door.swap_remove(index);
                count(&self.shared.counters.turned_away);
            }
        }
    }

    fn seat_those_at_the_door(&mut self, now: Instant) {
        for newcomer in std::mem::take(&mut self.at_the_door) {
            match self.seat(newcomer) {
                Some(newcomer) if newcomer.until > now => self.at_the_door.push(newcomer),
                Some(_) => count(&self.shared.counters.turned_away),
                None => {}
            }
        }
    }

    /// Closes a parked connection to make room; `false` when none can be spared.
    fn evict(&self, only: Option<Origin>, newcomer_holds: usize) -> bool {
        let evicted = self.parked.spare(only, newcomer_holds).is_some();
        if evicted {
            count(&self.shared.counters.evicted);
        }
        evicted
    }

    /// Cuts what is late: idle connections at once, the others after they were told.
    fn sweep(&self, now: Instant) {
        for connection in self.parked.expired(now) {
            if connection.is_idle() {
                count(&self.shared.counters.timed_out);
            } else {
                self.threads.submit([connection]);
            }
        }
        let threads = u64::try_from(self.threads.threads()).unwrap_or(0);
        self.shared.counters.threads.store(threads, Ordering::Relaxed);
    }

    fn begin_stop(&mut self) {
        self.listener = None;
        self.at_the_door.clear();
        self.parked.close();
    }

    fn end_stop(self, stop_by: Instant) -> io::Result<Stopped> {
        let cut = self.ledger.open();
        drop(self.parked.take_where(|_| true));
        self.threads.close(stop_by);
        match self.shared.failure() {
            Some(error) => Err(error),
            None => Ok(Stopped { cut }),
        }
    }
}

fn is_out_of_resources(error: &io::Error) -> bool {
    [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
