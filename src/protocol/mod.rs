//! Protocol code: bytes, keys and a time in; a value out.
//!
//! Knows no file, socket, clock, SQL, HTTP or environment. What time it is, is always an argument.

pub mod age;
pub mod check;
pub mod credential;
pub mod forge;
pub mod launch_url;
pub mod login_key;
pub mod saml;
pub mod scim;
pub mod soap;
pub mod xml;
