//! Signing in through the real binary: every carrier, the web services, the pages, and who is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Answer, Server};

const AUTHORIZE: &str = "/services/AuthorizationService.svc/rest/Authorize";
const PUBLISHED: [(&str, &str); 4] = [
    ("2020-07-05T00:00:00Z", "$1$1593908430$Wf7vDWWv1Ci5VrcUvtWuJh_jLgZIfectGUPkg6DbZws"),
    ("2020-07-05T00:00:00Z", "$1$1593908590$XCD2ygOUWB892h1xVRy7X0DkUf0w-J8DwnZOWXWCAoY"),
    ("2020-07-05T00:00:00Z", "$1$1593908675$cwgx4A5akR6jkKMODEvNOzucjenBMQdP2aD-1wz0msc"),
    ("2020-08-16T12:00:00Z", "$1$1597595372$GR4bRX693m72g5Vttn5g2TyQsfy4Si6IvbESFs2PFLI"),
];
const KEY: &str = PUBLISHED[0].1;
const PUID: &str = "uniqueUserIdentifier";

fn lab() -> Server {
    let server = Server::lab();
    server.set_clock(PUBLISHED[0].0);
    server
}

fn json_of(key: &str) -> String {
    format!(r#"{{"partnerid":12345,"partneruserid":"{PUID}","loginkey":"{key}"}}"#)
}

/// The bare JSON string that the SDKs want: a token of three parts.
#[track_caller]
fn token(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.json().as_str().unwrap().to_owned();
    assert_eq!(token.split('.').count(), 3);
    token
}

#[test]
fn the_published_login_keys_get_a_token() {
    let server = Server::lab();
    for (clock, key) in PUBLISHED {
        server.set_clock(clock);
        token(
            &server.post_json(
                &format!("{AUTHORIZE}?groupid=12345&service=presence&duration=120"),
                &json_of(key),
            ),
        );
    }
}

#[test]
fn every_carrier_of_a_login_key_is_read() {
    let server = lab();
    let address = demo_address(&server);
    let pair = format!("partnerid=12345&partneruserid={PUID}");
    for query in [
        format!("{pair}&loginkey={KEY}"),
        format!("PARTNERID=12345&PartnerUserId={PUID}&LoginKey={}", KEY.replace('$', "%24")),
        format!("{pair}~{KEY}"),
        format!("partneruserid={PUID}&partnerid=12345~{KEY}"),
        format!("PartnerUserId={PUID}&PARTNERID=12345%7E{}", KEY.replace('$', "%24")),
        format!("partneruserid={PUID}&partnerid=12345&loginkey={KEY}"),
        format!("username={address}&loginkey={}", address_key(&server, &address)),
        format!("username={address}~{KEY}"),
        format!("loginkey={pair}~{KEY}").replacen(
            "loginkey=partnerid=12345&",
            "loginkey=partnerid%3D12345%26",
            1,
        ),
    ] {
        token(&server.get(&format!("{AUTHORIZE}?{query}")));
        token(&server.post_form(AUTHORIZE, &query));
    }
    for header in [
        format!("Bearer GKEY 12345&{PUID}&{KEY}"),
        format!("Bearer GKEY {address}~{KEY}"),
        format!("Bearer GKEY {pair}~{KEY}"),
    ] {
        token(&server.send("POST", AUTHORIZE, &[("Authorization", &header)], b""));
    }
    let upper = format!(r#"{{"PARTNERID":"12345","PartnerUserID":"{PUID}","LOGINKEY":"{KEY}"}}"#);
    token(&server.post_json(AUTHORIZE, &upper));
    token(&server.send("POST", AUTHORIZE, &[("Content-Type", "text/plain")], json_of(KEY).as_bytes()));
    token(&server.post_json(AUTHORIZE, &format!("\u{feff}{}", json_of(KEY))));
    let long = format!("{}{}", " ".repeat(100 * 1024), json_of(KEY));
    token(&server.post_json(AUTHORIZE, &long));
    assert_eq!(server.post_json("/api/v0/authorize", &long).status, 200);
    for pairs in [pair, format!("partneruserid={PUID}&partnerid=12345")] {
        let page = server.get(&format!("/agentjoin/AgentJoin.aspx?{pairs}~{KEY}"));
        assert!(page.header("Set-Cookie").is_some_and(|cookie| cookie.starts_with("GSSNID=")), "{pairs}");
    }
}

#[test]
fn refusals_say_only_401_or_403_and_give_an_incident() {
    let server = lab();
    let refused = |answer: Answer| {
        let document = answer.json();
        assert!(document["error"]["incident"].as_str().is_some_and(|code| code.len() == 9), "{answer:?}");
        (
            answer.status,
            document["error"]["code"].as_str().unwrap().to_owned(),
            document["error"]["message"].clone(),
        )
    };
    let body = |group: &str, puid: &str, key: &str| {
        format!(r#"{{"partnerid":"{group}","partneruserid":"{puid}","loginkey":"{key}"}}"#)
    };
    let forged = KEY.replace("Wf7", "Wf8");
    let first = refused(server.post_json(AUTHORIZE, &body("12345", PUID, &forged)));
    assert_eq!((first.0, first.1.as_str()), (401, "sign_in_refused"));
    for other in [
        body("999", PUID, KEY),
        body("12345", "nobody", KEY),
        body("12345", PUID, "nonsense"),
        body("x", PUID, KEY),
        body("12345", PUID, &KEY[1..]),
        "{}".into(),
        r#"{"username":"nobody","password":"x"}"#.into(),
        r#"{"gssnid":"1.2.3"}"#.into(),
    ] {
        assert_eq!(refused(server.post_json(AUTHORIZE, &other)), first, "{other}");
    }
    assert_eq!(refused(server.post_json(&format!("{AUTHORIZE}?groupid=72"), &json_of(KEY))).0, 403);
    for wrong in ["duration=121", "duration=x", "service=a%20b", "groupid=-1"] {
        assert_eq!(server.post_json(&format!("{AUTHORIZE}?{wrong}"), &json_of(KEY)).status, 400, "{wrong}");
    }
    assert_eq!(server.post_json(AUTHORIZE, "{").status, 400);
}

#[test]
fn other_origins_may_authorize_and_may_not_use_the_web_session() {
    let server = lab();
    let origin = ("Origin", "https://crm.example.com");
    let preflight = server.send(
        "OPTIONS",
        AUTHORIZE,
        &[
            origin,
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "content-type"),
        ],
        b"",
    );
    assert_eq!(preflight.status, 204);
    assert!(preflight.header("Access-Control-Allow-Headers").unwrap().contains("Content-Type"));
    assert!(preflight.header("Access-Control-Allow-Methods").unwrap().contains("POST"));
    let json = ("Content-Type", "application/json");
    for (body, status) in [(json_of(KEY), 200), (json_of("x"), 401), ("{".into(), 400)] {
        let answer = server.send("POST", AUTHORIZE, &[origin, json], body.as_bytes());
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("Access-Control-Allow-Origin"), Some(origin.1));
        assert_eq!(answer.header("Access-Control-Allow-Credentials"), Some("true"));
        assert!(answer.cookie("GSSNID").is_none());
    }
    let page =
        server.get(&format!("/agentjoin/AgentJoin.aspx?partnerid=12345&partneruserid={PUID}&loginkey={KEY}"));
    let cookie = page.cookie("GSSNID").unwrap();
    let from_web_session = format!("{AUTHORIZE}FromWebSession?service=presence");
    let with = |more: &[(&str, &str)]| {
        let headers = [&[("Cookie", cookie.as_str())], more].concat();
        server.send("POST", &from_web_session, &headers, b"")
    };
    token(&with(&[]));
    token(&with(&[("Origin", &server.url), ("Sec-Fetch-Site", "same-origin")]));
    // A page that sends no referrer has its posts sent with this origin.
    token(&with(&[("Origin", "null"), ("Sec-Fetch-Site", "same-origin")]));
    for foreign in [origin, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "none"), ("Origin", "null")]
    {
        let answer = with(&[foreign]);
        assert_eq!(answer.status, 403, "{foreign:?}");
        assert!(answer.header("Access-Control-Allow-Origin").is_none());
    }
    assert_eq!(server.post_json(&from_web_session, "").status, 401);
    // The cookie proves nothing at Authorize, where any origin may call.
    assert_eq!(server.send("POST", AUTHORIZE, &[("Cookie", &cookie)], b"").status, 401);
}

