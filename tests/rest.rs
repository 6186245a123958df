//! The REST APIs through the real binary: group users 1.0.0 and 0.1, roles 0.1. Wire contract §5.2, §5.3.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Answer, Server};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse";

/// A server with a group, and the token of an administrator of it.
struct Client {
    server: Server,
    token: String,
}

impl Client {
    fn start() -> Client {
        let server = Server::lab();
        run(&server, &["group", "create", "4711", "--name", "Rest"]);
        user(&server, "admin.x", &["--administrator"]);
        let token = token(&server, "admin.x");
        Client { server, token }
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.server.send(method, path, &headers, &body)
    }

    #[track_caller]
    fn done(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.send(method, path, body);
        assert_eq!(answer.status, 200, "{method} {path} {answer:?}");
        answer.json()
    }

    #[track_caller]
    fn refused(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.send(method, path, body);
        (answer.status, answer.json()["error"].clone())
    }

    fn users(&self, query: &str) -> Vec<String> {
        let list = self.done("GET", &format!("{USERS}?limit=1000&{query}"), &Value::Null);
        let users = list["usersList"].as_array().unwrap();
        users.iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect()
    }
}

const USERS: &str = "/api/v1/groups/4711/users";
const ROLES: &str = "/api/v0/groups/4711/roles";

fn run(server: &Server, arguments: &[&str]) {
    let done = server.command(arguments);
    assert!(done.status.success(), "{done:?}");
}

/// Makes a user of group 4711 with the password.
fn user(server: &Server, address: &str, more: &[&str]) {
    let file = server.data().join("password");
    std::fs::write(&file, PASSWORD).unwrap();
    let from = format!("file:{}", file.display());
    let arguments = [
        "user",
        "create",
        "--group",
        "4711",
        "--address",
        address,
        "--puid",
        address,
        "--password-from",
        &from,
    ];
    run(server, &[&arguments, more].concat());
}

