//! A connection put aside until its answer is known: not parked, for its client is not what it waits for, and
//! on no thread.

use std::sync::Arc;

use super::connection::Connection;
use super::door::House;
use super::floor::Threads;
use super::request::Response;

/// The right to go on with one connection, once, from any thread. When it is dropped, the client is told
/// that something went wrong.
pub struct Resume {
    waiting: Option<Waiting>,
}

struct Waiting {
    connection: Box<Connection>,
    threads: Arc<Threads>,
    house: Arc<House>,
}

impl Resume {
    /// Puts a connection aside.
    pub(super) fn of(connection: Box<Connection>, threads: &Arc<Threads>, house: &Arc<House>) -> Self {
        let (threads, house) = (Arc::clone(threads), Arc::clone(house));
        Self { waiting: Some(Waiting { connection, threads, house }) }
    }

    /// Goes on: a thread of the gate makes the response, and may block for it, and sends it. Does not block
    /// whoever calls. A panic in `answer` is answered as one in the handler.
    pub fn with(mut self, answer: impl FnOnce() -> Response + Send + 'static) {
        if let Some(Waiting { mut connection, threads, house }) = self.waiting.take() {
            connection.answered(Box::new(answer), &house);
            threads.submit([connection]);
        }
    }
}

impl Drop for Resume {
    fn drop(&mut self) {
        if let Some(Waiting { mut connection, threads, house }) = self.waiting.take() {
            connection.failed(&house);
            threads.submit([connection]);
        }
    }
}