#[test]
fn a_browser_gets_a_web_session_and_a_page_that_is_honest() {
    let server = lab();
    let form =
        format!("WAIT=1&LOGINKEY={KEY}&PARTNERID=12345&PARTNERUSERID={PUID}&SESSIONKEY=4711&WINDOWNAME=x");
    let page = server.post_form("/AgentJoin/agentview.ASPX", &form);
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains("4711") && page.body.contains("glancepanorama://agentjoin/"), "{}", page.body);
    let set = page.header("Set-Cookie").unwrap();
    assert!(set.contains("HttpOnly") && set.contains("Path=/") && set.contains("SameSite=Lax"), "{set}");
    assert!(!set.contains("Domain"), "{set}");
    let cookie = page.cookie("GSSNID").unwrap();
    let again = server.send("GET", "/agentjoin/AgentView.aspx?SessionKey=1", &[("Cookie", &cookie)], b"");
    assert!(again.body.contains("Signed in as"), "{}", again.body);
    let start = server.get(&format!("/agent/start?partnerid=12345&partneruserid={PUID}&loginkey={KEY}"));
    assert!(start.body.contains("glance://startssn/"), "{}", start.body);
    let asked = server.get("/agentjoin/AgentView.aspx?SessionKey=47%3C11&name=Ann");
    assert!(asked.body.contains("type=\"password\"") && asked.body.contains("47&lt;11"), "{}", asked.body);
    let forged =
        server.get(&format!("/agentjoin/AgentView.aspx?partnerid=12345&partneruserid={PUID}&loginkey=x"));
    assert_eq!(forged.status, 401);
    assert!(forged.body.contains("authenticateFailed") && forged.cookie("GSSNID").is_none());
    let out = server.send("POST", "/login/signout.aspx", &[("Cookie", &cookie)], b"");
    assert_eq!(out.status, 303);
    let gone = server.send("GET", "/agentjoin/AgentJoin.aspx", &[("Cookie", &cookie)], b"");
    assert!(gone.body.contains("type=\"password\""), "{}", gone.body);
}

