//! Forgery, escaping, and the wall between groups.

use crate::browser::{Browser, PASSWORD, administrator, claimed, text_of};
use crate::common::Server;

#[test]
fn a_form_without_its_token_or_from_elsewhere_changes_nothing() {
    let server = Server::lab();
    let browser = claimed(&server);
    let fields = [("id", "8"), ("name", "Eight")];
    let page = browser.get("/console/groups/new");
    assert_eq!(page.header("referrer-policy"), Some("same-origin"));
    let token = browser.token.borrow().clone();
    let foreign = Browser::new(&server);
    foreign.get("/console/sign-in");
    let others = foreign.token.borrow().clone();
    for (token, header, why) in [
        ("", ("Sec-Fetch-Site", "same-origin"), "no token"),
        ("AAAA", ("Sec-Fetch-Site", "same-origin"), "a made-up token"),
        (others.as_str(), ("Sec-Fetch-Site", "same-origin"), "the token of another browser"),
        (token.as_str(), ("Sec-Fetch-Site", "cross-site"), "from another site"),
        (token.as_str(), ("Sec-Fetch-Site", "same-site"), "from a neighbour"),
        (token.as_str(), ("Origin", "https://evil.example"), "from another origin"),
        (token.as_str(), ("Origin", "null"), "from a hidden origin"),
    ] {
        let answer = browser.post_with("/console/groups/new", &fields, token, &[header]);
        assert_eq!(answer.status, 403, "{why}");
        assert!(answer.body.contains("does not belong to your current session"), "{why}");
    }
    assert_eq!(browser.get("/console/groups/8").status, 404);
    let own = [("Origin", server.url.as_str())];
    assert_eq!(browser.post_with("/console/groups/new", &fields, &token, &own).status, 303);
}

#[test]
fn a_message_cannot_be_put_there_from_outside() {
    let server = Server::lab();
    let browser = claimed(&server);
    assert!(!browser.get("/console/groups?flash=Owned&message=Owned").body.contains("Owned"));
    let forged = "AAAA.T3duZWQ".to_owned();
    browser.cookies.borrow_mut().insert("sidelight-console-said".into(), forged);
    assert!(!browser.get("/console/groups").body.contains("Owned"));
    let after = browser.submit("/console/groups/new", &[("id", "9"), ("name", "Nine")]);
    assert!(after.body.contains("The group Nine is created."));
    assert!(!browser.get("/console/groups/9").body.contains("The group Nine is created."), "shown once");
}

