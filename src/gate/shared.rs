//! What all connections of a gate share: its limits, its certificate, its handler, its counters.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::GateConfig;
use super::address::Net;
use super::counters::Counters;
use super::limits::Limits;
use super::request::Handler;
use super::shutdown::Shutdown;

/// What every connection needs to know of its gate.
pub struct Shared {
    pub limits: Limits,
    pub tls: Option<Arc<rustls::ServerConfig>>,
    pub trusted_proxies: Vec<Net>,
    pub handler: Arc<dyn Handler>,
    pub counters: Arc<Counters>,
    pub shutdown: Shutdown,
    failure: Mutex<Option<io::Error>>,
}

impl Shared {
    /// What a gate with this configuration and handler needs to know.
    pub fn new(
        config: GateConfig,
        handler: Arc<dyn Handler>,
        counters: Arc<Counters>,
        shutdown: Shutdown,
    ) -> Self {
        let GateConfig { limits, tls, trusted_proxies, .. } = config;
        Self { limits, tls, trusted_proxies, handler, counters, shutdown, failure: Mutex::default() }
    }

    /// Has the gate stop because of an error that it cannot go on with.
    pub fn fail(&self, error: io::Error) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.shutdown.trigger();
    }

    /// Whether the gate was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.shutdown.is_triggered()
    }

    /// Takes the error that the gate stops because of, if there is one.
    pub fn failure(&self) -> Option<io::Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
