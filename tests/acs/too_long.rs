//! A response that is too long to be read: refused as others are, with a page, a row and a tally.

use sidelight::model::queries::LogQuery;
use std::io::{Read, Write};

use sidelight::model::GroupId;
use sidelight::protocol::check::CheckOutcome;

use crate::common::{Answer, Server};
use crate::harness::{ACS_PATH, GROUP, post_to, run, started, store};

/// A document that is larger than 384 KiB once it is posted.
fn long() -> String {
    format!("<x>{}</x>", "a".repeat(400 * 1024))
}

/// Group, code, incident and detail of a row.
type Row = (Option<GroupId>, Option<String>, Option<String>, String);

fn rows(server: &Server) -> Vec<Row> {
    let query = LogQuery { limit: 1_000, search: "sign-in.saml".into(), ..Default::default() };
    let rows = store(server.data()).read(|r| r.log_rows(&query)).unwrap();
    rows.into_iter().map(|row| (row.group, row.code, row.incident, row.detail)).collect()
}

#[track_caller]
fn is_a_calm_page(answer: &Answer) {
    assert_eq!(answer.status, 413, "{answer:?}");
    assert!(answer.header("content-type").unwrap().starts_with("text/html"), "{answer:?}");
    for words in ["<h1>Too large</h1>", "larger than 384 KiB", "tell your administrator"] {
        assert!(answer.body.contains(words), "{words}: {}", answer.body);
    }
}

#[test]
fn a_response_that_is_too_long_is_a_page_with_an_incident_and_a_row_of_its_group() {
    let server = started();
    let answer = post_to(&server, ACS_PATH, &long(), None);
    is_a_calm_page(&answer);
    let [(group, code, Some(incident), detail)] = &rows(&server)[..] else { panic!("{:?}", rows(&server)) };
    assert_eq!((*group, code.as_deref()), (Some(GROUP), Some("response_too_long")));
    assert_eq!(detail, "expected a form of at most 384 KiB; got a larger one, which was not read");
    assert!(answer.body.contains(incident), "{}", answer.body);
    let kept = store(server.data()).read(|r| r.incident(incident)).unwrap().unwrap();
    assert!(kept.repair.contains("send less"), "{}", kept.repair);
    let checks: Vec<sidelight::protocol::check::Check> = serde_json::from_str(&kept.checks).unwrap();
    assert!(checks.iter().any(|check| check.outcome == CheckOutcome::Failed), "{checks:?}");
}

#[test]
fn a_group_that_is_not_there_gets_no_row_and_the_page_is_the_same() {
    let server = started();
    for path in
        ["/account/GetLoginKey.aspx?idpid=999", "/account/GetLoginKey.aspx", "/ACCOUNT/getloginkey.aspx?x"]
    {
        is_a_calm_page(&post_to(&server, path, &long(), None));
    }
    assert!(rows(&server).iter().all(|(group, ..)| group.is_none()));
    assert_eq!(rows(&server).len(), 3);
}

#[test]
fn an_embedded_sign_in_hears_of_it_as_of_any_refusal() {
    let server = started();
    run(&server, &["group", "sites", "12345", "--add", "https://crm.example.com"]);
    let answer = post_to(&server, &format!("{ACS_PATH}&mode=embedded&fmt=html"), &long(), None);
    assert!(answer.status == 200 && answer.body.contains("authenticateFailed"), "{answer:?}");
    assert!(
        answer.header("content-security-policy").unwrap().contains("frame-ancestors https://crm.example.com")
    );
    assert_eq!(rows(&server).len(), 1);
}

#[test]
fn a_flood_of_them_fills_no_log() {
    let server = started();
    let head =
        "POST /account/GetLoginKey.aspx?idpid=12345 HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n";
    let mut kept = 0;
    for _ in 0..140 {
        let mut socket = std::net::TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
        socket.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        kept += usize::from(answer.contains("Incident"));
    }
    assert_eq!((kept, rows(&server).len()), (101, 101), "the first hundred, and the 128th");
}
