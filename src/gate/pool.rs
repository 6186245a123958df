//! The threads that serve connections: leader and followers.
//!
//! One thread at a time, the leader, waits for the poller. It queues the jobs that it finds and then does them itself, one
//! after the other, before it waits again. As long as jobs are quick, one thread does all of them, without a switch of
//! threads for each. A thread wakes another one when the queue is longer than it can empty soon, or when its own job will
//! take long ([`duty`]) and no other thread is about to take over. It wakes the thread that rested last, whose memory is
//! still warm. So few threads do the quick jobs, and each job that blocks has a thread of its own, up to a limit.

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
/// Jobs after which somebody looks out, whatever is still in the queue.
const LOOK_AFTER: u32 = 64;

/// What the threads of a pool do.
pub trait PoolWork: Send + Sync + 'static {
    type Job: Send + 'static;

    /// Waits until there are jobs, at most for `patience` if there is one, or until it is called back. One
    /// thread at a time is here.
    fn look_out(&self, patience: Option<Duration>, found: &mut Vec<Self::Job>);

    /// Has the thread on the lookout, or the next one, come back at once.
    fn call_back(&self);

    /// Does a job; hands it back to have it done again, after the others. Must not panic. Says through
    /// [`duty::relieve`] that it is about to take long.
    fn run(&self, pool: &Arc<Pool<Self>>, job: Self::Job) -> Option<Self::Job>;
}

/// A queue of jobs, the threads that do them, and the lookout.
pub struct Pool<W: PoolWork + ?Sized> {
    state: Mutex<ThreadPoolState<W::Job>>,
    ended: Condvar,
    most: usize,
    work: W,
}

struct ThreadPoolState<Job> {
    queue: VecDeque<Job>,
    threads: usize,
    /// Threads at rest, the last to rest at the end.
    resting: Vec<Thread>,
    /// Threads at a job who were not relieved: they come back to the queue soon.
    attentive: usize,
    /// A thread is on the lookout.
    looking: bool,
    /// Jobs done since the last look.
    unlooked: u32,
    /// A thread was woken or made, and has not looked at the queue yet.
    coming: bool,
    closed: bool,
}

