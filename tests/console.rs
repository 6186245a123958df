//! The console through the real binary: claim, sign-in, forgery, each form's happy path and main error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::cell::RefCell;
use std::collections::BTreeMap;

use common::{Answer, Server};

const PASSWORD: &str = "correct horse";
const KEY: &str = "mySecretApiKey";

/// A browser: keeps cookies, finds the token of a page's forms, follows one redirect after a form.
struct Browser<'s> {
    server: &'s Server,
    cookies: RefCell<BTreeMap<String, String>>,
    token: RefCell<String>,
}

impl<'s> Browser<'s> {
    fn new(server: &'s Server) -> Browser<'s> {
        Browser { server, cookies: RefCell::default(), token: RefCell::default() }
    }

    fn send(&self, method: &str, path: &str, more: &[(&str, &str)], body: &[u8]) -> Answer {
        let cookies: Vec<String> = self.cookies.borrow().iter().map(|(k, v)| format!("{k}={v}")).collect();
        let cookies = cookies.join("; ");
        let mut headers = more.to_vec();
        if !cookies.is_empty() {
            headers.push(("Cookie", &cookies));
        }
        let answer = self.server.send(method, path, &headers, body);
        for (name, line) in &answer.headers {
            if name.eq_ignore_ascii_case("set-cookie") {
                let (key, value) = line.split(';').next().unwrap().split_once('=').unwrap();
                match line.contains("Max-Age=0") {
                    true => self.cookies.borrow_mut().remove(key),
                    false => self.cookies.borrow_mut().insert(key.to_owned(), value.to_owned()),
                };
            }
        }
        if let Some((_, after)) = answer.body.split_once("name=\"form_token\" value=\"") {
            *self.token.borrow_mut() = after.split('"').next().unwrap().to_owned();
        }
        answer
    }

    fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    /// Sends a form with the token of the page that was seen last.
    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token.borrow().clone();
        self.post_with(path, fields, &token, &[("Sec-Fetch-Site", "same-origin")])
    }

    fn post_with(&self, path: &str, fields: &[(&str, &str)], token: &str, more: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields).append_pair("form_token", token);
        let mut headers = vec![("Content-Type", "application/x-www-form-urlencoded")];
        headers.extend(more);
        self.send("POST", path, &headers, form.finish().as_bytes())
    }

    /// Sends a form that must be accepted, and gives the page after it.
    fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.post(path, fields);
        assert_eq!(answer.status, 303, "{path}: {}", text_of(&answer.body));
        let location = answer.header("location").unwrap().to_owned();
        let mut page = self.get(&location);
        if page.status == 303 {
            page = self.get(page.header("location").unwrap());
        }
        assert_eq!(page.status, 200, "{location}");
        page
    }

    /// Sends a form that must be refused with this status, saying this.
    fn refused(&self, path: &str, fields: &[(&str, &str)], status: u16, sentence: &str) {
        let answer = self.post(path, fields);
        assert_eq!(answer.status, status, "{path}: {}", text_of(&answer.body));
        assert!(answer.body.contains(sentence), "{path}: {}", text_of(&answer.body));
    }

    fn sign_in(&self, name: &str, password: &str) -> Answer {
        self.get("/console/sign-in");
        self.submit("/console/sign-in", &[("name", name), ("password", password)])
    }
}

fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for letter in html.chars() {
        match letter {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            letter if !inside => text.push(letter),
            _ => {}
        }
    }
    text
}

/// A lab whose first operator, Ada, has claimed it and made group 7 with an API key.
fn claimed(server: &Server) -> Browser<'_> {
    claimed_with(server, &server.claim_path())
}

fn claimed_with<'s>(server: &'s Server, path: &str) -> Browser<'s> {
    let browser = Browser::new(server);
    let token = path.split_once('=').unwrap().1.to_owned();
    assert_eq!(browser.get(path).status, 200);
    let fields = [("token", token.as_str()), ("name", "Ada"), ("password", PASSWORD), ("again", PASSWORD)];
    let page = browser.submit("/console/claim", &fields);
    assert!(page.body.contains("You run this appliance now."));
    browser.submit("/console/groups/new", &[("id", "7"), ("name", "Seven")]);
    browser.submit("/console/groups/7/api-key/change", &[("api_key", KEY), ("how", "typed")]);
    browser
}

