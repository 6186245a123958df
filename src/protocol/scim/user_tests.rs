#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::model::person::{EMAIL, FIRST_NAME, LAST_NAME, Person};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::clock::Timestamp;
use crate::model::{GlanceAddress, GroupId, Membership, RoleId, User, UserId};
use crate::protocol::scim::ScimType;

fn ann() -> ScimUser {
    ScimUser { member: member_ann(), details: Details::default() }
}

fn member_ann() -> Member {
    let at = Timestamp::parse("2026-03-12T20:41:55Z").unwrap();
    Member {
        user: User {
            id: UserId(7),
            address: GlanceAddress::parse("ann.example.glance.net").unwrap(),
            person: Person::default()
                .with(&FIRST_NAME, "Ann")
                .with(&LAST_NAME, "Lee")
                .with(&EMAIL, "ann@example.com"),
            has_password: true,
            home_group: GroupId(1),
            failures: 0,
            locked_until: None,
            signed_in_at: None,
            created_at: at,
            updated_at: at,
        },
        membership: Membership {
            group: GroupId(1),
            user: UserId(7),
            puid: Puid::parse("E1"),
            role: Some(RoleId(3)),
            administrator: false,
            suspended: false,
            active: true,
            created_at: at,
            updated_at: at.plus_seconds(1),
        },
        role_name: Some("Sales".into()),
    }
}

#[test]
fn a_member_is_written_as_a_user() {
    let got = document(&ann(), "https://x/scim/v2");
    let version = got["meta"]["version"].clone();
    let expected = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "7", "userName": "ann.example.glance.net", "externalId": "E1", "active": true,
        "name": {"givenName": "Ann", "familyName": "Lee"},
        "emails": [{"value": "ann@example.com", "type": "work", "primary": true}],
        "groups": [{"value": "3", "display": "Sales", "type": "direct", "$ref": "https://x/scim/v2/Groups/3"}],
        "meta": {
            "resourceType": "User", "created": "2026-03-12T20:41:55.000Z",
            "lastModified": "2026-03-12T20:41:56.000Z", "location": "https://x/scim/v2/Users/7",
            "version": version,
        },
    });
    assert_eq!(got, expected);
}

#[test]
fn a_user_reads_back_as_it_was_written() {
    let read = wanted(&document(&ann(), "https://x")).unwrap();
    assert_eq!((read.address.as_str(), read.external_id.as_deref()), ("ann.example.glance.net", Some("E1")));
    assert_eq!(read.person, ann().member.user.person.map(|_, text| Some(text.clone())));
    assert_eq!(read.active, Some(true));
    assert!(read.password.is_none());
}

#[test]
fn names_are_read_in_any_case_and_booleans_also_as_text() {
    let check = |active: serde_json::Value, expected: Option<bool>| {
        let read = wanted(&json!({"USERNAME": "ann", "Active": active, "externalid": 12})).unwrap();
        assert_eq!((read.active, read.external_id.as_deref()), (expected, Some("12")));
    };
    check(json!(false), Some(false));
    check(json!("False"), Some(false));
    check(json!("true"), Some(true));
    check(json!(null), None);
}

#[test]
fn one_value_is_kept_the_primary_or_the_work_one() {
    let check = |name: &str, values: serde_json::Value, expected: &str| {
        let read = wanted(&json!({"userName": "ann", name: values})).unwrap();
        let kept = if name == "emails" { read.person.email } else { read.person.phone };
        assert_eq!(kept.as_deref(), Some(expected), "{values}");
    };
    check("emails", json!([{"value": "a", "type": "home"}, {"value": "b", "type": "work"}]), "b");
    check(
        "emails",
        json!([{"value": "b", "type": "work"}, {"value": "a", "type": "home", "primary": true}]),
        "a",
    );
    check("emails", json!([{"value": "a", "type": "home"}]), "a");
    check("emails", json!(["a"]), "a");
    check("emails", json!([{"value": "a"}, {"value": "b"}]), "a");
    check("emails", json!([]), "");
    check("emails", json!([{"type": "work"}]), "");
    check("phoneNumbers", json!([{"value": "1", "type": "mobile"}]), "");
    check("phoneNumbers", json!([{"value": "1", "type": "mobile"}, {"value": "2", "type": "Work"}]), "2");
    check(
        "phoneNumbers",
        json!([{"value": "1", "type": "mobile", "primary": "True"}, {"value": "2", "type": "work"}]),
        "1",
    );
}

#[test]
fn wrong_types_and_missing_names_are_invalid_values() {
    let check = |document: serde_json::Value, expected: ScimType| {
        assert_eq!(wanted(&document).err().map(|r| r.scim_type), Some(expected), "{document}");
    };
    check(json!([]), ScimType::InvalidSyntax);
    check(json!({}), ScimType::InvalidValue);
    check(json!({"userName": ""}), ScimType::InvalidValue);
    check(json!({"userName": {}}), ScimType::InvalidValue);
    check(json!({"userName": "a", "active": "maybe"}), ScimType::InvalidValue);
    check(json!({"userName": "a", "name": "Ann"}), ScimType::InvalidValue);
    check(json!({"userName": "a", "emails": "a@b"}), ScimType::InvalidValue);
    check(json!({"userName": "a", "emails": [1]}), ScimType::InvalidValue);
    check(json!({"userName": "a", "externalId": []}), ScimType::InvalidValue);
}

proptest! {
    #[test]
    fn no_document_panics(name in "[a-zA-Z]{0,8}", text in ".{0,20}", number in any::<f64>()) {
        for value in [json!(text), json!(number), json!([text]), json!({"value": text}), json!([{"value": number, "type": text}])] {
            for key in ["userName", "name", "emails", "active", "password", name.as_str()] {
                let _ = wanted(&json!({key: value, "userName": "x"}));
            }
        }
    }
}
