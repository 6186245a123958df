//! What is refused before any page is asked: whoever is signed in keeps bar and menu, others learn nothing.

use crate::browser::{Browser, administrator, claimed, text_of};
use crate::common::{Answer, Server};

fn referrer(server: &Server, path: &str) -> String {
    format!("{}{path}", server.url)
}

/// The page without the lab's banner, which tells the second.
fn without_clock(answer: &Answer) -> String {
    let (before, after) = answer.body.split_once("<aside").unwrap();
    [before, after.split_once("</aside>").unwrap().1].concat()
}

#[track_caller]
fn is_framed(answer: &Answer, status: u16, words: &[&str]) {
    assert_eq!(answer.status, status, "{}", text_of(&answer.body));
    assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
    for words in [&["Sign out", "<title>Error: ", "href=\"/console\""], words].concat() {
        assert!(answer.body.contains(words), "{words}: {}", text_of(&answer.body));
    }
}

#[test]
fn a_page_that_is_not_there_keeps_bar_and_menu_and_offers_the_way_back() {
    let server = Server::lab();
    let browser = claimed(&server);
    let menu = "href=\"/console/groups/7/roles\"";
    let from = referrer(&server, "/console/groups/7/users?search=ann");
    let answer = browser.send("GET", "/console/groups/7/userz", &[("Referer", &from)], b"");
    let back = "href=\"/console/groups/7/users?search=ann\"";
    is_framed(&answer, 404, &[menu, back, "Go back", "<code>/console/groups/7/userz</code>", "Operators"]);

    // No group's menu where there is none, and no way back to where nobody came from, to another site or to itself.
    for from in ["", "https://evil.example/console/groups", &referrer(&server, "/console/nothing")] {
        let answer = browser.send("GET", "/console/nothing", &[("Referer", from)], b"");
        is_framed(&answer, 404, &["<code>/console/nothing</code>"]);
        assert!(!answer.body.contains("Go back") && !answer.body.contains("aria-label=\"Group\""), "{from}");
    }
    let answer = browser.get("/console/groups/999/users/x/y");
    is_framed(&answer, 404, &[]);
    assert!(!answer.body.contains("aria-label=\"Group\""));
    // What could be read as a sentence of ours is not repeated.
    let answer = browser.get("/console/Call%20555%20to%20unlock%20your%20account");
    is_framed(&answer, 404, &[]);
    assert!(!answer.body.contains("555"));
    // What a page itself does not find stands beside the menu too.
    is_framed(&browser.get("/console/groups/7/users/424242"), 404, &[menu, "The group has no such user."]);
}

#[test]
fn another_method_and_a_form_or_file_that_is_too_large_keep_bar_and_menu() {
    let server = Server::lab();
    let browser = claimed(&server);
    let menu = "href=\"/console/groups/7/roles\"";
    let answer = browser.get("/console/groups/7/settings/on");
    is_framed(&answer, 405, &[menu, "accepts only a submitted form"]);
    assert_eq!(answer.header("allow"), Some("POST"));

    let from = referrer(&server, "/console/groups/7/users/new");
    let form = vec![b'a'; 65 * 1024];
    let answer = browser.send("POST", "/console/groups/7/users/new", &[("Referer", &from)], &form);
    let back = "href=\"/console/groups/7/users/new\"";
    is_framed(&answer, 413, &[menu, "larger than 64 KiB", "<h1>Too large</h1>", "Go back", back]);
    let from = referrer(&server, "/console/groups/7/users/upload");
    let file = vec![b'a'; 24 * 1024 * 1024 + 1];
    let answer = browser.send("POST", "/console/groups/7/users/upload", &[("Referer", &from)], &file);
    is_framed(
        &answer,
        413,
        &[menu, "larger than 24 MiB", "Go back", "href=\"/console/groups/7/users/upload\""],
    );
}

#[test]
fn a_groups_administrator_is_shown_no_other_group() {
    let server = Server::lab();
    let operator = claimed(&server);
    operator.submit("/console/groups/new", &[("id", "8"), ("name", "Eight")]);
    let ann = administrator(&operator);
    let answer = ann.get("/console/groups/8/nothing");
    is_framed(&answer, 404, &[]);
    assert!(!answer.body.contains("Eight") && !answer.body.contains("aria-label=\"Group\""));
    is_framed(&ann.get("/console/groups/7/nothing"), 404, &["href=\"/console/groups/7/roles\""]);
}

#[test]
fn strangers_get_a_plain_page_that_is_the_same_everywhere() {
    let server = Server::lab();
    let browser = claimed(&server);
    let stranger = Browser::new(&server);
    let seen = |method: &str, path: &str, cookie: &str| {
        let headers = [("Cookie", cookie), ("Referer", "http://x/console/groups")];
        let answer = stranger.send(method, path, &headers, b"");
        for words in ["Sign out", "Signed in as", "Seven", "Go back", path, "aria-label=\"Group\""] {
            assert!(!answer.body.contains(words), "{path}: {words}");
        }
        (answer.status, without_clock(&answer))
    };
    let plain = seen("GET", "/console/nothing", "");
    assert_eq!(plain.0, 404);
    for path in ["/console/groups/7/userz", "/console/groups/999/userz", "/console/operators/1/zz"] {
        for cookie in ["", "sidelight-console=", "sidelight-console=AAAA"] {
            assert_eq!(seen("GET", path, cookie), plain, "{path} {cookie}");
        }
    }
    assert_eq!(seen("PUT", "/console/groups/7/users", "").0, 405);
    // Signing out makes a stranger of anybody.
    browser.get("/console/groups");
    browser.post("/console/sign-out", &[]);
    assert_eq!(without_clock(&browser.get("/console/nothing")), plain.1);
}
