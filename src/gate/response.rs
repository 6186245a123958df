//! What a handler answers with.

/// A response whose whole body is in memory: `tiny_http::Response::from_string` and `from_data` make one.
pub type Response = tiny_http::Response<std::io::Cursor<Vec<u8>>>;
