//! SSO Configure: fields, metadata shown before it is saved, keys of both sides, attempts judged again.

use crate::browser::{Browser, administrator, claimed, text_of};
use crate::common::{Answer, Server};

const SSO: &str = "/console/groups/7/sso";
const PROVIDER: &str = "/console/groups/7/sso/identity-provider";
const REQUEST: &str = "/console/groups/7/sso/request";
const PEOPLE: &str = "/console/groups/7/sso/people";
const KEYS: &str = "/console/groups/7/sso/keys";

/// The value of a hidden field or a button of this name; the first.
fn value_of<'p>(page: &'p str, name: &str) -> &'p str {
    let found = page.split(&format!("name=\"{name}\" value=\"")).nth(1);
    found.and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("no {name}: {page}"))
}

/// The fingerprints of the buttons that lead to this address.
fn fingerprints(page: &str, address: &str) -> Vec<String> {
    let buttons = page.split("name=\"fingerprint\" value=\"").skip(1);
    let of = buttons.filter(|rest| rest.split('>').next().unwrap().contains(address));
    of.map(|rest| rest[..64].to_owned()).collect()
}

/// Uploads and saves the identity provider's metadata; `then` as the button says.
fn told(browser: &Browser<'_>, then: &str) -> Answer {
    let preview = uploaded(browser, &metadata());
    let file = value_of(&preview.body, "file").to_owned();
    browser.submit(&format!("{SSO}/metadata/save"), &[("file", &file), ("entity", ""), ("then", then)])
}

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
    browser.get(&format!("{SSO}/metadata"));
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
fn an_upload_is_shown_before_it_is_saved() {
    let server = Server::lab();
    let browser = administrator(&claimed(&server));
    let preview = uploaded(&browser, &metadata());
    let said = text_of(&preview.body);
    assert_eq!(preview.status, 200, "{said}");
    assert!(said.contains("https://idp.example.org/sso") && said.contains("New keys"), "{said}");
    assert!(!text_of(&browser.get(PROVIDER).body).contains("idp.example.org"), "nothing is saved yet");
    told(&browser, "");
    let page = browser.get(PROVIDER);
    assert!(page.body.contains("value=\"https://idp.example.org/sso\""), "{}", text_of(&page.body));
    assert!(text_of(&uploaded(&browser, &metadata()).body).contains("already configured"));
    assert_eq!(uploaded(&browser, "<html/>").status, 400);
}

