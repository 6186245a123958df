#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn ann() -> Value {
    json!({
        "id": "7", "userName": "ann", "active": true,
        "name": {"givenName": "Ann", "familyName": "Example"},
        "emails": [{"value": "ann@example.com", "type": "work", "primary": true}],
    })
}

/// Applies the operations to Ann and gives back the attribute `name`, or the reject.
fn patched(operation: Value, name: &str) -> Result<Value, ScimType> {
    let mut document = ann();
    let body =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]});
    operations(&body).and_then(|o| apply(&mut document, o)).map_err(|r| r.scim_type)?;
    Ok(member(&document, name).cloned().unwrap_or(Value::Null))
}

#[test]
fn operations_change_what_their_path_names() {
    let check = |operation: Value, name: &str, expected: Value| {
        assert_eq!(patched(operation.clone(), name), Ok(expected), "{operation}");
    };
    check(json!({"op": "replace", "path": "userName", "value": "bob"}), "userName", json!("bob"));
    check(json!({"op": "replace", "path": "USERNAME", "value": "bob"}), "userName", json!("bob"));
    check(json!({"op": "add", "path": "title", "value": "Dr"}), "title", json!("Dr"));
    check(
        json!({"op": "replace", "path": "name.givenName", "value": "Anna"}),
        "name",
        json!({"givenName": "Anna", "familyName": "Example"}),
    );
    check(
        json!({"op": "replace", "path": "name", "value": {"GivenName": "Anna"}}),
        "name",
        json!({"givenName": "Anna", "familyName": "Example"}),
    );
    check(json!({"op": "remove", "path": "name.givenName"}), "name", json!({"familyName": "Example"}));
    check(json!({"op": "remove", "path": "name"}), "name", Value::Null);
    check(json!({"op": "replace", "path": "name", "value": null}), "name", Value::Null);
    check(json!({"op": "remove", "path": "nickName"}), "nickName", Value::Null);
    check(
        json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "new@example.com"}),
        "emails",
        json!([{"value": "new@example.com", "type": "work", "primary": true}]),
    );
    check(
        json!({"op": "replace", "path": "emails", "value": [{"value": "new@example.com"}]}),
        "emails",
        json!([{"value": "new@example.com"}]),
    );
    check(
        json!({"op": "add", "path": "emails", "value": {"value": "b@example.com", "primary": true}}),
        "emails",
        json!([
            {"value": "ann@example.com", "type": "work", "primary": false},
            {"value": "b@example.com", "primary": true},
        ]),
    );
    check(json!({"op": "remove", "path": "emails[type eq \"work\"]"}), "emails", json!([]));
    check(
        json!({"op": "remove", "path": "emails[type eq \"work\"].primary"}),
        "emails",
        json!([{"value": "ann@example.com", "type": "work"}]),
    );
    check(json!({"op": "remove", "path": "emails[type eq \"home\"]"}), "id", json!("7"));
    check(
        json!({"op": "add", "value": {"userName": "bob", "emails": [{"value": "ann@example.com", "type": "work", "primary": true}]}}),
        "emails",
        json!([{"value": "ann@example.com", "type": "work", "primary": false}, {"value": "ann@example.com", "type": "work", "primary": true}]),
    );
}

#[test]
fn a_value_that_is_there_already_is_not_added_twice() {
    let again = json!({"op": "add", "path": "emails", "value": [{"value": "x@example.com"}, {"value": "x@example.com"}]});
    assert_eq!(patched(again, "emails").unwrap().as_array().unwrap().len(), 2);
}

#[test]
fn entra_id_writes_op_with_a_capital_and_booleans_as_text() {
    let operation = json!({"op": "Replace", "path": "active", "value": "False"});
    assert_eq!(patched(operation, "active"), Ok(json!("False")));
}

#[test]
fn entra_id_replaces_without_a_path_by_dotted_keys_and_urns() {
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let value = json!({
        "name.familyName": "Muster",
        "emails[type eq \"work\"].value": "muster@example.com",
        (format!("{ENTERPRISE}:department")): "Sales",
        "urn:ietf:params:scim:schemas:core:2.0:User:displayName": "Ann M",
    });
    let operation = json!({"op": "Replace", "value": value});
    assert_eq!(patched(operation.clone(), "name").unwrap()["familyName"], "Muster");
    assert_eq!(patched(operation.clone(), "emails").unwrap()[0]["value"], "muster@example.com");
    assert_eq!(patched(operation.clone(), ENTERPRISE).unwrap(), json!({"department": "Sales"}));
    assert_eq!(patched(operation, "displayName").unwrap(), "Ann M");
}

