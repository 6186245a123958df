//! Requests by surface and class of status, counted where they leave. The words are those of this file, whatever was asked.

use crate::gate::Response;
use crate::tally::Labelled;

/// The surfaces by the beginnings of their paths, in any case; the first that fits counts.
const SURFACES: &[(&str, &str)] = &[
    ("/services/provisioningservice", "soap"),
    ("/services/", "authorize"),
    ("/papi/", "papi"),
    ("/account/", "account"),
    ("/scim/", "scim"),
    ("/api/", "rest"),
    ("/agentjoin/", "agentjoin"),
    ("/console", "console"),
    ("/lab/", "lab"),
    ("/health", "health"),
    ("/livez", "health"),
    ("/readyz", "health"),
];
/// What belongs to no surface of the table.
pub const OTHER: &str = "other";

/// The surface that a path belongs to.
pub fn surface_of(path: &str) -> &'static str {
    let begins =
        |start: &str| path.get(..start.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(start));
    SURFACES.iter().find(|(start, _)| begins(start)).map_or(OTHER, |(_, surface)| surface)
}

/// Counts of requests.
#[derive(Debug, Default)]
pub struct Traffic(Labelled<2>);

impl Traffic {
    /// Counts an answer of a surface.
    pub fn answered(&self, surface: &'static str, response: &Response) {
        let class = match response.status_code().0 {
            ..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        };
        self.0.count([surface, class]);
    }

    /// All counts: surface, class of status, and how many.
    pub fn read(&self) -> Vec<([&'static str; 2], u64)> {
        self.0.read()
    }
}
