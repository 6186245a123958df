//! The front door: listener, TLS, one strict parser of the head, budgets of connections, bytes and seconds.
//!
//! It hands complete, checked [`Request`]s to a [`Handler`] and prints its [`Response`]s. Everything that a
//! stranger sends is counted and checked here before anything else of the house sees it; what lies behind
//! never touches a socket. It knows no routes, users or pages.
//!
//! A connection without bytes to work on is parked under a poller and costs its buffers only; a bounded set
//! of threads serves those that have some, and handlers may block, or answer later (`resume`). In reading order:
//!
//! 1. [`request`], `response`, `resume`: what goes in and out; [`limits`], [`address`], [`tls`], [`counters`],
//!    [`shutdown`], and what connections have in common of them (`shared`).
//! 2. `head`, `body`, `refused_head`, `refusal`, `print`: HTTP as bytes in and values out. Pure.
//! 3. `connection`: the life of one connection, on its `wire`, with what is `incoming` and `buffers` that connections share.
//! 4. `acceptor`, `parked`, `slots`, `ledger`: accepting, parking, counting; `pool`, `workers`: the threads, and what they do.

mod acceptor;
pub mod address;
pub mod body;
mod buffers;
mod connection;
pub mod counters;
pub mod head;
mod incident;
mod incoming;
mod ledger;
pub mod limits;
mod parked;
mod pool;
mod print;
pub mod refusal;
mod refused_head;
pub mod request;
mod response;
mod resume;
mod shared;
pub mod shutdown;
mod slots;
pub mod tls;
mod wire;
mod workers;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

pub use acceptor::Stopped;
pub use address::Net;
pub use counters::{Counters, Counts};
pub use incident::new_incident;
pub use limits::Limits;
pub use refusal::Refusal;
pub use request::{Answer, Handler, Head, Refused, Request, RequestPolicy};
pub use response::{Broken, Portions, Response, Streamed};
pub use resume::Resume;
pub use shutdown::Shutdown;
pub use tls::{SelfSigned, TlsError, end_of_pem, fingerprint_of_pem, load_tls, self_signed};

/// Connections that the system keeps waiting while the acceptor is busy.
const BACKLOG: i32 = 1024;

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

/// A bound gate: clients can connect, and are served once it runs.
pub struct Gate {
    listener: TcpListener,
    address: SocketAddr,
    config: GateConfig,
    counters: Arc<Counters>,
}

/// Binds the gate to its address.
///
/// # Errors
/// When the address cannot be bound.
pub fn bind(mut config: GateConfig) -> io::Result<Gate> {
    let listener = TcpListener::bind(config.listen)?;
    listener.set_nonblocking(true)?;
    rustix::net::listen(&listener, BACKLOG)?;
    let address = listener.local_addr()?;
    config.limits = config.limits.lowered_to_this_process();
    Ok(Gate { listener, address, config, counters: Arc::default() })
}

impl Gate {
    /// Tells the bound address, with the port that the system chose for port 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Shares the running totals.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Tells the limits in force, after they were lowered to what the process may open.
    pub fn limits(&self) -> &Limits {
        &self.config.limits
    }

    /// Serves on this thread until `shutdown` is triggered; then accepts no more, closes idle connections,
    /// gives requests in flight [`Limits::stop`] to end, and returns.
    ///
    /// # Errors
    /// When the system gives no poller, or it fails for good.
    pub fn run(self, handler: Arc<dyn Handler>, shutdown: Shutdown) -> io::Result<Stopped> {
        let shared = shared::Shared::new(self.config, handler, self.counters, shutdown);
        acceptor::Acceptor::new(self.listener, Arc::new(shared))?.run()
    }
}