#[test]
fn every_page_has_the_strict_policy_and_hostile_names_stay_text() {
    let server = Server::lab();
    let browser = claimed(&server);
    let hostile = "<script>alert(1)</script>";
    browser.submit("/console/groups/new", &[("id", "8"), ("name", hostile)]);
    browser.submit("/console/groups/8/roles/new", &[("name", "<b>role</b>"), ("description", hostile)]);
    let fields = [("address", "x.y"), ("puid", hostile), ("first_name", hostile), ("last_name", "\"'>")];
    let user = browser.submit("/console/groups/8/users/new", &fields);
    assert!(user.body.contains("&lt;script&gt;"));
    for path in [
        "/console/groups",
        "/console/groups/new",
        "/console/groups/8",
        "/console/groups/8/users",
        "/console/groups/8/users/new",
        "/console/groups/8/roles",
        "/console/groups/8/roles/new",
        "/console/groups/8/api-key",
        "/console/groups/8/login-keys?puid=%3Cscript%3E",
        "/console/groups/8/settings",
        "/console/groups/8/access-log?search=%3Cscript%3E",
        "/console/groups/8/incidents?code=%3Cscript%3E",
        "/console/access-log",
        "/console/operators",
        "/console/password",
        "/console/groups/999",
    ] {
        let page = browser.get(path);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        let script = page.body.split("integrity=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(policy.ends_with(&format!("script-src '{script}'")), "{path}: {policy}");
        assert_eq!(page.body.matches("<script").count(), 1, "{path}");
        assert!(page.body.contains("LAB"), "{path}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[test]
fn a_groups_administrator_reaches_nothing_of_another_group() {
    let server = Server::lab();
    let operator = claimed(&server);
    operator.submit("/console/groups/new", &[("id", "8"), ("name", "Eight")]);
    let made = operator
        .submit("/console/groups/8/users/new", &[("address", "bob.eight.glance.net"), ("puid", "bob")]);
    let bob = made
        .body
        .split("action=\"/console/groups/8/users/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let admin = administrator(&operator);
    assert_eq!(admin.get("/console/groups/7").status, 200);
    let bob_there = format!("/console/groups/8/users/{bob}");
    let bob_here = format!("/console/groups/7/users/{bob}");
    for path in [
        "/console/groups/8",
        "/console/groups/8/users",
        "/console/groups/8/users/new",
        "/console/groups/8/roles",
        "/console/groups/8/roles/new",
        "/console/groups/8/api-key",
        "/console/groups/8/login-keys",
        "/console/groups/8/settings",
        "/console/groups/8/access-log",
        "/console/groups/8/access-log.csv",
        "/console/access-log",
        "/console/access-log.csv",
        "/console/operators",
        "/console/operators/1",
        "/console/groups",
        &bob_there,
    ] {
        let answer = admin.get(path);
        assert_eq!(answer.status, 403, "{path}: {}", text_of(&answer.body));
        assert!(!answer.body.contains("bob.eight") && !answer.body.contains("Eight"), "{path}");
    }
    assert_eq!(admin.get(&bob_here).status, 404);
    let state = format!("{bob_there}/state");
    let here = format!("{bob_here}/state");
    for (path, fields, status) in [
        ("/console/groups/new", [("id", "9"), ("name", "Nine")], 403),
        ("/console/groups/8/api-key/change", [("how", "random"), ("api_key", "")], 403),
        ("/console/groups/8/api-key/reveal", [("", ""), ("", "")], 403),
        ("/console/groups/8/users/new", [("address", "x.y"), ("puid", "x")], 403),
        (
            "/console/groups/7/users/add",
            [("member_address", "bob.eight.glance.net"), ("member_puid", "b")],
            403,
        ),
        ("/console/groups/7/settings/group", [("name", "Mine"), ("account_id", "")], 403),
        ("/console/operators", [("name", "Eve"), ("password", PASSWORD)], 403),
        ("/console/switch", [("group", "8"), ("", "")], 403),
        (state.as_str(), [("to", "suspended"), ("", "")], 403),
        (here.as_str(), [("to", "suspended"), ("", "")], 404),
    ] {
        assert_eq!(admin.post(path, &fields).status, status, "{path}");
    }
    let eve = [("name", "Eve"), ("password", PASSWORD), ("again", PASSWORD)];
    assert_eq!(admin.post("/console/operators", &eve).status, 403);
}

#[test]
fn an_administrator_who_loses_the_office_is_out_at_once() {
    let server = Server::lab();
    let operator = claimed(&server);
    let admin = administrator(&operator);
    assert_eq!(admin.get("/console/groups/7/users").status, 200);
    let list = operator.get("/console/groups/7/users?search=ann").body;
    let user = list.split("/console/groups/7/users/").find_map(|rest| {
        let number = rest.split(['"', '?']).next()?;
        number.parse::<i64>().ok()
    });
    let state = format!("/console/groups/7/users/{}/state", user.unwrap());
    assert_eq!(admin.post(&state, &[("to", "suspended")]).status, 403, "nobody locks themselves out");
    operator.submit(&state, &[("to", "member")]);
    assert_eq!(admin.get("/console/groups/7/users").status, 303);
}

#[test]
fn the_bare_address_says_what_this_is_and_leads_on() {
    let server = Server::lab();
    let page = server.get("/");
    assert_eq!(page.status, 200);
    for word in ["mySecretApiKey", "demo-password", "href=\"/api/openapi.json\"", "href=\"/console\""] {
        assert!(page.body.contains(word), "{word}: {}", page.body);
    }
    assert!(!page.body.contains("<form"), "{}", page.body);
    let browser = claimed(&server);
    assert_eq!(browser.get("/").header("location"), Some("/console"), "whoever is signed in");
    let production = Server::start(&["--plain-http"]);
    let page = production.get("/").body;
    assert!(page.contains("This appliance has no operator yet") && !page.contains("demo-password"), "{page}");
    assert!(!page.contains("<form"), "{page}");
}

#[test]
fn the_papers_that_checks_cite_are_pages() {
    let server = Server::start(&["--plain-http"]);
    let paper = server.get("/console/docs/saml");
    assert_eq!(paper.status, 200);
    assert!(paper.body.contains("<h2 id=\"which-user\">Which user</h2>"), "{}", paper.body);
    assert!(paper.header("content-security-policy").unwrap().contains("default-src 'none'"));
    assert_eq!(server.get("/console/docs/compatibility").status, 200);
    assert_eq!(server.get("/console/docs/operating").status, 404);
    assert_eq!(server.get("/console/docs/..%2fSECURITY").status, 400);
}

#[test]
fn stylesheet_and_script_are_kept_for_a_year_under_names_of_their_own() {
    let server = Server::lab();
    let page = server.get("/console/sign-in").body;
    let path = page.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let style = server.get(&path);
    assert_eq!(style.status, 200);
    assert!(style.header("cache-control").unwrap().contains("immutable"));
    let front = server.get("/").body;
    let path = front.split("<script defer src=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let script = server.get(&path);
    assert_eq!((script.status, script.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
    assert!(script.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(server.get("/console/static/console.0000000000000000.css").status, 404);
}
