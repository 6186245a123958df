//! API key, login-key workbench, incidents, access log.

use crate::browser::{Browser, KEY, administrator, claimed, text_of};
use crate::common::Server;

#[test]
fn the_api_key_is_hidden_until_asked_for_and_the_log_says_who_looked() {
    let server = Server::lab();
    let browser = claimed(&server);
    let page = browser.get("/console/groups/7/api-key");
    assert!(!page.body.contains(KEY));
    let shown = browser.post("/console/groups/7/api-key/reveal", &[]);
    assert!(shown.status == 200 && shown.body.contains(KEY));
    assert!(browser.get("/console/groups/7/access-log").body.contains("api-key.show"));
    let change = "/console/groups/7/api-key/change";
    browser.refused(change, &[("how", "typed")], 400, "href=\"#f-api_key\"");
    browser.refused(change, &[("how", "typed"), ("api_key", "short")], 400, "href=\"#f-api_key\"");
    browser.submit(change, &[("how", "random"), ("api_key", "")]);
    let shown = browser.post("/console/groups/7/api-key/reveal", &[]);
    assert!(!shown.body.contains(KEY));
    assert!(!browser.get("/console/groups/7/access-log").body.contains(KEY));
}

#[test]
fn the_workbench_makes_a_key_that_signs_in_and_takes_keys_apart() {
    let server = Server::lab();
    let browser = claimed(&server);
    browser.submit("/console/groups/7/users/new", &[("address", "joe.seven.glance.net"), ("puid", "joe")]);
    let make = "/console/groups/7/login-keys/make";
    let page = browser.post(make, &[("puid", "joe"), ("ttl", "600")]);
    assert_eq!(page.status, 200);
    let key = page.body.split("aria-label=\"Login key\">").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(key.len(), 57, "{key}");
    for carrier in
        ["glancepanorama://agentjoin/", "glance://startssn", "Bearer GKEY 7&amp;joe&amp;$1$", "/agent/start?"]
    {
        assert!(page.body.contains(carrier), "{carrier}");
    }
    browser.refused(make, &[("puid", "joe"), ("ttl", "86401")], 400, "href=\"#f-ttl\"");
    browser.refused(make, &[("puid", ""), ("ttl", "60")], 400, "href=\"#f-puid\"");
    let form = format!("partnerid=7&partneruserid=joe&loginkey={key}");
    let token = server.post_form("/services/AuthorizationService.svc/rest/Authorize", &form);
    assert_eq!(token.status, 200, "{}", token.body);

    let check = "/console/groups/7/login-keys/check";
    let page = browser.post(check, &[("login_key", key), ("check_puid", "joe")]);
    assert!(page.body.contains("Accepted.") && !page.body.contains("class=\"failed\""));
    let page = browser.post(check, &[("login_key", key), ("check_puid", "JOE")]);
    assert!(page.body.contains("Rejected.") && page.body.contains("class=\"failed\""));
    assert!(page.body.contains("What to change"));
    let page =
        browser.post(check, &[("login_key", key), ("check_puid", "joe"), ("now", "2090-01-01T00:00:00Z")]);
    assert!(page.body.contains("Rejected."));
    let soon = [("login_key", key), ("check_puid", "joe"), ("now", "soon")];
    browser.refused(check, &soon, 400, "href=\"#f-now\"");
}

#[test]
fn a_refusal_is_explained_under_its_incident_code_and_to_its_own_group_only() {
    let server = Server::lab();
    let operator = claimed(&server);
    let admin = administrator(&operator);
    operator.submit("/console/groups/new", &[("id", "8"), ("name", "Eight")]);
    operator.submit("/console/groups/8/api-key/change", &[("api_key", KEY), ("how", "typed")]);
    let mut codes = Vec::new();
    for group in ["7", "8"] {
        let key = "$1$1593908430$Wf7vDWWv1Ci5VrcUvtWuJh_jLgZIfectGUPkg6DbZws";
        let form = format!("partnerid={group}&partneruserid=ann&loginkey={key}");
        assert_eq!(server.post_form("/services/AuthorizationService.svc/rest/Authorize", &form).status, 401);
        let log = operator.get(&format!("/console/groups/{group}/access-log")).body;
        let code = log.split("/incidents?code=").nth(1).unwrap().split('"').next().unwrap();
        codes.push(code.to_owned());
    }
    let page = operator.get(&format!("/console/incidents?code={}", codes[0].to_lowercase()));
    assert!(
        page.body.contains("class=\"failed\"") && page.body.contains("Not expired"),
        "{}",
        text_of(&page.body)
    );
    assert_eq!(admin.get(&format!("/console/groups/7/incidents?code={}", codes[0])).status, 200);
    assert_eq!(admin.get(&format!("/console/groups/7/incidents?code={}", codes[1])).status, 404);
    assert_eq!(operator.get("/console/incidents?code=AAAA-AAAA").status, 404);
}

