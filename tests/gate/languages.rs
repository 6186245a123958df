//! What the running appliance refuses before any surface is asked, in the language of each.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use crate::appliance::Appliance;
use crate::harness::{Answer, Client};

/// After this long the bodies that fill the memory have not come: the test has failed.
const PATIENCE: Duration = Duration::from_secs(30);
const MIB: usize = 1024 * 1024;

/// A path of each surface that takes a POST, and how it speaks.
const SURFACES: [(&str, Language); 12] = [
    ("/PAPI/ShowUsers.asp", Language::Papi),
    ("/papi/newuser.asp", Language::Papi),
    ("/services/ProvisioningService.asmx", Language::Soap),
    ("/services/ProvisioningService.asmx/ValidateUser", Language::Soap),
    ("/services/AuthorizationService.svc/rest/Authorize", Language::Json),
    ("/api/v0/authorize", Language::Json),
    ("/api/v1/groups/12345/users", Language::Json),
    ("/scim/v2/Users", Language::Scim),
    ("/console/sign-in", Language::Page),
    ("/agentjoin/AgentView.aspx", Language::Page),
    ("/login/default.aspx", Language::Page),
    ("/account/GetLoginKey.aspx?idpid=12345", Language::Page),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Papi,
    Soap,
    Json,
    Scim,
    Page,
}

impl Language {
    fn media_type(self) -> &'static str {
        match self {
            Language::Papi | Language::Soap => "text/xml; charset=utf-8",
            Language::Json => "application/json",
            Language::Scim => "application/scim+json",
            Language::Page => "text/html; charset=utf-8",
        }
    }

    /// The code of a refusal that a client of this language reads; pages have none, and are told by their title.
    fn code(self, answer: &Answer) -> String {
        let json = || serde_json::from_str::<serde_json::Value>(&answer.body).unwrap();
        match self {
            Language::Papi | Language::Soap => {
                let document = roxmltree::Document::parse(&answer.body).unwrap();
                let root = if self == Language::Papi { "response" } else { "Envelope" };
                assert_eq!(document.root_element().tag_name().name(), root);
                let code = document.descendants().find(|node| node.tag_name().name() == "code");
                code.unwrap().text().unwrap().to_owned()
            }
            Language::Json => json()["error"]["code"].as_str().unwrap().to_owned(),
            Language::Scim => {
                assert_eq!(json()["status"], answer.status.to_string());
                let detail = json()["detail"].as_str().unwrap().to_owned();
                detail.rsplit_once('(').unwrap().1.trim_end_matches(')').to_owned()
            }
            Language::Page => {
                assert!(answer.body.contains("<title>Error: "), "{}", answer.body);
                String::new()
            }
        }
    }

    #[track_caller]
    fn check(self, asked: &str, answer: &Answer, status: u16, code: &str) {
        assert_eq!(answer.status, status, "{asked}: {answer:?}");
        assert_eq!(answer.headers["content-type"], self.media_type(), "{asked}: {answer:?}");
        assert!(answer.headers.contains_key("content-security-policy"), "{asked}: {answer:?}");
        let got = self.code(answer);
        assert!(got == code || self == Language::Page, "{asked}: {got}");
    }
}

fn ask(appliance: &Appliance, bytes: &str) -> Answer {
    let mut client = appliance.connect(Ipv4Addr::LOCALHOST);
    client.send(bytes);
    client.response()
}

#[test]
fn each_surface_refuses_in_its_own_language_what_it_never_sees() {
    let appliance = Appliance::start(1024);
    let rest = " HTTP/1.1\r\nHost: x\r\n";
    for (path, language) in SURFACES {
        let post = format!("POST {path}{rest}");
        let (bare, long) = (path.split('?').next().unwrap(), "a".repeat(20_000));
        for (bytes, status, code) in [
            (format!("{post}Content-Length: 99999999\r\n\r\n"), 413, "body_too_long"),
            (format!("{post}Content-Length: 99999999999999999999999\r\n\r\n"), 413, "body_too_long"),
            (format!("{post}Transfer-Encoding: chunked\r\n\r\nfffffff\r\n"), 413, "body_too_long"),
            (format!("{post}Transfer-Encoding: chunked\r\n\r\nzz\r\n"), 400, "chunk"),
            (format!("POST {bare}%2F{rest}\r\n"), 400, "path"),
            (format!("POST {bare}/..{rest}\r\n"), 400, "path"),
            (format!("POST {bare}?{long}"), 414, "target_too_long"),
            (format!("{post}X-Long: {long}"), 431, "head_too_long"),
            (format!("{post}Expect: more\r\n\r\n"), 417, "expectation"),
            (format!("{post}Transfer-Encoding: gzip\r\n\r\n"), 501, "coding_unsupported"),
            (format!("POST {bare} HTTP/3.0\r\n\r\n"), 505, "version"),
            (format!("POST {bare} HTTP/1.1\r\n\r\n"), 400, "host_missing"),
            (format!("TRACE {bare}{rest}\r\n"), 405, "method_not_allowed"),
            (format!("POST {bare}/no/such{rest}Content-Length: 0\r\n\r\n"), 404, "no_such_path"),
        ] {
            let answer = ask(&appliance, &bytes);
            language.check(&format!("{path} {code}"), &answer, status, code);
        }
    }
    // Nobody's path, and no path at all.
    for bytes in ["POST /nobodys%2F HTTP/1.1\r\nHost: x\r\n\r\n", "\0\r\n\r\n"] {
        let answer = ask(&appliance, bytes);
        assert_eq!(
            (answer.status, answer.headers["content-type"].as_str()),
            (400, "text/plain; charset=utf-8")
        );
    }
}

/// Sends all of a body but its last byte, so that the server keeps it and waits.
fn unfinished(appliance: &Appliance, source: Ipv4Addr, length: usize) -> Client {
    let mut client = appliance.connect(source);
    client.send(format!(
        "POST /console/groups/12345/users/upload HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
    ));
    client.send(vec![b'u'; length - 1]);
    client
}

#[test]
fn each_surface_says_in_its_own_language_that_the_server_is_busy() {
    let appliance = Appliance::start(1024);
    // 32 MiB in all, of which an address gets three quarters.
    let _filling = [
        unfinished(&appliance, Ipv4Addr::new(127, 0, 0, 3), 23 * MIB),
        unfinished(&appliance, Ipv4Addr::new(127, 0, 0, 4), 9 * MIB),
    ];
    let large = 20 * 1024;
    let begun = Instant::now();
    for (path, language) in SURFACES {
        let busy = loop {
            let answer = ask(
                &appliance,
                &format!(
                    "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {large}\r\n\r\n{}",
                    "b".repeat(large)
                ),
            );
            // What fills the memory is on its way.
            if answer.status == 503 {
                break answer;
            }
            assert!(begun.elapsed() < PATIENCE, "{path}: {answer:?}");
        };
        language.check(path, &busy, 503, "bodies_too_many");
        assert_eq!(busy.headers["retry-after"], "5", "{path}");
    }
}