#[test]
fn keys_are_added_taken_away_and_put_back() {
    let server = Server::lab();
    let browser = administrator(&claimed(&server));
    told(&browser, "");
    let pem = certificate("idp-ec.cert.pem");
    browser.get(KEYS);
    let page = browser.submit(KEYS, &[("certificate", &pem)]);
    assert!(text_of(&page.body).contains("is now used to verify signatures"), "{}", text_of(&page.body));
    let page = browser.submit(KEYS, &[("certificate", &pem)]);
    assert!(text_of(&page.body).contains("already exists. Nothing was changed."), "{}", text_of(&page.body));
    let nonsense = [("certificate", "nonsense")];
    // At its field, with what was typed.
    browser.refused(KEYS, &nonsense, 400, "href=\"#f-certificate\"");
    browser.refused(KEYS, &nonsense, 400, "nonsense</textarea>");
    let page = browser.get(KEYS);
    assert!(page.body.contains("ECDSA P-256"));
    let both = fingerprints(&page.body, "/keys/remove");
    assert_eq!(both.len(), 2);

    // One that verified nothing goes at once, and what was being typed stays.
    let typed = [("fingerprint", both[1].as_str()), ("certificate", "half a certif")];
    let page = browser.post(&format!("{KEYS}/remove"), &typed);
    assert_eq!(page.status, 200);
    assert!(page.body.contains("half a certif</textarea>"), "{}", text_of(&page.body));
    assert_eq!(fingerprints(&page.body, "/keys/remove"), both[..1]);
    assert_eq!(fingerprints(&page.body, "/keys/restore"), both[1..]);
    browser.submit(&format!("{KEYS}/restore"), &[("fingerprint", &both[1])]);
    assert_eq!(fingerprints(&browser.get(KEYS).body, "/keys/remove"), both);
    browser.submit(&format!("{KEYS}/remove"), &[("fingerprint", &both[1])]);

    // The last is asked about.
    let asked =
        browser.post(&format!("{KEYS}/remove"), &[("fingerprint", &both[0]), ("certificate", "half")]);
    assert!(asked.body.contains("<h1>Remove this key?</h1>"), "{}", text_of(&asked.body));
    assert_eq!(value_of(&asked.body, "certificate"), "half");
    let kept = [("fingerprint", both[0].as_str()), ("certificate", "half"), ("confirmed", "no")];
    let kept = browser.post(&format!("{KEYS}/remove"), &kept);
    assert!(kept.status == 200 && kept.body.contains("half</textarea>"), "{}", text_of(&kept.body));
    browser.submit(&format!("{KEYS}/remove"), &[("fingerprint", &both[0]), ("confirmed", "yes")]);
    assert!(text_of(&browser.get(KEYS).body).contains("There is no key yet"));
    assert_eq!(fingerprints(&browser.get(KEYS).body, "/keys/restore").len(), 2);
    // What can be put back ends after an hour.
    server.set_clock("2030-01-01T00:00:00Z");
    browser.sign_in("ann.seven.glance.net", crate::browser::PASSWORD);
    assert_eq!(fingerprints(&browser.get(KEYS).body, "/keys/restore").len(), 0);
    browser.refused(&format!("{KEYS}/restore"), &[("fingerprint", &both[0])], 404, "no key with this");
}

#[test]
fn our_own_key_pairs_are_made_given_out_and_removed_after_a_question() {
    let server = Server::lab();
    let browser = administrator(&claimed(&server));
    told(&browser, "");
    browser.get(KEYS);
    let page = browser.submit(&format!("{SSO}/own-keys"), &[]);
    assert!(page.body.contains("-----BEGIN CERTIFICATE-----"), "{}", text_of(&page.body));
    let pem = browser.get(&format!("{SSO}/own-keys/1/certificate.pem"));
    assert!(pem.body.starts_with("-----BEGIN CERTIFICATE-----\n") && pem.body.lines().all(|l| l.len() <= 64));
    assert_eq!(pem.header("content-disposition"), Some("attachment; filename=\"sidelight-7-1.pem\""));
    assert_eq!(browser.get(&format!("{SSO}/own-keys/9/certificate.pem")).status, 404);
    browser.get(KEYS);
    let asked = browser.post(&format!("{SSO}/own-keys/remove"), &[("number", "1")]);
    assert!(text_of(&asked.body).contains("Remove key pair 1?"), "{}", text_of(&asked.body));
    browser.submit(&format!("{SSO}/own-keys/remove"), &[("number", "1"), ("confirmed", "yes")]);

    // While single sign-on is on, the last key is not taken from under it.
    browser.submit(&format!("{SSO}/own-keys"), &[]);
    browser.submit(PROVIDER, &[("method", "encrypted_saml")]);
    browser.get(KEYS);
    let pair = [("number", "2"), ("confirmed", "yes")];
    browser.refused(&format!("{SSO}/own-keys/remove"), &pair, 409, "This is the only key pair");
    let last = fingerprints(&browser.get(KEYS).body, "/keys/remove").remove(0);
    let last = [("fingerprint", last.as_str()), ("confirmed", "yes")];
    browser.refused(&format!("{KEYS}/remove"), &last, 409, "This is the only key:");
    browser.refused(&format!("{KEYS}/remove"), &last, 409, "<h1>Keys</h1>");
    browser.submit(&format!("{SSO}/off"), &[("confirmed", "yes")]);
    browser.submit(&format!("{SSO}/own-keys/remove"), &pair);
    browser.submit(&format!("{KEYS}/remove"), &last);
}

