//! `/metrics`: a listener of its own, behind the same strict front door, that answers one path.
//!
//! It tells no group and no person apart. Anyone who reaches it may read it, so it listens only where it was told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::memory;
use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::error::{Error, Kind, Result};
use crate::gate::{
    self, Answer, Counters, Gate, GateConfig, Handler, Head, Limits, Request, RequestPolicy, Shutdown,
};
use crate::http::answer;
use crate::http::traffic::Traffic;
use crate::machine;
use crate::metrics::{MEDIA_TYPE, Metrics};
use crate::server_log::{self, note};

/// The one path.
const PATH: &str = "/metrics";
const DAY_SECONDS: f64 = 86_400.0;

/// What is read when somebody asks.
pub(super) struct Sources {
    pub desk: Arc<Desk>,
    pub gate: Arc<Counters>,
    pub traffic: Arc<Traffic>,
    pub started: Instant,
    /// When the server's own certificate ends; `None` without TLS.
    pub certificate_ends: Option<Timestamp>,
}

/// Binds the listener.
///
/// # Errors
/// `Fault` with code `cannot_listen`.
pub(super) fn bind(listen: SocketAddr) -> Result<Gate> {
    // A handful of collectors, each with one connection.
    let limits = Limits {
        connections: 32,
        connections_per_address: 16,
        threads: 2,
        body_bytes_in_all: 1 << 20,
        ..Limits::default()
    };
    gate::bind(GateConfig { listen, tls: None, limits, trusted_proxies: Vec::new() }).map_err(|e| {
        let public = format!("{listen} cannot be listened on for metrics: {e}.");
        Error::new(Kind::Fault, "cannot_listen", public)
    })
}

/// Serves until `shutdown` is triggered, on a thread of its own.
///
/// # Errors
/// `Fault` when the system gives no thread.
pub(super) fn serve(gate: Gate, sources: Sources, shutdown: Shutdown) -> Result<std::thread::JoinHandle<()>> {
    let serve = move || {
        if let Err(error) = gate.run(Arc::new(sources), shutdown) {
            note(format_args!("Metrics are no longer served: {error}"));
        }
    };
    std::thread::Builder::new()
        .name("metrics".into())
        .spawn(serve)
        .map_err(|e| Error::fault("metrics_thread", e.to_string()))
}

impl Handler for Sources {
    fn terms(&self, _: &Head<'_>) -> RequestPolicy {
        RequestPolicy { body_limit: 0, brief: false }
    }

    fn handle(&self, request: &Request) -> Answer {
        let response = match (request.path.as_str(), request.method.as_str()) {
            (PATH, "GET" | "HEAD") => match self.printed() {
                Ok(text) => answer::bytes(200, MEDIA_TYPE, text),
                Err(error) => {
                    note(format_args!("{PATH}: {error}"));
                    answer::text(503, "The metrics cannot be read now.\n")
                }
            },
            (PATH, _) => answer::with(answer::text(405, "Only GET.\n"), "Allow", "GET"),
            _ => answer::text(404, "There is only /metrics here.\n"),
        };
        answer::with_house_headers(response, false).into()
    }
}

impl Sources {
    fn printed(&self) -> Result<String> {
        let mut metrics = Metrics::default();
        self.of_the_program(&mut metrics);
        self.of_the_gate(&mut metrics);
        self.of_sign_ins(&mut metrics);
        self.of_the_appliance(&mut metrics)?;
        metrics.print().map_err(|e| Error::fault("metrics", e.to_string()))
    }

    fn of_the_program(&self, m: &mut Metrics) {
        let labels = [("version", env!("CARGO_PKG_VERSION")), ("mode", self.desk.mode().as_str())];
        m.gauge("build_info", "The program that runs; always 1", &labels, 1.0);
        m.gauge(
            "uptime_seconds",
            "Seconds since the server started",
            &[],
            self.started.elapsed().as_secs_f64(),
        );
        if let Some(process) = machine::process() {
            m.gauge("process_resident_memory_bytes", "Memory in use", &[], process.resident_bytes as f64);
            m.gauge("process_threads", "Threads", &[], process.threads as f64);
            m.gauge(
                "process_open_descriptors",
                "Files and sockets that are open",
                &[],
                process.descriptors as f64,
            );
        }
        let most = memory::mebibytes(&memory::parts()) as f64;
        m.gauge(
            "process_memory_budget_bytes",
            "Memory that strangers can have taken at most",
            &[],
            most * 1_048_576.0,
        );
        m.counter(
            "server_log_dropped_lines",
            "Lines of the server log that nobody read in time",
            &[],
            server_log::dropped(),
        );
    }