/// Makes an administrator of group 7, and signs them in.
fn administrator<'s>(operator: &Browser<'s>) -> Browser<'s> {
    let fields = [
        ("address", "ann.seven.glance.net"),
        ("puid", "ann"),
        ("password", PASSWORD),
        ("again", PASSWORD),
        ("administrator", "yes"),
    ];
    operator.submit("/console/groups/7/users/new", &fields);
    let browser = Browser::new(operator.server);
    browser.sign_in("ann.seven.glance.net", PASSWORD);
    browser
}

#[test]
fn an_appliance_is_claimed_once() {
    let server = Server::lab();
    let path = server.claim_path();
    let first = claimed_with(&server, &path);
    assert!(first.get("/console/groups").body.contains("Seven"));
    let second = Browser::new(&server);
    let answer = second.get(&path);
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert!(answer.body.contains("not open any more"));
    assert_eq!(second.get("/console/claim?token=guess").status, 403);
}

#[test]
fn a_claim_with_a_bad_password_says_so_and_stays_open() {
    let server = Server::lab();
    let browser = Browser::new(&server);
    let path = server.claim_path();
    let token = path.split_once('=').unwrap().1.to_owned();
    browser.get(&path);
    let short = [("token", token.as_str()), ("name", "Ada"), ("password", "short"), ("again", "short")];
    browser.refused("/console/claim", &short, 400, "href=\"#f-password\"");
    let differing = [("token", token.as_str()), ("name", "Ada"), ("password", PASSWORD), ("again", "x")];
    browser.refused("/console/claim", &differing, 400, "href=\"#f-again\"");
    browser.refused(
        "/console/claim",
        &[("token", &token), ("password", PASSWORD), ("again", PASSWORD)],
        400,
        "href=\"#f-name\"",
    );
}

#[test]
fn signing_in_out_and_with_a_wrong_password() {
    let server = Server::lab();
    let first = claimed(&server);
    let old = first.cookies.borrow().clone();
    let out = first.submit("/console/sign-out", &[]);
    assert!(out.body.contains("You are signed out."));
    assert_eq!(
        first.get("/console/groups").header("location"),
        Some("/console/sign-in?next=/console/groups")
    );
    *first.cookies.borrow_mut() = old;
    assert_eq!(first.get("/console/groups").status, 303, "a session that ended must not come back");

    let browser = Browser::new(&server);
    browser.get("/console/sign-in");
    let wrong = [("name", "Ada"), ("password", "wrong password")];
    browser.refused("/console/sign-in", &wrong, 401, "do not open the console");
    let nobody = [("name", "Nobody"), ("password", "wrong password")];
    browser.refused("/console/sign-in", &nobody, 401, "do not open the console");
    browser.get("/console/sign-in?next=/console/operators");
    let good = [("name", "ada"), ("password", PASSWORD), ("next", "/console/operators")];
    assert!(browser.submit("/console/sign-in", &good).body.contains("People who run this server"));
    let other = Browser::new(&server);
    other.get("/console/sign-in");
    let elsewhere = [("name", "Ada"), ("password", PASSWORD), ("next", "//evil.example/")];
    assert_eq!(other.post("/console/sign-in", &elsewhere).header("location"), Some("/console"));
}

#[test]
fn ten_wrong_passwords_lock_an_operator_out_for_a_while() {
    let server = Server::lab();
    claimed(&server);
    let browser = Browser::new(&server);
    browser.get("/console/sign-in");
    for _ in 0..10 {
        browser.refused("/console/sign-in", &[("name", "Ada"), ("password", "wrong")], 401, "quarter");
    }
    let right = [("name", "Ada"), ("password", PASSWORD)];
    browser.refused("/console/sign-in", &right, 401, "quarter");
    server.set_clock("2099-01-01T00:00:00Z");
    browser.submit("/console/sign-in", &right);
}

