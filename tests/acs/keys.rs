//! Keys in use: taken away only after a question that says what they verified, and put back within the hour.

use crate::browser::{Browser, text_of};
use crate::forge::{IDP, fixtures};
use crate::harness::{post, run, set, signed, started, unsolicited};

const SSO: &str = "/console/groups/12345/sso";

/// The fingerprints of the buttons that lead to this address.
fn fingerprints(page: &str, address: &str) -> Vec<String> {
    let buttons = page.split("name=\"fingerprint\" value=\"").skip(1);
    let of = buttons.filter(|rest| rest.split('>').next().unwrap().contains(address));
    of.map(|rest| rest[..64].to_owned()).collect()
}

fn metadata_of(certificate: &str) -> String {
    let pem = std::fs::read_to_string(fixtures().join("keys").join(certificate)).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    format!(
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{}\">\
         <IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
         <KeyDescriptor use=\"signing\"><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data>\
         <X509Certificate>{body}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>\
         <SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
         Location=\"https://idp.example.org/sso\"/></IDPSSODescriptor></EntityDescriptor>",
        IDP
    )
}

#[test]
fn a_key_in_use_goes_only_after_a_question_and_can_be_put_back() {
    let server = started();
    assert_eq!(post(&server, &signed(&unsolicited())).status, 200);
    let browser = Browser::new(&server);
    browser.sign_in("admin.demo.glance.net", "demo-password");
    let keys = format!("{SSO}/keys");
    let used = fingerprints(&browser.get(&keys).body, "/keys/remove").remove(1);

    let asked = browser.post(&format!("{keys}/remove"), &[("fingerprint", &used)]);
    let said = text_of(&asked.body);
    assert!(asked.status == 200 && said.contains("Remove this key?"), "{said}");
    assert!(said.contains("within a week, 1 sign-in."), "{said}");
    assert!(
        said.contains("One other key stays.") && said.contains("You can restore it for one hour"),
        "{said}"
    );
    assert_eq!(post(&server, &signed(&unsolicited())).status, 200, "asking takes nothing away");

    browser.submit(&format!("{keys}/remove"), &[("fingerprint", &used), ("confirmed", "yes")]);
    assert_eq!(post(&server, &signed(&unsolicited())).status, 403);
    browser.submit(&format!("{keys}/restore"), &[("fingerprint", &used)]);
    assert_eq!(post(&server, &signed(&unsolicited())).status, 200);
    // It is known when it verified before it went.
    assert!(
        !text_of(&browser.get(&keys).body)
            .contains("RSA 2048. Ends 2126-10-30 13:06:34. Last verified: never")
    );
}