#[test]
fn switching_off_asks_first_and_loses_nothing_that_was_typed() {
    let server = Server::lab();
    let browser = administrator(&claimed(&server));
    told(&browser, "on");
    browser.get(PROVIDER);
    let typed = [("method", "off"), ("description", "Our IdP"), ("entity_id", "glance.net/sp/7")];
    let asked = browser.post(PROVIDER, &typed);
    let said = text_of(&asked.body);
    assert!(asked.status == 200 && said.contains("Switch single sign-on off?"), "{said}");
    assert!(said.contains("Nobody signed in by it within a day."), "{said}");
    assert_eq!(value_of(&asked.body, "description"), "Our IdP");
    assert!(text_of(&browser.get(SSO).body).contains("Sign-in from here is ready"), "nothing is saved yet");
    let kept = browser.post(PROVIDER, &[&typed[..], &[("confirmed", "no")]].concat());
    assert!(kept.status == 200 && kept.body.contains("value=\"Our IdP\""), "{}", text_of(&kept.body));
    browser.submit(PROVIDER, &[&typed[..], &[("confirmed", "yes")]].concat());
    assert!(text_of(&browser.get(SSO).body).contains("Single sign-on is off"));
    // The overview's own button asks, too.
    browser.submit(PROVIDER, &[("method", "saml")]);
    let asked = browser.post(&format!("{SSO}/off"), &[]);
    assert!(asked.body.contains("<h1>Switch single sign-on off?</h1>"), "{}", text_of(&asked.body));
    assert!(text_of(&browser.get(SSO).body).contains("Sign-in from here is ready"));
    browser.submit(&format!("{SSO}/off"), &[("confirmed", "yes")]);
    assert!(text_of(&browser.get(SSO).body).contains("Single sign-on is off"));
}

#[test]
fn a_field_that_breaks_its_rule_is_named_and_nothing_is_saved() {
    let server = Server::lab();
    let browser = administrator(&claimed(&server));
    browser.get(REQUEST);
    let wrong =
        [("idp_initiated_redirect", "//evil.example/"), ("clock_skew", "601"), ("allow_rsa15", "true")];
    let answer = browser.post(REQUEST, &wrong);
    assert_eq!(answer.status, 400);
    assert!(
        answer.body.contains("href=\"#f-idp_initiated_redirect\"")
            && answer.body.contains("href=\"#f-clock_skew\"")
    );
    // The bar of steps says so in words, and what was typed stays.
    assert!(text_of(&answer.body).contains("2 fields to correct"), "{}", text_of(&answer.body));
    assert!(answer.body.contains("value=\"601\""));
    assert!(!browser.get(REQUEST).body.contains("value=\"601\""));
    browser.submit(PROVIDER, &[("method", "saml"), ("description", "Our IdP")]);
    browser.submit(REQUEST, &[("allow_sha1", "true")]);
    let said = text_of(&browser.get(SSO).body);
    assert!(said.contains("Every sign-in is refused") && said.contains("SHA-1 is broken"), "{said}");
    // A box that is not ticked is off.
    browser.submit(REQUEST, &[("clock_skew", "60")]);
    assert!(!text_of(&browser.get(SSO).body).contains("SHA-1 is broken"));
    assert!(browser.get("/console/groups/7/access-log").body.contains("sso.configure"));
    assert_eq!(browser.get("/console/groups/12345/sso").status, 403);
    for page in ["/identity-provider", "/keys", "/request", "/people", "/metadata"] {
        assert_eq!(browser.get(&format!("/console/groups/12345/sso{page}")).status, 403, "{page}");
    }
}

