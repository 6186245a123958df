//! One person on every surface: names, labels, order and refusals stay what they were. The golden file is the transcript
//! of a session; a change that is meant is copied from the file that the failure names.

use serde_json::{Value, json};

use crate::browser::{Browser, PASSWORD, claimed, text_of};
use crate::common::Server;

const GOLDEN: &str = include_str!("../fixtures/person/transcript.txt");
const USERS: &str = "/api/v1/groups/12345/users";

/// What was asked and answered so far.
struct Transcript<'s> {
    server: &'s Server,
    text: String,
}

impl Transcript<'_> {
    fn note(&mut self, title: &str, answer: &str) {
        self.text += &format!("=== {title}\n{}\n", answer.trim_end().replace("\r\n", "\n"));
    }

    fn command(&mut self, arguments: &[&str]) {
        let output = self.server.command(arguments);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).replace(self.server.data().to_str().unwrap(), "DATA");
        self.note(&arguments.join(" ").replace(self.server.data().to_str().unwrap(), "DATA"), &said);
    }

    fn papi(&mut self, page: &str, fields: &str) {
        let form = format!("PartnerLogin=admin.demo.glance.net&PartnerPW=demo-password&{fields}");
        let answer = self.server.post_form(&format!("/PAPI/{page}.asp"), &form);
        self.note(&format!("{page} {fields}"), &answer.body);
    }

    fn json(&mut self, token: &str, method: &str, path: &str, body: &Value) {
        let bearer = format!("Bearer {token}");
        let kind = if path.starts_with("/scim") { "application/scim+json" } else { "application/json" };
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", kind)];
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer = self.server.send(method, path, &headers, &bytes);
        self.note(&format!("{method} {path} {body}"), &format!("{} {}", answer.status, answer.body));
    }

    /// The form of a page that has the field, tag by tag.
    fn form(&mut self, title: &str, browser: &Browser<'_>, body: &str) {
        let (before, after) = body.split_once("name=\"first_name\"").unwrap_or_else(|| panic!("{body}"));
        let begin = before.rfind("<form").unwrap();
        let (rest, _) = after.split_once("</form>").unwrap();
        let form = format!("{}name=\"first_name\"{rest}", before.split_at(begin).1);
        let form = form.replace(browser.token.borrow().as_str(), "TOKEN").replace("><", ">\n<");
        self.note(title, &form);
    }

    /// What is said of a form that was refused: the list above it, and what stands at its fields.
    fn refused(&mut self, title: &str, body: &str) {
        let main = body.split_once("<main").unwrap().1.replace("><", ">\n<");
        let (above, form) = main.split_once("name=\"form_token\"").unwrap_or((&main, ""));
        let said = text_of(above);
        let at_fields: Vec<&str> = form.lines().filter(|line| line.contains("wrong-text")).collect();
        let said: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        self.note(title, &format!("{}\n{}", said.join("\n"), at_fields.join("\n")));
    }
}

#[test]
fn a_person_reads_alike_on_every_surface() {
    let server = Server::lab();
    let browser = claimed(&server);
    let mut told = Transcript { server: &server, text: String::new() };
    of_papi(&mut told);
    of_rest(&mut told);
    of_scim(&mut told);
    of_commands(&mut told);
    of_files(&mut told);
    of_forms(&mut told, &browser);
    of_log(&mut told, &browser);
    let now = masked(&told.text).replace(&server.url, "URL").replace(&"x".repeat(250), "x…");
    let unlike = now.lines().zip(GOLDEN.lines()).find(|(now, golden)| now != golden);
    if now != GOLDEN {
        let file = std::env::temp_dir().join(format!("sidelight-transcript-{}.txt", std::process::id()));
        std::fs::write(&file, &now).unwrap();
        panic!("{} differs from the golden file, first at {unlike:?}", file.display());
    }
}

/// Without what differs from run to run: the day and time.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("202") {
        let (before, from) = rest.split_at(at);
        let is_time = |c: char| c.is_ascii_digit() || "-:.TZ".contains(c);
        let end = from.find(|c| !is_time(c)).unwrap_or(from.len());
        let (time, after) = from.split_at(end);
        masked += before;
        masked += if time.len() >= 10 && time.contains('-') { "TIME" } else { time };
        let is_clock = |text: &&str| text.chars().all(|c| " 0123456789:".contains(c)) && text.contains(':');
        let clock = after.get(..9).filter(is_clock);
        rest = after.split_at(clock.map_or(0, |_| 9)).1;
    }
    masked + rest
}

