//! SCIM 2.0 through the real binary, as identity providers speak it. RFC 7643, RFC 7644.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Answer, Server};
use serde_json::{Value, json};

const GROUP: &str = "4711";

/// A server with one group, and that group's token.
struct Provider {
    server: Server,
    token: String,
}

impl Provider {
    fn start() -> Provider {
        let server = Server::lab();
        let made = server.command(&["group", "create", GROUP, "--name", "Scim"]);
        assert!(made.status.success(), "{made:?}");
        let token = token_of(&server, "Okta");
        Provider { server, token }
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send_with(method, path, &[], body)
    }

    fn send_with(&self, method: &str, path: &str, more: &[(&str, &str)], body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![("Authorization", bearer.as_str()), ("Content-Type", "application/scim+json")];
        headers.extend(more);
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer = self.server.send(method, &format!("/scim/v2{path}"), &headers, &body);
        if !answer.body.is_empty() {
            assert_eq!(answer.header("Content-Type"), Some("application/scim+json"), "{answer:?}");
        }
        answer
    }

    fn get(&self, path: &str) -> Value {
        let answer = self.send("GET", path, &Value::Null);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    fn create(&self, user: Value) -> Value {
        let answer = self.send("POST", "/Users", &user);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }

    fn patch(&self, path: &str, operations: Value) -> Answer {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        self.send("PATCH", path, &json!({"schemas": schemas, "Operations": operations}))
    }
}

fn token_of(server: &Server, label: &str) -> String {
    let made = server.command(&["scim-token", "make", label, "--group", GROUP]);
    assert!(made.status.success(), "{made:?}");
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

fn found(list: &Value) -> Vec<&str> {
    let resources = list["Resources"].as_array().unwrap();
    resources.iter().map(|r| r["userName"].as_str().or_else(|| r["displayName"].as_str()).unwrap()).collect()
}

#[test]
fn nobody_is_let_in_without_the_token_and_a_revoked_one_is_none() {
    let provider = Provider::start();
    let server = &provider.server;
    for path in ["/Users", "/Users/1", "/Groups", "/ServiceProviderConfig", "/Schemas"] {
        for header in ["", "Bearer", "Bearer x", &format!("Basic {}", provider.token)] {
            let answer = server.send("GET", &format!("/scim/v2{path}"), &[("Authorization", header)], b"");
            assert_eq!((answer.status, answer.header("WWW-Authenticate")), (401, Some("Bearer")));
            let error = answer.json();
            assert_eq!(error["status"], "401");
            assert_eq!(error["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        }
    }
    provider.get("/Users");
    let listed = server.command(&["scim-token", "list", "--group", GROUP, "--json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed[0]["label"], "Okta");
    assert!(!listed.to_string().contains(&provider.token));
    let number = listed[0]["number"].to_string();
    assert!(server.command(&["scim-token", "revoke", &number, "--group", GROUP]).status.success());
    assert_eq!(provider.send("GET", "/Users", &Value::Null).status, 401);
}

#[test]
fn a_group_never_sees_another_groups_people() {
    let provider = Provider::start();
    let ann = provider.create(json!({"userName": "ann.x", "externalId": "E1"}));
    let server = &provider.server;
    assert!(server.command(&["group", "create", "4712", "--name", "Other"]).status.success());
    let made = server.command(&["scim-token", "make", "Entra", "--group", "4712"]);
    let other = Provider { token: String::from_utf8(made.stdout).unwrap().trim().to_owned(), ..provider };
    assert_eq!(other.get("/Users")["totalResults"], 0);
    let path = format!("/Users/{}", ann["id"].as_str().unwrap());
    for (method, body) in [
        ("GET", Value::Null),
        ("PUT", json!({"userName": "eve.x"})),
        ("PATCH", json!({"Operations": [{"op": "replace", "path": "active", "value": false}]})),
        ("DELETE", Value::Null),
    ] {
        assert_eq!(other.send(method, &path, &body).status, 404, "{method}");
    }
    // The address is taken, and nothing more is told about whose it is.
    let taken = other.send("POST", "/Users", &json!({"userName": "ann.x"}));
    assert_eq!((taken.status, taken.json()["scimType"].as_str()), (409, Some("uniqueness")));
}

#[test]
fn okta_provisions_a_person_from_hiring_to_leaving() {
    let provider = Provider::start();
    let nobody = provider.get("/Users?filter=userName%20eq%20%22ann.x%22&startIndex=1&count=100");
    assert_eq!((nobody["totalResults"].as_i64(), &nobody["Resources"]), (Some(0), &json!([])));
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ann.x", "externalId": "00u1", "displayName": "Ann Lee", "locale": "en-US",
        "name": {"givenName": "Ann", "familyName": "Lee"},
        "emails": [{"primary": true, "value": "ann@example.com", "type": "work"}],
        "groups": [], "password": "1mz050nq-long", "active": true,
    });
    let answer = provider.send("POST", "/Users", &user);
    assert_eq!(answer.status, 201);
    let made = answer.json();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("Location"), made["meta"]["location"].as_str());
    assert_eq!(answer.header("ETag"), made["meta"]["version"].as_str());
    assert_eq!(
        (&made["externalId"], &made["active"], &made["password"]),
        (&json!("00u1"), &json!(true), &Value::Null)
    );
    assert_eq!(provider.get(&format!("/Users/{id}")), made);
    // An update is a PUT of the whole, with what was read.
    let mut whole = made.clone();
    whole["name"]["familyName"] = json!("Muster");
    whole["groups"] = json!([]);
    let put = provider.send("PUT", &format!("/Users/{id}"), &whole).json();
    assert_eq!((&put["name"]["familyName"], &put["externalId"]), (&json!("Muster"), &json!("00u1")));
    // Leaving is a PATCH without a path, and coming back is another.
    for active in [false, true, false] {
        let patched =
            provider.patch(&format!("/Users/{id}"), json!([{"op": "replace", "value": {"active": active}}]));
        assert_eq!((patched.status, &patched.json()["active"]), (200, &json!(active)));
    }
    assert_eq!(found(&provider.get("/Users?filter=active%20eq%20false")), ["ann.x"]);
    assert_eq!(provider.send("DELETE", &format!("/Users/{id}"), &Value::Null).status, 204);
    assert_eq!(provider.send("GET", &format!("/Users/{id}"), &Value::Null).status, 404);
}

#[test]
fn entra_id_provisions_in_its_own_dialect() {
    let provider = Provider::start();
    // The connection test asks for a user that cannot exist.
    let asked = "/Users?filter=externalId%20eq%20%2255bcc66b-4c2a%22";
    assert_eq!(provider.get(asked)["totalResults"], 0);
    let made = provider.create(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
        "externalId": "annlee", "userName": "ann.x", "active": true, "title": "Dr",
        "emails": [{"primary": true, "type": "work", "value": "ann@example.com"}],
        "phoneNumbers": [{"type": "mobile", "value": "+1"}, {"type": "work", "value": "+2"}],
        "name": {"formatted": "Ann Lee", "familyName": "Lee", "givenName": "Ann"},
        "meta": {"resourceType": "User"}, "roles": [],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Sales"},
    }));
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    assert_eq!(made["phoneNumbers"][1]["value"], "+2");
    let answer = provider.patch(&path, json!([
        {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "lee@example.com"},
        {"op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+3"},
        {"op": "Replace", "path": "name.givenName", "value": "Anna"},
        {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "HR"},
        {"op": "Replace", "path": "active", "value": "False"},
    ]));
    assert_eq!(answer.status, 200, "{answer:?}");
    let ann = answer.json();
    assert_eq!(ann["emails"][0]["value"], "lee@example.com");
    assert_eq!(
        ann["phoneNumbers"],
        json!([{"type": "mobile", "value": "+3"}, {"type": "work", "value": "+2"}])
    );
    assert_eq!((&ann["name"]["givenName"], &ann["active"]), (&json!("Anna"), &json!(false)));
    let dotted = provider.patch(
        &path,
        json!([{"op": "replace", "value": {
            "name.familyName": "Muster", "active": "True", "displayName": "Ann M",
        }}]),
    );
    assert_eq!(
        (&dotted.json()["name"]["familyName"], &dotted.json()["active"]),
        (&json!("Muster"), &json!(true))
    );
}

#[test]
fn groups_are_roles_and_a_user_has_one() {
    let provider = Provider::start();
    let ids: Vec<String> = ["a.x", "b.x"]
        .map(|name| provider.create(json!({"userName": name}))["id"].as_str().unwrap().to_owned())
        .to_vec();
    let made = provider.send(
        "POST",
        "/Groups",
        &json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "externalId": "8aa1",
            "displayName": "Sales", "members": [{"value": ids[0]}],
        }),
    );
    assert_eq!(made.status, 201, "{made:?}");
    let sales = made.json()["id"].as_str().unwrap().to_owned();
    let support = provider.send("POST", "/Groups", &json!({"displayName": "Support"})).json();
    let support = support["id"].as_str().unwrap().to_owned();
    let members = |id: &str| {
        let group = provider.get(&format!("/Groups/{id}"));
        let members = group["members"].as_array().unwrap();
        members.iter().map(|m| m["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(members(&sales), [ids[0].as_str()]);
    let ann = provider.get(&format!("/Users/{}", ids[0]));
    assert_eq!(ann["groups"][0]["display"], "Sales");
    // Entra ID adds by list, and removes by path or by a list beside it.
    let add = json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": ids[0]}, {"value": ids[1]}]}]);
    assert_eq!(provider.patch(&format!("/Groups/{support}"), add).status, 200);
    assert_eq!((members(&sales).len(), members(&support)), (0, ids.clone()));
    let remove = json!([{"op": "Remove", "path": format!("members[value eq \"{}\"]", ids[0])}]);
    assert_eq!(provider.patch(&format!("/Groups/{support}"), remove).status, 200);
    let remove = json!([{"op": "Remove", "path": "members", "value": [{"value": ids[1]}]}]);
    assert_eq!(provider.patch(&format!("/Groups/{support}"), remove).status, 200);
    assert_eq!(members(&support).len(), 0);
    // Okta renames with the id in the value, and replaces all members by PUT.
    let rename = json!([{"op": "replace", "value": {"id": sales, "displayName": "Sellers"}}]);
    assert_eq!(provider.patch(&format!("/Groups/{sales}"), rename).json()["displayName"], "Sellers");
    let put = json!({"displayName": "Sellers", "members": [{"value": ids[1], "display": "b.x"}]});
    assert_eq!(provider.send("PUT", &format!("/Groups/{sales}"), &put).status, 200);
    assert_eq!(members(&sales), [ids[1].as_str()]);
    let by_name = provider.get("/Groups?excludedAttributes=members&filter=displayName%20eq%20%22sellers%22");
    assert_eq!(found(&by_name), ["Sellers"]);
    assert_eq!(by_name["Resources"][0]["members"], Value::Null);
    assert_eq!(provider.send("DELETE", &format!("/Groups/{sales}"), &Value::Null).status, 204);
    assert_eq!(provider.get(&format!("/Users/{}", ids[1]))["groups"], Value::Null);
}

#[test]
fn lists_are_paged_from_one_and_told_in_whole() {
    let provider = Provider::start();
    for number in 0..5 {
        provider.create(json!({"userName": format!("u{number}.x")}));
    }
    let check = |query: &str, total: i64, start: i64, expected: &[&str]| {
        let list = provider.get(&format!("/Users?{query}"));
        assert_eq!(
            (list["totalResults"].as_i64(), list["startIndex"].as_i64()),
            (Some(total), Some(start)),
            "{query}"
        );
        assert_eq!(list["itemsPerPage"], expected.len());
        assert_eq!(found(&list), expected, "{query}");
    };
    check("startIndex=2&count=2", 5, 2, &["u1.x", "u2.x"]);
    check("startIndex=5&count=100", 5, 5, &["u4.x"]);
    check("startIndex=6", 5, 6, &[]);
    check("startIndex=0&count=1", 5, 1, &["u0.x"]);
    check("startIndex=-3&count=-1", 5, 1, &[]);
    check("count=0", 5, 1, &[]);
    check("filter=userName+sw+%22u%22&startIndex=4", 5, 4, &["u3.x", "u4.x"]);
    let searched = provider.send(
        "POST",
        "/Users/.search",
        &json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "filter": "userName eq \"u3.x\"", "attributes": ["userName"], "startIndex": 1, "count": 10,
        }),
    );
    provider.send("POST", "/Groups", &json!({"displayName": "Sales"}));
    let both = provider.send("POST", "/.search", &json!({"startIndex": 5, "count": 2})).json();
    assert_eq!((both["totalResults"].as_i64(), found(&both)), (Some(6), vec!["u4.x", "Sales"]));
    assert_eq!(searched.json()["Resources"][0].as_object().unwrap().len(), 3, "schemas, id, userName");
}

#[test]
fn attributes_are_shown_and_left_out_as_asked() {
    let provider = Provider::start();
    let ann =
        provider.create(json!({"userName": "ann.x", "name": {"givenName": "Ann", "familyName": "Lee"}}));
    let path = format!("/Users/{}", ann["id"].as_str().unwrap());
    let only = provider.get(&format!("{path}?attributes=userName,name.givenName"));
    assert_eq!(
        only,
        json!({"schemas": ann["schemas"], "id": ann["id"], "userName": "ann.x", "name": {"givenName": "Ann"}})
    );
    let without = provider.get(&format!("{path}?excludedAttributes=name,meta,id"));
    assert_eq!(
        (&without["name"], &without["meta"], &without["id"]),
        (&Value::Null, &Value::Null, &ann["id"])
    );
}

#[test]
fn a_stale_version_changes_nothing_and_a_known_one_is_not_sent_again() {
    let provider = Provider::start();
    let ann = provider.create(json!({"userName": "ann.x"}));
    let path = format!("/Users/{}", ann["id"].as_str().unwrap());
    let version = ann["meta"]["version"].as_str().unwrap();
    let known = provider.send_with("GET", &path, &[("If-None-Match", version)], &Value::Null);
    assert_eq!((known.status, known.body.as_str(), known.header("ETag")), (304, "", Some(version)));
    let rename = json!({"Operations": [{"op": "replace", "path": "name.givenName", "value": "Ann"}]});
    let fresh = provider.send_with("PATCH", &path, &[("If-Match", version)], &rename);
    assert_eq!(fresh.status, 200);
    for (method, body) in [("PATCH", rename), ("PUT", json!({"userName": "ann.y"})), ("DELETE", Value::Null)]
    {
        let stale = provider.send_with(method, &path, &[("If-Match", version)], &body);
        assert_eq!((stale.status, stale.json()["status"].as_str()), (412, Some("412")), "{method}");
    }
    assert_eq!(provider.get(&path)["userName"], "ann.x");
}

#[test]
fn bad_requests_are_refused_by_their_scim_type() {
    let provider = Provider::start();
    let ann = provider.create(json!({"userName": "ann.x", "externalId": "E1"}));
    let path = format!("/Users/{}", ann["id"].as_str().unwrap());
    let check = |method: &str, path: &str, body: Value, status: u16, scim_type: &str| {
        let answer = provider.send(method, path, &body);
        let error = answer.json();
        assert_eq!(
            (answer.status, error["scimType"].as_str().unwrap_or("")),
            (status, scim_type),
            "{path} {body} {error}"
        );
        assert_eq!(error["status"], status.to_string());
    };
    check("GET", "/Users?filter=userName%20eq", Value::Null, 400, "invalidFilter");
    check("GET", "/Users?startIndex=one", Value::Null, 400, "invalidValue");
    check("GET", "/Users?attributes=a%20b", Value::Null, 400, "invalidPath");
    check("GET", "/Users/0", Value::Null, 404, "");
    check("GET", "/Nothing", Value::Null, 404, "");
    check("GET", "/Users/ann", Value::Null, 404, "");
    check("GET", "/Schemas/urn:x", Value::Null, 404, "");
    check("POST", "/Users", json!([]), 400, "invalidSyntax");
    check("POST", "/Users", json!({}), 400, "invalidValue");
    check("POST", "/Users", json!({"userName": "ann example"}), 400, "invalidValue");
    check("POST", "/Users", json!({"userName": "ANN.X"}), 409, "uniqueness");
    check("POST", "/Users", json!({"userName": "bob.x", "externalId": "E1"}), 409, "uniqueness");
    check(
        "POST",
        "/Users",
        json!({"userName": "bob.x", "name": {"givenName": "x".repeat(50)}}),
        400,
        "invalidValue",
    );
    check("POST", "/Users", json!({"userName": "bob.x", "password": "short"}), 400, "invalidValue");
    check("PUT", "/Users/99", json!({"userName": "bob.x"}), 404, "");
    check("PATCH", &path, json!({}), 400, "invalidSyntax");
    check("PATCH", &path, json!({"Operations": [{"op": "remove"}]}), 400, "noTarget");
    check(
        "PATCH",
        &path,
        json!({"Operations": [{"op": "replace", "path": "a b", "value": 1}]}),
        400,
        "invalidPath",
    );
    check(
        "PATCH",
        &path,
        json!({"Operations": [{"op": "replace", "path": "id", "value": "9"}]}),
        400,
        "mutability",
    );
    check("PATCH", &path, json!({"Operations": [{"op": "remove", "path": "userName"}]}), 400, "invalidValue");
    check("POST", "/Groups", json!({}), 400, "invalidValue");
    check(
        "POST",
        "/Groups",
        json!({"displayName": "Sales", "members": [{"value": "99"}]}),
        400,
        "invalidValue",
    );
    check("POST", "/Bulk", json!({}), 501, "");
    assert_eq!(provider.get("/Users")["totalResults"], 1);
    assert_eq!(provider.get("/Groups")["totalResults"], 0);
    let address = provider.send("POST", "/Users", &json!({"userName": "ann example"})).json();
    assert!(address["detail"].as_str().unwrap().contains("Map userName"), "{address}");
    let not_json = provider.server.send(
        "POST",
        "/scim/v2/Users",
        &[("Authorization", &format!("Bearer {}", provider.token))],
        b"{",
    );
    assert_eq!(not_json.json()["scimType"], "invalidSyntax");
}

#[test]
fn what_is_supported_is_said() {
    let provider = Provider::start();
    let config = provider.get("/ServiceProviderConfig");
    for (feature, supported) in [
        ("patch", true),
        ("bulk", false),
        ("filter", true),
        ("sort", false),
        ("etag", true),
        ("changePassword", true),
    ] {
        assert_eq!(config[feature]["supported"], supported, "{feature}");
    }
    assert_eq!(provider.get("/ResourceTypes")["totalResults"], 2);
    assert_eq!(provider.get("/ResourceTypes/User")["endpoint"], "/Users");
    assert_eq!(provider.get("/Schemas")["totalResults"], 2);
    let schema = provider.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:User");
    assert_eq!(schema["attributes"][0]["name"], "userName");
}
