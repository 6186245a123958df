//! What the threads of the gate do: look out for connections that have something to do, and attend to them.

use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mio::{Events, Poll, Token, Waker};

use super::connection::{Connection, Next};
use super::counters::count;
use super::door::House;
use super::lot::{Lot, Wants};
use super::pool::{Pool, Work};
use super::resume::Resume;

/// No connection's token: the lot numbers its places from zero.
const CALLED_BACK: Token = Token(usize::MAX);
/// Events in one look.
const EVENTS: usize = 256;
/// How long a look lasts that failed: it will fail again, and the gate is stopping.
const AFTER_FAILURE: Duration = Duration::from_millis(10);

/// Where connections are attended to.
pub struct Floor {
    house: Arc<House>,
    lot: Arc<Lot>,
    watch: Mutex<Watch>,
    waker: Waker,
}

struct Watch {
    poll: Poll,
    events: Events,
}

/// The gate's threads.
pub type Threads = Pool<Floor>;

impl Floor {
    /// Opens a floor with its lot; `door` is woken when a connection is parked whose deadline the door would
    /// else sleep through.
    ///
    /// # Errors
    /// When the system gives no poller.
    pub fn open(house: &Arc<House>, door: Arc<Waker>) -> io::Result<(Self, Arc<Lot>)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), CALLED_BACK)?;
        let lot = Arc::new(Lot::new(poll.registry().try_clone()?, door));
        let watch = Mutex::new(Watch { poll, events: Events::with_capacity(EVENTS) });
        Ok((Self { house: Arc::clone(house), lot: Arc::clone(&lot), watch, waker }, lot))
    }
}

impl Work for Floor {
    type Job = Box<Connection>;

    fn look_out(&self, patience: Option<Duration>, found: &mut Vec<Box<Connection>>) {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let Watch { poll, events } = &mut *watch;
        match poll.poll(events, patience) {
            Ok(()) => self.lot.ready(events.iter(), found),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                // Without a poller nobody can be served: the gate ends, and says why.
                self.house.fail(error);
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
        let house = &self.house;
        // Handlers are caught nearer by; this is for the gate's own faults: the connection goes, the thread stays.
        let next = catch_unwind(AssertUnwindSafe(|| connection.attend(house)));
        match next {
            Ok(Next::Readable) => self.lot.park(connection, Wants::Read),
            Ok(Next::Writable) => self.lot.park(connection, Wants::Write),
            Ok(Next::Turn) => Some(connection),
            Ok(Next::Answer(begin)) => {
                connection.rest();
                let resume = Resume::of(connection, threads, house);
                // A panic drops the right to go on, which tells the client and counts.
                let _ = catch_unwind(AssertUnwindSafe(|| begin(resume)));
                None
            }
            Ok(Next::Close) => None,
            Err(_) => {
                count(&house.counters.panics);
                None
            }
        }
    }
}
