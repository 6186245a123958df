//! The pages: values in, HTML out. The only room that makes HTML, escaped by construction.
//!
//! A page cannot fail and cannot ask: whatever it shows was handed to it. In reading order: [`layout`]
//! (the frame), [`components`] and [`form`] (what pages are made of), [`console`] (one file a page family).

pub mod agentjoin;
pub mod assets;
pub mod citations;
pub mod compared_keys;
pub mod components;
pub mod console;
pub mod error;
pub mod form;
pub mod front;
pub mod layout;
pub mod listing;
pub mod papers;
pub mod refill;
pub mod sso;
