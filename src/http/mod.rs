//! The surfaces: what answers on which path. One file a surface; [`gate`] is the front door before them.
//!
//! Data flows one way: gate → [`router`] → surface → desk → page or body. Surfaces know no SQL and no
//! cryptography; they read a request, ask the desk, and print its answer.

pub mod gate;
