//! Each surface speaks its own language, also where it refuses: every route of the table is asked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Read;

use tiny_http::{Header, Method};

use super::router::{App, Errors, Route};
use super::{TABLES, answer};
use crate::desk::fixture::{Fixture, fixture};
use crate::error::{Error, Kind};
use crate::gate::{Answer, Handler, Request};

/// Beginnings of paths, and the media type of what is said there; the first counts.
const LANGUAGES: [(&str, &str); 7] = [
    ("/papi/", "text/xml"),
    ("/services/provisioningservice.asmx", "text/xml"),
    ("/services/", "application/json"),
    ("/api/", "application/json"),
    ("/scim/", "application/scim+json"),
    ("/health", "application/json"),
    ("/lab/", "application/json"),
];

fn language(path: &str) -> Option<&'static str> {
    let path = path.to_ascii_lowercase();
    LANGUAGES.iter().find(|(beginning, _)| path.starts_with(beginning)).map(|(_, kind)| *kind)
}

fn ask(
    f: &Fixture,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String, String) {
    let headers =
        headers.iter().map(|(name, value)| Header::from_bytes(name.as_bytes(), value.as_bytes()).unwrap());
    let request = Request {
        method,
        path: path.to_owned(),
        query: String::new(),
        headers: headers.collect(),
        body: body.as_bytes().to_vec(),
        peer: [127, 0, 0, 1].into(),
        secure: true,
        host: "localhost".into(),
    };
    let app = App::new(f.desk.clone(), None, TABLES);
    let Answer::Now(response) = app.handle(&request) else { panic!("{path} answers later") };
    let kind = response.headers().iter().find(|header| header.field.equiv("Content-Type"));
    let kind = kind.map(|header| header.value.to_string()).unwrap_or_default();
    let status = response.status_code().0;
    let mut text = String::new();
    response.into_reader().read_to_string(&mut text).unwrap();
    (status, kind.split(';').next().unwrap_or_default().to_owned(), text)
}

fn routes() -> impl Iterator<Item = &'static Route> {
    TABLES.iter().copied().flatten()
}

#[test]
fn every_route_refuses_in_the_language_of_its_surface() {
    let f = fixture();
    for route in routes() {
        let plain = match route.errors {
            Errors::Text => "text/plain",
            _ => "text/html",
        };
        let expected = language(route.path).unwrap_or(plain);
        let path = route.path.replace(['{', '}'], "");
        let (status, kind, text) = ask(&f, Method::Trace, &path, &[], "");
        assert_eq!((status, kind.as_str()), (405, expected), "{path}: {text}");
        // Another sister of the path may speak for what is not there; for pages, that is a page.
        if let Some(expected) = language(&format!("{path}/")) {
            let (status, kind, text) = ask(&f, Method::Get, &format!("{path}/no/such/thing"), &[], "");
            assert_eq!((status, kind.as_str()), (404, expected), "{path}: {text}");
        }
        for kind in [Kind::TooMany, Kind::Unavailable, Kind::Fault, Kind::NotFound] {
            let said = answer::error_in(&Error::new(kind, "code", "Sentence."), route.errors, None);
            let content_type = said.headers().iter().find(|header| header.field.equiv("Content-Type"));
            let content_type = content_type.unwrap().value.as_str();
            assert!(content_type.starts_with(expected), "{path} {kind:?}: {content_type}");
            assert_eq!(said.status_code().0, kind.status(), "{path}");
        }
    }
}

#[test]
fn a_form_in_parts_is_read_by_the_provisioning_api() {
    let f = fixture();
    let part = |name: &str, value: &str| {
        format!("--xYz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let headers = [("Content-Type", "multipart/form-data; boundary=xYz")];
    let form =
        [part("partnerlogin", "admin.seven"), part("PartnerPW", "a+b%20c"), "--xYz--\r\n".into()].concat();
    let (status, kind, text) = ask(&f, Method::Post, "/PAPI/ShowRoles.asp", &headers, &form);
    assert_eq!((status, kind.as_str()), (200, "text/xml"));
    // The login was read: what is refused is the password.
    assert!(!text.contains("partner_login_required") && text.contains("<status>error</status>"), "{text}");
    let (_, kind, text) = ask(&f, Method::Post, "/PAPI/ShowRoles.asp", &headers, "--xYz");
    assert!(kind == "text/xml" && text.contains("<code>bad_multipart</code>"), "{text}");
}

#[test]
fn a_wrong_password_is_a_fault_to_whoever_speaks_soap() {
    let f = fixture();
    let body = r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><ValidateUser>
        <username>admin.seven</username><password>wrong</password></ValidateUser></s:Body></s:Envelope>"#;
    let (status, kind, text) = ask(&f, Method::Post, "/services/ProvisioningService.asmx", &[], body);
    assert_eq!((status, kind.as_str()), (401, "text/xml"), "{text}");
    let document = roxmltree::Document::parse(&text).unwrap();
    let fault = document.descendants().find(|node| node.tag_name().name() == "faultcode").unwrap();
    assert_eq!(fault.text(), Some("soap:Client"));
}
