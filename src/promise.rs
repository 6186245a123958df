//! A result that comes later: after the commit on which it hangs.
//!
//! A thread that waits for the disk costs two switches for each request. So a use case whose answer hangs on
//! one commit may hand back a [`Promise`]: nothing is begun until somebody asks for the outcome, and then no
//! thread waits. The one that learns of the commit only passes the [`Completion`] on; what is left to do, up to
//! the answer, runs where the outcome is taken up, and may block there.

use std::sync::mpsc::sync_channel;

use crate::duty;
use crate::error::{Error, Kind, Result};

/// What came of it: run it to have the result.
pub type Completion<T> = Box<dyn FnOnce() -> Result<T> + Send>;
type Receiver<T> = Box<dyn FnOnce(Completion<T>) + Send>;

/// What waits for an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiter {
    /// A thread, of which there are few.
    Thread,
    /// A receiver alone, such as a connection that was put aside.
    Receiver,
}

/// A result that comes later.
#[must_use = "nothing is begun until the outcome is asked for"]
pub struct Promise<T> {
    begin: Box<dyn FnOnce(Waiter, Receiver<T>) + Send>,
}

impl<T: Send + 'static> Promise<T> {
    /// Promises what `begin` tells its receiver, once, from any thread.
    pub fn new(begin: impl FnOnce(Receiver<T>) + Send + 'static) -> Promise<T> {
        Promise::for_waiter(move |_, receiver| begin(receiver))
    }

    /// As [`Promise::new`], for a `begin` that is told what waits.
    pub fn for_waiter(begin: impl FnOnce(Waiter, Receiver<T>) + Send + 'static) -> Promise<T> {
        Promise { begin: Box::new(begin) }
    }

    /// Promises what is known already.
    pub fn kept(result: Result<T>) -> Promise<T> {
        Promise::new(move |receiver| receiver(Box::new(move || result)))
    }

    /// Goes on with the result, where the outcome is taken up; `next` may block there.
    pub fn then<U: Send + 'static>(
        self,
        next: impl FnOnce(Result<T>) -> Result<U> + Send + 'static,
    ) -> Promise<U> {
        Promise::for_waiter(move |waiter, receiver: Receiver<U>| {
            (self.begin)(waiter, Box::new(move |outcome| receiver(Box::new(move || next(outcome())))));
        })
    }

    /// Begins, and has the outcome passed to `receiver`, which must not block: others wait behind it.
    pub fn deliver(self, receiver: impl FnOnce(Completion<T>) + Send + 'static) {
        (self.begin)(Waiter::Receiver, Box::new(receiver));
    }

    /// Begins, and waits for the result.
    ///
    /// # Errors
    /// What was promised; `Unavailable` when the promise was dropped, because the server is stopping.
    pub fn wait(self) -> Result<T> {
        duty::relieve();
        let (reply, answered) = sync_channel(1);
        // Anyone who waited may be gone; what was begun stands all the same.
        (self.begin)(Waiter::Thread, Box::new(move |outcome| drop(reply.send(outcome))));
        answered.recv().map_err(|_| closing())?()
    }
}

/// What anyone who waits is told when nothing will come any more.
pub fn closing() -> Error {
    Error::new(Kind::Unavailable, "store_closing", "The server is stopping. Try again shortly.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_follows_runs_where_the_outcome_is_taken_up() {
        let here = std::thread::current().id();
        let promise = Promise::new(|receiver: Receiver<u8>| {
            std::thread::spawn(move || receiver(Box::new(|| Ok(20))));
        });
        let promise = promise.then(move |n| Ok((n? + 1, std::thread::current().id() == here)));
        assert_eq!(promise.wait().unwrap(), (21, true));
    }

    #[test]
    fn what_waits_is_told_through_what_follows() {
        let promise = || Promise::for_waiter(|waiter, receiver| receiver(Box::new(move || Ok(waiter))));
        assert_eq!(promise().then(|waiter| waiter).wait().unwrap(), Waiter::Thread);
        let (tell, told) = sync_channel(1);
        promise().then(|waiter| waiter).deliver(move |outcome| tell.send(outcome()).unwrap());
        assert_eq!(told.recv().unwrap().unwrap(), Waiter::Receiver);
    }

    #[test]
    fn an_error_goes_through_and_a_dropped_promise_is_one() {
        let error = closing();
        let failed = Promise::<u8>::kept(Err(error.clone())).then(|n| Ok(n? + 1));
        assert_eq!(failed.wait(), Err(error.clone()));
        assert_eq!(Promise::<u8>::new(drop).wait(), Err(error));
    }
}