#[test]
fn the_access_log_is_searched_paged_and_exported_without_formulas() {
    let server = Server::lab();
    let browser = claimed(&server);
    for number in 0..60 {
        browser.post("/console/groups/7/roles/new", &[("name", &format!("=1+{number}"))]);
    }
    let first = browser.get("/console/groups/7/access-log").body;
    let next = first.split("rel=\"next\"").next().unwrap().rsplit("href=\"").next().unwrap();
    let next = next.split('"').next().unwrap().replace("&amp;", "&");
    let second = browser.get(&next).body;
    assert!(second.contains("=1+0") && !second.contains("=1+59"), "{}", text_of(&second));
    let found = browser.get("/console/groups/7/access-log?search=%3D1%2B33").body;
    assert!(found.contains("=1+33") && !found.contains("=1+34"));
    let none = browser.get("/console/groups/7/access-log?from=2001-01-01&until=2001-01-02").body;
    assert!(none.contains("No rows match From 2001-01-01, Until 2001-01-02."));
    let bad = browser.get("/console/groups/7/access-log?from=yesterday");
    assert!(bad.status == 400 && bad.body.contains("href=\"#f-from\""));

    let swapped = browser.get("/console/groups/7/access-log?from=2026-02-01&until=2026-01-01");
    assert!(swapped.status == 400 && swapped.body.contains("The end date is before the start date."));

    // What is refused is asked for, also on the next page and in the file.
    browser.post("/console/groups/7/roles/new", &[("name", "=1+7")]);
    server.post_form(
        "/services/AuthorizationService.svc/rest/Authorize",
        "partnerid=7&partneruserid=x&loginkey=x",
    );
    assert!(!browser.get("/console/groups/7/access-log").body.contains(">Clear<"));
    let refused = browser.get("/console/groups/7/access-log?outcome=refused").body;
    assert!(refused.contains("Refused</span>") && !refused.contains("=1+33"), "{}", text_of(&refused));
    assert!(refused.contains("/access-log.csv?outcome=refused") && refused.contains(">Clear all<"));
    let file = browser.get("/console/groups/7/access-log.csv?outcome=refused").body;
    assert!(
        file.lines().skip(1).all(|line| line.contains("(refused)")) && file.lines().count() > 1,
        "{file}"
    );
    let accepted = browser.get("/console/groups/7/access-log?outcome=accepted").body;
    assert!(
        accepted.contains("?outcome=accepted&amp;page=2&amp;newest=") && !accepted.contains("Refused</span>")
    );
    assert_eq!(browser.get("/console/groups/7/access-log?outcome=x").status, 400);

    let csv = browser.get("/console/groups/7/access-log.csv");
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(csv.header("content-disposition").unwrap().contains("access-log-7-2"));
    let mut lines = csv.body.lines();
    assert_eq!(lines.next(), Some("Timestamp,IP Address,Actor,Operation,Subject,Detail"));
    assert_eq!(csv.body.lines().filter(|line| line.contains("role.create,'=1+")).count(), 60);
    assert!(!csv.body.contains(",=1"));
}