#[test]
fn an_address_that_only_takes_forms_leads_back_to_its_page() {
    let server = Server::lab();
    let browser = administrator(&claimed(&server));
    for (address, page) in [
        ("/production", ""),
        ("/status", ""),
        ("/off", ""),
        ("/metadata/save", "/metadata"),
        ("/keys/remove", "/keys"),
        ("/keys/restore", "/keys"),
        ("/own-keys", "/keys"),
        ("/own-keys/remove", "/keys"),
    ] {
        let answer = browser.get(&format!("{SSO}{address}"));
        let location = answer.header("location").unwrap_or_default().to_owned();
        assert_eq!((answer.status, location), (303, format!("{SSO}{page}")), "{address}");
        assert_eq!(browser.get(&format!("{SSO}{page}")).status, 200);
    }
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
    browser.get(KEYS);
    browser.refused(KEYS, &[("certificate", &both)], 400, "these are 2 certificates");
}

#[test]
fn a_form_that_was_overtaken_undoes_nothing_unseen() {
    let server = Server::lab();
    let browser = administrator(&claimed(&server));
    let edition = |page: &str| value_of(page, "edition").to_owned();
    let opened = edition(&browser.get(PROVIDER).body);
    browser.submit(PROVIDER, &[("description", "first")]);
    let values = [("edition", opened.as_str()), ("description", "second"), ("method", "saml")];
    let stale = browser.post(PROVIDER, &values);
    let said = text_of(&stale.body);
    assert!(
        stale.status == 409 && said.contains("would change: Single Sign-On Method, Description."),
        "{said}"
    );
    // Both values stand at the field: what is saved, and what was typed.
    assert!(said.contains("Description: saved now is “first”. Yours stands here."), "{said}");
    assert!(stale.body.contains("value=\"second\""), "what was typed stays: {said}");
    assert!(browser.get(PROVIDER).body.contains("value=\"first\""));
    // A mistake in the form does not make it any younger.
    let wrong = browser.post(PROVIDER, &[("edition", opened.as_str()), ("endpoint_url", "no address")]);
    assert_eq!((wrong.status, edition(&wrong.body)), (400, opened));
    // Whoever was told may do it all the same.
    let now = edition(&stale.body);
    assert_eq!(browser.post(PROVIDER, &[("edition", now.as_str()), ("description", "second")]).status, 303);
    assert!(browser.get(PROVIDER).body.contains("value=\"second\""));
    // A change of another step stands in nobody's way.
    let opened = edition(&browser.get(PROVIDER).body);
    browser.submit(PEOPLE, &[("identity_attribute", "mail")]);
    let values = [("edition", opened.as_str()), ("description", "third")];
    assert_eq!(browser.post(PROVIDER, &values).status, 303);
}

