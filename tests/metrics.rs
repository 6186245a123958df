//! `/metrics` of the real server: what it counts, to whom it answers, and that the alert rules name what is there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;

use common::Server;

/// Starts a lab whose metrics are read at a port of their own.
fn watched() -> (Server, String) {
    let server = Server::start(&["--lab", "--plain-http", "--metrics-listen", "127.0.0.1:0"]);
    let ready = std::fs::read_to_string(server.data().join("ready.json")).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    let url = ready["metrics_url"].as_str().unwrap().to_owned();
    (server, url)
}

/// What the listener answers to this request line, whole.
fn asked(url: &str, line: &str) -> String {
    let authority = url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap();
    let mut socket = TcpStream::connect(authority).unwrap();
    write!(socket, "{line} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

/// The metrics' text.
fn scraped(url: &str) -> String {
    let answer = asked(url, "GET /metrics");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(
        head.contains("Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8"),
        "{head}"
    );
    body.to_owned()
}

/// The value of one series.
fn value(scraped: &str, series: &str) -> Option<f64> {
    let line = scraped.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(line.parse().unwrap())
}

/// The names of all series, without labels.
fn names(scraped: &str) -> BTreeSet<&str> {
    let series = scraped.lines().filter(|line| !line.starts_with('#'));
    series.filter_map(|line| line.split(['{', ' ']).next()).collect()
}

#[test]
fn metrics_count_sign_ins_by_means_outcome_and_code_and_name_nobody() {
    let (server, url) = watched();
    let authorize = "/services/AuthorizationService.svc/rest/Authorize";
    let password = |password: &str| {
        server.post_form(authorize, &format!("username=admin.demo.glance.net&password={password}")).status
    };
    assert_eq!((password("demo-password"), password("wrong"), password("wrong")), (200, 401, 401));
    let wrong = format!("{authorize}?partnerid=12345&partneruserid=puid-of-nobody&loginkey=$1$9999999999$x");
    assert_ne!(server.get(&wrong).status, 200);
    let text = scraped(&url);
    let counted = |labels: &str| value(&text, &format!("sidelight_sign_ins_total{{{labels}}}"));
    assert_eq!(counted(r#"means="password",outcome="accepted",code="""#), Some(1.0), "{text}");
    assert_eq!(counted(r#"means="password",outcome="refused",code="wrong_password""#), Some(2.0), "{text}");
    assert!(text.contains(r#"means="login_key",outcome="refused""#), "{text}");
    assert_eq!(value(&text, r#"sidelight_responses_total{surface="authorize",status="2xx"}"#), Some(1.0));
    assert_eq!(value(&text, "sidelight_ready"), Some(1.0));
    assert_eq!(value(&text, "sidelight_backup_proven_timestamp_seconds"), Some(0.0));
    assert!(value(&text, "sidelight_commit_seconds_count").unwrap() >= 1.0);
    assert!(value(&text, "sidelight_disk_free_bytes").unwrap() > 0.0);
    // Nobody is waiting when nobody asks.
    assert_eq!(value(&text, "sidelight_queue_length"), Some(0.0));
    for personal in ["admin.demo", "12345", "puid-of-nobody", "127.0.0.1"] {
        assert!(!text.contains(personal), "{personal}: {text}");
    }
    assert!(text.ends_with("# EOF\n"));
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    assert!(series >= 40, "{series}");
}

#[test]
fn strangers_invent_no_series() {
    let (server, url) = watched();
    let before = scraped(&url).lines().count();
    for n in 0..50 {
        server.get(&format!("/invented-{n}"));
        server.get(&format!("/console/groups/{n}-invented"));
        server.send(
            "GET",
            "/services/AuthorizationService.svc/rest/Authorize",
            &[("X-GSSNID", &n.to_string())],
            b"",
        );
    }
    let after = scraped(&url);
    assert!(!after.contains("invented"), "{after}");
    assert!(after.lines().count() <= before + 20, "{before}: {after}");
}

#[test]
fn the_listener_answers_one_path_and_the_front_door_none_of_it() {
    let (server, url) = watched();
    assert!(asked(&url, "GET /health").starts_with("HTTP/1.1 404"));
    assert!(asked(&url, "POST /metrics").starts_with("HTTP/1.1 405"));
    assert_eq!(server.get("/metrics").status, 404);
    let (code, words) = server.stop();
    assert_eq!(code, Some(0));
    assert!(words.ends_with("Stopped.\n"), "{words}");
}

#[test]
fn a_backup_that_was_proved_is_told_and_each_metric_of_the_alert_rules_is_there() {
    let (server, url) = watched();
    let place = tempfile::tempdir().unwrap();
    let made = server.command(&["backup", "--to", place.path().to_str().unwrap()]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let text = scraped(&url);
    assert!(value(&text, "sidelight_backup_proven_timestamp_seconds").unwrap() > 0.0, "{text}");
    assert_eq!(value(&text, "sidelight_backup_failed"), Some(0.0));
    let rules = include_str!("../packaging/prometheus/sidelight.rules.yml");
    let words = rules.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let named: BTreeSet<&str> = words.filter(|word| word.starts_with("sidelight_")).collect();
    assert_eq!(named.len(), 6, "{named:?}");
    // Those of certificates are there only where there is one; see the help of each.
    let source = include_str!("../src/server/metrics.rs");
    for name in named {
        let bare = name.trim_start_matches("sidelight_").trim_end_matches("_total");
        assert!(
            names(&text).contains(name)
                || name.ends_with("days_left") && source.contains(&format!("\"{bare}\""))
                || name == "sidelight_sign_ins_total" && source.contains("\"sign_ins\""),
            "{name} is not there"
        );
    }
}
