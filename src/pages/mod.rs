//! The pages: values in, HTML out. The only room that makes HTML, escaped by construction.
//!
//! A page cannot fail and cannot ask: whatever it shows was handed to it.

pub mod error;
