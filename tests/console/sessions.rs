//! Coming in: claim, sign-in, lockout, the ends of a session, operators, own passwords.

use crate::browser::{Browser, PASSWORD, administrator, claimed, claimed_with, text_of};
use crate::common::Server;

#[test]
fn an_appliance_is_claimed_once() {
    let server = Server::lab();
    let path = server.claim_path();
    let first = claimed_with(&server, &path);
    assert!(first.get("/console/groups").body.contains("Seven"));
    let second = Browser::new(&server);
    let answer = second.get(&path);
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert!(answer.body.contains("no longer valid"));
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

/// The command is another process than the server, which counts failures in its memory.
#[test]
fn the_host_lets_somebody_in_whom_the_running_server_refuses() {
    let server = Server::lab();
    claimed(&server);
    let browser = Browser::new(&server);
    browser.get("/console/sign-in");
    let good = [("name", "ada"), ("password", PASSWORD)];
    let lock = || {
        for _ in 0..11 {
            let wrong = [("name", "Ada"), ("password", "wrong password")];
            browser.refused("/console/sign-in", &wrong, 401, "do not open the console");
        }
        browser.refused("/console/sign-in", &good, 401, "do not open the console");
    };
    lock();
    let cleared = server.command(&["operator", "clear-lockout", "Ada"]);
    assert!(cleared.status.success(), "{cleared:?}");
    browser.submit("/console/sign-in", &good);
    // Once only: what came after it counts.
    browser.get("/console/sign-in");
    lock();
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
        Some("/console/sign-in?next=%2Fconsole%2Fgroups")
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
    assert!(browser.submit("/console/sign-in", &good).body.contains("Operators run this server"));
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
fn the_password_rule_shown_is_the_home_groups_in_every_group() {
    let server = Server::lab();
    let operator = claimed(&server);
    let ann = administrator(&operator);
    operator.submit("/console/groups/new", &[("id", "8"), ("name", "Eight")]);
    for (group, rule) in [("7", "nine-symbol"), ("8", "six")] {
        operator.submit(&format!("/console/groups/{group}/settings/security"), &[("rule", rule)]);
    }
    let strict = "with one that is neither letter nor digit";
    let member = [("member_address", "ann.seven.glance.net"), ("member_puid", "ann")];
    let page = operator.submit("/console/groups/8/users/add", &member);
    assert!(page.body.contains(strict));
    let user =
        page.body.split("action=\"/console/groups/8/users/").nth(1).unwrap().split('"').next().unwrap();
    let address = format!("/console/groups/8/users/{}", user.split('/').next().unwrap());
    let lax = [("password", "sixsix"), ("again", "sixsix")];
    operator.refused(&format!("{address}/password"), &lax, 400, strict);
    assert!(!operator.get("/console/groups/8/users/new").body.contains(strict));

    operator.submit(&format!("{address}/state"), &[("to", "administrator")]);
    ann.get("/console/switch");
    assert!(ann.submit("/console/switch", &[("group", "8")]).body.contains("Eight"));
    assert!(ann.get("/console/password").body.contains(strict));
    let own = [("current", PASSWORD), ("password", "sixsix"), ("again", "sixsix")];
    ann.refused("/console/password", &own, 400, strict);
}

/// The sealed form on a sign-in page.
fn kept(page: &str) -> &str {
    page.split("name=\"kept\" value=\"").nth(1).map_or("", |rest| rest.split('"').next().unwrap())
}

#[test]
fn what_is_typed_into_a_form_survives_the_end_of_the_session() {
    const NEW: &str = "/console/groups/7/users/new";
    let server = Server::lab();
    server.set_clock("2026-01-01T00:00:00Z");
    let operator = claimed(&server);
    administrator(&operator);
    operator.get(NEW);
    let typed = [
        ("address", "zoe.seven.glance.net"),
        ("puid", "zoë \"1\""),
        ("first_name", "Zoë"),
        ("password", "a secret password"),
        ("again", "a secret password"),
        ("administrator", "yes"),
    ];
    server.set_clock("2026-01-01T02:00:00Z");
    let ended = operator.post(NEW, &typed);
    assert_eq!(ended.status, 401, "{}", text_of(&ended.body));
    assert!(text_of(&ended.body).contains("nothing was saved"), "{}", text_of(&ended.body));
    assert!(!ended.body.contains("a secret password"));
    let sealed = kept(&ended.body).to_owned();
    let credentials = |name| [("name", name), ("password", PASSWORD), ("kept", sealed.as_str())];

    // A wrong password in between loses nothing either.
    let wrong =
        operator.post("/console/sign-in", &[("name", "Ada"), ("password", "wrong"), ("kept", &sealed)]);
    assert_eq!((wrong.status, kept(&wrong.body)), (401, sealed.as_str()));
    // Somebody else is not shown what was typed.
    let ann = operator.post("/console/sign-in", &credentials("ann.seven.glance.net"));
    assert_eq!(ann.status, 303, "{}", text_of(&ann.body));
    assert!(!operator.get(NEW).body.contains("zoe.seven"));
    // Nor is another browser, nor whoever changes it.
    let other = Browser::new(&server);
    other.get("/console/sign-in");
    assert_eq!(other.post("/console/sign-in", &credentials("Ada")).status, 303);
    operator.get("/console/sign-in");
    let forged = format!("{}A", &sealed[..sealed.len() - 1]);
    let changed = [("name", "Ada"), ("password", PASSWORD), ("kept", forged.as_str())];
    assert_eq!(operator.post("/console/sign-in", &changed).status, 303);

    operator.get("/console/sign-in");
    let back = operator.post("/console/sign-in", &credentials("Ada"));
    assert_eq!(back.status, 200, "{}", text_of(&back.body));
    let text = text_of(&back.body);
    assert!(text.contains("Nothing was saved yet") && text.contains("New user"), "{text}");
    for shown in ["value=\"zoe.seven.glance.net\"", "value=\"zoë &quot;1&quot;\"", "value=\"Zoë\""] {
        assert!(back.body.contains(shown), "{shown}: {}", back.body);
    }
    assert!(!back.body.contains("a secret password"));
    assert!(!operator.get("/console/groups/7/users").body.contains("zoe.seven"), "nothing was done by it");
    operator.get(NEW);
    let page = operator.submit(NEW, &typed);
    assert!(page.body.contains("zoe.seven.glance.net is created."));
}

#[test]
fn a_form_of_a_session_that_somebody_ended_is_shown_to_be_copied() {
    let server = Server::lab();
    let operator = claimed(&server);
    let ann = administrator(&operator);
    let user = operator.get("/console/groups/7/users?search=ann").body;
    let user = user
        .split("href=\"/console/groups/7/users/")
        .find_map(|rest| rest.split(['"', '?']).next().filter(|number| number.parse::<i64>().is_ok()));
    ann.get("/console/groups/7/settings");
    let state = format!("/console/groups/7/users/{}/password", user.unwrap());
    operator.submit(&state, &[("password", "another password"), ("again", "another password")]);
    let typed = [("reset_message", "Ring the <desk>."), ("api_key", "never shown")];
    let ended = ann.post("/console/groups/7/settings/security", &typed);
    assert_eq!((ended.status, kept(&ended.body)), (401, ""));
    assert!(ended.body.contains("Ring the &lt;desk&gt;.") && !ended.body.contains("never shown"));
    // What is no form of ours is neither kept nor shown.
    for (token, site) in [("x", "same-origin"), ("", "cross-site")] {
        let headers = [("Sec-Fetch-Site", site)];
        let foreign = ann.post_with("/console/groups/7/settings/security", &typed, token, &headers);
        assert_eq!(foreign.status, 303, "{token} {site}");
    }
    // Of what is too long to go along, nothing is lost in silence either.
    server.set_clock("2099-01-01T00:00:00Z");
    let text = "x".repeat(40_000);
    operator.get("/console/sign-in");
    let signed_in = Browser::new(&server);
    signed_in.sign_in("Ada", PASSWORD);
    signed_in.get("/console/groups/7/settings");
    server.set_clock("2099-01-01T02:00:00Z");
    let long = signed_in.post("/console/groups/7/settings/security", &[("reset_message", &text)]);
    assert_eq!((long.status, kept(&long.body)), (401, ""));
    assert!(long.body.contains(&text));
}