fn token(server: &Server, address: &str) -> String {
    let answer = server.post_json(
        "/services/AuthorizationService.svc/rest/Authorize?service=webservices&groupid=4711",
        &json!({"username": address, "password": PASSWORD}).to_string(),
    );
    answer.json().as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

fn row(name: &str) -> Value {
    json!({"username": name, "partnerUserId": format!("P-{name}")})
}

#[test]
fn calls_need_a_token_of_the_group() {
    let client = Client::start();
    for (header, value) in [("Authorization", ""), ("Authorization", "Bearer x.y.z"), ("X-Other", "x")] {
        let answer = client.server.send("GET", USERS, &[(header, value)], b"");
        assert_eq!(answer.status, 401, "{value:?} {answer:?}");
        assert!(answer.json()["error"]["code"].is_string());
    }
    for path in ["/api/v1/groups/12345/users", "/api/v1/groups/0/users", "/api/v0/groups/x/roles"] {
        let status = client.send("GET", path, &Value::Null).status;
        assert!(matches!(status, 401 | 403), "{path} {status}");
    }
}

#[test]
fn each_call_needs_its_privileges() {
    let client = Client::start();
    user(&client.server, "plain.x", &[]);
    let plain = Client { token: token(&client.server, "plain.x"), server: client.server };
    for (method, path) in [("GET", USERS), ("POST", USERS), ("PUT", USERS), ("GET", ROLES), ("POST", ROLES)] {
        let (status, error) = plain.refused(method, path, &json!([]));
        assert_eq!((status, &error["code"]), (403, &json!("privilege_missing")), "{method} {path}");
        assert!(error["message"].as_str().unwrap().contains("GROUP_OWNER"));
    }
    // A privilege that the group makes a setting of is whose role has it.
    let client = Client { token: token(&plain.server, "admin.x"), server: plain.server };
    let check = |method: &str, expected: u16| {
        assert_eq!(client.send(method, USERS, &json!([])).status, expected, "{method}");
    };
    check("POST", 200);
    check("PUT", 200);
    run(&client.server, &["group", "settings", "4711", "--on", "GROUP_ADD_PERSON"]);
    run(&client.server, &["role", "create", "Clerk", "--group", "4711"]);
    run(&client.server, &["user", "update", "--group", "4711", "--address", "admin.x", "--role", "Clerk"]);
    check("POST", 403);
    check("PUT", 200);
    run(&client.server, &["role", "update", "Clerk", "--group", "4711", "--on", "GROUP_ADD_PERSON"]);
    check("POST", 200);
    run(&client.server, &["group", "settings", "4711", "--off", "GROUP_MODIFY_PERSON"]);
    check("PUT", 403);
}

#[test]
fn users_are_made_listed_changed_and_deleted() {
    let client = Client::start();
    let full = json!({
        "firstName": "John", "lastName": "Doe", "email": "john@example.com", "phone": "111-222-3333",
        "username": "doe.john.example.glance.net", "password": "long enough", "partnerUserId": "E001234",
    });
    let made = client.done("POST", USERS, &json!([full, row("ann.x")]));
    assert_eq!(made[0]["partnerUserId"], "E001234");
    let id = made[0]["userId"].as_i64().unwrap();
    let list = client.done("GET", &format!("{USERS}?puid=e0012"), &Value::Null);
    assert_eq!(list["pagination"], json!({"offset": 0, "pageSize": 1, "totalRecords": 1}));
    let expected = json!({
        "userId": id, "firstName": "John", "lastName": "Doe", "email": "john@example.com",
        "phone": "111-222-3333", "username": "doe.john.example.glance.net", "partnerUserId": "E001234",
        "suspended": false, "active": true, "administrator": false, "roleId": 0, "roleName": null,
        "subscription": null,
    });
    assert_eq!(list["usersList"][0], expected);
    let changes = json!([
        {"userId": id, "partnerUserId": "E2", "suspended": true},
        {"partnerUserId": "P-ann.x", "username": "anna.x", "firstName": "Anna"},
    ]);
    assert_eq!(client.done("PUT", USERS, &changes), json!({"status": "ok"}));
    let list = client.done("GET", &format!("{USERS}?limit=1000"), &Value::Null);
    assert_eq!(
        (&list["usersList"][1]["partnerUserId"], &list["usersList"][1]["suspended"]),
        (&json!("E2"), &json!(true))
    );
    assert_eq!(
        (&list["usersList"][2]["username"], &list["usersList"][2]["firstName"]),
        (&json!("anna.x"), &json!("Anna"))
    );
    // What a list answers can be sent back as a change.
    assert_eq!(client.done("PUT", USERS, &json!([list["usersList"][2]])), json!({"status": "ok"}));
    let gone = client.done("POST", "/api/v1/groups/4711/delete-users", &json!([id, {"username": "anna.x"}]));
    assert_eq!(gone, json!({"status": "ok"}));
    assert_eq!(client.users(""), ["admin.x"]);
}

#[test]
fn a_whole_name_is_searched_for_as_in_the_console() {
    let client = Client::start();
    let rows = json!([
        {"username": "ann.east", "partnerUserId": "E1", "firstName": "Ann", "lastName": "Lee"},
        {"username": "lee.east", "partnerUserId": "E2", "firstName": "Lee", "lastName": "MÜLLER"},
        {"username": "cyd.ray", "partnerUserId": "E3", "firstName": "Cyd", "lastName": "Ray", "email": "ann@example.com"},
    ]);
    client.done("POST", USERS, &rows);
    let check = |query: &str, expected: &[&str]| assert_eq!(client.users(query), expected, "{query}");
    check("search=Ann+Lee", &["ann.east"]);
    check("search=lee+ANN", &["ann.east"]);
    check("Search=m%C3%BCller%20lee", &["lee.east"]);
    check("search=ann", &["ann.east", "cyd.ray"]);
    check("search=e3", &["cyd.ray"]);
    check("search=ann&lastname=ray", &["cyd.ray"]);
    check("search=ann&lastname=nobody&firstname=cyd&orMode=true", &["cyd.ray"]);
    check("search=nobody", &[]);
    check("search=", &["admin.x", "ann.east", "lee.east", "cyd.ray"]);
    let v0 = client.done("GET", "/api/v0/groups/4711/users?search=Ann%20Lee", &Value::Null);
    assert_eq!(
        (&v0["pagination"]["totalRecords"], &v0["usersList"][0]["username"]),
        (&json!(1), &json!("ann.east"))
    );
    let (status, error) = client.refused("GET", &format!("{USERS}?search={}", "a+".repeat(11)), &Value::Null);
    assert_eq!((status, &error["code"], &error["field"]), (400, &json!("search_too_long"), &json!("search")));
}

#[test]
fn lists_are_filtered_by_parts_in_any_case() {
    let client = Client::start();
    run(&client.server, &["role", "create", "Sales East", "--group", "4711"]);
    let roles = client.done("GET", ROLES, &Value::Null);
    let role = roles[0]["roleId"].as_i64().unwrap();
    let rows = json!([
        {"username": "ann.lee", "partnerUserId": "E1", "firstName": "Ann", "lastName": "Lee", "roleId": role},
        {"username": "bob.lee", "partnerUserId": "E2", "firstName": "Bob", "lastName": "Lee"},
        {"username": "cyd.ray", "partnerUserId": "100%", "firstName": "Cyd", "lastName": "Ray", "roleId": 0},
    ]);
    client.done("POST", USERS, &rows);
    let check = |query: &str, expected: &[&str]| assert_eq!(client.users(query), expected, "{query}");
    check("username=LEE", &["ann.lee", "bob.lee"]);
    check("firstname=nn", &["ann.lee"]);
    check("firstName=NN", &["ann.lee"]);
    check("lastname=e&puid=2", &["bob.lee"]);
    check("puid=0%25", &["cyd.ray"]);
    check("puid=_", &[]);
    check("puid=%00", &[]);
    check("rolename=east", &["ann.lee"]);
    check(&format!("roleId={role}"), &["ann.lee"]);
    check(&format!("roleID={role}&rolename=west"), &[]);
    check(
        &format!("roleId={role}&rolename=-none-&orMode=true"),
        &["admin.x", "ann.lee", "bob.lee", "cyd.ray"],
    );
    check("roleId=0", &["admin.x", "bob.lee", "cyd.ray"]);
    check("rolename=-NONE-&lastname=lee", &["bob.lee"]);
    check("firstname=ann&lastname=ray&orMode=true", &["ann.lee", "cyd.ray"]);
    check("firstname=ann&lastname=ray&orMode=false", &[]);
    check("username=", &["admin.x", "ann.lee", "bob.lee", "cyd.ray"]);
    let renamed = json!([{"username": "bob.lee", "firstName": "Bobby Älice", "lastName": "MÜLLER-Groß"}]);
    client.done("PUT", USERS, &renamed);
    check("lastname=müller-gross", &["bob.lee"]);
    check("lastname=ÜLLER-GROSS&firstname=äl", &["bob.lee"]);
    check("firstname=bobby+ä", &["bob.lee"]);
    check("lastname=muller", &[]);
    let page = client.done("GET", &format!("{USERS}?offset=1&limit=2"), &Value::Null);
    assert_eq!(page["pagination"], json!({"offset": 1, "pageSize": 2, "totalRecords": 4}));
    assert_eq!(page["usersList"][0]["username"], "ann.lee");
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("offset=-1", "offset"),
        ("orMode=2", "orMode"),
        ("roleId=x", "roleId"),
    ] {
        let (status, error) = client.refused("GET", &format!("{USERS}?{query}"), &Value::Null);
        assert_eq!((status, error["field"].as_str()), (400, Some(field)), "{query}");
    }
}

