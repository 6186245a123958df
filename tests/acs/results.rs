//! Sign-ins that began here, and what a browser gets: text, redirect, message, diagnosis; keys rotated,
//! assertions encrypted; responses judged again.

use sidelight::clock::{Clock, Timestamp};
use sidelight::desk::Desk;
use sidelight::desk::sso::RejudgeSettings;
use sidelight::model::Caller;
use sidelight::protocol::check::Check;
use sidelight::protocol::saml::bindings::RedirectMessage;
use sidelight::store::Mode;

use crate::common::{Answer, Server};
use crate::forge::{Forge, NOW, SP, key_file};
use crate::harness::{
    ACS_PATH, BROWSER, GROUP, about, answering, form_of, latest_code, post, post_to, run, set, signed,
    started, store, unsolicited,
};

const LOGIN: &str = "/account/getloginkey.ASPX?SSO=1&IdpId=12345";
const ACS: &str = "https://sp.example.com/account/GetLoginKey.aspx?sso=1&idpid=12345";
const ACS_PATH_LITERAL: &str = "/account/GetLoginKey.aspx?sso=1&idpid=12345";

/// Begins a sign-in by redirect: the request's document and the browser's cookie.
fn begun(server: &Server, path: &str) -> (String, String, Answer) {
    let answer = server.get(path);
    assert_eq!(answer.status, 302, "{answer:?}");
    let location = answer.header("Location").unwrap().to_owned();
    let (endpoint, query) = location.split_once('?').unwrap();
    assert_eq!(endpoint, "https://idp.example.org/sso");
    let message = RedirectMessage::parse(query).unwrap();
    let request = String::from_utf8(message.document).unwrap();
    let cookie = answer.cookie("sidelight-saml").unwrap();
    (request, cookie.split_once('=').unwrap().1.to_owned(), answer)
}

