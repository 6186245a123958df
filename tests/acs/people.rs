//! Which user, and autoprovisioning.

use crate::harness::{about, latest_code, post, run, set, signed, started, store, user};

#[test]
fn an_assertion_names_one_user_or_nobody_comes_in() {
    let server = started();
    user(&server, "bob.demo.glance.net", "Bob-2", "bob@example.com");
    user(&server, "carol.demo.glance.net", "carol-3", "shared@example.com");
    user(&server, "dan.demo.glance.net", "dan-4", "shared@example.com");
    user(&server, "eve.demo.glance.net", "eve-5", "eve@example.com");
    run(&server, &["user", "suspend", "--puid", "eve-5", "--group", "12345"]);
    let store = store(server.data());
    for (email, name_id, expected) in [
        ("alice@example.com", "whatever", "alice-1"),
        ("ALICE@EXAMPLE.COM", "whatever", "alice-1"),
        ("", "alice-1", "alice-1"),
        ("whatever", "alice-1", "user_unknown"),
        ("whatever", "shared@example.com", "user_unknown"),
        ("Alice.Demo.Glance.Net", "alice-1", "alice-1"),
        ("Bob-2", "nobody", "Bob-2"),
        ("bob-2", "nobody", "user_unknown"),
        ("nobody", "nothing", "user_unknown"),
        ("shared@example.com", "nobody", "user_ambiguous"),
        ("alice@example.com", "Bob-2", "user_conflict"),
        ("eve@example.com", "eve-5", "user_suspended"),
    ] {
        let answer = post(&server, &signed(&about(email, name_id)));
        match answer.status {
            200 => {
                let wanted = format!("partnerid=12345&partneruserid={expected}~$1$");
                assert!(answer.body.starts_with(&wanted), "{email}, {name_id}: {}", answer.body);
            }
            _ => assert_eq!(latest_code(&store), expected, "{email}, {name_id}"),
        }
    }
}

#[test]
fn the_attribute_decides_when_it_comes_and_the_name_counts_instead_only_where_the_group_lets_it() {
    let server = started();
    let store = store(server.data());
    let attempt = |email: &str, name_id: &str| {
        let answer = post(&server, &signed(&about(email, name_id)));
        if answer.status == 200 { "in".to_owned() } else { latest_code(&store) }
    };
    // Who may choose a NameID at the identity provider becomes nobody else by it, whatever the switch says.
    for switch in ["true", "false"] {
        set(&server, &[&format!("name_id_when_missing={switch}")]);
        assert_eq!(attempt("nobody@example.com", "alice@example.com"), "user_unknown");
        assert_eq!(attempt("alice@example.com", "nobody@example.com"), "in");
    }
    attempt("nobody@example.com", "alice@example.com");
    let said = run(&server, &["sso", "attempts", "--group", "12345"]);
    assert!(said.contains("The attribute decides, and it names no user of this group"), "{said}");
    // The attribute is missing, or empty.
    set(&server, &["name_id_when_missing=true", "identity_attribute=upn"]);
    assert_eq!(attempt("x@example.com", "alice@example.com"), "in");
    set(&server, &["name_id_when_missing=false"]);
    assert_eq!(attempt("x@example.com", "alice@example.com"), "identity_attribute_missing");
    set(&server, &["identity_attribute=email"]);
    assert_eq!(attempt(" ", "alice@example.com"), "identity_attribute_missing");
    // Without an attribute of that name to wait for, the NameID alone names the user.
    set(&server, &["identity_attribute="]);
    assert_eq!(attempt("nobody@example.com", "alice@example.com"), "in");
    // Autoprovisioning makes whom the attribute names, unless the NameID is somebody else's.
    set(&server, &["identity_attribute=email"]);
    mapped(&server);
    assert_eq!(attempt("zoe@example.com", "alice-1"), "user_unknown");
    assert_eq!(attempt("zoe@example.com", "zoe-9"), "in");
}