#[test]
fn twenty_users_make_a_page_when_the_client_does_not_say() {
    let client = Client::start();
    let rows: Vec<Value> = (0..30).map(|n| row(&format!("u{n}.x"))).collect();
    client.done("POST", USERS, &json!(rows));
    let list = client.done("GET", USERS, &Value::Null);
    assert_eq!(list["pagination"], json!({"offset": 0, "pageSize": 20, "totalRecords": 31}));
}

#[test]
fn rows_are_done_all_or_none_with_an_error_for_each() {
    let client = Client::start();
    client.done("POST", USERS, &json!([row("ann.x")]));
    let rows = json!([row("bob.x"), {"username": "c_d"}, 7, {"username": "eve.x", "partnerUserId": "E", "usrname": "x"}]);
    let (status, error) = client.refused("POST", USERS, &rows);
    assert_eq!((status, &error["code"]), (400, &json!("rows_refused")));
    assert_eq!(error["message"], "2 of 4 rows were refused. Nothing was changed.");
    let told: Vec<(i64, &str)> = error["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["row"].as_i64().unwrap(), row["code"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [(2, "row_not_an_object"), (3, "field_unknown")]);
    let taken = json!([row("bob.x"), {"username": "ANN.x", "partnerUserId": "E2"}, {"username": "cyd.x", "partnerUserId": "P-bob.x"}]);
    let (status, error) = client.refused("POST", USERS, &taken);
    assert_eq!(
        (status, &error["rows"][0]["code"], &error["rows"][0]["field"]),
        (409, &json!("address_taken"), &json!("username"))
    );
    assert_eq!(
        (&error["rows"][1]["code"], &error["rows"][1]["field"]),
        (&json!("puid_taken"), &json!("partnerUserId"))
    );
    for (missing, field) in [("username", "username"), ("partnerUserId", "partnerUserId")] {
        let mut bob = row("bob.x");
        bob.as_object_mut().unwrap().remove(missing);
        let (status, error) = client.refused("POST", USERS, &json!([bob]));
        assert_eq!((status, &error["rows"][0]["field"]), (400, &json!(field)));
    }
    let changes =
        json!([{"partnerUserId": "P-ann.x", "suspended": true}, {"userId": 999_999, "suspended": true}]);
    let (status, error) = client.refused("PUT", USERS, &changes);
    assert_eq!(
        (status, &error["rows"][0]["row"], &error["rows"][0]["code"]),
        (404, &json!(1), &json!("user_unknown"))
    );
    let (_, error) = client.refused("PUT", USERS, &json!([{"firstName": "x"}]));
    assert_eq!(error["rows"][0]["code"], "which_user");
    let list = client.done("GET", USERS, &Value::Null);
    assert_eq!(
        (list["pagination"]["totalRecords"].as_i64(), &list["usersList"][1]["suspended"]),
        (Some(2), &json!(false))
    );
    for (body, code) in [(json!({}), "body_not_a_list"), (json!(vec![row("x"); 1001]), "too_many_rows")] {
        let (status, error) = client.refused("POST", USERS, &body);
        assert_eq!((status, &error["code"]), (400, &json!(code)));
    }
}

#[test]
fn a_thousand_users_with_every_field_fit_into_one_call() {
    let client = Client::start();
    let rows: Vec<Value> = (0..1000)
        .map(|n| {
            json!({
                "username": format!("{}{n}.x", "a".repeat(120)), "partnerUserId": format!("{}{n}", "ü".repeat(250)),
                "firstName": "ü".repeat(49), "lastName": "ü".repeat(49), "email": "e".repeat(127), "phone": "1".repeat(49),
            })
        })
        .collect();
    let made = client.done("POST", USERS, &json!(rows));
    assert_eq!(made.as_array().unwrap().len(), 1000);
}

#[test]
fn roles_are_made_listed_changed_and_deleted() {
    let client = Client::start();
    let made = client.done(
        "POST",
        ROLES,
        &json!([
            {"name": "Sales", "description": "Sells", "settings": {"viewVideo": true}},
            {"name": "Support"},
        ]),
    );
    assert_eq!((&made[0]["name"], &made[0]["inUse"]), (&json!("Sales"), &json!(false)));
    let (sales, support) = (made[0]["roleId"].as_i64().unwrap(), made[1]["roleId"].as_i64().unwrap());
    client.done("POST", USERS, &json!([{"username": "ann.x", "partnerUserId": "E1", "roleId": sales}]));
    let listed = client.done("GET", ROLES, &Value::Null);
    assert_eq!(
        listed[0],
        json!({"name": "Sales", "roleId": sales, "description": "Sells", "inUse": true, "userCount": 1})
    );
    let one = client.done("GET", &format!("{ROLES}/{sales}"), &Value::Null);
    assert_eq!(
        (&one["settings"]["viewVideo"], &one["settings"]["remoteAssist"]),
        (&json!(true), &json!(false))
    );
    let changes =
        json!([{"roleId": sales, "name": "Sellers", "settings": {"viewVideo": false, "remoteAssist": true}}]);
    assert_eq!(client.done("PUT", ROLES, &changes), json!({"status": "ok"}));
    let one = client.done("GET", &format!("{ROLES}/{sales}"), &Value::Null);
    assert_eq!(
        (&one["name"], &one["description"], &one["settings"]["remoteAssist"]),
        (&json!("Sellers"), &json!("Sells"), &json!(true))
    );
    let delete = "/api/v0/groups/4711/delete-roles";
    let (status, error) = client.refused("POST", delete, &json!([support, sales]));
    assert_eq!((status, &error["rows"][0]["code"]), (409, &json!("role_in_use")));
    assert_eq!(client.done("POST", delete, &json!([{"roleId": support}])), json!({"status": "ok"}));
    assert_eq!(client.done("GET", ROLES, &Value::Null).as_array().unwrap().len(), 1);
    for id in ["0", "999999", "x", "-1"] {
        assert_eq!(client.send("GET", &format!("{ROLES}/{id}"), &Value::Null).status, 404, "{id}");
    }
}

#[test]
fn roles_keep_their_rules() {
    let client = Client::start();
    client.done("POST", ROLES, &json!([{"name": "Sales"}]));
    let check = |body: Value, code: &str| {
        let (status, error) = client.refused("POST", ROLES, &json!([body]));
        assert!(matches!(status, 400 | 409), "{body}");
        assert_eq!(error["rows"][0]["code"], code, "{body}");
    };
    check(json!({}), "role_name_required");
    check(json!({"name": "x".repeat(71)}), "role_name_too_long");
    check(json!({"name": "x", "description": "x".repeat(256)}), "description_too_long");
    check(json!({"name": "SALES"}), "role_exists");
    check(json!({"name": "x", "settings": {"viewVideo": "on"}}), "wrong_type");
    check(json!({"name": "x", "settings": {"agentVideo": true}}), "setting_not_in_group");
    let (_, error) = client.refused("PUT", ROLES, &json!([{"roleId": 1}, {"name": "x"}]));
    assert_eq!(error["rows"][0]["code"], "role_id_required");
}

#[test]
fn version_0_1_answers_as_1_0_0_does() {
    let client = Client::start();
    client.done("POST", "/api/v0/groups/4711/users", &json!([row("ann.x")]));
    for path in ["/api/v0/groups/4711/users", "/API/V1/Groups/4711/Users"] {
        let list = client.done("GET", &format!("{path}?firstName=&roleName=-none-&roleID=0"), &Value::Null);
        assert_eq!(list["pagination"]["totalRecords"], 2);
    }
}

#[test]
fn the_interface_is_described_without_a_token() {
    let server = Server::lab();
    let document = server.get("/api/openapi.json");
    assert_eq!(document.header("Content-Type"), Some("application/json"));
    assert_eq!(document.json()["openapi"], "3.1.0");
}