#[test]
fn a_refusal_is_found_among_the_attempts_and_judged_again() {
    let server = Server::lab();
    let browser = administrator(&claimed(&server));
    told(&browser, "on");
    browser.submit(REQUEST, &[("idp_initiated", "true"), ("keep_responses", "true")]);
    let old = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/saml/accepted/assertion-signed.xml");
    let response =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, std::fs::read(old).unwrap());
    let form = format!("SAMLResponse={}", response.replace('+', "%2B").replace('=', "%3D"));
    let refused = server.post_form("/account/GetLoginKey.aspx?sso=1&idpid=7", &form);
    assert_eq!(refused.status, 403);
    // Whoever is refused may begin anew from the page that says so.
    let again = "/account/GetLoginKey.aspx?sso=1&amp;idpid=7";
    assert!(refused.body.contains(&format!("href=\"{again}\">Try again")), "{}", refused.body);
    assert_eq!(server.get(&again.replace("&amp;", "&")).status, 302);
    let list = browser.get(&format!("{SSO}/attempts"));
    assert!(list.body.contains("/sso/attempts/1"), "{}", text_of(&list.body));
    let attempt = browser.get(&format!("{SSO}/attempts/1"));
    assert!(text_of(&attempt.body).contains("Check again"), "{}", text_of(&attempt.body));
    // What to change stands before everything that was judged, and leads to the check that failed.
    let (above, checks) = attempt.body.split_once("Original checks").unwrap();
    assert!(above.contains("What to change: "), "{}", text_of(&attempt.body));
    let failed = above.split("href=\"#check-").nth(1).unwrap().split('"').next().unwrap();
    let (shown, folded) = checks.split_once("<details").unwrap();
    assert!(shown.contains(&format!("class=\"failed\" id=\"check-{failed}\"")), "{}", text_of(shown));
    assert!(!shown.contains("class=\"passed\"") && folded.contains(" passed"), "{}", text_of(shown));
    // The incident leads to the attempt and to judging it again, and the attempt to the incident.
    let incident = attempt.body.split("/incidents?code=").nth(1).unwrap()[..9].to_owned();
    let incident = browser.get(&format!("/console/groups/7/incidents?code={incident}"));
    assert!(incident.body.contains(&format!("href=\"{SSO}/attempts/1\"")), "{}", text_of(&incident.body));
    assert!(incident.body.contains(&format!("href=\"{SSO}/attempts/1#judge-again\"")));
    assert!(attempt.body.contains("id=\"judge-again\""));
    // The method is chosen, not typed.
    assert!(attempt.body.contains("<select id=\"f-method\" name=\"method\""), "{}", attempt.body);
    let again = browser.post(
        &format!("{SSO}/attempts/1"),
        &[("now", "2026-02-01T12:00:00Z"), ("entity_id", "https://sp.example.com/saml/metadata")],
    );
    assert!(text_of(&again.body).contains("Checked again as of"), "{}", text_of(&again.body));
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
    says("Single sign-on is off");
    says("Upload the identity provider");
    assert!(!browser.get(SSO).body.contains("test=11"), "there is nothing to test yet");
    // The identity provider is set up first: our metadata is there already.
    let ours = server.get("/saml/metadata?idpid=7");
    assert!(ours.status == 200 && ours.body.contains("idpid=7"), "{ours:?}");
    assert_eq!(server.get("/saml/metadata?idpid=999").status, 404);

    let wrong = uploaded(&browser, &ours.body);
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.contains("href=\"#f-metadata_file\""), "{}", text_of(&wrong.body));
    assert!(text_of(&wrong.body).contains("not a service provider's"), "{}", text_of(&wrong.body));

    told(&browser, "on");
    says("Sign-in from here is ready");
    says("The portal's tile ends in a login key as text");
    says("One key is trusted");
    says("The Operational Status is Provisioning");
    says("redirect=/account/AccountSummary.aspx");
    assert!(browser.get(SSO).body.contains("test=11"));
    browser.submit(REQUEST, &[("idp_initiated", "true"), ("allow_sha1", "true")]);
    browser.submit(&format!("{SSO}/status"), &[("status", "production")]);
    says("Operational Status: Production");
    let page = browser.get(SSO).body;
    assert!(!page.contains("Set Production"), "{}", text_of(&page));
    assert!(text_of(&page).contains("SHA-1 is broken"), "no other field is changed");
    browser.submit(
        REQUEST,
        &[("idp_initiated", "true"), ("idp_initiated_redirect", "/agentjoin/agentjoin.aspx")],
    );
    says("A click on the portal tile opens /agentjoin/agentjoin.aspx.");
    says("Nothing is missing");
    browser.submit(REQUEST, &[("clock_skew", "60")]);
    says("The portal's tile is refused");
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
            let warning = "These addresses come from the address in your browser.";
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

/// The values that a page's form would send: hidden fields, lines of text and ticked boxes.
fn sent(page: &str) -> Vec<(String, String)> {
    let form = page.split("<form id=\"step\"").nth(1).unwrap().split("</form>").next().unwrap();
    let of = |tag: &str, name: &str| {
        let value = tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
        Some(value.replace("&quot;", "\"").replace("&amp;", "&"))
    };
    let inputs = form.split("<input").skip(1).filter_map(|rest| {
        let tag = rest.split('>').next()?;
        let is_off = tag.contains("type=\"checkbox\"") && !tag.contains(" checked");
        let name = of(tag, "name").filter(|name| name != "form_token" && !is_off)?;
        Some((name, of(tag, "value")?))
    });
    let chosen = form.split("<select").skip(1).filter_map(|rest| {
        let option = rest.split("<option").find(|option| option.contains(" selected"))?;
        Some((of(rest, "name")?, of(option, "value")?))
    });
    inputs.chain(chosen).collect()
}

