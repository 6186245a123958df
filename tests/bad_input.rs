//! Ten thousand bad requests, generated from a fixed seed, over the provisioning API, REST, SCIM and CSV:
//! each gets a clear error, none a failure of ours, and nothing is changed.
//!
//! Every request is good but for at least one thing that breaks a rule, so that it reaches as deep as it can.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::Server;
use serde_json::{Value, json};

const SEED: u64 = 0x5eed_0005;
const REST: usize = 3_300;
const SCIM: usize = 3_300;
const PAPI: usize = 3_350;
const CSV: usize = 50;

/// xorshift64*: the same numbers everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// Any text: quotes, markup, controls, other scripts, and what other languages read as code.
    fn text(&mut self) -> String {
        const PIECES: &[&str] = &[
            "a",
            "Z",
            "0",
            " ",
            "'",
            "\"",
            "\\",
            "%",
            "_",
            "*",
            ";",
            "--",
            "&",
            "=",
            "<",
            ">",
            "\u{0}",
            "\n",
            "\r",
            "\u{7f}",
            "ü",
            "漢",
            "\u{1f600}",
            "\u{202e}",
            "' OR 1=1 --",
            "%00",
            "${x}",
            "../",
            "-none-",
            "{}",
            "[",
            "]",
            "(",
        ];
        (0..self.below(20)).map(|_| self.pick(PIECES)).collect()
    }

    fn bad_address(&mut self) -> String {
        match self.below(6) {
            0 => String::new(),
            1 => "a".repeat(128 + self.below(1000)),
            2 => format!("{}_", self.text()),
            3 => format!(".{}", self.text()),
            4 => format!("ann{}\u{0}", self.text()),
            _ => format!("-{}", self.below(1000)),
        }
    }

    fn bad_puid(&mut self) -> String {
        match self.below(4) {
            0 => String::new(),
            1 => "ü".repeat(256 + self.below(500)),
            2 => format!("{}\u{7}", self.text()),
            _ => "-None-".to_owned(),
        }
    }

    /// Anything but a text.
    fn no_text(&mut self) -> Value {
        match self.below(5) {
            0 => json!(self.below(1_000_000)),
            1 => json!(-1.5e300),
            2 => json!([self.text()]),
            3 => json!({ "a": self.text() }),
            _ => json!(true),
        }
    }

    /// Bytes that are no JSON.
    fn no_json(&mut self) -> Vec<u8> {
        match self.below(5) {
            0 => Vec::new(),
            1 => "[".repeat(1 + self.below(5_000)).into_bytes(),
            2 => vec![b'[', b'"', 0xff, 0xfe, b'"', b']'],
            3 => format!("[{{\"username\":\"{}", self.below(100)).into_bytes(),
            _ => b"{'a':1}".to_vec(),
        }
    }
}

/// A bad request, and what is to be looked for in the answer.
struct Bad {
    method: &'static str,
    path: String,
    authorization: Option<String>,
    kind: &'static str,
    body: Vec<u8>,
}

struct House {
    server: Server,
    agent: ureq::Agent,
    rest: String,
    scim: String,
    papi: String,
}

