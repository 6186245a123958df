//! Who may show the sign-in page in a frame, asked of the real binary. How a browser takes it: `tests/browser`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Answer, Server};

const NOW: &str = "2020-07-05T00:00:00Z";
const PUID: &str = "uniqueUserIdentifier";
const KEY: &str = "$1$1593908430$Wf7vDWWv1Ci5VrcUvtWuJh_jLgZIfectGUPkg6DbZws";
const PAGES: [&str; 4] =
    ["/login/default.aspx", "/agentjoin/AgentView.aspx", "/agentjoin/AgentJoin.aspx", "/agent/start"];
const SITES: &str = "https://crm.example.com https://b.example:8443";
const OTHERS: &str = "https://other.example.com";

/// The demo group and group 77, each with its sites. Neither has single sign-on.
fn started() -> Server {
    let server = Server::lab();
    server.set_clock(NOW);
    run(&server, &["group", "create", "77", "--name", "Other & Co", "--account-id", "00D77"]);
    run(
        &server,
        &["group", "sites", "12345", "--add", "https://crm.example.com", "--add", "https://b.example:8443"],
    );
    run(&server, &["group", "sites", "77", "--add", OTHERS]);
    server
}

fn run(server: &Server, arguments: &[&str]) -> String {
    let output = server.command(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Who may frame the answer: what its policy says behind `frame-ancestors`.
#[track_caller]
fn frames(answer: &Answer) -> String {
    let policies: Vec<_> =
        answer.headers.iter().filter(|(name, _)| name == "content-security-policy").collect();
    assert_eq!(policies.len(), 1, "{answer:?}");
    let (_, after) = policies[0].1.split_once("frame-ancestors ").unwrap();
    after.split(';').next().unwrap().to_owned()
}

#[track_caller]
fn asks(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains("type=\"password\""), "{}", answer.body);
}

#[test]
fn the_form_is_framed_by_the_sites_of_the_group_that_is_named_however_it_is_named() {
    let server = started();
    for (naming, group, sites) in [
        ("groupid=12345", 12345, SITES),
        ("GroupID=12345", 12345, SITES),
        ("partnerid=12345", 12345, SITES),
        ("PARTNERID=12345&IFRAME=1", 12345, SITES),
        ("idpid=12345", 12345, SITES),
        ("idpname=demo", 12345, SITES),
        ("idptoken=demo-account", 12345, SITES),
        ("groupid=77", 77, OTHERS),
        ("partnerid=77", 77, OTHERS),
        ("idpname=other+%26+co", 77, OTHERS),
        ("idptoken=00D77", 77, OTHERS),
        // The first that came of those by which single sign-on is begun.
        ("partnerid=12345&idpid=77", 77, OTHERS),
    ] {
        for page in PAGES {
            let answer = server.get(&format!("{page}?SessionKey=1&{naming}"));
            asks(&answer);
            assert_eq!(frames(&answer), sites, "{page}?{naming}");
            // Whoever signs in there, signs in to that group.
            assert!(answer.body.contains(&format!("value=\"{group}\"")), "{}", answer.body);
            assert!(!answer.body.contains("name=\"idp"), "the field of the group is the one that names it");
        }
        let posted = server.post_form("/agentjoin/AgentView.aspx", &format!("SESSIONKEY=1&{naming}"));
        asks(&posted);
        assert_eq!(frames(&posted), sites, "{naming} in a form");
    }
    let json = server.post_json("/agentjoin/AgentView.aspx", "{\"SessionKey\":\"1\",\"partnerid\":12345}");
    asks(&json);
    assert_eq!(frames(&json), SITES);
}

#[test]
fn nobody_frames_a_page_that_names_no_group() {
    let server = started();
    for page in PAGES {
        for query in [
            "",
            "SessionKey=1",
            "site=https://crm.example.com",
            "partnerid=",
            "partnerid=99999",
            "partnerid=x",
        ] {
            let answer = server.get(&format!("{page}?{query}"));
            asks(&answer);
            assert_eq!(frames(&answer), "'none'", "{page}?{query}");
        }
        // Unknown groups, and people: whether there is such a person is told to nobody.
        for query in [
            "groupid=99999",
            "idpname=nobody",
            "idptoken=x",
            "groupid=x",
            "username=nobody.demo.glance.net",
            "username=unique.user.demo.glance.net",
            "idpusername=unique.user.demo.glance.net",
        ] {
            let answer = server.get(&format!("{page}?{query}"));
            assert_eq!(frames(&answer), "'none'", "{page}?{query}");
            assert_eq!(answer.status, 403, "{page}?{query}");
        }
    }
    // The refusal of a person's group is that of nobody's, but for the incident code.
    for page in PAGES {
        let told = |username: &str| {
            let answer = server.get(&format!("{page}?username={username}"));
            let code = answer.body.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
            let headers: Vec<_> = answer.headers.into_iter().filter(|(name, _)| name != "date").collect();
            (answer.status, headers, answer.body.replace(&code, "CODE"))
        };
        assert_eq!(told("unique.user.demo.glance.net"), told("nobody.demo.glance.net"), "{page}");
    }
    // No referrer and no Origin makes a site an allowed one.
    let headers = [
        ("Origin", "https://evil.example"),
        ("Referer", "https://evil.example/"),
        ("Sec-Fetch-Dest", "iframe"),
    ];
    let answer = server.send("GET", "/login/default.aspx?groupid=12345", &headers, b"");
    assert_eq!(frames(&answer), SITES);
    // A group without sites lets nobody.
    run(&server, &["group", "sites", "77", "--remove", OTHERS]);
    assert_eq!(frames(&server.get("/login/default.aspx?groupid=77")), "'none'");
    assert_eq!(frames(&server.get("/console/sign-in")), "'none'");
}

#[test]
fn a_sign_in_in_a_frame_is_shown_there_from_the_form_to_the_sign_out() {
    let server = started();
    let framed = ("Sec-Fetch-Dest", "iframe");
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let post = |body: &str| server.send("POST", "/login/default.aspx", &[framed, form], body.as_bytes());
    // The wrong password: the form again, in the frame.
    let wrong = post("username=admin.demo.glance.net&password=wrong&groupid=12345");
    assert_eq!(wrong.status, 401);
    assert!(
        wrong.body.contains("type=\"password\"") && wrong.body.contains("value=\"12345\""),
        "{}",
        wrong.body
    );
    assert_eq!(frames(&wrong), SITES);
    let right = post("username=admin.demo.glance.net&password=demo-password&groupid=12345");
    assert!(right.body.contains("You are signed in"), "{}", right.body);
    assert_eq!(frames(&right), SITES);
    let cookie = right.cookie("GSSNID").unwrap();
    // A page that names another group shows its form, and to that group's sites.
    let other = server.send("GET", "/login/default.aspx?groupid=77", &[framed, ("Cookie", &cookie)], b"");
    asks(&other);
    assert_eq!(frames(&other), OTHERS);
    let out = server.send("POST", "/login/signout.aspx", &[framed, ("Cookie", &cookie)], b"");
    assert_eq!((out.status, out.header("Location")), (303, Some("/login/default.aspx?partnerid=12345")));
    assert_eq!(frames(&server.get("/login/default.aspx?partnerid=12345")), SITES);
    let out = server.send("POST", "/login/signout.aspx", &[("Cookie", &cookie)], b"");
    assert_eq!((out.status, out.header("Location")), (303, Some("/login/default.aspx")));
}

#[test]
fn a_refused_login_key_is_told_in_the_frame_of_the_group_that_it_names() {
    let server = started();
    let refused = |pair: &str| server.get(&format!("/agentjoin/AgentJoin.aspx?{pair}&loginkey={KEY}x"));
    let ours = refused(&format!("partnerid=12345&partneruserid={PUID}"));
    assert_eq!((ours.status, frames(&ours).as_str()), (401, SITES));
    assert!(ours.body.contains("href=\"/login/default.aspx?partnerid=12345\""), "{}", ours.body);
    let theirs = refused("partnerid=77&partneruserid=nobody");
    assert_eq!((theirs.status, frames(&theirs).as_str()), (401, OTHERS));
    let nobodys = refused("username=unique.user.demo.glance.net");
    assert_eq!((nobodys.status, frames(&nobodys).as_str()), (401, "'none'"));
    assert!(nobodys.body.contains("href=\"/login/default.aspx\""), "{}", nobodys.body);
    let incomplete = server.get(&format!("/agentjoin/AgentJoin.aspx?partnerid=12345&loginkey={KEY}"));
    assert_eq!((incomplete.status, frames(&incomplete).as_str()), (401, SITES));
}

#[test]
fn sites_are_added_and_removed_one_by_one_and_the_old_place_says_where_they_are() {
    let server = started();
    assert_eq!(
        run(&server, &["group", "sites", "12345"]),
        "https://crm.example.com\nhttps://b.example:8443\n"
    );
    let json = run(&server, &["group", "sites", "12345", "--remove", "https://b.example:8443/", "--json"]);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&json).unwrap(),
        serde_json::json!({ "group": 12345, "allowedSites": ["https://crm.example.com"] })
    );
    let groups = run(&server, &["group", "list", "--json"]);
    assert!(groups.contains("https://crm.example.com"), "{groups}");
    for (arguments, sentence) in [
        (
            &["group", "sites", "12345", "--remove", "https://b.example:8443"][..],
            "is not an allowed site of group 12345",
        ),
        (&["group", "sites", "12345", "--add", "http://crm.example.com"], "is no origin"),
        (&["group", "sites", "999", "--add", "https://crm.example.com"], "There is no group 999"),
        (&["sso", "set", "allowed_sites=https://x.example", "--group", "12345"], "sidelight group sites"),
    ] {
        let output = server.command(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(sentence), "{arguments:?}: {said}");
    }
    assert_eq!(frames(&server.get("/login/default.aspx?groupid=12345")), "https://crm.example.com");
    assert_eq!(
        run(&server, &["group", "sites", "77", "--remove", OTHERS]),
        "No site may embed the pages of group 77 in a frame.\n"
    );
}