#[test]
fn sessions_end_when_idle_and_after_their_longest_life() {
    let server = Server::lab();
    server.set_clock("2026-01-01T00:00:00Z");
    let browser = claimed(&server);
    server.set_clock("2026-01-01T00:50:00Z");
    assert_eq!(browser.get("/console/groups").status, 200);
    server.set_clock("2026-01-01T01:45:00Z");
    assert_eq!(browser.get("/console/groups").status, 200, "each click counts");
    server.set_clock("2026-01-01T02:50:00Z");
    assert_eq!(browser.get("/console/groups").status, 303, "an hour without a click");
    browser.sign_in("Ada", PASSWORD);
    for hour in 3..16 {
        server.set_clock(&format!("2026-01-01T{hour:02}:20:00Z"));
        let status = browser.get("/console/groups").status;
        assert_eq!(status, if hour < 15 { 200 } else { 303 }, "hour {hour}");
        server.set_clock(&format!("2026-01-01T{hour:02}:49:00Z"));
        browser.get("/console/groups");
    }
}

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
        assert!(answer.body.contains("did not come from a page"), "{why}");
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
    assert!(after.body.contains("The group Nine is made."));
    assert!(!browser.get("/console/groups/9").body.contains("The group Nine is made."), "shown once");
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
        assert!(!page.body.contains("<script"), "{path}");
        assert!(page.body.contains("LAB"), "{path}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[test]
fn groups_are_made_renamed_and_refused_twice() {
    let server = Server::lab();
    let browser = claimed(&server);
    browser.refused("/console/groups/new", &[("id", "07"), ("name", "X")], 400, "href=\"#f-id\"");
    browser.refused("/console/groups/new", &[("id", "7"), ("name", "X")], 409, "exists already");
    browser.refused("/console/groups/new", &[("id", "8"), ("name", "")], 400, "href=\"#f-name\"");
    let saved =
        browser.submit("/console/groups/7/settings/group", &[("name", "Seventh"), ("account_id", "00D")]);
    assert!(saved.body.contains("Seventh") && saved.body.contains("00D"));
}

#[test]
fn settings_and_password_rules_of_a_group_are_kept() {
    let server = Server::lab();
    let browser = claimed(&server);
    let page = browser.submit(
        "/console/groups/7/settings/privileges",
        &[("setting", "viewVideo"), ("new_setting", "newThing")],
    );
    for (name, on) in [("viewVideo", true), ("newThing", true), ("remoteAssist", false)] {
        let ticked = page.body.contains(&format!("name=\"setting\" value=\"{name}\" checked"));
        assert_eq!(ticked, on, "{name}");
    }
    let bad = [("new_setting", "not a name")];
    browser.refused("/console/groups/7/settings/privileges", &bad, 400, "href=\"#f-new_setting\"");
    let rules = [("rule", "nine-symbol"), ("reset_message", "Call us.")];
    let page = browser.submit("/console/groups/7/settings/security", &rules);
    assert!(page.body.contains("value=\"nine-symbol\" checked") && page.body.contains("Call us."));
    let weak = [("address", "a.b"), ("password", "eight888"), ("again", "eight888")];
    browser.refused("/console/groups/7/users/new", &weak, 400, "href=\"#f-password\"");
}

#[test]
fn users_are_made_found_changed_suspended_and_deleted() {
    let server = Server::lab();
    let browser = claimed(&server);
    browser.submit("/console/groups/7/roles/new", &[("name", "Agents"), ("setting", "viewVideo")]);
    let fields = [("address", "joe.seven.glance.net"), ("puid", "E 1"), ("first_name", "Joe")];
    let page = browser.submit("/console/groups/7/users/new", &fields);
    let at = page.body.find("/console/groups/7/users/").unwrap();
    assert!(at > 0 && page.body.contains("joe.seven.glance.net is made."));
    let user =
        page.body.split("action=\"/console/groups/7/users/").nth(1).unwrap().split('"').next().unwrap();
    let address = format!("/console/groups/7/users/{user}");
    browser.refused("/console/groups/7/users/new", &fields, 409, "href=\"#f-");
    browser.refused("/console/groups/7/users/new", &[("address", "no good")], 400, "href=\"#f-address\"");

    let list = browser.get("/console/groups/7/users?search=joe&state=active");
    assert!(list.body.contains("joe.seven.glance.net"));
    assert!(browser.get("/console/groups/7/users?state=suspended").body.contains("Nobody fits."));

    let role = browser
        .get(&address)
        .body
        .split("<option value=\"")
        .nth(2)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let change =
        [("address", "joe.seven.glance.net"), ("puid", " E 2"), ("last_name", "Green"), ("role", &role)];
    let page = browser.submit(&address, &change);
    assert!(page.body.contains("Joe") || page.body.contains("Green"));
    assert!(page.body.contains("value=\" E 2\""), "a PUID is kept exactly");
    assert!(page.body.contains("The details are saved."));
    browser.refused(&address, &[("address", "-x")], 400, "href=\"#f-address\"");

    let password = format!("{address}/password");
    browser.refused(&password, &[("password", "one"), ("again", "two")], 400, "href=\"#f-again\"");
    browser.refused(&password, &[("password", "short"), ("again", "short")], 400, "href=\"#f-password\"");
    assert!(
        browser.submit(&password, &[("password", PASSWORD), ("again", PASSWORD)]).body.contains("is set")
    );

    let state = format!("{address}/state");
    assert!(browser.submit(&state, &[("to", "suspended")]).body.contains("Suspended"));
    assert!(browser.submit(&state, &[("to", "reinstated")]).body.contains("reinstated"));
    assert!(browser.submit(&state, &[("to", "administrator")]).body.contains("Administrator"));
    assert!(browser.submit(&state, &[("to", "unlocked")]).body.contains("cleared"));
    assert_eq!(browser.post(&state, &[("to", "king")]).status, 400);

    let role_page = format!("/console/groups/7/roles/{role}");
    assert_eq!(browser.post(&format!("{role_page}/delete"), &[]).status, 409, "somebody has the role");

    let delete = format!("{address}/delete");
    assert!(browser.get(&delete).body.contains("cannot be undone"));
    assert!(browser.submit(&delete, &[]).body.contains("is deleted."));
    assert_eq!(browser.get(&address).status, 404);
    assert!(browser.submit(&format!("{role_page}/delete"), &[]).body.contains("is deleted."));
}

#[test]
fn roles_are_made_and_changed() {
    let server = Server::lab();
    let browser = claimed(&server);
    let page = browser.submit("/console/groups/7/roles/new", &[("name", "Agents"), ("setting", "viewVideo")]);
    let role = page.body.split("/console/groups/7/roles/").find_map(|rest| {
        let number = rest.split('"').next()?;
        number.parse::<i64>().ok()
    });
    let address = format!("/console/groups/7/roles/{}", role.unwrap());
    browser.refused("/console/groups/7/roles/new", &[("name", "AGENTS")], 409, "already");
    browser.refused("/console/groups/7/roles/new", &[("name", "")], 400, "href=\"#f-name\"");
    assert!(browser.get(&address).body.contains("value=\"viewVideo\" checked"));
    browser
        .submit(&address, &[("name", "Helpers"), ("description", "They help."), ("setting", "remoteAssist")]);
    let page = browser.get(&address);
    assert!(page.body.contains("value=\"remoteAssist\" checked") && page.body.contains("They help."));
    assert!(!page.body.contains("value=\"viewVideo\" checked"));
}

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
        let code = log.split("/console/incidents?code=").nth(1).unwrap().split('"').next().unwrap();
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
        let number = rest.split('"').next()?;
        number.parse::<i64>().ok()
    });
    let state = format!("/console/groups/7/users/{}/state", user.unwrap());
    assert_eq!(admin.post(&state, &[("to", "suspended")]).status, 403, "nobody locks themselves out");
    operator.submit(&state, &[("to", "member")]);
    assert_eq!(admin.get("/console/groups/7/users").status, 303);
}