#[test]
fn a_scim_token_is_shown_once_works_and_is_revoked() {
    let server = Server::lab();
    let browser = claimed(&server);
    let tokens = "/console/groups/7/provisioning/tokens";
    browser.refused(tokens, &[("label", "")], 400, "href=\"#f-label\"");
    let page = browser.post(tokens, &[("label", "Nightly run")]);
    let token = page.body.split("aria-label=\"SCIM token\">").nth(1).unwrap().split('<').next().unwrap();
    let later = browser.get("/console/groups/7/provisioning").body;
    assert!(later.contains("Nightly run") && !later.contains(token));
    let bearer = format!("Bearer {token}");
    let list = || server.send("GET", "/scim/v2/Users", &[("Authorization", &bearer)], b"").status;
    assert_eq!(list(), 200);
    let id = later.split("provisioning/revoke?token=").nth(1).unwrap().split('"').next().unwrap();
    let after = browser.submit("/console/groups/7/provisioning/revoke", &[("token", id)]);
    assert!(after.body.contains("The token is revoked.") && !after.body.contains("Nightly run"));
    assert_eq!(list(), 401);
}

/// A browser that asks for a file and takes as little of it as it can.
fn stalled(browser: &Browser<'_>, path: &str) -> (std::net::TcpStream, String) {
    use std::io::{Read, Write};
    let address = browser.server.url.strip_prefix("http://").unwrap();
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
    let cookies: Vec<String> = browser.cookies.borrow().iter().map(|(k, v)| format!("{k}={v}")).collect();
    let cookies = cookies.join("; ");
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookies}\r\n\r\n").unwrap();
    let mut start = [0; 12];
    socket.read_exact(&mut start).unwrap();
    (socket, String::from_utf8(start.to_vec()).unwrap())
}

/// Writes rows, long ones, beside the running server: more than the system keeps for a client that does not read.
fn fill_the_log(server: &Server) {
    let database = rusqlite::Connection::open(server.data().join("sidelight.db")).unwrap();
    database.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    database
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             INSERT INTO access_log (at, group_id, actor, operation, subject, detail, refused)
             SELECT 1750000000000 + i, 7, 'test', 'test.row', 'row ' || i, hex(zeroblob(700)), 0 FROM n;",
        )
        .unwrap();
}

#[test]
fn an_export_has_every_row_once_and_says_when_it_began() {
    let server = Server::lab();
    let browser = claimed(&server);
    fill_the_log(&server);
    let file = browser.get("/console/groups/7/access-log.csv?search=ROW%201999");
    let rows: Vec<&str> = file.body.lines().skip(1).filter_map(|line| line.split(',').nth(4)).collect();
    // Each word may stand anywhere.
    let wanted: Vec<String> = (0..10).rev().map(|n| format!("row 1999{n}")).collect();
    assert_eq!(rows, wanted.iter().map(String::as_str).chain(["row 11999", "row 1999"]).collect::<Vec<_>>());

    let file = browser.get("/console/groups/7/access-log.csv");
    assert_eq!(file.body.lines().filter(|line| line.contains("test.row")).count(), 20_000);
    let began = file.header("export-began-at").unwrap();
    let name = format!("access-log-7-{}.csv", began.replace(':', "-"));
    assert!(file.header("content-disposition").unwrap().contains(&name), "{name}");
    // Its own row is younger than what it has; the next export has that, too.
    let again = browser.get("/console/groups/7/access-log.csv").body;
    assert_eq!(file.body.matches("access-log.export").count(), 1);
    assert_eq!(again.matches("access-log.export").count(), 2);
}

#[test]
fn one_export_of_a_session_runs_at_once_and_the_others_are_told_while_everybody_else_goes_on() {
    let server = Server::lab();
    let operator = claimed(&server);
    let ann = administrator(&operator);
    fill_the_log(&server);
    let log = "/console/groups/7/access-log.csv";
    let (running, begun) = stalled(&ann, log);
    assert_eq!(begun, "HTTP/1.1 200");
    let refused: Vec<_> = (0..130).map(|_| stalled(&ann, log)).collect();
    assert!(refused.iter().all(|(_, start)| start == "HTTP/1.1 503"));
    let told = ann.get("/console/groups/7/users.csv");
    assert!(told.status == 503 && told.header("retry-after").is_some());
    assert!(text_of(&told.body).contains("Another export of yours is running."), "{}", told.body);
    assert_eq!(server.get("/health").status, 200);
    assert_eq!(ann.get("/console/groups/7/users").status, 200);
    assert_eq!(operator.get(log).status, 200, "another's export");
    // Whoever goes away gives the place back.
    drop(running);
    let again = || ann.get("/console/groups/7/users.csv").status;
    assert!((0..10_000).any(|_| again() == 200));
}