/// Our pages send no referrer, so a browser sends their forms with `Origin: null`.
#[test]
fn a_browser_signs_out_from_our_own_pages_and_no_other_site_signs_it_out() {
    let server = lab();
    let sign_in = || {
        server.get(&format!("/agentjoin/AgentJoin.aspx?partnerid=12345&partneruserid={PUID}&loginkey={KEY}"))
    };
    let sign_out = |cookie: &str, headers: &[(&str, &str)]| {
        server.send("POST", "/login/signout.aspx", &[&[("Cookie", cookie)], headers].concat(), b"")
    };
    let is_signed_in = |cookie: &str| {
        server
            .send("GET", "/agentjoin/AgentJoin.aspx", &[("Cookie", cookie)], b"")
            .body
            .contains("Signed in as")
    };
    let own = server.url.clone();
    for headers in [
        &[("Origin", "null"), ("Sec-Fetch-Site", "same-origin")][..],
        &[("Origin", own.as_str()), ("Sec-Fetch-Site", "same-origin")],
        &[("Origin", own.as_str())],
        &[],
    ] {
        let cookie = sign_in().cookie("GSSNID").unwrap();
        let out = sign_out(&cookie, headers);
        assert_eq!(out.status, 303, "{headers:?}: {out:?}");
        assert_eq!(out.cookie("GSSNID").as_deref(), Some("GSSNID="), "{headers:?}");
        assert!(!is_signed_in(&cookie), "{headers:?}");
    }
    let cookie = sign_in().cookie("GSSNID").unwrap();
    for headers in [
        &[("Origin", "null"), ("Sec-Fetch-Site", "cross-site")][..],
        &[("Origin", own.as_str()), ("Sec-Fetch-Site", "same-site")],
        &[("Origin", "https://evil.example")],
        &[("Origin", "null")],
    ] {
        assert_eq!(sign_out(&cookie, headers).status, 403, "{headers:?}");
        assert!(is_signed_in(&cookie), "{headers:?}");
    }
}