fn run(server: &Server, arguments: &[&str]) -> String {
    let done = server.command(arguments);
    assert!(done.status.success(), "{arguments:?} {done:?}");
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

impl House {
    fn start() -> House {
        let server = Server::lab();
        run(&server, &["group", "create", "4711", "--name", "Bad"]);
        run(&server, &["api-key", "change", "--group", "4711"]);
        let password = server.data().join("password");
        std::fs::write(&password, "correct horse").unwrap();
        let admin = [
            "user",
            "create",
            "--group",
            "4711",
            "--address",
            "admin.x",
            "--puid",
            "admin",
            "--administrator",
        ];
        run(&server, &[&admin[..], &["--password-from", &format!("file:{}", password.display())]].concat());
        run(&server, &["user", "create", "--group", "4711", "--address", "ann.x", "--puid", "E1"]);
        run(&server, &["role", "create", "Sales", "--group", "4711"]);
        let token = server.post_json(
            "/services/AuthorizationService.svc/rest/Authorize?groupid=4711&duration=120",
            r#"{"username":"admin.x","password":"correct horse"}"#,
        );
        let rest = format!("Bearer {}", token.json().as_str().unwrap());
        let scim = format!("Bearer {}", run(&server, &["scim-token", "make", "Bad", "--group", "4711"]));
        let key = run(&server, &["login-key", "new", "--group", "4711", "--puid", "admin", "--ttl", "86000"]);
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        House {
            rest,
            scim,
            papi: format!("PartnerLogin=admin.x&PartnerID=4711&PartnerAuth={key}"),
            agent,
            server,
        }
    }

    /// All that the requests could have changed.
    fn state(&self) -> Value {
        let get = |path: &str, authorization: &str| {
            self.server.send("GET", path, &[("Authorization", authorization)], b"").json()
        };
        json!([
            get("/api/v1/groups/4711/users?limit=1000", &self.rest),
            get("/api/v0/groups/4711/roles", &self.rest),
            get("/scim/v2/Users?count=1000", &self.scim),
            get("/scim/v2/Groups?count=1000", &self.scim),
        ])
    }

    /// Sends a request and hands back status and body.
    fn send(&self, bad: &Bad) -> (u16, String) {
        let uri = format!("{}{}", self.server.url, bad.path);
        let mut request = ureq::http::Request::builder().method(bad.method).uri(&uri);
        if let Some(authorization) = &bad.authorization {
            request = request.header("Authorization", authorization);
        }
        let answer = match bad.method {
            "GET" | "DELETE" => self.agent.run(request.body(()).unwrap()),
            _ => self.agent.run(request.header("Content-Type", bad.kind).body(bad.body.as_slice()).unwrap()),
        };
        let mut answer = answer.unwrap_or_else(|e| panic!("{} {uri}: {e}", bad.method));
        let body = answer.body_mut().read_to_string().unwrap_or_default();
        (answer.status().as_u16(), body)
    }

    fn bad_rest(&self, random: &mut Random) -> Bad {
        const USERS: &str = "/api/v1/groups/4711/users";
        const ROLES: &str = "/api/v0/groups/4711/roles";
        let good = json!({"username": format!("u{}.x", random.below(9_999)), "partnerUserId": format!("P{}", random.below(9_999))});
        let with = |name: &str, value: Value| {
            let mut row = good.clone();
            row[name] = value;
            row
        };
        let (method, path, row) = match random.below(15) {
            0 => ("POST", USERS, with("username", json!(random.bad_address()))),
            1 => ("POST", USERS, with("partnerUserId", json!(random.bad_puid()))),
            2 => {
                let field = random.pick(&[
                    "username",
                    "firstName",
                    "lastName",
                    "email",
                    "phone",
                    "password",
                    "partnerUserId",
                ]);
                ("POST", USERS, with(field, random.no_text()))
            }
            3 => ("POST", USERS, with("firstName", json!("x".repeat(50 + random.below(5_000))))),
            4 => ("POST", USERS, with(&format!("x{}", random.text()), json!(1))),
            5 => ("POST", USERS, with("roleId", json!(900_000 + random.below(99_999)))),
            6 => ("POST", USERS, with("password", json!("1234567"))),
            7 => {
                ("PUT", USERS, json!({"userId": 900_000 + random.below(99_999), "firstName": random.text()}))
            }
            8 => ("PUT", USERS, json!({"partnerUserId": "E1", "suspended": random.text()})),
            9 => ("PUT", USERS, json!({"firstName": random.text()})),
            10 => ("POST", "/api/v1/groups/4711/delete-users", json!({"username": random.bad_address()})),
            11 => ("POST", ROLES, json!({"name": format!("*{}", random.text())})),
            12 => ("PUT", ROLES, json!({"roleId": 900_000 + random.below(99_999), "name": "x"})),
            13 => {
                let query = random.pick(&[
                    "limit=0",
                    "limit=x",
                    "offset=-1",
                    "orMode=maybe",
                    "roleId=one",
                    "limit=99999999999999999999",
                ]);
                return self.rest_call("GET", format!("{USERS}?{query}"), Vec::new());
            }
            _ => {
                let path = random.pick(&[
                    USERS,
                    ROLES,
                    "/api/v1/groups/4711/delete-users",
                    "/api/v0/groups/4711/delete-roles",
                ]);
                let body = random.no_json();
                return self.rest_call("POST", path.to_owned(), body);
            }
        };
        // The bad row stands among good ones.
        let mut rows = vec![json!({"username": "good.x", "partnerUserId": "good"})];
        if method == "PUT" || path != USERS {
            rows.clear();
        }
        rows.insert(random.below(rows.len() + 1), row);
        self.rest_call(method, path.to_owned(), json!(rows).to_string().into_bytes())
    }

    fn rest_call(&self, method: &'static str, path: String, body: Vec<u8>) -> Bad {
        Bad { method, path, authorization: Some(self.rest.clone()), kind: "application/json", body }
    }

    fn bad_scim(&self, random: &mut Random) -> Bad {
        let ann = "/scim/v2/Users/5";
        let text = random.text();
        let good = json!({"userName": format!("u{}.x", random.below(9_999))});
        let with = |name: &str, value: Value| {
            let mut user = good.clone();
            user[name] = value;
            user
        };
        let patch = |operation: Value| json!({"Operations": [{"op": "replace", "path": "name.givenName", "value": "X"}, operation]});
        let (method, path, body) = match random.below(14) {
            0 => ("POST", "/scim/v2/Users", with("userName", json!(random.bad_address().replace('@', "_")))),
            1 => ("POST", "/scim/v2/Users", with("externalId", json!(format!("{}\u{7}", random.text())))),
            2 => (
                "POST",
                "/scim/v2/Users",
                with(random.pick(&["name", "emails", "phoneNumbers"]), json!(text)),
            ),
            3 => ("POST", "/scim/v2/Users", with("active", json!(format!("x{text}")))),
            4 => (
                "POST",
                "/scim/v2/Users",
                with("name", json!({"familyName": "x".repeat(50 + random.below(3_000))})),
            ),
            5 => ("POST", "/scim/v2/Users", with("password", json!("1234567"))),
            6 => ("PUT", "/scim/v2/Users/999999", good),
            7 => ("PATCH", ann, patch(json!({"op": format!("x{text}"), "path": "active", "value": true}))),
            8 => ("PATCH", ann, patch(json!({"op": "replace", "path": format!("[{text}"), "value": true}))),
            9 => {
                ("PATCH", ann, patch(json!({"op": "replace", "path": "userName", "value": random.no_text()})))
            }
            10 => (
                "PATCH",
                ann,
                patch(json!({"op": "replace", "path": "emails[value co \"zz\"].value", "value": text})),
            ),
            11 => (
                "POST",
                "/scim/v2/Groups",
                json!({"displayName": "Made", "members": [{"value": format!("x{text}")}]}),
            ),
            12 => {
                let query = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
                return self.scim_call(
                    "GET",
                    format!("/scim/v2/Users?filter=userName%20eq%20{query}%20eq"),
                    Vec::new(),
                );
            }
            _ => {
                let (method, path) =
                    if random.below(2) == 0 { ("POST", "/scim/v2/Users") } else { ("PATCH", ann) };
                let body = random.no_json();
                return self.scim_call(method, path.to_owned(), body);
            }
        };
        self.scim_call(method, path.to_owned(), body.to_string().into_bytes())
    }

    fn scim_call(&self, method: &'static str, path: String, body: Vec<u8>) -> Bad {
        Bad { method, path, authorization: Some(self.scim.clone()), kind: "application/scim+json", body }
    }

    fn bad_papi(&self, random: &mut Random) -> Bad {
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let puid = format!("P{}", random.below(9_999));
        let (page, own) = match random.below(12) {
            0 => ("NewUser", format!("PartnerUserID={puid}&UserAddress={}", encoded(&random.bad_address()))),
            1 => ("NewUser", format!("PartnerUserID={}&UserAddress=u.x", encoded(&random.bad_puid()))),
            2 => ("NewUser", format!("PartnerUserID={puid}")),
            3 => (
                "NewUser",
                format!("PartnerUserID={puid}&UserAddress=u.x&UserRole=x{}", encoded(&random.text())),
            ),
            4 => (
                "NewUser",
                format!(
                    "PartnerUserID={puid}&UserAddress=u.x&UserFirst={}",
                    "x".repeat(50 + random.below(5_000))
                ),
            ),
            5 => ("NewUser", format!("PartnerUserID={puid}&UserAddress=u.x&UserPW=1234567")),
            6 => (
                "NewUser",
                format!("PartnerUserID={puid}&UserAddress=u.x&AudioProvider=x{}", encoded(&random.text())),
            ),
            7 => ("UpdateUser", format!("PartnerUserID=none{puid}&UserFirst={}", encoded(&random.text()))),
            8 => ("UpdateUser", format!("PartnerUserID=E1&UserSuspended=x{}", encoded(&random.text()))),
            9 => ("DeleteUser", format!("PartnerUserID=none{}", encoded(&random.text()))),
            10 => (
                "ShowUsers",
                format!("PageCount={}", random.pick(&["", "0", "1001", "x", "-1", "99999999999999999999"])),
            ),
            _ => ("ShowUsers", format!("PageCount=10&PageStart=~{}", encoded(&random.text()))),
        };
        Bad {
            method: "POST",
            path: format!("/PAPI/{page}.asp"),
            authorization: None,
            kind: "application/x-www-form-urlencoded",
            body: format!("{}&{own}", self.papi).into_bytes(),
        }
    }
}

/// A file of good rows and a bad one.
fn bad_csv(random: &mut Random) -> Vec<u8> {
    let mut rows: Vec<String> =
        (0..random.below(20)).map(|n| format!("John,Doe,j@example.com,1,good{n}.x,,G{n}")).collect();
    let bad = match random.below(6) {
        0 => format!("a,b,c,d,\"_{}\",,E9", random.text().replace(['"', '\n', '\r', '\u{0}'], "")),
        1 => format!("a,b,c,d,u.x,,{}", "x".repeat(256)),
        2 => format!("{},b,c,d,u.x,,E9", "x".repeat(50)),
        3 => "a,b,c,d,u.x,1234567,E9".to_owned(),
        4 => "a,b,c,d,new.x,,E1".to_owned(),
        _ => "a,b,c,d,,,E9".to_owned(),
    };
    rows.insert(random.below(rows.len() + 1), bad);
    let header = match random.below(8) {
        0 => "FirstName,LastName,Email,Phone,Address,Password,PartnerUID",
        _ => "FirstName,LastName,Email,Phone,GlanceAddress,Password,PartnerUID",
    };
    format!("{header}\r\n{}\r\n", rows.join("\r\n")).into_bytes()
}

#[test]
fn ten_thousand_bad_requests_get_clear_errors_and_change_nothing() {
    let house = House::start();
    let before = house.state();
    assert_eq!(before[0]["pagination"]["totalRecords"], 2, "{before}");
    assert_eq!(before[2]["Resources"][1]["id"], "5", "the paths of PATCH name Ann");
    // Side by side, so that they share commits.
    std::thread::scope(|scope| {
        scope.spawn(|| rest(&house, &mut Random(SEED)));
        scope.spawn(|| scim(&house, &mut Random(SEED + 1)));
        scope.spawn(|| papi(&house, &mut Random(SEED + 2)));
        scope.spawn(|| csv(&house, &mut Random(SEED + 3)));
    });
    assert_eq!(house.state(), before);
}

fn told(what: &str, number: usize, bad: &Bad, status: u16, body: &str) -> String {
    let sent = String::from_utf8_lossy(&bad.body);
    format!("{what} {number}: {} {} {sent:?}: {status} {body}", bad.method, bad.path)
}

fn rest(house: &House, random: &mut Random) {
    for number in 0..REST {
        let bad = house.bad_rest(random);
        let (status, body) = house.send(&bad);
        let told = told("REST", number, &bad, status, &body);
        assert!((400..500).contains(&status), "{told}");
        let error: Value = serde_json::from_str(&body).unwrap_or_else(|e| panic!("{e} {told}"));
        assert!(error["error"]["code"].is_string() && error["error"]["message"].is_string(), "{told}");
    }
}

fn scim(house: &House, random: &mut Random) {
    for number in 0..SCIM {
        let bad = house.bad_scim(random);
        let (status, body) = house.send(&bad);
        let told = told("SCIM", number, &bad, status, &body);
        assert!((400..500).contains(&status), "{told}");
        let error: Value = serde_json::from_str(&body).unwrap_or_else(|e| panic!("{e} {told}"));
        assert_eq!(error["status"], status.to_string(), "{told}");
        assert!(error["detail"].is_string(), "{told}");
    }
}

fn papi(house: &House, random: &mut Random) {
    for number in 0..PAPI {
        let bad = house.bad_papi(random);
        let (status, body) = house.send(&bad);
        let told = told("PAPI", number, &bad, status, &body);
        // Handled errors are answered with 200, as classic pages do; wire contract §11 Q1.
        assert!(status == 200 || (400..500).contains(&status), "{told}");
        assert!(body.contains("<status>error</status>") && body.contains("<code>"), "{told}");
    }
}

fn csv(house: &House, random: &mut Random) {
    for number in 0..CSV {
        let path = house.server.data().join("people.csv");
        std::fs::write(&path, bad_csv(random)).unwrap();
        let done = house.server.command(&["user", "import", path.to_str().unwrap(), "--group", "4711"]);
        assert!(matches!(done.status.code(), Some(1 | 2)), "CSV {number}: {done:?}");
        assert!(!done.stderr.is_empty() || !done.stdout.is_empty(), "CSV {number}");
    }
}
