//! Each surface speaks its own language, also where it refuses: every route of the table is asked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::io::Read;

use tiny_http::{Header, Method};

use super::router::{App, Errors, Route};
use super::{TABLES, answer};
use crate::desk::fixture::{Fixture, fixture};
use crate::error::{Error, Kind};
use crate::gate::{Answer, Handler, Refusal, Refused, Request, Response};

/// Beginnings of paths, and the media type of what is said there; the first counts.
const LANGUAGES: [(&str, &str); 9] = [
    ("/papi/", "text/xml"),
    ("/services/provisioningservice.asmx", "text/xml"),
    ("/services/", "application/json"),
    ("/api/", "application/json"),
    ("/scim/", "application/scim+json"),
    ("/health", "application/json"),
    ("/livez", "text/plain"),
    ("/readyz", "text/plain"),
    ("/lab/", "application/json"),
];

/// What the front door refuses, of each status one at least.
const REFUSALS: [Refusal; 12] = [
    Refusal::Path,
    Refusal::Chunk,
    Refusal::HostMissing,
    Refusal::HeadTooLate,
    Refusal::BodyTooLate,
    Refusal::BodyTooLong,
    Refusal::TargetTooLong,
    Refusal::Expectation,
    Refusal::HeadTooLong,
    Refusal::CodingUnsupported,
    Refusal::BodiesTooMany,
    Refusal::Version,
];

fn language(path: &str) -> Option<&'static str> {
    let path = path.to_ascii_lowercase();
    LANGUAGES.iter().find(|(beginning, _)| path.starts_with(beginning)).map(|(_, kind)| *kind)
}

fn language_of(route: &Route) -> &'static str {
    let plain = match route.errors {
        Errors::Text => "text/plain",
        _ => "text/html",
    };
    language(route.path).unwrap_or(plain)
}

fn app(f: &Fixture) -> App {
    App::new(f.desk.clone(), None, TABLES)
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let headers =
        headers.iter().map(|(name, value)| Header::from_bytes(name.as_bytes(), value.as_bytes()).unwrap());
    Request {
        method,
        path: path.to_owned(),
        query: String::new(),
        headers: headers.collect(),
        body: body.as_bytes().to_vec(),
        peer: [127, 0, 0, 1].into(),
        secure: true,
        host: "localhost".into(),
    }
}

/// Status, media type and body.
fn read(response: Response) -> (u16, String, String) {
    let kind = response.headers().iter().find(|header| header.field.equiv("Content-Type"));
    let kind = kind.map(|header| header.value.to_string()).unwrap_or_default();
    let status = response.status_code().0;
    let mut text = String::new();
    response.into_reader().read_to_string(&mut text).unwrap();
    (status, kind.split(';').next().unwrap_or_default().to_owned(), text)
}

fn ask(
    f: &Fixture,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String, String) {
    let Answer::Now(response) = app(f).handle(&request(method, path, headers, body)) else {
        panic!("{path} answers later")
    };
    read(response)
}

fn routes() -> impl Iterator<Item = &'static Route> {
    TABLES.iter().copied().flatten()
}

/// Checks that an answer is of this status and language, and that a client of it can read it.
#[track_caller]
fn check(asked: &str, (status, kind, text): (u16, String, String), expected: (u16, &str)) {
    assert_eq!((status, kind.as_str()), expected, "{asked}: {text}");
    let readable = match kind.as_str() {
        "text/xml" => {
            let document =
                roxmltree::Document::parse(&text).unwrap_or_else(|why| panic!("{asked}: {why}: {text}"));
            let has = |name: &str| document.descendants().any(|node| node.tag_name().name() == name);
            match document.root_element().tag_name().name() {
                "Envelope" => has("faultcode") && has("faultstring"),
                _ => has("status") && has("code") && has("message"),
            }
        }
        "application/json" => {
            let document: serde_json::Value = serde_json::from_str(&text).unwrap();
            document["error"]["code"].is_string() && document["error"]["message"].is_string()
        }
        "application/scim+json" => {
            let document: serde_json::Value = serde_json::from_str(&text).unwrap();
            document["status"].as_str() == Some(status.to_string().as_str()) && document["detail"].is_string()
        }
        "text/html" => {
            text.starts_with("<!DOCTYPE html>") && text.contains("<title>Error: ") && text.contains("<h1>")
        }
        _ => text.ends_with('\n') && text.lines().count() == 1,
    };
    assert!(readable, "{asked}: {text}");
}

