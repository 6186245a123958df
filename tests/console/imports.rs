//! Long files: kept whole or not at all, whoever looks and whoever is killed.

use crate::browser::{Browser, PASSWORD, claimed, text_of};
use crate::common::Server;

const UPLOAD: &str = "/console/groups/7/users/upload";
const ROWS: usize = 1_500;

fn file() -> String {
    let rows = (0..ROWS).map(|n| format!("import{n}.x,{n},i{n}@example.com\r\n"));
    "GlanceAddress,PartnerUID,Email\r\n".to_owned() + &rows.collect::<String>()
}

/// Uploads the file and has it applied; gives the address where its progress is told.
fn begun(browser: &Browser<'_>) -> String {
    browser.get(UPLOAD);
    let answer = browser.upload(UPLOAD, "keep", &file());
    assert_eq!(answer.status, 303, "{}", text_of(&answer.body));
    let address = answer.header("location").unwrap().to_owned();
    browser.get(&address);
    assert_eq!(browser.post(&address, &[]).status, 303);
    address
}

/// How many users the group has, as an integrator counts them.
fn count(browser: &Browser<'_>) -> usize {
    let page = text_of(&browser.get("/console/groups/7/users?search=import").body);
    if page.contains("No users match") { 0 } else { page.matches("import").count() }
}

fn runs(page: &str) -> bool {
    page.contains("http-equiv=\"refresh\"")
}

#[test]
fn a_long_file_is_seen_whole_or_not_at_all_and_a_kill_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut server = Server::start_on(&data, &["--lab", "--plain-http"]);
    claimed(&server);
    // Each time the server is killed a little later; at last it is let alone.
    for looks in [1, 2, 4, 8, 16, usize::MAX] {
        let browser = Browser::new(&server);
        browser.sign_in("Ada", PASSWORD);
        let address = begun(&browser);
        let mut ended = false;
        for _ in 0..looks {
            let hidden = count(&browser) == 0;
            let page = browser.get(&address).body;
            ended = !runs(&page);
            if ended {
                assert!(page.contains("The upload is done"), "{}", text_of(&page));
                break;
            }
            assert!(hidden || count(&browser) > 0, "what was seen stays");
        }
        if ended {
            break;
        }
        drop(browser);
        // Killed, not stopped.
        drop(server);
        server = Server::start_on(&data, &["--lab", "--plain-http"]);
        let browser = Browser::new(&server);
        browser.sign_in("Ada", PASSWORD);
        let counted = server.command(&["user", "list", "--group", "7", "--json"]);
        let listed = String::from_utf8_lossy(&counted.stdout).matches("import").count();
        if listed > 0 {
            // The kill came after the end.
            break;
        }
        // What is hidden keeps its addresses until it is swept out, which the new server does by itself.
        while leftovers(&data) > 0 {}
    }
    let browser = Browser::new(&server);
    browser.sign_in("Ada", PASSWORD);
    let export = browser.get("/console/groups/7/users.csv").body;
    assert_eq!(export.matches("import").count(), ROWS, "all of them");
    // Each has its row in the log, also those that were appended after the import had come into force.
    while leftovers(&data) > 0 {}
    let log = browser.get("/console/groups/7/access-log.csv?search=user.create").body;
    assert_eq!(log.matches("user.create").count(), ROWS);
}

/// What of imports is left to be done.
fn leftovers(data: &std::path::Path) -> i64 {
    let database = rusqlite::Connection::open(data.join("sidelight.db")).unwrap();
    database.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    let sql = "SELECT (SELECT count(*) FROM unfinished_imports) + (SELECT count(*) FROM finished_imports)";
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}