/// Whom an assertion names is remembered between sign-ins, but not beyond a change, also by another process.
#[test]
fn what_is_remembered_of_a_user_never_outlives_a_change() {
    let server = started();
    let store = store(server.data());
    let came_in_as = |puid: &str| {
        // The first is looked up, the second kept, the third remembered.
        for _ in 0..3 {
            let body = post(&server, &signed(&about("alice@example.com", "whatever"))).body;
            assert!(body.starts_with(&format!("partnerid=12345&partneruserid={puid}~$1$")), "{puid}: {body}");
        }
    };
    let refused_as = |code: &str| {
        for _ in 0..3 {
            assert_eq!(post(&server, &signed(&about("alice@example.com", "whatever"))).status, 403, "{code}");
            assert_eq!(latest_code(&store), code);
        }
    };
    let change = |arguments: &[&str]| run(&server, &[&["user"], arguments, &["--group", "12345"]].concat());
    came_in_as("alice-1");
    change(&["suspend", "--puid", "alice-1"]);
    refused_as("user_suspended");
    change(&["reinstate", "--puid", "alice-1"]);
    came_in_as("alice-1");
    change(&["update", "--puid", "alice-1", "--new-puid", "alice-2"]);
    came_in_as("alice-2");
    user(&server, "bob.demo.glance.net", "bob-1", "alice@example.com");
    refused_as("user_ambiguous");
    let said = run(&server, &["sso", "attempts", "--group", "12345"]);
    assert!(said.contains("What to change: ") && said.contains("FAIL Which user"), "{said}");
    change(&["update", "--puid", "alice-2", "--email", ""]);
    came_in_as("bob-1");
    change(&["delete", "--puid", "bob-1"]);
    refused_as("user_unknown");
}

#[test]
fn a_refusal_says_which_attribute_would_have_named_the_user() {
    let server = started();
    set(&server, &["identity_attribute=upn"]);
    assert_eq!(post(&server, &signed(&about("alice@example.com", "_e7a91c"))).status, 403);
    let said = run(&server, &["sso", "attempts", "--group", "12345"]);
    assert!(said.contains("sidelight sso set identity_attribute=email --group 12345"), "{said}");
    let code = said.split_whitespace().find(|word| word.len() == 9 && word.contains('-')).unwrap();
    let explained = run(&server, &["sso", "attempts", code, "--group", "12345"]);
    assert!(explained.contains("identity_attribute=email"), "{explained}");
    let json = run(&server, &["sso", "attempts", code, "--group", "12345", "--json"]);
    assert!(
        json.contains("\"code\": \"user_unknown\"") || json.contains("\"code\":\"user_unknown\""),
        "{json}"
    );
    run(&server, &["group", "create", "7", "--name", "Seven"]);
    assert!(!server.command(&["sso", "attempts", code, "--group", "7"]).status.success());
    // A name that a shell would read is shown, and not as a part of a command.
    let parts = about("alice@example.com", "_e7a91c");
    let attributes = parts.attributes.replace("\"email\"", "\"x;id\"");
    assert_eq!(post(&server, &signed(&crate::forge::Parts { attributes, ..parts })).status, 403);
    let said = run(&server, &["sso", "attempts", "--group", "12345"]);
    assert!(said.contains("The attribute “x;id” names") && !said.contains("identity_attribute="), "{said}");
    assert_eq!(post(&server, &signed(&about("nobody@example.com", "_e7a91d"))).status, 403);
    let said = run(&server, &["sso", "attempts", "--group", "12345"]);
    assert!(said.contains("What to change: Compare the value"), "{said}");
    set(&server, &["identity_attribute=email"]);
    assert_eq!(post(&server, &signed(&about("alice@example.com", "_e7a91e"))).status, 200);
    let said = run(&server, &["sso", "attempts", "--group", "12345"]);
    assert!(!said.contains("What to change"), "a refusal that is over: {said}");
}

/// Whoever is remembered and is then brought up to date by a sign-in is known as they are now.
#[test]
fn what_a_sign_in_brings_up_to_date_is_remembered_no_longer() {
    let server = started();
    mapped(&server);
    // The NameID stays, the address does not: the NameID names the user.
    set(&server, &["identity_attribute="]);
    for email in ["zoe@example.com", "zoe@example.com", "zoe@example.com", "zoe.new@example.com"] {
        assert_eq!(post(&server, &signed(&about(email, "zoe-9"))).status, 200);
    }
    // The address of before is free again: it names somebody else.
    user(&server, "other.demo.glance.net", "other-1", "zoe@example.com");
    for _ in 0..3 {
        let body = post(&server, &signed(&about("zoe.new@example.com", "zoe-9"))).body;
        assert!(body.contains("partneruserid=zoe-9~"), "{body}");
        assert_eq!(post(&server, &signed(&about("zoe@example.com", "zoe-9"))).status, 403);
    }
}

fn mapped(server: &crate::common::Server) {
    set(
        server,
        &[
            "autoprovision=create_and_update",
            "glance_address={FirstName}.{LastName}.demo.glance.net",
            "partner_uid={NameID}",
            "first_name={FirstName}",
            "last_name={LastName}",
            "email={email}",
            "role=Agent",
        ],
    );
}

