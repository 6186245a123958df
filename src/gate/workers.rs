//! What the threads of the gate do: look out for connections that have something to do, and attend to them.

use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mio::{Events, Poll, Token, Waker};

use super::connection::{Connection, Next};
use super::counters::count;

use super::parked::{ParkedConnections, WaitingFor};
use super::pool::{Pool, PoolWork};
use super::resume::{MakeResponse, PutAside, Resume};
use super::shared::Shared;

/// No connection's token: the parked numbers its places from zero.
const CALLED_BACK: Token = Token(usize::MAX);
/// Events in one look.
const EVENTS: usize = 256;
/// How long a look lasts that failed: it will fail again, and the gate is stopping.
const AFTER_FAILURE: Duration = Duration::from_millis(10);

/// Where connections are attended to.
pub struct Workers {
    shared: Arc<Shared>,
    parked: Arc<ParkedConnections>,
    watch: Mutex<Watch>,
    waker: Waker,
}

struct Watch {
    poll: Poll,
    events: Events,
}

/// The gate's threads.
pub type Threads = Pool<Workers>;

impl Workers {
    /// Opens the workers with the parked connections; `acceptor` is woken when a connection is parked whose deadline the acceptor would
    /// else sleep through.
    ///
    /// # Errors
    /// When the system gives no poller.
    pub fn open(shared: &Arc<Shared>, acceptor: Arc<Waker>) -> io::Result<(Self, Arc<ParkedConnections>)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), CALLED_BACK)?;
        let parked = Arc::new(ParkedConnections::new(poll.registry().try_clone()?, acceptor));
        let watch = Mutex::new(Watch { poll, events: Events::with_capacity(EVENTS) });
        Ok((Self { shared: Arc::clone(shared), parked: Arc::clone(&parked), watch, waker }, parked))
    }
}

impl PoolWork for Workers {
    type Job = Box<Connection>;

    fn look_out(&self, patience: Option<Duration>, found: &mut Vec<Box<Connection>>) {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let Watch { poll, events } = &mut *watch;
        match poll.poll(events, patience) {
            Ok(()) => self.parked.ready(events.iter(), found),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                // Without a poller nobody can be served: the gate ends, and says why.
                self.shared.fail(error);
                std::thread::sleep(AFTER_FAILURE);
            }
        }
    }

    fn call_back(&self) {
        // The waker fails only when the process has no memory for one number more.
        let _ = self.waker.wake();
    }

    /// Attends to a connection, and parks it afterwards; hands it back when others are first.
    fn run(&self, threads: &Arc<Threads>, mut connection: Box<Connection>) -> Option<Box<Connection>> {
        let shared = &self.shared;
        // Handlers are caught nearer by; this is for the gate's own faults: the connection goes, the thread stays.
        let next = catch_unwind(AssertUnwindSafe(|| connection.attend(shared)));
        match next {
            Ok(Next::Readable) => self.parked.park(connection, WaitingFor::Readable),
            Ok(Next::Writable) => self.parked.park(connection, WaitingFor::Writable),
            Ok(Next::Turn) => Some(connection),
            Ok(Next::Answer(begin)) => {
                connection.rest();
                let (threads, shared) = (Arc::clone(threads), Arc::clone(shared));
                let resume = Resume::of(Box::new(Waiting { connection, threads, shared }));
                // A panic drops the right to go on, which tells the client and counts.
                let _ = catch_unwind(AssertUnwindSafe(|| begin(resume)));
                None
            }
            Ok(Next::Close) => None,
            Err(_) => {
                count(&shared.counters.panics);
                None
            }
        }
    }
}

/// A connection whose answer comes later, and what it takes to go on with it.
struct Waiting {
    connection: Box<Connection>,
    threads: Arc<Threads>,
    shared: Arc<Shared>,
}

impl PutAside for Waiting {
    fn answer(mut self: Box<Self>, make: MakeResponse) {
        self.connection.answered(make, &self.shared);
        self.threads.submit([self.connection]);
    }

    fn fail(mut self: Box<Self>) {
        self.connection.failed(&self.shared);
        self.threads.submit([self.connection]);
    }
}