#[test]
fn a_cookie_that_is_set_in_a_frame_is_kept_apart_and_signing_out_ends_both_kinds() {
    let server = Server::start(&["--lab", "--plain-http", "--trusted-proxies", "127.0.0.1"]);
    server.set_clock(PUBLISHED[0].0);
    let secure = ("X-Forwarded-Proto", "https");
    let sign_in = |dest: &str| {
        let path = format!("/agentjoin/AgentJoin.aspx?partnerid=12345&partneruserid={PUID}&loginkey={KEY}");
        let answer = server.send("GET", &path, &[secure, ("Sec-Fetch-Dest", dest)], b"");
        (answer.header("Set-Cookie").unwrap().to_owned(), answer.cookie("GSSNID").unwrap())
    };
    for (dest, partitioned) in [("document", false), ("", false), ("iframe", true), ("frame", true)] {
        let (set, _) = sign_in(dest);
        assert_eq!(set.contains("; Partitioned"), partitioned, "{dest}: {set}");
        assert!(set.contains("; Secure"), "{dest}: {set}");
    }
    let (outside, framed) = (sign_in("document").1, sign_in("iframe").1);
    let both = format!("{framed}; {outside}");
    let headers = [secure, ("Cookie", both.as_str()), ("Sec-Fetch-Site", "same-origin")];
    let out = server.send("POST", "/login/signout.aspx", &headers, b"");
    let cleared: Vec<_> = out.headers.iter().filter(|(name, _)| name == "set-cookie").collect();
    assert!(cleared.iter().all(|(_, cookie)| cookie.contains("Max-Age=0")), "{out:?}");
    let partitioned: Vec<_> = cleared.iter().map(|(_, cookie)| cookie.contains("; Partitioned")).collect();
    assert_eq!(partitioned, [false, true]);
    for cookie in [&outside, &framed] {
        let page = server.send("GET", "/agentjoin/AgentJoin.aspx", &[("Cookie", cookie)], b"");
        assert!(page.body.contains("type=\"password\""), "{}", page.body);
    }
}

#[test]
fn suspending_the_user_kills_key_token_and_web_session_at_once() {
    let server = lab();
    let page =
        server.get(&format!("/agentjoin/AgentJoin.aspx?partnerid=12345&partneruserid={PUID}&loginkey={KEY}"));
    let cookie = page.cookie("GSSNID").unwrap();
    let told = |state: &str| {
        let out = server.command(&["user", state, "--group", "12345", "--puid", PUID]);
        String::from_utf8(out.stdout).unwrap()
    };
    assert!(told("suspend").ends_with(" is suspended.\n"));
    assert!(told("reinstate").ends_with(" is reinstated.\n"));
    let out = server.command(&["user", "suspend", "--group", "12345", "--puid", PUID]);
    assert!(out.status.success(), "{out:?}");
    assert_eq!(server.post_json(AUTHORIZE, &json_of(KEY)).status, 403);
    let from_web_session = format!("{AUTHORIZE}FromWebSession");
    let answer = server.send("POST", &from_web_session, &[("Cookie", &cookie)], b"");
    assert!(matches!(answer.status, 401 | 403), "{answer:?}");
}

#[test]
fn a_member_who_is_taken_away_and_made_again_has_no_session_of_before() {
    let server = lab();
    let page =
        server.get(&format!("/agentjoin/AgentJoin.aspx?partnerid=12345&partneruserid={PUID}&loginkey={KEY}"));
    let cookie = page.cookie("GSSNID").unwrap();
    let address = demo_address(&server);
    let run = |arguments: &[&str]| {
        let out = server.command(arguments);
        assert!(out.status.success(), "{arguments:?}: {out:?}");
    };
    let status = || {
        let from_web_session = format!("{AUTHORIZE}FromWebSession");
        server.send("POST", &from_web_session, &[("Cookie", &cookie)], b"").status
    };
    assert_eq!(status(), 200);
    run(&["group", "create", "7", "--name", "Seven"]);
    run(&["user", "add-to-group", "--group", "7", "--address", &address]);
    run(&["user", "delete", "--group", "12345", "--puid", PUID]);
    assert_eq!(status(), 401);
    run(&["user", "add-to-group", "--group", "12345", "--address", &address, "--puid", PUID]);
    assert_eq!(status(), 401);
    token(&server.post_json(AUTHORIZE, &json_of(KEY)));
}