fn of_papi(told: &mut Transcript<'_>) {
    told.papi(
        "NewUser",
        "PartnerUserID=P1&UserAddress=pat.demo.glance.net&UserFirst=Pat&UserLast=One&UserEmail=pat@example.com&UserRole=Agent",
    );
    told.papi(
        "UpdateUser",
        "PartnerUserID=P1&UserFirst=Patty&UserSuspended=1&UserAddress=patty.demo.glance.net&UserRole=-none-",
    );
    told.papi("ShowUsers", "PageCount=10&PartnerUserID=P1");
    let long = "x".repeat(300);
    for name in ["PartnerUserID", "UserAddress", "UserFirst", "UserLast", "UserEmail", "UserRole", "UserPW"] {
        let first = |other: &str, value: &str| {
            if name == other { String::new() } else { format!("{other}={value}&") }
        };
        let must = first("PartnerUserID", "P2") + &first("UserAddress", "p2.demo");
        let value = if name == "UserPW" { "x" } else { long.as_str() };
        told.papi("NewUser", &format!("{must}{name}={value}"));
    }
    told.papi("UpdateUser", "PartnerUserID=P1&UserActive=perhaps");
    told.papi("NewUser", "PartnerUserID=%00&UserAddress=-&UserFirst=%00");
}

fn of_rest(told: &mut Transcript<'_>) {
    let answer = told.server.post_json(
        "/services/AuthorizationService.svc/rest/Authorize?service=webservices&groupid=12345",
        &json!({"username": "admin.demo.glance.net", "password": "demo-password"}).to_string(),
    );
    let token = answer.json().as_str().unwrap().to_owned();
    let full = json!([{
        "firstName": "Rex", "lastName": "Two", "email": "rex@example.com", "phone": "222",
        "username": "rex.demo.glance.net", "password": PASSWORD, "partnerUserId": "R1", "roleId": 1,
    }]);
    told.json(&token, "POST", USERS, &full);
    told.json(&token, "GET", &format!("{USERS}?puid=R1"), &Value::Null);
    let long = "x".repeat(300);
    let names = [
        "firstName",
        "lastName",
        "email",
        "phone",
        "username",
        "password",
        "partnerUserId",
        "roleId",
        "suspended",
        "active",
        "roleName",
        "administrator",
        "subscription",
        "userId",
        "colour",
    ];
    for name in names {
        let with = |value: Value| {
            let mut row = json!({"username": "r2.demo", "partnerUserId": "R2"});
            row[name] = value;
            row
        };
        let text = if name == "password" { "x" } else { long.as_str() };
        told.json(&token, "POST", USERS, &json!([with(json!(text))]));
        told.json(&token, "POST", USERS, &json!([with(json!({}))]));
        let with_id = |mut row: Value| {
            if name != "userId" {
                row["userId"] = json!(1);
            }
            row
        };
        told.json(&token, "PUT", USERS, &json!([with_id(with(json!(text)))]));
        told.json(&token, "PUT", USERS, &json!([with_id(with(json!([])))]));
    }
    told.json(
        &token,
        "POST",
        USERS,
        &json!([{"username": 1, "partnerUserId": 2, "firstName": 3, "roleId": "x", "password": 4}]),
    );
    told.json(
        &token,
        "PUT",
        USERS,
        &json!([{"partnerUserId": "R1", "username": "rexy.demo.glance.net", "phone": "", "active": false}]),
    );
    told.json(&token, "GET", &format!("{USERS}?username=rexy"), &Value::Null);
}

fn of_scim(told: &mut Transcript<'_>) {
    let made = told.server.command(&["scim-token", "make", "Okta", "--group", "12345"]);
    let token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let full = json!({
        "userName": "sue.demo.glance.net", "externalId": "S1", "name": {"givenName": "Sue", "familyName": "Three"},
        "emails": [{"value": "sue@example.com", "primary": true}], "phoneNumbers": [{"value": "333", "type": "work"}],
        "active": true, "displayName": "Susan",
    });
    told.json(&token, "POST", "/scim/v2/Users", &full);
    let long = "x".repeat(300);
    for (name, value) in [
        ("userName", json!(long)),
        ("externalId", json!(long)),
        ("name", json!({"givenName": long})),
        ("name", json!({"familyName": long})),
        ("name", json!({"familyName": 1})),
        ("name", json!(1)),
        ("emails", json!([long])),
        ("emails", json!(1)),
        ("phoneNumbers", json!([long])),
        ("password", json!("x")),
        ("active", json!("perhaps")),
    ] {
        let mut user = json!({"userName": "s2.demo", "externalId": "S2"});
        user[name] = value;
        told.json(&token, "POST", "/scim/v2/Users", &user);
    }
    told.json(
        &token,
        "PUT",
        "/scim/v2/Users/6",
        &json!({"userName": "sue.demo.glance.net", "active": false}),
    );
    let operations = json!([{"op": "replace", "path": "name.givenName", "value": "Susi"}]);
    let patch =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    told.json(&token, "PATCH", "/scim/v2/Users/6", &patch);
    told.json(
        &token,
        "GET",
        "/scim/v2/Users?filter=userName%20eq%20%22patty.demo.glance.net%22",
        &Value::Null,
    );
}