#[test]
fn two_first_sign_ins_at_once_make_one_user() {
    let server = started();
    mapped(&server);
    let documents: Vec<String> = (0..8).map(|_| signed(&about("zoe@example.com", "zoe-9"))).collect();
    std::thread::scope(|scope| {
        for document in &documents {
            let server = &server;
            scope.spawn(move || assert_eq!(post(server, document).status, 200));
        }
    });
    let users = run(&server, &["user", "list", "--group", "12345", "--json"]);
    assert_eq!(users.matches("zoe.mueller-luedenscheidt.demo.glance.net").count(), 1, "{users}");
}

#[test]
fn a_new_user_never_takes_what_somebody_has() {
    let server = started();
    mapped(&server);
    let store = store(server.data());
    assert_eq!(post(&server, &signed(&about("zoe@example.com", "zoe-9"))).status, 200);
    // Another person of the same name: the address is taken, and nobody is linked.
    assert_eq!(post(&server, &signed(&about("other@example.com", "zoe-10"))).status, 403);
    assert_eq!(latest_code(&store), "provisioning_field_taken");
    // A later sign-in of the first brings the e-mail address up to date, where the NameID names the user.
    assert_eq!(post(&server, &signed(&about("zoe.new@example.com", "zoe-9"))).status, 403);
    assert_eq!(latest_code(&store), "user_unknown");
    set(&server, &["identity_attribute="]);
    assert_eq!(post(&server, &signed(&about("zoe.new@example.com", "zoe-9"))).status, 200);
    let users = run(&server, &["user", "list", "--group", "12345", "--json"]);
    assert!(users.contains("zoe.new@example.com"), "{users}");
    set(&server, &["role=Pilot"]);
    assert_eq!(post(&server, &signed(&about("zoe.new@example.com", "zoe-9"))).status, 403);
    assert_eq!(latest_code(&store), "provisioning_role_unknown");
    set(&server, &["role=", "partner_uid=", "glance_address={LastName}.demo.glance.net", "email="]);
    assert_eq!(post(&server, &signed(&about("who@example.com", "who-1"))).status, 403);
    assert_eq!(latest_code(&store), "provisioning_not_found_again");
    set(&server, &["partner_uid={EmployeeNumber}"]);
    assert_eq!(post(&server, &signed(&about("who@example.com", "who-1"))).status, 403);
    assert_eq!(latest_code(&store), "provisioning_attribute_missing");
}

#[test]
fn an_attribute_with_several_values_that_name_several_people_is_said_to_be_that() {
    let server = started();
    user(&server, "bob.demo.glance.net", "bob-1", "bob@example.com");
    let parts = about("alice@example.com", "_e7a91c");
    let one = "<saml:AttributeValue>alice@example.com</saml:AttributeValue>";
    assert!(parts.attributes.contains(one), "{}", parts.attributes);
    let attributes = parts.attributes.replace(one, &format!("{one}{}", one.replace("alice", "bob")));
    assert_eq!(post(&server, &signed(&crate::forge::Parts { attributes, ..parts })).status, 403);
    assert_eq!(latest_code(&store(server.data())), "user_ambiguous");
    let said = run(&server, &["sso", "attempts", "--group", "12345"]);
    assert!(said.contains("The attribute “email” came with several values"), "{said}");
}

#[test]
fn a_role_that_the_group_has_not_is_a_problem_before_anybody_signs_in() {
    let server = started();
    set(&server, &["autoprovision=create", "glance_address={NameID|dns}.demo.glance.net", "role=Nope"]);
    let problem = "! Role: the group has no role “Nope”";
    assert!(run(&server, &["sso", "show", "--group", "12345"]).contains(problem));
    set(&server, &["role={department}"]);
    assert!(!run(&server, &["sso", "show", "--group", "12345"]).contains("! Role"));
    run(&server, &["role", "create", "Nope", "--group", "12345"]);
    set(&server, &["role=Nope"]);
    assert!(!run(&server, &["sso", "show", "--group", "12345"]).contains("! Role"));
}

#[test]
fn whoever_signs_in_is_seen_to_have_signed_in() {
    let server = started();
    let shown = || run(&server, &["user", "show", "--puid", "alice-1", "--group", "12345"]);
    assert!(shown().contains("\"signedInAt\": null"), "{}", shown());
    // Nobody waits for the note: the second sign-in is committed after it.
    for _ in 0..2 {
        assert_eq!(post(&server, &signed(&about("alice@example.com", "alice@example.com"))).status, 200);
    }
    assert!(shown().contains("\"signedInAt\": \"2026-02-01T12:00"), "{}", shown());
}
