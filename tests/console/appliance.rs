//! The page Appliance: what needs attention first, for operators alone.

use super::browser::{administrator, claimed, text_of};
use crate::common::Server;

#[test]
fn operators_are_told_what_needs_attention_and_administrators_are_not() {
    let server = Server::start(&["--lab", "--plain-http", "--public-url", "http://localhost:1"]);
    let operator = claimed(&server);
    let page = operator.get("/console/appliance");
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("aria-current=\"page\" href=\"/console/appliance\"")
            || page.body.contains("href=\"/console/appliance\" aria-current=\"page\"")
    );
    let text = text_of(&page.body).split_whitespace().collect::<Vec<_>>().join(" ");
    // The browser came to another address than the one that is set.
    let (wanting, fine) = text.split_once("Everything else").unwrap();
    assert!(wanting.contains("Public URL It is http://localhost:1, and your browser came to"), "{text}");
    assert!(fine.contains("in lab mode has run for"), "{text}");
    assert!(fine.contains("Writes The last write worked."), "{text}");
    let refused = administrator(&operator).get("/console/appliance");
    assert_eq!(refused.status, 403, "{}", text_of(&refused.body));
}

#[test]
fn a_write_ahead_log_that_another_program_deleted_is_told_on_the_page() {
    let server = Server::lab();
    let operator = claimed(&server);
    std::fs::remove_file(server.data().join("sidelight.db-wal")).unwrap();
    let text = text_of(&operator.get("/console/appliance").body);
    let (wanting, _) = text.split_once("Everything else").unwrap();
    assert!(wanting.contains("Another program has deleted sidelight.db-wal."), "{text}");
}