fn of_commands(told: &mut Transcript<'_>) {
    told.command(&["user", "create", "--help"]);
    told.command(&["user", "update", "--help"]);
    told.command(&["user", "import", "--help"]);
    let full = [
        "user",
        "create",
        "--group",
        "12345",
        "--address",
        "cli.demo.glance.net",
        "--puid",
        "C1",
        "--first",
        "Cleo",
        "--last",
        "Four",
        "--email",
        "cleo@example.com",
        "--phone",
        "444",
        "--role",
        "Agent",
    ];
    told.command(&full);
    told.command(&["user", "show", "--group", "12345", "--puid", "C1"]);
    let changes = [
        "user",
        "update",
        "--group",
        "12345",
        "--puid",
        "C1",
        "--first",
        "Clea",
        "--last",
        "5",
        "--email",
        "c@x",
        "--phone",
        "",
        "--role",
        "-none-",
        "--administrator",
        "on",
        "--active",
        "off",
        "--new-address",
        "clea.demo",
        "--new-puid",
        "",
    ];
    told.command(&changes);
    told.command(&["user", "show", "--group", "12345", "--address", "clea.demo", "--json"]);
    let long = "x".repeat(300);
    for flag in ["--first", "--last", "--email", "--phone", "--role", "--new-address", "--new-puid"] {
        told.command(&["user", "update", "--group", "12345", "--address", "clea.demo", flag, &long]);
    }
}

fn of_files(told: &mut Transcript<'_>) {
    told.command(&["user", "export", "-", "--group", "12345"]);
    told.command(&["user", "template", "-"]);
    let file = told.server.data().join("people.csv");
    let long = "x".repeat(300);
    let rows = [
        "PARTNER USER ID;e-mail;Phone number;first-name;LASTNAME;Glance Address;Password".to_owned(),
        "C9;new@x;9;Nell;Nine;clea.demo;".to_owned(),
        "P2;pat@x;1E+12;Pat;1E+12;patty.demo.glance.net;correct horse".to_owned(),
        "N1;no address;;;;nina.demo;correct horse".to_owned(),
        format!("N2;{long};;;;n2.demo;"),
        format!("N3;;{long};;;n3.demo;"),
        format!("N4;;;{long};;n4.demo;"),
        format!("N5;;;;{long};n5.demo;"),
        format!("N6;;;;;{long};"),
        "N7;;;;;n7.demo;x".to_owned(),
        format!("{long};;;;;n8.demo;"),
        ";;;;;n9.demo;".to_owned(),
    ];
    std::fs::write(&file, rows.join("\n")).unwrap();
    let arguments =
        ["user", "import", file.to_str().unwrap(), "--group", "12345", "--role", "Observer", "--dry-run"];
    told.command(&arguments);
    told.command(&[arguments.as_slice(), &["--json"]].concat());
    std::fs::write(&file, "GlanceAddress,Colour,Email,E-mail\n").unwrap();
    told.command(&arguments);
    std::fs::write(&file, rows.get(..4).unwrap().join("\n")).unwrap();
    told.command(arguments.split_last().unwrap().1);
}

fn of_forms(told: &mut Transcript<'_>, browser: &Browser<'_>) {
    let new = "/console/groups/12345/users/new";
    told.form(new, browser, &browser.get(new).body);
    let long = "x".repeat(300);
    for name in ["address", "puid", "first_name", "last_name", "email", "phone", "role", "password"] {
        let fields: Vec<(&str, &str)> = [("address", "f1.demo"), (name, long.as_str()), ("again", "")]
            .into_iter()
            .filter(|(field, value)| *field != name || *value == long)
            .collect();
        told.refused(&format!("{new} {name}"), &browser.post(new, &fields).body);
    }
    let full = [
        ("address", "fay.demo.glance.net"),
        ("puid", "F1"),
        ("first_name", "Fay"),
        ("last_name", "Five"),
        ("email", "fay@example.com"),
        ("phone", "555"),
        ("role", "1"),
        ("password", PASSWORD),
        ("again", PASSWORD),
        ("administrator", "yes"),
    ];
    let made = browser.submit(new, &full).body;
    told.form("the page of a new user", browser, &made);
    let path =
        made.split("action=\"").find(|action| action.starts_with("/console/groups/12345/users/")).unwrap();
    let path = path.split('"').next().unwrap();
    let id = path.rsplit('/').next().unwrap();
    let id = if id.bytes().all(|b| b.is_ascii_digit()) { id } else { path.split('/').nth(5).unwrap() };
    let path = format!("/console/groups/12345/users/{id}");
    for name in ["address", "puid", "first_name", "last_name", "email", "phone", "role"] {
        told.refused(&format!("details {name}"), &browser.post(&path, &[(name, &long)]).body);
    }
    let opened = "address=fay.demo.glance.net&puid=F1&first_name=Fay&last_name=Five&email=fay%40example.com&phone=555&role=1";
    let theirs = [
        ("address", "fee.demo"),
        ("puid", "F2"),
        ("first_name", "Fee"),
        ("last_name", "Six"),
        ("email", "fee@x"),
        ("phone", "666"),
        ("role", ""),
    ];
    browser.submit(&path, &[theirs.as_slice(), &[("opened", opened)]].concat());
    let ours = [theirs.as_slice(), &[("first_name", "Own"), ("opened", opened)]].concat();
    told.refused("details that somebody else saved", &browser.post(&path, &ours).body);
}

fn of_log(told: &mut Transcript<'_>, browser: &Browser<'_>) {
    let log = browser.get("/console/groups/12345/access-log.csv").body;
    told.note("the access log", &log);
}