#[test]
fn entra_id_sets_values_that_do_not_exist_yet() {
    for op in ["Add", "Replace"] {
        let operation = json!({"op": op, "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+49 1"});
        assert_eq!(patched(operation, "phoneNumbers"), Ok(json!([{"type": "mobile", "value": "+49 1"}])));
    }
}

#[test]
fn entra_id_lists_the_values_to_remove_beside_the_path() {
    let operation = json!({"op": "Remove", "path": "emails", "value": [{"value": "ann@example.com"}]});
    assert_eq!(patched(operation, "emails"), Ok(json!([])));
    let other = json!({"op": "Remove", "path": "emails", "value": [{"value": "other@example.com"}]});
    assert_eq!(patched(other, "emails").unwrap().as_array().unwrap().len(), 1);
}

#[test]
fn entra_id_of_old_wraps_single_values_in_a_list() {
    let operation =
        json!({"op": "Add", "path": "name.givenName", "value": [{"$ref": null, "value": "Anna"}]});
    assert_eq!(patched(operation, "name").unwrap()["givenName"], "Anna");
}

#[test]
fn okta_replaces_without_a_path_and_repeats_the_id() {
    let operation = json!({"op": "replace", "value": {"id": "8", "active": false}});
    assert_eq!(patched(operation.clone(), "id"), Ok(json!("7")));
    assert_eq!(patched(operation, "active"), Ok(json!(false)));
}

#[test]
fn what_breaks_a_rule_is_rejected_by_its_type() {
    let check = |operation: Value, expected: ScimType| {
        assert_eq!(patched(operation.clone(), "id"), Err(expected), "{operation}");
    };
    check(json!({"op": "move", "path": "userName"}), ScimType::InvalidSyntax);
    check(json!({"path": "userName"}), ScimType::InvalidSyntax);
    check(json!("add"), ScimType::InvalidSyntax);
    check(json!({"op": "add", "value": "x"}), ScimType::InvalidSyntax);
    check(json!({"op": "remove"}), ScimType::NoTarget);
    check(json!({"op": "add", "path": 1, "value": "x"}), ScimType::InvalidPath);
    check(json!({"op": "add", "path": "a b", "value": "x"}), ScimType::InvalidPath);
    check(json!({"op": "add", "path": "emails[type eq]", "value": "x"}), ScimType::InvalidPath);
    check(json!({"op": "add", "path": "emails[type pr", "value": "x"}), ScimType::InvalidPath);
    check(json!({"op": "add", "path": "emails[type pr]x", "value": "x"}), ScimType::InvalidPath);
    check(json!({"op": "replace", "path": "emails[value co \"z\"].value", "value": "x"}), ScimType::NoTarget);
    check(json!({"op": "replace", "path": "emails[type eq \"work\"]", "value": "x"}), ScimType::InvalidValue);
    check(json!({"op": "replace", "path": "userName[a eq 1]", "value": {}}), ScimType::InvalidPath);
    check(json!({"op": "replace", "path": "userName.first", "value": "x"}), ScimType::InvalidPath);
    check(json!({"op": "replace", "path": "id", "value": "8"}), ScimType::Mutability);
    check(json!({"op": "replace", "path": "meta.created", "value": "8"}), ScimType::Mutability);
    for body in [json!({}), json!({"Operations": []}), json!({"Operations": {}}), json!([]), Value::Null] {
        assert_eq!(operations(&body).err().map(|r| r.scim_type), Some(ScimType::InvalidSyntax), "{body}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec!["", "value", "work", "True", "a.b"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(
                prop::sample::select(vec![
                    "value",
                    "type",
                    "emails",
                    "name.givenName",
                    "userName",
                    "primary",
                    "name",
                    "x[y"
                ])
                .prop_map(str::to_owned),
                inner,
                0..4
            )
            .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_operation_panics(
        op in prop::sample::select(vec!["add", "Remove", "replace"]),
        path in prop::sample::select(vec![
            "", "emails", "emails.value", "emails[type eq \"work\"].value", "emails[type eq \"x\"]", "name",
            "name.givenName", "userName", "name[a pr]", "urn:a:b:2.0:User:c.d", "urn:a:b:2.0:User",
        ]),
        value in any_json(),
    ) {
        let mut document = ann();
        let body = json!({"Operations": [{"op": op, "path": path, "value": value}, {"op": op, "value": value}]});
        if let Ok(operations) = operations(&body) {
            let _ = apply(&mut document, operations);
        }
        prop_assert_eq!(&document["id"], "7");
    }
}