#[test]
fn every_route_refuses_in_the_language_of_its_surface() {
    let f = fixture();
    for route in routes() {
        let expected = language_of(route);
        let path = route.path.replace(['{', '}'], "");
        check(&path, ask(&f, Method::Trace, &path, &[], ""), (405, expected));
        // Another sister of the path may speak for what is not there; for pages, that is a page.
        if let Some(expected) = language(&format!("{path}/")) {
            let answer = ask(&f, Method::Get, &format!("{path}/no/such/thing"), &[], "");
            check(&path, answer, (404, expected));
        }
        for kind in [Kind::TooMany, Kind::Unavailable, Kind::Fault, Kind::NotFound] {
            let said = answer::error_in(&Error::new(kind, "code", "Sentence."), route.errors, None);
            check(&path, read(said), (kind.status(), expected));
        }
    }
}

#[test]
fn what_the_front_door_refuses_is_said_in_the_language_of_the_surface() {
    let f = fixture();
    let app = app(&f);
    for (route, refusal) in routes().flat_map(|route| REFUSALS.map(|refusal| (route, refusal))) {
        let path = route.path.replace(['{', '}'], "");
        let request = request(route.method.clone(), &path, &[], "");
        let asked = format!("{refusal:?} {path}");
        let said = app.refused(refusal, &Refused::Head(&request)).unwrap();
        assert!(said.headers().iter().any(|h| h.field.equiv("Content-Security-Policy")), "{asked}");
        check(&asked, read(said), (refusal.status(), language_of(route)));
        // Without its head, a path speaks as the first line of the table does that begins so.
        let beginning = Refused::Beginning { method: &request.method, path: &path };
        if let Some(said) = app.refused(refusal, &beginning) {
            let (status, kind, text) = read(said);
            let expected = if kind == "text/plain" { "text/plain" } else { language_of(route) };
            check(&asked, (status, kind, text), (refusal.status(), expected));
        } else {
            assert_eq!(path, "/", "{asked}");
        }
    }
}

#[test]
fn at_nobodys_path_a_refusal_is_a_page_to_browsers_and_json_to_programs() {
    let f = fixture();
    let app = app(&f);
    for (headers, expected) in [(&[("Accept", "text/html,*/*")][..], "text/html"), (&[], "application/json")]
    {
        check("404", ask(&f, Method::Get, "/nobodys/path", headers, ""), (404, expected));
        let request = request(Method::Post, "/nobodys/path", headers, "");
        let said = app.refused(Refusal::BodyTooLong, &Refused::Head(&request)).unwrap();
        check("413", read(said), (413, expected));
    }
    let nobodys = Refused::Beginning { method: &Method::Get, path: "/nobodys/path" };
    assert!(app.refused(Refusal::Path, &nobodys).is_none(), "the gate's own words");
}

#[test]
fn a_panic_is_told_in_the_language_of_the_surface() {
    let f = fixture();
    let one_of_each: BTreeMap<_, _> = routes().map(|route| (language_of(route), route)).collect();
    for route in one_of_each.into_values() {
        let path = route.path.replace(['{', '}'], "");
        let said = app(&f).panicked(&request(route.method.clone(), &path, &[], ""), "7K3M9QRT").unwrap();
        let (status, kind, text) = read(said);
        assert!(text.contains("7K3M9QRT"), "{path}: {text}");
        check(&path, (status, kind, text), (500, language_of(route)));
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
fn a_wrong_password_is_a_fault_that_clients_of_soap_read() {
    let f = fixture();
    let (path, form) = ("/services/ProvisioningService.asmx", "username=admin.seven&password=wrong");
    let body = r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><ValidateUser>
        <username>admin.seven</username><password>wrong</password></ValidateUser></s:Body></s:Envelope>"#;
    let unreadable =
        r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>"#;
    // SOAP 1.1 section 6.2: a fault has the status 500. Anyone who sends a form goes by the refusal's own.
    for (body, expected) in [(body, 500), (unreadable, 500), ("<no xml", 500), (form, 401)] {
        let (status, kind, text) = ask(&f, Method::Post, path, &[], body);
        let document = roxmltree::Document::parse(&text).unwrap();
        let fault = document.descendants().find(|node| node.tag_name().name() == "faultcode").unwrap();
        assert_eq!(fault.text(), Some("soap:Client"), "{text}");
        check(body, (status, kind, text), (expected, "text/xml"));
    }
}
