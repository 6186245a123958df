//! A running server with a configured group, and an identity provider's hand to answer it with.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sidelight::clock::Timestamp;
use sidelight::model::GroupId;
use sidelight::secret::Keys;
use sidelight::store::{Mode, PendingRequest, Store};

use crate::common::{Answer, Server};
use crate::forge::{ACS, Forge, IDP, NOW, Parts, REQUEST, SP, alices, fixtures};

pub const GROUP: GroupId = GroupId(12345);
/// Path and query of [`ACS`].
pub const ACS_PATH: &str = "/account/GetLoginKey.aspx?idpid=12345";
/// The cookie's value of the browser that these tests are.
pub const BROWSER: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Starts a lab whose demo group trusts the forge, at [`NOW`].
pub fn started() -> Server {
    started_with(&[])
}

/// As [`started`], with these flags too.
pub fn started_with(flags: &[&str]) -> Server {
    let usual = ["--lab", "--plain-http", "--public-url", "https://sp.example.com"];
    let server = Server::start(&[&usual, flags].concat());
    configure(&server);
    server
}

pub fn configure(server: &Server) {
    server.set_clock(NOW);
    set(
        server,
        &[
            "method=saml",
            &format!("idp_entity_id={IDP}"),
            &format!("entity_id={SP}"),
            "endpoint_url=https://idp.example.org/sso",
            "identity_attribute=email",
        ],
    );
    for name in ["idp-ec.cert.pem", "idp.cert.pem"] {
        let file = fixtures().join("keys").join(name);
        run(server, &["sso", "key", "add", file.to_str().unwrap(), "--group", "12345"]);
    }
    user(server, "alice.demo.glance.net", "alice-1", "alice@example.com");
}

/// Sets fields of SSO Configure.
pub fn set(server: &Server, fields: &[&str]) {
    run(server, &[&["sso", "set"], fields, &["--group", "12345"]].concat());
}

pub fn user(server: &Server, address: &str, puid: &str, email: &str) {
    let who = ["user", "create", "--address", address, "--group", "12345", "--puid", puid, "--email", email];
    run(server, &who);
}

/// Runs a command that must succeed, and gives back what it prints.
pub fn run(server: &Server, arguments: &[&str]) -> String {
    let output = server.command(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn store(data: &Path) -> Store {
    Store::open(data, Mode::Lab, Timestamp::parse(NOW).unwrap()).unwrap()
}

/// Lets this browser wait for an answer to these requests.
pub fn await_answers(server: &Server, store: &Store, ids: &[&str]) {
    let keys = Keys::open(&server.data().join("sidelight.key"), &server.data().join("sidelight.db")).unwrap();
    let now = Timestamp::parse(NOW).unwrap();
    for id in ids {
        let request = PendingRequest {
            id: (*id).to_owned(),
            group: GROUP,
            relay_state: format!("relay{id}"),
            browser: keys.fingerprint_of(BROWSER.as_bytes()),
            target: "{}".into(),
            expires_at: now.plus_seconds(3_600),
        };
        store.write(now, move |w| w.insert_pending_request(&request)).unwrap();
    }
}

/// Posts a document as the identity provider's page does; `cookie` is the browser's.
pub fn post_to(server: &Server, path: &str, document: &str, cookie: Option<&str>) -> Answer {
    post_from(server, path, document, cookie, "127.0.0.1")
}

/// As [`post_to`], by way of a proxy that says from which address it comes.
pub fn post_from(server: &Server, path: &str, document: &str, cookie: Option<&str>, address: &str) -> Answer {
    let form = form_of(document);
    let cookie = cookie.map(|value| format!("sidelight-saml={value}")).unwrap_or_default();
    let mut headers =
        vec![("Content-Type", "application/x-www-form-urlencoded"), ("X-Forwarded-For", address)];
    if !cookie.is_empty() {
        headers.push(("Cookie", &cookie));
    }
    server.send("POST", path, &headers, form.as_bytes())
}

pub fn form_of(document: &str) -> String {
    let value = STANDARD.encode(document);
    format!("SAMLResponse={}", utf8_percent_encode(&value, NON_ALPHANUMERIC))
}

/// Posts an unsolicited document to the usual ACS.
pub fn post(server: &Server, document: &str) -> Answer {
    post_to(server, ACS_PATH, document, None)
}

/// The reject code of the latest attempt; "accepted" when there was none.
pub fn latest_code(store: &Store) -> String {
    let attempts = store.read(|r| r.saml_attempts(GROUP, 1)).unwrap();
    let code = attempts.first().map(|attempt| attempt.code.clone());
    code.expect("an attempt is kept").unwrap_or_else(|| "accepted".into())
}

/// A fresh, genuine answer that nobody asked for.
pub fn unsolicited() -> Parts {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let genuine = alices();
    let without = |text: &str| text.replace(&format!(" InResponseTo=\"{REQUEST}\""), "");
    Parts {
        response_attributes: without(&genuine.response_attributes),
        confirmations: without(&genuine.confirmations),
        assertion_id: format!("_fresh{number}"),
        ..genuine
    }
}

/// As [`unsolicited`], about somebody else: the values of the attribute `email`, and the NameID.
pub fn about(email: &str, name_id: &str) -> Parts {
    let parts = unsolicited();
    Parts {
        name_id: format!("<saml:NameID>{name_id}</saml:NameID>"),
        attributes: format!(
            "<saml:AttributeStatement><saml:Attribute Name=\"email\"><saml:AttributeValue>{email}\
             </saml:AttributeValue></saml:Attribute><saml:Attribute Name=\"FirstName\"><saml:AttributeValue>\
             Zoë</saml:AttributeValue></saml:Attribute><saml:Attribute Name=\"LastName\">\
             <saml:AttributeValue>Müller Lüdenscheidt</saml:AttributeValue></saml:Attribute>\
             </saml:AttributeStatement>"
        ),
        ..parts
    }
}

pub fn signed(parts: &Parts) -> String {
    parts.assertion_signed(Forge::shared()).unwrap()
}

/// The same, answering `request` and addressed to `acs`.
pub fn answering(request: &str, acs: &str) -> String {
    let parts = unsolicited();
    let acs = acs.replace('&', "&amp;");
    let to = |text: &str, place: &str| {
        text.replace(&format!("{place}=\"{ACS}\""), &format!("{place}=\"{acs}\" InResponseTo=\"{request}\""))
    };
    signed(&Parts {
        response_attributes: to(&parts.response_attributes, "Destination"),
        confirmations: to(&parts.confirmations, "Recipient"),
        ..parts
    })
}
