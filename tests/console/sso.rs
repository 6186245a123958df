//! SSO Configure: fields, metadata shown before it is saved, keys of both sides, attempts judged again.

use crate::browser::{Browser, administrator, claimed, text_of};
use crate::common::{Answer, Server};

const SSO: &str = "/console/groups/7/sso";

fn certificate(name: &str) -> String {
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/saml/keys/");
    std::fs::read_to_string(format!("{keys}{name}")).unwrap()
}

fn metadata() -> String {
    let pem = certificate("idp.cert.pem");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"https://idp.example.org/metadata\">\
         <md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
         <md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data>\
         <ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>\
         <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
         Location=\"https://idp.example.org/sso\"/></md:IDPSSODescriptor></md:EntityDescriptor>"
    )
}

/// Uploads a metadata file as the page's form does.
fn uploaded(browser: &Browser<'_>, file: &str) -> Answer {
    browser.get(SSO);
    let token = browser.token.borrow().clone();
    let part = |name: &str, more: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{value}\r\n")
    };
    let body = [
        part("form_token", "", &token),
        part("metadata_file", "; filename=\"idp.xml\"", file),
        part("metadata_text", "", ""),
        part("entity", "", ""),
        "--b--\r\n".to_owned(),
    ]
    .concat();
    let headers = [("Content-Type", "multipart/form-data; boundary=b"), ("Sec-Fetch-Site", "same-origin")];
    browser.send("POST", &format!("{SSO}/metadata"), &headers, body.as_bytes())
}

