//! What a handler answers with.

/// A response whose whole body is in memory: `tiny_http::Response::from_string` and `from_data` make one.
pub type Response = tiny_http::Response<std::io::Cursor<Vec<u8>>>;

/// A response whose body is made as its client takes it: what `response` has as its body comes first. However slow
/// the client is, it holds one portion in memory and no thread.
pub struct Streamed {
    pub response: Response,
    pub portions: Portions,
}

/// Makes the portions of a body, one when the client has taken the one before. Runs on a thread of the gate, and may
/// block; a portion may be empty. Dropped when the client has gone.
pub type Portions = Box<dyn Iterator<Item = Result<Vec<u8>, Broken>> + Send>;

/// No more portions can be made, and the body is not whole: the client is cut off, so that half a file does not look
/// like a whole one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;
