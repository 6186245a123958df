//! SAML 2.0 web single sign-on, the service provider's side: values in, values out.

pub mod bindings;
pub mod names;
pub mod time;