impl<W: PoolWork> Pool<W> {
    /// Makes a pool of at most `most` threads, and its first thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(most: usize, work: W) -> io::Result<Arc<Self>> {
        let state = ThreadPoolState {
            queue: VecDeque::new(),
            threads: 1,
            resting: Vec::new(),
            attentive: 0,
            looking: false,
            unlooked: 0,
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
    fn share(self: &Arc<Self>, state: MutexGuard<'_, ThreadPoolState<W::Job>>) {
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
    fn call_one<'s>(self: &'s Arc<Self>, mut state: MutexGuard<'s, ThreadPoolState<W::Job>>) {
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
            if state.unlooked >= LOOK_AFTER && !state.looking {
                // Jobs that come back at once would fill the queue for ever, and nobody would hear of others.
                state = self.look(state, Some(Duration::ZERO), &mut found);
            } else if let Some(job) = state.queue.pop_front() {
                state.unlooked = state.unlooked.saturating_add(1);
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
                state = self.look(state, None, &mut found);
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

    fn look<'s>(
        &'s self,
        mut state: MutexGuard<'s, ThreadPoolState<W::Job>>,
        patience: Option<Duration>,
        found: &mut Vec<W::Job>,
    ) -> MutexGuard<'s, ThreadPoolState<W::Job>> {
        state.looking = true;
        state.unlooked = 0;
        drop(state);
        self.work.look_out(patience, found);
        state = self.lock();
        state.looking = false;
        state.queue.extend(found.drain(..));
        state
    }

    /// Rests until this thread is called: `true`; or until nobody has called it for long: `false`.
    fn rest<'s>(
        &'s self,
        mut state: MutexGuard<'s, ThreadPoolState<W::Job>>,
    ) -> (MutexGuard<'s, ThreadPoolState<W::Job>>, bool) {
        let (me, since) = (std::thread::current(), Instant::now());
        state.resting.push(me.clone());
        loop {
            drop(state);
            std::thread::park_timeout(KEPT.saturating_sub(since.elapsed()));
            state = self.lock();
            // Anyone who calls a thread takes it off the list; all other wakes mean nothing.
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

    fn lock(&self) -> MutexGuard<'_, ThreadPoolState<W::Job>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// After this long without a word a test has failed; no test waits for it to pass.
    const PATIENCE: Duration = Duration::from_secs(30);

    enum Job {
        /// Comes back at once until it is told to stop.
        Again(Arc<AtomicBool>),
        /// Says that it has begun, has its thread relieved, and goes on when it is told to.
        Long(Sender<()>, Receiver<()>),
        Quick(Sender<()>),
    }

    /// Jobs are found in a channel; `None` calls back.
    struct Channel {
        inbox: Mutex<Receiver<Option<Job>>>,
        outbox: Sender<Option<Job>>,
    }

    impl PoolWork for Channel {
        type Job = Job;

        fn look_out(&self, patience: Option<Duration>, found: &mut Vec<Job>) {
            let inbox = self.inbox.lock().unwrap();
            found.extend(match patience {
                Some(patience) => inbox.recv_timeout(patience).ok().flatten(),
                None => inbox.recv().unwrap(),
            });
        }

        fn call_back(&self) {
            self.outbox.send(None).unwrap();
        }

        fn run(&self, _: &Arc<Pool<Self>>, job: Job) -> Option<Job> {
            match &job {
                Job::Again(stop) => return (!stop.load(Ordering::Relaxed)).then_some(job),
                Job::Long(begun, go_on) => {
                    duty::relieve();
                    begun.send(()).unwrap();
                    go_on.recv_timeout(PATIENCE).unwrap();
                }
                Job::Quick(done) => done.send(()).unwrap(),
            }
            None
        }
    }

    fn pool(most: usize) -> (Arc<Pool<Channel>>, Sender<Option<Job>>) {
        let (outbox, inbox) = channel();
        let work = Channel { inbox: Mutex::new(inbox), outbox: outbox.clone() };
        (Pool::new(most, work).unwrap(), outbox)
    }

    fn quick() -> (Job, Receiver<()>) {
        let (done, was_done) = channel();
        (Job::Quick(done), was_done)
    }

    /// A pool with one thread that is held by a job, and what lets it go.
    fn held(most: usize) -> (Arc<Pool<Channel>>, Sender<Option<Job>>, Sender<()>) {
        let ((begun, has_begun), (release, go_on)) = (channel(), channel());
        let (pool, found) = pool(most);
        found.send(Some(Job::Long(begun, go_on))).unwrap();
        has_begun.recv_timeout(PATIENCE).unwrap();
        (pool, found, release)
    }

    fn ends(pool: &Arc<Pool<Channel>>) {
        pool.close(Instant::now() + PATIENCE);
        assert_eq!(pool.threads(), 0);
    }

    #[test]
    fn jobs_that_come_back_at_once_do_not_keep_the_lookout_away() {
        for (hogs, most) in [(1, 1), (3, 2)] {
            let (pool, found) = pool(most);
            let stop = Arc::new(AtomicBool::new(false));
            pool.submit((0..hogs).map(|_| Job::Again(Arc::clone(&stop))));
            let (job, was_done) = quick();
            found.send(Some(job)).unwrap();
            was_done.recv_timeout(PATIENCE).unwrap();
            stop.store(true, Ordering::Relaxed);
            ends(&pool);
        }
    }

    #[test]
    fn when_a_thread_is_relieved_another_looks_out() {
        let (pool, found, release) = held(2);
        let (job, was_done) = quick();
        found.send(Some(job)).unwrap();
        was_done.recv_timeout(PATIENCE).unwrap();
        assert_eq!(pool.threads(), 2);
        release.send(()).unwrap();
        ends(&pool);
    }

    #[test]
    fn when_all_others_are_held_the_lookout_is_called_back_for_the_queue() {
        let (pool, _found, release) = held(2);
        let (job, was_done) = quick();
        pool.submit([job]);
        was_done.recv_timeout(PATIENCE).unwrap();
        release.send(()).unwrap();
        ends(&pool);
    }

    #[test]
    fn jobs_wait_for_a_thread_when_all_are_held() {
        let (pool, _found, release) = held(1);
        let (job, was_done) = quick();
        pool.submit([job]);
        release.send(()).unwrap();
        was_done.recv_timeout(PATIENCE).unwrap();
        ends(&pool);
    }
}