#[test]
fn validate_user_lets_a_user_of_several_groups_name_one() {
    let server = lab();
    let address = demo_address(&server);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "correct-Horse-7-battery").unwrap();
    for arguments in [
        &["group", "create", "7", "--name", "Seven"][..],
        &["user", "add-to-group", "--group", "7", "--address", &address],
        &[
            "user",
            "password",
            "--group",
            "12345",
            "--puid",
            PUID,
            "--password-from",
            &format!("file:{}", file.path().display()),
        ],
    ] {
        let out = server.command(arguments);
        assert!(out.status.success(), "{arguments:?}: {out:?}");
    }
    let service = "/services/ProvisioningService.asmx";
    let form = format!("username={address}&password=correct-Horse-7-battery");
    let soap = |group: &str| {
        format!(
            r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><ValidateUser><username>{address}</username><password>correct-Horse-7-battery</password>{group}</ValidateUser></s:Body></s:Envelope>"#
        )
    };
    for (query, body, status) in [
        ("", form.clone(), 400),
        ("", format!("{form}&groupid=x"), 400),
        ("", format!("{form}&groupid=7"), 200),
        ("?GroupID=7", form, 200),
        // SOAP 1.1 section 6.2.
        ("", soap(""), 500),
        ("", soap("<GroupId>7</GroupId>"), 200),
        ("?groupid=7", soap(""), 200),
    ] {
        for path in [service.to_owned(), format!("{service}/ValidateUser")] {
            let answer = server.post_form(&format!("{path}{query}"), &body);
            assert_eq!(answer.status, status, "{query} {body}: {answer:?}");
            assert_eq!(answer.body.contains("<groupId>7</groupId>"), status == 200, "{answer:?}");
        }
    }
}

#[test]
fn a_web_session_ends_when_it_was_not_used_for_as_long_as_is_configured() {
    let server = Server::start(&["--lab", "--plain-http", "--web-session-minutes", "5"]);
    server.set_clock(PUBLISHED[0].0);
    let page =
        server.get(&format!("/agentjoin/AgentJoin.aspx?partnerid=12345&partneruserid={PUID}&loginkey={KEY}"));
    let cookie = page.cookie("GSSNID").unwrap();
    let from_web_session = format!("{AUTHORIZE}FromWebSession");
    for (clock, status) in
        [("2020-07-05T00:04:00Z", 200), ("2020-07-05T00:08:00Z", 200), ("2020-07-05T00:15:00Z", 401)]
    {
        server.set_clock(clock);
        let answer = server.send("POST", &from_web_session, &[("Cookie", &cookie)], b"");
        assert_eq!(answer.status, status, "{clock}: {answer:?}");
    }
}

#[test]
fn the_newer_api_answers_the_published_object() {
    let server = lab();
    let answer =
        server.post_json("/api/v0/authorize?service=webservices&duration=90&site=production", &json_of(KEY));
    assert_eq!(answer.status, 200, "{answer:?}");
    let object = answer.json();
    let names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    let mut published = [
        "VServer",
        "applicationSettings",
        "authTokeExp",
        "authToken",
        "coloSelectUrl",
        "glanceAddress",
        "groupId",
        "gssnId",
        "isTrial",
        "message",
        "planTimeout",
        "planTitle",
        "privilegeString",
        "service",
    ];
    published.sort_unstable();
    let mut names = names;
    names.sort_unstable();
    assert_eq!(names, published);
    assert_eq!((object["groupId"].as_i64(), object["service"].as_i64()), (Some(12345), Some(9)));
    let session = object["gssnId"].as_str().unwrap();
    assert!(object["privilegeString"].as_str().unwrap().starts_with(&format!("gssnId:{session};personId:")));
    token(&server.post_json(AUTHORIZE, &format!(r#"{{"gssnid":"{session}"}}"#)));
    let header = [("X-GSSNID", session)];
    token(&server.send("POST", AUTHORIZE, &header, b""));
    token(&server.send("POST", AUTHORIZE, &[("Authorization", &format!("Bearer GSSNID {session}"))], b""));
}

fn demo_address(server: &Server) -> String {
    let answer = server.post_json("/api/v0/authorize", &json_of(KEY)).json();
    answer["glanceAddress"].as_str().unwrap().to_owned()
}

/// A login key that was made with the Glance Address in place of the PUID.
fn address_key(server: &Server, address: &str) -> String {
    let arguments = ["login-key", "new", "--group", "12345", "--puid", address, "--now", PUBLISHED[0].0];
    let out = server.command(&arguments);
    assert!(out.status.success(), "{out:?}");
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}
