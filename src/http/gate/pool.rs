//! The threads that serve connections: made when needed, up to a number, kept a while, then let go.
//!
//! A thread is busy only while bytes flow or a handler works; a connection that waits for its client is
//! parked and holds none.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Stack of a serving thread: handlers recurse little (XML to depth 32); only touched pages count.
const STACK_BYTES: usize = 1024 * 1024;
/// How long a thread without work waits for some before it ends.
const KEPT: Duration = Duration::from_secs(10);

/// A queue of jobs and the threads that take them.
pub struct Pool<Job> {
    state: Mutex<State<Job>>,
    work: Condvar,
    ended: Condvar,
    most: usize,
    hungry: Arc<AtomicBool>,
    run: Box<dyn Fn(Job) -> Option<Job> + Send + Sync>,
}

struct State<Job> {
    queue: VecDeque<Job>,
    waiting: usize,
    threads: usize,
    closed: bool,
}

impl<Job: Send + 'static> Pool<Job> {
    /// Makes a pool of at most `most` threads that `run` each job, and again, after the others, what it hands
    /// back. `run` must not panic. `hungry` is kept true while a job waits for want of threads, so that
    /// whoever could give one back should.
    pub fn new(
        most: usize,
        hungry: Arc<AtomicBool>,
        run: impl Fn(Job) -> Option<Job> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State { queue: VecDeque::new(), waiting: 0, threads: 0, closed: false }),
            work: Condvar::new(),
            ended: Condvar::new(),
            most: most.max(1),
            hungry,
            run: Box::new(run),
        })
    }

    /// Queues a job. When no thread can be had at all, the job is dropped.
    pub fn submit(self: &Arc<Self>, job: Job) {
        let mut state = self.lock();
        state.queue.push_back(job);
        if state.waiting >= state.queue.len() {
            drop(state);
            self.work.notify_one();
            return;
        }
        if state.threads >= self.most {
            self.hungry.store(true, Ordering::Relaxed);
            return;
        }
        state.threads += 1;
        drop(state);
        let pool = Arc::clone(self);
        let thread = std::thread::Builder::new().name("gate".into()).stack_size(STACK_BYTES);
        if thread.spawn(move || pool.serve()).is_err() {
            // The threads that are there take the job later; without any, nobody ever would.
            let mut state = self.lock();
            state.threads -= 1;
            if state.threads == 0 {
                state.queue.clear();
            }
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

    fn serve(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.queue.pop_front() {
                if state.queue.is_empty() {
                    self.hungry.store(false, Ordering::Relaxed);
                }
                drop(state);
                let again = (self.run)(job);
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
