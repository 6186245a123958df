//! SAML 2.0 web single sign-on, the service provider's side: values in, values out.
//!
//! Knows no key store, no clock and no network. In reading order:
//!
//! 1. [`verdict`]: the octets of a response and [`expectations`] in, an [`identity`] or a [`reject`] out.
//!    It runs the numbered rules of [`rule`], which live in `envelope`, `trust`, `assertion`, `subject`,
//!    `conditions` and `statements`, and writes them on a `sheet`.
//! 2. [`metadata`]: an identity provider's metadata; [`service_provider`]: our own;
//!    [`authn_request`]: the request that sends a person there.
//! 3. [`bindings`]: how messages travel; [`time`] and [`names`]: how they write instants and names.

pub mod authn_request;
pub mod bindings;
pub mod expectations;
pub mod identity;
pub mod metadata;
pub mod names;
pub mod reject;
pub mod rule;
pub mod service_provider;
pub mod time;
pub mod verdict;

mod assertion;
mod conditions;
mod envelope;
mod metadata_text;
mod read;
mod sheet;
mod statements;
mod subject;
mod trust;
