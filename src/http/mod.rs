//! See ARCHITECTURE.md.
pub mod gate;