#[test]
fn operators_are_added_given_passwords_and_deleted_but_never_the_last() {
    let server = Server::lab();
    let browser = claimed(&server);
    let eve = [("name", "Eve"), ("password", PASSWORD), ("again", PASSWORD)];
    assert!(browser.submit("/console/operators", &eve).body.contains("Eve is an operator now."));
    browser.refused("/console/operators", &eve, 409, "href=\"#f-name\"");
    let list = browser.get("/console/operators").body;
    let of = |name: &str| {
        let (before, _) = list.split_once(&format!(">{name}</a>")).unwrap();
        before.rsplit("href=\"").next().unwrap().trim_end_matches('"').to_owned()
    };
    let second = Browser::new(&server);
    second.sign_in("Eve", PASSWORD);
    let password = [("password", "another password"), ("again", "another password")];
    browser.submit(&format!("{}/password", of("Eve")), &password);
    assert_eq!(second.get("/console/groups").status, 303, "a new password ends the sessions");
    second.sign_in("eve", "another password");
    assert!(browser.submit(&format!("{}/delete", of("Eve")), &[]).body.contains("no operator any more"));
    assert_eq!(second.get("/console/groups").status, 303);
    assert_eq!(browser.post(&format!("{}/delete", of("Ada")), &[]).status, 409);
}