fn id_of(request: &str) -> String {
    request.split(" ID=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[test]
fn a_sign_in_that_began_here_ends_with_the_login_key_text() {
    let server = started();
    let (request, browser, answer) = begun(&server, LOGIN);
    assert!(request.contains(&ACS.replace('&', "&amp;")) && request.contains(SP), "{request}");
    let cookie = answer.header("Set-Cookie").unwrap();
    assert!(cookie.contains("SameSite=None") && cookie.contains("Secure") && cookie.contains("HttpOnly"));
    let document = answering(&id_of(&request), ACS);
    // Another browser, or none: the answer is not taken, and not used up.
    assert_eq!(post_to(&server, ACS_PATH_LITERAL, &document, None).status, 403);
    assert_eq!(latest_code(&store(server.data())), "in_response_to_unknown");
    assert_eq!(post_to(&server, ACS_PATH_LITERAL, &document, Some(BROWSER)).status, 403);
    let answer = post_to(&server, ACS_PATH_LITERAL, &document, Some(&browser));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.header("Content-Type").unwrap().starts_with("text/plain"));
    let key = answer.body.strip_prefix("partnerid=12345&partneruserid=alice-1~").unwrap().to_owned();
    // The server's own clock runs on; the key that it made is good there.
    let credentials = format!("{{\"partnerid\":12345,\"partneruserid\":\"alice-1\",\"loginkey\":\"{key}\"}}");
    let path = "/services/AuthorizationService.svc/rest/Authorize?groupid=12345&service=&duration=5";
    assert_eq!(server.post_json(path, &credentials).status, 200);
    // The web session answers the next time, without the identity provider.
    let session = answer.cookie("GSSNID").unwrap();
    let again = server.send("GET", LOGIN, &[("Cookie", &session)], b"");
    assert!(again.body.starts_with("partnerid=12345&partneruserid=alice-1~$1$"), "{again:?}");
    let account = server.send("GET", "/account/AccountSummary.aspx", &[("Cookie", &session)], b"");
    assert!(account.body.contains("alice.demo.glance.net"), "{account:?}");
}

#[test]
fn every_selector_finds_the_group() {
    let server = started();
    for selector in [
        "idpid=12345",
        "groupid=12345",
        "idpname=demo",
        "idptoken=demo-account",
        "username=alice.demo.glance.net",
        "idpusername=Alice.Demo.Glance.Net",
    ] {
        let answer = server.get(&format!("/Account/GetLoginKey.aspx?sso=1&{selector}"));
        assert_eq!(answer.status, 302, "{selector}: {answer:?}");
    }
}

#[test]
fn a_request_by_post_is_a_form_that_sends_itself_or_waits_for_a_click() {
    let server = started();
    set(&server, &["endpoint_type=post", "acs_style=url_parameters"]);
    let answer = server.get(&format!("{LOGIN}&redirect=/agentjoin/agentjoin.aspx"));
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("name=\"SAMLRequest\"") && answer.body.contains("type=\"submit\""));
    let policy = answer.header("Content-Security-Policy").unwrap();
    assert!(policy.contains("script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
}

/// A provider that compares the address exactly would refuse an agent whose frame cannot show why.
#[test]
fn embedded_sign_in_asks_to_be_answered_at_the_same_address_whatever_the_style() {
    let server = started();
    set(&server, &["acs_style=url_parameters"]);
    let asked_at = |more: &str| {
        let request = begun(&server, &format!("{LOGIN}{more}")).0;
        let acs = request.split("AssertionConsumerServiceURL=\"").nth(1).unwrap();
        acs.split('"').next().unwrap().to_owned()
    };
    assert!(asked_at("&redirect=/agentjoin/agentjoin.aspx").contains("&amp;redirect="));
    let embedded = asked_at("&mode=embedded&fmt=html");
    assert!(embedded.ends_with("/account/GetLoginKey.aspx?sso=1&amp;idpid=12345"), "{embedded}");
}

#[test]
fn a_redirect_stays_on_this_server() {
    let server = started();
    for (redirect, expected) in [
        ("/agentjoin/agentjoin.aspx", Some("/agentjoin/agentjoin.aspx")),
        ("%2Faccount%2FAccountSummary.aspx%3Fa%3Db", Some("/account/AccountSummary.aspx?a=b")),
        ("https://evil.example/", None),
        ("//evil.example/", None),
        ("/%5Cevil.example/", None),
        ("/%252Fevil.example/", None),
        ("/a%0d%0aSet-Cookie:x=1", None),
        ("/agentjoin/a.aspx%3Fname=ACME%255Cann", Some("/agentjoin/a.aspx?name=ACME%5Cann")),
    ] {
        let (request, browser, _) = begun(&server, &format!("{LOGIN}&redirect={redirect}"));
        let document = answering(&id_of(&request), ACS);
        let answer = post_to(&server, ACS_PATH_LITERAL, &document, Some(&browser));
        assert_eq!(answer.header("Location"), expected, "{redirect}: {answer:?}");
        assert_eq!(answer.status, if expected.is_some() { 303 } else { 200 });
    }
    set(&server, &["idp_initiated_redirect=/agentjoin/agentjoin.aspx"]);
    let answer = post(&server, &signed(&unsolicited()));
    assert_eq!(answer.header("Location"), Some("/agentjoin/agentjoin.aspx"));
}

#[test]
fn the_embedded_result_is_a_message_for_the_allowed_sites_only() {
    let server = started();
    run(&server, &["group", "sites", "12345", "--add", "https://crm.example.com"]);
    let (request, browser, _) = begun(&server, &format!("{LOGIN}&mode=embedded&fmt=html"));
    let answer = post_to(&server, ACS_PATH_LITERAL, &answering(&id_of(&request), ACS), Some(&browser));
    let policy = answer.header("Content-Security-Policy").unwrap();
    assert!(policy.contains("frame-ancestors https://crm.example.com"), "{policy}");
    assert!(
        answer.body.contains("authenticateSucceeded") && answer.body.contains("partneruserid=alice-1~$1$")
    );
    let (request, browser, _) = begun(&server, &format!("{LOGIN}&mode=embedded&fmt=html"));
    let forged = answering(&id_of(&request), ACS).replace("alice@", "mallory@");
    let answer = post_to(&server, ACS_PATH_LITERAL, &forged, Some(&browser));
    assert!(
        answer.body.contains("authenticateFailed") && !answer.body.contains("loginKey"),
        "{}",
        answer.body
    );
}

/// The directive of an answer's policy that says who may frame it.
fn frames(answer: &Answer) -> &str {
    let policy = answer.header("Content-Security-Policy").unwrap();
    policy.split("; ").find(|directive| directive.starts_with("frame-ancestors ")).unwrap()
}

#[test]
fn a_sign_in_that_names_its_group_goes_on_in_a_frame_of_the_groups_sites_and_of_no_other() {
    let server = started();
    run(&server, &["group", "sites", "12345", "--add", "https://crm.example.com"]);
    set(&server, &["endpoint_type=post"]);
    let (ours, none) = ("frame-ancestors https://crm.example.com", "frame-ancestors 'none'");
    for (naming, may) in [
        ("idpid=12345", ours),
        ("idpname=demo", ours),
        ("idptoken=demo-account", ours),
        ("groupid=12345", ours),
        ("idpusername=alice.demo.glance.net", none),
    ] {
        for page in ["/login/default.aspx", "/agentjoin/AgentJoin.aspx", "/account/GetLoginKey.aspx"] {
            let answer = server.get(&format!("{page}?{naming}"));
            assert!(answer.body.contains("name=\"SAMLRequest\""), "{page}?{naming}: {answer:?}");
            assert_eq!(frames(&answer), may, "{page}?{naming}");
        }
        // Refused, and told so.
        let path = format!("/account/GetLoginKey.aspx?sso=1&{naming}");
        let answer = post_to(&server, &path, "<nonsense/>", None);
        assert_eq!((answer.status, frames(&answer)), (403, may), "{naming}: {answer:?}");
    }
    // The Partner ID begins no single sign-on.
    let asked = server.get("/login/default.aspx?partnerid=12345");
    assert!(asked.body.contains("type=\"password\""), "{}", asked.body);
    assert_eq!(frames(&asked), ours);
    // By what the group has, none can begin: refused here, and where it is off, asked for a password.
    set(&server, &["endpoint_url="]);
    let refused = server.get("/login/default.aspx?idpid=12345");
    assert_eq!((refused.status, frames(&refused)), (403, ours), "{refused:?}");
    set(&server, &["method=off"]);
    for naming in ["groupid=12345", "idpid=12345", "idpname=demo", "idptoken=demo-account"] {
        let asked = server.get(&format!("/login/default.aspx?{naming}"));
        assert!(asked.status == 200 && asked.body.contains("type=\"password\""), "{naming}: {asked:?}");
        assert_eq!(frames(&asked), ours);
    }
    assert_eq!(server.get("/account/GetLoginKey.aspx?sso=1&idpid=12345").status, 403);
}

#[test]
fn the_diagnostic_page_shows_the_checks_and_signs_nobody_in() {
    let server = started();
    let path = format!("{ACS_PATH}&test=11");
    let (request, browser, _) = begun(&server, &format!("{LOGIN}&test=11"));
    let answer = post_to(&server, ACS_PATH_LITERAL, &answering(&id_of(&request), ACS), Some(&browser));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains("would succeed") && answer.body.contains("Audience"), "{}", answer.body);
    assert!(answer.cookie("GSSNID").is_none());
    assert!(answer.body.contains("Login key") && answer.body.contains("both are there"), "{}", answer.body);
    // Without a PUID a sign-in with a redirect succeeds, and one that ends in a login key does not.
    run(&server, &["user", "update", "--puid", "alice-1", "--group", "12345", "--new-puid", ""]);
    let (request, browser, _) = begun(&server, &format!("{LOGIN}&test=11"));
    let answer = post_to(&server, ACS_PATH_LITERAL, &answering(&id_of(&request), ACS), Some(&browser));
    let sentence = "the user has no Partner User ID: only a sign-in that ends in a redirect succeeds.";
    assert!(answer.body.contains("would succeed") && answer.body.contains(sentence), "{}", answer.body);
    let refused = post_to(&server, &path, &signed(&unsolicited()), None);
    assert!(refused.body.contains("would be refused: <code>wrong_destination"), "{}", refused.body);
    // Among the attempts, tests are told from sign-ins.
    post(&server, &signed(&unsolicited()));
    post(&server, "<nonsense/>");
    let attempts = store(server.data()).read(|r| r.saml_attempts(GROUP, 9)).unwrap();
    let tests: Vec<bool> = attempts.iter().map(|attempt| attempt.test).collect();
    assert_eq!(tests, [false, false, true, true, true]);
}

#[test]
fn a_test_of_what_is_not_complete_says_what_is_missing() {
    let server = started();
    set(&server, &["endpoint_url="]);
    let page = server.get(&format!("{LOGIN}&test=11"));
    assert_eq!(page.status, 200);
    assert!(page.body.contains("would be refused: <code>sso_without_endpoint"), "{}", page.body);
    assert_eq!(server.get(LOGIN).status, 403);
}

#[test]
fn a_refused_test_can_be_run_again_at_once() {
    let server = started();
    let (_, browser, _) = begun(&server, &format!("{LOGIN}&test=11"));
    let refused = || post_to(&server, ACS_PATH_LITERAL, "<x/>", Some(&browser)).body;
    assert!(refused().contains("would be refused"));
    let cookie = format!("sidelight-saml={browser}");
    server.send("GET", &format!("{LOGIN}&test=11"), &[("Cookie", &cookie)], b"");
    assert!(refused().contains("would be refused"));
}

#[test]
fn of_several_requests_the_handle_tells_which_was_a_test() {
    let server = started();
    let (_, browser, _) = begun(&server, LOGIN);
    let cookie = format!("sidelight-saml={browser}");
    let answer = server.send("GET", &format!("{LOGIN}&test=11"), &[("Cookie", &cookie)], b"");
    let handle = answer.header("Location").unwrap().split("RelayState=").nth(1).unwrap();
    let form = format!("{}&RelayState={handle}", form_of("<x/>"));
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", cookie.as_str())];
    let answer = server.send("POST", ACS_PATH_LITERAL, &headers, form.as_bytes());
    assert!(answer.body.contains("would be refused"), "{}", answer.body);
}

#[test]
fn the_diagnostic_page_never_says_whether_an_unsigned_ciphertext_decrypts() {
    let server = started();
    let certificate = crate::forge::der(&run(&server, &["sso", "own-key", "make", "--group", "12345"]));
    let foreign = crate::forge::der(&key_file("sp.cert.pem"));
    let (_, browser, _) = begun(&server, &format!("{LOGIN}&test=11"));
    let parts = unsolicited();
    for (certificate, kept) in [(certificate, "unsigned"), (foreign, "decryption_failed")] {
        let data =
            sidelight::protocol::xml::make::encrypt_element(&parts.assertion_with("", ""), &certificate);
        let holder = format!("<saml:EncryptedAssertion>{}</saml:EncryptedAssertion>", data.unwrap());
        let document = parts.response_with("_r1", "", "", &holder);
        let page = post_to(&server, ACS_PATH, &document, Some(&browser)).body;
        assert!(page.contains("would be refused: <code>decryption_failed"), "{page}");
        for hidden in ["alice", "Signature coverage", "Bearer confirmation", "Audience"] {
            assert!(!page.contains(hidden), "{hidden}: {page}");
        }
        assert_eq!(latest_code(&store(server.data())), kept);
    }
}

#[test]
fn keys_are_changed_without_anyone_noticing() {
    let server = started();
    assert_eq!(post(&server, &signed(&unsolicited())).status, 200);
    let shown = run(&server, &["sso", "show", "--group", "12345", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let keys = shown["keys"].as_array().unwrap();
    assert!(keys[0]["used_at"].is_null() && keys[1]["used_at"].is_string(), "{keys:?}");
    let old = keys[0]["fingerprint"].as_str().unwrap();
    run(&server, &["sso", "key", "remove", old, "--group", "12345"]);
    assert_eq!(post(&server, &signed(&unsolicited())).status, 200);
}

#[test]
fn encrypted_saml_takes_our_certificate_and_refuses_the_clear() {
    let server = started();
    let pem = run(&server, &["sso", "own-key", "make", "--group", "12345"]);
    set(&server, &["method=encrypted_saml"]);
    let certificate = crate::forge::der(&pem);
    let metadata = server.get("/saml/metadata?idpid=12345");
    assert_eq!(metadata.status, 200);
    let shown: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    assert!(metadata.body.contains(&shown) && metadata.body.contains("use=\"encryption\""));
    let encrypted = |certificate: &[u8]| {
        let parts = unsolicited();
        let assertion = Forge::shared().sign(&parts.assertion(), &parts.assertion_id);
        let data = sidelight::protocol::xml::make::encrypt_element(&assertion, certificate).unwrap();
        parts.response_with(
            "_r1",
            "",
            "",
            &format!("<saml:EncryptedAssertion>{data}</saml:EncryptedAssertion>"),
        )
    };
    assert_eq!(post(&server, &encrypted(&certificate)).status, 200);
    assert_eq!(post(&server, &signed(&unsolicited())).status, 403);
    assert_eq!(latest_code(&store(server.data())), "encryption_required");
    // The next pair stands in the metadata; the one before still decrypts until it is removed.
    let next = crate::forge::der(&run(&server, &["sso", "own-key", "make", "--group", "12345"]));
    assert_eq!(post(&server, &encrypted(&certificate)).status, 200);
    assert_eq!(post(&server, &encrypted(&next)).status, 200);
    // Newest first; both were noted, so that an administrator sees when the old one is out of use.
    let shown: serde_json::Value =
        serde_json::from_str(&run(&server, &["sso", "show", "--json", "--group", "12345"])).unwrap();
    let own = shown["own_keys"].as_array().unwrap();
    assert_eq!(own.iter().map(|key| &key["position"]).collect::<Vec<_>>(), [2, 1]);
    assert!(own.iter().all(|key| key["used_at"].is_string()), "{own:?}");
    run(&server, &["sso", "own-key", "remove", "1", "--group", "12345"]);
    assert_eq!(post(&server, &encrypted(&certificate)).status, 403);
    assert_eq!(latest_code(&store(server.data())), "decryption_failed");
    let foreign = crate::forge::der(&key_file("sp.cert.pem"));
    assert_eq!(post(&server, &encrypted(&foreign)).status, 403);
}

#[test]
fn triple_des_is_a_switch_that_its_refusal_and_our_metadata_name() {
    let server = started();
    let certificate = crate::forge::der(&run(&server, &["sso", "own-key", "make", "--group", "12345"]));
    let parts = unsolicited();
    let assertion = Forge::shared().sign(&parts.assertion(), &parts.assertion_id);
    let data = sidelight::protocol::xml::make::encrypt_element(&assertion, &certificate).unwrap();
    let begin = data.find("http://www.w3.org/2009/xmlenc11#aes").unwrap();
    let end = begin + data[begin..].find('"').unwrap();
    let data = data.replace(&data[begin..end], "http://www.w3.org/2001/04/xmlenc#tripledes-cbc");
    let holder = format!("<saml:EncryptedAssertion>{data}</saml:EncryptedAssertion>");
    let document = parts.response_with("_r1", "", "", &holder);
    let metadata = || server.get("/saml/metadata?idpid=12345").body;
    let methods = metadata();
    let place = |name: &str| methods.find(name).unwrap_or_else(|| panic!("no {name} in {methods}"));
    assert!(place("#aes256-gcm") < place("#aes256-cbc") && !methods.contains("tripledes"), "{methods}");
    assert_eq!(post(&server, &document).status, 403);
    assert_eq!(latest_code(&store(server.data())), "decryption_3des");
    let said = run(&server, &["sso", "attempts", "--group", "12345"]);
    assert!(said.contains("“Take Triple DES encryption” under “For old identity providers”"), "{said}");
    set(&server, &["allow_3des=true"]);
    assert!(metadata().contains("#tripledes-cbc"));
    let shown = run(&server, &["sso", "show", "--group", "12345"]);
    assert!(shown.contains("Triple DES is not authenticated"), "{shown}");
    // It is tried now; the key inside is one of AES.
    assert_eq!(post(&server, &document).status, 403);
    assert_eq!(latest_code(&store(server.data())), "decryption_failed");
}

#[test]
fn a_kept_response_is_judged_again_and_signs_nobody_in() {
    let server = started();
    set(&server, &["keep_responses=true", "entity_id=somebody.else"]);
    assert_eq!(post(&server, &signed(&unsolicited())).status, 403);
    assert_eq!(latest_code(&store(server.data())), "wrong_audience");
    let clock = Clock::system();
    clock.set_now(Timestamp::parse(NOW).unwrap());
    let desk = Desk::open(server.data(), Mode::Lab, clock.clone()).unwrap();
    let host = Caller::host();
    let judged = |now: Option<&str>, entity_id: Option<&str>| {
        let fields = entity_id.map(|id| ("entity_id".to_owned(), id.to_owned()));
        let now = now.map(|now| Timestamp::parse(now).unwrap());
        let settings = RejudgeSettings { now, fields: fields.into_iter().collect() };
        let rejudged = desk.sso.rejudge_sso(&host, GROUP, 1, &settings)?;
        Ok::<_, sidelight::error::Error>(rejudged.reject.map(|(code, _)| code))
    };
    assert_eq!(judged(None, None).unwrap(), Some("wrong_audience"));
    assert_eq!(judged(None, Some(SP)).unwrap(), None);
    // Twice: nothing was used up.
    assert_eq!(judged(None, Some(SP)).unwrap(), None);
    assert_eq!(judged(Some("2026-02-01T13:00:00Z"), Some(SP)).unwrap(), Some("confirmation_expired"));
    clock.set_now(Timestamp::parse("2026-02-02T12:30:00Z").unwrap());
    assert_eq!(judged(None, None).unwrap_err().code, "response_not_kept");
}

#[test]
fn judging_again_gives_each_check_the_number_that_it_had() {
    let server = started();
    set(&server, &["keep_responses=true"]);
    let create = ["user", "create", "--address", "bob.demo.glance.net", "--group", "12345"];
    run(&server, &[&create[..], &["--email", "bob@example.com"]].concat());
    assert_eq!(post(&server, &signed(&unsolicited())).status, 200);
    // One that came as far as the login key, which judging again does not make.
    assert_eq!(post(&server, &signed(&about("bob@example.com", "_again1"))).status, 403);
    let clock = Clock::system();
    clock.set_now(Timestamp::parse(NOW).unwrap());
    let desk = Desk::open(server.data(), Mode::Lab, clock).unwrap();
    let host = Caller::host();
    let numbered = |checks: &[Check]| checks.iter().map(|c| (c.number, c.name.clone())).collect::<Vec<_>>();
    for attempt in desk.sso.sso_attempts(&host, GROUP).unwrap() {
        let (_, first) = desk.sso.sso_attempt(&host, GROUP, attempt.id).unwrap();
        let settings = RejudgeSettings { now: None, fields: vec![] };
        let again = desk.sso.rejudge_sso(&host, GROUP, attempt.id, &settings).unwrap();
        assert_eq!(again.reject, None);
        let (first, again) = (numbered(&first), numbered(&again.checks));
        assert!(again.starts_with(&first), "attempt {}: {first:?} became {again:?}", attempt.id);
    }
}

#[test]
fn a_group_that_is_posted_to_a_service_target_begins_its_sign_in_as_in_the_query() {
    let server = started();
    for (form, query) in [("name=Ann+Lee&idpid=12345&SessionKey=4711", ""), ("name=Ann", "?idpid=12345")] {
        let answer = server.post_form(&format!("/agentjoin/AgentView.aspx{query}"), form);
        assert_eq!(answer.status, 302, "{answer:?}");
        assert!(answer.header("Location").unwrap().starts_with("https://idp.example.org/sso?"), "{answer:?}");
    }
    // Where it comes back to has what was asked for, and nothing that proves who somebody is.
    let targets: Vec<String> = {
        let database = rusqlite::Connection::open(server.data().join("sidelight.db")).unwrap();
        let mut statement = database.prepare("SELECT target FROM saml_requests ORDER BY created_at").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert!(targets[0].contains("name=Ann+Lee") && targets[0].contains("SessionKey=4711"), "{targets:?}");
    let posted = "idpid=12345&password=secret-of-ann";
    assert_eq!(server.post_form("/agentjoin/AgentJoin.aspx", posted).status, 302);
    let bytes = std::fs::read(server.data().join("sidelight.db-wal")).unwrap();
    assert!(!bytes.windows(13).any(|part| part == b"secret-of-ann"));
}
