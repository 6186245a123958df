//! One-time links for a password: made on the user's page, opened and used by the person.

use crate::browser::{Browser, administrator, claimed, text_of};
use crate::common::Server;

const USED: &str = "/console/set-password";

/// The address of the page of the only user of group 7.
fn page_of_ann(operator: &Browser<'_>) -> String {
    let list = operator.get("/console/groups/7/users").body;
    let id =
        list.split("/console/groups/7/users/").find_map(|rest| rest.split('"').next()?.parse::<i64>().ok());
    format!("/console/groups/7/users/{}", id.unwrap())
}

/// Makes a link on a user's page, and gives back its path and query.
fn made(operator: &Browser<'_>, page: &str) -> String {
    operator.get(page);
    let answer = operator.post(&format!("{page}/password-link"), &[("to", "make")]);
    assert_eq!(answer.status, 200, "{}", text_of(&answer.body));
    assert!(answer.body.contains("The link is shown only once."));
    let rest = answer.body.split_once("/console/set-password?token=").unwrap().1;
    format!("{USED}?token={}", rest.split(['"', '<']).next().unwrap())
}

#[test]
fn a_person_sets_a_password_by_a_link_once() {
    let server = Server::lab();
    let operator = claimed(&server);
    let ann = administrator(&operator);
    operator.get("/console/groups/7/settings");
    let rules = [("rule", "nine-symbol"), ("reset_message", "Call us\r\nat 100.")];
    operator.submit("/console/groups/7/settings/security", &rules);
    let page = page_of_ann(&operator);
    let link = made(&operator, &page);
    let token = link.split_once('=').unwrap().1.to_owned();
    let shown = operator.get(&page).body;
    assert!(shown.contains("Open, and not used yet") && !shown.contains(&token), "{}", text_of(&shown));

    // A program that looks through mail opens it; so does she, several times.
    assert_eq!(server.send("HEAD", &link, &[], b"").status, 200);
    let browser = Browser::new(&server);
    for _ in 0..2 {
        let opened = browser.get(&link);
        assert_eq!(opened.status, 200);
        assert_eq!(opened.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(opened.header("cache-control"), Some("no-store"));
        let text = text_of(&opened.body);
        for word in
            ["ann.seven.glance.net", "Call us", "9 characters, with one that is neither", "works once"]
        {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
    let with = |password, again| [("token", &*token), ("password", password), ("again", again)];
    browser.refused(USED, &with("short", "short"), 400, "href=\"#f-password\"");
    browser.refused(USED, &with("a new password!", "another"), 400, "href=\"#f-again\"");
    let foreign = Browser::new(&server);
    let refused = foreign.post_with(USED, &with("a new password!", "a new password!"), "AAAA", &[]);
    assert_eq!(refused.status, 403, "a form of nobody's page");

    let done = browser.submit(USED, &with("a new password!", "a new password!"));
    assert!(done.body.contains("The password of ann.seven.glance.net is set."), "{}", text_of(&done.body));
    assert_eq!(ann.get("/console/groups/7").status, 303, "what she was signed in to has ended");
    Browser::new(&server).sign_in("ann.seven.glance.net", "a new password!");
    for answer in [browser.get(&link), browser.post(USED, &with("one more word!", "one more word!"))] {
        assert_eq!(answer.status, 403);
        assert!(answer.body.contains("This link is no longer valid"), "{}", text_of(&answer.body));
    }
    assert!(!operator.get(&page).body.contains("Open, and not used yet"));

    let log = operator.get("/console/groups/7/access-log").body;
    for operation in ["user.password-link", "user.password-by-link", "link_closed", "password_too_short"] {
        assert!(log.contains(operation), "{operation}: {}", text_of(&log));
    }
    assert!(!log.contains(&token));
    let (_, said) = server.stop();
    assert!(!said.contains(&token) && !said.contains("set-password"), "{said}");
}

#[test]
fn links_are_replaced_ended_and_refused() {
    let server = Server::lab();
    let operator = claimed(&server);
    let fields = [("address", "bob.seven.glance.net"), ("puid", "bob")];
    operator.submit("/console/groups/7/users/new", &fields);
    let page = page_of_ann(&operator);
    let body = operator.get(&page).body;
    assert!(
        body.contains("Allow it in Settings") && !body.contains("Make a one-time link"),
        "{}",
        text_of(&body)
    );
    operator.refused(
        &format!("{page}/password-link"),
        &[("to", "make")],
        409,
        "do not let a reset make the first",
    );
    operator.submit("/console/groups/7/settings/security", &[("rule", "eight"), ("reset_may_create", "yes")]);
    let first = made(&operator, &page);
    let second = made(&operator, &page);
    let browser = Browser::new(&server);
    assert_eq!((browser.get(&first).status, browser.get(&second).status), (403, 200));
    operator.get(&page);
    assert!(
        operator.submit(&format!("{page}/password-link"), &[("to", "end")]).body.contains("link is ended")
    );
    assert_eq!(browser.get(&second).status, 403);
    assert_eq!(browser.get(USED).status, 403);
    assert_eq!(browser.get(&format!("{USED}/done")).status, 303);

    // The host makes them too.
    let base = ["user", "password-link", "--group", "7", "--puid", "bob"];
    let output = server.command(&[&base[..], &["--origin", "https://sso.example.com", "--json"]].concat());
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let url = document["url"].as_str().unwrap().strip_prefix("https://sso.example.com").unwrap();
    assert_eq!(browser.get(url).status, 200);
    let output = server.command(&[&base[..], &["--end"]].concat());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "The link is ended.\n");
    assert_eq!(browser.get(url).status, 403);
    let output = server.command(&[&base[..], &["--origin", "ftp://x"]].concat());
    assert!(String::from_utf8(output.stderr).unwrap().contains("is not a valid address"));
}
