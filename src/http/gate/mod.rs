//! The front door: listener, TLS, one strict parser of the head, budgets of connections, bytes and seconds.
//!
//! It hands complete, checked [`Request`]s to a [`Handler`] and prints its [`Response`]s. Everything that a
//! stranger sends is counted and checked here before anything else of the house sees it; what lies behind
//! never touches a socket. It knows no routes, users or pages.
//!
//! In reading order: [`request`] (what goes in and out), [`limits`], [`address`], [`tls`], [`counters`].

pub mod address;
pub mod counters;
pub mod limits;
pub mod request;
pub mod shutdown;
pub mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

pub use address::Net;
pub use counters::{Counters, Counts};
pub use limits::Limits;
pub use request::{Handler, Head, Request, Response};
pub use shutdown::Shutdown;
pub use tls::{SelfSigned, TlsError, fingerprint_of_pem, load_tls, self_signed};

/// Where the gate listens, and how.
#[derive(Clone)]
pub struct GateConfig {
    /// The address to listen on; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// TLS settings of [`load_tls`], or none for plain HTTP. Whether plain is allowed, the caller decides.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Connections, bytes and seconds; lowered by [`bind`] to the process's descriptor limit.
    pub limits: Limits,
    /// Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; empty believes none.
    pub trusted_proxies: Vec<Net>,
}