#[test]
fn metadata_without_a_key_in_use_says_what_goes_and_is_not_saved_unseen() {
    let server = started();
    assert_eq!(post(&server, &signed(&unsolicited())).status, 200);
    let browser = Browser::new(&server);
    browser.sign_in("admin.demo.glance.net", "demo-password");
    browser.get(&format!("{SSO}/metadata"));
    let token = browser.token.borrow().clone();
    let file = metadata_of("idp-ec.cert.pem");
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = [part("form_token", &token), part("metadata_text", &file), "--b--\r\n".to_owned()].concat();
    let headers = [("Content-Type", "multipart/form-data; boundary=b"), ("Sec-Fetch-Site", "same-origin")];
    let preview = browser.send("POST", &format!("{SSO}/metadata"), &headers, body.as_bytes());
    let said = text_of(&preview.body);
    assert!(said.contains("Keys to remove") && said.contains("within a week, 1 sign-in."), "{said}");
    assert!(said.contains("Save and remove the key in use"), "{said}");
    let value = |name: &str| {
        let rest = preview.body.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    // Whoever was shown nothing of it, for example because the key came into use meanwhile, loses nothing.
    let (file, removed) = (value("file"), value("removed"));
    browser.refused(&format!("{SSO}/metadata/save"), &[("file", &file)], 409, "which verified a sign-in");
    assert_eq!(post(&server, &signed(&unsolicited())).status, 200);
    browser.submit(&format!("{SSO}/metadata/save"), &[("file", &file), ("removed", &removed)]);
    assert_eq!(post(&server, &signed(&unsolicited())).status, 403);
}

/// Nobody is there to answer a script.
#[test]
fn on_the_host_a_key_in_use_goes_without_a_question_where_nobody_could_answer() {
    let server = started();
    assert_eq!(post(&server, &signed(&unsolicited())).status, 200);
    let file = server.data().with_file_name("idp.xml");
    std::fs::write(&file, metadata_of("idp-ec.cert.pem")).unwrap();
    let said = run(&server, &["sso", "metadata", file.to_str().unwrap(), "--group", "12345"]);
    let removed = said.lines().find(|line| line.starts_with("key removed: ")).unwrap();
    let fingerprint = removed.split(' ').nth(3).unwrap();
    assert_eq!(post(&server, &signed(&unsolicited())).status, 403);
    run(&server, &["sso", "key", "restore", fingerprint, "--group", "12345"]);
    assert_eq!(post(&server, &signed(&unsolicited())).status, 200);
    run(&server, &["sso", "key", "remove", fingerprint, "--yes", "--group", "12345"]);
    run(&server, &["sso", "set", "method=off", "--yes", "--group", "12345"]);
}

/// Anybody can send a message with any certificate in it.
#[test]
fn a_certificate_that_came_becomes_a_key_only_by_its_fingerprint_and_only_of_the_groups_issuer() {
    let server = started();
    set(&server, &["keep_responses=true"]);
    let signer = fingerprint_of("idp.cert.pem");
    run(&server, &["sso", "key", "remove", &signer, "--group", "12345"]);
    let pem = std::fs::read_to_string(fixtures().join("keys/idp.cert.pem")).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let certificate = format!("<ds:X509Data><ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data>");
    let end = "</ds:SignatureValue>";
    let ours = signed(&unsolicited()).replace(end, &format!("{end}<ds:KeyInfo>{certificate}</ds:KeyInfo>"));
    assert_eq!(post(&server, &ours).status, 403);
    assert_eq!(post(&server, &ours.replace(IDP, "https://idp.example.net/other")).status, 403);
    let browser = Browser::new(&server);
    browser.sign_in("admin.demo.glance.net", "demo-password");
    let response = |id: u8| format!("{SSO}/attempts/{id}/response");
    let add = |id: u8| format!("{SSO}/attempts/{id}/key");
    assert!(browser.get(&format!("{SSO}/attempts/1")).body.contains(&response(1)));
    let page = browser.get(&response(1));
    let said = text_of(&page.body);
    assert!(said.contains("Anybody can send such a message"), "{said}");
    let grouped = signer.as_bytes().chunks(4).map(|four| std::str::from_utf8(four).unwrap());
    assert!(said.contains(&grouped.collect::<Vec<_>>().join(" ")), "{said}");
    assert!(said.contains("&lt;samlp:Response") && said.contains("CN=idp-ec.example.org"), "{said}");
    let wrong = [("fingerprint", fingerprint_of("foreign.cert.pem"))];
    let wrong = [(wrong[0].0, wrong[0].1.as_str())];
    browser.refused(&add(1), &wrong, 400, "href=\"#f-fingerprint\"");
    browser.refused(&add(1), &[("fingerprint", &signer[..16])], 400, "Nothing was added.");
    // Of somebody else's message nothing is offered, also not to whoever asks all the same.
    let foreign = browser.get(&response(2));
    assert!(!foreign.body.contains("f-fingerprint"), "{}", text_of(&foreign.body));
    browser.refused(&add(2), &[("fingerprint", &signer)], 409, "no new certificate");
    // As people write it: capitals, colons, spaces.
    let pairs = signer.to_uppercase().into_bytes();
    let typed: Vec<&str> = pairs.chunks(2).map(|two| std::str::from_utf8(two).unwrap()).collect();
    let page = browser.submit(&add(1), &[("fingerprint", &typed.join(":"))]);
    assert!(text_of(&page.body).contains("is now used to verify signatures"), "{}", text_of(&page.body));
    let log = browser.get("/console/groups/12345/access-log").body;
    assert!(log.contains("sso.show-response"), "who looked is noted");
}

fn fingerprint_of(certificate: &str) -> String {
    let pem = std::fs::read_to_string(fixtures().join("keys").join(certificate)).unwrap();
    let key = sidelight::protocol::xml::VerificationKey::from_certificate_pem(&pem).unwrap();
    key.certificate().unwrap().fingerprint()
}