#[test]
fn an_upload_is_shown_before_it_is_saved_and_keys_are_changed() {
    let server = Server::lab();
    let browser = administrator(&claimed(&server));
    let preview = uploaded(&browser, &metadata());
    let said = text_of(&preview.body);
    assert_eq!(preview.status, 200, "{said}");
    assert!(said.contains("https://idp.example.org/sso") && said.contains("Keys that come in"), "{said}");
    assert!(!text_of(&browser.get(SSO).body).contains("idp.example.org"), "nothing is saved yet");
    let file = preview.body.split("name=\"file\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    browser.submit(&format!("{SSO}/metadata/save"), &[("file", file), ("entity", "")]);
    let page = browser.get(SSO);
    assert!(page.body.contains("value=\"https://idp.example.org/sso\""), "{}", text_of(&page.body));
    assert!(text_of(&uploaded(&browser, &metadata()).body).contains("configured already"));
    assert_eq!(uploaded(&browser, "<html/>").status, 400);

    let pem = certificate("idp-ec.cert.pem");
    browser.submit(&format!("{SSO}/keys"), &[("certificate", &pem)]);
    let nonsense = [("certificate", "nonsense")];
    // At its field, with what was typed.
    browser.refused(&format!("{SSO}/keys"), &nonsense, 400, "href=\"#f-certificate\"");
    browser.refused(&format!("{SSO}/keys"), &nonsense, 400, "nonsense</textarea>");
    let page = browser.get(SSO);
    assert!(page.body.contains("ECDSA P-256"));
    let fingerprint = page
        .body
        .split("name=\"fingerprint\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    browser.submit(&format!("{SSO}/keys/remove"), &[("fingerprint", &fingerprint)]);
    assert!(!browser.get(SSO).body.contains(&fingerprint));
    let page = browser.submit(&format!("{SSO}/own-keys"), &[]);
    assert!(text_of(&page.body).contains("Certificate, Base64"));
    browser.submit(&format!("{SSO}/own-keys/remove"), &[("number", "1")]);

    // While single sign-on is on, the last key is not taken from under it.
    browser.submit(&format!("{SSO}/own-keys"), &[]);
    browser.submit(SSO, &[("method", "encrypted_saml")]);
    browser.refused(&format!("{SSO}/own-keys/remove"), &[("number", "2")], 409, "This is the only key pair");
    let last = browser.get(SSO).body.split("name=\"fingerprint\" value=\"").nth(1).unwrap()[..64].to_owned();
    let last = [("fingerprint", last.as_str())];
    browser.refused(&format!("{SSO}/keys/remove"), &last, 409, "This is the only key:");
    browser.refused(&format!("{SSO}/keys/remove"), &last, 409, "<h1>SSO Configure</h1>");
    browser.submit(SSO, &[("method", "off")]);
    browser.submit(&format!("{SSO}/own-keys/remove"), &[("number", "2")]);
    browser.submit(&format!("{SSO}/keys/remove"), &last);
}

#[test]
fn a_field_that_breaks_its_rule_is_named_and_nothing_is_saved() {
    let server = Server::lab();
    let browser = administrator(&claimed(&server));
    browser.get(SSO);
    let wrong =
        [("description", "Our IdP"), ("idp_initiated_redirect", "//evil.example/"), ("clock_skew", "601")];
    let answer = browser.post(SSO, &wrong);
    assert_eq!(answer.status, 400);
    assert!(
        answer.body.contains("href=\"#f-idp_initiated_redirect\"")
            && answer.body.contains("href=\"#f-clock_skew\"")
    );
    assert!(!browser.get(SSO).body.contains("Our IdP"));
    browser.submit(SSO, &[("method", "saml"), ("description", "Our IdP"), ("allow_sha1", "true")]);
    let said = text_of(&browser.get(SSO).body);
    assert!(said.contains("There is no X.509 Public Key") && said.contains("SHA-1 is broken"), "{said}");
    // A box that is not ticked is off.
    browser.submit(SSO, &[("method", "saml")]);
    assert!(!text_of(&browser.get(SSO).body).contains(
        "SHA-1 is broken: collisions can be bought. Ask for RSA-SHA256, then switch this off. Key"
    ));
    assert!(browser.get("/console/groups/7/access-log").body.contains("sso.configure"));
    assert_eq!(browser.get("/console/groups/12345/sso").status, 403);
}

#[test]
fn of_two_endpoints_the_one_that_can_be_used_is_taken_and_of_two_certificates_none() {
    let server = Server::lab();
    let browser = administrator(&claimed(&server));
    let (redirect, post) =
        ("Location=\"https://idp.example.org/sso\"/>", "Location=\"http://idp.example.org/r\"/>");
    let binding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
    let second = format!("{post}<md:SingleSignOnService Binding=\"{binding}\" {redirect}");
    let preview = text_of(&uploaded(&browser, &metadata().replace(redirect, &second)).body);
    assert!(preview.contains("https://idp.example.org/sso") && preview.contains("post"), "{preview}");
    let both = [certificate("idp.cert.pem"), certificate("idp.cert.pem")].concat();
    browser.refused(&format!("{SSO}/keys"), &[("certificate", &both)], 400, "these are 2 certificates");
}

#[test]
fn a_form_that_was_overtaken_undoes_nothing_unseen() {
    let server = Server::lab();
    let browser = administrator(&claimed(&server));
    let edition = |page: &str| page.split("name=\"edition\" value=\"").nth(1).unwrap()[..16].to_owned();
    let opened = edition(&browser.get(SSO).body);
    browser.submit(SSO, &[("description", "first")]);
    let values = [("edition", opened.as_str()), ("description", "second")];
    let stale = browser.post(SSO, &values);
    let said = text_of(&stale.body);
    assert!(stale.status == 409 && said.contains("would change: Description."), "{said}");
    assert!(stale.body.contains("value=\"second\""), "what was typed stays: {said}");
    assert!(browser.get(SSO).body.contains("value=\"first\""));
    // A mistake in the form does not make it any younger.
    let wrong = browser.post(SSO, &[("edition", opened.as_str()), ("clock_skew", "many")]);
    assert_eq!((wrong.status, edition(&wrong.body)), (400, opened));
    // Whoever was told may do it all the same.
    let now = edition(&stale.body);
    assert_eq!(browser.post(SSO, &[("edition", now.as_str()), ("description", "second")]).status, 303);
    assert!(browser.get(SSO).body.contains("value=\"second\""));
}

#[test]
fn a_refusal_is_found_among_the_attempts_and_judged_again() {
    let server = Server::lab();
    let browser = administrator(&claimed(&server));
    let preview = uploaded(&browser, &metadata());
    let file = preview.body.split("name=\"file\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    browser.submit(&format!("{SSO}/metadata/save"), &[("file", file), ("entity", "")]);
    let fields = [("method", "saml"), ("idp_initiated", "true"), ("keep_responses", "true")];
    browser.submit(SSO, &fields);
    let old = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/saml/accepted/assertion-signed.xml");
    let response =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, std::fs::read(old).unwrap());
    let form = format!("SAMLResponse={}", response.replace('+', "%2B").replace('=', "%3D"));
    let refused = server.post_form("/account/GetLoginKey.aspx?sso=1&idpid=7", &form);
    assert_eq!(refused.status, 403);
    let list = browser.get(&format!("{SSO}/attempts"));
    assert!(list.body.contains("/sso/attempts/1"), "{}", text_of(&list.body));
    let attempt = browser.get(&format!("{SSO}/attempts/1"));
    assert!(text_of(&attempt.body).contains("Judge again"), "{}", text_of(&attempt.body));
    // What to change stands before everything that was judged, and leads to the check that failed.
    let (above, checks) = attempt.body.split_once("Checks when it came").unwrap();
    assert!(above.contains("What to change: "), "{}", text_of(&attempt.body));
    let failed = above.split("href=\"#check-").nth(1).unwrap().split('"').next().unwrap();
    let (shown, folded) = checks.split_once("<details").unwrap();
    assert!(shown.contains(&format!("class=\"failed\" id=\"check-{failed}\"")), "{}", text_of(shown));
    assert!(!shown.contains("class=\"passed\"") && folded.contains(" passed"), "{}", text_of(shown));
    let again = browser.post(
        &format!("{SSO}/attempts/1"),
        &[("now", "2026-02-01T12:00:00Z"), ("entity_id", "https://sp.example.com/saml/metadata")],
    );
    assert!(text_of(&again.body).contains("Judged again as of"), "{}", text_of(&again.body));
    let wrong = browser.post(&format!("{SSO}/attempts/1"), &[("now", "yesterday")]);
    assert_eq!(wrong.status, 400);
    assert_eq!(browser.get(&format!("{SSO}/attributes")).status, 200);
    assert_eq!(browser.get(&format!("{SSO}/attempts/99")).status, 404);
}

/// From nothing to a sign-in that begins: what the page says at each step.
#[test]
fn a_newcomer_is_led_from_off_to_on() {
    let server = Server::lab();
    let browser = administrator(&claimed(&server));
    let says = |words: &str| {
        let said = text_of(&browser.get(SSO).body);
        assert!(said.contains(words), "{words}: {said}");
    };
    says("Single sign-on is off. Upload the identity provider's metadata");
    assert!(!browser.get(SSO).body.contains("test=11"), "there is nothing to test yet");
    // The identity provider is set up first: our metadata is there already.
    let ours = server.get("/saml/metadata?idpid=7");
    assert!(ours.status == 200 && ours.body.contains("idpid=7"), "{ours:?}");
    assert_eq!(server.get("/saml/metadata?idpid=999").status, 404);

    let wrong = uploaded(&browser, &ours.body);
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.contains("href=\"#f-metadata_file\""), "{}", text_of(&wrong.body));
    assert!(text_of(&wrong.body).contains("not a service provider's"), "{}", text_of(&wrong.body));

    let preview = uploaded(&browser, &metadata());
    let file = preview.body.split("name=\"file\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    browser.submit(&format!("{SSO}/metadata/save"), &[("file", file), ("entity", ""), ("then", "on")]);
    says("Single sign-on is on. Operational Status: Provisioning.");
    says("redirect=/account/AccountSummary.aspx");
    assert!(browser.get(SSO).body.contains("test=11"));
    browser.submit(SSO, &[("method", "saml"), ("allow_sha1", "true")]);
    browser.submit(&format!("{SSO}/production"), &[]);
    says("Operational Status: Production.");
    let page = browser.get(SSO).body;
    assert!(!page.contains("Set Production"), "{}", text_of(&page));
    assert!(text_of(&page).contains("SHA-1 is broken"), "no other field is changed");
}

#[test]
fn addresses_that_rest_on_what_the_browser_says_come_with_a_warning() {
    for (flags, warned) in [
        (&["--plain-http"][..], true),
        (&["--plain-http", "--public-url", "http://localhost:8080"], false),
        (&["--lab", "--plain-http"], false),
    ] {
        let server = Server::start(flags);
        let browser = claimed(&server);
        for page in ["", "/sso", "/provisioning"] {
            let said = text_of(&browser.get(&format!("/console/groups/7{page}")).body);
            let warning = "These are made from the address in your browser.";
            assert_eq!(said.contains(warning), warned, "{flags:?} {page}: {said}");
        }
    }
}

/// The same on the host, in one command.
#[test]
fn a_newcomer_on_the_host_is_told_what_to_tell_the_identity_provider() {
    let server = Server::start(&["--lab", "--plain-http", "--public-url", "https://sso.example.com:8443"]);
    let file = server.data().with_file_name("idp.xml");
    std::fs::write(&file, metadata()).unwrap();
    let run = |arguments: &[&str]| {
        let output = server.command(arguments);
        let told = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.success(), told.concat())
    };
    let upload = ["sso", "metadata", file.to_str().unwrap(), "--group", "12345", "--switch-on"];
    let (done, told) = run(&[&upload[..], &["--dry-run"]].concat());
    assert!(done && told.contains("method: \"off\" becomes \"saml\""), "{told}");
    assert!(run(&["sso", "show", "--group", "12345"]).1.contains("Single sign-on is off."));
    let (done, told) = run(&upload);
    assert!(done && told.contains("method: \"off\" becomes \"saml\""), "{told}");
    for expected in [
        "Single sign-on is on. Operational Status: Provisioning.",
        "Metadata     https://sso.example.com:8443/saml/metadata?idpid=12345",
        "ACS URL      https://sso.example.com:8443/account/GetLoginKey.aspx?sso=1&idpid=12345",
        "Entity ID    glance.net/sp/1",
        "NameID       the user's e-mail address",
        "redirect=/account/AccountSummary.aspx&idpid=12345",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    assert!(run(&["sso", "show", "--group", "12345"]).1.contains("redirect=/account/AccountSummary.aspx"));
    let (done, ours) = run(&["sso", "sp-metadata", "--group", "12345"]);
    assert!(done && ours.contains("https://sso.example.com:8443/account/GetLoginKey.aspx"), "{ours}");
    std::fs::remove_file(server.data().join("ready.json")).unwrap();
    let (done, told) = run(&["sso", "sp-metadata", "--group", "12345"]);
    assert!(!done && told.contains("--origin"), "{told}");
}