    fn of_the_gate(&self, m: &mut Metrics) {
        let counts = self.gate.read();
        m.gauge("connections_open", "Connections open now", &[], counts.open as f64);
        m.gauge("gate_threads", "Threads that serve requests, busy or waiting", &[], counts.threads as f64);
        m.counter("connections_accepted", "Connections accepted", &[], counts.accepted);
        for (reason, count) in [
            ("turned_away", counts.turned_away),
            ("evicted", counts.evicted),
            ("timed_out", counts.timed_out),
            ("handshake_failed", counts.handshakes_failed),
            ("accept_failed", counts.accept_errors),
        ] {
            m.counter(
                "connections_ended",
                "Connections that the gate ended itself",
                &[("reason", reason)],
                count,
            );
        }
        m.counter("requests_received", "Requests handed on by the gate", &[], counts.requests);
        let refusals = self.gate.refusals();
        m.counter("requests_refused_in_all", "Requests that the gate refused itself", &[], counts.refused);
        for ([reason], count) in refusals {
            m.counter("requests_refused", "The same by reason", &[("reason", reason)], count);
        }
        for ([surface, status], count) in self.traffic.read() {
            let labels = [("surface", surface), ("status", status)];
            m.counter("responses", "Responses by surface and class of status", &labels, count);
        }
        for (direction, count) in [("in", counts.bytes_in), ("out", counts.bytes_out)] {
            m.counter(
                "http_bytes",
                "Bytes of requests and responses, without TLS",
                &[("direction", direction)],
                count,
            );
        }
        m.counter("panics", "Panics caught while a request was answered", &[], counts.panics);
        m.counter(
            "responses_held_back",
            "Responses that could have been read as two",
            &[],
            counts.unsafe_responses,
        );
    }

    fn of_sign_ins(&self, m: &mut Metrics) {
        let sign_ins = self.desk.appliance.sign_ins();
        for ([means, outcome, code], count) in sign_ins.outcomes() {
            let labels = [("means", means), ("outcome", outcome), ("code", code)];
            m.counter(
                "sign_ins",
                "Credentials that were judged, by means, outcome and reject code",
                &labels,
                count,
            );
        }
        for (kind, took) in sign_ins.verdicts() {
            m.histogram(
                "verdict_seconds",
                "How long a credential took to be judged",
                &[("kind", kind)],
                took,
            );
        }
    }

    fn of_the_appliance(&self, m: &mut Metrics) -> Result<()> {
        let readiness = self.desk.appliance.readiness();
        m.gauge(
            "ready",
            "1 when the appliance can serve, as /readyz says",
            &[],
            number(readiness.failure().is_none()),
        );
        for check in &readiness.0 {
            let labels = [("check", check.name)];
            m.gauge(
                "ready_check",
                "1 when this check of /readyz passes",
                &labels,
                number(check.failure.is_none()),
            );
        }
        let watched = self.desk.appliance.watched()?;
        m.histogram(
            "commit_seconds",
            "From the start of a transaction until it was durable",
            &[],
            watched.writes.commit,
        );
        m.histogram(
            "queue_seconds",
            "How long a write waited for its transaction",
            &[],
            watched.writes.queue,
        );
        m.counter("commits", "Durable commits", &[], watched.writes.commits);
        m.gauge("queue_length", "Writes that wait now", &[], watched.writes.waiting as f64);
        m.gauge("database_bytes", "Size of the database", &[], watched.files.database as f64);
        m.gauge("database_log_bytes", "Size of the write-ahead log", &[], watched.files.log as f64);
        m.gauge(
            "database_log_missing",
            "1 when another program has deleted the log",
            &[],
            number(!watched.log_is_there),
        );
        if let Some(free) = watched.free_bytes {
            m.gauge("disk_free_bytes", "Room on the disk of the database", &[], free as f64);
        }
        m.gauge("access_log_rows", "Rows of the access log", &[], watched.access_log_rows as f64);
        let seconds = |at: Timestamp| at.seconds() as f64;
        let checked = watched.last_check.as_ref();
        m.gauge(
            "database_checked_timestamp_seconds",
            "When the whole database was last checked; 0 for not yet",
            &[],
            checked.map_or(0.0, |c| seconds(c.at)),
        );
        m.gauge(
            "database_damaged",
            "1 when the last check found damage",
            &[],
            number(checked.is_some_and(|c| c.damage.is_some())),
        );
        let days =
            |ends: Timestamp| (ends.seconds().saturating_sub(watched.now.seconds())) as f64 / DAY_SECONDS;
        if let Some(ends) = self.certificate_ends {
            m.gauge(
                "tls_certificate_days_left",
                "Days until the server's certificate ends; negative afterwards",
                &[],
                days(ends),
            );
        }
        let theirs = &watched.searched.certificates;
        m.gauge(
            "idp_certificates",
            "Certificates of identity providers that groups believe",
            &[],
            theirs.len() as f64,
        );
        if let Some(first) = theirs.iter().map(|c| c.ends_at).min() {
            m.gauge(
                "idp_certificate_days_left",
                "Days until the first of them ends; negative afterwards",
                &[],
                days(first),
            );
        }
        let backup = watched.searched.last_backup.as_ref();
        m.gauge(
            "backup_proven_timestamp_seconds",
            "When a backup was last made, restored and found whole; 0 for never",
            &[],
            backup.map_or(0.0, |b| seconds(b.ended_at)),
        );
        m.gauge(
            "backup_failed",
            "1 when the last attempt at a backup failed",
            &[],
            number(watched.searched.backup_failed),
        );
        Ok(())
    }
}

fn number(truth: bool) -> f64 {
    f64::from(u8::from(truth))
}
