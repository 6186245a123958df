//! A click on the identity provider's portal tile: what the configuration says that it does, and what it does.

use crate::harness::*;

const PATH: &str = "idp_initiated_redirect=/account/AccountSummary.aspx";

/// What `sidelight sso show` says of the tile.
fn said(server: &crate::common::Server) -> String {
    let shown = run(server, &["sso", "show", "--group", "12345"]);
    let line = shown.lines().find(|line| line.contains("portal tile"));
    line.unwrap_or_else(|| panic!("nothing of the tile in {shown}")).to_owned()
}

#[test]
fn a_tile_that_nothing_tells_where_to_end_is_refused_with_the_redirect_named_first() {
    let server = started();
    // As the guide's steps leave it: a user without a Partner User ID, and no redirect.
    let create = ["user", "create", "--address", "bob.demo.glance.net", "--group", "12345"];
    run(&server, &[&create[..], &["--email", "bob@example.com"]].concat());
    assert!(said(&server).contains("shows the login key as text"), "{}", said(&server));
    let bob = |id| signed(&about("bob@example.com", id));
    assert_eq!(post(&server, &bob("_71e001")).status, 403);
    assert_eq!(latest_code(&store(server.data())), "user_without_puid");
    let attempts = run(&server, &["sso", "attempts", "--group", "12345"]);
    let place = |words: &str| attempts.find(words).unwrap_or_else(|| panic!("no {words} in {attempts}"));
    assert!(place("Redirect for IdP-initiated sessions") < place("give the user a Partner User ID"));
    set(&server, &[PATH]);
    assert!(said(&server).contains("opens /account/AccountSummary.aspx"), "{}", said(&server));
    let answer = post(&server, &bob("_71e002"));
    assert_eq!(answer.status, 303, "{answer:?}");
    assert!(answer.header("Location").unwrap().ends_with("/account/AccountSummary.aspx"), "{answer:?}");
}

#[test]
fn what_keeps_a_tile_from_working_is_said_before_anybody_clicks_it() {
    let server = started();
    for (field, expected) in [
        ("idp_initiated=false", "because sign-ins that the identity provider starts are switched off"),
        ("method=off", "because single sign-on is off"),
    ] {
        set(&server, &[PATH, field]);
        assert!(said(&server).contains(expected), "{field}: {}", said(&server));
        assert_eq!(post(&server, &signed(&about("alice@example.com", "_71e003"))).status, 403, "{field}");
        set(&server, &["idp_initiated=true", "method=saml"]);
    }
    // A group that was given no API key.
    run(&server, &["group", "create", "7", "--name", "Seven"]);
    let file = crate::forge::fixtures().join("keys/idp.cert.pem");
    run(&server, &["sso", "set", "method=saml", "idp_entity_id=https://idp.example.org", "--group", "7"]);
    run(&server, &["sso", "key", "add", file.to_str().unwrap(), "--group", "7"]);
    let shown = run(&server, &["sso", "show", "--group", "7"]);
    let (why, repair) = ("without an API key cannot make", "Set “Redirect for IdP-initiated sessions”");
    assert!(shown.contains(why) && shown.contains(repair), "{shown}");
}