#[test]
fn people_change_their_own_password_and_stay_signed_in_here_only() {
    let server = Server::lab();
    let operator = claimed(&server);
    let admin = administrator(&operator);
    let other = Browser::new(&server);
    other.sign_in("ann.seven.glance.net", PASSWORD);
    for (browser, name) in [(&operator, "Ada"), (&admin, "ann.seven.glance.net")] {
        browser.get("/console/password");
        let wrong = [("current", "wrong"), ("password", "a new password"), ("again", "a new password")];
        browser.refused("/console/password", &wrong, 401, "href=\"#f-current\"");
        let right = [("current", PASSWORD), ("password", "a new password"), ("again", "a new password")];
        assert!(browser.submit("/console/password", &right).status == 200, "{name}");
        assert_eq!(browser.get("/console/password").status, 200, "{name}");
        Browser::new(&server).sign_in(name, "a new password");
    }
    assert_eq!(other.get("/console/groups/7").status, 303);
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
    assert!(none.contains("Nothing here yet"));
    let bad = browser.get("/console/groups/7/access-log?from=yesterday");
    assert!(bad.status == 400 && bad.body.contains("href=\"#f-from\""));

    let csv = browser.get("/console/groups/7/access-log.csv");
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(csv.header("content-disposition").unwrap().contains("access-log-7.csv"));
    let mut lines = csv.body.lines();
    assert_eq!(lines.next(), Some("Timestamp,IP Address,Actor,Operation,Subject,Detail"));
    assert_eq!(csv.body.lines().filter(|line| line.contains("role.create,'=1+")).count(), 60);
    assert!(!csv.body.contains(",=1"));
}

/// A form with a file, as a browser sends it.
fn with_file(browser: &Browser<'_>, path: &str, role: &str, file: &str) -> Answer {
    let token = browser.token.borrow().clone();
    let field = |name: &str, value: &str| {
        format!("--xYz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = format!(
        "{}{}--xYz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"people.csv\"\r\n\
         Content-Type: text/csv\r\n\r\n{file}\r\n--xYz--\r\n",
        field("form_token", &token),
        field("role", role),
    );
    let headers = [("Content-Type", "multipart/form-data; boundary=xYz"), ("Sec-Fetch-Site", "same-origin")];
    browser.send("POST", path, &headers, body.as_bytes())
}

#[test]
fn a_file_is_previewed_before_it_changes_anything_and_exported_again() {
    let server = Server::lab();
    let browser = claimed(&server);
    let upload = "/console/groups/7/users/upload";
    browser.get(upload);
    let file = "GlanceAddress,FirstName,PartnerUID\r\nann.seven.glance.net,Ann,a1\r\nno good,Bob,b1\r\n";
    let answer = with_file(&browser, upload, "keep", file);
    assert_eq!(answer.status, 303, "{}", text_of(&answer.body));
    let address = answer.header("location").unwrap().to_owned();
    let page = browser.get(&address);
    assert!(page.body.contains("What the upload will do") && page.body.contains("no good"));
    assert!(browser.get("/console/groups/7/users").body.contains("Nobody fits."));

    let other = Browser::new(&server);
    other.sign_in("Ada", PASSWORD);
    let stranger = administrator(&browser);
    assert_eq!(stranger.get(&address).status, 404, "an upload is its sender's");

    let applied = |fields: &[(&str, &str)]| {
        browser.get(&address);
        assert_eq!(browser.post(&address, fields).status, 303);
        loop {
            let page = browser.get(&address);
            if !page.body.contains("http-equiv=\"refresh\"") {
                return page;
            }
        }
    };
    assert!(applied(&[]).body.contains("Nothing was changed, because rows are refused."));
    assert!(applied(&[("skip_refused", "yes")]).body.contains("The upload is done"));
    let list = browser.get("/console/groups/7/users?search=ann.seven").body;
    assert!(list.contains("a1"), "{}", text_of(&list));
    let export = browser.get("/console/groups/7/users.csv");
    assert!(export.body.contains("Ann,,,,ann.seven.glance.net,,a1"), "{}", export.body);

    browser.get(upload);
    let answer = with_file(&browser, upload, "keep", "");
    assert!(answer.status == 400 && answer.body.contains("href=\"#f-file\""));
    let answer = with_file(&browser, upload, "keep", "Colour\r\nred\r\n");
    assert!(answer.status == 400 && answer.body.contains("href=\"#f-file\""), "{}", text_of(&answer.body));
    *browser.token.borrow_mut() = "AAAA".into();
    assert_eq!(with_file(&browser, upload, "keep", file).status, 403);
}

#[test]
fn the_stylesheet_is_kept_for_a_year_under_its_own_name() {
    let server = Server::lab();
    let page = server.get("/console/sign-in").body;
    let path = page.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let style = server.get(&path);
    assert_eq!(style.status, 200);
    assert!(style.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(server.get("/console/static/console.0000000000000000.css").status, 404);
}
