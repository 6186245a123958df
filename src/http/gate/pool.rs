//! The threads that serve connections: made when needed, up to a number, kept a while, then let go.
//!
//! A thread is busy only while bytes flow or a handler works; a connection that waits for its client is
//! parked and holds none. Threads are woken one after the other: each that takes a job wakes the next while
//! jobs are left. So quick jobs are done by the few threads that are awake, without a switch for each, and
//! jobs that block soon have a thread each.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Stack of a serving thread: handlers recurse little (XML to depth 32); only touched pages count.
const STACK_BYTES: usize = 1024 * 1024;
/// How long a thread without work waits for some before it ends.
const KEPT: Duration = Duration::from_secs(10);

type Run<Job> = Box<dyn Fn(&Arc<Pool<Job>>, Job) -> Option<Job> + Send + Sync>;

/// A queue of jobs and the threads that take them.
pub struct Pool<Job> {
    state: Mutex<State<Job>>,
    work: Condvar,
    drained: Condvar,
    ended: Condvar,
    most: usize,
    run: Run<Job>,
}

struct State<Job> {
    queue: VecDeque<Job>,
    waiting: usize,
    threads: usize,
    /// A thread was woken or made, and has not looked at the queue yet.
    coming: bool,
    /// Somebody waits until the queue is empty.
    awaited: bool,
    closed: bool,
}

impl<Job: Send + 'static> Pool<Job> {
    /// Makes a pool of at most `most` threads that `run` each job, and again, after the others, what it hands
    /// back. `run` must not panic.
    pub fn new(
        most: usize,
        run: impl Fn(&Arc<Self>, Job) -> Option<Job> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let state = State {
            queue: VecDeque::new(),
            waiting: 0,
            threads: 0,
            coming: false,
            awaited: false,
            closed: false,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            work: Condvar::new(),
            drained: Condvar::new(),
            ended: Condvar::new(),
            most: most.max(1),
            run: Box::new(run),
        })
    }

    /// Queues jobs. When no thread can be had at all, they are dropped.
    pub fn submit(self: &Arc<Self>, jobs: impl IntoIterator<Item = Job>) {
        let mut state = self.lock();
        state.queue.extend(jobs);
        self.call_one(state);
    }

    /// Waits until every job has been taken by a thread, at most for `patience`.
    pub fn wait_until_drained(&self, patience: Duration) {
        let mut state = self.lock();
        if !state.queue.is_empty() {
            state.awaited = true;
            // Whether it was drained or not, the caller goes on.
            drop(self.drained.wait_timeout(state, patience));
        }
    }

    /// Tells how many threads there are.
    pub fn threads(&self) -> usize {
        self.lock().threads
    }

    /// Lets the threads end when the queue is empty, and waits for them until `deadline`.
    pub fn close(&self, deadline: Instant) {
        let mut state = self.lock();
        state.closed = true;
        self.work.notify_all();
        while state.threads > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Wakes or makes one more thread if there is work for it and none is on its way.
    fn call_one(self: &Arc<Self>, mut state: MutexGuard<'_, State<Job>>) {
        if state.queue.is_empty() || state.coming {
            return;
        }
        if state.waiting > 0 {
            state.coming = true;
            drop(state);
            self.work.notify_one();
        } else if state.threads < self.most {
            state.coming = true;
            state.threads += 1;
            drop(state);
            self.make_one();
        }
    }

    fn make_one(self: &Arc<Self>) {
        let pool = Arc::clone(self);
        let thread = std::thread::Builder::new().name("gate".into()).stack_size(STACK_BYTES);
        if thread.spawn(move || pool.serve()).is_err() {
            let mut state = self.lock();
            state.coming = false;
            state.threads -= 1;
            // The threads that are there take the jobs later; without any, nobody ever would.
            if state.threads == 0 {
                let dropped = std::mem::take(&mut state.queue);
                drop(state);
                drop(dropped);
            }
        }
    }

    fn serve(self: &Arc<Self>) {
        let mut state = self.lock();
        state.coming = false;
        loop {
            if let Some(job) = state.queue.pop_front() {
                if state.queue.is_empty() && std::mem::take(&mut state.awaited) {
                    self.drained.notify_one();
                }
                self.call_one(state);
                let again = (self.run)(self, job);
                state = self.lock();
                state.queue.extend(again);
                continue;
            }
            if state.closed {
                break;
            }
            state.waiting += 1;
            let (woken, timeout) =
                self.work.wait_timeout(state, KEPT).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.waiting -= 1;
            // Also after a time-out: the call may have come in the same moment.
            state.coming = false;
            if timeout.timed_out() && state.queue.is_empty() {
                break;
            }
        }
        state.threads -= 1;
        drop(state);
        self.ended.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<Job>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
