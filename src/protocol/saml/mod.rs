//! SAML 2.0 web single sign-on, the service provider's side: values in, values out.
//!
//! Knows no key store, no clock and no network.

pub mod authn_request;
pub mod bindings;
pub mod names;
pub mod service_provider;
pub mod time;
pub mod writer;
