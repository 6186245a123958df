//! The right to answer a request later: its connection is put aside, and no thread waits.

use super::response::Response;

/// Makes the response; runs on a thread of the gate, and may block.
pub type MakeResponse = Box<dyn FnOnce() -> Response + Send>;

/// A connection that was put aside until its answer is known.
pub trait PutAside: Send {
    /// Goes on with the answer.
    fn answer(self: Box<Self>, make: MakeResponse);

    /// Goes on without one: the client is told that something went wrong.
    fn fail(self: Box<Self>);
}

/// The right to go on with one connection, once, from any thread. When it is dropped, the client is told
/// that something went wrong.
pub struct Resume {
    put_aside: Option<Box<dyn PutAside>>,
}

impl Resume {
    /// The right to go on with this connection.
    pub(super) fn of(connection: Box<dyn PutAside>) -> Self {
        Self { put_aside: Some(connection) }
    }

    /// Goes on: a thread of the gate makes the response, and may block for it, and sends it. Does not block
    /// anyone who calls. A panic in `answer` is answered as one in the handler.
    pub fn with(mut self, answer: impl FnOnce() -> Response + Send + 'static) {
        if let Some(connection) = self.put_aside.take() {
            connection.answer(Box::new(answer));
        }
    }
}

impl Drop for Resume {
    fn drop(&mut self) {
        if let Some(connection) = self.put_aside.take() {
            connection.fail();
        }
    }
}
