//! The threads that serve connections: leader and followers.
//!
//! One thread at a time is on the lookout: it waits for the poller. What it finds it queues, and then does
//! itself, one job after the other, before it looks out again: as long as jobs are quick, one thread that is
//! awake does all of them, without a switch for each. A thread that has more jobs before it than it does soon
//! wakes another; one that is about to take long ([`duty`]) does too, unless somebody else is on the lookout
//! or will soon be. The one that is woken is the one that went to rest last, whose memory is still warm. So
//! quick jobs are done by few threads, and jobs that block have a thread each, up to a number.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::duty;

/// Stack of a serving thread: handlers recurse little (XML to depth 32); only touched pages count.
const STACK_BYTES: usize = 1024 * 1024;
/// How long a thread without work waits for some before it ends.
const KEPT: Duration = Duration::from_secs(10);
/// Jobs that wait for a thread which is about to come back to the queue, before another is woken for them.
const SHARE: usize = 2;

/// What the threads of a pool do.
pub trait Work: Send + Sync + 'static {
    type Job: Send + 'static;

    /// Waits until there are jobs, or until it is called back. One thread at a time is here.
    fn look_out(&self, found: &mut Vec<Self::Job>);

    /// Has the thread on the lookout, or the next one, come back at once.
    fn call_back(&self);

    /// Does a job; hands it back to have it done again, after the others. Must not panic. Says through
    /// [`duty::relieve`] that it is about to take long.
    fn run(&self, pool: &Arc<Pool<Self>>, job: Self::Job) -> Option<Self::Job>;
}

/// A queue of jobs, the threads that do them, and the lookout.
pub struct Pool<W: Work + ?Sized> {
    state: Mutex<State<W::Job>>,
    ended: Condvar,
    most: usize,
    work: W,
}

struct State<Job> {
    queue: VecDeque<Job>,
    threads: usize,
    /// Threads at rest, the last to rest at the end.
    resting: Vec<Thread>,
    /// Threads at a job who were not relieved: they come back to the queue soon.
    attentive: usize,
    /// A thread is on the lookout.
    looking: bool,
    /// A thread was woken or made, and has not looked at the queue yet.
    coming: bool,
    closed: bool,
}

impl<W: Work> Pool<W> {
    /// Makes a pool of at most `most` threads, and its first thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(most: usize, work: W) -> io::Result<Arc<Self>> {
        let state = State {
            queue: VecDeque::new(),
            threads: 1,
            resting: Vec::new(),
            attentive: 0,
            looking: false,
            coming: true,
            closed: false,
        };
        let pool =
            Arc::new(Self { state: Mutex::new(state), ended: Condvar::new(), most: most.max(1), work });
        pool.spawn()?;
        Ok(pool)
    }

    /// Queues jobs that did not come from the lookout.
    pub fn submit(self: &Arc<Self>, jobs: impl IntoIterator<Item = W::Job>) {
        let mut state = self.lock();
        state.queue.extend(jobs);
        self.share(state);
    }

    /// Tells how many threads there are.
    pub fn threads(&self) -> usize {
        self.lock().threads
    }

    /// Lets the threads end when the queue is empty, and waits for them until `deadline`.
    pub fn close(&self, deadline: Instant) {
        let mut state = self.lock();
        state.closed = true;
        state.resting.drain(..).for_each(|thread| thread.unpark());
        self.work.call_back();
        while state.threads > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Calls one more thread if there is more to do than those who come back soon can do soon.
    fn share(self: &Arc<Self>, state: MutexGuard<'_, State<W::Job>>) {
        if state.queue.len() > state.attentive * SHARE {
            self.call_one(state);
        }
    }

    /// A thread at a job will not come back soon: sees to it that somebody does.
    fn relieve_one(self: &Arc<Self>) {
        let mut state = self.lock();
        state.attentive -= 1;
        if state.attentive == 0 && (!state.looking || !state.queue.is_empty()) {
            self.call_one(state);
        }
    }

    /// Wakes or makes one more thread, unless one is on its way.
    fn call_one<'s>(self: &'s Arc<Self>, mut state: MutexGuard<'s, State<W::Job>>) {
        if state.coming {
            return;
        }
        if let Some(thread) = state.resting.pop() {
            state.coming = true;
            drop(state);
            thread.unpark();
            return;
        }
        if state.threads < self.most {
            state.coming = true;
            state.threads += 1;
            drop(state);
            if self.spawn().is_ok() {
                return;
            }
            state = self.lock();
            state.coming = false;
            state.threads -= 1;
        }
        // All others are at jobs that take long: the one on the lookout leaves it for the queue.
        if state.looking {
            drop(state);
            self.work.call_back();
        }
    }

    fn spawn(self: &Arc<Self>) -> io::Result<()> {
        let pool = Arc::clone(self);
        let thread = std::thread::Builder::new().name("gate".into()).stack_size(STACK_BYTES);
        thread.spawn(move || pool.serve()).map(drop)
    }

    fn serve(self: Arc<Self>) {
        let relieved = Rc::new(Cell::new(true));
        duty::begin({
            let (pool, relieved) = (Arc::clone(&self), Rc::clone(&relieved));
            move || {
                if !relieved.replace(true) {
                    pool.relieve_one();
                }
            }
        });
        let mut found = Vec::new();
        let mut state = self.lock();
        state.coming = false;
        loop {
            if let Some(job) = state.queue.pop_front() {
                state.attentive += 1;
                self.share(state);
                relieved.set(false);
                let again = self.work.run(&self, job);
                state = self.lock();
                if !relieved.replace(true) {
                    state.attentive -= 1;
                }
                state.queue.extend(again);
            } else if state.closed {
                break;
            } else if !state.looking {
                state.looking = true;
                drop(state);
                self.work.look_out(&mut found);
                state = self.lock();
                state.looking = false;
                state.queue.extend(found.drain(..));
            } else {
                let called;
                (state, called) = self.rest(state);
                if !called {
                    break;
                }
            }
        }
        state.threads -= 1;
        drop(state);
        self.ended.notify_all();
    }

    /// Rests until this thread is called: `true`; or until nobody has called it for long: `false`.
    fn rest<'s>(&'s self, mut state: MutexGuard<'s, State<W::Job>>) -> (MutexGuard<'s, State<W::Job>>, bool) {
        let (me, since) = (std::thread::current(), Instant::now());
        state.resting.push(me.clone());
        loop {
            drop(state);
            std::thread::park_timeout(KEPT.saturating_sub(since.elapsed()));
            state = self.lock();
            // Whoever calls a thread takes it off the list; all other wakes mean nothing.
            let Some(at) = state.resting.iter().position(|thread| thread.id() == me.id()) else {
                state.coming = false;
                return (state, true);
            };
            if since.elapsed() >= KEPT {
                state.resting.remove(at);
                return (state, false);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<W::Job>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