fn with(mut fields: Vec<(String, String)>, name: &str, value: &str) -> Vec<(String, String)> {
    fields.retain(|(key, _)| key != name);
    fields.push((name.to_owned(), value.to_owned()));
    fields
}

fn posted(browser: &Browser<'_>, path: &str, fields: &[(String, String)]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    browser.post(path, &fields)
}

#[test]
fn what_is_typed_on_one_step_goes_along_to_the_others_until_it_is_saved() {
    let server = Server::lab();
    let browser = administrator(&claimed(&server));
    let request = with(sent(&browser.get(REQUEST).body), "clock_skew", "90");
    // The bar's button to the keys, and there a certificate that is being pasted.
    let keys = posted(&browser, REQUEST, &with(request, "go", "keys"));
    assert_eq!(keys.status, 200);
    assert!(text_of(&keys.body).contains("Request and answer: Clock skew."), "{}", text_of(&keys.body));
    let fields = with(with(sent(&keys.body), "certificate", "no certificate yet"), "go", "people");
    let people = posted(&browser, KEYS, &fields);
    let said = text_of(&people.body);
    assert!(said.contains("Clock skew") && said.contains("a certificate"), "{said}");
    // Nothing is in force yet.
    assert!(browser.get(REQUEST).body.contains("name=\"clock_skew\" type=\"text\" value=\"60\""));
    // Back at the first: it stands as it was typed, and so does what was typed since.
    let fields = with(sent(&people.body), "identity_attribute", "mail");
    let back = posted(&browser, PEOPLE, &with(fields, "go", "request"));
    assert!(back.body.contains("name=\"clock_skew\" type=\"text\" value=\"90\""), "{}", back.body);
    assert!(text_of(&back.body).contains("People: User Identity Attribute Name."));
    // A mistake on another page is shown there, and nothing is saved.
    let wrong = with(sent(&back.body), "identity_attribute", &"x".repeat(1_001));
    let wrong = posted(&browser, REQUEST, &wrong);
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.contains("href=\"#f-identity_attribute\""), "{}", text_of(&wrong.body));
    assert!(text_of(&wrong.body).contains("Clock skew"), "{}", text_of(&wrong.body));
    // One Save saves all fields; the certificate, which is not added by it, stays on its page.
    let saved = posted(&browser, REQUEST, &sent(&back.body));
    assert_eq!(saved.status, 200);
    assert!(text_of(&saved.body).contains("2 fields were changed: User Identity Attribute Name, Clock skew"));
    assert!(saved.body.contains("no certificate yet"), "{}", saved.body);
    assert!(browser.get(REQUEST).body.contains("name=\"clock_skew\" type=\"text\" value=\"90\""));
    assert!(browser.get(PEOPLE).body.contains("value=\"mail\""));
}

#[test]
fn what_was_carried_does_not_undo_unseen_what_somebody_else_saved() {
    let server = Server::lab();
    let browser = administrator(&claimed(&server));
    let request = with(sent(&browser.get(REQUEST).body), "clock_skew", "90");
    let people = posted(&browser, REQUEST, &with(request, "go", "people"));
    browser.submit(REQUEST, &[("clock_skew", "120")]);
    let stale = posted(&browser, PEOPLE, &sent(&people.body));
    assert_eq!(stale.status, 409, "{}", text_of(&stale.body));
    assert!(text_of(&stale.body).contains("saved now is “120”"), "{}", text_of(&stale.body));
    // Told, they may do it all the same.
    assert_eq!(posted(&browser, PEOPLE, &sent(&stale.body)).status, 303);
    assert!(browser.get(REQUEST).body.contains("value=\"90\""));
}
