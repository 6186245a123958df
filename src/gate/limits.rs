//! The numbers of the front door: connections, bytes and seconds, and how they bend to the process's limits.

use std::time::Duration;

/// Descriptors that the gate leaves to the rest of the process: the database and its journal, log, backup.
const DESCRIPTORS_FOR_THE_HOUSE: u64 = 40;

/// Seconds that a slow client is granted at most for the bytes of one body or response.
const LONGEST_GRANT: u64 = 3600;

/// What one client, and all clients together, may take. Each deadline is absolute: a client that keeps
/// sending a byte now and then gains nothing.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections open at once, from everybody; lowered to what the descriptor limit allows.
    pub connections: usize,
    /// Connections open at once from one address (IPv6: one /64); lowered with `connections`.
    pub connections_per_address: usize,
    /// Threads that answer requests. A connection that waits for its client holds none.
    pub threads: usize,
    /// Bytes of a request's head, request line included; more is 431 (414 while in the request line).
    pub head_bytes: usize,
    /// Bytes of all bodies being received or answered at once, three quarters of them from one address; more is
    /// 503. Small bodies are received all the same.
    pub body_bytes_in_all: usize,
    /// For a newcomer to get a seat when all are taken by connections that are being served.
    pub seat: Duration,
    /// From accept to the end of the TLS handshake.
    pub handshake: Duration,
    /// From the first byte of a head to its end.
    pub head: Duration,
    /// For the body: this, and one second more for each [`Limits::slowest`] bytes of it.
    pub body: Duration,
    /// For taking a response: this, and one second more for each [`Limits::slowest`] bytes of it.
    pub write: Duration,
    /// Bytes a second that even a slow client is granted for a body or a response.
    pub slowest: usize,
    /// Between requests on a connection, and before the first.
    pub idle: Duration,
    /// For a client to hear a refusal before its connection is closed on bytes that nobody reads.
    pub linger: Duration,
    /// For requests in flight when the gate is told to stop.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            connections_per_address: 256,
            threads: 64,
            head_bytes: 16 * 1024,
            body_bytes_in_all: 32 * 1024 * 1024,
            seat: Duration::from_secs(2),
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            write: Duration::from_secs(30),
            slowest: 16 * 1024,
            idle: Duration::from_secs(75),
            linger: Duration::from_secs(2),
            stop: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// Lowers the connection limits so that `descriptors` suffice for them and for the rest of the house.
    pub fn lowered_to(mut self, descriptors: u64) -> Self {
        // A quarter for the house, so that a very small limit is shared rather than all kept back.
        let house = DESCRIPTORS_FOR_THE_HOUSE.max(descriptors / 4).min(descriptors / 2);
        let room = usize::try_from(descriptors - house).unwrap_or(usize::MAX).max(1);
        if room < self.connections {
            // One address keeps its share of the whole, so that it cannot fill the smaller house either.
            self.connections_per_address = (self.connections_per_address.saturating_mul(room)
                / self.connections.max(1))
            .clamp(1, self.connections_per_address.max(1));
            self.connections = room;
        }
        self
    }

    /// Adds to a deadline what a slow client is granted for this many bytes.
    pub(super) fn with_bytes(&self, base: Duration, bytes: usize) -> Duration {
        let seconds = u64::try_from(bytes / self.slowest.max(1)).unwrap_or(u64::MAX);
        base.saturating_add(Duration::from_secs(seconds.min(LONGEST_GRANT)))
    }

    /// Lowers the connection limits to the descriptor limit of this process.
    pub fn lowered_to_this_process(self) -> Self {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        match limit.current {
            Some(descriptors) => self.lowered_to(descriptors),
            None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[track_caller]
    fn check(descriptors: u64, connections: usize, per_address: usize) {
        let limits = Limits::default().lowered_to(descriptors);
        assert_eq!((limits.connections, limits.connections_per_address), (connections, per_address));
    }

    #[test]
    fn connections_are_lowered_to_the_descriptors_that_the_house_can_spare() {
        check(1_000_000, 1024, 256);
        check(2048, 1024, 256);
        check(1024, 768, 192);
        check(128, 88, 22);
        check(16, 8, 2);
        check(1, 1, 1);
        check(0, 1, 1);
    }
}
